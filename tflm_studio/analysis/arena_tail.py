# SPDX-License-Identifier: Apache-2.0
"""An estimate of the tail of the arena: what the interpreter keeps for as long as it lives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tflm_studio.analysis.arena_buffers import MOST_BYTES, ArenaBuffers, rounded_up
from tflm_studio.analysis.kernel_data import CHANNELS, KERNEL_DATA, NOTHING
from tflm_studio.model.operators import builtin_code, find_tensor, operator_name
from tflm_studio.model.tensor_types import element_type
from tflm_studio.schema.enums import BuiltinOperator
from tflm_studio.schema.tables import Model, Operator, SubGraph, Tensor

_B = BuiltinOperator


@dataclass(frozen=True, slots=True)
class Machine:
    """How large the interpreter's own structures are.

    Attributes:
        name: For people.
        pointer: Bytes of a pointer.
        eval_tensor: `TfLiteEvalTensor`, one per tensor.
        tensor: `TfLiteTensor`, one per input and output of the model.
        quantization: `TfLiteAffineQuantization`.
        node: `NodeAndRegistration`, one per operator.
        handle: `ScratchBufferHandle`, one per scratch buffer.
        subgraph: `SubgraphAllocations`, one per subgraph.
        resource: What is kept of a resource variable besides its value.
        objects: Allocators, planner and graph.
    """

    name: str
    pointer: int
    eval_tensor: int
    tensor: int
    quantization: int
    node: int
    handle: int
    subgraph: int
    resource: int
    objects: int


HOST = Machine("host, 64-bit", 8, 24, 64, 24, 64, 8, 16, 80, 472)
FIRMWARE = Machine("firmware, 32-bit", 4, 12, 40, 12, 32, 4, 8, 56, 280)


@dataclass(frozen=True, slots=True)
class TailEstimate:
    """What the tail takes, in parts.

    Attributes:
        machine: For which machine.
        sections: Bytes of each part, by name.
        unknown: How many operators of each name keep what nobody knows.
    """

    machine: Machine
    sections: dict[str, int]
    unknown: dict[str, int]

    @property
    def total(self) -> int:
        """Bytes of all parts."""
        return rounded_up(sum(self.sections.values()))


def estimate_tail(
    model: Model, buffers: ArenaBuffers, machine: Machine = HOST
) -> TailEstimate:
    """Estimates the tail of the arena. O(operators + tensors).

    Args:
        model: The model.
        buffers: What its plan places.
        machine: Whose structures count.
    """
    subgraphs = model.subgraphs or []
    main = subgraphs[0] if subgraphs else SubGraph()
    ends = [*(main.inputs or []), *(main.outputs or [])]
    tensors = sum(len(each.tensors or []) for each in subgraphs)
    operators = sum(len(each.operators or []) for each in subgraphs)
    scratch = int((buffers.tensor < 0).sum())
    keeping = _Keeping(model, machine)
    sections = {
        "tensors": machine.eval_tensor * tensors,
        "operators": machine.node * operators,
        "inputs and outputs": (machine.tensor + machine.pointer) * len(ends),
        "their quantization": sum(_quantization(main, k, machine) for k in ends),
        "kernels": keeping.kernels,
        "options": keeping.options,
        "variables": buffers.variables + keeping.resources,
        "scratch handles": machine.handle * scratch,
        "interpreter": machine.objects + machine.subgraph * len(subgraphs),
    }
    return TailEstimate(machine, sections, keeping.unknown)


def _quantization(subgraph: SubGraph, tensor_index: int, machine: Machine) -> int:
    """Bytes of the quantisation of an input or output."""
    tensor = find_tensor(subgraph, tensor_index)
    known = tensor.quantization if tensor is not None else None
    if known is None or not _length(known.scale) or not _length(known.zero_point):
        return 0
    return machine.quantization + 4 + 4 * _length(known.scale)


def _length(values: Sequence[float] | None) -> int:
    return len(values) if values is not None else 0


class _Keeping:
    """Adds up what the kernels of all operators keep."""

    def __init__(self, model: Model, machine: Machine) -> None:
        self.kernels = self.options = self.resources = 0
        self.unknown: dict[str, int] = {}
        self._model = model
        self._machine = machine
        codes = model.operator_codes or []
        numbers = [builtin_code(code) for code in codes]
        self._names = _variable_names(model, numbers)
        self._seen: set[str] = set()
        for subgraph in model.subgraphs or []:
            for operator in subgraph.operators or []:
                index = operator.opcode_index
                self._add(subgraph, operator, numbers[index] if index < len(numbers) else -1)

    def _add(self, subgraph: SubGraph, operator: Operator, code: int) -> None:
        data = KERNEL_DATA.get(code)
        if data is None:
            name = operator_name(self._model, operator)
            self.unknown[name] = self.unknown.get(name, 0) + 1
            data = NOTHING
        self.options += data.options
        self.kernels += rounded_up(data.own) + self._per_channel(subgraph, operator, code)
        if code == _B.BATCH_MATMUL:
            self.kernels += self._transposed(subgraph, operator)
        elif code == _B.ASSIGN_VARIABLE:
            self._add_resource(subgraph, operator)

    def _per_channel(self, subgraph: SubGraph, operator: Operator, code: int) -> int:
        """Multipliers and shifts, 4 bytes each."""
        if code == _B.FULLY_CONNECTED:
            weights = _input(subgraph, operator, 1)
            known = weights.quantization if weights is not None else None
            channels = _length(known.scale) if known is not None else 0
            return 2 * rounded_up(4 * channels) if channels > 1 else 0
        if code not in CHANNELS:
            return 0
        position, dimension = CHANNELS[code]
        weights = _input(subgraph, operator, position)
        shape = (weights.shape or []) if weights is not None else []
        channels = max(shape[dimension], 0) if dimension < len(shape) else 0
        return 2 * rounded_up(4 * channels)

    def _transposed(self, subgraph: SubGraph, operator: Operator) -> int:
        """Copies of the operands that BATCH_MATMUL turns, and its multiplier."""
        options, kept = operator.builtin_options, 0
        first, second = _input(subgraph, operator, 0), _input(subgraph, operator, 1)
        turned = (
            first if getattr(options, "adj_x", False) else None,
            second if not getattr(options, "adj_y", False) else None,
        )
        for tensor in turned:
            if tensor is not None:
                dimensions = 4 + 4 * len(tensor.shape or [])
                sizes = self._machine.eval_tensor, dimensions, _nbytes(tensor)
                kept += sum(map(rounded_up, sizes))
        is_quantized = first is not None and element_type(first.type).kind == "integer"
        return kept + (rounded_up(28) if is_quantized else 0)

    def _add_resource(self, subgraph: SubGraph, operator: Operator) -> None:
        """The value of a resource variable; each is kept once."""
        handle = (operator.inputs or [-1])[0]
        name = self._names.get((id(subgraph), handle), f"{id(subgraph)} {handle}")
        value = _input(subgraph, operator, 1)
        if name not in self._seen and value is not None:
            self._seen.add(name)
            self.resources += rounded_up(_nbytes(value)) + self._machine.resource


def _input(subgraph: SubGraph, operator: Operator, position: int) -> Tensor | None:
    indices = operator.inputs or []
    return find_tensor(subgraph, indices[position]) if position < len(indices) else None


def _nbytes(tensor: Tensor) -> int:
    count = max(math.prod(tensor.shape or []), 0)
    return min(element_type(tensor.type).nbytes(count), MOST_BYTES)


def _variable_names(model: Model, codes: Sequence[int]) -> dict[tuple[int, int], str]:
    """What the tensors that VAR_HANDLE makes stand for, by subgraph id and index."""
    if _B.VAR_HANDLE not in codes:
        return {}
    found = {}
    for subgraph in model.subgraphs or []:
        for operator in subgraph.operators or []:
            index = operator.opcode_index
            if index < len(codes) and codes[index] == _B.VAR_HANDLE:
                named = operator.builtin_options
                parts = (getattr(named, key, "") for key in ("container", "shared_name"))
                name = "/".join(str(part or "") for part in parts)
                for tensor in (operator.outputs or [])[:1]:
                    found[id(subgraph), tensor] = name
    return found
