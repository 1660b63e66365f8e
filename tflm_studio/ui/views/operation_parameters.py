# SPDX-License-Identifier: Apache-2.0
"""What operations on values ask for, and how that is read from text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from tflm_studio.model.errors import EditError
from tflm_studio.model.field_text import parse_whole_number, read_each, read_float
from tflm_studio.model.index_text import read_indices

Kind = Literal[
    "real", "whole", "text", "choice", "channels", "reals", "wholes", "file", "tick"
]
NUMBER_SUFFIXES = (".npy", ".npz", ".csv", ".txt")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number or choice that an operation asks for.

    Attributes:
        name: Of the argument.
        title: What the form calls it, with its letter.
        kind: How it is entered.
        default: Its text at first.
        choices: What can be chosen.
        hint: What stands in an empty line.
    """

    name: str
    title: str
    kind: Kind = "real"
    default: str = ""
    choices: tuple[str, ...] = ()
    hint: str = ""


def read_parameter(parameter: Parameter, text: str) -> Any:
    """What was entered, as the operation takes it.

    Raises:
        EditError: The text is something else.
    """
    title = parameter.title.replace("&", "")
    try:
        return _READERS[parameter.kind](text)
    except (EditError, ValueError) as error:
        raise EditError(f"{title}: {error}") from None


def _file(text: str) -> Any:
    path = Path(text.strip()).expanduser()
    if path.suffix.lower() not in NUMBER_SUFFIXES:
        raise EditError("choose a .npy, .npz, .csv or .txt file.")
    return path


_READERS: dict[Kind, Callable[[str], Any]] = {
    "real": read_float,
    "whole": parse_whole_number,
    "text": str,
    "choice": str,
    "channels": read_indices,
    "reals": partial(read_each, read_float),
    "wholes": partial(read_each, parse_whole_number),
    "file": _file,
    "tick": lambda text: text == "1",
}
