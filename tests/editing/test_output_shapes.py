# SPDX-License-Identifier: Apache-2.0
"""Outputs follow their operator once its options have changed."""

import pytest

import tflm_studio as ts
from tests.conftest import SAMPLES
from tflm_studio.editing.output_shapes import fit_outputs, shapes_to_fit
from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.model.errors import EditError
from tflm_studio.schema.tables import Model, Operator, SubGraph

OPTIONS = "subgraphs[0].operators[{}].builtin_options.{}"


def changed(operator: int, option: str, value: int) -> ts.Document:
    document = ts.Document.open(SAMPLES / "shapes_int8.tflite")
    document.do(ts.edits.Set(OPTIONS.format(operator, option), value))
    return document


def misfits(model: Model) -> dict[int, list[int]]:
    graph = (model.subgraphs or [])[0]
    found: dict[int, list[int]] = {}
    for operator in graph.operators or []:
        found |= shapes_to_fit(model, graph, operator)
    return found


def test_the_shape_that_follows_goes_through_all_behind() -> None:
    document = changed(0, "stride_w", 1)
    assert misfits(document.model) == {3: [1, 8, 16, 8]}
    before = lay_out(document.model)
    document.do(fit_outputs(document.model, 0, 0))
    assert misfits(document.model) == {}
    assert document.history.steps[-1].label == "Fit the shapes behind Conv2D 0"
    document.undo()
    assert lay_out(document.model) == before


def test_what_cannot_work_behind_is_refused() -> None:
    document = changed(0, "stride_h", 3)
    with pytest.raises(EditError, match="AveragePool2D 3 cannot work on the new shape"):
        fit_outputs(document.model, 0, 0)


@pytest.mark.parametrize(("operator", "message"), [(0, "already"), (99, "99")])
def test_nothing_to_fit_is_refused(operator: int, message: str) -> None:
    document = ts.Document.open(SAMPLES / "shapes_int8.tflite")
    assert misfits(document.model) == {}
    with pytest.raises(EditError, match=message):
        fit_outputs(document.model, 0, operator)


def test_what_is_known_at_run_time_only_is_left_alone() -> None:
    document = changed(0, "padding", 1)
    document.do(ts.edits.Set("subgraphs[0].tensors[3].shape_signature", [-1, -1, -1, 8]))
    assert misfits(document.model) == {}


def test_a_batch_known_at_run_time_only_does_not_hide_the_other_sizes() -> None:
    document = changed(0, "padding", 1)
    document.do(ts.edits.Set("subgraphs[0].tensors[3].shape_signature", [-1, 8, 8, 8]))
    assert misfits(document.model) == {3: [1, 7, 7, 8]}
    document.do(fit_outputs(document.model, 0, 0))
    tensor = ((document.model.subgraphs or [])[0].tensors or [])[3]
    assert (tensor.shape, tensor.shape_signature) == ([1, 7, 7, 8], [-1, 7, 7, 8])


def test_senseless_operators_have_nothing_to_fit() -> None:
    assert shapes_to_fit(Model(), SubGraph(), Operator(7, [5], [-1, 9])) == {}
