# SPDX-License-Identifier: Apache-2.0

import contextlib
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tflm_studio as ts
from tests.editing.interpreted import Job, run_jobs
from tests.editing.small_models import (
    aliases,
    bytes_of,
    diamond,
    do,
    looping,
    names,
    streaming,
)
from tflm_studio.editing import offline_offsets, surgeries
from tflm_studio.editing.edits import Set
from tflm_studio.model.errors import EditError
from tflm_studio.schema.tables import Model, SubGraph


def made_by(model: Model) -> list[str | None]:
    """Names of what the operators of the main subgraph make."""
    tensors = model.subgraphs[0].tensors
    return [
        tensors[o.outputs[0]].name if o.outputs else None for o in model.subgraphs[0].operators
    ]


def test_a_model_that_ends_earlier_has_only_what_it_needs() -> None:
    model = diamond()
    made = surgeries.truncate_after(model, 0, 1)
    do(model, made)
    assert names(model, "tensors") == ["t0", "t1", "t2", "t3"]
    assert names(model, "inputs") == ["t1"]
    assert names(model, "outputs") == ["t3"]
    assert aliases(model) == {"inputs": [("in_1", "t1")], "outputs": [("t3", "t3")]}
    assert "No input any more: tensor 7 t7." in made.notes
    assert "4 operators removed." in made.notes
    assert len(model.operator_codes) == 8, "unused before, so it stays"


def test_a_model_that_begins_later_asks_for_what_it_needs() -> None:
    model = diamond()
    do(model, surgeries.truncate_before(model, 0, 4))
    assert names(model, "tensors") == ["t0", "t5", "t6"]
    assert aliases(model) == {"inputs": [("t5", "t5")], "outputs": [("out_6", "t6")]}


def test_the_other_branch_becomes_an_input_or_the_cut_is_refused() -> None:
    model = diamond()
    made = surgeries.truncate_before(model, 0, 3)
    assert not any("as well" in note for note in made.notes), "both are its own inputs"
    made = surgeries.truncate_before(model, 0, 2)
    assert "Needed from there on, and an input as well: tensor 3 t3." in made.notes
    assert "No output any more: tensor 8 t8." in made.notes
    do(model, made)
    assert names(model, "inputs") == ["t2", "t3"]
    assert made_by(model) == ["t4", "t5", "t6"]
    with pytest.raises(EditError, match="needs tensor 3 t3 as well"):
        surgeries.truncate_before(diamond(), 0, 2, more_inputs=False)


def test_what_depends_on_no_input_stays() -> None:
    model = diamond()
    model.subgraphs[0].operators[1].inputs = [0, 0]
    do(model, surgeries.truncate_before(model, 0, 2))
    assert names(model, "inputs") == ["t2"]
    assert made_by(model) == ["t3", "t4", "t5", "t6"]


def test_variables_keep_what_sets_them() -> None:
    model = streaming()
    do(model, surgeries.truncate_after(model, 0, 3))
    assert made_by(model) == [None, "t2", "t3", "t4", None]
    assert len(model.subgraphs) == 2
    model = streaming()
    do(model, surgeries.truncate_after(model, 0, 6))
    assert made_by(model) == ["t6"]
    assert len(model.subgraphs) == 1, "nothing is left that it would set up"


def test_tensors_that_live_longer_lose_their_planned_offsets() -> None:
    model = diamond()
    do(model, offline_offsets.set_offsets(model, [-1, 0, 16, 32, 48, 64, 80, 96, 112]))
    made = surgeries.truncate_after(model, 0, 1)
    do(model, made)
    found = [planned.offset for planned in offline_offsets.planned_tensors(model)]
    assert found == [-1, 0, 16, -1]
    assert any("tensor 3 planned online" in note for note in made.notes)
    data = bytes(model.buffers[model.metadata[1].buffer].data)
    assert struct.unpack_from("<3i", data) == (1, 1, 4)


def test_cutting_at_the_ends_changes_nothing() -> None:
    model = looping()
    assert surgeries.truncate_after(model, 0, 2).edits == ()
    assert surgeries.truncate_before(model, 0, 0).edits == ()


