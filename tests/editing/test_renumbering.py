# SPDX-License-Identifier: Apache-2.0

import time
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tflm_studio as ts
from tests.conftest import SAMPLES, examples, readable_models
from tests.editing.indexed_models import DEPENDENCIES, PLAN, links, random_model
from tflm_studio.editing.document import Document
from tflm_studio.editing.edit_json import edit_from_json, edit_to_json
from tflm_studio.editing.edits import Edit
from tflm_studio.editing.list_moves import longest_rising, moves_to
from tflm_studio.editing.proposal import Proposal, in_sequence
from tflm_studio.editing.renumbering import (
    insert_each,
    insert_items,
    move_item,
    permute_items,
    remove_items,
)
from tflm_studio.editing.set_each import SetEach
from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.model.address import format_address, resolve
from tflm_studio.model.errors import EditError
from tflm_studio.schema.tables import (
    BlockwiseQuantization,
    Buffer,
    Conv2DOptions,
    IfOptions,
    Metadata,
    Model,
    Operator,
    OperatorCode,
    QuantizationParameters,
    SignatureDef,
    SubGraph,
    Tensor,
    TensorMap,
)

# A seed, not `st.randoms`: that shrinks call by call, for minutes.
SEEDS = st.integers(0, 2**32 - 1)

NEW_ITEMS: dict[str, Any] = {
    "tensors": Tensor,
    "operators": Operator,
    "buffers": Buffer,
    "operator_codes": OperatorCode,
    "subgraphs": lambda: SubGraph(tensors=[Tensor()]),
}


def lists_of(model: Model) -> list[str]:
    """The places of all lists that can be renumbered."""
    per_subgraph = [
        f"subgraphs[{s}].{name}"
        for s in range(len(model.subgraphs or []))
        for name in ("tensors", "operators")
    ]
    return [*per_subgraph, "buffers", "operator_codes", "subgraphs"]


def items_at(model: Model, place: str) -> list[Any]:
    found = resolve(model, ts.edits.Remove(place, 0).address)
    assert isinstance(found, list)
    return found


def do(document: Document, made: Proposal) -> None:
    """Does it, and checks that it is written to a journal and read back the same."""
    for edit in made.edits:
        assert_survives_json(edit)
    document.do(made.edits)


def assert_survives_json(edit: Edit) -> None:
    kept: list[Any] = []

    def put(data: Any) -> int:
        kept.append(bytes(data))
        return len(kept) - 1

    again = edit_from_json(edit_to_json(edit, put), lambda k: kept[k])
    assert type(again) is type(edit)
    assert edit_to_json(again, put)["address"] == format_address(edit.address)


def undo_leaves_no_trace(document: Document, before: bytes) -> None:
    document.go_to(0)
    assert lay_out(document.model).tobytes() == before


# ------------------------------------------------------------------ any change of any model


@settings(max_examples=examples(60), deadline=None)
@given(SEEDS)
def test_after_an_insertion_everything_names_what_it_named(seed: int) -> None:
    random = Random(seed)
    model = random_model(random)
    document, before, bytes_before = Document(model), links(model), lay_out(model).tobytes()
    place = random.choice(lists_of(model))
    kind, count = place.split(".")[-1], len(items_at(model, place))
    index = random.randint(place == "buffers", count)
    new = [NEW_ITEMS[kind]() for _ in range(random.randint(1, 3))]
    made = insert_items(model, place, index, new)
    assert links(model) == before, "only looked at"
    do(document, made)
    after = links(model)
    if (PLAN in str(made.notes)) and kind == "operators":
        raise AssertionError("an operator that uses nothing moves no lifetimes")
    assert {key: after[key] for key in before} == before
    undo_leaves_no_trace(document, bytes_before)


@settings(max_examples=examples(60), deadline=None)
@given(SEEDS)
def test_after_a_move_everything_names_what_it_named(seed: int) -> None:
    random = Random(seed)
    model = random_model(random)
    document, before, bytes_before = Document(model), links(model), lay_out(model).tobytes()
    place = random.choice(lists_of(model))
    first, count = int(place == "buffers"), len(items_at(model, place))
    index, target = random.randrange(first, count), random.randrange(first, count)
    moved = items_at(model, place)[index]
    do(document, move_item(model, place, index, target))
    assert items_at(model, place)[target] is moved
    after = links(model)
    reordered = place.endswith("operators")
    for key, value in before.items():
        if key not in after:
            assert reordered
            assert key[0] == DEPENDENCIES
        elif key[0] != PLAN or after[key] != -1:
            assert after[key] == value
    assert after.keys() <= before.keys()
    undo_leaves_no_trace(document, bytes_before)


