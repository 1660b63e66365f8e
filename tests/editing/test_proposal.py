# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

import tflm_studio as ts
from tests.conftest import SAMPLES
from tflm_studio.editing.edits import Set
from tflm_studio.editing.proposal import Draft, Proposal, in_sequence
from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.schema.tables import Buffer

SAMPLE = SAMPLES / "sine_int8.tflite"


def test_a_draft_is_put_back_and_its_steps_are_one() -> None:
    document = ts.Document.open(SAMPLE)
    model = document.model
    before, count = lay_out(model).tobytes(), len(model.buffers)
    with Draft(model) as draft:
        draft.do(ts.renumbering.insert_items(model, "buffers", count, [Buffer(data=b"abcd")]))
        draft.do([Set("subgraphs[0].tensors[1].buffer", len(model.buffers) - 1)])
        draft.note("said", "said")
        draft.note("said")
        assert model.subgraphs[0].tensors[1].buffer == count
    assert lay_out(model).tobytes() == before
    proposal = draft.proposal("a buffer of its own")
    assert proposal.notes == ("said",)
    assert document.do(proposal)
    assert document.history.steps[0].label == "a buffer of its own"
    assert model.subgraphs[0].tensors[1].buffer == count
    document.undo()
    assert lay_out(model).tobytes() == before


def test_a_refused_draft_leaves_the_model() -> None:
    model = ts.load_model_from_file(SAMPLE)
    before = lay_out(model).tobytes()

    def try_it() -> None:
        with Draft(model) as draft:
            draft.do(Set("description", "other"))
            draft.do(Set("nothing", 1))

    with pytest.raises(ts.EditError, match="no field"):
        try_it()
    assert lay_out(model).tobytes() == before


def test_a_proposal_keeps_its_label_in_sequence() -> None:
    model = ts.load_model_from_file(SAMPLE)
    made = in_sequence(
        model, lambda _: Proposal((Set("description", "a"),), ("one",)), label="both"
    )
    assert (made.label, made.notes, len(made.edits)) == ("both", ("one",), 1)
    assert made.labelled("other").label == "other"


def test_what_a_draft_took_away_comes_back_itself() -> None:
    model = ts.load_model_from_file(SAMPLE)
    operators = list(model.subgraphs[0].operators)
    before = lay_out(model).tobytes()
    with Draft(model) as draft:
        assert not draft.has_steps
        draft.do(ts.renumbering.remove_items(model, "subgraphs[0].operators", [0]))
        assert draft.has_steps
    assert all(a is b for a, b in zip(model.subgraphs[0].operators, operators, strict=True))
    assert lay_out(model).tobytes() == before


def test_notes_before_those_of_a_proposal_each_once() -> None:
    made = Proposal((), ("b", "c"), "label").preceded_by(["a", "b"])
    assert (made.notes, made.label) == (("a", "b", "c"), "label")
