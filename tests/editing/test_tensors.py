# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from time import perf_counter

import pytest

import tflm_studio as ts
from tests.conftest import SAMPLES
from tests.editing.tensor_models import (
    BIAS,
    WEIGHTS,
    B,
    W,
    X,
    Y,
    Z,
    code_of,
    dense_model,
    done,
    refused,
)
from tflm_studio.analysis.compressed_tensors import find_compression
from tflm_studio.editing import metadata_entries, tensors
from tflm_studio.formats.compression_metadata import (
    Compression,
    LutTensor,
    encode_compression,
)
from tflm_studio.model.errors import EditError
from tflm_studio.schema.enums import BuiltinOperator, TensorType
from tflm_studio.schema.tables import (
    BlockwiseQuantization,
    Buffer,
    Model,
    Operator,
    PackOptions,
    QuantizationParameters,
    SubGraph,
    Tensor,
    TensorMap,
)


def main(model: Model) -> SubGraph:
    assert model.subgraphs
    return model.subgraphs[0]


def names(model: Model) -> list[str | None]:
    return [tensor.name for tensor in main(model).tensors or []]


# ------------------------------------------------------------------ come and go


def test_add() -> None:
    model = dense_model()
    made = tensors.add(
        model,
        0,
        1,
        name="new",
        shape=[2],
        type=TensorType.INT8,
        buffer=3,
        quantization=QuantizationParameters(scale=[0.5], zero_point=[1]),
    )
    assert made.label == "Add tensor 'new'"
    done(model, made)
    assert names(model) == ["x:0", "new", "w", "b", "y", "z"]
    assert main(model).operators[0].inputs == [0, 2, 3]
    new = main(model).tensors[1]
    assert (new.shape, new.type, new.buffer, new.quantization.scale) == ([2], 9, 3, [0.5])


def test_add_is_refused() -> None:
    model = dense_model()
    with refused(model, "called 'w' already"):
        tensors.add(model, 0, name="w", shape=[1], type=0)
    with refused(model, "below 0"):
        tensors.add(model, 0, name="n", shape=[-1], type=0)
    with refused(model, "no buffer 9"):
        tensors.add(model, 0, name="n", shape=[1], type=0, buffer=9)
    with refused(model, "no subgraph 1"):
        tensors.add(model, 1, name="n", shape=[1], type=0)
    with refused(model, "out of range"):
        tensors.add(model, 0, 9, name="n", shape=[1], type=0)
    with refused(model, "does not fit"):
        tensors.add(model, 0, name="n", shape=[1], type=900)


def test_duplicate() -> None:
    model = done(model := dense_model(), tensors.duplicate(model, 0, [W, Y]))
    assert names(model)[5:] == ["w_copy", "y_copy"]
    copy = main(model).tensors[5]
    assert copy.buffer == 4
    assert bytes(model.buffers[4].data) == WEIGHTS
    done(model, tensors.duplicate(model, 0, [W], with_data=False))
    assert names(model)[7] == "w_copy_1"
    assert main(model).tensors[7].buffer == 1
    with refused(model, "no tensor 99"):
        tensors.duplicate(model, 0, [99])


def compressed() -> Model:
    """The dense model with a constant of four bits that TFLM looks up in a table."""
    model = dense_model()
    found = Tensor(shape=[4], type=TensorType.INT8, name="c", buffer=4)
    main(model).tensors.append(found)
    model.buffers += [Buffer(data=b"\x1b"), Buffer(data=bytes((10, 20, 30, 40)))]
    lut = LutTensor(5, 5, 2)
    data = encode_compression(Compression(1, ((lut,),)))
    done(model, metadata_entries.add(model, "COMPRESSION_METADATA", data))
    assert ts.values(model, "subgraphs[0].tensors[5]").tolist() == [10, 20, 30, 40]
    return model


@pytest.mark.parametrize("with_data", [True, False])
def test_the_copy_of_a_compressed_tensor_is_compressed(*, with_data: bool) -> None:
    model = compressed()
    done(model, tensors.duplicate(model, 0, [5, W], with_data=with_data))
    assert ts.values(model, "subgraphs[0].tensors[6]").tolist() == [10, 20, 30, 40]
    assert ts.values(model, "subgraphs[0].tensors[7]").shape == (3, 4)


