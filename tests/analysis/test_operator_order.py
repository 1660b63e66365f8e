# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import every, examples, readable_models
from tflm_studio.analysis.operator_order import (
    NEVER,
    Violation,
    check_order,
    first_makers,
    order_of,
    sorted_operators,
)
from tflm_studio.formats.model_file import load_model_from_file
from tflm_studio.schema.enums import BuiltinOperator, TensorType
from tflm_studio.schema.tables import Buffer, Model, Operator, OperatorCode, SubGraph, Tensor


def model_of(
    *operators: tuple[list[int], list[int]], inputs: tuple[int, ...] = (0,), count: int = 8
) -> Model:
    """A subgraph of operators given by what they read and make."""
    made = [Operator(0, reads, makes) for reads, makes in operators]
    tensors = [Tensor([1], name=f"t{k}") for k in range(count)]
    subgraph = SubGraph(tensors, list(inputs), [], made, "main")
    return Model(3, [OperatorCode(0)], [subgraph], None, [Buffer(), Buffer(b"abcd")])


def order(model: Model) -> tuple[list[int], tuple[int, ...]]:
    found = sorted_operators(model, model.subgraphs[0])
    return found.order, found.cycle


def test_a_model_in_order_is_left_alone() -> None:
    model = model_of(([0], [1]), ([1], [2]), ([0, -1, 99], [3]), ([2, 3], [4]))
    assert check_order(model, 0) == []
    assert order(model) == ([0, 1, 2, 3], ())


def test_who_reads_before_it_is_made() -> None:
    model = model_of(([2, 2], [3]), ([0], [1]), ([1], [2]))
    assert check_order(model, 0) == [Violation(0, 2, 2)]
    assert order(model) == ([1, 2, 0], ())


def test_constants_variables_and_inputs_have_a_value_from_the_start() -> None:
    model = model_of(([0, 4, 5], [1]), ([1], [4, 5, 0]))
    tensors = model.subgraphs[0].tensors
    tensors[4].buffer, tensors[5].is_variable = 1, True
    assert check_order(model, 0) == []
    tensors[5].is_variable = False
    assert check_order(model, 0) == [Violation(0, 5, 1, (0, 1))]


def test_operators_that_wait_for_each_other() -> None:
    model = model_of(([0, 3], [1]), ([1], [2]), ([2], [3]), ([5], [4]), ([3], [5]))
    assert check_order(model, 0) == [Violation(0, 3, 2, (0, 1, 2)), Violation(3, 5, 4)]
    assert order(model) == ([], (0, 1, 2))


def test_an_operator_that_reads_what_only_it_makes() -> None:
    model = model_of(([2], [3]), ([0, 1], [1]), ([1], [2]))
    assert check_order(model, 0) == [Violation(0, 2, 2), Violation(1, 1, 1, (1,))]
    assert order(model) == ([1, 2, 0], ())


def test_a_tensor_made_twice_is_read_as_before() -> None:
    model = model_of(([4], [5]), ([0], [1]), ([1], [2]), ([0], [1]), ([1], [3]), ([3], [4]))
    assert order(model) == ([1, 2, 3, 4, 5, 0], ())
    # The reader of the first value waits for something that comes later.
    model = model_of(([0], [1]), ([1, 6], [2]), ([0], [1]), ([1], [3]), ([0], [6]))
    assert order(model) == ([0, 4, 1, 2, 3], ())


def test_an_input_that_is_overwritten_is_read_as_before() -> None:
    model = model_of(([0, 6], [1]), ([2], [0]), ([0], [3]), ([0], [6]), inputs=(0, 2))
    assert check_order(model, 0) == [Violation(0, 6, 3, (0, 1, 3))]
    model = model_of(([0, 6], [1]), ([2], [0]), ([0], [3]), ([2], [6]), inputs=(0, 2))
    assert order(model) == ([3, 0, 1, 2], ())


def test_operators_with_state_keep_their_order() -> None:
    model = model_of(([5, 6], []), ([5], [1]), ([0], [6]))
    model.subgraphs[0].tensors[5].type = TensorType.RESOURCE
    model.subgraphs[0].inputs.append(5)
    assert order(model) == ([2, 0, 1], ())
    model.subgraphs[0].tensors[5].type = TensorType.FLOAT32
    assert order(model) == ([1, 2, 0], ())


def test_state_gives_way_if_the_wiring_is_against_it() -> None:
    model = model_of(([5, 1], []), ([5], [1]))
    model.subgraphs[0].tensors[5].is_variable = True
    found = sorted_operators(model, model.subgraphs[0])
    assert (found.order, found.keeps_state) == ([1, 0], False)


