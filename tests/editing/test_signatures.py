# SPDX-License-Identifier: Apache-2.0

import pytest

from tests.editing.small_models import aliases, bytes_of, diamond, do
from tflm_studio.editing import signatures
from tflm_studio.editing.edits import Set
from tflm_studio.model.errors import EditError
from tflm_studio.schema.tables import Model, SubGraph, Tensor, TensorMap


def test_a_new_signature_has_the_names_of_the_tensors_each_once() -> None:
    model = diamond()
    tensors = model.subgraphs[0].tensors
    tensors[1].name = tensors[7].name = "x"
    tensors[6].name = None
    model.subgraphs[0].outputs = [6, 8, 8]
    before = bytes_of(model)
    made = signatures.add(model, 0, "other")
    assert bytes_of(model) == before, "only looked at"
    do(model, made)
    assert aliases(model, 1) == {
        "inputs": [("x", "x"), ("x_1", "x")],
        "outputs": [("output_0", None), ("t8", "t8"), ("t8_1", "t8")],
    }


def test_the_first_signature_of_a_model_without_a_list() -> None:
    model = Model(subgraphs=[SubGraph([Tensor(name="a")], [0], [0], [])])
    do(model, signatures.add(model))
    assert model.signature_defs[0].signature_key == "serving_default"


def test_renaming_and_deleting() -> None:
    model = diamond()
    do(model, signatures.rename(model, 0, "main"))
    do(model, signatures.rename_alias(model, 0, "outputs", 1, "score"))
    assert model.signature_defs[0].signature_key == "main"
    assert aliases(model)["outputs"] == [("out_6", "t6"), ("score", "t8")]
    assert not signatures.rename(model, 0, "main").edits
    assert not signatures.rename_alias(model, 0, "outputs", 1, "score").edits
    do(model, signatures.delete(model, 0))
    assert model.signature_defs == []


def test_a_rebuilt_signature_keeps_the_names_of_tensors_it_had() -> None:
    model = diamond()
    do(model, [Set("subgraphs[0].outputs", [8, 5]), Set("subgraphs[0].inputs", [7])])
    do(model, signatures.rebuild(model, 0))
    assert aliases(model) == {
        "inputs": [("in_7", "t7")],
        "outputs": [("out_8", "t8"), ("t5", "t5")],
    }
    assert not signatures.rebuild(model, 0).edits


def test_a_tensor_that_stands_there_twice_keeps_both_names() -> None:
    model = diamond()
    model.subgraphs[0].outputs = [6, 6]
    model.signature_defs[0].outputs = [TensorMap("a", 6), TensorMap("b", 6)]
    assert not signatures.rebuild(model, 0).edits
    model.subgraphs[0].outputs = [6, 8, 6, 6]
    do(model, signatures.rebuild(model, 0))
    outputs = [alias for alias, _ in aliases(model)["outputs"]]
    assert outputs == ["a", "t8", "b", "a_1"]


def test_what_takes_the_place_of_a_tensor_takes_its_name() -> None:
    model = diamond()
    do(model, Set("subgraphs[0].outputs", [5, 8]))
    do(model, signatures.rebuild(model, 0, {6: 5}))
    assert aliases(model)["outputs"] == [("out_6", "t5"), ("out_8", "t8")]


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (lambda m: signatures.add(m, 1, "new"), "no subgraph 1; the last is 0"),
        (lambda m: signatures.add(m, 0), "'serving_default' already"),
        (lambda m: signatures.add(m, 0, ""), "needs a key"),
        (lambda m: signatures.delete(m, 1), "no signature 1"),
        (lambda m: signatures.rename(m, -1, "x"), "no signature -1"),
        (lambda m: signatures.rename(m, 0, ""), "needs a key"),
        (lambda m: signatures.rename_alias(m, 0, "inputs", 2, "x"), "no input of the sign"),
        (lambda m: signatures.rename_alias(m, 0, "inputs", 0, "in_7"), "'in_7' in its inputs"),
        (lambda m: signatures.rename_alias(m, 0, "inputs", 0, ""), "needs names"),
        (lambda m: signatures.rebuild(m, 4), "no signature 4"),
    ],
)
def test_refusals(step, reason: str) -> None:
    model = diamond()
    before = bytes_of(model)
    with pytest.raises(EditError, match=reason):
        step(model)
    assert bytes_of(model) == before


def test_an_end_that_is_no_tensor_is_refused() -> None:
    model = diamond()
    model.subgraphs[0].inputs = [1, 99]
    with pytest.raises(
        EditError, match="Entry 1 of the inputs of the subgraph names tensor 99"
    ):
        signatures.add(model, 0, "new")
    model.signature_defs[0].subgraph_index = 7
    with pytest.raises(EditError, match="no subgraph 7"):
        signatures.rebuild(model, 0)


def test_a_name_another_input_keeps_is_not_given_twice() -> None:
    model = diamond()
    do(model, signatures.rename_alias(model, 0, "inputs", 1, "t5"))
    do(model, Set("subgraphs[0].inputs", [5, 7]))
    do(model, signatures.rebuild(model, 0))
    assert aliases(model)["inputs"] == [("t5_1", "t5"), ("t5", "t7")]
