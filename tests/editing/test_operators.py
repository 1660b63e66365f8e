# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import struct
from typing import Any

import pytest

from tests.editing.indexed_models import PLAN, metadata_bytes
from tflm_studio.editing import operators as ops
from tflm_studio.editing.document import Document
from tflm_studio.editing.proposal import Proposal
from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.model.errors import EditError
from tflm_studio.model.operator_kinds import custom_kind, kind_named, operator_kinds
from tflm_studio.model.operators import builtin_code, operator_name
from tflm_studio.schema.enums import BuiltinOperator, Padding, TensorType
from tflm_studio.schema.structure import OpaqueMember
from tflm_studio.schema.tables import (
    BlockwiseQuantization,
    Buffer,
    CastOptions,
    Conv2DOptions,
    DepthwiseConv2DOptions,
    Metadata,
    Model,
    Operator,
    OperatorCode,
    Pool2DOptions,
    QuantizationParameters,
    ReshapeOptions,
    SignatureDef,
    SoftmaxOptions,
    SubGraph,
    Tensor,
    TensorMap,
)

CONV, RELU, RESHAPE, CUSTOM = 3, 19, 22, 32


def int8(name: str, shape: list[int], buffer: int = 0) -> Tensor:
    parameters = QuantizationParameters(scale=[0.5], zero_point=[3])
    return Tensor(list(shape), TensorType.INT8, buffer, name, parameters)


def chain() -> Model:
    """x -> CONV a -> RELU b -> RELU c, all of one shape and type; the filter is a constant."""
    tensors = [int8(name, [1, 4, 4, 2]) for name in "xabc"]
    tensors.append(int8("filter", [2, 1, 1, 2], 1))
    return Model(
        version=3,
        operator_codes=[OperatorCode(3, None, 2, CONV), OperatorCode(RELU, None, 1, RELU)],
        subgraphs=[
            SubGraph(
                tensors,
                [0],
                [3],
                [
                    Operator(0, [0, 4, -1], [1], Conv2DOptions(stride_w=2, stride_h=1)),
                    Operator(1, [1], [2]),
                    Operator(1, [2], [3]),
                ],
                "main",
            )
        ],
        buffers=[Buffer(), Buffer(data=b"abcd"), Buffer()],
        signature_defs=[
            SignatureDef([TensorMap("in", 0)], [TensorMap("out", 3)], "s", None, 0)
        ],
    )


class Scene:
    """A model, what is done to it, and whether it can be taken back."""

    def __init__(self, model: Model | None = None) -> None:
        self.document = Document(model or chain())
        self.model = self.document.model
        self.before = lay_out(self.model).tobytes()

    @property
    def graph(self) -> SubGraph:
        return self.model.subgraphs[0]

    def do(self, made: Proposal) -> Proposal:
        assert lay_out(self.model).tobytes() == self.before, "only looked at"
        if not self.document.do(made):
            return made
        after = lay_out(self.model).tobytes()
        self.document.undo()
        assert lay_out(self.model).tobytes() == self.before
        self.document.redo()
        assert lay_out(self.model).tobytes() == after
        self.before = after
        return made

    def flow(self, s: int = 0) -> list[tuple[str, list[Any], list[Any]]]:
        """Name, input names and output names of each operator."""
        graph = self.model.subgraphs[s]

        def names(indices: list[int] | None) -> list[Any]:
            return [graph.tensors[k].name if k >= 0 else k for k in indices or []]

        return [
            (operator_name(self.model, op), names(op.inputs), names(op.outputs))
            for op in graph.operators
        ]

    def refuses(self, call: Any, message: str) -> None:
        with pytest.raises(EditError, match=message):
            call()
        assert lay_out(self.model).tobytes() == self.before


# ------------------------------------------------------------------ add


