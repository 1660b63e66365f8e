# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tflm_studio as ts
from tests.conftest import ROOT, every, examples, readable_models
from tests.editing.indexed_models import metadata_bytes
from tflm_studio.analysis.array_picture import ABOVE, BELOW, ZERO, array_picture
from tflm_studio.analysis.array_summary import summarize_array
from tflm_studio.analysis.string_values import write_strings
from tflm_studio.formats.compression_metadata import (
    COMPRESSION,
    Compression,
    LutTensor,
    encode_compression,
)
from tflm_studio.schema.enums import DimensionType, TensorType
from tflm_studio.schema.tables import (
    BlockwiseQuantization,
    Buffer,
    DimensionMetadata,
    Int32Vector,
    Metadata,
    Model,
    Operator,
    OperatorCode,
    QuantizationParameters,
    SparsityParameters,
    SubGraph,
    Tensor,
    Uint8Vector,
)

WORKER = ROOT / "tests" / "analysis" / "constants_worker.py"
PLACE = "subgraphs[0].tensors[0]"


def holding(data: bytes, **fields: Any) -> Model:
    """A model with one tensor that has these bytes."""
    return Model(
        buffers=[Buffer(), Buffer(data=data)],
        subgraphs=[SubGraph(tensors=[Tensor(buffer=1, **fields)])],
    )


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [
        (TensorType.FLOAT32, np.float32),
        (TensorType.FLOAT16, np.float16),
        (TensorType.FLOAT64, np.float64),
        (TensorType.INT8, np.int8),
        (TensorType.UINT8, np.uint8),
        (TensorType.INT16, np.int16),
        (TensorType.UINT16, np.uint16),
        (TensorType.INT32, np.int32),
        (TensorType.UINT32, np.uint32),
        (TensorType.INT64, np.int64),
        (TensorType.UINT64, np.uint64),
        (TensorType.COMPLEX64, np.complex64),
        (TensorType.COMPLEX128, np.complex128),
        (TensorType.BFLOAT16, ml_dtypes.bfloat16),
        (TensorType.FLOAT8_E4M3FN, ml_dtypes.float8_e4m3fn),
        (TensorType.FLOAT8_E5M2, ml_dtypes.float8_e5m2),
    ],
)
def test_whole_bytes(kind: TensorType, dtype: Any) -> None:
    raw = np.random.default_rng(int(kind)).bytes(12 * np.dtype(dtype).itemsize)
    theirs = np.frombuffer(raw, dtype).reshape(3, 4)
    ours = ts.values(holding(raw, shape=[3, 4], type=kind), PLACE)
    assert ours.shape == (3, 4)
    wide = np.complex128 if ours.dtype.kind == "c" else np.float64
    np.testing.assert_array_equal(ours.astype(wide), theirs.astype(wide))
    flat = ts.values(holding(raw, type=kind), "buffers[1]", dtype=np.dtype(dtype).name)
    assert flat.tobytes() == ours.tobytes()


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [
        (TensorType.INT4, ml_dtypes.int4),
        (TensorType.UINT4, ml_dtypes.uint4),
        (TensorType.INT2, ml_dtypes.int2),
    ],
)
def test_packed_types(kind: TensorType, dtype: Any) -> None:
    bits = 2 if kind is TensorType.INT2 else 4
    low = 0 if kind is TensorType.UINT4 else -(1 << bits - 1)
    wanted = np.arange(15) % (1 << bits) + low
    theirs = wanted.astype(dtype)
    raw, per_byte = bytearray(-(-15 * bits // 8)), 8 // bits
    for index, value in enumerate(theirs.astype(np.int8).tolist()):
        raw[index // per_byte] |= (value & (1 << bits) - 1) << bits * (index % per_byte)
    ours = ts.values(holding(bytes(raw), shape=[3, 5], type=kind), PLACE)
    np.testing.assert_array_equal(ours, wanted.reshape(3, 5))


def test_truths_texts_and_nothing() -> None:
    ours = ts.values(holding(b"\0\1\7", shape=[3], type=TensorType.BOOL), PLACE)
    assert ours.tolist() == [False, True, True]
    texts = [b"", b"one", "zwölf".encode(), b"\xff"]
    ours = ts.values(holding(write_strings(texts), shape=[2, 2], type=5), PLACE)
    assert ours.tolist() == [texts[:2], texts[2:]]
    for damaged in (b"", b"\1", write_strings(texts)[:-1], b"\xff\xff\xff\x7f" + bytes(20)):
        with pytest.raises(ts.EditError):
            ts.values(holding(damaged, shape=[2, 2], type=5), PLACE)
    empty = ts.values(holding(b"", shape=[0, 3], type=TensorType.INT8), PLACE)
    assert (empty.shape, empty.dtype) == ((0, 3), np.int8)
    scalar = ts.values(holding(b"\5", shape=None, type=TensorType.INT8), PLACE)
    assert (scalar.shape, int(scalar)) == ((), 5)


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("subgraphs[0].tensors[1]", "out of range"),
        ("subgraphs[0]", "neither a tensor nor a buffer"),
        ("buffers[0]", "nothing is stored"),
        (PLACE, "its shape takes 6 bytes as int8"),
        ("nonsense[", "not an address"),
    ],
)
def test_refusals_name_the_place(address: str, reason: str) -> None:
    with pytest.raises(ts.EditError, match=reason):
        ts.values(holding(b"abc", shape=[2, 3], type=TensorType.INT8), address)


def test_reals_per_tensor_and_per_channel() -> None:
    stored = np.arange(-6, 6, dtype=np.int8).reshape(3, 4)
    q = QuantizationParameters(scale=[0.5], zero_point=[3])
    model = holding(stored.tobytes(), shape=[3, 4], type=TensorType.INT8, quantization=q)
    found = ts.values(model, PLACE, real=True)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, (stored.astype(float) - 3) * 0.5)
    q.scale, q.zero_point, q.quantized_dimension = [1.0, 2.0, 4.0], [0, 1, 2], 0
    wanted = (stored - np.array([[0], [1], [2]])) * np.array([[1.0], [2.0], [4.0]])
    np.testing.assert_array_equal(ts.values(model, PLACE, real=True), wanted)


