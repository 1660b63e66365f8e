# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from contextlib import suppress
from random import Random

import pytest

from tests.conftest import SAMPLES
from tests.editing.random_edits import places, random_edit
from tflm_studio.editing.document import Document
from tflm_studio.editing.edits import Edit, Insert, Move, Remove, Set, WriteBytes
from tflm_studio.editing.file_state import file_state
from tflm_studio.editing.set_each import SetEach
from tflm_studio.formats.model_file import load_model_from_file
from tflm_studio.model.address import Address, resolve
from tflm_studio.model.comparison import differences
from tflm_studio.model.errors import EditError
from tflm_studio.schema.structure import Kind, Table
from tflm_studio.schema.tables import Model, Tensor

SAMPLE = SAMPLES / "sine_int8.tflite"
TENSORS = "subgraphs[0].tensors"
TENSOR: Address = ("subgraphs", 0, "tensors", 2)


def tables(model: Model) -> list[Address]:
    """The addresses of all tables."""
    return [
        (),
        *(
            address
            for place, row, value in places(model)
            for address in (
                [(*place, k) for k in range(len(value or ()))]
                if row.kind is Kind.TABLES
                else [place]
                if isinstance(value, Table)
                else []
            )
        ),
    ]


def is_plain(edit: Edit) -> bool:
    """Whether an edit changes no table for another."""
    if isinstance(edit, WriteBytes):
        return True
    return isinstance(edit, Set) and not (
        isinstance(edit.value, Table)
        or edit.address[-1] in ("quantization", "builtin_options", "subgraphs", "details")
        or (isinstance(edit.value, list) and any(isinstance(i, Table) for i in edit.value))
    )


def do_some(document: Document, random: Random, count: int) -> None:
    while len(document.history.steps) < count:
        edit = random_edit(document.model, random)
        if is_plain(edit):
            with suppress(EditError):
                document.do(edit)


@pytest.mark.parametrize("undone", [0, 4, 12, 20, 30])
def test_it_says_what_a_comparison_with_the_file_says(undone: int) -> None:
    random, document, file = Random(undone), Document.open(SAMPLE), Document.open(SAMPLE)
    do_some(document, random, 20)
    document.history.mark_clean()
    for done in document.history.steps:
        file.do(done.edits)
    do_some(document, random, 40)
    document.go_to(40 - undone)
    model, compared = document.model, 0
    for address in set(tables(model)) & set(tables(file.model)):
        state = file_state(model, document.history, address)
        now, before = resolve(model, address), resolve(file.model, address)
        found = {place[0] for place in differences(now, before) if len(place) == 1}
        deeper = {place[0] for place in differences(now, before)}
        # What went and came back inside may be told; what differs must be.
        assert found <= set(state.values) | state.inside, address
        assert set(state.values) <= deeper
        for name, value in state.values.items():
            assert not any(
                differences(
                    with_field(now, name, value), with_field(now, name, getattr(before, name))
                )
            )
        compared += len(found)
    assert (compared == 0) == (undone == 20)


def with_field(like: Table, name: str, value: object) -> Table:
    """A table of the same class with one field set."""
    table = type(like)()
    setattr(table, name, value)
    return table


def test_a_thing_is_followed_where_it_goes() -> None:
    document = Document.open(SAMPLE)
    model, old = document.model, document.model.subgraphs[0].tensors[2].name
    document.do(Set((*TENSOR, "name"), "new"))
    document.do(Insert(TENSORS, 0, Tensor(name="first")))
    document.do(Move(TENSORS, 3, 1))
    document.do(Remove(TENSORS, 0))
    state = file_state(model, document.history, ("subgraphs", 0, "tensors", 0))
    assert state.values == {"name": old}
    document.undo()
    state = file_state(model, document.history, ("subgraphs", 0, "tensors", 0))
    assert state.is_new
    document.history.mark_clean()
    assert not file_state(model, document.history, ("subgraphs", 0, "tensors", 0)).is_new
    document.go_to(0)
    assert file_state(model, document.history, TENSOR).values == {"name": "new"}


def test_replaced_tables_and_many_at_once() -> None:
    document = Document.open(SAMPLE)
    model = document.model
    place = ("subgraphs", 0, "operators", 0)
    options = resolve(model, (*place, "builtin_options"))
    document.do(Set((*place, "builtin_options"), type(options)(keep_num_dims=True)))
    document.do(SetEach(("subgraphs", 0, "operators"), "opcode_index", [0, 1], [0, 0]))
    assert file_state(model, document.history, (*place, "builtin_options")).values
    operator = file_state(model, document.history, place)
    assert "builtin_options" in operator.values
    document.do(Set((*place, "builtin_options"), None))
    document.do(Set((*place, "builtin_options"), options))
    assert not file_state(model, document.history, (*place, "builtin_options")).values
    document.do(Set((*place, "inputs", 1), 0))
    inputs = file_state(model, document.history, place).values["inputs"]
    assert inputs == load_model_from_file(SAMPLE).subgraphs[0].operators[0].inputs


def test_nothing_is_said_when_the_file_is_out_of_reach() -> None:
    document = Document.open(SAMPLE)
    document.do(Set("description", "one"))
    document.history.mark_clean()
    document.undo()
    document.do(Set("description", "two"))
    assert document.history.clean_position is None
    assert not file_state(document.model, document.history, ()).values