def test_an_operator_is_added_with_what_it_needs() -> None:
    scene = Scene()
    made = scene.do(ops.add(scene.model, 0, 1, "CONV_2D", inputs=[1, 4]))
    assert (made.label, made.notes) == ("Add Conv2D", ())
    assert scene.flow()[1] == ("Conv2D", ["a", "filter", -1], ["Conv2D_5"])
    new, options = scene.graph.tensors[5], scene.graph.operators[1].builtin_options
    assert (new.shape, new.type, new.buffer) == ([1, 4, 4, 2], TensorType.INT8, 0)
    assert new.quantization.scale == [0.5]
    assert new.quantization is not scene.graph.tensors[1].quantization
    assert isinstance(options, Conv2DOptions)
    assert (options.stride_h, options.stride_w, options.dilation_h_factor) == (1, 1, 1)
    # The model has version 2 of it.
    assert len(scene.model.operator_codes) == 2
    scene.do(ops.add(scene.model, 0, 4, "CONV_2D", inputs=[1, 4], version=1))
    assert scene.graph.operators[4].opcode_index == 2
    assert scene.model.operator_codes[2].version == 1


def test_an_operator_comes_between_two_others() -> None:
    document = Document(chain())
    document.model.signature_defs = [SignatureDef([], [TensorMap("y", 3)], "run")]
    before = lay_out(document.model)
    proposal = ops.add(document.model, 0, 2, "Relu6", inputs=[2], is_between=True)
    document.do(proposal)
    assert [o.inputs for o in document.model.subgraphs[0].operators] == [
        [0, 4, -1],
        [1],
        [2],
        [5],
    ]
    assert "1 operator takes tensor 5 Relu6_5 in place of tensor 2 b." in "".join(
        n[:1].lower() + n[1:] for n in proposal.notes
    )
    document.do(ops.add(document.model, 0, 4, "Relu6", inputs=[3], is_between=True))
    assert document.model.subgraphs[0].outputs == [6]
    assert document.model.signature_defs[0].outputs[0].tensor_index == 6
    document.undo()
    document.undo()
    assert lay_out(document.model) == before


def test_readers_before_the_place_keep_what_they_read() -> None:
    document = Document(chain())
    document.model.subgraphs[0].operators[2].inputs = [1]
    document.do(ops.add(document.model, 0, 2, "Relu6", inputs=[1], is_between=True))
    assert [o.inputs for o in document.model.subgraphs[0].operators] == [
        [0, 4, -1],
        [1],
        [1],
        [5],
    ]


def test_what_reads_nothing_stands_between_nothing() -> None:
    with pytest.raises(EditError, match="Relu6 cannot stand between others: it has no input"):
        ops.add(chain(), 0, 2, "Relu6", is_between=True)


def test_newer_kinds_have_their_options_in_the_other_union() -> None:
    scene = Scene()
    scene.do(ops.add(scene.model, 0, 3, "DILATE", inputs=[0, 4, 4], outputs=[]))
    added = scene.graph.operators[3]
    assert added.builtin_options is None
    assert type(added.builtin_options_2).__name__ == "DilateOptions"
    code = scene.model.operator_codes[added.opcode_index]
    assert (code.deprecated_builtin_code, code.builtin_code) == (127, BuiltinOperator.DILATE)


def test_open_inputs_are_told() -> None:
    scene = Scene()
    made = scene.do(ops.add(scene.model, 0, 0, "CONV_2D"))
    assert made.notes == ("Conv2D still needs input (input 0), filter (input 1).",)
    assert scene.flow()[0] == ("Conv2D", [-1, -1, -1], ["Conv2D_5"])
    assert scene.graph.tensors[5].shape == []
    made = scene.do(ops.add(scene.model, 0, 0, "CONCATENATION"))
    assert made.notes == ("Concatenation still needs inputs.",)
    assert scene.graph.operators[0].inputs == []


def test_optional_inputs_that_are_not_given_are_left_out() -> None:
    scene = Scene()
    scene.do(ops.add(scene.model, 0, 3, "SVDF", inputs=[0, 4, 4, -1, 0], outputs=[3]))
    assert scene.graph.operators[3].inputs == [0, 4, 4, -1, 0]
    scene.refuses(
        lambda: ops.add(scene.model, 0, 3, "SVDF", inputs=[0, 4, 4]),
        r"Svdf needs activation_state \(input 4\)",
    )


def test_what_is_made_already_or_too_late_is_told() -> None:
    scene = Scene()
    made = scene.do(ops.add(scene.model, 0, 0, "RELU", inputs=[2], outputs=[3]))
    assert made.notes == (
        "Relu reads tensor 2 b before Relu 1 makes it.",
        "tensor 3 c is also made by Relu 2.",
    )
    assert len(scene.graph.tensors) == 5