@pytest.mark.parametrize(
    ("make", "step", "reason"),
    [
        (diamond, lambda m: surgeries.truncate_after(m, 0, 6), "no operator 6; the last is 5"),
        (diamond, lambda m: surgeries.truncate_before(m, 1, 0), "no subgraph 1"),
        (streaming, lambda m: surgeries.truncate_after(m, 0, 4), "AssignVariable 4 makes no"),
        (streaming, lambda m: surgeries.truncate_before(m, 0, 2), "ReadVariable 2 is given"),
        (streaming, lambda m: surgeries.truncate_before(m, 0, 4), "No output of the subgraph"),
        (looping, lambda m: surgeries.truncate_before(m, 1, 0), None),
    ],
)
def test_refusals(make: Any, step: Any, reason: str | None) -> None:
    model = make()
    before = bytes_of(model)
    if reason is None:
        assert step(model).edits == ()
        return
    with pytest.raises(EditError, match=reason):
        step(model)
    assert bytes_of(model) == before


def test_a_subgraph_that_is_run_keeps_its_ends() -> None:
    model = looping()
    do(model, Set("subgraphs[2].outputs", [1]))
    with pytest.raises(EditError, match="Subgraph 2 is run by subgraph 0, While 1"):
        surgeries.truncate_after(model, 2, 0)


def test_senseless_graphs_are_cut_or_refused() -> None:
    model = diamond()
    operators = model.subgraphs[0].operators
    operators[0].inputs, operators[1].inputs = [6, -1, 99], None
    operators[5].outputs = [99]
    before = bytes_of(model)
    for index in range(6):
        for cut in (surgeries.truncate_after, surgeries.truncate_before):
            with contextlib.suppress(EditError):
                do(model, cut(model, 0, index)).go_to(0)
            assert bytes_of(model) == before
    with pytest.raises(EditError, match="there are none"):
        surgeries.truncate_after(Model(subgraphs=[SubGraph()]), 0, 0)


# ------------------------------------------------------------------ with interpreters

CASES = (
    ("mlcommons__tiny/pretrainedResnet_quant.tflite", 8, "micro"),
    ("esphome__micro-wake-word-models/vad.tflite", 10, "micro"),
    ("esphome__micro-wake-word-models/okay_nabu.tflite", 30, "lite"),
    ("google-ai-edge__LiteRT/multi_subgraphs_while.bin", 0, "micro"),
    ("tensorflow__tflite-micro/keyword_scrambled_8bit.tflite", 7, "micro"),
)


def test_the_parts_compute_what_the_whole_computes(models_folder: Path) -> None:
    wholes, afters, befores = [], [], []
    for name, index, engine in CASES:
        path = models_folder / name
        model, ended, begun = (ts.load_model_from_file(path) for _ in range(3))
        tensors = list(begun.subgraphs[0].tensors)
        do(ended, surgeries.truncate_after(ended, 0, index))
        ts.Document(begun).do(surgeries.truncate_before(begun, 0, index))
        fed = [tensors.index(begun.subgraphs[0].tensors[t]) for t in begun.subgraphs[0].inputs]
        made = list(model.subgraphs[0].operators[index].outputs)
        wholes.append(Job(model, 3, (*made, *fed), engine))
        kept = [names(model, "inputs").index(n) for n in names(ended, "inputs")]
        afters.append((ended, kept, len(made)))
        befores.append(begun)
    # All tensors are looked at, so that what is made is not overwritten.
    runs = run_jobs(wholes)
    assert None not in runs
    jobs = []
    for job, run, (ended, kept, count), begun in zip(
        wholes, runs, afters, befores, strict=True
    ):
        jobs.append(Job(ended, [run.inputs[k] for k in kept], (), job.engine))
        jobs.append(Job(begun, run.tensors[count:], (), job.engine))
    found = run_jobs(jobs)
    for (name, *_), run, ended, begun, (*_, count) in zip(
        CASES, runs, found[::2], found[1::2], afters, strict=True
    ):
        assert_same(name, ended, run.tensors[:count])
        assert_same(name, begun, run.outputs)
        assert any(np.any(output) for output in run.outputs), f"{name}: zeros prove nothing"


def assert_same(name: str, run: Any, expected: list[Any]) -> None:
    assert run is not None, name
    assert len(run.outputs) == len(expected)
    for a, b in zip(run.outputs, expected, strict=True):
        assert np.array_equal(a.ravel(), b.ravel()), name