def test_reals_by_block() -> None:
    stored = np.arange(16, dtype=np.int8).reshape(2, 8)
    scales = np.array([[1, 2], [4, 8]], np.float16)
    zeros = np.array([[0, 1], [2, 3]], np.int32)
    details = BlockwiseQuantization(scales=1, zero_points=2, block_size=4)
    tensors = [
        Tensor(
            [2, 8], TensorType.INT8, 1, quantization=QuantizationParameters(details=details)
        ),
        Tensor([2, 2], TensorType.FLOAT16, 2),
        Tensor([2, 2], TensorType.INT32, 3),
    ]
    data = [b"", stored.tobytes(), scales.tobytes(), zeros.tobytes()]
    model = Model(
        buffers=[Buffer(data=each) for each in data], subgraphs=[SubGraph(tensors=tensors)]
    )
    wanted = (stored - zeros.repeat(4, 1)) * scales.astype(float).repeat(4, 1)
    np.testing.assert_array_equal(ts.values(model, PLACE, real=True), wanted)
    details.scales = 0
    with pytest.raises(ts.EditError, match="its own scales"):
        ts.values(model, PLACE, real=True)


# ------------------------------------------------------------------ sparse and compressed


def sparse_model(dense: Any, formats: list[int], block: tuple[int, int]) -> Model:
    """A matrix in the layout of blocks, each level dense or with its indices listed."""
    rows, columns = dense.shape[0] // block[0], dense.shape[1] // block[1]
    sizes = [rows, columns, *block]
    blocked = dense.reshape(rows, block[0], columns, block[1]).transpose(0, 2, 1, 3)
    entries: list[tuple[int, ...]] = [()]
    metadata = []
    for level, (size, form) in enumerate(zip(sizes, formats, strict=True)):
        if form == DimensionType.DENSE:
            entries = [(*e, k) for e in entries for k in range(size)]
            metadata.append(DimensionMetadata(dense_size=size))
            continue
        segments, indices, kept = [0], [], []
        for entry in entries:
            there = [k for k in range(size) if blocked[(*entry, k)].any()]
            kept += [(*entry, k) for k in there]
            indices += there
            segments.append(len(indices))
        entries = kept
        metadata.append(
            DimensionMetadata(
                format=form,
                dense_size=0 if level < 2 else size,
                array_segments=Int32Vector(values=segments),
                array_indices=Uint8Vector(values=bytes(indices)),
            )
        )
    stored = np.array([blocked[entry] for entry in entries], np.int8)
    sparsity = SparsityParameters([0, 1, 2, 3], [0, 1], metadata)
    return holding(
        stored.tobytes(), shape=list(dense.shape), type=TensorType.INT8, sparsity=sparsity
    )