def test_other_data_is_not_compressed() -> None:
    model = compressed()
    made = tensors.make_constant(model, 0, 5, b"\1\2\3\4")
    assert made.notes == ("COMPRESSION_METADATA: tensor 5 not compressed any more.",)
    done(model, made)
    assert ts.values(model, "subgraphs[0].tensors[5]").tolist() == [1, 2, 3, 4]
    model = compressed()
    done(model, tensors.make_activation(model, 0, 5))
    assert find_compression(model).subgraphs == ((),)


def test_many_tensors_take_no_time_squared() -> None:
    many = 5_000
    model = dense_model()
    main(model).tensors += [Tensor(shape=[1], name="same") for _ in range(many)]
    some = range(5, 5 + many)
    steps = [Operator(1, [3], [4]) for _ in range(many)]
    main(model).operators += steps
    start = perf_counter()
    done(model, tensors.duplicate(model, 0, some))
    tensors.merge(model, 0, 5, some)
    tensors.delete(model, 0, some, users="leave_out")
    tensors.delete(model, 0, some, users=W)
    assert perf_counter() - start < 10  # quadratic time takes minutes


def test_a_stand_in_that_is_made_too_late_is_told() -> None:
    model = dense_model()
    made = tensors.delete(model, 0, [W], users=Z)
    assert "FullyConnected 0 reads tensor 4 z before Relu 1 makes it" in made.notes[-1]


def test_delete_refuses_what_is_used() -> None:
    model = dense_model()
    with refused(model, "Tensor 1 is still used by FullyConnected 0"):
        tensors.delete(model, 0, [W])
    with refused(model, "no tensor 5"):
        tensors.delete(model, 0, [5])


def test_delete_leaves_out() -> None:
    model = dense_model()
    made = tensors.delete(model, 0, [B], users="leave_out", remove_buffers=True)
    assert made.notes[0] == "FullyConnected 0 goes on without bias (input 2)."
    done(model, made)
    assert main(model).operators[0].inputs == [0, 1, -1]
    assert len(model.buffers) == 3
    assert main(model).tensors[2].buffer == 2  # that of y, renumbered


def test_delete_leaves_out_of_ends_and_signatures() -> None:
    model = dense_model()
    main(model).tensors.append(Tensor(shape=[1], name="unused"))
    main(model).inputs.append(5)
    main(model).outputs.insert(0, 5)
    model.signature_defs[0].inputs.append(TensorMap("u", 5))
    done(model, tensors.delete(model, 0, [5], users="leave_out"))
    assert (main(model).inputs, main(model).outputs) == ([X], [Z])
    assert [entry.name for entry in model.signature_defs[0].inputs] == ["x"]


def test_delete_refuses_to_leave_out_what_is_needed() -> None:
    model = dense_model()
    with refused(model, r"FullyConnected 0 needs its filter \(input 1\), which is tensor 1 w"):
        tensors.delete(model, 0, [W], users="leave_out")
    with refused(model, "FullyConnected 0 makes tensor 3 y"):
        tensors.delete(model, 0, [Y], users="leave_out")
    main(model).tensors[X].quantization = QuantizationParameters(
        details=BlockwiseQuantization(B, -1)
    )
    with refused(model, "still used by tensor 0"):
        tensors.delete(model, 0, [B], users="leave_out")


def packing_model() -> Model:
    model = dense_model()
    model.operator_codes.append(code_of(BuiltinOperator.PACK))
    main(model).tensors.append(Tensor(shape=[2, 1, 3], name="p"))
    main(model).operators.append(
        Operator(2, [Y, Z], [5], builtin_options=PackOptions(values_count=2))
    )
    return model


def test_delete_shortens_lists_of_any_length() -> None:
    model = packing_model()
    main(model).operators.pop(1)
    main(model).outputs = [5]
    done(model, tensors.delete(model, 0, [Z], users="leave_out"))
    pack = main(model).operators[1]
    assert (pack.inputs, pack.builtin_options.values_count) == ([Y], 1)
    main(model).operators.pop(0)
    with refused(model, "needs an input; none would be left"):
        tensors.delete(model, 0, [Y], users="leave_out")


def test_delete_gives_users_another() -> None:
    model = dense_model()
    main(model).tensors.append(Tensor(shape=[3], name="other"))
    done(model, made := tensors.delete(model, 0, [B], users=5))
    assert not made.notes
    assert main(model).operators[0].inputs == [0, 1, 4]
    done(model, made := tensors.delete(model, 0, [4], users=W))
    assert "differ" in made.notes[0]
    with refused(model, "makes tensor 2 y"):
        tensors.delete(model, 0, [2], users=0)
    with refused(model, "cannot stand in"):
        tensors.delete(model, 0, [W], users=W)
    with refused(model, "no tensor 77"):
        tensors.delete(model, 0, [W], users=77)