def test_calls_of_subgraphs_keep_their_order() -> None:
    model = model_of(([6], []), ([], []), ([0], [6]))
    model.operator_codes.append(OperatorCode(127, None, 1, BuiltinOperator.CALL_ONCE))
    assert order(model) == ([1, 2, 0], ())
    model.subgraphs.append(SubGraph())
    for operator in model.subgraphs[0].operators[:2]:
        operator.opcode_index = 1
    assert order(model) == ([2, 0, 1], ())


def test_pairs_are_kept_if_that_is_possible() -> None:
    model = model_of(([6], [1]), ([0], [2]), ([0], [6]))
    subgraph = model.subgraphs[0]
    assert sorted_operators(model, subgraph, [(0, 1)]).order == [2, 0, 1]
    assert sorted_operators(model, subgraph, [(0, 2), (7, 1)]).order == [1, 2, 0]


def test_which_tensors_would_break_the_order() -> None:
    model = model_of(([0], [1]), ([1], [2]), ([2], [3]))
    found = order_of(model, model.subgraphs[0])
    assert [k for k in range(-1, 9) if found.breaks_order(1, k)] == [2, 3]
    assert [k for k in range(-1, 9) if found.breaks_order(3, k)] == []
    # Making 1 behind operator 1, which reads it, is no harm: operator 0 makes it before.
    assert not found.breaks_as_output(2, 1)
    model.subgraphs[0].operators[0].outputs = [5]
    found = order_of(model, model.subgraphs[0])
    assert [k for k in range(-1, 9) if found.breaks_as_output(2, k)] == [1]
    assert not found.breaks_as_output(0, 1)
    assert not found.breaks_as_output(2, 0)


def test_senseless_subgraphs_have_an_order() -> None:
    model = Model(subgraphs=[SubGraph(), SubGraph(operators=[Operator(7, [3, -1], [4])])])
    assert check_order(model, 0) == check_order(model, 1) == []
    assert sorted_operators(model, model.subgraphs[0]).order == []
    assert sorted_operators(model, model.subgraphs[1]).order == [0]


WIRING = st.lists(
    st.tuples(
        st.lists(st.integers(-1, 7), max_size=3), st.lists(st.integers(0, 7), max_size=2)
    ),
    max_size=7,
)


@settings(max_examples=examples(200), deadline=None)
@given(WIRING)
def test_a_sorted_model_has_no_violations_but_of_operators_with_themselves(
    wiring: list[tuple[list[int], list[int]]],
) -> None:
    model = model_of(*wiring)
    subgraph = model.subgraphs[0]
    found = sorted_operators(model, subgraph)
    if found.cycle:
        assert check_order(model, 0)
        return
    assert sorted(found.order) == list(range(len(wiring)))
    before = list(subgraph.operators)
    if not check_order(model, 0):
        assert found.order == list(range(len(wiring)))
    subgraph.operators = [before[k] for k in found.order]
    for violation in check_order(model, 0):
        assert violation.reader == violation.maker
    again = sorted_operators(model, subgraph)
    assert again.order == list(range(len(wiring)))


def test_twenty_thousand_operators_in_a_circle() -> None:
    count = 20_000
    chain = [([k], [k + 1]) for k in range(count)]
    model = model_of(*chain[::-1], count=count + 1)
    assert len(check_order(model, 0)) == count - 1
    assert order(model)[0] == list(range(count))[::-1]
    model.subgraphs[0].operators[0].outputs = [0]
    model.subgraphs[0].inputs = []
    assert order(model) == ([], tuple(range(count)))


def test_first_makers_say_the_same_as_the_order_of_all(models_folder: Path) -> None:
    for path in every(6, readable_models(models_folder)):
        model = load_model_from_file(path)
        for subgraph in model.subgraphs or []:
            count = len(subgraph.tensors or [])
            made_at = order_of(model, subgraph).made_at
            expected = {k: int(made_at[k]) for k in range(count) if made_at[k] != NEVER}
            assert first_makers(model, subgraph, range(-1, count + 1)) == expected


def test_the_first_maker_counts_and_what_has_a_value_has_none() -> None:
    model = model_of(([0], [1]), ([1], [2, 3]), ([2], [0, 1, 4]), ([4], [5, 6]))
    subgraph = model.subgraphs[0]
    subgraph.tensors[5].buffer = 1
    subgraph.tensors[6].is_variable = True
    wanted = [-1, 0, 1, 2, 4, 5, 6, 7, 99]
    assert first_makers(model, subgraph, wanted) == {1: 0, 2: 1, 4: 2}
