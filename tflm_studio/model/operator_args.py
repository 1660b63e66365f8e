# SPDX-License-Identifier: Apache-2.0
"""The args column: an operator's options in a few words, those at their default left out.

Which words an operator gets is data (`args` in resources/operators.json): names of options,
and of the computed parts below, which say in a datasheet's terms what several fields mean.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from tflm_studio.model.tensor_types import decode, element_type, format_float
from tflm_studio.schema.structure import Field, Kind, Table
from tflm_studio.schema.tables import Model, Operator, SubGraph, Tensor

_MOST_VALUES = 12


class _Place(NamedTuple):
    model: Model
    subgraph: SubGraph
    operator: Operator
    options: Table | None
    named: dict[str, int]

    def option(self, name: str) -> Any:
        return getattr(self.options, name, None)

    def input(self, *names: str) -> Tensor | None:
        for name in names:
            position = self.named.get(name, -1)
            indices = self.operator.inputs or []
            if 0 <= position < len(indices):
                return _tensor(self.subgraph, indices[position])
        return None

    def constant(self, name: str) -> list[Any] | None:
        """The stored values of a small constant input."""
        tensor = self.input(name)
        buffers = self.model.buffers or []
        if tensor is None or tensor.buffer >= len(buffers):
            return None
        data = buffers[tensor.buffer].data
        if data is None or not 0 < memoryview(data).nbytes <= _MOST_VALUES * 8:
            return None
        values: list[Any] = decode(
            memoryview(data).cast("B"), element_type(tensor.type)
        ).tolist()
        return values


def describe_args(
    model: Model,
    subgraph: SubGraph,
    operator: Operator,
    parts: tuple[str, ...],
    named: dict[str, int],
) -> str:
    """The args of an operator as text.

    Args:
        model: For the values of constant inputs.
        subgraph: For the shapes of its tensors.
        operator: Whose args.
        parts: What to show, in order; every option that is not at its default if empty.
        named: Position of each input by name.
    """
    options = operator.builtin_options or operator.builtin_options_2
    known = options if isinstance(options, Table) else None
    place = _Place(model, subgraph, operator, known, named)
    names = parts or tuple(row.name for row in known.FIELDS) if known else parts
    return " ".join(filter(None, (_part(place, name) for name in names)))


def _part(place: _Place, name: str) -> str:
    if name in _COMPUTED:
        return _COMPUTED[name](place)
    if name.startswith("constant:"):
        return _constant(place, name.removeprefix("constant:"))
    rows = place.options.FIELDS if place.options is not None else ()
    row = next((row for row in rows if row.name == name), None)
    return "" if row is None else _option(row, place.option(name))


def _option(row: Field, value: Any) -> str:
    if value in (None, "") or value == row.default or row.kind not in _SHOWN_KINDS:
        return ""
    if value is True:
        return row.name
    if isinstance(value, list):
        return f"{row.name} {','.join(map(str, value[:_MOST_VALUES]))}" if value else ""
    if isinstance(value, float):
        return f"{row.name} {format_float(np.float32(value))}"
    if isinstance(value, IntEnum):
        return value.name
    return f"{row.name} {value}"


_SHOWN_KINDS = frozenset((Kind.SCALAR, Kind.STRING, Kind.SCALARS))


def _tensor(subgraph: SubGraph, tensor_index: int) -> Tensor | None:
    tensors = subgraph.tensors or []
    return tensors[tensor_index] if 0 <= tensor_index < len(tensors) else None


def _kernel(place: _Place) -> str:
    weights = place.input("filter", "weights")
    shape = (weights.shape if weights else None) or []
    return f"{shape[1]}x{shape[2]}" if len(shape) == 4 else ""


def _window(place: _Place) -> str:
    height, width = place.option("filter_height"), place.option("filter_width")
    return "" if height is None else f"{height}x{width}"


def _pair(letter: str, vertical: Any, horizontal: Any) -> str:
    if vertical is None or (vertical, horizontal) == (1, 1):
        return ""
    return (
        f"{letter}{vertical}" if vertical == horizontal else f"{letter}{vertical}x{horizontal}"
    )


def _stride(place: _Place) -> str:
    return _pair("s", place.option("stride_h"), place.option("stride_w"))


def _dilation(place: _Place) -> str:
    return _pair("d", place.option("dilation_h_factor"), place.option("dilation_w_factor"))


def _padding(place: _Place) -> str:
    value = place.option("padding")
    return "" if value is None else getattr(value, "name", f"padding {value}")


def _activation(place: _Place) -> str:
    value = place.option("fused_activation_function")
    return getattr(value, "name", f"activation {value}") if value else ""


def _to_shape(place: _Place) -> str:
    outputs = place.operator.outputs or []
    tensor = _tensor(place.subgraph, outputs[0]) if outputs else None
    shape = (tensor.shape if tensor else None) or []
    return "to " + "x".join(map(str, shape)) if shape else ""


def _to_size(place: _Place) -> str:
    size = place.constant("size")
    return "to " + "x".join(map(str, size)) if size else ""


def _constant(place: _Place, name: str) -> str:
    values = place.constant(name)
    if values is None:
        return ""
    if name == "paddings":
        pairs = zip(values[::2], values[1::2], strict=False)
        return "pad " + " ".join(f"{before},{after}" for before, after in pairs)
    return f"{name} {','.join(map(str, values))}"


def _slice(place: _Place) -> str:
    begin, end, strides = (place.constant(name) for name in ("begin", "end", "strides"))
    if begin is None or end is None or strides is None:
        return ""
    ranges = zip(begin, end, strides, strict=False)
    return ",".join(f"{a}:{b}" + (f":{s}" if s != 1 else "") for a, b, s in ranges)


def _cast(place: _Place) -> str:
    inputs, outputs = place.operator.inputs or [], place.operator.outputs or []
    ends = [_tensor(place.subgraph, indices[0]) for indices in (inputs, outputs) if indices]
    names = [element_type(tensor.type).name for tensor in ends if tensor is not None]
    return " to ".join(names) if len(names) == 2 else ""


_COMPUTED: dict[str, Callable[[_Place], str]] = {
    "kernel": _kernel,
    "window": _window,
    "stride": _stride,
    "dilation": _dilation,
    "padding": _padding,
    "activation": _activation,
    "to_shape": _to_shape,
    "to_size": _to_size,
    "slice": _slice,
    "cast": _cast,
}
