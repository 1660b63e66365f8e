# SPDX-License-Identifier: Apache-2.0

from pathlib import Path

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
    quantized,
    streaming,
)
from tflm_studio.editing import surgeries
from tflm_studio.editing.edits import Set
from tflm_studio.model.errors import EditError
from tflm_studio.schema.enums import TensorType
from tflm_studio.schema.tables import Buffer, Metadata, Model, OperatorCode


def single(model: Model) -> Model:
    """The first of a diamond's two parts."""
    return surgeries.extract(model, 0, range(5)).model


def test_the_second_model_continues_the_first() -> None:
    first, second = single(diamond()), single(diamond())
    second.subgraphs[0].tensors[0].name = "weights"
    second.operator_codes.append(OperatorCode(32, "own", 2, 32))
    second.subgraphs[0].operators[4].opcode_index = 1
    kept = bytes_of(second)
    made = surgeries.append_model(first, second)
    assert made.notes == (
        "Metadata of the second model that stayed behind: 'min_runtime_version'.",
    )
    do(first, made)
    assert bytes_of(second) == kept
    assert aliases(first) == {"inputs": [("in_1", "t1")], "outputs": [("t6", "t6")]}
    assert len(first.subgraphs[0].operators) == 10
    assert [code.custom_code for code in first.operator_codes] == [None, "own"]
    assert first.subgraphs[0].operators[9].opcode_index == 1
    assert [len(b.data or b"") for b in first.buffers] == [0, 16, 16, 16]
    assert first.subgraphs[0].operators[5].inputs == [6, 7]
    assert names(first, "tensors")[7] == "weights"
    second.subgraphs[0].tensors[0].name = "changed"
    second.subgraphs[0].operators[1].inputs[0] = 0
    assert names(first, "tensors")[7] == "weights"


def test_subgraphs_that_it_runs_come_along() -> None:
    first = looping()
    do(first, surgeries.append_model(first, looping()))
    assert [s.name for s in first.subgraphs][4:] == ["condition", "body"]
    options = first.subgraphs[0].operators[4].builtin_options
    assert (options.cond_subgraph_index, options.body_subgraph_index) == (4, 5)
    assert len(first.operator_codes) == 8


def test_variables_of_the_same_name_stay_apart() -> None:
    first = streaming()
    do(first, Set("subgraphs[0].outputs", [5]))
    made = surgeries.append_model(first, surgeries.extract(first, 0, range(6)).model)
    assert any("1 variable of the second model renamed" in note for note in made.notes)
    do(first, made)
    shared = [
        operator.builtin_options.shared_name
        for subgraph in first.subgraphs
        for operator in subgraph.operators
        if operator.opcode_index == 4
    ]
    assert shared == ["state", "state_second", "state", "state_second"]


def test_a_difference_in_quantisation_is_told() -> None:
    first = quantized()
    do(first, surgeries.remove_edge_quantization(first))
    made = surgeries.append_model(first, first)
    assert not any("differently" in note for note in made.notes)
    second = quantized()
    do(second, surgeries.remove_edge_quantization(second))
    second.subgraphs[0].tensors[1].quantization.scale = [0.25]
    made = surgeries.append_model(first, second)
    assert any("Output 0 and input 0 are quantised differently" in n for n in made.notes)


def refused(first: Model, second: Model, reason: str) -> None:
    before = bytes_of(first)
    with pytest.raises(EditError, match=reason):
        surgeries.append_model(first, second)
    assert bytes_of(first) == before


def test_refusals() -> None:
    first = single(diamond())
    refused(first, diamond(), "has 1 output, the second 2 inputs")
    other = single(diamond())
    other.subgraphs[0].tensors[1].shape = [4, 1]
    refused(first, other, "Output 0 of the first model and input 0 of the second differ: t6")
    other.subgraphs[0].tensors[1].shape = [1, 4]
    other.subgraphs[0].tensors[1].type = TensorType.INT8
    refused(first, other, "1×4 float32 and t1")
    other = single(diamond())
    other.subgraphs[0].tensors[3].external_buffer = 1
    refused(first, other, "weights in another file")
    refused(first, Model(), "no subgraph 0; there are none")
    other = single(diamond())
    other.metadata.append(Metadata("COMPRESSION_METADATA", 1))
    refused(first, other, "is compressed")
    other = single(diamond())
    other.subgraphs[0].operators[1].inputs = [99]
    refused(first, other, "names tensor 99, which does not exist")
    other = single(diamond())
    other.subgraphs[0].tensors[2].buffer = 99
    refused(first, other, "names buffer ")
    other = single(diamond())
    other.subgraphs[0].operators[1].opcode_index = 99
    refused(first, other, "names operator code ")
    other = looping()
    other.subgraphs[0].operators[1].builtin_options.body_subgraph_index = 0
    refused(first, other, "runs its own main subgraph")
    other = diamond()
    other.subgraphs[0].inputs = [1, 1]
    refused(diamond(), other, "names a tensor twice")
    wrong = single(diamond())
    wrong.subgraphs[0].outputs = [99]
    with pytest.raises(EditError, match="is no tensor"):
        surgeries.append_model(wrong, single(diamond()))


def test_a_buffer_0_with_data_comes_along() -> None:
    first, second = single(diamond()), single(diamond())
    second.buffers[0] = Buffer(data=b"\0\0\0\x40" * 4)
    second.subgraphs[0].tensors[0].buffer = 0
    do(first, surgeries.append_model(first, second))
    tensor = first.subgraphs[0].tensors[7]
    assert bytes(first.buffers[tensor.buffer].data) == b"\0\0\0\x40" * 4


def test_the_chain_gives_second_of_first(models_folder: Path) -> None:
    """A classifier behind its own front part, and an autoencoder twice."""
    tiny = models_folder / "mlcommons__tiny"
    resnet = ts.load_model_from_file(tiny / "pretrainedResnet_quant.tflite")
    count = len(resnet.subgraphs[0].operators)
    cases = [
        (
            surgeries.extract(resnet, 0, range(8)).model,
            surgeries.extract(resnet, 0, range(8, count)).model,
            "micro",
        ),
        (
            ts.load_model_from_file(tiny / "model_ToyCar_quant.tflite"),
            ts.load_model_from_file(tiny / "model_ToyCar_quant.tflite"),
            "lite",
        ),
    ]
    firsts = run_jobs([Job(first, 4, (), engine) for first, _, engine in cases])
    jobs = []
    for run, (first, second, engine) in zip(firsts, cases, strict=True):
        assert run is not None
        jobs.append(Job(second, run.outputs, (), engine))
        do(first, surgeries.append_model(first, second))
        jobs.append(Job(first, run.inputs, (), engine))
    found = run_jobs(jobs)
    for apart, joined in zip(found[::2], found[1::2], strict=True):
        assert apart is not None
        assert joined is not None
        assert np.array_equal(apart.outputs[0], joined.outputs[0])
        assert np.any(joined.outputs[0])
