# SPDX-License-Identifier: Apache-2.0
"""What a shape rule looks at: shapes, constant parameters and options of an operator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tflm_studio.model.graph import data_bytes, shape_text
from tflm_studio.model.operators import NO_TENSOR, find_tensor, knowledge_of
from tflm_studio.model.tensor_types import decode, element_type
from tflm_studio.schema.tables import Model, Operator, SubGraph, Tensor

Shape = list[int]
MOST_VALUES = 4096  # of a constant that says something about a shape
LARGEST_DIMENSION = 2**31 - 1


class UnknownShapeError(Exception):
    """The shape cannot be told from what is stored; says why."""


class ImpossibleShapeError(Exception):
    """The operator cannot work on such inputs; says why."""


class Operands:
    """The tensors and options of one operator.

    Args:
        model: The model.
        subgraph: The subgraph of the operator.
        operator: The operator.
    """

    def __init__(self, model: Model, subgraph: SubGraph, operator: Operator) -> None:
        self.model = model
        self.subgraph = subgraph
        self.operator = operator
        self.inputs = operator.inputs or []
        self.output_count = len(operator.outputs or [])

    def has(self, position: int) -> bool:
        """Whether an input is there and not left out."""
        return position < len(self.inputs) and self.inputs[position] != NO_TENSOR

    def name(self, position: int) -> str:
        """What an input is called."""
        return knowledge_of(self.model, self.operator).input_name(position)

    def tensor(self, position: int) -> Tensor:
        """The tensor of an input.

        Raises:
            UnknownShapeError: There is none.
        """
        found = (
            find_tensor(self.subgraph, self.inputs[position]) if self.has(position) else None
        )
        if found is None:
            raise UnknownShapeError(f"there is no {self.name(position)}")
        return found

    def shape(self, position: int, rank: int | None = None) -> Shape:
        """The shape of an input.

        Args:
            position: Which input.
            rank: How many dimensions it has to have.

        Raises:
            UnknownShapeError: There is no such input, or a dimension is not known.
            ImpossibleShapeError: It has another rank.
        """
        shape = list(self.tensor(position).shape or [])
        if any(dimension < 0 for dimension in shape):
            raise UnknownShapeError(f"{self.name(position)} has a dimension below 0")
        if rank is not None and len(shape) != rank:
            raise ImpossibleShapeError(
                f"{self.name(position)} has {len(shape)} dimensions ({shape_text(shape)}), "
                f"not {rank}"
            )
        return shape

    def shapes(self) -> list[Shape]:
        """The shapes of all inputs.

        Raises:
            UnknownShapeError: There are none, or one is not known.
        """
        if not self.inputs:
            raise UnknownShapeError("there are no inputs")
        return [self.shape(position) for position in range(len(self.inputs))]

    def constant(self, position: int) -> list[int]:
        """The whole numbers of a constant input.

        Raises:
            UnknownShapeError: It is no small constant of whole numbers.
        """
        tensor = self.tensor(position)
        buffers = self.model.buffers or []
        data: Any = buffers[tensor.buffer].data if tensor.buffer < len(buffers) else None
        kind = element_type(tensor.type)
        if 0 in (tensor.shape or []):
            return []
        if not data_bytes(data):
            raise UnknownShapeError(f"{self.name(position)} is not constant")
        view = memoryview(data).cast("B")
        if kind.kind != "integer" or kind.count(len(view)) > MOST_VALUES:
            raise UnknownShapeError(f"{self.name(position)} is no short list of whole numbers")
        values: list[int] = decode(view, kind).tolist()
        return values

    def single(self, position: int) -> int:
        """The one whole number of a constant input.

        Raises:
            UnknownShapeError: It is something else.
        """
        values = self.constant(position)
        if len(values) != 1:
            raise UnknownShapeError(f"{self.name(position)} is not one number")
        return values[0]

    def option(self, name: str, default: Any = 0) -> Any:
        """An option, its default if the operator has no options of the kind that has it."""
        return getattr(self.operator.builtin_options, name, default)


Rule = Callable[[Operands], list[Shape]]


def axis_of(axis: int, rank: int) -> int:
    """An axis counted from the front.

    Raises:
        ImpossibleShapeError: There is no such axis.
    """
    if not -rank <= axis < rank:
        raise ImpossibleShapeError(f"there is no axis {axis} in {rank} dimensions")
    return axis % rank


def divided(count: int, divisor: int, what: str) -> int:
    """A quotient without a rest.

    Raises:
        ImpossibleShapeError: There is a rest, or the divisor is not above 0.
    """
    if divisor <= 0 or count % divisor:
        raise ImpossibleShapeError(f"{what}: {count} cannot be divided by {divisor}")
    return count // divisor