def test_options_follow_from_tensors() -> None:
    scene = Scene()
    scene.graph.tensors[3].type = TensorType.FLOAT32
    scene.before = lay_out(scene.model).tobytes()
    scene.do(ops.add(scene.model, 0, 3, "CAST", inputs=[0], outputs=[3]))
    cast = scene.graph.operators[3].builtin_options
    assert isinstance(cast, CastOptions)
    assert (cast.in_data_type, cast.out_data_type) == (TensorType.INT8, TensorType.FLOAT32)
    scene.do(ops.add(scene.model, 0, 3, "RESHAPE", inputs=[0]))
    assert scene.graph.operators[3].builtin_options.new_shape == [1, 4, 4, 2]
    scene.do(ops.add(scene.model, 0, 3, "PACK", inputs=[0, 1, 2]))
    assert scene.graph.operators[3].builtin_options.values_count == 3
    scene.do(ops.add(scene.model, 0, 3, "SPLIT", inputs=[4, 0], outputs=[1, 2]))
    assert scene.graph.operators[3].builtin_options.num_splits == 2
    assert len(scene.graph.operators[3].outputs) == 2
    scene.do(ops.add(scene.model, 0, 3, "SPLIT", inputs=[4, 0]))
    # The new one is like what is split, not like the axis.
    assert scene.graph.tensors[scene.graph.operators[3].outputs[0]].shape == [1, 4, 4, 2]


def test_custom_operators_are_added() -> None:
    scene = Scene()
    made = scene.do(ops.add(scene.model, 0, 0, custom_kind("mine"), inputs=[0, 4]))
    assert made.notes == ("mine has no custom options yet.",)
    assert scene.flow()[0] == ("mine", ["x", "filter"], ["mine_5"])
    scene.do(ops.add(scene.model, 0, 0, kind_named("SignalFftAutoScale"), inputs=[0]))
    assert len(scene.graph.operators[0].outputs) == 2
    assert len({tensor.name for tensor in scene.graph.tensors}) == 8
    scene.refuses(lambda: ops.add(scene.model, 0, 0, "CUSTOM"), "needs a custom code")


def test_new_names_are_free() -> None:
    scene = Scene()
    scene.graph.tensors[0].name, scene.graph.tensors[1].name = "Relu_5", "Relu_5_1"
    scene.before = lay_out(scene.model).tobytes()
    scene.do(ops.add(scene.model, 0, 0, "RELU"))
    assert scene.graph.tensors[5].name == "Relu_5_2"


@pytest.mark.parametrize(
    ("arguments", "given", "message"),
    [
        ((1, 0, "RELU"), {}, "no subgraph 1; the last is 0"),
        ((-1, 0, "RELU"), {}, "no subgraph -1"),
        ((0, 4, "RELU"), {}, "no place 4 for an operator; the last is 3"),
        ((0, -1, "RELU"), {}, "no place -1"),
        ((0, 0, "NOTHING"), {}, "no operator called"),
        ((0, 0, "CONV_2D"), {"inputs": [0]}, r"Conv2D needs filter \(input 1\)"),
        ((0, 0, "CONV_2D"), {"inputs": [-1, 4]}, r"Conv2D needs input \(input 0\)"),
        ((0, 0, "RELU"), {"inputs": [0, 1]}, "Relu takes 1 inputs at most, not 2"),
        ((0, 0, "RELU"), {"inputs": [5]}, "no tensor 5"),
        ((0, 0, "RELU"), {"outputs": [-1]}, "no tensor -1"),
        ((0, 0, "RELU"), {"outputs": [1, 2]}, "Relu has 1 outputs at most, not 2"),
        ((0, 0, "RELU"), {"version": 0}, "versions count from 1"),
    ],
)
def test_what_cannot_be_added(arguments: Any, given: Any, message: str) -> None:
    scene = Scene()
    scene.refuses(lambda: ops.add(scene.model, *arguments, **given), message)


def test_the_first_operator_of_an_empty_subgraph() -> None:
    scene = Scene(Model(version=3, subgraphs=[SubGraph()]))
    scene.do(ops.add(scene.model, 0, 0, "RELU"))
    assert scene.flow() == [("Relu", [-1], ["Relu_0"])]


