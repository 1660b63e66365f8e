# SPDX-License-Identifier: Apache-2.0

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as official

from tests.conftest import every, readable_models
from tflm_studio.formats.flatbuffer_reader import Origin, read_flatbuffer
from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.formats.layout import Kept
from tflm_studio.formats.model_file import load_model_from_file, save_model_to_file
from tflm_studio.model.errors import WriteError
from tflm_studio.schema.structure import Extra, Kind, UnknownField
from tflm_studio.schema.tables import (
    TABLES,
    Buffer,
    Model,
    OperatorCode,
    SoftmaxOptions,
    SubGraph,
    Tensor,
)


def _plain(value: Any) -> Any:
    """What the official classes read, as nested plain values that compare exactly."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.tobytes()
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if hasattr(value, "__dict__"):
        return type(value).__name__, {key: _plain(item) for key, item in vars(value).items()}
    return repr(value)


def official_content(data: bytes) -> Any:
    model = official.ModelT.InitFromPackedBuf(bytearray(data), 0)
    for buffer in model.buffers or []:
        end = buffer.offset + buffer.size
        if buffer.data is None and buffer.offset > 1 and end <= len(data):
            # Where bytes stand behind the flatbuffer may differ, not what they are.
            buffer.data = np.frombuffer(data, np.uint8, buffer.size, buffer.offset)
            buffer.offset = "outside"
    return _plain(model)


def check_alignment(data: bytes) -> None:
    model = read_flatbuffer(data)
    assert isinstance(model.extra, Origin)
    for buffer in model.buffers or []:
        assert (model.extra.offset_of(buffer.data) or 0) % 16 == 0


def test_a_rebuilt_model_reads_the_same_in_the_official_classes(models_folder: Path) -> None:
    for path in every(12, readable_models(models_folder)):
        data = path.read_bytes()
        model = read_flatbuffer(data, path.name)
        assert isinstance(model.extra, Origin)
        kept = [Kept(model.extra.end, model.extra.tail)] if model.extra.tail else []
        rebuilt = lay_out(model, kept).tobytes()
        assert official_content(rebuilt) == official_content(data), path
        for each in kept:
            assert rebuilt[each.at : each.at + len(each.data)] == each.data, path
        check_alignment(rebuilt)


def test_the_same_model_gives_the_same_bytes() -> None:
    model = Model(version=3, description="twice", buffers=[Buffer(), Buffer(data=b"abc")])
    assert lay_out(model).tobytes() == lay_out(model).tobytes()


def test_what_does_not_fit_is_refused_by_name() -> None:
    with pytest.raises(WriteError, match="deprecated_builtin_code"):
        lay_out(Model(operator_codes=[OperatorCode(deprecated_builtin_code=200)]))
    with pytest.raises(WriteError, match="subgraphs"):
        lay_out(Model(subgraphs=[Buffer()]))  # type: ignore[list-item]


@pytest.mark.parametrize(
    "data", [b"abcd", bytearray(b"abcd"), memoryview(b"abcd"), np.int32(1)]
)
def test_buffer_data_may_be_anything_with_bytes(data: Any) -> None:
    model = Model(buffers=[Buffer(data=data)])
    buffers = read_flatbuffer(lay_out(model).tobytes()).buffers
    assert buffers is not None
    assert len(buffers[0].data or b"") == 4


def test_empty_and_absent_vectors_stay_apart() -> None:
    model = Model(subgraphs=[SubGraph(inputs=[], outputs=None, operators=[])], buffers=[])
    again = read_flatbuffer(lay_out(model).tobytes())
    assert again.subgraphs is not None
    assert again.subgraphs[0].inputs == []
    assert again.subgraphs[0].outputs is None
    assert again.subgraphs[0].operators == []
    assert again.buffers == []
    assert again.metadata is None


def test_a_fraction_in_a_list_of_whole_numbers_is_refused() -> None:
    tensor = Tensor(shape=[1.5])  # type: ignore[list-item]
    with pytest.raises(WriteError, match="whole number"):
        lay_out(Model(subgraphs=[SubGraph(tensors=[tensor])]))


def test_text_in_pieces_of_escapes_is_saved(tmp_path: Path) -> None:
    save_model_to_file(Model(description="\udcc3\udca4"), tmp_path / "m.tflite")
    assert load_model_from_file(tmp_path / "m.tflite").description == "ä"


def test_an_absent_float_is_a_float() -> None:
    assert type(SoftmaxOptions().beta) is float
    assert all(
        type(row.default) is float
        for table in TABLES.values()
        for row in table.FIELDS
        if row.kind is Kind.SCALAR and row.scalar in ("float", "double")
    )


def test_a_field_of_a_far_slot_costs_little_memory() -> None:
    unknown = {30_000: UnknownField(0, bytes(7) + b"\1", is_clear=True)}
    tensors = [Tensor() for _ in range(500)]
    for tensor in tensors:
        tensor.extra = Extra(unknown=unknown)
    tracemalloc.start()
    lay_out(Model(subgraphs=[SubGraph(tensors=tensors)]))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000_000
