# SPDX-License-Identifier: Apache-2.0
"""Operators that are rewired under an offline memory plan."""

from __future__ import annotations

import pytest

from tests.editing.indexed_models import PLAN, metadata_bytes
from tests.editing.test_bound_metadata import plan_bytes, plan_of, two_branches, with_metadata
from tflm_studio.editing.document import Document
from tflm_studio.editing.edits import Set
from tflm_studio.editing.operations import set_operator_tensors
from tflm_studio.editing.rewiring import rewired
from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.model.errors import EditError
from tflm_studio.schema.tables import Metadata, Model, Tensor

ADD = 3
SUM_READS = ("subgraphs", 0, "operators", ADD, "inputs")


def planned(*offsets: int) -> Model:
    """a and c of `two_branches` share a place, one after the other."""
    return with_metadata(two_branches(), PLAN, plan_bytes(*(offsets or (0, 64, 128, 64, 192))))


def test_what_lives_longer_takes_its_place_from_another() -> None:
    model = planned()
    document = Document(model)
    before = lay_out(model).tobytes()
    proposal = set_operator_tensors(model, 0, ADD, "inputs", [1, 3])
    assert lay_out(model).tobytes() == before
    assert proposal.notes == (
        f"{PLAN}: offset of tensor 3 removed: it would be in use at the same time as "
        "tensor 1, at the same place.",
    )
    document.do(proposal)
    assert plan_of(model) == [0, 64, 128, -1, 192]
    assert document.history.steps[-1].label == proposal.label != ""
    document.undo()
    assert lay_out(model).tobytes() == before


def test_a_plan_that_fits_is_left_alone() -> None:
    model = planned(0, 64, 128, 256, 192)
    edit = Set(SUM_READS, [1, 3])
    assert rewired(model, [edit]).edits == (edit,)
    assert rewired(two_branches(), [edit]).edits == (edit,)


def test_shared_scratch_memory_drops_the_plan() -> None:
    model = planned(0, 0, 0, 0, 0)
    document = Document(model)
    # The sum reads a: it lives until c, and meets it.
    document.do(rewired(model, [Set(SUM_READS, [1, 3])]))
    assert plan_of(model) is None


def test_a_plan_in_a_buffer_that_others_use_gets_one_of_its_own() -> None:
    model = planned()
    shared = (model.metadata or [])[0].buffer
    model.metadata = [*(model.metadata or []), Metadata("other", shared)]
    buffers = len(model.buffers or [])
    Document(model).do(rewired(model, [Set(SUM_READS, [1, 3])]))
    assert plan_of(model) == [0, 64, 128, -1, 192]
    assert len(model.buffers or []) == buffers + 1
    assert metadata_bytes(model, "other") == plan_bytes(0, 64, 128, 64, 192)


@pytest.mark.parametrize("data", [b"", b"abc", plan_bytes(1, 2)])
def test_what_is_no_plan_is_nobody_s_business(data: bytes) -> None:
    model = with_metadata(two_branches(), PLAN, data)
    edit = Set(SUM_READS, [1, 3])
    assert rewired(model, [edit]).edits == (edit,)


def test_a_refused_edit_leaves_the_model() -> None:
    model = planned()
    before = lay_out(model).tobytes()
    with pytest.raises(EditError):
        rewired(model, [Set(SUM_READS, Tensor())])
    assert lay_out(model).tobytes() == before
