# SPDX-License-Identifier: Apache-2.0
"""Offline plans made, moved, checked and taken away."""

from __future__ import annotations

from pathlib import Path

import pytest

import tflm_studio as ts
from tests.analysis.test_memory_plan import chain
from tests.conftest import SAMPLES, every, readable_models
from tflm_studio.analysis.arena_buffers import PlanError
from tflm_studio.analysis.memory_plan import plan_memory
from tflm_studio.editing.document import Document
from tflm_studio.editing.offline_offsets import find_plan, set_offsets
from tflm_studio.editing.offline_planning import (
    move_tensor,
    offline_plan,
    offline_problems,
    remove_offline_plan,
)
from tflm_studio.schema.tables import Model, SubGraph, Tensor


@pytest.fixture
def document() -> Document:
    return Document(chain(100, 40, 200, 8))


def offsets_of(document: Document) -> tuple[int, ...]:
    plan = find_plan(document.model)
    assert plan is not None
    return plan.offsets


def test_make_and_remove() -> None:
    document = Document.open(SAMPLES / "shapes_int8.tflite")
    before = plan_memory(document.model)
    document.do(offline_plan(document.model))
    after = plan_memory(document.model)
    assert after.offset.tolist() == before.offset.tolist()
    assert (after.buffers.offline >= 0).all()
    assert offline_problems(document.model) == []
    document.do(remove_offline_plan(document.model))
    with pytest.raises(ts.EditError, match="no offline memory plan"):
        remove_offline_plan(document.model)
    assert find_plan(document.model) is None
    assert len(document.history.steps) == 2
    document.undo()
    document.undo()
    assert (
        ts.formats.model_file.encode(document.model).tobytes()
        == (SAMPLES / "shapes_int8.tflite").read_bytes()
    )


def test_a_plan_is_made_anew_in_place_of_another(document: Document) -> None:
    document.do(set_offsets(document.model, [0, 4096, 16384, 0]))
    document.do(offline_plan(document.model))
    assert offsets_of(document) == (0, 208, 0, 208)


def test_a_tensor_is_moved_where_there_is_room(document: Document) -> None:
    document.do(offline_plan(document.model))
    document.do(move_tensor(document.model, 0, 3, 4096))
    assert offsets_of(document) == (0, 208, 0, 4096)
    assert plan_memory(document.model).head == 4112
    document.do(move_tensor(document.model, 0, 3, -1))
    assert offsets_of(document)[3] == -1
    assert not move_tensor(document.model, 0, 3, -1).edits


@pytest.mark.parametrize(
    ("tensor", "offset", "reason"),
    [
        (1, 96, "would lie over tensor 0, which is in use"),
        (3, 8, "multiple of 16"),
        (3, -16, "multiple of 16"),
        (3, 2**31, "multiple of 16"),
        (9, 0, "There is no tensor 9"),
    ],
)
def test_a_place_that_is_none_is_refused(
    document: Document, tensor: int, offset: int, reason: str
) -> None:
    document.do(offline_plan(document.model))
    with pytest.raises(ts.EditError, match=reason):
        move_tensor(document.model, 0, tensor, offset)


def test_without_a_plan_nothing_is_moved(document: Document) -> None:
    with pytest.raises(ts.EditError, match="make one first"):
        move_tensor(document.model, 0, 0, 16)


def test_problems_are_named(document: Document) -> None:
    assert offline_problems(document.model) == []
    document.do(set_offsets(document.model, [0, 96, -1, -1]))
    assert offline_problems(document.model) == [
        "tensor 0 and tensor 1 are in use at the same time, at the same place."
    ]
    document.model.subgraphs[0].tensors.append(Tensor(shape=[1]))
    assert "plans 4 tensors, the model has 5" in offline_problems(document.model)[0]
    with pytest.raises(PlanError, match="plans 4 tensors"):
        plan_memory(document.model)


def test_there_is_nothing_to_plan() -> None:
    with pytest.raises(ts.EditError, match="there is no plan"):
        offline_plan(Model(subgraphs=[SubGraph(tensors=[])]))


def test_plans_of_real_models_hold(models_folder: Path) -> None:
    for path in every(12, readable_models(models_folder)):
        document = Document.open(path)
        try:
            proposal = offline_plan(document.model)
            before = plan_memory(document.model).head
        except (ts.EditError, PlanError):
            continue
        if find_plan(document.model) is not None:
            continue
        document.do(proposal)
        assert plan_memory(document.model).head == before, path
        assert offline_problems(document.model) == [], path
