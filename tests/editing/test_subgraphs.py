# SPDX-License-Identifier: Apache-2.0

import pytest

from tests.editing.small_models import bytes_of, diamond, do, looping
from tflm_studio.editing import signatures, subgraphs
from tflm_studio.formats.compression_metadata import (
    Compression,
    LutTensor,
    encode_compression,
    parse_compression,
)
from tflm_studio.model.errors import EditError
from tflm_studio.schema.tables import Buffer, Metadata, Model


def test_adding_renaming_and_moving() -> None:
    model = looping()
    do(model, subgraphs.add(model, "new"))
    assert [s.name for s in model.subgraphs][-1] == "new"
    assert model.subgraphs[4].tensors == []
    do(model, subgraphs.rename(model, 4, None))
    assert model.subgraphs[4].name is None
    assert not subgraphs.rename(model, 4, None).edits
    do(model, subgraphs.move(model, 1, 4))
    options = model.subgraphs[0].operators[1].builtin_options
    assert (options.cond_subgraph_index, options.body_subgraph_index) == (4, 1)
    made = subgraphs.move(model, 0, 1)
    assert "becomes the main one" in made.notes[0]


def test_the_first_subgraph_of_an_empty_model() -> None:
    model = Model()
    do(model, subgraphs.add(model, "main"))
    assert len(model.subgraphs) == 1


def test_a_copy_runs_the_same_and_has_its_own_variables() -> None:
    model = looping()
    model.buffers.append(Buffer())
    model.subgraphs[0].tensors[2].is_variable = True
    model.subgraphs[0].tensors[2].buffer = 3
    made = subgraphs.duplicate(model, 0)
    assert any("no signature" in note for note in made.notes)
    do(model, made)
    old, new = model.subgraphs[0], model.subgraphs[4]
    assert new.name == "main_copy"
    assert new.operators[1] is not old.operators[1]
    assert new.operators[1].builtin_options.body_subgraph_index == 2
    assert [t.buffer for t in new.tensors] == [1, 0, 4, 0, 0]
    do(model, subgraphs.duplicate(model, 0))
    assert model.subgraphs[5].name == "main_copy_1"


def test_a_copy_of_a_compressed_subgraph_is_compressed() -> None:
    model = looping()
    model.metadata.append(Metadata("COMPRESSION_METADATA", 3))
    luts = (LutTensor(0, 1, 4),)
    model.buffers.append(Buffer(data=encode_compression(Compression(1, ((), (), luts)))))
    do(model, subgraphs.duplicate(model, 2))
    found = parse_compression(model.buffers[model.metadata[1].buffer].data)
    assert found.subgraphs == ((), (), luts, (), luts)


def test_a_deleted_subgraph_takes_its_signatures_along() -> None:
    model = looping()
    do(model, signatures.add(model, 3, "idle"))
    made = subgraphs.delete(model, 3)
    assert "Signature 'idle' goes with its subgraph." in made.notes
    do(model, made)
    assert [s.name for s in model.subgraphs] == ["main", "condition", "body"]
    assert [s.signature_key for s in model.signature_defs] == ["serving_default"]


def test_a_subgraph_that_only_itself_runs_can_be_deleted() -> None:
    model = looping()
    options = model.subgraphs[0].operators[1].builtin_options
    options.body_subgraph_index = 1
    do(model, subgraphs.delete(model, 2))
    assert len(model.subgraphs) == 3


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (lambda m: subgraphs.delete(m, 2), "Subgraph 2 is run by subgraph 0, While 1"),
        (lambda m: subgraphs.delete(m, 4), "no subgraph 4; the last is 3"),
        (lambda m: subgraphs.duplicate(m, -1), "no subgraph -1"),
        (lambda m: subgraphs.rename(m, 9, "x"), "no subgraph 9"),
        (lambda m: subgraphs.move(m, 0, 4), "no subgraph 4"),
    ],
)
def test_refusals(step, reason: str) -> None:
    model = looping()
    before = bytes_of(model)
    with pytest.raises(EditError, match=reason):
        step(model)
    assert bytes_of(model) == before


def test_the_last_subgraph_stays() -> None:
    with pytest.raises(EditError, match="needs a subgraph"):
        subgraphs.delete(diamond(), 0)
    with pytest.raises(EditError, match="there are none"):
        subgraphs.delete(Model(), 0)
