# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

import tflm_studio as ts
from tests.conftest import SAMPLES, every, readable_models
from tflm_studio.editing.document import Document
from tflm_studio.editing.operator_codes import (
    find_or_add,
    make_code,
    merge_duplicates,
    remove_unused,
    upgrade_legacy,
)
from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.model.errors import EditError
from tflm_studio.model.operators import builtin_code
from tflm_studio.schema.enums import BuiltinOperator
from tflm_studio.schema.structure import Extra, UnknownField
from tflm_studio.schema.tables import Model, Operator, OperatorCode, SubGraph

CONV, CUSTOM, DILATE = 3, 32, int(BuiltinOperator.DILATE)


def model_of(codes: list[OperatorCode], *used: int) -> Model:
    operators = [Operator(k, [], []) for k in used]
    half = len(operators) // 2
    subgraphs = [SubGraph(operators=operators[:half]), SubGraph(operators=operators[half:])]
    return Model(version=3, operator_codes=codes, subgraphs=subgraphs, buffers=[])


def used(model: Model) -> list[int]:
    return [op.opcode_index for graph in model.subgraphs for op in graph.operators]


def test_new_codes_are_written_for_old_and_new_readers() -> None:
    def both(code: OperatorCode) -> tuple[int, int]:
        return code.deprecated_builtin_code, int(code.builtin_code)

    assert both(make_code(CONV)) == (3, 3)
    assert both(make_code(126)) == (126, 126)
    assert both(make_code(DILATE)) == (127, DILATE)
    assert both(make_code(1000)) == (127, 1000)
    assert make_code(CUSTOM, "mine", 2).custom_code == "mine"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((127,), "127 is not the code"),
        ((-1,), "-1 is not the code"),
        ((2**31,), "is not the code"),
        ((CUSTOM,), "needs a custom code"),
        ((CUSTOM, ""), "needs a custom code"),
        ((CONV, None, 0), "versions count from 1"),
        ((CONV, None, 2**31), "versions count from 1"),
    ],
)
def test_there_are_no_such_codes(arguments: tuple, message: str) -> None:
    with pytest.raises(EditError, match=message):
        find_or_add(Model(), *arguments)


def test_a_code_is_found_however_it_is_written() -> None:
    codes = [
        OperatorCode(deprecated_builtin_code=3),
        OperatorCode(3, None, 2, CONV),
        OperatorCode(32, "a", 1, CUSTOM),
        OperatorCode(32, "b", 1, CUSTOM),
        OperatorCode(127, None, 1, DILATE),
    ]
    model = model_of(codes)
    assert find_or_add(model, CONV).index == 0
    assert find_or_add(model, CONV, None, 2).index == 1
    assert find_or_add(model, CUSTOM, "b").index == 3
    assert find_or_add(model, DILATE).index == 4
    assert not find_or_add(model, DILATE).proposal.edits
    for arguments in ((CONV, None, 3), (CUSTOM, "c", 1), (0, None, 1)):
        found = find_or_add(model, *arguments)
        assert found.index == 5
        document = Document(model)
        document.do(found.proposal)
        assert find_or_add(model, *arguments).index == 5
        assert not find_or_add(model, *arguments).proposal.edits
        document.undo()
    codes[0].version = 5
    assert find_or_add(model, CONV, None, None).index == 0
    assert find_or_add(model, CONV, None, 1).index == 5


def test_a_model_without_codes_gets_a_list() -> None:
    model = Model(version=3)
    document = Document(model)
    before = lay_out(model).tobytes()
    document.do(find_or_add(model, CONV).proposal)
    assert [builtin_code(code) for code in model.operator_codes] == [CONV]
    document.undo()
    assert model.operator_codes is None
    assert lay_out(model).tobytes() == before


def test_only_codes_that_mean_the_same_are_merged() -> None:
    unknown = Extra(unknown={9: UnknownField(0, b"1234", is_clear=True)})
    codes = [
        OperatorCode(3, None, 1, CONV),
        OperatorCode(3, None, 2, CONV),
        OperatorCode(3, None, 1, 0),  # written by an old converter
        OperatorCode(32, "a", 1, CUSTOM),
        OperatorCode(32, "b", 1, CUSTOM),
        OperatorCode(3, "", 1, CONV),
        OperatorCode(3, None, 1, CONV, extra=unknown),
        OperatorCode(32, "b", 1, CUSTOM),
    ]
    model = model_of(codes, 0, 1, 2, 3, 4, 5, 6, 7, 9)
    document, before = Document(model), lay_out(model).tobytes()
    made = merge_duplicates(model)
    assert lay_out(model).tobytes() == before
    assert made.notes == ("Operator codes 2, 5, 7 merged into others like them.",)
    document.do(made)
    # What named nothing names nothing still.
    assert used(model) == [0, 1, 0, 2, 3, 0, 4, 3, 6]
    assert len(model.operator_codes) == 5
    assert not merge_duplicates(model).edits
    document.undo()
    assert lay_out(model).tobytes() == before


def test_codes_that_no_operator_has_are_removed() -> None:
    model = model_of([make_code(k) for k in range(5)], 4, 2, 2)
    document, before = Document(model), lay_out(model).tobytes()
    made = remove_unused(model)
    assert made.notes == ("Operator codes 0, 1, 3 removed.",)
    document.do(made)
    assert [builtin_code(code) for code in model.operator_codes] == [2, 4]
    assert used(model) == [1, 0, 0]
    assert remove_unused(model).notes == ("Every operator code is in use.",)
    document.undo()
    assert lay_out(model).tobytes() == before
    assert not remove_unused(Model()).edits


def test_old_codes_are_brought_up_to_date() -> None:
    codes = [
        OperatorCode(deprecated_builtin_code=3),
        OperatorCode(deprecated_builtin_code=0),
        OperatorCode(deprecated_builtin_code=127),
        OperatorCode(127, None, 1, DILATE),
        OperatorCode(9, None, 1, CONV),
    ]
    model = model_of(codes)
    document = Document(model)
    effective = list(map(builtin_code, codes))
    made = upgrade_legacy(model)
    assert made.notes == ("Operator code 2 does not say which operator it means.",)
    document.do(made)
    assert [int(code.builtin_code) for code in codes] == [3, 0, 0, DILATE, CONV]
    assert list(map(builtin_code, codes)) == effective
    assert "up to date" in upgrade_legacy(model_of([])).notes[0]


def test_the_codes_of_real_models(models_folder: Path) -> None:
    legacy = 0
    for path in every(10, readable_models(models_folder)):
        if path.stat().st_size > 400_000:
            continue
        try:
            model = ts.load_model_from_file(path)
        except ts.ReadError:
            continue
        kinds = (
            [
                builtin_code(model.operator_codes[k])
                for k in used(model)
                if k < len(model.operator_codes or [])
            ]
            if model.subgraphs and all(g.operators is not None for g in model.subgraphs)
            else []
        )
        document, before = Document(model), lay_out(model).tobytes()
        made = upgrade_legacy(model)
        legacy += bool(made.edits)
        for change in (upgrade_legacy, merge_duplicates, remove_unused):
            document.do(change(model))
            assert not change(model).edits
        if kinds:
            assert [builtin_code(model.operator_codes[k]) for k in used(model)] == kinds
        document.go_to(0)
        assert lay_out(model).tobytes() == before
    assert legacy > 2


def test_a_sample_has_nothing_to_tidy() -> None:
    model = ts.load_model_from_file(SAMPLES / "sine_int8.tflite")
    for change in (upgrade_legacy, merge_duplicates, remove_unused):
        assert not change(model).edits
