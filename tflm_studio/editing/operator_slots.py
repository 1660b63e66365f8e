# SPDX-License-Identifier: Apache-2.0
"""The inputs of an operator, held against those that its kind has."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from tflm_studio.model.errors import EditError
from tflm_studio.model.operator_kinds import OperatorKind, Slot
from tflm_studio.model.operators import NO_TENSOR


def fixed_inputs(kind: OperatorKind) -> list[Slot]:
    """The inputs that have a place of their own: those before any number of others."""
    return list(takewhile(lambda slot: not slot.is_variadic, kind.inputs))


def filled_inputs(kind: OperatorKind, inputs: Sequence[int] | None) -> list[int]:
    """What an operator reads, with -1 at optional places that are not given.

    Args:
        kind: Its kind.
        inputs: Tensor indices; None gives -1 at every place, needed or not.

    Raises:
        EditError: A needed input is missing, or there are too many.
    """
    fixed = fixed_inputs(kind)
    if inputs is None:
        return [NO_TENSOR] * len(fixed)
    if len(inputs) > len(kind.inputs) and not kind.known.takes_any_number:
        raise EditError(
            f"{kind.name} takes {len(kind.inputs)} inputs at most, not {len(inputs)}."
        )
    filled = [*inputs, *[NO_TENSOR] * (len(fixed) - len(inputs))]
    missing = missing_inputs(kind, filled)
    if missing and fixed:
        raise EditError(f"{kind.name} needs {missing[0]}; name a tensor for it.")
    return filled


def missing_inputs(kind: OperatorKind, inputs: Sequence[int]) -> list[str]:
    """The needed inputs that name no tensor, such as "filter (input 1)"."""
    fixed = fixed_inputs(kind)
    if not fixed:
        return ["inputs"] if kind.inputs and not inputs else []
    return [
        f"{slot.name} (input {position})"
        for position, slot in enumerate(fixed)
        if not slot.is_optional and (position >= len(inputs) or inputs[position] == NO_TENSOR)
    ]
