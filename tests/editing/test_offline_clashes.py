# SPDX-License-Identifier: Apache-2.0
"""When tensors are in use after a change, before the change is made."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tflm_studio.analysis.lifetimes import Flow, Step, find_lifetimes
from tflm_studio.editing.index_map import IndexMap, Renumbered
from tflm_studio.editing.offline_clashes import _merged
from tflm_studio.model.index_references import Space

CHAIN = [Step([0], [1]), Step([1], [2]), Step([2], [3])]


def merged(
    flows: list[Flow], subgraph_index: int, stand_ins: dict[int, int]
) -> tuple[list[int], list[int]]:
    """First and last use of every tensor once some are replaced by others (by old index)."""
    indices = IndexMap.removing(flows[subgraph_index].tensor_count, stand_ins)
    replacement = {old: indices(new) for old, new in stand_ins.items()}
    change = Renumbered(Space.TENSORS, subgraph_index, indices, replacement)
    before = find_lifetimes(flows)
    assert before is not None
    copies = before.first.copy(), before.last.copy()
    found = _merged(change, flows, before)
    assert np.array_equal(before.first, copies[0])
    assert np.array_equal(before.last, copies[1])
    return found.first.tolist(), found.last.tolist()


def test_the_stand_in_is_in_use_from_the_first_to_the_last_use_of_both() -> None:
    flow = Flow(4, [0], [3], CHAIN)
    assert merged([flow], 0, {2: 0}) == ([0, 1, -1, 3], [3, 2, -1, 3])
    assert merged([flow], 0, {0: 3}) == ([-1, 1, 2, 0], [-1, 2, 3, 3])
    assert merged([flow], 0, {1: 3, 2: 3}) == ([0, -1, -1, 1], [1, -1, -1, 3])


def test_unused_tensors_lend_nothing_and_take_all() -> None:
    flow = Flow(5, [0], [3], CHAIN)
    assert merged([flow], 0, {4: 1}) == ([0, 1, 2, 3, -1], [1, 2, 3, 3, -1])
    assert merged([flow], 0, {1: 4}) == ([0, -1, 2, 3, 1], [1, -1, 3, 3, 2])


def test_tensors_of_another_subgraph_are_counted_from_its_start() -> None:
    main = Flow(2, [0], [1], [Step([0], [1], (1,))])
    inner = Flow(4, [0], [3], CHAIN)
    before = find_lifetimes([main, inner])
    assert before is not None
    assert before.first.tolist() == [0, 1, 2, 3, 4, 5]
    first, last = merged([main, inner], 1, {1: 3})
    assert first == [0, 1, 2, -1, 4, 3]
    assert last == [5, 5, 3, -1, 5, 5]


indices = st.lists(st.integers(-1, 6), max_size=3)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_it_is_as_if_the_stand_in_had_been_named(data: st.DataObject) -> None:
    count = data.draw(st.integers(2, 6))
    pairs = st.lists(st.tuples(indices, indices), max_size=6)
    steps = [Step(reads, makes) for reads, makes in data.draw(pairs)]
    flow = Flow(count, data.draw(indices), [], steps)
    gone = data.draw(st.sets(st.integers(0, count - 1), min_size=1, max_size=count - 1))
    kept = sorted(set(range(count)) - gone)
    stand_ins = {old: data.draw(st.sampled_from(kept)) for old in sorted(gone)}

    def named(tensors: list[int]) -> list[int]:
        return [stand_ins.get(k, k) for k in tensors]

    renamed = [Step(named([*step.inputs]), named([*step.outputs])) for step in steps]
    expected = find_lifetimes([Flow(count, named([*flow.inputs]), [], renamed)])
    assert expected is not None
    assert merged([flow], 0, stand_ins) == (expected.first.tolist(), expected.last.tolist())
