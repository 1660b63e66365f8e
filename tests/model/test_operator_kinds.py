# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from tflm_studio.model.address import find_field
from tflm_studio.model.default_options import default_options
from tflm_studio.model.errors import EditError
from tflm_studio.model.operator_kinds import (
    PLACEHOLDER,
    UNIONS,
    Slot,
    builtin_knowledge,
    custom_kind,
    kind_named,
    operator_kinds,
)
from tflm_studio.schema.enums import BuiltinOperator, TensorType
from tflm_studio.schema.tables import (
    Conv2DOptions,
    DilateOptions,
    Operator,
)


def test_every_operator_of_the_schema_can_be_chosen() -> None:
    kinds = operator_kinds()
    codes = {kind.code for kind in kinds}
    assert codes == set(map(int, BuiltinOperator)) - {PLACEHOLDER}
    for kind in kinds:
        assert kind.schema_name == BuiltinOperator(kind.code).name
        assert kind.name
        assert kind.group
        assert kind.search_text == kind.search_text.lower()
    customs = {kind.custom_code for kind in kinds if kind.custom_code}
    assert {"SignalRfft", "TFLite_Detection_PostProcess", "ethos-u"} <= customs
    assert len({(kind.code, kind.custom_code) for kind in kinds}) == len(kinds)
    assert sum(kind.resolver is not None for kind in kinds) == 118


def test_every_table_of_options_belongs_to_a_kind() -> None:
    rows = [find_field(Operator, union) for union in UNIONS]
    members = {
        table: union
        for row, union in zip(rows, UNIONS, strict=True)
        if row
        for table in row.members
    }
    assert len(members) == 149
    found = {kind.options: kind.union for kind in operator_kinds() if kind.options}
    assert found == members


def test_the_schema_alone_finds_most_options() -> None:
    """What an operator without a row gets is what its row says, where names tell it."""
    by_row = {kind.code: kind for kind in operator_kinds() if not kind.custom_code}
    differing = []
    for code, kind in by_row.items():
        derived = builtin_knowledge(BuiltinOperator(code))
        if derived.options is None and kind.options is not None:
            differing.append(kind.options.__name__)
        else:
            assert derived.options == kind.known.options, derived
    # One table for several operators, or one that is spelled otherwise.
    assert set(differing) == {
        "Pool2DOptions",
        "L2NormOptions",
        "SequenceRNNOptions",
        "ReducerOptions",
        "MaximumMinimumOptions",
        "Conv3DOptions",
        "RandomOptions",
    }


def test_a_kind_says_what_it_reads_and_makes() -> None:
    conv = kind_named("conv_2d")
    assert conv.inputs == (Slot("input"), Slot("filter"), Slot("bias", is_optional=True))
    assert conv.outputs == (Slot("output"),)
    assert (conv.options, conv.union, conv.resolver) == (
        Conv2DOptions,
        "builtin_options",
        "AddConv2D",
    )
    assert conv is kind_named(" Conv2D ")
    assert {"conv2d", "conv_2d", "conv", "convolution", "addconv2d"} <= set(
        conv.search_text.split()
    )
    dilate = kind_named("DILATE")
    assert (dilate.options, dilate.union) == (DilateOptions, "builtin_options_2")
    assert kind_named("SPLIT").outputs == (Slot("outputs", is_variadic=True),)
    rfft = kind_named("SignalRfft")
    assert (rfft.code, rfft.custom_code, rfft.options, rfft.union) == (
        32,
        "SignalRfft",
        None,
        "",
    )
    assert kind_named("CUSTOM").custom_code is None
    with pytest.raises(EditError, match="no operator called 'CONV_9D'"):
        kind_named("CONV_9D")


def test_a_custom_kind_needs_a_name() -> None:
    assert custom_kind("mine").custom_code == "mine"
    with pytest.raises(EditError, match="needs a custom code"):
        custom_kind("")


def test_first_options_are_sensible() -> None:
    for kind in operator_kinds():
        options = default_options(kind)
        assert type(options) is (kind.options or type(None))
        for row in options.ROWS if options is not None else ():
            value = getattr(options, row.name)
            if row.name.startswith(("stride_", "dilation_", "filter_", "block_size")):
                assert value == 1, (kind.name, row.name)
            if row.name in ("output_type", "out_type"):
                assert value == TensorType.INT32
    assert default_options(kind_named("SOFTMAX")).beta == 1.0
    assert default_options(kind_named("CONV_2D")) is not default_options(kind_named("CONV_2D"))