def test_every_kind_can_be_added() -> None:
    scene = Scene()
    for kind in operator_kinds():
        if kind.code == CUSTOM and not kind.custom_code:
            continue
        scene.document.do(ops.add(scene.model, 0, 1, kind))
        added = scene.graph.operators[1]
        held = added.builtin_options or added.builtin_options_2
        assert type(held) is (kind.options or type(None))
        assert operator_name(scene.model, added) == kind.name
        again = ops.add(scene.model, 0, 1, kind)
        assert not any(edit.address[0] == "operator_codes" for edit in again.edits)
    scene.document.go_to(0)
    assert lay_out(scene.model).tobytes() == scene.before


# ------------------------------------------------------------------ duplicate


def test_copies_stand_behind_the_originals() -> None:
    scene = Scene()
    scene.graph.operators[1].intermediates = [4]
    scene.graph.operators[0].custom_options = b"mine"
    scene.before = lay_out(scene.model).tobytes()
    made = scene.do(ops.duplicate(scene.model, 0, [1, 0]))
    assert made.label == "Duplicate 2 operators"
    assert scene.flow() == [
        ("Conv2D", ["x", "filter", -1], ["a"]),
        ("Conv2D", ["x", "filter", -1], ["a_copy"]),
        ("Relu", ["a"], ["b"]),
        ("Relu", ["a"], ["b_copy"]),
        ("Relu", ["b"], ["c"]),
    ]
    first, second = scene.graph.operators[:2]
    assert second.builtin_options.stride_w == 2
    assert second.builtin_options is not first.builtin_options
    assert second.custom_options == b"mine"
    assert scene.graph.operators[3].intermediates == [4]
    assert scene.graph.tensors[5].buffer == 0
    scene.do(ops.duplicate(scene.model, 0, [0]))
    assert scene.flow()[1][2] == ["a_copy_1"]


def test_a_copy_has_a_state_of_its_own() -> None:
    scene = Scene()
    state = scene.graph.tensors[4]
    state.is_variable, state.buffer = True, 0
    scene.before = lay_out(scene.model).tobytes()
    made = scene.do(ops.duplicate(scene.model, 0, [0]))
    assert scene.flow()[1] == ("Conv2D", ["x", "filter_copy", -1], ["a_copy"])
    assert scene.graph.tensors[5].is_variable
    assert made.notes == (
        "The copy of Conv2D 0 has a variable of its own in place of tensor 4 filter.",
    )


def test_senseless_operators_are_copied_as_they_are() -> None:
    model = chain()
    model.subgraphs[0].operators[1] = Operator(9, None, None)
    model.subgraphs[0].operators[2] = Operator(1, [77, -5], [88, 3, 3])
    scene = Scene(model)
    scene.do(ops.duplicate(scene.model, 0, [1, 2]))
    copies = scene.graph.operators[2], scene.graph.operators[4]
    assert (copies[0].opcode_index, copies[0].inputs, copies[0].outputs) == (9, None, None)
    # What named nothing names nothing still: there is one tensor more.
    assert copies[1].inputs == [78, -5]
    assert copies[1].outputs == [89, 5, 5]


@pytest.mark.parametrize("call", [ops.duplicate, ops.delete, ops.bypass])
def test_operators_that_there_are_not(call: Any) -> None:
    scene = Scene()
    scene.refuses(lambda: call(scene.model, 0, [3]), "no operator 3; the last is 2")
    scene.refuses(lambda: call(scene.model, 0, [-1]), "no operator -1")
    scene.refuses(lambda: call(scene.model, 0, []), "No operator is chosen")
    scene.refuses(lambda: call(scene.model, 5, [0]), "no subgraph 5")
    with pytest.raises(EditError, match="no subgraph 0; there are none"):
        call(Model(), 0, [0])


# ------------------------------------------------------------------ delete


def test_what_nobody_makes_any_more_is_told() -> None:
    scene = Scene()
    made = scene.do(ops.delete(scene.model, 0, [0, 2]))
    assert made.notes == (
        "Relu 1 still reads tensor 1 a, which nobody makes now.",
        "Tensor 3 c is an output of the subgraph and nobody makes it now.",
    )
    assert scene.flow() == [("Relu", ["a"], ["b"])]
    assert len(scene.graph.tensors) == 5


