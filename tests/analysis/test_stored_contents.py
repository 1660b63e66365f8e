# SPDX-License-Identifier: Apache-2.0

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tflm_studio as ts
from tests.conftest import every, readable_models
from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.analysis.statistics import measure
from tflm_studio.analysis.stored_contents import contents_at
from tflm_studio.schema.enums import BuiltinOperator, TensorType
from tflm_studio.schema.tables import (
    Buffer,
    Metadata,
    Model,
    Operator,
    OperatorCode,
    QuantizationParameters,
    SubGraph,
    Tensor,
)

INT8 = TensorType.INT8


def model_of(*tensors: tuple[Tensor, bytes | None]) -> Model:
    """A model with a buffer for each tensor; CONV_2D reads tensor 1 with filter 0."""
    buffers = [Buffer()]
    for tensor, data in tensors:
        tensor.buffer = len(buffers)
        buffers.append(Buffer(data=data))
    return Model(
        version=3,
        operator_codes=[OperatorCode(builtin_code=BuiltinOperator.CONV_2D)],
        subgraphs=[
            SubGraph(
                tensors=[tensor for tensor, _ in tensors],
                operators=[Operator(opcode_index=0, inputs=[1, 0, -1], outputs=[1])],
            )
        ],
        buffers=buffers,
        metadata=[Metadata(name="min_runtime_version", buffer=len(buffers) - 1)],
    )


def found(model: Model, *address: str | int) -> BufferContents:
    contents = contents_at(model, address)
    assert contents is not None
    return contents


def test_a_filter_is_found_from_its_tensor_its_buffer_and_its_operator() -> None:
    weights = Tensor(shape=[2, 1, 1, 3], type=INT8, name="conv/filter")
    activation = Tensor(shape=[1, 1, 1, 3], type=INT8, name="input")
    model = model_of((weights, bytes(range(6))), (activation, None))
    for address in (
        ("subgraphs", 0, "tensors", 0),
        ("subgraphs", 0, "tensors", 0, "quantization"),
        ("buffers", 1),
        ("subgraphs", 0, "operators", 0),
    ):
        contents = found(model, *address)
        assert contents.title == "conv/filter  tensor 0, buffer 1"
        assert contents.tensor_address == ("subgraphs", 0, "tensors", 0)
        assert contents.shape == (2, 1, 1, 3)
        assert contents.axis_names == ("out", "height", "width", "in")
        assert contents.values().tolist() == list(range(6))
        assert contents.note == ""


def test_a_tensor_without_data_has_contents_without_data() -> None:
    model = model_of(
        (Tensor(shape=[1], type=INT8), b"\1"), (Tensor(shape=[4], type=INT8), None)
    )
    contents = found(model, "subgraphs", 0, "tensors", 1)
    assert contents.data is None
    assert contents.count == 0
    assert contents.note == ""


def test_metadata_and_unused_buffers_are_bytes() -> None:
    model = model_of((Tensor(shape=[3], type=INT8), b"abc"))
    assert model.buffers is not None
    model.buffers.append(Buffer(data=b"free"))
    named = found(model, "metadata", 0)
    assert (named.name, named.kind.name, named.shape) == ("min_runtime_version", "uint8", (3,))
    unused = found(model, "buffers", 2)
    assert (unused.title, unused.kind.name) == ("buffer 2  not used, buffer 2", "uint8")
    assert bytes(unused.values()) == b"free"


@pytest.mark.parametrize(
    ("shape", "count", "said"),
    [
        ([4, 10], 37, "takes 40 bytes as int8, the buffer has 37"),
        ([-1, 37], 37, "is no size"),
        ([0, 3], 37, "takes 0 bytes"),
        ([37], 37, ""),
        (None, 37, "takes 1 bytes"),
    ],
)
def test_a_shape_that_does_not_fit_is_left_out_and_told(
    shape: list[int] | None, count: int, said: str
) -> None:
    contents = found(model_of((Tensor(shape=shape, type=INT8), bytes(count))), "buffers", 1)
    assert contents.shape == (count,)
    assert said in contents.note
    assert bool(contents.note) == bool(said)
    assert len(contents.axis_names) == 1


def test_strings_are_bytes() -> None:
    tensor = Tensor(shape=[2], type=TensorType.STRING)
    contents = found(model_of((tensor, b"hello")), "buffers", 1)
    assert contents.shape == (5,)
    assert "no fixed size" in contents.note


def test_the_offset_in_the_file_is_where_the_bytes_are(models_folder: Path) -> None:
    path = models_folder / "tensorflow__tflite-micro" / "person_detect.tflite"
    model, data = ts.load_model_from_file(path), path.read_bytes()
    for index in range(1, len(model.buffers or [])):
        contents = found(model, "buffers", index)
        if contents.data is not None:
            start = contents.file_offset
            assert start is not None
            assert data[start : start + contents.nbytes] == bytes(contents.data)


def test_every_place_of_every_model_has_contents_or_none(models_folder: Path) -> None:
    for path in every(3, readable_models(models_folder)):
        model = ts.load_model_from_file(path)
        seen: set[int] = set()
        for s, subgraph in enumerate(model.subgraphs or []):
            for t in range(len(subgraph.tensors or [])):
                contents = found(model, "subgraphs", s, "tensors", t)
                assert len(contents.axis_names) == len(contents.shape), path
                if contents.data is not None and contents.buffer_index not in seen:
                    seen.add(contents.buffer_index)
                    assert measure(contents).count == contents.count
            for o in range(len(subgraph.operators or [])):
                contents_at(model, ("subgraphs", s, "operators", o))
        for b in range(len(model.buffers or [])):
            found(model, "buffers", b)
        for m in range(len(model.metadata or [])):
            found(model, "metadata", m)


WILD = st.integers(-(2**31), 2**31 - 1)
INDEX = st.integers(-2, 4)


@given(
    shape=st.none() | st.lists(WILD, max_size=6),
    kind=st.integers(-3, 30),
    buffer=st.integers(0, 2**32 - 1) | st.integers(0, 3),
    scale=st.none() | st.lists(st.floats(width=32), max_size=4),
    zero=st.none() | st.lists(st.integers(-(2**63), 2**63 - 1), max_size=4),
    dimension=st.integers(-3, 9),
    inputs=st.none() | st.lists(WILD | INDEX, max_size=4),
    address=st.tuples(
        st.sampled_from(["subgraphs", "buffers", "metadata", "nothing"]),
        INDEX,
        st.sampled_from(["tensors", "operators", "data", "name"]),
        INDEX,
    ),
)
def test_senseless_models_never_raise(  # type: ignore[no-untyped-def]
    shape, kind, buffer, scale, zero, dimension, inputs, address
) -> None:
    q = QuantizationParameters(scale=scale, zero_point=zero, quantized_dimension=dimension)
    model = model_of(
        (Tensor(shape=shape, type=kind, quantization=q), b"0123456"),
        (Tensor(shape=shape, type=kind, quantization=q), None),
    )
    assert model.subgraphs is not None
    tensors, operators = model.subgraphs[0].tensors, model.subgraphs[0].operators
    assert tensors is not None
    assert operators is not None
    assert model.metadata is not None
    tensors[1].buffer = model.metadata[0].buffer = buffer
    operators[0].inputs = inputs
    operators[0].opcode_index = buffer
    for place in (address, address[:2], (), ("buffers",), ("subgraphs", 0, "tensors", 0)):
        contents = contents_at(model, place)
        if contents is not None:
            assert len(contents.values()) == contents.count
            if contents.kind.kind != "complex":
                with np.errstate(all="ignore"):
                    contents.reals()
