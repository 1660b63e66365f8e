# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from time import perf_counter

from tests.editing.tensor_models import B, W, X, Y, Z, code_of, dense_model, done, refused
from tflm_studio.editing import graph_ends
from tflm_studio.schema.enums import BuiltinOperator
from tflm_studio.schema.tables import (
    Model,
    Operator,
    SignatureDef,
    SubGraph,
    Tensor,
    WhileOptions,
)


def aliases(model: Model, side: str) -> list[tuple[str | None, int]]:
    entries = getattr(model.signature_defs[0], side)
    return [(entry.name, entry.tensor_index) for entry in entries]


def test_outputs() -> None:
    model = dense_model()
    made = graph_ends.make_output(model, 0, Y, 0)
    assert made.label == "Make tensor 3 y an output"
    assert made.notes == ("signature 0: 'y' was added to its outputs.",)
    done(model, made)
    assert model.subgraphs[0].outputs == [Y, Z]
    assert aliases(model, "outputs") == [("z", Z), ("y", Y)]
    done(model, graph_ends.move_output(model, 0, 0, 1))
    assert model.subgraphs[0].outputs == [Z, Y]
    done(model, made := graph_ends.remove_output(model, 0, Z))
    assert made.notes == ("signature 0: 'z' was removed from its outputs.",)
    assert (model.subgraphs[0].outputs, aliases(model, "outputs")) == ([Y], [("y", Y)])
    done(model, graph_ends.set_outputs(model, 0, [Z, Y]))
    assert model.subgraphs[0].outputs == [Z, Y]
    assert not graph_ends.set_outputs(model, 0, [Z, Y]).edits


def test_an_alias_that_is_taken_gets_a_number() -> None:
    model = dense_model()
    model.subgraphs[0].tensors[Y].name = "z"
    done(model, graph_ends.make_output(model, 0, Y))
    assert aliases(model, "outputs") == [("z", Z), ("z_1", Y)]


def test_a_signature_without_a_map_gets_one() -> None:
    model = dense_model()
    model.signature_defs = [SignatureDef(subgraph_index=0), SignatureDef(subgraph_index=4)]
    done(model, graph_ends.make_output(model, 0, Y))
    assert aliases(model, "outputs") == [("y", Y)]
    assert model.signature_defs[1].outputs is None


def test_inputs() -> None:
    model = dense_model()
    model.subgraphs[0].tensors.append(Tensor(shape=[1]))
    done(model, graph_ends.make_input(model, 0, 5))
    assert model.subgraphs[0].inputs == [X, 5]
    assert aliases(model, "inputs") == [("x", X), ("tensor_5", 5)]
    done(model, graph_ends.move_input(model, 0, 1, 0))
    assert model.subgraphs[0].inputs == [5, X]
    done(model, made := graph_ends.remove_input(model, 0, X))
    assert made.notes[0] == (
        "Tensor 0 x:0 is read by FullyConnected 0, but nothing gives it values any more."
    )
    done(model, graph_ends.set_inputs(model, 0, [X]))
    assert model.subgraphs[0].inputs == [X]


def test_inputs_are_refused() -> None:
    model = dense_model()
    model.subgraphs[0].tensors.append(Tensor(is_variable=True))
    for index, reason in (
        (Y, "FullyConnected 0 makes it"),
        (W, "it has data"),
        (5, "it is a variable"),
        (9, "no tensor 9"),
        (X, "among the inputs already"),
    ):
        with refused(model, reason):
            graph_ends.make_input(model, 0, index)


def test_outputs_are_refused() -> None:
    model = dense_model()
    with refused(model, "among the outputs already"):
        graph_ends.make_output(model, 0, Z)
    with refused(model, "no position 2 among 1 outputs"):
        graph_ends.make_output(model, 0, Y, 2)
    with refused(model, "named twice"):
        graph_ends.set_outputs(model, 0, [Y, Y])
    with refused(model, "no tensor -1"):
        graph_ends.set_outputs(model, 0, [-1])
    with refused(model, "not among the outputs"):
        graph_ends.remove_output(model, 0, Y)
    with refused(model, "no position 1"):
        graph_ends.move_output(model, 0, 0, 1)
    with refused(model, "no subgraph 3"):
        graph_ends.set_outputs(model, 3, [])


def test_an_output_without_values_is_told() -> None:
    model = dense_model()
    model.subgraphs[0].tensors.append(Tensor(shape=[1], name="n"))
    made = graph_ends.make_output(model, 0, 5)
    assert made.notes[0] == "Tensor 5 n is an output, but nothing gives it values."
    for index in (X, B, Y):
        made = graph_ends.make_output(model, 0, index)
        assert "nothing gives" not in str(made.notes)


def test_callers_are_told() -> None:
    model = dense_model()
    model.operator_codes.append(code_of(BuiltinOperator.WHILE))
    loop = Operator(2, [X], [X], builtin_options=WhileOptions(0, 0))
    model.subgraphs.append(SubGraph(tensors=[Tensor()], operators=[loop]))
    made = graph_ends.make_output(model, 0, Y)
    assert "Subgraph 1, While 0 calls this subgraph" in made.notes[0]


def test_callers_are_told_of_another_order_too() -> None:
    model = dense_model()
    model.operator_codes.append(code_of(BuiltinOperator.WHILE))
    loop = Operator(2, [X], [X], builtin_options=WhileOptions(0, 0))
    model.subgraphs.append(SubGraph(tensors=[Tensor()], operators=[loop]))
    model.subgraphs[0].outputs = [Z, Y]
    made = graph_ends.move_output(model, 0, 0, 1)
    assert [note for note in made.notes if "calls this subgraph" in note]


def test_twenty_thousand_ends_change_at_once() -> None:
    many = 20_000
    tensors = [Tensor(shape=[1], name="same") for _ in range(2 * many)]
    steps = [Operator(0, [k], [many + k]) for k in range(many)]
    main = SubGraph(tensors, list(range(many)), [2 * many - 1], steps)
    model = Model(operator_codes=[code_of(BuiltinOperator.RELU)], subgraphs=[main])
    model.signature_defs = [SignatureDef([], [], "serve")]
    start = perf_counter()
    graph_ends.set_outputs(model, 0, range(many, 2 * many))
    graph_ends.set_inputs(model, 0, [0])
    graph_ends.move_input(model, 0, 0, 100)
    assert perf_counter() - start < 6  # quadratic time takes minutes


def test_senseless_ends_do_not_stand_in_the_way() -> None:
    model = Model(subgraphs=[SubGraph(tensors=[Tensor()], outputs=[7, 7, -3], inputs=[9])])
    done(model, graph_ends.make_output(model, 0, 0))
    done(model, graph_ends.remove_output(model, 0, 7))
    assert model.subgraphs[0].outputs == [-3, 0]
    done(model, graph_ends.remove_input(model, 0, 9))
    assert model.subgraphs[0].inputs == []
