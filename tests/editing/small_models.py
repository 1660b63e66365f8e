# SPDX-License-Identifier: Apache-2.0
"""Small graphs, and a way to do a proposal that also sees it taken back."""

from typing import Any

from tflm_studio.editing.document import Document
from tflm_studio.editing.proposal import Proposal
from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.schema.enums import BuiltinOperator, TensorType
from tflm_studio.schema.tables import (
    AssignVariableOptions,
    Buffer,
    CallOnceOptions,
    Metadata,
    Model,
    Operator,
    OperatorCode,
    QuantizationParameters,
    SignatureDef,
    SubGraph,
    Tensor,
    TensorMap,
    VarHandleOptions,
    WhileOptions,
)

ADD, QUANTIZE, DEQUANTIZE, WHILE, VAR_HANDLE, READ, ASSIGN, CALL_ONCE = range(8)
KINDS = (
    "ADD QUANTIZE DEQUANTIZE WHILE VAR_HANDLE READ_VARIABLE ASSIGN_VARIABLE CALL_ONCE"
).split()


def codes() -> list[OperatorCode]:
    made = []
    for name in KINDS:
        code = BuiltinOperator[name]
        made.append(OperatorCode(min(int(code), 127), None, 1, code))
    return made


def made_model(operators: list[Operator], count: int, inputs: Any, outputs: Any) -> Model:
    """A model with one subgraph; tensor 0 is a constant, the others are named t1, t2..."""
    tensors = [Tensor([1, 4], name=f"t{k}", buffer=1 if k == 0 else 0) for k in range(count)]
    subgraph = SubGraph(tensors, list(inputs), list(outputs), operators, "main")
    return Model(
        version=3,
        operator_codes=codes(),
        subgraphs=[subgraph],
        buffers=[Buffer(), Buffer(data=b"\0\0\x80\x3f" * 4)],
        description="made",
        signature_defs=[
            SignatureDef(
                [TensorMap(f"in_{t}", t) for t in inputs],
                [TensorMap(f"out_{t}", t) for t in outputs],
                "serving_default",
            )
        ],
        metadata=[Metadata("min_runtime_version", 2)],
    )


def add(*inputs: int, to: int) -> Operator:
    return Operator(ADD, list(inputs), [to])


def diamond() -> Model:
    """1 -> 2 -> 3 and 4, both -> 5 -> 6; 7 stands by itself, 8 is its output."""
    operators = [
        add(1, 0, to=2),
        add(2, 0, to=3),
        add(2, 2, to=4),
        add(3, 4, to=5),
        add(5, 0, to=6),
        add(7, 0, to=8),
    ]
    model = made_model(operators, 9, [1, 7], [6, 8])
    (model.buffers or []).append(Buffer(data=b"1.14.0".ljust(16, b"\0")))
    return model


def streaming() -> Model:
    """A variable that is set up, read, added to and assigned again; 1 -> 4, and 5 beside."""
    handle = Operator(VAR_HANDLE, [], [2], VarHandleOptions("", "state"))
    operators = [
        Operator(CALL_ONCE, [], [], CallOnceOptions(1)),
        handle,
        Operator(READ, [2], [3]),
        add(1, 3, to=4),
        Operator(ASSIGN, [2, 4], [], AssignVariableOptions()),
        add(4, 0, to=5),
        add(1, 0, to=6),
    ]
    model = made_model(operators, 7, [1], [5, 6])
    main = (model.subgraphs or [])[0]
    (main.tensors or [])[2].type = TensorType.RESOURCE
    (main.tensors or [])[2].shape = []
    once = SubGraph(
        [
            Tensor([], TensorType.RESOURCE, name="handle"),
            Tensor([1, 4], buffer=1, name="zero"),
        ],
        [],
        [],
        [
            Operator(VAR_HANDLE, [], [0], VarHandleOptions("", "state")),
            Operator(ASSIGN, [0, 1], [], AssignVariableOptions()),
        ],
        "once",
    )
    (model.subgraphs or []).append(once)
    (model.buffers or []).append(Buffer(data=b"1.14.0".ljust(16, b"\0")))
    return model


def looping() -> Model:
    """WHILE of subgraphs 1 and 2 between two additions; subgraph 3 is not run."""
    operators = [
        add(1, 0, to=2),
        Operator(WHILE, [2], [3], WhileOptions(1, 2)),
        add(3, 0, to=4),
    ]
    model = made_model(operators, 5, [1], [4])
    for name in ("condition", "body", "idle"):
        tensors = [Tensor([1, 4], buffer=1), Tensor([1, 4]), Tensor([1, 4])]
        each = SubGraph(tensors, [1], [2], [add(1, 0, to=2)], name)
        (model.subgraphs or []).append(each)
    (model.buffers or []).append(Buffer(data=b"1.14.0".ljust(16, b"\0")))
    return model


def quantized() -> Model:
    """Float 1 -> QUANTIZE -> 2 -> ADD -> 3 -> DEQUANTIZE -> float 4."""
    operators = [
        Operator(QUANTIZE, [1], [2]),
        add(2, 2, to=3),
        Operator(DEQUANTIZE, [3], [4]),
    ]
    model = made_model(operators, 5, [1], [4])
    for index in (2, 3):
        tensor = ((model.subgraphs or [])[0].tensors or [])[index]
        tensor.type = TensorType.INT8
        tensor.quantization = QuantizationParameters(scale=[0.5], zero_point=[3])
    (model.buffers or []).append(Buffer(data=b"1.14.0".ljust(16, b"\0")))
    return model


def names(model: Model, side: str, subgraph: int = 0) -> list[str | None]:
    """Names of the tensors that are inputs, outputs, or all `tensors`."""
    found = (model.subgraphs or [])[subgraph]
    if side == "tensors":
        return [tensor.name for tensor in found.tensors or []]
    return [(found.tensors or [])[t].name for t in getattr(found, side) or []]


def aliases(
    model: Model, signature: int = 0
) -> dict[str, list[tuple[str | None, str | None]]]:
    """What a signature names: pairs of alias and name of the tensor."""
    entry = (model.signature_defs or [])[signature]
    tensors = (model.subgraphs or [])[entry.subgraph_index].tensors or []
    return {
        side: [(a.name, tensors[a.tensor_index].name) for a in getattr(entry, side) or []]
        for side in ("inputs", "outputs")
    }


def do(model: Model, proposal: Proposal) -> Document:
    """Does a proposal, takes it back to identical bytes, and does it again."""
    before = lay_out(model).tobytes()
    document = Document(model)
    if document.do(proposal):
        after = lay_out(model).tobytes()
        document.undo()
        assert lay_out(model).tobytes() == before
        document.redo()
        assert lay_out(model).tobytes() == after
    return document


def bytes_of(model: Model) -> bytes:
    return lay_out(model).tobytes()
