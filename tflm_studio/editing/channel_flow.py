# SPDX-License-Identifier: Apache-2.0
"""Where the channels that a layer makes go, and what has to follow when they change.

From the output of a layer it goes on through operators that treat each channel by itself, up
to the layers that take the channels in. A depthwise layer ties its inputs to its outputs, so
from there it goes back as well, to the layer that makes them. Where two branches meet, as in
an ADD, another order goes back along the other one too, to all layers that make its channels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NoReturn

from tflm_studio.editing.located import subgraph_at
from tflm_studio.editing.weight_readers import FILTER, LAYERS, Layer, code_number
from tflm_studio.model.errors import EditError
from tflm_studio.model.graph import makers_of, readers_of
from tflm_studio.model.operators import find_tensor, has_data
from tflm_studio.model.place_names import name_operator, name_tensor
from tflm_studio.model.shape_rules.operands import Operands, UnknownShapeError
from tflm_studio.schema.enums import BuiltinOperator
from tflm_studio.schema.tables import Model, Operator, Tensor

_B = BuiltinOperator
Kept = tuple[int, ...]  # the channels of before, in the order of afterwards

_EACH_BY_ITSELF = frozenset(
    (
        _B.ABS, _B.AVERAGE_POOL_2D, _B.BATCH_TO_SPACE_ND, _B.CAST, _B.CEIL, _B.COS,
        _B.DEQUANTIZE, _B.ELU, _B.EXP, _B.FLOOR, _B.GELU, _B.HARD_SWISH, _B.L2_POOL_2D,
        _B.LEAKY_RELU, _B.LOG, _B.LOGISTIC, _B.MAX_POOL_2D, _B.NEG, _B.QUANTIZE, _B.RELU,
        _B.RELU6, _B.RELU_0_TO_1, _B.RELU_N1_TO_1, _B.RESIZE_BILINEAR,
        _B.RESIZE_NEAREST_NEIGHBOR, _B.ROUND, _B.RSQRT, _B.SIN, _B.SPACE_TO_BATCH_ND, _B.SQRT,
        _B.SQUARE, _B.TANH,
    )
)  # fmt: skip
_WITH_CONSTANT = frozenset(
    (_B.ADD, _B.DIV, _B.MAXIMUM, _B.MINIMUM, _B.MUL, _B.PRELU, _B.SUB, _B.SQUARED_DIFFERENCE)
)
_PADS = frozenset((_B.PAD, _B.PADV2, _B.MIRROR_PAD))
_REDUCES = frozenset((_B.MEAN, _B.REDUCE_MAX, _B.REDUCE_MIN, _B.SUM))
_DEPTHWISE = _B.DEPTHWISE_CONV_2D


class ChannelFlow:
    """What follows when channels of a layer come in another order, or fewer of them.

    Attributes:
        cuts: For each tensor the channels that are kept of its axes.
        restated: For constants that state a shape the new last number.
        options: The new option new_shape of operators.
        passed: Operators that are affected, in the order in which they were reached.
    """

    def __init__(self, model: Model, subgraph_index: int) -> None:
        self.model, self.index = model, subgraph_index
        self.subgraph = subgraph_at(model, subgraph_index)
        self.cuts: dict[int, dict[int, Kept]] = {}
        self.restated: dict[int, int] = {}
        self.options: dict[int, list[int]] = {}
        self.passed: dict[int, None] = {}
        self._waiting: list[tuple[int, Kept]] = []
        # A layer may have other outputs and, in a branch that leaves and comes back, inputs.
        self._made: set[int] = set()
        self._taken: set[int] = set()

    def start(self, number: int, kept: Kept) -> None:
        """Follows the channels of a layer everywhere.

        Args:
            number: The operator.
            kept: Its channels afterwards.

        Raises:
            EditError: Something stands in the way; the operator is named.
        """
        self._makes(number, kept)
        while self._waiting:
            tensor_index, channels = self._waiting.pop()
            self._check_passable(tensor_index)
            for maker in makers_of(self.subgraph, tensor_index):
                if maker not in self._made:
                    self._makes(maker, channels)
            for reader in readers_of(self.subgraph, tensor_index):
                if reader not in self._taken:
                    self._reads(reader, tensor_index, channels)

    def _check_passable(self, tensor_index: int) -> None:
        name = name_tensor(self.model, self.index, tensor_index)
        if tensor_index in (self.subgraph.outputs or ()):
            raise EditError(
                f"The channels reach {name}, an output of the subgraph, which would mean "
                "something else afterwards."
            )
        if tensor_index in (self.subgraph.inputs or ()):
            raise EditError(
                f"The channels come from {name}, an input of the subgraph, which would mean "
                "something else afterwards."
            )
        if len(makers_of(self.subgraph, tensor_index)) != 1:
            raise EditError(f"{name} is not made by exactly one operator; nothing can follow.")

    # -------------------------------------------------------------- operators

    def _makes(self, number: int, kept: Kept) -> None:
        """An operator whose output has other channels; its constants follow."""
        operator = self._operator(number)
        code = code_number(self.model, operator)
        layer = LAYERS.get(code)
        if layer is None:
            self._passes_back(number, operator, kept)
            return
        self.passed[number] = None
        self._made.add(number)
        self._cut_layer(number, operator, layer, kept)
        if code == _DEPTHWISE:
            self._taken.add(number)
            values = self._activation(number, operator, layer.values)
            if self._depth(number, values) != len(self._whole(number, operator, layer)):
                self._stop(number, "it makes several channels of each that it takes")
            self._tie(number, values, kept)
        if code == _B.TRANSPOSE_CONV:
            self._restate(number, operator, 0, len(kept))

    def _passes_back(self, number: int, operator: Operator, kept: Kept) -> None:
        """An operator between a depthwise layer and the layer that makes its inputs."""
        code = code_number(self.model, operator)
        if code not in _EACH_BY_ITSELF | _WITH_CONSTANT | _PADS:
            self._stop(number, "it does not treat each channel by itself")
        for position, tensor_index in enumerate(operator.inputs or []):
            tensor = find_tensor(self.subgraph, tensor_index)
            if tensor is not None and not has_data(self.model, tensor):
                depth = self._depth(number, self._activation(number, operator, position))
                if depth != self._depth(number, (operator.outputs or [-1])[0]):
                    self._stop(number, "it stretches one channel over several")
                self._reads(number, tensor_index, kept)
                self._tie(number, tensor_index, kept)
                return
        self._stop(number, "it makes them of constants")

    def _reads(self, number: int, tensor_index: int, kept: Kept) -> None:
        """An operator one of whose inputs has other channels."""
        operator = self._operator(number)
        code = code_number(self.model, operator)
        self.passed[number] = None
        self._taken.add(number)
        layer = LAYERS.get(code)
        if layer is None or code == _DEPTHWISE:
            self._made.add(number)
        if layer is not None:
            self._into_layer(number, operator, layer, tensor_index, kept)
            return
        for kinds, rule in self._RULES:
            if code in kinds:
                rule(self, number, operator, tensor_index, kept)
                return
        self._stop(number, "it does not treat each channel by itself")

    def _into_layer(
        self, number: int, operator: Operator, layer: Layer, tensor_index: int, kept: Kept
    ) -> None:
        if self._activation(number, operator, layer.values) != tensor_index:
            self._stop(number, "it takes them as weights")
        depth, wide = self._depth(number, tensor_index), kept
        filter_index = self._constant(number, operator, FILTER)
        size = self._size(number, filter_index, layer.input_axis)
        is_depthwise = code_number(self.model, operator) == _DEPTHWISE
        is_dense = code_number(self.model, operator) == _B.FULLY_CONNECTED
        if is_depthwise:
            wide = self._stretched(number, depth, size, kept)
            self._cut_layer(number, operator, layer, wide)
            return
        if size != depth and not is_dense:
            self._stop(number, f"its filter takes {size} channels, the input has {depth}")
        self._repeated_cut(number, filter_index, layer.input_axis, depth, kept)

    def _cut_layer(self, number: int, operator: Operator, layer: Layer, kept: Kept) -> None:
        """Filter, bias and output of a layer that makes other channels."""
        if getattr(operator.builtin_options, "weights_format", 0):
            self._stop(number, "its weights are shuffled")
        filter_index = self._constant(number, operator, FILTER)
        channels = len(self._whole(number, operator, layer))
        self._cut(number, filter_index, layer.channel_axis, kept)
        inputs = operator.inputs or []
        if len(inputs) > layer.bias and inputs[layer.bias] != -1:
            bias = self._constant(number, operator, layer.bias)
            if self._size(number, bias, 0) != channels:
                self._stop(number, "its bias has other many channels than its filter")
            self._cut(number, bias, 0, kept)
        output = (operator.outputs or [-1])[0]
        if self._depth(number, output) != channels:
            self._stop(number, "its output has other many channels than its filter")
        self._tie(number, output, kept)

    def _whole(self, number: int, operator: Operator, layer: Layer) -> range:
        filter_index = self._constant(number, operator, FILTER)
        return range(self._size(number, filter_index, layer.channel_axis))

    # -------------------------------------------------------------- what lets channels pass

    def _pass(self, number: int, operator: Operator, tensor_index: int, kept: Kept) -> None:
        depth, outputs = self._depth(number, tensor_index), operator.outputs or []
        if len(outputs) != 1 or self._depth(number, outputs[0]) != depth:
            self._stop(number, "its output has other channels than its input")
        self._tie(number, outputs[0], kept)

    def _pass_constant(
        self, number: int, operator: Operator, tensor_index: int, kept: Kept
    ) -> None:
        inputs, depth = list(operator.inputs or []), self._depth(number, tensor_index)
        if len(inputs) != 2:
            self._stop(number, f"it has {len(inputs)} inputs, not two")
        if inputs[0] == inputs[1]:
            self._pass(number, operator, tensor_index, kept)
            return
        other = 1 - inputs.index(tensor_index)
        tensor = find_tensor(self.subgraph, inputs[other])
        if tensor is None or not has_data(self.model, tensor):
            self._pull_branch(number, self._activation(number, operator, other), depth, kept)
            self._pass(number, operator, tensor_index, kept)
            return
        constant = self._constant(number, operator, other)
        shape = list((tensor.shape if tensor is not None else None) or [])
        if shape and shape[-1] == depth and depth != 1:
            self._cut(number, constant, len(shape) - 1, kept)
        elif shape and shape[-1] != 1:
            self._stop(number, "its constant has other many channels")
        self._pass(number, operator, tensor_index, kept)

    def _pull_branch(self, number: int, branch: int, depth: int, kept: Kept) -> None:
        """The other input of an operator that joins two branches channel by channel."""
        size = self._depth(number, branch)
        if size == 1 != depth:
            return  # the same for all channels
        if size != depth:
            self._stop(number, "another branch meets them there, with other many channels")
        if len(kept) != depth:
            self._stop(
                number, "another branch meets them there, whose channels would be lost as well"
            )
        self._tie(number, branch, kept)

    def _pass_pad(
        self, number: int, operator: Operator, tensor_index: int, kept: Kept
    ) -> None:
        if any(self._numbers(number, operator, 1)[-2:]):
            self._stop(number, "it adds channels")
        self._pass(number, operator, tensor_index, kept)

    def _pass_reduce(
        self, number: int, operator: Operator, tensor_index: int, kept: Kept
    ) -> None:
        rank = len(self._shape(number, tensor_index))
        axes = self._numbers(number, operator, 1)
        if any(axis % rank == rank - 1 for axis in axes):
            self._stop(number, "it sums over the channels")
        self._pass(number, operator, tensor_index, kept)

    def _pass_reshape(
        self, number: int, operator: Operator, tensor_index: int, kept: Kept
    ) -> None:
        """Channels stand last; a flattened row repeats them for each place."""
        depth, output = self._depth(number, tensor_index), (operator.outputs or [-1])[0]
        size = self._depth(number, output)
        wide = self._repeated(number, depth, size, kept)
        if len(wide) != size and len(operator.inputs or []) > 1:
            self._restate(number, operator, 1, len(wide))
        option = getattr(operator.builtin_options, "new_shape", None)
        if len(wide) != size and option and option[-1] != -1:
            self.options[number] = [*option[:-1], len(wide)]
        self._tie(number, output, wide)

    _RULES: tuple[tuple[frozenset[int], Callable[..., None]], ...] = (
        (_EACH_BY_ITSELF, _pass),
        (_WITH_CONSTANT, _pass_constant),
        (_PADS, _pass_pad),
        (_REDUCES, _pass_reduce),
        (frozenset((_B.RESHAPE, _B.SQUEEZE, _B.EXPAND_DIMS)), _pass_reshape),
    )

    # -------------------------------------------------------------- cuts

    def _tie(self, number: int, tensor_index: int, kept: Kept) -> None:
        shape = self._shape(number, tensor_index)
        if self._cut(number, tensor_index, len(shape) - 1, kept):
            self._waiting.append((tensor_index, kept))

    def _cut(self, number: int, tensor_index: int, axis: int, kept: Kept) -> bool:
        """Whether this is news."""
        axes = self.cuts.setdefault(tensor_index, {})
        if axis not in axes:
            axes[axis] = kept
            return True
        if axes[axis] != kept:
            self._stop(number, "channels of different kinds would meet there")
        return False

    def _repeated_cut(
        self, number: int, tensor_index: int, axis: int, depth: int, kept: Kept
    ) -> None:
        size = self._size(number, tensor_index, axis)
        self._cut(number, tensor_index, axis, self._repeated(number, depth, size, kept))

    def _repeated(self, number: int, depth: int, size: int, kept: Kept) -> Kept:
        if depth <= 0 or size % depth or size < depth:
            self._stop(number, f"{depth} channels do not fit evenly into {size}")
        return tuple(k * depth + c for k in range(size // depth) for c in kept)

    def _stretched(self, number: int, depth: int, size: int, kept: Kept) -> Kept:
        if depth <= 0 or size % depth or size < depth:
            self._stop(number, f"{depth} channels do not fit evenly into {size}")
        times = size // depth
        return tuple(c * times + k for c in kept for k in range(times))

    def _restate(self, number: int, operator: Operator, position: int, size: int) -> None:
        numbers = self._numbers(number, operator, position)
        if numbers and numbers[-1] not in (-1, size):
            self.restated[self._constant(number, operator, position)] = size

    # -------------------------------------------------------------- looking

    def _operator(self, number: int) -> Operator:
        return (self.subgraph.operators or [])[number]

    def _tensor(self, number: int, tensor_index: int) -> Tensor:
        tensor = find_tensor(self.subgraph, tensor_index)
        if tensor is None:
            self._stop(number, "it names a tensor that does not exist")
        return tensor

    def _shape(self, number: int, tensor_index: int) -> Sequence[int]:
        shape = self._tensor(number, tensor_index).shape or []
        if not shape or min(shape) < 0:
            name = name_tensor(self.model, self.index, tensor_index)
            self._stop(number, f"{name} has no channels")
        return shape

    def _depth(self, number: int, tensor_index: int) -> int:
        return self._shape(number, tensor_index)[-1]

    def _size(self, number: int, tensor_index: int, axis: int) -> int:
        shape = self._shape(number, tensor_index)
        if axis >= len(shape):
            name = name_tensor(self.model, self.index, tensor_index)
            self._stop(number, f"{name} has no dimension {axis}")
        return shape[axis]

    def _input(self, number: int, operator: Operator, position: int) -> int:
        inputs = operator.inputs or []
        if position >= len(inputs):
            self._stop(number, f"it has no input {position}")
        return inputs[position]

    def _activation(self, number: int, operator: Operator, position: int) -> int:
        index = self._input(number, operator, position)
        tensor = self._tensor(number, index)
        if has_data(self.model, tensor) or tensor.is_variable:
            name = name_tensor(self.model, self.index, index)
            self._stop(number, f"{name} is no activation")
        return index

    def _constant(self, number: int, operator: Operator, position: int) -> int:
        """A constant input that nothing else reads."""
        index = self._input(number, operator, position)
        name = name_tensor(self.model, self.index, index)
        if not has_data(self.model, self._tensor(number, index)):
            self._stop(number, f"{name} is no constant")
        others = [k for k in readers_of(self.subgraph, index) if k != number]
        if others:
            other = name_operator(self.model, self.index, others[0])
            self._stop(number, f"{other} reads {name} as well")
        if index in (self.subgraph.outputs or ()) or operator.inputs.count(index) > 1:  # type: ignore[union-attr]
            self._stop(number, f"{name} has other uses as well")
        return index

    def _numbers(self, number: int, operator: Operator, position: int) -> list[int]:
        try:
            return Operands(self.model, self.subgraph, operator).constant(position)
        except UnknownShapeError as error:
            self._stop(number, str(error))

    def _stop(self, number: int, reason: str) -> NoReturn:
        """Refuses; names the operator that stands in the way."""
        name = name_operator(self.model, self.index, number)
        raise EditError(f"The channels cannot be followed through {name}: {reason}.")