def test_orphans_go_with_their_buffers() -> None:
    scene = Scene()
    made = scene.do(ops.delete(scene.model, 0, [0], with_orphans=True))
    assert "Nothing names tensor 4 and buffer 1 any more: also removed." in made.notes
    assert [tensor.name for tensor in scene.graph.tensors] == ["x", "a", "b", "c"]
    assert len(scene.model.buffers) == 2
    scene.do(ops.delete(scene.model, 0, [0, 1], with_orphans=True))
    # x is an input, c an output.
    assert [tensor.name for tensor in scene.graph.tensors] == ["x", "c"]
    assert scene.graph.outputs == [1]
    assert scene.model.signature_defs[0].outputs[0].tensor_index == 1


def test_a_shared_buffer_stays() -> None:
    model = chain()
    model.metadata = [Metadata("mine", 1)]
    scene = Scene(model)
    made = scene.do(ops.delete(scene.model, 0, [0], with_orphans=True))
    assert "Nothing names tensor 4 any more: also removed." in made.notes
    assert len(scene.model.buffers) == 3


def test_tensors_named_by_orphans_only_are_orphans() -> None:
    model = chain()
    graph = model.subgraphs[0]
    graph.tensors += [int8("scales", [1], 2), int8("other", [1]), int8("far", [1])]
    graph.tensors[4].quantization = QuantizationParameters(
        details=BlockwiseQuantization(5, 99)
    )
    graph.tensors[5].quantization = QuantizationParameters(
        details=BlockwiseQuantization(6, -1)
    )
    graph.tensors[0].quantization = QuantizationParameters(
        details=BlockwiseQuantization(6, -1)
    )
    scene = Scene(model)
    scene.do(ops.delete(scene.model, 0, [0], with_orphans=True))
    assert [tensor.name for tensor in scene.graph.tensors] == [*"xabc", "other", "far"]
    assert scene.graph.tensors[0].quantization.details.scales == 4


def test_other_makers_and_constants_are_no_reason_to_warn() -> None:
    model = chain()
    graph = model.subgraphs[0]
    graph.tensors[1].buffer = 1
    graph.operators[1].outputs = [3]
    scene = Scene(model)
    assert ops.delete(scene.model, 0, [0, 1]).notes == ()


# ------------------------------------------------------------------ bypass


def test_readers_get_the_input_in_place_of_the_output() -> None:
    scene = Scene()
    made = scene.do(ops.bypass(scene.model, 0, [1]))
    assert (made.label, made.notes) == ("Bypass Relu 1", ())
    assert scene.flow() == [("Conv2D", ["x", "filter", -1], ["a"]), ("Relu", ["a"], ["c"])]
    assert [tensor.name for tensor in scene.graph.tensors] == ["x", "a", "c", "filter"]


def test_an_output_of_the_subgraph_becomes_the_input() -> None:
    scene = Scene()
    made = scene.do(ops.bypass(scene.model, 0, [2]))
    assert made.notes == ("Output 0 of the subgraph is now tensor 2 b.",)
    assert scene.graph.outputs == [2]
    assert scene.model.signature_defs[0].outputs[0].tensor_index == 2


def test_a_chain_goes_in_one_piece() -> None:
    scene = Scene()
    scene.do(ops.bypass(scene.model, 0, [0, 1, 2], with_orphans=True))
    assert scene.graph.operators == []
    assert scene.graph.outputs == [0]
    assert [tensor.name for tensor in scene.graph.tensors] == ["x"]
    assert len(scene.model.buffers) == 2


def test_only_the_ends_of_a_chain_have_to_be_alike() -> None:
    scene = Scene()
    scene.graph.tensors[2].type = TensorType.FLOAT32
    scene.before = lay_out(scene.model).tobytes()
    scene.refuses(
        lambda: ops.bypass(scene.model, 0, [1]),
        r"Relu 1 cannot be bypassed: tensor 1 a \(1×4×4×2 int8\) goes in and tensor 2 b "
        r"\(1×4×4×2 float32\) comes out; shape and type have to be the same",
    )
    scene.do(ops.bypass(scene.model, 0, [1, 2]))
    assert scene.flow() == [("Conv2D", ["x", "filter", -1], ["a"])]
    assert [tensor.name for tensor in scene.graph.tensors] == ["x", "a", "filter"]


