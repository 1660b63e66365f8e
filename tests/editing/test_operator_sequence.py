# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time

import pytest

from tests.editing.indexed_models import DEPENDENCIES, metadata_bytes
from tests.editing.small_models import streaming
from tests.editing.test_operators import Scene, chain
from tflm_studio.analysis.operator_order import check_order
from tflm_studio.editing import operators as ops
from tflm_studio.editing.document import Document
from tflm_studio.formats.control_dependencies import (
    encode_control_dependencies,
    parse_control_dependencies,
)
from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.model.errors import EditError
from tflm_studio.schema.enums import BuiltinOperator, TensorType
from tflm_studio.schema.tables import (
    Metadata,
    Model,
    Operator,
    OperatorCode,
    SubGraph,
    Tensor,
)


def parallel() -> Scene:
    """Four operators that read x, and one that reads what the last of them makes."""
    model = chain()
    graph = model.subgraphs[0]
    graph.tensors += [Tensor([1], name=name) for name in "defg"]
    graph.operators = [Operator(1, [0], [k], intermediates=[k]) for k in (1, 2, 3, 5)]
    graph.operators.append(Operator(1, [5], [6]))
    return Scene(model)


def made(scene: Scene) -> str:
    return "".join(names[0] for _, _, names in scene.flow())


def test_a_block_moves_as_one() -> None:
    scene = parallel()
    assert made(scene) == "abcde"
    done = scene.do(ops.move(scene.model, 0, [2, 0], 1))
    assert done.label == "Move 2 operators"
    assert made(scene) == "bacde"
    scene.do(ops.move(scene.model, 0, [1], 0))
    assert made(scene) == "abcde"
    scene.do(ops.move(scene.model, 0, [0, 1, 2], 2))
    assert made(scene) == "deabc"
    # One move is enough for each of the two that the block passes.
    assert len(ops.move(scene.model, 0, [2, 3, 4], 0).edits) == 2
    assert not ops.move(scene.model, 0, [0, 1], 0).edits


@pytest.mark.parametrize(
    ("indices", "target", "message"),
    [
        ([4], 3, "Relu 4 would stand before Relu 3, which makes tensor 5 d that it reads"),
        ([3], 4, "Relu 4 would stand before Relu 3, which makes tensor 5 d that it reads"),
        ([0], 5, "no place 5 to move to; the last is 4"),
        ([0, 1], 4, "no place 4 to move to; the last is 3"),
        ([0], -1, "no place -1"),
        ([5], 0, "no operator 5"),
        ([], 0, "No operator is chosen"),
    ],
)
def test_what_cannot_move(indices: list[int], target: int, message: str) -> None:
    scene = parallel()
    scene.refuses(lambda: ops.move(scene.model, 0, indices, target), message)


def test_force_moves_all_the_same_and_the_way_back_is_free() -> None:
    scene = parallel()
    done = scene.do(ops.move(scene.model, 0, [4], 0, force=True))
    assert done.notes == (
        "Relu 4 would stand before Relu 3, which makes tensor 5 d that it reads.",
    )
    assert made(scene) == "eabcd"
    # What is out of order already is no obstacle.
    scene.do(ops.move(scene.model, 0, [0], 2))
    scene.do(ops.move(scene.model, 0, [2], 4))
    assert made(scene) == "abcde"


def test_what_is_in_order_stays() -> None:
    scene = parallel()
    done = scene.do(ops.sort_topologically(scene.model, 0))
    assert done.notes == ("The operators are in order already.",)
    scene.do(ops.move(scene.model, 0, [4], 0, force=True))
    done = scene.do(ops.sort_topologically(scene.model, 0))
    assert (done.label, done.notes) == ("Sort operators", ())
    assert made(scene) == "abcde"


def test_a_circle_is_refused_with_names() -> None:
    scene = Scene()
    scene.graph.operators[0].inputs = [3, 4, -1]
    scene.before = lay_out(scene.model).tobytes()
    scene.refuses(
        lambda: ops.sort_topologically(scene.model, 0),
        "Conv2D 0, Relu 1, Relu 2 wait for each other's outputs in a circle",
    )
    scene.refuses(lambda: ops.sort_topologically(scene.model, 1), "no subgraph 1")


def test_a_loop_of_one_is_told() -> None:
    scene = Scene()
    scene.graph.operators[1].inputs = [1, 2]
    scene.before = lay_out(scene.model).tobytes()
    done = ops.sort_topologically(scene.model, 0)
    assert "Relu 1 reads tensor 2 b, which only it makes; no order helps." in done.notes


def test_variables_that_get_another_order_are_told() -> None:
    scene = Scene()
    scene.graph.tensors[4].type = TensorType.RESOURCE
    scene.graph.operators = [Operator(0, [4, 1], [2]), Operator(1, [4], [1])]
    scene.before = lay_out(scene.model).tobytes()
    done = scene.do(ops.sort_topologically(scene.model, 0))
    assert done.notes == ("Operators that use variables run in another order than before.",)


def test_variables_that_move_past_each_other_are_told() -> None:
    model = streaming()
    model.subgraphs[0].operators[4].inputs = [2, 1]
    assert ops.move(model, 0, [4], 2).notes == (
        "Operators that use variables run in another order than before.",
    )
    assert not ops.move(model, 0, [6], 0).notes


def test_metadata_follows_and_has_a_say() -> None:
    model = parallel().model
    graph = model.subgraphs[0]
    graph.operators.insert(0, graph.operators.pop(4))
    model.metadata = [Metadata(DEPENDENCIES, 2)]
    model.buffers[2].data = encode_control_dependencies([[(0, 1), (2, 3)]])
    scene = Scene(model)
    scene.do(ops.sort_topologically(scene.model, 0))
    # e before a, although a could run at once.
    assert made(scene) == "bcdea"
    assert parse_control_dependencies(
        memoryview(metadata_bytes(scene.model, DEPENDENCIES))
    ) == [[(3, 4), (0, 1)]]
    model.buffers[2].data = b"senseless"
    assert ops.sort_topologically(model, 0).notes


def test_twenty_thousand_operators_are_sorted() -> None:
    count = 20_000
    tensors = [Tensor([1], name=f"t{k}") for k in range(count + 1)]
    chained = [Operator(0, [k], [k + 1]) for k in range(count)]
    graph = SubGraph(tensors, [0], [count], chained[::-1], "main")
    model = Model(3, [OperatorCode(builtin_code=BuiltinOperator.ABS)], [graph], None, [])
    document = Document(model)
    start = time.process_time()
    document.do(ops.sort_topologically(model, 0))
    seconds = time.process_time() - start
    assert check_order(model, 0) == []
    assert [operator.inputs[0] for operator in graph.operators] == list(range(count))
    document.undo()
    assert graph.operators[0].inputs == [count - 1]
    assert seconds < 20, "not a matter of squares"


def test_senseless_models_can_be_sorted() -> None:
    with pytest.raises(EditError, match="no subgraph 0"):
        ops.sort_topologically(Model(), 0)
    assert not ops.sort_topologically(Model(subgraphs=[SubGraph()]), 0).edits
    model = Model(subgraphs=[SubGraph(operators=[Operator(5, [7, -3], None)])])
    assert not ops.sort_topologically(model, 0).edits
    assert not ops.move(model, 0, [0], 0).edits
