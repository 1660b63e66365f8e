# SPDX-License-Identifier: Apache-2.0

import time
from pathlib import Path

import tflm_studio as ts
from tests.conftest import SAMPLES, every, readable_models
from tests.editing.interpreted import Job, run_jobs
from tests.editing.small_models import bytes_of, diamond, do, looping, names
from tflm_studio.analysis.unused import unused_at
from tflm_studio.editing import surgeries
from tflm_studio.editing.edit_json import edit_from_json, edit_to_json
from tflm_studio.editing.history import apply_all
from tflm_studio.formats.compression_metadata import (
    Compression,
    LutTensor,
    encode_compression,
)
from tflm_studio.schema.tables import (
    BlockwiseQuantization,
    Buffer,
    Metadata,
    Model,
    Operator,
    OperatorCode,
    QuantizationParameters,
    SubGraph,
    Tensor,
)


def test_names_go_but_those_of_the_ends() -> None:
    model = diamond()
    made = surgeries.strip_names(model)
    do(model, made)
    assert names(model, "tensors") == [None, "t1", None, None, None, None, "t6", "t7", "t8"]
    assert model.subgraphs[0].name is None
    assert made.notes == ("5 tensors lost the name.",)
    assert not surgeries.strip_names(model).edits
    do(model, surgeries.strip_names(model, keep_ends=False))
    assert set(names(model, "tensors")) == {None}


def test_only_the_names_that_are_asked_for_go() -> None:
    model = diamond()
    do(model, surgeries.strip_names(model, tensors=False))
    assert names(model, "tensors")[3] == "t3"
    model = diamond()
    do(model, surgeries.strip_names(model, subgraphs=False))
    assert model.subgraphs[0].name == "main"


def test_what_nothing_uses_goes_step_by_step() -> None:
    model = looping()
    model.subgraphs[3].tensors[0].buffer = 3
    model.buffers.append(Buffer(data=b"only of the idle subgraph"))
    model.subgraphs[0].tensors.append(Tensor(name="left over"))
    made = surgeries.remove_unused(model)
    do(model, made)
    assert [s.name for s in model.subgraphs] == ["main", "condition", "body"]
    assert "left over" not in names(model, "tensors")
    assert len(model.buffers) == 3
    assert len(model.operator_codes) == 2
    assert made.notes == (
        "1 unused subgraph removed.",
        "1 unused tensor of subgraph 'main' removed.",
        "6 unused operator codes removed.",
        "1 unused buffer removed.",
    )
    assert surgeries.remove_unused(model).notes == ("Nothing is unused.",)


def test_only_what_is_asked_for_goes() -> None:
    model = looping()
    model.subgraphs[0].tensors.append(Tensor(name="left over"))
    do(model, surgeries.remove_unused_tensors(model))
    assert (len(model.subgraphs), len(model.subgraphs[0].tensors)) == (4, 5)
    do(model, surgeries.remove_unused_subgraphs(model))
    assert (len(model.subgraphs), len(model.operator_codes)) == (3, 8)


def test_what_quantisation_and_compression_name_is_in_use() -> None:
    model = diamond()
    details = BlockwiseQuantization(9, -1)
    model.subgraphs[0].tensors += [Tensor(name="scales"), Tensor(name="other")]
    model.subgraphs[0].tensors[3].quantization = QuantizationParameters(details=details)
    model.subgraphs[0].tensors[10].quantization = QuantizationParameters(
        details=BlockwiseQuantization(10, -1)
    )
    luts = ((LutTensor(0, 3, 4),),)
    model.metadata.append(Metadata("COMPRESSION_METADATA", 4))
    model.buffers += [
        Buffer(data=b"table"),
        Buffer(data=encode_compression(Compression(1, luts))),
    ]
    assert unused_at(model, ("subgraphs", 0, "tensors")) == [10]
    assert unused_at(model, ("buffers",)) == []


def test_weights_come_inside() -> None:
    model = diamond()
    assert surgeries.inline_external(model).notes == ("Nothing stands behind the flatbuffer.",)
    model.buffers[1].offset, model.buffers[1].size = 1, 16
    do(model, surgeries.inline_external(model))
    assert (model.buffers[1].offset, model.buffers[1].size) == (0, 0)


def test_senseless_models_are_cleaned_or_refused() -> None:
    for model in (Model(), Model(subgraphs=[SubGraph()]), Model(subgraphs=[])):
        for clean in (surgeries.remove_unused, surgeries.strip_names):
            assert clean(model).edits == ()


def long_chain(count: int) -> Model:
    tensors = [Tensor([1, 4], name=f"t{k}", buffer=k % 100) for k in range(3 * count + 1)]
    operators = [Operator(0, [k, count + 1 + k], [k + 1]) for k in range(count)]
    subgraph = SubGraph(tensors, [0], [count], operators)
    buffers = [Buffer() for _ in range(101)]
    return Model(
        version=3, operator_codes=[OperatorCode()], subgraphs=[subgraph], buffers=buffers
    )


def test_a_third_of_15_000_tensors_goes_at_once() -> None:
    model = long_chain(5_000)
    began = time.process_time()
    made = surgeries.remove_unused(model)
    apply_all(model, made.edits)
    took = time.process_time() - began
    assert len(model.subgraphs[0].tensors) == 10_001
    assert took < 0.8


def test_half_of_5_000_operators_goes_at_once() -> None:
    model = long_chain(5_000)
    began = time.process_time()
    made = surgeries.truncate_after(model, 0, 2_499)
    apply_all(model, made.edits)
    took = time.process_time() - began
    assert len(model.subgraphs[0].operators) == 2_500
    assert took < 1


def test_names_of_15_000_tensors_are_one_edit() -> None:
    model = long_chain(5_000)
    made = surgeries.strip_names(model)
    assert len(made.edits) == 1
    began = time.process_time()
    apply_all(model, made.edits)
    assert time.process_time() - began < 0.5
    assert names(model, "tensors").count(None) == 14_999


def test_cleaned_models_give_what_they_gave(models_folder: Path) -> None:
    paths = [path for path in readable_models(models_folder) if path.stat().st_size < 60_000]
    paths = [*SAMPLES.glob("*.tflite"), *every(40, paths)]
    jobs = []
    for path in paths:
        model = ts.load_model_from_file(path)
        before = bytes_of(model)
        jobs.append(Job(before, 7))
        do(model, surgeries.strip_names(model))
        do(model, surgeries.remove_unused(model))
        jobs.append(Job(model, 7))
        assert len(bytes_of(model)) <= len(before), path
    found = run_jobs(jobs)
    ran = 0
    for path, first, second in zip(paths, found[::2], found[1::2], strict=True):
        assert (first is None) == (second is None), path
        if first is not None and second is not None:
            ran += 1
            for a, b in zip(first.outputs, second.outputs, strict=True):
                assert a.tobytes() == b.tobytes(), path
    assert ran > 4


def test_names_of_many_tensors_survive_the_journal() -> None:
    model = long_chain(50)
    document = do(model, surgeries.strip_names(model))
    (edit,) = document.history.steps[0].inverses
    again = edit_from_json(edit_to_json(edit, lambda data: None), lambda _: b"")
    document.go_to(0)
    assert names(model, "tensors")[1] == "t1"
    assert again == edit