def test_several_operators_apart() -> None:
    scene = Scene()
    scene.do(ops.bypass(scene.model, 0, [0, 2]))
    assert scene.flow() == [("Relu", ["x"], ["b"])]
    assert scene.graph.outputs == [1]


def test_another_quantization_is_told() -> None:
    scene = Scene()
    scene.graph.tensors[2].quantization.scale = [0.25]
    scene.graph.tensors[3].quantization = None
    scene.before = lay_out(scene.model).tobytes()
    notes = ops.bypass(scene.model, 0, [1]).notes
    assert notes == (
        "Tensor 1 a has another quantization than tensor 2 b, whose place it takes: values "
        "change.",
    )
    assert len(ops.bypass(scene.model, 0, [2]).notes) == 2


def test_of_two_inputs_the_first_that_fits_stays() -> None:
    model = chain()
    model.operator_codes.append(OperatorCode())
    model.subgraphs[0].operators[2] = Operator(2, [1, 2], [3])
    scene = Scene(model)
    made = scene.do(ops.bypass(scene.model, 0, [2]))
    assert made.notes[0] == "Of the inputs of Add 2, tensor 1 a stays."
    assert scene.graph.outputs == [1]


def test_an_output_that_nobody_reads_needs_no_stand_in() -> None:
    model = chain()
    graph = model.subgraphs[0]
    graph.tensors.append(Tensor([9], name="unread"))
    graph.operators[1].outputs = [5, 2]
    scene = Scene(model)
    scene.do(ops.bypass(scene.model, 0, [1]))
    assert [tensor.name for tensor in scene.graph.tensors] == ["x", "a", "c", "filter"]


def test_what_cannot_be_bypassed() -> None:
    scene = Scene()
    graph = scene.graph
    graph.operators[1].outputs, graph.operators[1].inputs = [3], [-1]
    scene.before = lay_out(scene.model).tobytes()
    scene.refuses(lambda: ops.bypass(scene.model, 0, [2]), "tensor 3 c is also made by Relu 1")
    graph.operators[2].outputs = [2]
    scene.before = lay_out(scene.model).tobytes()
    scene.refuses(
        lambda: ops.bypass(scene.model, 0, [1]), "has no input that could take the place of"
    )
    graph.operators[1].inputs, graph.operators[2].inputs = [2], [3]
    graph.outputs = [2, 3]
    scene.before = lay_out(scene.model).tobytes()
    scene.refuses(lambda: ops.bypass(scene.model, 0, [1, 2]), "has no input that could take")
    graph.operators[2].outputs = [0]
    scene.before = lay_out(scene.model).tobytes()
    scene.refuses(lambda: ops.bypass(scene.model, 0, [2]), "is an input of the subgraph")


def plan_model(*offsets: int) -> Model:
    model = chain()
    data = struct.pack(f"<{3 + len(offsets)}i", 1, 1, len(offsets), *offsets)
    model.metadata = [Metadata(PLAN, 2)]
    model.buffers[2].data = data
    return model


def plan(model: Model) -> tuple[int, ...] | None:
    data = metadata_bytes(model, PLAN)
    return data and struct.unpack(f"<{len(data) // 4}i", data)[3:]


def test_a_memory_plan_follows_a_bypass() -> None:
    # Without operator 1 nothing lies over anything: x, a, c in turns.
    scene = Scene(plan_model(0, 32, 0, 32, -1))
    made = scene.do(ops.bypass(scene.model, 0, [1]))
    # a is read while c, at the same place, is made.
    assert plan(scene.model) == (0, 32, -1, -1)
    assert any("at the same place" in note for note in made.notes)
    scene = Scene(plan_model(0, 32, 64, 96, -1))
    scene.do(ops.bypass(scene.model, 0, [1]))
    assert plan(scene.model) == (0, 32, 96, -1)
    scene = Scene(plan_model(0, 32, 0, 32, -1))
    scene.do(ops.bypass(scene.model, 0, [2]))
    assert plan(scene.model) == (0, 32, 0, -1)
    scene = Scene(plan_model(0, 32, 0, 32, -1))
    scene.do(ops.bypass(scene.model, 0, [0, 2]))
    assert plan(scene.model) == (0, -1, -1)


