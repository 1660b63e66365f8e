# SPDX-License-Identifier: Apache-2.0
"""Chosen values of a buffer changed at once: typed, filled, pasted, set to zero, imported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.analysis.string_values import write_strings
from tflm_studio.editing.buffers import set_data
from tflm_studio.editing.edits import WriteBytes
from tflm_studio.editing.fitting_values import (
    Indices,
    all_fit,
    cell_name,
    check_editable,
    quantised,
    storable,
    whole_dtype,
)
from tflm_studio.editing.located import bytes_of
from tflm_studio.editing.proposal import Proposal
from tflm_studio.editing.value_writes import joined, writes_of
from tflm_studio.model.comparison import same_bytes
from tflm_studio.model.errors import EditError
from tflm_studio.model.excerpts import excerpt
from tflm_studio.model.place_names import plural
from tflm_studio.model.tensor_types import Array, encode, parse_value
from tflm_studio.schema.tables import Model

MOST_WRITES = 1024  # runs of bytes that are written apart; nearer ones are joined
EXACT_BITS = 32  # whole numbers of so many bits are exact as float64
LONGEST_QUOTE = 40


def write_values(
    model: Model, contents: BufferContents, indices: Indices, new: Array, label: str = ""
) -> Proposal:
    """Gives elements of a buffer other stored values. O(elements between the ends).

    Args:
        model: The model.
        contents: The buffer and how its bytes are read.
        indices: Flat indices of the elements, each once.
        new: As many values that the type can hold.
        label: What the history calls the step.

    Raises:
        EditError: The values cannot be changed one by one; says why.
    """
    check_editable(contents)
    if not len(indices):
        return Proposal(label=label)
    if contents.texts is not None:
        return _write_texts(model, contents, indices, new, label)
    order = np.argsort(indices, kind="stable")
    indices, new = indices[order], np.asarray(new)[order]
    kind = contents.kind
    # As stored: others keep their bits, and a NaN has more of them than its value tells.
    raw = new if kind.is_packed else np.frombuffer(encode(new, kind), kind.storage)
    address = ("buffers", contents.buffer_index, "data")
    writes = joined(writes_of(contents, indices, raw, MOST_WRITES))
    edits = [WriteBytes(address, contents.first_byte + at, data) for at, data in writes]
    return Proposal(tuple(edits), (), label)


def _write_texts(
    model: Model, contents: BufferContents, indices: Indices, new: Array, label: str
) -> Proposal:
    assert contents.texts is not None
    texts = contents.texts.copy()
    texts[indices] = new
    data = write_strings(texts.tolist())
    if same_bytes(bytes_of(model, contents.buffer_index), data):
        return Proposal(label=label)
    made = set_data(model, contents.buffer_index, data)
    return made.labelled(label)


def typed_values(
    contents: BufferContents, indices: Indices, texts: Sequence[str], *, real: bool = False
) -> Array:
    """Stored values for what a person typed or pasted into cells.

    Args:
        contents: The buffer and how its bytes are read.
        indices: Flat indices of the elements.
        texts: One for each element.
        real: Whether they are the reals that quantised values stand for.

    Raises:
        EditError: The first text that is no value of the type; names the cell.
    """
    check_editable(contents)
    if contents.texts is not None:
        found = np.empty(len(texts), object)
        found[:] = [text.encode() for text in texts]
        return found
    kind, is_real = contents.kind, real and contents.quantization is not None
    fast = _as_numbers(contents, texts, real=is_real)
    if fast is not None and is_real:
        fast = quantised(contents, indices, fast)
    if fast is not None and all_fit(contents.kind, fast):
        return fast
    one = _real_parser(contents) if is_real else _parser(contents)
    values = [
        _at_cell(contents, int(flat), text, one, is_alone=len(texts) == 1)
        for flat, text in zip(indices.tolist(), texts, strict=True)
    ]
    # numpy makes float64 of numbers that only uint64 holds, and others.
    return np.array(values, whole_dtype(kind) if kind.kind == "integer" else None)


def _as_numbers(contents: BufferContents, texts: Sequence[str], *, real: bool) -> Array | None:
    """Many texts as numbers at once; None if one is not plain, or too few to be worth it."""
    kind = contents.kind
    if len(texts) < 32 or not (real or kind.kind in ("integer", "float")):
        return None
    if kind.kind == "integer" and kind.bits > EXACT_BITS and not real:
        return None
    try:
        return np.array(texts, dtype="U").astype(np.float64)
    except ValueError:
        return None


def _parser(contents: BufferContents) -> Callable[[str, int], Any]:
    return lambda text, flat: parse_value(text, contents.kind)


def _real_parser(contents: BufferContents) -> Callable[[str, int], Any]:
    q = contents.quantization
    assert q is not None

    def parse(text: str, flat: int) -> int:
        try:
            real = float(text.strip().replace("\N{MINUS SIGN}", "-"))
        except ValueError:
            raise EditError(f"'{excerpt(text, LONGEST_QUOTE)}' is not a number.") from None
        return q.to_stored(real, flat, contents.kind)

    return parse


def _at_cell(
    contents: BufferContents,
    flat: int,
    text: str,
    one: Callable[[str, int], Any],
    *,
    is_alone: bool,
) -> Any:
    try:
        return one(text, flat)
    except EditError as error:
        if is_alone:
            raise
        raise EditError(f"{cell_name(contents, flat)}: {error}") from None


def zero_values(contents: BufferContents, indices: Indices) -> Array:
    """What stands for zero at elements: the zero point of quantised ones, else zero.

    Raises:
        EditError: The values cannot be changed.
    """
    check_editable(contents)
    if contents.texts is not None:
        found = np.empty(len(indices), object)
        found[:] = b""
        return found
    q = contents.quantization
    if q is None:
        return np.zeros(len(indices), np.int64)
    zeros: Array = np.clip(
        q.zero_point[q.channel(indices)], contents.kind.low, contents.kind.high
    )
    return zeros


def parse_block(text: str, *, is_prose: bool = False) -> list[list[str]]:
    """What was copied from a spreadsheet or a text: rows of cells.

    Args:
        text: Tabs part cells; without any, commas or semicolons do, else white space.
        is_prose: Whether cells are texts, which may hold all of that but tabs.

    Raises:
        EditError: There is nothing, or rows have different lengths.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n").split("\n")
    if is_prose or "\t" in text:
        rows = [line.split("\t") for line in lines if line.strip() or is_prose]
        rows = rows if text.strip() else []
    else:
        mark = next((mark for mark in ";," if mark in text), None)
        bare = [line.rstrip(" ,;").strip(" [](){}") for line in lines]
        rows = [line.split(mark) if mark else line.split() for line in bare if line]
    if not rows:
        raise EditError("There are no values to paste.")
    for number, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise EditError(
                f"Line {number + 1} of what is pasted has {plural(len(row), 'value')}, the "
                f"first {len(rows[0]):,}."
            )
    return rows if is_prose else [[cell.strip() for cell in row] for row in rows]


