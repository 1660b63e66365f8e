# SPDX-License-Identifier: Apache-2.0
"""What an operation on values takes, read off its signature, as words of a command line."""

from __future__ import annotations

import argparse
import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from tflm_studio.analysis.stored_contents import contents_at
from tflm_studio.editing.proposal import Proposal
from tflm_studio.formats.array_reader import ARRAY_SUFFIXES, read_array
from tflm_studio.model.address import parse_address
from tflm_studio.model.errors import EditError
from tflm_studio.model.field_text import parse_whole_number, read_each, read_float
from tflm_studio.model.index_text import read_indices
from tflm_studio.model.tensor_types import Array
from tflm_studio.schema.tables import Model

GIVEN = ("model", "address")  # by the verb itself
SHARED = {
    "array": f"a file with as many numbers: {' '.join(ARRAY_SUFFIXES)}",
    "real": "work on the reals that quantised numbers stand for",
    "where": "flat indices such as 0-99,200, or a file with them or with a mask",
}
_NUMBER = re.compile(r"-(\d|\.\d|inf|nan)", re.IGNORECASE)
_ITEM = re.compile(r"^(\w+): (.*(?:\n {4,}.*)*)", re.MULTILINE)

Operation = Callable[..., Proposal]


@dataclass(frozen=True, slots=True)
class FileArgument:
    """An array that is read when the shape of the values is known.

    Attributes:
        path: The file.
    """

    path: Path

    def array(self, model: Model, address: str) -> Array:
        """The array.

        Raises:
            ReadError: It cannot be read, or is far larger than the values.
            EditError: There are no values.
        """
        contents = contents_at(model, parse_address(address))
        if contents is None:
            raise EditError(f"{address}: nothing is stored there.")
        return read_array(self.path, contents.shape, contents.kind, contents.name)


def add_arguments(parser: argparse.ArgumentParser, operation: Operation) -> None:
    """Declares what an operation takes: what it needs by place, the rest by name.

    Args:
        parser: Of the operation.
        operation: Its annotations say how each argument is read.

    Raises:
        TypeError: An annotation has no form on a command line.
    """
    # By itself it takes -1 for a number and -1e-3 for an option.
    parser._negative_number_matcher = _NUMBER
    hints, told = get_type_hints(operation), _told(operation)
    for parameter in _parameters(operation):
        name, hint = parameter.name, hints[parameter.name]
        text = (told.get(name) or SHARED.get(name) or "").replace("%", "%%")
        is_needed = parameter.default is inspect.Parameter.empty
        flag = f"--{name.replace('_', '-')}"
        if hint is bool:
            default = "yes" if parameter.default else "no"
            parser.add_argument(
                flag,
                action=argparse.BooleanOptionalAction,
                help=f"{text}; {default} if not said",
                default=argparse.SUPPRESS,
            )
            continue
        reads = partial(_read, _reader(hint, name))
        if is_needed:
            parser.add_argument(name, metavar=name.upper(), type=reads, help=text)
            continue
        default = "" if parameter.default is None else f"; {parameter.default} if not said"
        choices = get_args(hint) if get_origin(hint) is Literal else ()
        metavar = "|".join(choices) or name.upper()
        parser.add_argument(
            flag, metavar=metavar, type=reads, help=text + default, default=argparse.SUPPRESS
        )


def taken(
    operation: Operation, found: argparse.Namespace, model: Model, address: str
) -> dict[str, Any]:
    """The arguments for an operation, out of what was read.

    Raises:
        ReadError: A file that is named cannot be read.
        EditError: There are no values at the address.
    """
    given = {
        parameter.name: getattr(found, parameter.name)
        for parameter in _parameters(operation)
        if hasattr(found, parameter.name)
    }
    return {
        name: value.array(model, address) if isinstance(value, FileArgument) else value
        for name, value in given.items()
    }


def _parameters(operation: Operation) -> list[inspect.Parameter]:
    found = inspect.signature(operation).parameters.values()
    return [parameter for parameter in found if parameter.name not in GIVEN]


def _told(operation: Operation) -> Mapping[str, str]:
    """What the docstring says of each argument."""
    text = inspect.getdoc(operation) or ""
    _, _, listed = text.partition("Args:\n")
    items = inspect.cleandoc(listed.partition("\n\n")[0])
    found = {name: " ".join(said.split()).rstrip(".") for name, said in _ITEM.findall(items)}
    # "As in this module." tells nobody anything here.
    return {name: said for name, said in found.items() if not said.startswith("As in ")}


# ------------------------------------------------------------------ reading


def _read(reads: Callable[[str], Any], text: str) -> Any:
    try:
        return reads(text)
    except EditError as error:
        raise argparse.ArgumentTypeError(str(error).rstrip(".")) from None


def _reader(hint: Any, name: str) -> Callable[[str], Any]:
    if name == "where":
        return _chosen
    known = _READERS.get(hint)
    if known is not None:
        return known
    if get_origin(hint) is Literal:
        return partial(_one_of, get_args(hint))
    raise TypeError(f"'{name}' is {hint}, which has no form on a command line")


def _one_of(choices: tuple[str, ...], text: str) -> str:
    if text not in choices:
        raise EditError(f"'{text}' is none of {', '.join(choices)}.")
    return text


def _axis(text: str) -> Any:
    words = {"auto": "auto", "none": None}
    return words[text] if text in words else parse_whole_number(text)


def _chosen(text: str) -> Any:
    if Path(text).suffix.lower() in ARRAY_SUFFIXES:
        return _file(text)
    return read_indices(text, "element")


def _file(text: str) -> FileArgument:
    return FileArgument(Path(text).expanduser())


_READERS: dict[Any, Callable[[str], Any]] = {
    float: read_float,
    int: parse_whole_number,
    str: str,
    str | None: str,
    Iterable[int]: read_indices,
    Sequence[int]: read_indices,
    float | Sequence[float]: partial(read_each, read_float),
    int | Sequence[int]: partial(read_each, parse_whole_number),
    int | None | Literal["auto"]: _axis,
    Array | Sequence[Any]: _file,
}