def test_a_memory_plan_follows_a_copy() -> None:
    scene = Scene(plan_model(0, 32, 0, 32, -1))
    scene.do(ops.duplicate(scene.model, 0, [1]))
    assert plan(scene.model) == (0, 32, 0, 32, -1, -1)


# ------------------------------------------------------------------ another kind


def test_options_of_the_same_name_and_type_stay() -> None:
    scene = Scene()
    options = scene.graph.operators[0].builtin_options
    options.padding, options.dilation_w_factor = Padding.VALID, 3
    scene.before = lay_out(scene.model).tobytes()
    made = scene.do(ops.change_kind(scene.model, 0, [0], "DEPTHWISE_CONV_2D"))
    assert (made.label, made.notes) == ("Change Conv2D 0 to DepthwiseConv2D", ())
    new = scene.graph.operators[0].builtin_options
    assert isinstance(new, DepthwiseConv2DOptions)
    assert (new.padding, new.stride_w, new.stride_h) == (Padding.VALID, 2, 1)
    assert (new.dilation_w_factor, new.depth_multiplier) == (3, 1)
    # The old code stays, and the new one is a new one.
    assert [builtin_code(code) for code in scene.model.operator_codes] == [3, RELU, 4]
    assert [op.opcode_index for op in scene.graph.operators] == [2, 1, 1]


def test_what_is_dropped_is_told() -> None:
    scene = Scene()
    options = scene.graph.operators[0].builtin_options
    options.dilation_w_factor = 3
    scene.before = lay_out(scene.model).tobytes()
    made = scene.do(ops.change_kind(scene.model, 0, [0], "MAX_POOL_2D"))
    assert made.notes == (
        "Conv2D 0 loses dilation_w_factor 3.",
        "Conv2D 0 has 3 inputs; MaxPool2D takes 1 at most.",
    )
    pool = scene.graph.operators[0].builtin_options
    assert isinstance(pool, Pool2DOptions)
    assert (pool.stride_w, pool.filter_width) == (2, 1)
    made = scene.do(ops.change_kind(scene.model, 0, [1, 2], kind_named("ADD")))
    assert made.notes[0] == "Relu 1 needs input2 (input 1) as Add."
    assert made.label == "Change 2 operators to Add"


def test_custom_options_go_when_a_builtin_operator_comes() -> None:
    model = chain()
    model.operator_codes.append(OperatorCode(CUSTOM, "mine", 1, CUSTOM))
    model.subgraphs[0].operators[1] = Operator(
        2,
        [1],
        [2],
        custom_options=b"1234567",
        large_custom_options_offset=5,
        large_custom_options_size=9,
    )
    model.subgraphs[0].operators[2].builtin_options = OpaqueMember(200)
    scene = Scene()
    scene.document = Document(model)
    scene.model = model
    made = ops.change_kind(model, 0, [1, 2], "SOFTMAX")
    assert made.notes == (
        "mine 1 loses 7 bytes of custom options.",
        "Relu 2 loses options that cannot be read.",
    )
    scene.document.do(made)
    first, second = model.subgraphs[0].operators[1:]
    assert first.custom_options is None
    assert (first.large_custom_options_offset, first.large_custom_options_size) == (0, 0)
    assert isinstance(second.builtin_options, SoftmaxOptions)
    scene.document.undo()
    assert model.subgraphs[0].operators[2].builtin_options == OpaqueMember(200)
    assert model.subgraphs[0].operators[1].custom_options == b"1234567"


def test_a_change_to_the_same_kind_repairs_options() -> None:
    scene = Scene()
    assert not scene.document.do(ops.change_kind(scene.model, 0, [1], "RELU"))
    scene.graph.operators[0].builtin_options = ReshapeOptions([1])
    scene.graph.operators[0].builtin_options_2 = None
    scene.before = lay_out(scene.model).tobytes()
    scene.do(ops.change_kind(scene.model, 0, [0], "CONV_2D"))
    assert isinstance(scene.graph.operators[0].builtin_options, Conv2DOptions)
    assert len(scene.model.operator_codes) == 2