@pytest.mark.parametrize("formats", list(itertools.product([0, 1], [0, 1], [0], [0])))
def test_sparse_tensors_are_made_dense(formats: tuple[int, ...]) -> None:
    random = np.random.default_rng(sum(formats))
    dense = random.integers(-5, 5, (4, 6)).astype(np.int8)
    dense[:2, 2:4] = dense[2:] = 0
    dense[3, 5] = 9
    model = sparse_model(dense, list(formats), (2, 2))
    np.testing.assert_array_equal(ts.values(model, PLACE), dense)


@settings(max_examples=examples(200), deadline=None)
@given(st.data())
def test_senseless_sparsity_is_refused(data: st.DataObject) -> None:
    dense = np.eye(4, 6, dtype=np.int8)
    model = sparse_model(dense, [0, 1, 0, 0], (2, 2))
    sparsity = model.subgraphs[0].tensors[0].sparsity  # type: ignore[index]
    numbers = st.integers(-2, 9)
    for level in sparsity.dim_metadata:
        if data.draw(st.booleans()):
            level.dense_size = data.draw(numbers | st.just(2**31 - 1))
            level.format = data.draw(st.sampled_from([0, 1]))
            lists = st.lists(numbers, max_size=5)
            level.array_segments = Int32Vector(values=data.draw(lists))
            level.array_indices = data.draw(
                st.sampled_from([None, Int32Vector(values=[0, 1])])
            )
    sparsity.traversal_order = data.draw(
        st.permutations(range(4)) | st.lists(numbers, max_size=5)
    )
    try:
        found = ts.values(model, PLACE)
    except ts.EditError:
        return
    assert found.shape == (4, 6)


def packed(indices: list[int], bits: int) -> bytes:
    text = "".join(f"{index:0{bits}b}" for index in indices)
    text += "0" * (-len(text) % 8)
    return bytes(int(text[at : at + 8], 2) for at in range(0, len(text), 8))


def test_tables_named_by_metadata_are_looked_up() -> None:
    indices = [k * 5 % 6 for k in range(12)]
    tables = np.arange(16, dtype=np.int16) * 100
    q = QuantizationParameters(scale=[1.0, 1.0], zero_point=[0, 0], quantized_dimension=0)
    model = holding(packed(indices, 3), shape=[2, 6], type=TensorType.INT16, quantization=q)
    lut = LutTensor(tensor=0, value_buffer=2, index_bitwidth=3)
    content = encode_compression(Compression(1, ((lut,),)))
    model.buffers += [Buffer(data=tables.tobytes()), Buffer(data=content)]  # type: ignore[operator]
    model.metadata = [Metadata(name=COMPRESSION, buffer=3)]
    assert metadata_bytes(model, COMPRESSION) == content
    wanted = tables[np.array(indices).reshape(2, 6) + np.array([[0], [8]])]
    np.testing.assert_array_equal(ts.values(model, PLACE), wanted)
    q.scale, q.zero_point = [1.0], [0]
    np.testing.assert_array_equal(
        ts.values(model, PLACE), tables[np.array(indices).reshape(2, 6)]
    )
    model.buffers[1].data = b"\0"  # type: ignore[index]
    with pytest.raises(ts.EditError, match="do not fit its shape"):
        ts.values(model, PLACE)


