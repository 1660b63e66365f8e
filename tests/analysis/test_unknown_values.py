# SPDX-License-Identifier: Apache-2.0
"""Values that the schema has no name for."""

from tflm_studio.analysis.unknown_values import unknown_values
from tflm_studio.schema.enums import TensorType
from tflm_studio.schema.tables import Model, OperatorCode, SubGraph, Tensor


def test_a_plain_number_has_a_name_if_the_schema_gives_it_one() -> None:
    types = [9, TensorType.INT8, 99]
    model = Model(
        subgraphs=[SubGraph(tensors=[Tensor(type=each) for each in types])],
        operator_codes=[OperatorCode(builtin_code=3), OperatorCode(builtin_code=9999)],
    )
    assert unknown_values(model) == ("OperatorCode.builtin_code 9999", "Tensor.type 99")
