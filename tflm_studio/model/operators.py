# SPDX-License-Identifier: Apache-2.0
"""What is known of each operator, and how a table shows it: name, args, inputs, weights."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from typing import Any, NamedTuple

from tflm_studio.model.graph import data_bytes
from tflm_studio.model.operator_args import describe_args
from tflm_studio.model.resource_files import resource_path
from tflm_studio.model.tensor_types import element_type
from tflm_studio.schema.enums import BuiltinOperator
from tflm_studio.schema.tables import Model, Operator, OperatorCode, SubGraph, Tensor

CUSTOM = int(BuiltinOperator.CUSTOM)
NO_TENSOR = -1  # stands for an optional input that is left out


@dataclass(frozen=True, slots=True)
class OperatorKnowledge:
    """What is known of one kind of operator.

    Attributes:
        name: Name for people, spelled as TFLM's resolver does, such as "Conv2D".
        code: BuiltinOperator value; 32 for custom operators.
        inputs: Names of the inputs; a trailing `?` marks optional ones, `*` any number.
        outputs: Names of the outputs, marked likewise.
        roles: For each input "activation", "weights", "bias", "param", "variable"...
        args: What the args column shows, in order: names of options and of computed parts.
        group: Family of operators, for colours.
        resolver: Method of MicroMutableOpResolver, None if TFLM lacks the operator.
        options: Table class of its options, None if it has none.
        schema_name: Member of BuiltinOperator, such as "CONV_2D".
        custom_code: What names a custom operator; "" for others.
    """

    name: str
    code: int
    inputs: tuple[str, ...] = ("inputs*",)
    outputs: tuple[str, ...] = ("outputs*",)
    roles: tuple[str, ...] = ("activation",)
    args: tuple[str, ...] = ()
    group: str = "custom"
    resolver: str | None = None
    options: str | None = None
    named: dict[str, int] = field(default_factory=dict)
    schema_name: str = ""
    custom_code: str = ""

    def input_name(self, position: int) -> str:
        """Name of an input, with a number if several share it."""
        return _slot_name(self.inputs, position, "input")

    def output_name(self, position: int) -> str:
        """Name of an output, with a number if several share it."""
        return _slot_name(self.outputs, position, "output")

    @property
    def takes_any_number(self) -> bool:
        """Whether the number of inputs is free."""
        return any(name.endswith("*") for name in self.inputs)

    def is_optional(self, position: int) -> bool:
        """Whether an input may be left out; those nobody has named may."""
        return position >= len(self.inputs) or self.inputs[position].endswith("?")

    def input_role(self, position: int) -> str:
        """Role of an input; a variadic last one lends its role to all behind it."""
        return self.roles[min(position, len(self.roles) - 1)] if self.roles else "activation"


def _slot_name(names: tuple[str, ...], position: int, kind: str) -> str:
    if position < len(names) and not names[position].endswith("*"):
        return names[position].rstrip("?")
    if names and names[-1].endswith("*"):
        stem = names[-1].rstrip("*").strip("()").removesuffix("s")
        return f"{stem} {position - len(names) + 1}"
    return f"{kind} {position}"


@lru_cache(maxsize=1)
def _knowledge() -> dict[tuple[int, str], OperatorKnowledge]:
    rows = json.loads(resource_path("operators.json").read_text("utf-8"))
    found = {}
    for key, row in rows.items():
        custom = row.get("custom_code", "")
        resolver = row["resolver"] if row["tflm"] else None
        spelled = resolver.removeprefix("Add") if resolver else _camel(key)
        union = row["options_union"]
        found[row["code"], custom] = OperatorKnowledge(
            name=custom or spelled,
            code=row["code"],
            inputs=tuple(row["inputs"]),
            outputs=tuple(row["outputs"]),
            roles=tuple(row["roles"]),
            args=tuple(row.get("args", ())),
            group=row["group"],
            resolver=resolver,
            options=row["options"] if union != "custom_options" else None,
            named={n.rstrip("?*"): k for k, n in enumerate(row["inputs"])},
            schema_name=key.partition(":")[0],
            custom_code=custom,
        )
    return found


def known_operators() -> tuple[OperatorKnowledge, ...]:
    """All operators of which something is known, by code, then by custom code."""
    return tuple(known for _, known in sorted(_knowledge().items()))


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_")).replace("2d", "2D")


def builtin_code(code: OperatorCode) -> int:
    """The operator an OperatorCode means: the larger of its two fields (schema_utils)."""
    return max(int(code.deprecated_builtin_code), int(code.builtin_code))


def operator_code(model: Model, operator: Operator) -> OperatorCode | None:
    """The entry of `operator_codes` that an operator refers to, None if out of range."""
    codes = model.operator_codes or []
    return codes[operator.opcode_index] if operator.opcode_index < len(codes) else None


def find_knowledge(code: OperatorCode | None) -> OperatorKnowledge:
    """What is known of an operator; a plain description if it is not known at all."""
    if code is None:
        return OperatorKnowledge("no operator code", -1)
    number = builtin_code(code)
    if number != CUSTOM:
        return _knowledge().get((number, "")) or OperatorKnowledge(
            f"Operator {number}", number
        )
    custom = code.custom_code or ""
    known = _knowledge().get((CUSTOM, custom))
    return known or OperatorKnowledge(
        custom or "unnamed custom operator", CUSTOM, schema_name="CUSTOM", custom_code=custom
    )


def knowledge_of(model: Model, operator: Operator) -> OperatorKnowledge:
    """What is known of the kind of an operator of a model."""
    return find_knowledge(operator_code(model, operator))


def operator_name(model: Model, operator: Operator) -> str:
    """Name of an operator for people, such as "DepthwiseConv2D"; a custom one's own name."""
    return knowledge_of(model, operator).name