def test_an_operator_without_a_code_gets_a_kind() -> None:
    model = chain()
    model.subgraphs[0].operators[1].opcode_index = 44
    scene = Scene(model)
    scene.do(ops.change_kind(scene.model, 0, [1], "TANH"))
    assert scene.flow()[1][0] == "Tanh"
    scene.refuses(
        lambda: ops.change_kind(scene.model, 0, [1], "TANGENT"), "no operator called"
    )


def test_a_custom_operator_takes_the_place() -> None:
    scene = Scene()
    made = scene.do(ops.replace_by_custom(scene.model, 0, [0, 1], "mine", b"options"))
    assert made.label == "Replace 2 operators by mine"
    assert made.notes == ("Conv2D 0 loses stride_w 2, stride_h 1.",)
    for operator in scene.graph.operators[:2]:
        assert operator.builtin_options is None
        assert bytes(operator.custom_options) == b"options"
        assert operator.opcode_index == 2
    code = scene.model.operator_codes[2]
    assert (code.custom_code, builtin_code(code), code.deprecated_builtin_code) == (
        "mine",
        CUSTOM,
        CUSTOM,
    )
    made = scene.do(ops.replace_by_custom(scene.model, 0, [0], "other"))
    assert made.notes == ("mine 0 loses 7 bytes of custom options.",)
    assert scene.graph.operators[0].custom_options is None
    scene.refuses(
        lambda: ops.replace_by_custom(scene.model, 0, [0], ""), "needs a custom code"
    )


# ------------------------------------------------------------------ version


def test_others_keep_their_version() -> None:
    scene = Scene()
    made = scene.do(ops.set_version(scene.model, 0, [1], 3))
    assert made.notes == ("Others keep operator code 1; a new one is added.",)
    assert [op.opcode_index for op in scene.graph.operators] == [0, 2, 1]
    assert [code.version for code in scene.model.operator_codes] == [2, 1, 3]
    # Back to the one that is there.
    made = scene.do(ops.set_version(scene.model, 0, [1], 1))
    assert made.notes == ("Operator code 2 is not in use any more.",)
    assert [op.opcode_index for op in scene.graph.operators] == [0, 1, 1]


def test_a_code_of_one_is_changed_in_place() -> None:
    scene = Scene()
    scene.do(ops.set_version(scene.model, 0, [1, 2], 2))
    assert [code.version for code in scene.model.operator_codes] == [2, 2]
    scene.do(ops.set_version(scene.model, 0, [0, 1, 2], 7))
    assert [code.version for code in scene.model.operator_codes] == [7, 7]
    assert ops.set_version(scene.model, 0, [0, 1, 2], 7).edits == ()


def test_operators_of_other_subgraphs_keep_their_version() -> None:
    model = chain()
    model.subgraphs.append(SubGraph([], [], [], [Operator(0, [], [])]))
    scene = Scene(model)
    scene.do(ops.set_version(scene.model, 0, [0], 5))
    assert scene.model.operator_codes[0].version == 2
    assert scene.graph.operators[0].opcode_index == 2


def test_what_has_no_such_version() -> None:
    scene = Scene()
    scene.refuses(lambda: ops.set_version(scene.model, 0, [1], 0), "versions count from 1")
    scene.graph.operators[1].opcode_index = 44
    scene.before = lay_out(scene.model).tobytes()
    scene.refuses(
        lambda: ops.set_version(scene.model, 0, [1], 2), "Operator 1 names operator code 44"
    )


def test_many_notes_are_cut() -> None:
    model = chain()
    model.subgraphs[0].operators = [
        Operator(0, [0, 4], [1], Conv2DOptions(dilation_w_factor=2 + k)) for k in range(20)
    ]
    notes = ops.change_kind(model, 0, range(20), "ADD").notes
    assert len(notes) == 9
    assert notes[-1] == "12 more notes of this kind."


def test_a_copy_makes_a_tensor_without_data() -> None:
    model = chain()
    model.subgraphs[0].tensors[1].buffer = 2
    scene = Scene(model)
    scene.do(ops.duplicate(scene.model, 0, [0]))
    assert [tensor.buffer for tensor in scene.graph.tensors[:2]] == [0, 2]
    assert scene.graph.tensors[5].buffer == 0
