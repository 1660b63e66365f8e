# SPDX-License-Identifier: Apache-2.0
"""Tables of options for an operator: fitted to its tensors, or carried over from another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tflm_studio.editing.edits import Edit, Set
from tflm_studio.editing.field_values import copied
from tflm_studio.model.address import Address
from tflm_studio.model.default_options import default_options
from tflm_studio.model.graph import data_bytes
from tflm_studio.model.operator_kinds import UNIONS, OperatorKind
from tflm_studio.schema import tables as t
from tflm_studio.schema.structure import Table
from tflm_studio.schema.tables import Operator, Tensor

Tensors = Sequence[Tensor | None]


def fitted_options(kind: OperatorKind, inputs: Tensors, outputs: Tensors) -> Table | None:
    """First options of a kind, with what follows from the tensors of the operator.

    Args:
        kind: The kind of operator.
        inputs: Its input tensors, None for what is left out.
        outputs: Its output tensors.
    """
    options = default_options(kind)
    fit = _FITS.get(type(options)) if options is not None else None
    if fit is not None:
        fit(options, inputs, outputs)
    return options


def _fit_cast(options: Any, inputs: Tensors, outputs: Tensors) -> None:
    for name, tensors in (("in_data_type", inputs), ("out_data_type", outputs)):
        if tensors and tensors[0] is not None:
            setattr(options, name, tensors[0].type)


def _fit_reshape(options: Any, inputs: Tensors, outputs: Tensors) -> None:
    if outputs and outputs[0] is not None:
        options.new_shape = list(outputs[0].shape or [])


def _fit_pack(options: Any, inputs: Tensors, outputs: Tensors) -> None:
    options.values_count = max(len(inputs), 1)


def _fit_split(options: Any, inputs: Tensors, outputs: Tensors) -> None:
    options.num_splits = max(len(outputs), 1)


def _fit_unpack(options: Any, inputs: Tensors, outputs: Tensors) -> None:
    options.num = max(len(outputs), 1)


_FITS: dict[type[Table], Callable[[Any, Tensors, Tensors], None]] = {
    t.CastOptions: _fit_cast,
    t.ReshapeOptions: _fit_reshape,
    t.PackOptions: _fit_pack,
    t.SplitOptions: _fit_split,
    t.SplitVOptions: _fit_split,
    t.UnpackOptions: _fit_unpack,
}


class Carried(NamedTuple):
    """Options of a new kind.

    Attributes:
        options: The table, None if the kind has none.
        dropped: What the old options said and the new ones cannot, such as "stride_w 2".
        kept: What both say that is not the default, likewise.
    """

    options: Table | None
    dropped: list[str]
    kept: tuple[str, ...] = ()


def carried_options(operator: Operator, kind: OperatorKind) -> Carried:
    """The options that an operator keeps when it becomes another kind.

    A field is kept if the new table has one of the same name and type.

    Args:
        operator: With its old options.
        kind: What it becomes.
    """
    held = [value for union in UNIONS if (value := getattr(operator, union)) is not None]
    if not held:
        return Carried(default_options(kind), [])
    old = next((value for value in held if type(value) is kind.options), held[0])
    if not isinstance(old, Table):
        return Carried(default_options(kind), ["options that cannot be read"])
    if type(old) is kind.options:
        said = [_said(row, getattr(old, row.name)) for row in old.ROWS if _is_said(row, old)]
        return Carried(copied(old), [], tuple(said))
    options = default_options(kind)
    rows = {_shape_of(row) for row in options.ROWS} if options is not None else set()
    dropped: list[str] = []
    kept: list[str] = []
    for row in old.ROWS:
        value, fits = getattr(old, row.name), _shape_of(row) in rows
        if fits:
            setattr(options, row.name, value)
        if _is_said(row, old):
            (kept if fits else dropped).append(_said(row, value))
    return Carried(options, dropped, tuple(kept))


def _is_said(row: Any, options: Table) -> bool:
    return bool(getattr(options, row.name) != row.default)


def _said(row: Any, value: Any) -> str:
    return f"{row.name} {getattr(value, 'name', value)}"


def _shape_of(row: Any) -> tuple[Any, ...]:
    return row.name, row.kind, row.scalar, row.enum


def option_edits(
    place: Address, operator: Operator, kind: OperatorKind, options: Table | None
) -> list[Edit]:
    """Gives an operator these builtin options and no others; custom options stay.

    Args:
        place: Address of the operator.
        operator: The operator of now.
        kind: Which of the two unions holds the options.
        options: The table, None for none.
    """
    edits: list[Edit] = []
    for union in UNIONS:
        new = options if union == kind.union else None
        if new is not None or getattr(operator, union) is not None:
            edits.append(Set((*place, union), new))
    return edits


def without_custom_options(place: Address, operator: Operator) -> list[Edit]:
    """Takes away what only custom operators may have: with it, TFLM refuses to load."""
    edits: list[Edit] = []
    if operator.custom_options is not None:
        edits.append(Set((*place, "custom_options"), None))
    edits += [
        Set((*place, name), 0)
        for name in ("large_custom_options_offset", "large_custom_options_size")
        if getattr(operator, name)
    ]
    return edits


def custom_bytes(operator: Operator) -> int:
    """Bytes of custom options, beside the operator or behind the flatbuffer."""
    return data_bytes(operator.custom_options) or operator.large_custom_options_size
