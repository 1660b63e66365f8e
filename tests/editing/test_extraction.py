# SPDX-License-Identifier: Apache-2.0

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tflm_studio as ts
from tests.conftest import every, readable_models
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
from tflm_studio.editing import metadata_entries, surgeries
from tflm_studio.formats.compression_metadata import (
    Compression,
    LutTensor,
    encode_compression,
    parse_compression,
)
from tflm_studio.model.errors import EditError
from tflm_studio.model.metadata_content import metadata_content
from tflm_studio.schema.structure import OpaqueMember
from tflm_studio.schema.tables import AssociatedFile, Buffer, Metadata, Operator


def test_a_selection_has_the_edges_that_are_cut_as_ends(tmp_path: Path) -> None:
    model = diamond()
    before = bytes_of(model)
    found = surgeries.extract(model, 0, [2, 1])
    assert bytes_of(model) == before
    part = found.model
    assert names(part, "tensors") == ["t0", "t2", "t3", "t4"]
    assert aliases(part) == {
        "inputs": [("t2", "t2")],
        "outputs": [("t3", "t3"), ("t4", "t4")],
    }
    assert len(part.operator_codes) == 1
    assert [bytes(b.data or b"") for b in part.buffers][1:] == [
        b"\0\0\x80\x3f" * 4,
        b"1.14.0".ljust(16, b"\0"),
    ]
    assert (part.version, part.description) == (3, "Part of made")
    assert found.notes == (
        "Its inputs: tensor 1 t2.",
        "Its outputs: tensor 2 t3, tensor 3 t4.",
    )
    ts.save_model_to_file(part, tmp_path / "part.tflite")
    part.subgraphs[0].tensors[0].name = "changed"
    assert bytes_of(model) == before


def test_variables_bring_what_makes_and_sets_them() -> None:
    found = surgeries.extract(streaming(), 0, [2, 3])
    main = found.model.subgraphs[0]
    assert [len(o.outputs) for o in main.operators] == [0, 1, 1, 1]
    assert found.notes[0].startswith(
        "Extracted as well, for the variables: subgraph 0, CallOnce"
    )
    assert names(found.model, "inputs") == ["t1"]
    assert len(found.model.subgraphs) == 2


def test_subgraphs_that_are_run_come_along_and_others_do_not() -> None:
    found = surgeries.extract(looping(), 0, [1])
    assert [s.name for s in found.model.subgraphs] == ["main", "condition", "body"]
    body = surgeries.extract(looping(), 2, [0])
    assert [s.name for s in body.model.subgraphs] == ["body"]
    assert body.model.signature_defs is None


def test_metadata_that_is_true_no_more_stays_behind() -> None:
    model = diamond()
    do(model, metadata_entries.add(model, "vela_version", b"3"))
    model.metadata.append(Metadata("COMPRESSION_METADATA", 4))
    luts = ((LutTensor(3, 5, 4), LutTensor(6, 5, 4)),)
    model.buffers += [
        Buffer(data=encode_compression(Compression(1, luts))),
        Buffer(data=b"table"),
    ]
    model.associated_files = [AssociatedFile("labels.txt", b"a")]
    found = surgeries.extract(model, 0, [1])
    assert "Metadata that stayed behind: 'vela_version'." in found.notes
    assert "1 associated file stayed behind." in found.notes
    entry = found.model.metadata[1]
    left = parse_compression(metadata_content(found.model, entry)).subgraphs[0]
    assert [(names(found.model, "tensors")[lut.tensor]) for lut in left] == ["t3"]
    assert bytes(found.model.buffers[left[0].value_buffer].data) == b"table"


def test_bytes_outside_come_inside() -> None:
    model = diamond()
    model.buffers[1].offset, model.buffers[1].size = 1, 16
    part = surgeries.extract(model, 0, [0]).model
    assert [(b.offset, b.size) for b in part.buffers] == [(0, 0)] * 3


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (lambda m: surgeries.extract(m, 0, []), "none is chosen"),
        (lambda m: surgeries.extract(m, 0, [0, 7]), "no operator 7; the last is 6"),
        (lambda m: surgeries.extract(m, 2, [0]), "no subgraph 2"),
        (lambda m: surgeries.extract(m, 0, [0]), "no tensor that could be an output"),
    ],
)
def test_refusals(step: Any, reason: str) -> None:
    model = streaming()
    before = bytes_of(model)
    with pytest.raises(EditError, match=reason):
        step(model)
    assert bytes_of(model) == before


def test_options_nobody_can_read_cannot_leave_their_file() -> None:
    model = diamond()
    model.subgraphs[0].operators[0].builtin_options = OpaqueMember(200, 40)
    with pytest.raises(EditError, match="Add 0: builtin_options is of a kind"):
        surgeries.extract(model, 0, [0])
    surgeries.extract(model, 0, [1])


def test_an_operator_that_names_no_code_is_taken_as_it_is() -> None:
    model = diamond()
    model.subgraphs[0].operators.append(Operator(99, [6, 42], [3]))
    part = surgeries.extract(model, 0, [6]).model
    assert names(part, "inputs") == ["t6"]
    assert part.subgraphs[0].operators[0].opcode_index >= len(part.operator_codes)


def test_whole_models_give_the_same(models_folder: Path) -> None:
    paths = [p for p in readable_models(models_folder) if p.stat().st_size < 60_000]
    paths = every(40, paths[7:])
    paths.append(models_folder / "esphome__micro-wake-word-models" / "vad.tflite")
    jobs, chosen = [], []
    for path in paths:
        model = ts.load_model_from_file(path)
        count = len(model.subgraphs[0].operators or []) if model.subgraphs else 0
        if not count:
            continue
        chosen.append(path)
        jobs += [Job(model, 9), Job(surgeries.extract(model, 0, range(count)).model, 9)]
    found = run_jobs(jobs)
    ran = 0
    for path, whole, part in zip(chosen, found[::2], found[1::2], strict=True):
        assert (whole is None) == (part is None), path
        if whole is not None and part is not None:
            ran += 1
            for a, b in zip(whole.outputs, part.outputs, strict=True):
                assert a.tobytes() == b.tobytes(), path
    assert ran > 4


def test_halves_of_a_model_one_after_the_other_give_the_whole(models_folder: Path) -> None:
    path = models_folder / "mlcommons__tiny" / "pretrainedResnet_quant.tflite"
    model = ts.load_model_from_file(path)
    count = len(model.subgraphs[0].operators)
    head = surgeries.extract(model, 0, range(8)).model
    tail = surgeries.extract(model, 0, range(8, count)).model
    assert names(head, "outputs") == names(tail, "inputs")
    whole, first = run_jobs([Job(model, 2), Job(head, 2)])
    assert whole is not None
    assert first is not None
    (second,) = run_jobs([Job(tail, first.outputs)])
    assert second is not None
    assert np.array_equal(second.outputs[0], whole.outputs[0])