def test_tensors_that_an_operator_decodes() -> None:
    indices, table = [0, 3, 2, 1, 1, 0], np.array([5, -6, 7, -8], np.int8)
    head = bytes([0, 1, 0, 0, 1, 2, 4]) + bytes(9)
    tensors = [
        Tensor([6], TensorType.INT8),
        Tensor([2], TensorType.UINT8, 1),
        Tensor([20], TensorType.UINT8, 2),
    ]
    model = Model(
        operator_codes=[OperatorCode(32, "TFLM_DECODE", builtin_code=32)],
        buffers=[
            Buffer(),
            Buffer(data=packed(indices, 2)),
            Buffer(data=head + table.tobytes()),
        ],
        subgraphs=[SubGraph(tensors=tensors, operators=[Operator(0, [1, 2], [0])])],
    )
    assert ts.values(model, PLACE).tolist() == table[indices].tolist()
    model.buffers[2].data = b"\1" + head[1:]  # type: ignore[index]
    with pytest.raises(ts.EditError, match="compressed in way 1"):
        ts.values(model, PLACE)


def test_a_shape_of_thousands_of_digits_is_refused() -> None:
    sparsity = SparsityParameters()
    for tensor in (
        Tensor(shape=[3] * 10_000, buffer=1),
        Tensor(shape=[3] * 10_000, type=TensorType.STRING, buffer=2),
        Tensor(shape=[3] * 10_000, buffer=1, sparsity=sparsity),
    ):
        model = Model(
            buffers=[Buffer(), Buffer(data=b"data"), Buffer(data=bytes(4))],
            subgraphs=[SubGraph(tensors=[tensor])],
        )
        with pytest.raises(ts.EditError, match="more than"):
            ts.values(model, PLACE)


# ------------------------------------------------------------------ real models


def test_constants_are_those_of_litert(models_folder: Path) -> None:
    pytest.importorskip("ai_edge_litert")
    paths = [path for path in readable_models(models_folder) if path.stat().st_size < 2e6]
    command = [sys.executable, str(WORKER), *map(str, every(4, paths))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert sum(line["same"] for line in lines) > 200
    for line in lines:
        assert not line["other"], line


# ------------------------------------------------------------------ statistics and pictures


@settings(max_examples=examples(100), deadline=None)
@given(st.lists(st.floats(width=32), max_size=40))
def test_statistics_are_those_of_numpy(numbers: list[float]) -> None:
    array = np.array(numbers, np.float32)
    found, finite = summarize_array(array), array[np.isfinite(array)].astype(np.float64)
    assert found["count"] == len(array)
    assert found["nan"] + found["infinite"] == len(array) - len(finite)
    assert found["unique"] == len(np.unique(array))
    assert json.loads(json.dumps(found)) == found
    if len(finite):
        assert (found["min"], found["max"]) == (finite.min(), finite.max())
        assert found["mean"] == pytest.approx(finite.mean())
        assert found["std"] == pytest.approx(finite.std(), rel=1e-6)
        assert sum(found["histogram"]["counts"]) == len(finite)


def test_whole_numbers_have_bins_of_whole_width() -> None:
    found = summarize_array(np.array([[-128, -127], [127, 0]], np.int8))
    assert (found["min"], found["max"], found["zeros"], found["unique"]) == (-128, 127, 1, 4)
    edges, counts = found["histogram"]["edges"], found["histogram"]["counts"]
    assert edges[0] == -128.5
    assert len(edges) == len(counts) + 1
    assert sum(counts) == 4
    assert counts[0] == 2
    with pytest.raises(ts.EditError):
        summarize_array(np.array([b"text"], object))


def test_pictures_are_blue_below_and_red_above_zero() -> None:
    picture = array_picture(np.array([[-4.0, 0.0, 4.0, np.nan]]))
    scale = picture.shape[1] // 4
    cells = picture[0, scale // 2 :: scale]
    assert cells[:3].tolist() == [BELOW.tolist(), ZERO.tolist(), ABOVE.tolist()]
    assert len(set(cells[3].tolist())) == 1
    assert array_picture(np.zeros((3, 2), np.int8)).min() == 255
    assert max(array_picture(np.zeros((20_000, 2), np.int8)).shape) <= 8192