def test_an_input_that_goes_is_replaced_or_removed() -> None:
    model = dense_model()
    main(model).tensors.append(Tensor(shape=[1, 4], name="other"))
    done(model, tensors.delete(model, 0, [X], users=5))
    assert main(model).inputs == [4]
    assert model.signature_defs[0].inputs[0].tensor_index == 4
    model = dense_model()
    main(model).operators[0].inputs[0] = W
    done(model, tensors.delete(model, 0, [X], users=W))
    assert main(model).inputs == []
    assert model.signature_defs[0].inputs == []


def test_merge() -> None:
    model = dense_model()
    main(model).tensors.append(Tensor(shape=[3], name="b2", buffer=2))
    main(model).operators[0].inputs[2] = 5
    done(model, made := tensors.merge(model, 0, B, [5]))
    assert not made.notes
    assert main(model).operators[0].inputs == [X, W, B]
    model.buffers.append(Buffer(data=bytes(12)))
    quantization = QuantizationParameters(scale=[1.0], zero_point=[0])
    main(model).tensors.append(
        Tensor(shape=[3], name="b3", buffer=4, quantization=quantization)
    )
    made = tensors.merge(model, 0, B, [5])
    assert len(made.notes) == 2


def test_merge_is_refused() -> None:
    model = dense_model()
    with refused(model, "1×3 is not 3×4"):
        tensors.merge(model, 0, Y, [W])
    with refused(model, "from FullyConnected 0 and tensor 4 from Relu 1"):
        tensors.merge(model, 0, Y, [Z])
    main(model).tensors.append(Tensor(shape=[1, 3], type=TensorType.INT8))
    with refused(model, "float32 is not int8"):
        tensors.merge(model, 0, Y, [5])
    main(model).tensors[5].type = TensorType.FLOAT32
    main(model).operators[0].inputs[0] = 5
    with refused(model, "FullyConnected 0 would read the tensor before Relu 1 makes it"):
        tensors.merge(model, 0, Z, [5])
    with refused(model, "no tensor 9"):
        tensors.merge(model, 0, 9, [5])


# ------------------------------------------------------------------ kinds


def test_make_constant() -> None:
    model = dense_model()
    scales = QuantizationParameters(
        scale=[1.0, 2.0], zero_point=[3, -4], quantized_dimension=1
    )
    main(model).tensors += [
        Tensor(shape=[2, 2], type=TensorType.INT8, name="q", quantization=scales),
        Tensor(shape=[2], name="state", is_variable=True, buffer=2),
    ]
    done(model, tensors.make_constant(model, 0, 5))
    assert bytes(model.buffers[main(model).tensors[5].buffer].data) == bytes([3, 252, 3, 252])
    done(model, tensors.make_constant(model, 0, 6, b"12345678"))
    state = main(model).tensors[6]
    assert not state.is_variable
    assert bytes(model.buffers[state.buffer].data) == b"12345678"
    assert bytes(model.buffers[2].data) == BIAS  # it was shared
    done(model, tensors.make_constant(model, 0, B))
    assert bytes(model.buffers[2].data) == bytes(12)


def test_make_constant_is_refused() -> None:
    model = dense_model()
    main(model).tensors += [
        Tensor(shape=[2], type=TensorType.STRING),
        Tensor(shape=[0]),
        Tensor(shape=[2**30, 2**30]),
        Tensor(shape=[-1]),
    ]
    for index, reason in (
        (Y, "FullyConnected 0 makes it"),
        (X, "it is an input"),
        (5, "no fixed size"),
        (6, "no elements"),
        (7, "2 GB"),
        (8, "no fixed size"),
    ):
        with refused(model, reason):
            tensors.make_constant(model, 0, index)
    with refused(model, "needs 12 bytes, not 3"):
        tensors.make_constant(model, 0, B, b"123")