@settings(max_examples=examples(60), deadline=None)
@given(SEEDS)
def test_after_a_removal_everything_names_what_it_named(seed: int) -> None:
    random = Random(seed)
    model = random_model(random)
    document, before, bytes_before = Document(model), links(model), lay_out(model).tobytes()
    place = random.choice(lists_of(model))
    items = items_at(model, place)
    choice = range(int(place == "buffers"), len(items))
    removed = random.sample(choice, random.randint(1, max(1, len(choice) // 2)))
    left = [k for k in range(len(items)) if k not in removed]
    if not left:
        return
    stand_in = random.choice(left)
    gone = {id(items[k]): id(items[stand_in]) for k in removed}
    kept_alive = [items[k] for k in removed]
    try:
        made = remove_items(model, place, removed)
    except EditError as error:
        assert "still used" in str(error)
        made = remove_items(model, place, removed, replacement=stand_in)
    do(document, made)
    after = links(model)
    for key, value in after.items():
        if key[0] == DEPENDENCIES:
            continue
        if key[0] == PLAN:  # the entry itself goes with its buffer
            assert value in (before[key], -1)
        elif key[0] == "data" and place == "buffers":
            continue
        elif key in before and key[0] == "data":
            assert value == before[key]
        elif key in before and not (place == "subgraphs" and key[1] == "tensor_index"):
            # A signature of a removed subgraph is one of another, with the indices it had.
            assert value == tuple(gone.get(target, target) for target in before[key])
    if place.endswith("operators"):
        assert_same_order(before, after, set(gone))
    del kept_alive
    undo_leaves_no_trace(document, bytes_before)


def assert_same_order(before: Any, after: Any, gone: set[int]) -> None:
    """What had to run before what, also by way of others, still has to."""

    def order(found: Any) -> set[tuple[int, int]]:
        pairs = {key[1:] for key in found if key[0] == DEPENDENCIES}
        while True:
            more = {(a, d) for a, b in pairs for c, d in pairs if b == c} - pairs
            if not more:
                return {pair for pair in pairs if not gone & set(pair)}
            pairs |= more

    assert order(after) == order(before)


def test_real_models_stay_what_they_are(models_folder: Path) -> None:
    random = Random(2026)
    chosen = [p for p in readable_models(models_folder) if p.stat().st_size < 40_000]
    for path in random.sample(chosen, 12):
        document = Document.open(path)
        model = document.model
        for place in lists_of(model)[:6]:
            count, first = len(items_at(model, place)), int(place == "buffers")
            if count - first < 2:
                continue
            before = links(model)
            new = NEW_ITEMS[place.split(".")[-1]]()
            document.do(insert_items(model, place, first, [new]).edits)
            document.do(move_item(model, place, first, random.randrange(first, count)).edits)
            after = links(model)
            assert {key: after.get(key) for key in before} == before, (path, place)
        document.go_to(0)
        assert lay_out(model).tobytes() == lay_out(ts.load_model_from_file(path)).tobytes()


# ------------------------------------------------------------------ what is refused


@pytest.fixture
def model() -> Model:
    return Model(
        version=3,
        buffers=[Buffer(), Buffer(data=b"weights "), Buffer(data=b"bias")],
        operator_codes=[OperatorCode(3, builtin_code=3)],
        signature_defs=[SignatureDef(inputs=[TensorMap("x", 0)], signature_key="serve")],
        subgraphs=[
            SubGraph(
                tensors=[
                    Tensor(name=n, buffer=b) for n, b in zip("xwby", (0, 1, 2, 0), strict=True)
                ],
                inputs=[0],
                outputs=[3],
                operators=[
                    Operator(inputs=[0, 1, 2], outputs=[3], builtin_options=Conv2DOptions())
                ],
            )
        ],
    )


TENSORS, OPERATORS = "subgraphs[0].tensors", "subgraphs[0].operators"


def test_what_is_used_is_not_removed(model: Model) -> None:
    for place, index, users in (
        (TENSORS, 1, "Tensor 1 is still used by Conv2D 0: inputs"),
        (TENSORS, 0, "signature 0: inputs"),
        (TENSORS, 3, "subgraph 0: outputs"),
        ("buffers", 2, "Buffer 2 is still used by tensor 2 b: buffer"),
        ("operator_codes", 0, "Operator code 0 is still used by Conv2D 0"),
    ):
        with pytest.raises(EditError, match=users):
            remove_items(model, place, [index])


def test_an_optional_input_can_be_left_out(model: Model) -> None:
    with pytest.raises(EditError, match=r"needs (weights|filter)"):
        remove_items(model, TENSORS, [1], replacement=-1)
    with pytest.raises(EditError, match="cannot be left out"):
        remove_items(model, TENSORS, [3], replacement=-1)
    with pytest.raises(EditError, match="cannot be left out"):
        remove_items(model, "buffers", [2], replacement=-1)
    document = Document(model)
    document.do(remove_items(model, TENSORS, [2], replacement=-1).edits)
    operator = items_at(model, OPERATORS)[0]
    assert (operator.inputs, operator.outputs) == ([0, 1, -1], [2])


def test_users_can_get_another_item(model: Model) -> None:
    document = Document(model)
    document.do(remove_items(model, TENSORS, [0], replacement=3).edits)
    operator = items_at(model, OPERATORS)[0]
    assert (operator.inputs, operator.outputs) == ([2, 0, 1], [2])
    assert (model.signature_defs or [])[0].inputs[0].tensor_index == 2  # type: ignore[index]
    for replacement in (0, 9, -2):
        with pytest.raises(EditError, match="stand in"):
            remove_items(model, TENSORS, [0], replacement=replacement)


def test_what_removed_items_use_of_each_other_is_no_obstacle() -> None:
    details = QuantizationParameters(details=BlockwiseQuantization(1, -1))
    subgraphs = [
        SubGraph(tensors=[Tensor(quantization=details), Tensor(), Tensor()]),
        SubGraph(operators=[Operator(builtin_options=IfOptions(1, 2))]),
        SubGraph(),
    ]
    model = Model(subgraphs=subgraphs, operator_codes=[OperatorCode()])
    with pytest.raises(EditError, match=r"still used by .*tensor 0: details.scales"):
        remove_items(model, TENSORS, [1])
    with pytest.raises(EditError, match="Subgraph 2 is still used"):
        remove_items(model, "subgraphs", [2])
    assert len(remove_items(model, TENSORS, [0, 1]).edits) == 2
    assert len(remove_items(model, "subgraphs", [1, 2]).edits) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        lambda m: insert_items(m, "buffers", 0, [Buffer()]),
        lambda m: move_item(m, "buffers", 0, 1),
        lambda m: move_item(m, "buffers", 1, 0),
        lambda m: remove_items(m, "buffers", [0], replacement=1),
        lambda m: remove_items(m, "subgraphs", [0]),
        lambda m: remove_items(m, TENSORS, [4]),
        lambda m: remove_items(m, TENSORS, [-1]),
        lambda m: move_item(m, TENSORS, 0, 4),
        lambda m: insert_items(m, TENSORS, 5, [Tensor()]),
        lambda m: insert_items(m, "description", 0, []),
        lambda m: insert_items(m, "subgraphs[3].tensors", 0, []),
    ],
)
def test_impossible_changes_are_refused(model: Model, wrong: Any) -> None:
    with pytest.raises(EditError):
        wrong(model)


def test_the_first_item_of_an_absent_list() -> None:
    model = Model()
    document = Document(model)
    document.do(insert_items(model, "buffers", 0, [Buffer()]).edits)
    assert len(model.buffers or []) == 1
    document.undo()
    assert model.buffers is None


def test_another_main_subgraph_is_told() -> None:
    model = Model(subgraphs=[SubGraph(name="first"), SubGraph(name="second")])
    for made in (
        move_item(model, "subgraphs", 0, 1),
        move_item(model, "subgraphs", 1, 0),
        remove_items(model, "subgraphs", [0]),
    ):
        assert made.notes == (
            "Subgraph 'second' becomes the main one, which is the one that is run.",
        )
    assert not insert_items(model, "subgraphs", 1, [SubGraph()]).notes


def test_what_named_nothing_goes_on_naming_nothing() -> None:
    huge = 2**32 - 1
    model = Model(
        buffers=[Buffer(), Buffer()],
        subgraphs=[SubGraph(tensors=[Tensor(buffer=2), Tensor(buffer=huge)], inputs=[7, -5])],
        metadata=[Metadata("m", 1)],
    )
    document = Document(model)
    document.do(insert_items(model, "buffers", 2, [Buffer()]).edits)
    assert [tensor.buffer for tensor in items_at(model, TENSORS)] == [3, huge]
    document.do(insert_items(model, TENSORS, 0, [Tensor()]).edits)
    assert items_at(model, "subgraphs")[0].inputs == [8, -5]


def test_only_what_changes_is_edited(model: Model) -> None:
    assert [edit.place for edit in insert_items(model, TENSORS, 3, [Tensor()]).edits] == [
        "subgraphs[0].operators[0].outputs",
        "subgraphs[0].outputs",
        TENSORS,
    ]
    assert len(insert_items(model, TENSORS, 4, [Tensor()]).edits) == 1
    assert not move_item(model, TENSORS, 1, 1).edits
    assert not remove_items(model, TENSORS, []).edits


def test_parts_in_sequence_are_one_step(model: Model) -> None:
    """An operator, the tensors that only it uses, and their buffers."""
    before = lay_out(model).tobytes()
    document = Document(model)
    made = in_sequence(
        model,
        lambda m: remove_items(m, OPERATORS, [0]),
        lambda m: remove_items(m, TENSORS, [1, 2]),
        lambda m: remove_items(m, "buffers", [1, 2]),
    )
    assert lay_out(model).tobytes() == before
    document.do(made.edits)
    assert [tensor.name for tensor in items_at(model, TENSORS)] == ["x", "y"]
    assert len(items_at(model, "buffers")) == 1
    undo_leaves_no_trace(document, before)
    with pytest.raises(EditError, match="still used"):
        in_sequence(
            model,
            lambda m: insert_items(m, TENSORS, 0, [Tensor()]),
            lambda m: remove_items(m, TENSORS, [1]),
        )
    assert lay_out(model).tobytes() == before


# ------------------------------------------------------------------ many at once


def test_one_edit_for_a_field_of_many_items() -> None:
    operators = [Operator(inputs=[0, 1], outputs=[2]) for _ in range(40)]
    model = Model(
        subgraphs=[SubGraph(tensors=[Tensor() for _ in range(3)], operators=operators)]
    )
    document, before = Document(model), lay_out(model).tobytes()
    do(document, insert_items(model, TENSORS, 1, [Tensor()]))
    edits = document.history.steps[0].edits
    assert [type(edit).__name__ for edit in edits] == ["SetEach", "SetEach", "Insert"]
    assert "inputs of 40 items" in edits[0].describe(model)
    assert {tuple(operator.inputs or []) for operator in operators} == {(0, 2)}
    undo_leaves_no_trace(document, before)


@pytest.mark.parametrize(
    ("place", "field", "items", "values"),
    [
        (TENSORS, "buffer", [0, 0], [1, 1]),
        (TENSORS, "buffer", [1, 0], [1, 1]),
        (TENSORS, "buffer", [4], [1]),
        (TENSORS, "buffer", [0], [-1]),
        (TENSORS, "buffer", [0, 1], [1]),
        (TENSORS, "name", [0], [5]),
        (TENSORS, "quantization", [0], [None]),
        (TENSORS, "nothing", [0], [1]),
        ("description", "buffer", [0], [1]),
        ("subgraphs[0].inputs", "buffer", [0], [1]),
    ],
)
def test_a_wrong_edit_of_many_changes_nothing(
    model: Model, place: str, field: str, items: list[int], values: list[Any]
) -> None:
    before = lay_out(model).tobytes()
    edit = SetEach(place, field, items, values)
    for act in (edit.check, edit.apply):
        with pytest.raises(EditError):
            act(model)
    assert lay_out(model).tobytes() == before


def test_a_large_model_is_renumbered_quickly() -> None:
    operators = [
        Operator(inputs=[3 * k, 3 * k + 1, 3 * k + 2], outputs=[3 * k + 3])
        for k in range(20_000)
    ]
    tensors = [Tensor(name=str(k), buffer=k + 1) for k in range(60_001)]
    model = Model(
        buffers=[Buffer() for _ in range(60_003)],
        operator_codes=[OperatorCode()],
        subgraphs=[SubGraph(tensors=tensors, operators=operators, inputs=[0])],
    )
    document = Document(model)
    started = time.process_time()
    document.do(remove_items(model, TENSORS, [1], replacement=0).edits)
    taken = time.process_time() - started
    assert operators[-1].outputs == [59_999]
    assert taken < 3, "half a second on an idle machine"
    assert document.history.steps[0].cost_bytes < 40 * 2**20


def test_samples_run_the_same_lists() -> None:
    for path in sorted(SAMPLES.glob("*.tflite")):
        document = Document.open(path)
        for place in lists_of(document.model):
            first = int(place == "buffers")
            document.do(
                insert_items(
                    document.model, place, first, [NEW_ITEMS[place.split(".")[-1]]()]
                ).edits
            )
        document.go_to(0)
        assert not document.modified
        assert (
            lay_out(document.model).tobytes()
            == lay_out(ts.load_model_from_file(path)).tobytes()
        )


# ------------------------------------------------------------------ other orders, many places


@settings(max_examples=examples(60), deadline=None)
@given(SEEDS)
def test_in_another_order_everything_names_what_it_named(seed: int) -> None:
    random = Random(seed)
    model = random_model(random)
    document, before, bytes_before = Document(model), links(model), lay_out(model).tobytes()
    place = random.choice(lists_of(model))
    items = list(items_at(model, place))
    first = int(place == "buffers")
    order = [*range(first), *random.sample(range(first, len(items)), len(items) - first)]
    do(document, permute_items(model, place, order))
    assert [id(item) for item in items_at(model, place)] == [id(items[k]) for k in order]
    after = links(model)
    for key, value in after.items():
        assert before[key] == value or (key[0] == PLAN and value == -1)
    lost = before.keys() - after.keys()
    assert all(key[0] == DEPENDENCIES and place.endswith("operators") for key in lost)
    undo_leaves_no_trace(document, bytes_before)


@pytest.mark.parametrize(
    ("place", "order", "message"),
    [
        ("buffers", [1, 0], "has to stay the first"),
        ("subgraphs[0].tensors", [0, 0], "each of the 2 items once"),
        ("subgraphs[0].tensors", [0], "each of the 2 items once"),
        ("description", [], "Only lists"),
    ],
)
def test_a_senseless_order_is_refused(place: str, order: list[int], message: str) -> None:
    model = Model(
        subgraphs=[SubGraph(tensors=[Tensor(), Tensor()])], buffers=[Buffer(), Buffer()]
    )
    with pytest.raises(EditError, match=message):
        permute_items(model, place, order)


@settings(max_examples=examples(200), deadline=None)
@given(st.integers(0, 9).flatmap(lambda count: st.permutations(range(count))))
def test_the_fewest_moves_make_the_order(order: list[int]) -> None:
    items = list(range(len(order)))
    moves = moves_to(order)
    for index, target in moves:
        items.insert(target, items.pop(index))
    assert items == order
    rising = max(
        (
            len(part)
            for size in range(len(order) + 1)
            for part in combinations(order, size)
            if list(part) == sorted(part)
        ),
        default=0,
    )
    assert len(longest_rising(order)) == rising
    assert len(moves) <= len(order) - rising


@settings(max_examples=examples(60), deadline=None)
@given(SEEDS)
def test_after_insertions_in_many_places_everything_names_what_it_named(seed: int) -> None:
    random = Random(seed)
    model = random_model(random)
    document, before, bytes_before = Document(model), links(model), lay_out(model).tobytes()
    place = random.choice(lists_of(model))
    items = list(items_at(model, place))
    first = int(place == "buffers")
    where = sorted(random.randint(first, len(items)) for _ in range(random.randint(0, 4)))
    new = [NEW_ITEMS[place.split(".")[-1]]() for _ in where]
    do(document, insert_each(model, place, where, new))
    kept = [item for item in items_at(model, place) if id(item) in set(map(id, items))]
    assert kept == items
    for k, (index, _) in enumerate(zip(where, new, strict=True)):
        assert items_at(model, place)[index + k] not in items
    after = links(model)
    assert {key: after[key] for key in before} == before
    undo_leaves_no_trace(document, bytes_before)


@settings(max_examples=examples(60), deadline=None)
@given(SEEDS)
def test_each_removed_item_may_have_its_own_stand_in(seed: int) -> None:
    random = Random(seed)
    model = random_model(random)
    document, before, bytes_before = Document(model), links(model), lay_out(model).tobytes()
    items = list(items_at(model, "subgraphs[0].tensors"))
    removed = random.sample(range(len(items)), random.randint(1, len(items) - 1))
    left = [k for k in range(len(items)) if k not in removed]
    stand_ins = {k: random.choice(left) for k in removed}
    gone = {id(items[k]): id(items[new]) for k, new in stand_ins.items()}
    do(document, remove_items(model, "subgraphs[0].tensors", removed, stand_ins))
    for key, value in links(model).items():
        if isinstance(value, tuple):
            assert value == tuple(gone.get(target, target) for target in before[key])
        elif key[0] == PLAN:
            assert value in (before[key], -1)
    undo_leaves_no_trace(document, bytes_before)


def test_every_removed_item_needs_a_stand_in() -> None:
    model = Model(subgraphs=[SubGraph(tensors=[Tensor(), Tensor(), Tensor()])])
    with pytest.raises(EditError, match="needed for each tensor"):
        remove_items(model, "subgraphs[0].tensors", [0, 1], {0: 2})
    with pytest.raises(EditError, match="no tensor 1 to stand in"):
        remove_items(model, "subgraphs[0].tensors", [0, 1], {0: 1, 1: 2})
