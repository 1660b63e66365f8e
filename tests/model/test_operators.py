# SPDX-License-Identifier: Apache-2.0

from pathlib import Path

import pytest

import tflm_studio as ts
from tests.conftest import readable_models
from tflm_studio.model.operators import (
    builtin_code,
    find_knowledge,
    knowledge_of,
    operator_args,
    operator_name,
    split_inputs,
    weight_inputs,
)
from tflm_studio.schema.enums import (
    ActivationFunctionType,
    BuiltinOperator,
    Padding,
    TensorType,
)
from tflm_studio.schema.structure import Table
from tflm_studio.schema.tables import (
    TABLES,
    AddOptions,
    Buffer,
    Conv2DOptions,
    Model,
    Operator,
    OperatorCode,
    SubGraph,
    Tensor,
)


def model_with(
    code: BuiltinOperator, options: Table | None, inputs: list[int], custom: str | None = None
) -> tuple[Model, SubGraph, Operator]:
    """Three tensors: 0 computed, 1 and 2 constants."""
    tensors = [
        Tensor(shape=[1, 8, 8, 4], buffer=0),
        Tensor(shape=[2, 3, 5, 4], buffer=1),
        Tensor(shape=[2], buffer=2),
    ]
    operator = Operator(inputs=inputs, outputs=[0], builtin_options=options)
    subgraph = SubGraph(tensors=tensors, operators=[operator])
    entry = OperatorCode(builtin_code=code, custom_code=custom)
    model = Model(
        operator_codes=[entry],
        subgraphs=[subgraph],
        buffers=[Buffer(), Buffer(data=b"1234"), Buffer(data=b"12345678")],
    )
    return model, subgraph, operator


def test_a_convolution_reads_like_on_a_slide() -> None:
    options = Conv2DOptions(
        padding=Padding.VALID,
        stride_h=2,
        stride_w=1,
        dilation_h_factor=3,
        dilation_w_factor=3,
        fused_activation_function=ActivationFunctionType.RELU6,
    )
    model, subgraph, operator = model_with(BuiltinOperator.CONV_2D, options, [0, 1, 2])
    assert operator_name(model, operator) == "Conv2D"
    assert operator_args(model, subgraph, operator) == "3x5 s2x1 d3 VALID RELU6"
    assert split_inputs(model, subgraph, operator) == ([0], [1], [2])
    assert weight_inputs(model, subgraph, operator) == [1, 2]


def test_what_is_at_its_default_is_left_out() -> None:
    options = Conv2DOptions(stride_h=1, stride_w=1)
    model, subgraph, operator = model_with(BuiltinOperator.CONV_2D, options, [0, 1])
    assert operator_args(model, subgraph, operator) == "3x5 SAME"


def test_weights_without_data_are_inputs_and_constant_operands_are_weights() -> None:
    model, subgraph, operator = model_with(
        BuiltinOperator.CONV_2D, Conv2DOptions(), [0, 0, -1]
    )
    assert split_inputs(model, subgraph, operator) == ([0, 1], [], [])
    model, subgraph, operator = model_with(BuiltinOperator.ADD, AddOptions(), [0, 1])
    assert split_inputs(model, subgraph, operator) == ([0], [1], [])


@pytest.mark.parametrize(
    ("code", "inputs"),
    [(3, [0, 99, -7]), (3, []), (67, [1]), (44, [0] * 30), (32, [5, 5]), (126, [0, 1])],
)
def test_senseless_inputs_are_described_all_the_same(code: int, inputs: list[int]) -> None:
    model, subgraph, operator = model_with(BuiltinOperator(code), None, inputs)
    parts = split_inputs(model, subgraph, operator)
    shown = [*parts.inputs, *parts.weights, *parts.biases]
    left_out = [k for k, index in enumerate(inputs) if index == -1]
    assert sorted(shown + left_out) == list(range(len(inputs)))
    operator_args(model, subgraph, operator)


def test_the_code_is_the_larger_of_the_two_fields() -> None:
    assert builtin_code(OperatorCode(deprecated_builtin_code=3)) == 3
    assert builtin_code(OperatorCode(deprecated_builtin_code=127, builtin_code=150)) == 150


def test_unknown_operators_have_a_name() -> None:
    assert find_knowledge(OperatorCode(builtin_code=1000)).name == "Operator 1000"
    assert find_knowledge(OperatorCode(builtin_code=32, custom_code="Mine")).name == "Mine"
    known = find_knowledge(OperatorCode(builtin_code=32, custom_code="SignalRfft"))
    assert (known.name, known.resolver) == ("SignalRfft", "AddRfft")
    model, _, operator = model_with(BuiltinOperator.ADD, None, [])
    operator.opcode_index = 7
    assert knowledge_of(model, operator).name == "no operator code"


def test_the_table_of_operators_agrees_with_the_schema() -> None:
    for code in BuiltinOperator:
        if code is BuiltinOperator.PLACEHOLDER_FOR_GREATER_OP_CODES:
            continue
        known = find_knowledge(OperatorCode(builtin_code=code))
        assert known.code == code
        assert known.options is None or known.options in TABLES, known
        rows = {row.name for row in TABLES[known.options].FIELDS} if known.options else set()
        computed = {"kernel", "window", "stride", "dilation", "padding", "activation"}
        computed |= {"to_shape", "to_size", "slice", "cast"}
        for part in known.args:
            named = part.removeprefix("constant:")
            assert part in rows | computed or named in known.named, (known.name, part)


def test_every_operator_of_the_real_models_is_described(models_folder: Path) -> None:
    for path in readable_models(models_folder):
        try:
            model = ts.load_model_from_file(path)
        except ts.ReadError:
            continue
        for subgraph in model.subgraphs or []:
            for operator in subgraph.operators or []:
                assert operator_name(model, operator)
                assert len(operator_args(model, subgraph, operator)) < 200
                parts = split_inputs(model, subgraph, operator)
                assert not set(parts.inputs) & set(parts.weights)


def test_small_constants_are_shown_in_the_args() -> None:
    model, subgraph, operator = model_with(BuiltinOperator.MEAN, None, [0, 2])
    tensors, buffers = subgraph.tensors or [], model.buffers or []
    tensors[2].type = TensorType.INT32
    buffers[2].data = b"\x01\0\0\0\x02\0\0\0"
    assert operator_args(model, subgraph, operator) == "axis 1,2"