def import_array(
    model: Model,
    contents: BufferContents,
    array: Array,
    *,
    real: bool = False,
    label: str = "",
) -> Proposal:
    """Gives a buffer the values of an array.

    Args:
        model: The model.
        contents: The buffer and how its bytes are read.
        array: Of its shape, or flat (as from a text) with as many values.
        real: Whether it holds the reals that quantised values stand for.
        label: What the history calls the step.

    Raises:
        EditError: Another shape or type, or a value that the type cannot hold, which is named.
    """
    check_editable(contents)
    if array.shape != contents.shape and array.shape != (contents.count,):
        raise EditError(
            f"The file holds {_times(array.shape)} values, here are {_times(contents.shape)}."
        )
    flat = array.reshape(-1)
    every = np.arange(contents.count, dtype=np.int64)
    if contents.texts is not None:
        if flat.dtype.kind not in "OSU":
            raise EditError(f"The file holds {flat.dtype}, here are texts.")
        texts = np.empty(len(flat), object)
        texts[:] = [t.encode() if isinstance(t, str) else bytes(t) for t in flat.tolist()]
        return _write_texts(model, contents, every, texts, label)
    stored = storable(contents, flat, real=real and contents.quantization is not None)
    data = encode(stored, contents.kind)
    old = bytes_of(model, contents.buffer_index)
    if old[contents.first_byte : contents.first_byte + len(data)] == data:
        return Proposal(label=label)
    address = ("buffers", contents.buffer_index, "data")
    return Proposal((WriteBytes(address, contents.first_byte, data),), (), label)


def _times(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "1"
