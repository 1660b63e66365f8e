# SPDX-License-Identifier: Apache-2.0

import dataclasses
from pathlib import Path

import pytest

import tflm_studio as ts
from tests.conftest import SAMPLES
from tests.editing.small_models import bytes_of, diamond
from tflm_studio.editing import surgeries
from tflm_studio.editing.edits import Set
from tflm_studio.editing.previews import compare, preview
from tflm_studio.editing.proposal import Proposal
from tflm_studio.model.errors import EditError


def test_a_preview_counts_and_names_what_goes_and_comes() -> None:
    model = diamond()
    before = bytes_of(model)
    made = surgeries.truncate_after(model, 0, 1)
    found = preview(model, made)
    assert bytes_of(model) == before
    assert found.before.counts | found.after.counts == found.after.counts
    assert (found.before.counts["operators"], found.after.counts["operators"]) == (6, 2)
    assert (found.before.counts["tensors"], found.after.counts["tensors"]) == (9, 4)
    assert found.removed_tensors == ("t4", "t5", "t6", "t7", "t8")
    assert found.removed_operators == ("Add 't4'", "Add 't5'", "Add 't6'", "Add 't8'")
    assert found.added_operators == found.added_tensors == ()
    assert found.notes == made.notes
    assert found.before.file_bytes == len(before)
    ts.Document(model).do(made)
    assert found.after.file_bytes == len(bytes_of(model))


def test_a_part_is_compared_with_the_whole() -> None:
    model = diamond()
    part = surgeries.extract(model, 0, range(2))
    found = compare(model, part.model, part.notes)
    assert (found.before.counts["operators"], found.after.counts["operators"]) == (6, 2)
    assert len(found.removed_operators) == 4
    assert found.added_operators == found.added_tensors == ()
    assert found.after.file_bytes == len(bytes_of(part.model))
    assert found.notes == part.notes


def test_what_comes_is_named_and_a_copy_is_neither() -> None:
    model = surgeries.extract(diamond(), 0, range(5)).model
    found = preview(model, surgeries.append_model(model, model))
    assert len(found.added_operators) == 5
    assert found.removed_operators == ()
    copies = Set("subgraphs[0].tensors", model.subgraphs[0].tensors)
    found = preview(model, Proposal((copies,)))
    assert found.added_tensors == found.removed_tensors == ()


@pytest.mark.parametrize("name", ["sine_int8.tflite", "shapes_int8.tflite"])
def test_the_size_is_that_of_the_file_that_is_saved(name: str, tmp_path: Path) -> None:
    document = ts.Document.open(SAMPLES / name)
    size = (SAMPLES / name).stat().st_size
    narrow = preview(document.model, Proposal((Set("subgraphs[0].tensors[0].shape[0]", 1),)))
    assert (narrow.before.file_bytes, narrow.after.file_bytes) == (size, size)
    made = surgeries.strip_names(document.model)
    found = preview(document.model, made)
    assert found.before.file_bytes == size
    document.do(made)
    document.save_as(tmp_path / name)
    assert found.after.file_bytes == (tmp_path / name).stat().st_size


def test_a_model_that_could_not_be_saved_says_so() -> None:
    model = ts.load_model_from_file(SAMPLES / "sine_int8.tflite")
    edits = [
        Set("buffers[1].data", None),
        Set("buffers[1].offset", 16),
        Set("buffers[1].size", 16),
    ]
    found = preview(model, Proposal(tuple(edits), ("told",)))
    assert found.after.file_bytes is None
    assert found.notes[0] == "told"
    assert found.notes[1].startswith("It could not be saved: Buffer 1")


def test_a_change_that_cannot_be_done_is_refused() -> None:
    model = diamond()
    before = bytes_of(model)
    with pytest.raises(EditError):
        preview(model, Proposal((Set("description", "x"), Set("nothing", 1))))
    assert bytes_of(model) == before
    assert dataclasses.is_dataclass(preview(model, Proposal()))
