# SPDX-License-Identifier: Apache-2.0

from pathlib import Path

import numpy as np
import pytest

import tflm_studio as ts
from tests.editing.interpreted import Job, run_jobs
from tests.editing.small_models import (
    DEQUANTIZE,
    aliases,
    bytes_of,
    diamond,
    do,
    names,
    quantized,
)
from tflm_studio.editing.surgeries import remove_edge_quantization
from tflm_studio.model.errors import EditError
from tflm_studio.schema.enums import TensorType
from tflm_studio.schema.tables import Operator, Tensor, TensorMap


def test_integers_take_the_place_and_the_names_of_floats() -> None:
    model = quantized()
    made = remove_edge_quantization(model)
    assert made.notes[0] == (
        "Tensor 2 t2 (int8) takes the place of tensor 1 t1: scale 0.5, zero point 3."
    )
    do(model, made)
    assert names(model, "tensors") == ["t0", "t2", "t3"]
    assert aliases(model) == {"inputs": [("in_1", "t2")], "outputs": [("out_4", "t3")]}
    assert len(model.subgraphs[0].operators) == 1


def test_two_floats_made_of_the_same_integers_keep_both_names() -> None:
    model = quantized()
    main = model.subgraphs[0]
    main.tensors.append(Tensor([1, 4], name="t5"))
    main.operators.append(Operator(DEQUANTIZE, [3], [5]))
    main.outputs = [4, 5]
    model.signature_defs[0].outputs = [TensorMap("first", 4), TensorMap("second", 5)]
    do(model, remove_edge_quantization(model))
    assert aliases(model)["outputs"] == [("first", "t3"), ("second", "t3")]


def test_one_side_can_be_left_alone() -> None:
    model = quantized()
    do(model, remove_edge_quantization(model, outputs=False))
    assert (names(model, "inputs"), names(model, "outputs")) == (["t2"], ["t4"])
    do(model, remove_edge_quantization(model, inputs=False))
    assert (names(model, "inputs"), names(model, "outputs")) == (["t2"], ["t3"])
    with pytest.raises(EditError, match="nothing can be taken away"):
        remove_edge_quantization(model)


def test_floats_that_others_use_stay() -> None:
    model = quantized()
    model.subgraphs[0].operators.append(Operator(0, [1, 4], [4]))
    with pytest.raises(EditError, match="nothing can be taken away"):
        remove_edge_quantization(model)
    model.subgraphs[0].operators[3].inputs = [0, 1]
    model.subgraphs[0].operators[3].outputs = [0]
    made = remove_edge_quantization(model)
    assert "Tensor 1 t1 stays float: it is not read by one Quantize alone." in made.notes
    do(model, made)
    assert names(model, "inputs") == ["t1"]
    assert names(model, "outputs") == ["t3"]


def test_what_is_no_step_between_float_and_integer_stays() -> None:
    model = quantized()
    model.subgraphs[0].tensors[1].type = TensorType.UINT8
    model.subgraphs[0].operators[2].inputs = [0]
    before = bytes_of(model)
    with pytest.raises(EditError, match="nothing can be taken away"):
        remove_edge_quantization(model)
    with pytest.raises(EditError, match="no subgraph 1"):
        remove_edge_quantization(model, subgraph_index=1)
    with pytest.raises(EditError, match="nothing can be taken away"):
        remove_edge_quantization(diamond())
    assert bytes_of(model) == before


CASES = (
    ("google-ai-edge__LiteRT/pc_conv.bin", "micro"),
    ("google-ai-edge__LiteRT/lstm_quantized.bin", "lite"),
    ("google-ai-edge__LiteRT/unidirectional_sequence_lstm_quantized.bin", "lite"),
)


def test_the_integers_are_those_of_the_whole(models_folder: Path) -> None:
    whole, cut = [], []
    for name, engine in CASES:
        model = ts.load_model_from_file(models_folder / name)
        original = bytes_of(model)
        main = model.subgraphs[0]
        tensors = list(main.tensors)
        ts.Document(model).do(remove_edge_quantization(model))
        ends = (*main.inputs, *main.outputs)
        seen = tuple(tensors.index(model.subgraphs[0].tensors[t]) for t in ends)
        whole.append(Job(original, 5, seen, engine))
        cut.append((model, len(main.inputs), engine))
    runs = run_jobs(whole)
    assert None not in runs
    jobs = [
        Job(model, run.tensors[:count], (), engine)
        for run, (model, count, engine) in zip(runs, cut, strict=True)
    ]
    for run, (_, count, _), found in zip(runs, cut, run_jobs(jobs), strict=True):
        assert found is not None
        for a, b in zip(found.outputs, run.tensors[count:], strict=True):
            assert a.dtype in (np.int8, np.uint8, np.int16)
            assert np.array_equal(a.ravel(), b.ravel())