def test_make_variable_and_activation() -> None:
    model = done(model := dense_model(), made := tensors.make_variable(model, 0, W))
    assert made.notes == ("48 bytes of data are dropped.",)
    assert main(model).tensors[W].is_variable
    assert not model.buffers[1].data
    done(model, made := tensors.make_activation(model, 0, W))
    assert "gets no values" in made.notes[0]
    assert not main(model).tensors[W].is_variable
    main(model).tensors[W].buffer = 2
    done(model, made := tensors.make_activation(model, 0, W))
    assert (main(model).tensors[W].buffer, bytes(model.buffers[2].data)) == (0, BIAS)
    with refused(model, "cannot become a variable: Relu 1 makes it"):
        tensors.make_variable(model, 0, Z)
    with refused(model, "no tensor 9"):
        tensors.make_activation(model, 0, 9)


def test_set_type() -> None:
    model = dense_model()
    done(model, made := tensors.set_type(model, 0, W, TensorType.INT8))
    assert made.notes == ("Tensor 1 w needs 12 bytes as int8; its buffer has 48.",)
    quantization = QuantizationParameters(scale=[1.0], zero_point=[200])
    main(model).tensors[Y].quantization = quantization
    assert "zero point" in tensors.set_type(model, 0, Y, TensorType.INT8).notes[0]
    assert "means nothing" in tensors.set_type(model, 0, Y, TensorType.FLOAT16).notes[0]
    with refused(model, "does not fit"):
        tensors.set_type(model, 0, W, 1000)


def test_set_quantization() -> None:
    model = dense_model()
    for tensor in main(model).tensors:
        tensor.type = TensorType.INT8
    done(model, tensors.set_quantization(model, 0, X, [0.5], [3]))
    done(model, made := tensors.set_quantization(model, 0, W, [1.0, 2.0, 3.0]))
    assert not made.notes
    q = main(model).tensors[W].quantization
    assert (q.scale, q.zero_point, q.quantized_dimension) == ([1.0, 2.0, 3.0], [0] * 3, 0)
    done(model, made := tensors.set_quantization(model, 0, B, [1.0]))
    assert "should be that of the input times that of the filter" in made.notes[0]
    done(model, made := tensors.set_quantization(model, 0, B, [0.5, 1.0, 1.5]))
    assert not made.notes
    done(model, tensors.set_quantization(model, 0, B, [], []))
    assert main(model).tensors[B].quantization.scale is None


def test_neighbours_that_need_the_same() -> None:
    document = ts.Document.open(SAMPLES / "shapes_int8.tflite")
    model = document.model
    pools = [
        operator
        for operator in main(model).operators
        if model.operator_codes[operator.opcode_index].builtin_code
        in (
            BuiltinOperator.MAX_POOL_2D,
            BuiltinOperator.AVERAGE_POOL_2D,
            BuiltinOperator.RESHAPE,
        )
    ]
    index = pools[0].outputs[0]
    old = main(model).tensors[index].quantization
    assert not tensors.set_quantization(model, 0, index, old.scale, old.zero_point).notes
    made = tensors.set_quantization(model, 0, index, [7.0], [0])
    assert any("passes values on as they are" in note for note in made.notes)


@pytest.mark.parametrize(
    ("scale", "zeros", "dimension", "reason"),
    [
        ([1.0, 2.0], [0], 0, "2 scales do not fit the 3 channels"),
        ([1.0, 2.0, 3.0], [0, 0], 0, "3 scales and 2 zero points"),
        ([1.0, 2.0, 3.0], [0], 2, "no dimension 2"),
        ([0.0], [0], 0, "above 0"),
        ([float("nan")], [0], 0, "above 0"),
        ([1.0], [200], 0, "cannot hold the zero point 200"),
    ],
)
def test_set_quantization_is_refused(
    scale: list[float], zeros: list[int], dimension: int, reason: str
) -> None:
    model = dense_model()
    main(model).tensors[W].type = TensorType.INT8
    with refused(model, reason):
        tensors.set_quantization(model, 0, W, scale, zeros, dimension)
    with refused(model, "only whole numbers"):
        tensors.set_quantization(model, 0, X, [1.0])


# ------------------------------------------------------------------ steps between


def test_insert_quantize_behind_its_maker() -> None:
    model = dense_model()
    made = tensors.insert_quantize(model, 0, Y, type=TensorType.INT8, scale=0.5, zero_point=3)
    assert made.label == "Quantise tensor 3 y to int8"
    done(model, made)
    operators = main(model).operators
    assert [operator.outputs for operator in operators] == [[Y], [5], [Z]]
    assert (operators[1].inputs, operators[2].inputs) == ([Y], [5])
    code = model.operator_codes[operators[1].opcode_index]
    assert code.builtin_code == BuiltinOperator.QUANTIZE
    new = main(model).tensors[5]
    assert (new.name, new.shape, new.type) == ("y_quantized", [1, 3], TensorType.INT8)
    done(model, tensors.insert_dequantize(model, 0, 5, users=[2]))
    assert [operator.outputs for operator in main(model).operators] == [[Y], [5], [6], [Z]]
    done(model, tensors.insert_dequantize(model, 0, 5, users=[2]))
    assert len(model.operator_codes) == 4  # the second one uses the code of the first


