# SPDX-License-Identifier: Apache-2.0
"""Many values changed at once, against plain numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analysis.coded_models import BLOCKS, FILTER, LABELS, SPARSE, coded_model
from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.analysis.stored_contents import contents_at
from tflm_studio.editing.cell_values import (
    import_array,
    parse_block,
    typed_values,
    write_values,
    zero_values,
)
from tflm_studio.editing.document import Document
from tflm_studio.editing.edits import WriteBytes
from tflm_studio.model.errors import EditError
from tflm_studio.model.tensor_types import ELEMENT_TYPES, encode
from tflm_studio.schema.enums import TensorType
from tflm_studio.schema.tables import Buffer, Model, QuantizationParameters, SubGraph, Tensor

KINDS = (
    TensorType.INT2,
    TensorType.UINT4,
    TensorType.INT8,
    TensorType.INT32,
    TensorType.FLOAT16,
)


def contents_of(model: Model, tensor: int = 0) -> BufferContents:
    found = contents_at(model, ("subgraphs", 0, "tensors", tensor))
    assert found is not None
    return found if found.decoding is None else found.decoding()


def holding(kind: int, shape: list[int], data: bytes, **more: object) -> Document:
    tensor = Tensor(name="w", type=kind, shape=shape, buffer=1, **more)  # type: ignore[arg-type]
    buffers = [Buffer(), Buffer(data=data)]
    return Document(Model(version=3, buffers=buffers, subgraphs=[SubGraph(tensors=[tensor])]))


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(KINDS), st.integers(1, 900), st.integers(0, 2**32), st.floats(0, 1))
def test_written_values_are_there_and_no_others(
    code: int, count: int, seed: int, share: float
) -> None:
    random, kind = np.random.default_rng(seed), ELEMENT_TYPES[code]
    low, high = (kind.low, kind.high) if kind.kind == "integer" else (-1000, 1000)
    before, after = random.integers(low, high + 1, (2, count))
    document = holding(code, [count], encode(before, kind))
    old = bytes(document.model.buffers[1].data or b"")  # type: ignore[index]
    indices = random.permutation(np.flatnonzero(random.random(count) < share))
    contents = contents_of(document.model)
    document.do(write_values(document.model, contents, indices, after[indices], "write"))
    wanted = before.copy()
    wanted[indices] = after[indices]
    assert bytes(document.model.buffers[1].data or b"") == encode(wanted, kind)  # type: ignore[index]
    assert len(document.history.steps) == int((wanted != before).any())
    while document.history.can_undo:
        document.undo()
    assert bytes(document.model.buffers[1].data or b"") == old  # type: ignore[index]


def test_values_far_apart_are_written_apart() -> None:
    document = holding(TensorType.INT8, [1_000_000], bytes(1_000_000))
    contents = contents_of(document.model)
    made = write_values(
        document.model, contents, np.array([0, 1, 999_999]), np.array([1, 2, 3])
    )
    assert [(e.offset, e.data) for e in made.edits if isinstance(e, WriteBytes)] == [
        (0, b"\1\2"),
        (999_999, b"\3"),
    ]
    every = np.arange(0, 1_000_000, 100)
    made = write_values(document.model, contents, every, np.ones(len(every), np.int8))
    assert len(made.edits) <= 1025


def test_a_nan_keeps_its_bits_beside_what_is_written() -> None:
    raw = np.array([0x7FA00001, 0], np.uint32).tobytes()
    document = holding(TensorType.FLOAT32, [2], raw)
    contents = contents_of(document.model)
    document.do(write_values(document.model, contents, np.array([1]), np.array([2.0])))
    stored = np.frombuffer(document.model.buffers[1].data, np.uint32)  # type: ignore[index]
    assert stored.tolist() == [0x7FA00001, 0x40000000]


@pytest.mark.parametrize("count", [3, 40])
def test_typed_values_and_reals_agree_with_cells_typed_one_by_one(count: int) -> None:
    model = coded_model()
    contents = contents_of(model, FILTER)
    indices = np.arange(count) + 30  # both channels
    numbers = np.random.default_rng(1).uniform(-20, 20, count)
    texts = [repr(number) for number in numbers.tolist()]
    many = typed_values(contents, indices, texts, real=True)
    for flat, text, stored in zip(indices, texts, many, strict=True):
        (one,) = typed_values(contents, np.array([flat]), [text], real=True)
        assert one == stored
    whole = [str(round(number)) for number in numbers]
    assert typed_values(contents, indices, whole).tolist() == [int(t) for t in whole]


@pytest.mark.parametrize("count", [4, 50])
@pytest.mark.parametrize(
    ("bad", "reason"),
    [("abc", "not a whole number"), ("200", "does not fit int8"), ("", "not")],
)
def test_the_cell_that_cannot_be_pasted_is_named(count: int, bad: str, reason: str) -> None:
    texts = ["1"] * count
    texts[2] = bad
    with pytest.raises(EditError, match=rf"\[0, 0, 0, 2\]: .*{reason}"):
        typed_values(contents_of(coded_model(), FILTER), np.arange(count), texts)


def test_zero_is_the_zero_point_of_the_channel() -> None:
    q = QuantizationParameters(scale=[1.0, 2.0], zero_point=[3, 300], quantized_dimension=0)
    document = holding(TensorType.INT8, [2, 2], bytes(4), quantization=q)
    zeros = zero_values(contents_of(document.model), np.array([0, 1, 3]))
    assert zeros.tolist() == [3, 3, 127]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("1\t2\r\n3\t4\r\n", [["1", "2"], ["3", "4"]]),
        ("1, 2, 3\n", [["1", "2", "3"]]),
        ("1 2\n3 4", [["1", "2"], ["3", "4"]]),
        ("[[1, 2],\n [3, 4]]", [["1", "2"], ["3", "4"]]),
        ("a\t\nb\tc", [["a", ""], ["b", "c"]]),
    ],
)
def test_blocks_of_spreadsheets_and_texts(text: str, rows: list[list[str]]) -> None:
    assert parse_block(text) == rows


def test_a_ragged_or_empty_block_is_refused() -> None:
    with pytest.raises(EditError, match="Line 2 of what is pasted has 1 value, the first 2"):
        parse_block("1\t2\n3")
    with pytest.raises(EditError, match="no values to paste"):
        parse_block("\n")


def test_texts_are_changed_and_taken_back() -> None:
    document = Document(coded_model())
    contents = contents_of(document.model, LABELS)
    old = bytes(contents.all_bytes)
    new = typed_values(contents, np.array([1]), ["a longer text"])
    document.do(write_values(document.model, contents, np.array([1]), new, "type"))
    assert contents_of(document.model, LABELS).values().tolist()[1] == b"a longer text"
    document.undo()
    assert bytes(contents_of(document.model, LABELS).all_bytes) == old


def test_decoded_values_are_not_written() -> None:
    model = coded_model()
    contents = contents_of(model, SPARSE)
    with pytest.raises(EditError, match="read-only"):
        write_values(model, contents, np.array([0]), np.array([1.0]))


def test_arrays_are_imported_or_refused() -> None:
    document = Document(coded_model())
    contents = contents_of(document.model, BLOCKS)
    block = np.arange(16).reshape(2, 8) - 8
    new = block[::-1]
    document.do(import_array(document.model, contents, new))
    found = contents_of(document.model, BLOCKS)
    np.testing.assert_array_equal(found.values().reshape(2, 8), new)
    document.do(import_array(document.model, found, found.reals() * 0, real=True))
    assert not contents_of(document.model, BLOCKS).values().any()
    for array, reason in (
        (block.reshape(8, 2), "8×2 values, here are 2×8"),
        (
            block + 100,
            r"\[0, 0\]: 92 does not fit int4, which holds whole numbers from -8 to 7",
        ),
        (block + 0.5, r"\[0, 0\]: -7.5 does not fit int4"),
        (np.full((2, 8), "a"), "holds <U1, here is int4"),
    ):
        with pytest.raises(EditError, match=reason):
            import_array(document.model, contents, array)


def test_the_ends_of_64_bits_are_exact() -> None:
    for kind, beyond, inside in (
        (TensorType.INT64, 2.0**63, 2.0**62),
        (TensorType.UINT64, 2.0**64, 2.0**63 + 2.0**12),
    ):
        document = holding(kind, [2], bytes(16))
        contents = contents_of(document.model)
        with pytest.raises(EditError, match=r"\[1\]: .* does not fit"):
            import_array(document.model, contents, np.array([0, beyond]))
        document.do(import_array(document.model, contents, np.array([0, inside])))
        assert contents_of(document.model).values().tolist() == [0, int(inside)]
        top = contents.kind.high
        typed = typed_values(contents, np.arange(2), ["1", str(top)])
        document.do(write_values(document.model, contents, np.arange(2), typed))
        assert contents_of(document.model).values().tolist() == [1, top]


def test_a_type_without_infinities_takes_none() -> None:
    document = holding(TensorType.FLOAT8_E4M3FN, [2], bytes(2))
    contents = contents_of(document.model)
    with pytest.raises(EditError, match="does not fit float8"):
        import_array(document.model, contents, np.array([0, np.inf]))
    with pytest.raises(EditError, match="does not fit float8"):
        typed_values(contents, np.array([0]), ["inf"])
    assert np.isnan(typed_values(contents, np.array([0]), ["nan"]))


def test_the_same_texts_are_no_change() -> None:
    model = coded_model()
    contents = contents_of(model, LABELS)
    assert not import_array(model, contents, contents.values()).edits
