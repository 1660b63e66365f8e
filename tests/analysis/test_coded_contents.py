# SPDX-License-Identifier: Apache-2.0
"""Tensors whose bytes are not their values, and bytes read in other ways."""

from __future__ import annotations

import numpy as np
import pytest

import tflm_studio as ts
from tests.analysis.coded_models import (
    BLOCK_SCALES,
    BLOCK_VALUES,
    BLOCKS,
    DECODED,
    DECODED_VALUES,
    ENCODED,
    LABELS,
    LUT,
    LUT_VALUES,
    SPARSE,
    SPARSE_VALUES,
    TABLE,
    TEXTS,
    coded_model,
)
from tflm_studio.analysis import compressed_values
from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.analysis.statistics import measure
from tflm_studio.analysis.stored_contents import contents_at
from tflm_studio.formats.compression_metadata import (
    Compression,
    LutTensor,
    encode_compression,
)
from tflm_studio.model.tensor_types import ELEMENT_TYPES
from tflm_studio.schema.enums import TensorType
from tflm_studio.schema.tables import Model, QuantizationParameters


def contents_of(tensor: int, model: Model | None = None) -> BufferContents:
    found = contents_at(model or coded_model(), ("subgraphs", 0, "tensors", tensor))
    assert found is not None
    return found if found.decoding is None else found.decoding()


@pytest.mark.parametrize(
    ("tensor", "wanted"),
    [(SPARSE, SPARSE_VALUES), (LUT, LUT_VALUES), (DECODED, DECODED_VALUES)],
)
def test_values_are_decoded_and_read_only(tensor: int, wanted: np.ndarray) -> None:
    contents = contents_of(tensor)
    assert contents.shape == wanted.shape
    np.testing.assert_array_equal(contents.values().reshape(wanted.shape), wanted)
    at = np.array([3, 0])
    np.testing.assert_array_equal(contents.values_at(at), wanted.reshape(-1)[at])
    assert measure(contents).high == wanted.max()
    assert "read-only" in contents.note
    assert not contents.is_editable


def test_stored_bytes_are_kept_beside_decoded_values() -> None:
    model = coded_model()
    assert bytes(contents_of(LUT, model).all_bytes) == bytes([0b00011011, 0b11100100])
    decoded = contents_of(DECODED, model)
    tensors = model.subgraphs[0].tensors  # type: ignore[index]
    assert decoded.buffer_index == tensors[ENCODED].buffer  # type: ignore[index]
    assert bytes(decoded.all_bytes) == bytes([0b00011011])


def test_texts() -> None:
    contents = contents_of(LABELS)
    assert contents.values().tolist() == TEXTS
    assert contents.values_at(np.array([4, 0])).tolist() == [TEXTS[4], TEXTS[0]]
    assert contents.is_editable


def test_blocks_have_scales_of_their_own_and_are_editable() -> None:
    model = coded_model()
    contents = contents_of(BLOCKS, model)
    wanted = BLOCK_VALUES * np.repeat(BLOCK_SCALES.astype(np.float64), 4, 1)
    np.testing.assert_array_equal(contents.reals().reshape(2, 8), wanted)
    np.testing.assert_array_equal(contents.reals_at(np.array([[5, 9]])), [[-3.0, 2.0]])
    np.testing.assert_array_equal(contents.reals(3, 4), wanted.reshape(-1)[3:7])
    assert contents.is_editable
    q = contents.quantization
    assert q is not None
    assert q.to_stored(-6.0, 8, contents.kind) == -3
    place = f"subgraphs[0].tensors[{BLOCKS}]"
    np.testing.assert_array_equal(ts.values(model, place, real=True), wanted)
    assert contents.channel_axis is None
    assert measure(contents, real=True).high == wanted.max()


def test_what_cannot_be_decoded_says_why() -> None:
    model = coded_model()
    model.subgraphs[0].tensors[SPARSE].shape = [3, 5, 2]  # type: ignore[index]
    with pytest.raises(ts.EditError, match="sparsity makes no sense"):
        contents_of(SPARSE, model)
    model.subgraphs[0].tensors[LABELS].shape = [7]  # type: ignore[index]
    assert "does not fit 5 texts" in contents_of(LABELS, model).note


def test_bytes_are_read_from_an_offset_in_a_shape() -> None:
    model = coded_model()
    unused = contents_at(model, ("buffers", len(model.buffers or []) - 1))
    assert unused is not None
    int16 = ELEMENT_TYPES[TensorType.INT16]
    found = unused.read_as(int16, 4, (3, 5))
    wanted = np.frombuffer(bytes(range(4, 34)), "<i2").reshape(3, 5)
    np.testing.assert_array_equal(found.values().reshape(found.shape), wanted)
    assert (found.first_byte, len(found.all_bytes)) == (4, 40)
    assert "30 are shown" in found.note
    assert unused.read_as(int16, 1).shape == (19,)
    for first, shape, reason in (
        (40, None, "is behind the 40"),
        (36, (3,), "takes 6 bytes"),
        (0, (2, 0), "is no size"),
    ):
        with pytest.raises(ts.EditError, match=reason):
            unused.read_as(int16, first, shape)
    assert unused.read_as(unused.kind) is unused


@pytest.mark.parametrize("bits", [1, 3, 7])
def test_tables_are_looked_up_piece_by_piece(
    monkeypatch: pytest.MonkeyPatch, bits: int
) -> None:
    monkeypatch.setattr(compressed_values, "PIECE", 8)
    model, random = coded_model(), np.random.default_rng(bits)
    tensors, buffers = model.subgraphs[0].tensors, model.buffers  # type: ignore[index]
    assert tensors is not None
    assert buffers is not None
    scales = QuantizationParameters(scale=[1.0] * 3, zero_point=[0] * 3, quantized_dimension=1)
    tensors[LUT].shape, tensors[LUT].quantization = [5, 3, 3], scales
    packed = random.bytes(-(-45 * bits // 8))
    table = random.integers(-128, 128, (3, 1 << bits)).astype(np.int8)
    buffers[tensors[LUT].buffer].data = packed
    buffers[tensors[TABLE].buffer].data = table.tobytes()
    lut = LutTensor(tensor=LUT, value_buffer=tensors[TABLE].buffer, index_bitwidth=bits)
    entry = (model.metadata or [])[0]
    buffers[entry.buffer].data = encode_compression(Compression(1, ((lut,),)))
    each = np.unpackbits(np.frombuffer(packed, np.uint8))[: 45 * bits].reshape(5, 3, 3, bits)
    indices = each @ (1 << np.arange(bits)[::-1])
    wanted = np.stack([table[k][indices[:, k]] for k in range(3)], axis=1)
    np.testing.assert_array_equal(contents_of(LUT, model).values().reshape(5, 3, 3), wanted)
