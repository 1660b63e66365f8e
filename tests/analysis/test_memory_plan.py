# SPDX-License-Identifier: Apache-2.0
"""The plan of the arena: as TFLM makes it, on models it runs and on senseless ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tflm_studio as ts
from tests.analysis.arena_table import compare
from tests.analysis.slow_planner import Wanted, slow_plan
from tests.conftest import IS_THOROUGH, SAMPLES, examples, readable_models
from tflm_studio.analysis.arena_buffers import (
    SCRATCH,
    START,
    ArenaBuffers,
    PlanError,
    Scope,
    arena_buffers,
)
from tflm_studio.analysis.arena_size import estimate_arena
from tflm_studio.analysis.memory_plan import place_buffers, plan_memory
from tflm_studio.model.cancellation import CancelledError, cancellable
from tflm_studio.schema.enums import BuiltinOperator, TensorType
from tflm_studio.schema.tables import (
    Buffer,
    CallOnceOptions,
    IfOptions,
    Metadata,
    Model,
    Operator,
    OperatorCode,
    SubGraph,
    Tensor,
)

INT8 = TensorType.INT8
# Models with scratch buffers, subgraphs, variables and resources between them.
KNOWN = (
    "tensorflow__tflite-micro/keyword_scrambled_8bit.tflite",
    "esphome__micro-wake-word-models/vad.tflite",
)


def buffers_of(wanted: list[Wanted]) -> ArenaBuffers:
    columns = np.array(wanted, np.int64).reshape(-1, 4).T
    size, first, last, offline = columns.copy()
    zeros = np.zeros(len(wanted), np.int64)
    scopes = tuple(Scope(0, k) for k in range(12))
    return ArenaBuffers(
        zeros, np.arange(len(wanted)), zeros - 1, size, first, last, offline, scopes, 0, ()
    )


@st.composite
def one_wanted(draw: st.DrawFn) -> Wanted:
    first = draw(st.integers(-1, 10))
    last = draw(st.integers(first, 11))
    size = 16 * draw(st.integers(1, 6))
    offline = draw(
        st.one_of(st.just(-1), st.just(-1), st.integers(0, 12).map(lambda k: 16 * k))
    )
    return Wanted(size, first, last, offline)


@given(st.lists(one_wanted(), max_size=14))
def test_the_plan_is_that_of_the_plain_algorithm(wanted: list[Wanted]) -> None:
    plan = place_buffers(buffers_of(wanted))
    assert plan.offset.tolist() == slow_plan(wanted)
    ends = [offset + each.size for offset, each in zip(plan.offset, wanted, strict=True)]
    assert plan.head == max(ends, default=0)
    in_use = [
        sum(each.size for each in wanted if each.first <= step <= each.last)
        for step in range(-1, 12)
    ]
    assert plan.needed == max(in_use)
    at_peak = {
        max(step, 0)
        for each, end in zip(wanted, ends, strict=True)
        for step in range(each.first, each.last + 1)
        if end == plan.head
    }
    assert set(plan.peak_scopes) == at_peak


def chain(*sizes: int) -> Model:
    """Operators one behind the other, tensor k of a size in int8."""
    tensors = [Tensor(shape=[size], type=INT8, buffer=0) for size in sizes]
    operators = [
        Operator(opcode_index=0, inputs=[k], outputs=[k + 1]) for k in range(len(sizes) - 1)
    ]
    graph = SubGraph(
        tensors=tensors, operators=operators, inputs=[0], outputs=[len(sizes) - 1]
    )
    code = OperatorCode(builtin_code=BuiltinOperator.RELU)
    return Model(operator_codes=[code], subgraphs=[graph], buffers=[Buffer()])


def test_a_chain_by_hand() -> None:
    plan = plan_memory(chain(100, 40, 200, 8))
    buffers = plan.buffers
    assert buffers.size.tolist() == [112, 48, 208, 16]
    assert (buffers.first.tolist(), buffers.last.tolist()) == ([0, 1, 2, 3], [1, 2, 3, 3])
    # The largest first, at 0; what meets it lies above, what does not may lie at 0 again.
    assert plan.offset.tolist() == [0, 208, 0, 208]
    assert (plan.head, plan.needed) == (256, 256)
    assert plan.peak_operators == (Scope(0, 0), Scope(0, 1))
    assert buffers.scopes == (Scope(0, START), Scope(0, 0), Scope(0, 1), Scope(0, 2))
    assert plan.is_exact


def test_what_an_operator_of_ones_own_needs_is_not_known() -> None:
    model = chain(16, 16)
    model.operator_codes = [OperatorCode(builtin_code=32, custom_code="MINE")]
    estimate = estimate_arena(model)
    assert estimate.plan.buffers.unknown == ("MINE",)
    assert not estimate.plan.is_exact
    assert estimate.tail.unknown == {"MINE": 1}


def test_a_convolution_with_packed_weights_unpacks_them() -> None:
    model = chain(16, 16)
    graph = model.subgraphs[0]
    graph.tensors.append(Tensor(shape=[4, 3, 3, 2], type=TensorType.INT4, buffer=1))
    model.buffers.append(Buffer(data=bytes(36)))
    model.operator_codes = [OperatorCode(builtin_code=BuiltinOperator.CONV_2D)]
    graph.operators[0].inputs = [0, 2]
    buffers = arena_buffers(model)
    rows = np.flatnonzero(buffers.tensor == SCRATCH)
    assert buffers.size[rows].tolist() == [80]
    assert (buffers.operator[rows[0]], buffers.first[rows[0]], buffers.last[rows[0]]) == (
        0,
        1,
        1,
    )


@pytest.mark.parametrize(
    ("code", "kind", "sizes"),
    [
        (BuiltinOperator.MEAN, TensorType.FLOAT32, [16, 32]),
        (BuiltinOperator.MEAN, TensorType.INT8, [32, 16, 32]),
        (BuiltinOperator.REDUCE_MAX, TensorType.INT8, [16, 32]),
        (BuiltinOperator.RELU, TensorType.INT8, []),
    ],
)
def test_reductions_sum_up_somewhere(
    code: BuiltinOperator, kind: TensorType, sizes: list[int]
) -> None:
    model = chain(8, 8)
    graph = model.subgraphs[0]
    graph.tensors[0].type = kind
    graph.tensors.append(Tensor(shape=[5], type=TensorType.INT32, buffer=1))
    model.buffers.append(Buffer(data=bytes(20)))
    model.operator_codes = [OperatorCode(builtin_code=code)]
    graph.operators[0].inputs = [0, 2]
    buffers = arena_buffers(model)
    # A number for each dimension of the input, one for each axis, and the sums.
    assert buffers.size[buffers.tensor == SCRATCH].tolist() == sizes


def calling(code: BuiltinOperator, options: object) -> Model:
    inner = chain(16, 16).subgraphs[0]
    outer = chain(16, 16).subgraphs[0]
    outer.operators[0].builtin_options = options
    return Model(
        operator_codes=[OperatorCode(builtin_code=code)],
        subgraphs=[outer, inner],
        buffers=[Buffer()],
    )


@pytest.mark.parametrize("index", [0, 1])
def test_subgraphs_that_run_themselves_are_refused(index: int) -> None:
    model = calling(
        BuiltinOperator.IF, IfOptions(then_subgraph_index=index, else_subgraph_index=1)
    )
    if index == 1:
        model.subgraphs[1].operators[0].builtin_options = IfOptions(then_subgraph_index=1)
    with pytest.raises(PlanError, match=f"Subgraph {index} runs itself"):
        plan_memory(model)


def test_subgraphs_that_multiply_are_given_up() -> None:
    model = Model(
        operator_codes=[OperatorCode(builtin_code=BuiltinOperator.IF)],
        buffers=[Buffer()],
        subgraphs=[
            SubGraph(
                tensors=[],
                operators=[
                    Operator(
                        builtin_options=IfOptions(
                            then_subgraph_index=k + 1, else_subgraph_index=k + 1
                        )
                    )
                ],
            )
            for k in range(60)
        ],
    )
    with pytest.raises(PlanError, match="too often"):
        plan_memory(model)


SENSELESS = {
    "nothing": Model(),
    "no lists": Model(subgraphs=[SubGraph()]),
    "no buffers": Model(
        subgraphs=[SubGraph(tensors=[Tensor(shape=[3], type=INT8, buffer=9)])]
    ),
    "no codes": Model(subgraphs=[SubGraph(operators=[Operator(opcode_index=7)])]),
    "no options": calling(BuiltinOperator.IF, None),
    "subgraph out of range": calling(
        BuiltinOperator.CALL_ONCE, CallOnceOptions(init_subgraph_index=99)
    ),
    "entry without a buffer": Model(metadata=[Metadata(name="Offline", buffer=4)]),
}


@pytest.mark.parametrize("name", SENSELESS)
def test_senseless_models_are_planned_all_the_same(name: str) -> None:
    estimate = estimate_arena(SENSELESS[name])
    assert estimate.recommended > 0
    assert estimate.head >= 0


SCALAR_CODES = tuple(BuiltinOperator)


@settings(max_examples=examples(60))
@given(st.data())
def test_nothing_surprises_the_planner(data: st.DataObject) -> None:
    index = st.integers(-3, 9)
    indices = st.one_of(st.none(), st.lists(index, max_size=25))
    shape = st.one_of(st.none(), st.lists(st.integers(-(2**31), 2**31 - 1), max_size=9))
    tensor = st.builds(
        Tensor,
        shape=shape,
        type=st.integers(-2, 40),
        buffer=st.integers(0, 3),
        is_variable=st.booleans(),
    )
    operator = st.builds(
        Operator, opcode_index=st.integers(0, 5), inputs=indices, outputs=indices
    )
    graph = st.builds(
        SubGraph,
        tensors=st.one_of(st.none(), st.lists(tensor, max_size=6)),
        operators=st.one_of(st.none(), st.lists(operator, max_size=5)),
        inputs=indices,
        outputs=indices,
    )
    code = st.builds(OperatorCode, builtin_code=st.sampled_from(SCALAR_CODES))
    model = data.draw(
        st.builds(
            Model,
            subgraphs=st.lists(graph, max_size=2),
            operator_codes=st.lists(code, max_size=6),
            buffers=st.just([Buffer(), Buffer(data=b"x")]),
        )
    )
    estimate = estimate_arena(model)
    assert 0 <= estimate.plan.needed <= estimate.head
    assert estimate.recommended >= estimate.total


def test_a_plan_that_is_not_wanted_ends() -> None:
    buffers = arena_buffers(chain(16, 16))
    with cancellable(lambda: True), pytest.raises(CancelledError):
        place_buffers(buffers)


def test_real_models_take_what_the_interpreter_says(models_folder: Path) -> None:
    pytest.importorskip("tflite_micro")
    paths = [models_folder / name for name in KNOWN]
    if IS_THOROUGH:
        paths = readable_models(models_folder)
    compared = list(compare([path for path in paths if path.exists()]))
    assert len(compared) > 300 if IS_THOROUGH else compared
    differing = [
        each.path.name for each in compared if each.estimate.head != each.measured.head
    ]
    assert differing == []
    for path, estimate, measured in compared:
        assert estimate.recommended >= measured.total, path
        if not estimate.tail.unknown:
            assert estimate.tail.total == pytest.approx(measured.tail, rel=0.05), path


def test_the_sample_in_every_part() -> None:
    estimate = estimate_arena(ts.load_model_from_file(SAMPLES / "shapes_int8.tflite"))
    sections = estimate.tail.sections
    assert sections["tensors"] == 24 * 17
    assert sections["operators"] == 64 * 7
    assert estimate.tail.total % 16 == 0
    assert estimate.firmware_tail.total < estimate.tail.total
    assert estimate.recommended > estimate.total
