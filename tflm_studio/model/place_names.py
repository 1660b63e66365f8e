# SPDX-License-Identifier: Apache-2.0
"""Addresses in the words of people: "Conv2D 2: stride_h", "tensor 12: name", "buffer 5"."""

from __future__ import annotations

from collections.abc import Sequence

from tflm_studio.model.address import Address, find_address, format_address
from tflm_studio.model.excerpts import excerpt
from tflm_studio.model.operators import operator_name
from tflm_studio.schema.associated_file import AssociatedFile
from tflm_studio.schema.tables import Metadata, Model, Operator, Tensor

_SINGULAR = {
    "operators": "operator",
    "tensors": "tensor",
    "subgraphs": "subgraph",
    "buffers": "buffer",
    "metadata": "metadata",
    "operator_codes": "operator code",
    "signature_defs": "signature",
    "associated_files": "associated file",
}
LONGEST_NAME = 64
MOST_NAMED = 4
LARGEST_COUNT = 2**63  # Python writes no numbers of thousands of digits
# Steps that say nothing a person does not see from what follows them.
_SILENT = frozenset(("builtin_options", "builtin_options_2", "quantization"))


def thing_at(address: Address) -> Address:
    """The address of the thing (operator, tensor, buffer...) that a place belongs to."""
    match address:
        case ("subgraphs", int(), "operators" | "tensors", int(), *_):
            return address[:4]
        case (str(), int(), *_):
            return address[:2]
    return ()


def name_thing(model: Model, thing: Address) -> str:
    """A thing in two or three words, such as "Conv2D 2"; "model" for the model itself."""
    if not thing:
        return "model"
    index, kind = thing[-1], str(thing[-2])
    name = f"{_SINGULAR.get(kind, kind)} {index}"
    value = find_address(model, thing)
    if isinstance(value, Operator):
        name = f"{excerpt(operator_name(model, value), LONGEST_NAME)} {index}"
    elif isinstance(value, Metadata) and value.name:
        name = f"metadata '{excerpt(value.name, LONGEST_NAME)}'"
    elif isinstance(value, AssociatedFile) and value.name:
        name = f"file '{_short(value.name)}'"
    elif isinstance(value, Tensor) and value.name:
        name = f"tensor {index} {_short(value.name)}"
    several = len(model.subgraphs or []) > 1 and len(thing) == 4
    return f"subgraph {thing[1]}, {name}" if several else name


def name_place(model: Model, address: Address) -> str:
    """A place in words: the thing, then the field in it."""
    thing = thing_at(address)
    inside = address[len(thing) :]
    last = inside[-1:] if inside[-1:] != ("data",) else ()
    rest = (*(step for step in inside[:-1] if step not in _SILENT), *last)
    if not rest:
        return name_thing(model, thing)
    field = format_address(rest)
    return f"{name_thing(model, thing)}: {field}" if thing else field


def name_tensor(model: Model, subgraph_index: int, index: int) -> str:
    """A tensor in two or three words, such as "tensor 7 input"."""
    return name_thing(model, ("subgraphs", subgraph_index, "tensors", index))


def name_tensors(model: Model, subgraph_index: int, indices: Sequence[int]) -> str:
    """The only tensor by name, several by their number."""
    if len(indices) == 1:
        return name_tensor(model, subgraph_index, indices[0])
    return plural(len(indices), "tensor")


def name_operator(model: Model, subgraph_index: int, index: int) -> str:
    """An operator in two or three words, such as "Conv2D 2"."""
    return name_thing(model, ("subgraphs", subgraph_index, "operators", index))


def name_operators(model: Model, subgraph_index: int, indices: Sequence[int]) -> str:
    """The only operator by name, several by their number."""
    if len(indices) == 1:
        return name_operator(model, subgraph_index, indices[0])
    return plural(len(indices), "operator")


def named_few(names: Sequence[str]) -> str:
    """The first few of some names, and how many more there are."""
    few, more = names[:MOST_NAMED], len(names) - MOST_NAMED
    between = "; " if any(", " in name for name in few) else ", "
    return f"{between.join(few)}{f' and {more:,} more' * (more > 0)}"


def quoted(text: str | None) -> str:
    """A name in quotes, cut if it is long; says so if there is none."""
    return f"'{excerpt(text, LONGEST_NAME)}'" if text else "unnamed"


def at_start(text: str) -> str:
    """A text as a sentence begins with it."""
    return text[:1].upper() + text[1:]


def plural(count: int, noun: str) -> str:
    """A count with its noun, such as "1 kind" or "2 kinds"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def count_text(count: int) -> str:
    """A number in groups of digits, however large: the product of a shape may be any."""
    return f"{count:,}" if count < LARGEST_COUNT else f"more than {LARGEST_COUNT:,}"


def _short(name: str, limit: int = 32) -> str:
    return name if len(name) <= limit else f"…{name[1 - limit :]}"