def test_insert_quantize_behind_an_input_and_an_output() -> None:
    model = dense_model()
    step = {"type": TensorType.INT16, "scale": 1.0, "zero_point": 0}
    done(model, tensors.insert_quantize(model, 0, X, **step))
    assert [operator.outputs for operator in main(model).operators] == [[5], [Y], [Z]]
    assert main(model).tensors[5].shape_signature == [-1, 4]
    done(model, tensors.insert_quantize(model, 0, Z, **step))
    assert main(model).outputs == [6]
    assert model.signature_defs[0].outputs[0].tensor_index == 6
    assert model.signature_defs[0].outputs[0].name == "z"
    main(model).outputs.append(Y)
    done(model, tensors.insert_quantize(model, 0, Y, users=[], **step))
    assert main(model).outputs == [6, 7]
    assert main(model).operators[-2].inputs == [Y]


def test_a_variable_has_no_copies() -> None:
    model = dense_model()
    main(model).tensors[Y].is_variable = True
    with refused(model, "is a variable"):
        tensors.insert_quantize(model, 0, Y, type=TensorType.INT8, scale=1.0, zero_point=0)


def test_insert_quantize_is_refused() -> None:
    model = dense_model()
    good = {"type": TensorType.INT8, "scale": 1.0, "zero_point": 0}
    for wrong, reason in (
        ({"type": TensorType.FLOAT32}, "cannot make float32"),
        ({"type": 99}, "cannot make type 99"),
        ({"scale": 0.0}, "above 0"),
        ({"scale": float("nan")}, "above 0"),
        ({"zero_point": 128}, "zero point 128"),
        ({"users": [0]}, "FullyConnected 0 does not read tensor 3 y"),
        ({"users": [7]}, "no operator 7"),
        ({"users": []}, "Nothing uses"),
    ):
        with refused(model, reason):
            tensors.insert_quantize(model, 0, Y, **{**good, **wrong})
    with refused(model, "not quantised"):
        tensors.insert_dequantize(model, 0, Y)
    main(model).tensors[Y].type = TensorType.INT8
    with refused(model, "neither float32"):
        tensors.insert_quantize(model, 0, Y, **good)


def test_use_buffer() -> None:
    model = done(model := dense_model(), tensors.use_buffer(model, 0, W, 2))
    assert main(model).tensors[W].buffer == 2
    with refused(model, "no buffer 9"):
        tensors.use_buffer(model, 0, W, 9)


def test_senseless_models_are_refused_or_done() -> None:
    for model in (
        Model(),
        Model(subgraphs=[SubGraph()]),
        Model(subgraphs=[SubGraph(tensors=[Tensor(buffer=7)], outputs=[5], inputs=[-9])]),
        Model(
            subgraphs=[
                SubGraph(
                    tensors=[Tensor(buffer=7, type=77), Tensor(shape=[-1])],
                    operators=[Operator(9, [4, 0], [0, 1]), Operator(9)],
                    outputs=[0],
                )
            ]
        ),
    ):
        for propose in (
            lambda m: tensors.add(m, 0, name="a", shape=[1], type=0),
            lambda m: tensors.duplicate(m, 0, [0]),
            lambda m: tensors.delete(m, 0, [0], users="leave_out", remove_buffers=True),
            lambda m: tensors.delete(m, 0, [0], users=1),
            lambda m: tensors.merge(m, 0, 0, [1]),
            lambda m: tensors.rename(m, 0, {0: "n"}),
            lambda m: tensors.make_constant(m, 0, 0),
            lambda m: tensors.make_variable(m, 0, 0),
            lambda m: tensors.make_activation(m, 0, 0),
            lambda m: tensors.set_type(m, 0, 0, 9),
            lambda m: tensors.set_quantization(m, 0, 0, [1.0]),
            lambda m: tensors.insert_dequantize(m, 0, 0),
            lambda m: tensors.insert_quantize(m, 0, 0, type=9, scale=1.0, zero_point=0),
        ):
            try:
                done(model, propose(model))
            except EditError:
                continue