def schema_name(known: OperatorKnowledge) -> str:
    """What schema and error messages call an operator, such as "CONV_2D"."""
    try:
        return known.name if known.code == CUSTOM else BuiltinOperator(known.code).name
    except ValueError:
        return known.name


def operator_args(model: Model, subgraph: SubGraph, operator: Operator) -> str:
    """The args of an operator in a few words, such as "3x3 s2 SAME RELU6"; "" if none."""
    known = knowledge_of(model, operator)
    return describe_args(model, subgraph, operator, known.args, known.named)


class SplitInputs(NamedTuple):
    """Positions in `operator.inputs`, by the column that shows them."""

    inputs: list[int]
    weights: list[int]
    biases: list[int]


def split_inputs(model: Model, subgraph: SubGraph, operator: Operator) -> SplitInputs:
    """Which inputs of an operator are weights and biases, which are everything else.

    Weights and biases are such by role only if they have data: an operator fed with weights
    at run time shows them as inputs. An elementwise operand with data counts as weights.
    """
    known = knowledge_of(model, operator)
    parts = SplitInputs([], [], [])
    for position, tensor_index in enumerate(operator.inputs or []):
        role = known.input_role(position)
        if role == "activation" and known.group != "elementwise":
            parts.inputs.append(position)
        elif role in _WEIGHT_ROLES and is_constant(model, subgraph, tensor_index):
            (parts.biases if role == "bias" else parts.weights).append(position)
        elif role == "bias" and tensor_index == NO_TENSOR:
            continue
        else:
            parts.inputs.append(position)
    return parts


_WEIGHT_ROLES = frozenset(
    ("weights", "bias", "activation_or_weights", "activation", "weights_ancillary")
)


def weight_inputs(model: Model, subgraph: SubGraph, operator: Operator) -> list[int]:
    """Tensor indices of an operator's constant weights, then of its biases."""
    parts = split_inputs(model, subgraph, operator)
    indices = operator.inputs or []
    return [indices[position] for position in parts.weights + parts.biases]


def find_tensor(subgraph: SubGraph, tensor_index: int) -> Tensor | None:
    """A tensor of a subgraph, None if there is none with this index."""
    tensors = subgraph.tensors or []
    return tensors[tensor_index] if 0 <= tensor_index < len(tensors) else None


def is_constant(model: Model, subgraph: SubGraph, tensor_index: int) -> bool:
    """Whether a tensor has stored data (micro_allocator.cc: its buffer is not empty)."""
    tensor = find_tensor(subgraph, tensor_index)
    return tensor is not None and has_data(model, tensor)


def has_data(model: Model, tensor: Tensor) -> bool:
    """Whether the buffer of a tensor exists and is not empty."""
    buffers = model.buffers or []
    if tensor.buffer >= len(buffers):
        return False
    return data_bytes(buffers[tensor.buffer].data) > 0


def tensor_bytes(model: Model, tensor: Tensor) -> int:
    """Bytes of a tensor: of its stored data, else what its shape and type need."""
    buffers = model.buffers or []
    stored = data_bytes(buffers[tensor.buffer].data) if tensor.buffer < len(buffers) else 0
    sizes = [max(size, 0) for size in tensor.shape or []]
    return stored or element_type(tensor.type).nbytes(math.prod(sizes))


def enum_text(value: Any) -> str:
    """Name of an enumeration value, or its number if the schema does not know it."""
    return value.name if isinstance(value, IntEnum) else str(value)
