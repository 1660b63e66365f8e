# SPDX-License-Identifier: Apache-2.0

import struct

import pytest

from tests.editing.small_models import bytes_of, diamond, do
from tflm_studio.editing import metadata_entries as entries
from tflm_studio.editing import offline_offsets
from tflm_studio.model.errors import EditError
from tflm_studio.schema.tables import Buffer, Metadata, Model, SubGraph, Tensor


def content(model: Model) -> dict[str | None, bytes]:
    return {e.name: entries.extract(model, k) for k, e in enumerate(model.metadata or [])}


def test_an_entry_comes_and_goes_with_its_buffer() -> None:
    model = diamond()
    do(model, entries.add(model, "notes", b"abc"))
    assert content(model)["notes"] == b"abc"
    assert len(model.buffers) == 4
    do(model, entries.delete(model, 0))
    assert content(model) == {"notes": b"abc"}
    assert len(model.buffers) == 3, "that of the deleted entry"


def test_the_first_entry_of_a_model_without_lists() -> None:
    model = Model(subgraphs=[SubGraph([Tensor()])])
    do(model, entries.add(model, "notes", b"abc"))
    assert [bytes(b.data or b"") for b in model.buffers] == [b"", b"abc"]


def test_a_shared_buffer_stays_as_it_is() -> None:
    model = diamond()
    model.metadata.append(Metadata("shared", 1))
    made = entries.replace(model, 1, b"new")
    assert "buffer of its own" in made.notes[0]
    do(model, made)
    assert content(model)["shared"] == b"new"
    assert bytes(model.buffers[1].data) == b"\0\0\x80\x3f" * 4
    model.metadata[1].buffer = 1
    made = entries.delete(model, 1)
    assert made.notes == ("Buffer 1 stays; it is not used by this entry alone.",)
    do(model, made)
    assert len(model.buffers) == 4


def test_an_own_buffer_is_written_to_and_comes_inside() -> None:
    model = diamond()
    model.buffers[2].offset, model.buffers[2].size = 1, 16
    do(model, entries.replace(model, 0, b"1.2"))
    assert (len(model.buffers), model.buffers[2].offset) == (3, 0)
    assert content(model)["min_runtime_version"] == b"1.2"


def test_text_is_read_and_written_in_its_form() -> None:
    model = diamond()
    assert entries.text_of(model, 0) == "1.14.0"
    do(model, entries.edit_as_text(model, 0, "2.3.0"))
    assert content(model)["min_runtime_version"] == b"2.3.0".ljust(16, b"\0")
    do(model, entries.add(model, "words", "wörter".encode()))
    do(model, entries.edit_as_text(model, 1, "ä" * 40))
    assert entries.text_of(model, 1) == "ä" * 40
    do(model, entries.rename(model, 1, "other"))
    assert list(content(model)) == ["min_runtime_version", "other"]
    assert not entries.rename(model, 1, "other").edits


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (lambda m: entries.add(m, "", b""), "needs a name"),
        (lambda m: entries.add(m, "binary", b""), "'binary' already"),
        (lambda m: entries.replace(m, 3, b""), "no metadata entry 3; the last is 2"),
        (lambda m: entries.rename(m, 0, "binary"), "'binary' already"),
        (lambda m: entries.rename(m, 0, ""), "needs a name"),
        (lambda m: entries.delete(m, -1), "no metadata entry -1"),
        (lambda m: entries.extract(m, 2), "no buffer 99"),
        (lambda m: entries.text_of(m, 1), "'binary' is not text: byte 1"),
        (lambda m: entries.edit_as_text(m, 1, "x"), "is not text"),
        (lambda m: entries.edit_as_text(m, 0, "1" * 16), "15 bytes at most"),
        (lambda m: entries.edit_as_text(m, 0, "\ud800"), "Character 1"),
    ],
)
def test_refusals(step, reason: str) -> None:
    model = diamond()
    model.metadata += [Metadata("binary", 3), Metadata("gone", 99)]
    model.buffers.append(Buffer(data=b"a\xffb"))
    before = bytes_of(model)
    with pytest.raises(EditError, match=reason):
        step(model)
    assert bytes_of(model) == before


def test_zeros_in_the_middle_are_no_text() -> None:
    model = diamond()
    do(model, entries.replace(model, 0, b"a\0b\0"))
    with pytest.raises(EditError, match="byte 1 is zero"):
        entries.text_of(model, 0)


# ------------------------------------------------------------------ the offline plan


def test_a_plan_is_made_read_and_changed() -> None:
    model = diamond()
    assert offline_offsets.planned_tensors(model) == []
    offsets = [-1, 0, 16, *[-1] * 6]
    do(model, offline_offsets.set_offsets(model, offsets))
    assert content(model)["OfflineMemoryAllocation"] == struct.pack("<12i", 1, 1, 9, *offsets)
    assert offline_offsets.planned_tensors(model)[2] == (0, 2, 16)
    offsets[2] = 32
    do(model, offline_offsets.set_offsets(model, offsets, version=2, subgraph_count=3))
    assert offline_offsets.find_plan(model).offsets == tuple(offsets)
    do(model, offline_offsets.unplan(model, 0, [1, 3]))
    assert [p.offset for p in offline_offsets.planned_tensors(model)][:3] == [-1, -1, 32]
    assert not offline_offsets.unplan(model, 0, [1, 3]).edits


@pytest.mark.parametrize(
    ("offsets", "reason"),
    [
        ([-1] * 8, "needs 9 offsets, one per tensor, not 8"),
        ([-1] * 8 + [8], "Offset 8 of tensor 8 of subgraph 0"),
        ([-2] + [-1] * 8, "Offset -2"),
        ([2**31] + [-1] * 8, "Offset 2147483648"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(offsets: list[int], reason: str) -> None:
    with pytest.raises(EditError, match=reason):
        offline_offsets.set_offsets(diamond(), offsets)


def test_a_plan_for_other_tensors_is_told_and_left_alone() -> None:
    model = diamond()
    do(model, entries.add(model, "OfflineMemoryAllocation", struct.pack("<4i", 1, 1, 1, 0)))
    with pytest.raises(EditError, match="it plans 1 tensors, the model has 9"):
        offline_offsets.planned_tensors(model)
    assert not offline_offsets.unplan(model, 0, [0]).edits
    with pytest.raises(EditError, match="does not fit"):
        offline_offsets.set_offsets(model, [-1] * 9, version=2**31)
