# SPDX-License-Identifier: Apache-2.0
"""Tables as JSON values and back: nothing is lost, and what is wrong is said where."""

import json
import math
import struct
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.editing.random_edits import random_number
from tflm_studio.editing.field_values import checked
from tflm_studio.formats import json_tables
from tflm_studio.formats.json_numbers import number_from_json, number_to_json
from tflm_studio.formats.json_tables import Place, table_from_json, table_to_json
from tflm_studio.model.comparison import differences
from tflm_studio.model.errors import ReadError, WriteError
from tflm_studio.schema import tables as t
from tflm_studio.schema.enums import BuiltinOperator, Padding, TensorType
from tflm_studio.schema.structure import Extra, Field, Kind, OpaqueMember, Table

PLACE = Place("net.json")
SCALE = next(row for row in t.QuantizationParameters.FIELDS if row.name == "scale")
DOUBLE = Field(name="wide", slot=0, kind=Kind.SCALAR, scalar="double", default=0.0)


def put_hex(data: memoryview) -> object:
    return data.hex()


def get_hex(value: object) -> bytes:
    if not isinstance(value, str):
        raise ReadError("here stand hexadecimal digits.")
    return bytes.fromhex(value)


def through_text(table: Table) -> Any:
    text = json.dumps(table_to_json(table, put_hex), allow_nan=False)
    unknown: list[str] = []
    again = table_from_json(type(table), json.loads(text), get_hex, PLACE, unknown)
    assert not unknown
    return again


def read(cls: type[Table], value: object) -> Any:
    return table_from_json(cls, value, get_hex, PLACE)


# ---------------------------------------------------------------------- there and back


def random_table(cls: type[Table], random: Random) -> Table:
    """A table with anything in each of its fields."""
    fields = {row.name: checked(row, random_value(row, random)) for row in cls.FIELDS}
    make: Any = cls
    return make(**fields)


def random_value(row: Field, random: Random) -> Any:
    if row.kind is Kind.SCALAR:
        return random.choice([row.default, random_number(row, random)])
    if random.random() < 0.2:
        return None
    size = random.choice([0, 1, 3])
    if row.kind is Kind.STRING:
        return random.choice(["", "name", 'näme/\udc80\0"\\\u2028x', "😀\udcff"])
    if row.kind is Kind.BYTES:
        return random.randbytes(size)
    if row.kind is Kind.SCALARS:
        return [random_number(row, random) for _ in range(size)]
    if row.kind is Kind.TABLES:
        return [random_table(row.members[0], random) for _ in range(size)]
    if row.kind is Kind.UNION and random.random() < 0.1:
        return OpaqueMember(random.choice([1, 255]))
    return random_table(random.choice(row.members), random)


@pytest.mark.parametrize("cls", t.TABLES.values(), ids=t.TABLES)
def test_any_table_comes_back(cls: type[Table]) -> None:
    for seed in range(3 if cls in (t.Model, t.SubGraph) else 12):
        table = random_table(cls, Random(seed))
        assert list(differences(table, through_text(table))) == [], seed


def test_the_form() -> None:
    quantization = t.QuantizationParameters(scale=[np.float32(0.1), 2.0], zero_point=[])
    tensor = t.Tensor([1, -1], TensorType.INT8, 3, "x", quantization)
    assert table_to_json(tensor, put_hex) == {
        "shape": [1, -1],
        "type": "INT8",
        "buffer": 3,
        "name": "x",
        "quantization": {"scale": [0.1, 2.0], "zero_point": []},
    }
    operator = t.Operator(
        inputs=[0, -1],
        builtin_options=t.Conv2DOptions(padding=Padding.VALID),
        custom_options=b"\1\2",
        mutating_variable_inputs=[True, False],
    )
    assert table_to_json(operator, put_hex) == {
        "inputs": [0, -1],
        "builtin_options_type": "Conv2DOptions",
        "builtin_options": {"padding": "VALID"},
        "custom_options": "0102",
        "mutating_variable_inputs": [True, False],
    }


def test_what_the_schema_has_no_name_for_is_a_number() -> None:
    stated = table_to_json(t.OperatorCode(builtin_code=BuiltinOperator.ADD), put_hex)
    assert stated == {}
    code = t.OperatorCode(builtin_code=9999)
    assert table_to_json(code, put_hex) == {"builtin_code": 9999}
    assert through_text(code).builtin_code == 9999
    operator = t.Operator(builtin_options=OpaqueMember(200))
    assert table_to_json(operator, put_hex) == {"builtin_options_type": 200}
    assert through_text(operator).builtin_options == OpaqueMember(200)


def test_enumerations_and_unions_may_be_numbers() -> None:
    assert read(t.Tensor, {"type": 9}).type is TensorType.INT8
    options = read(t.Operator, {"builtin_options": {"stride_w": 2}, "builtin_options_type": 1})
    assert isinstance(options.builtin_options, t.Conv2DOptions)
    assert read(t.Operator, {"builtin_options_type": "NONE"}).builtin_options is None
    assert read(t.Operator, {"builtin_options_type": 0, "inputs": None}).inputs is None


def test_defaults_that_the_file_stores_stay_stored() -> None:
    code = t.OperatorCode(version=1, extra=Extra(explicit=frozenset({0, 2})))
    stated = table_to_json(code, put_hex)
    assert stated == {"deprecated_builtin_code": 0, "version": 1}
    again = through_text(code)
    assert again.extra.explicit == {0, 2}
    assert through_text(t.OperatorCode(version=1)).extra is None
    plain = table_from_json(t.OperatorCode, stated, get_hex, PLACE, keep_defaults=False)
    assert plain.extra is None


def test_numbers_of_numpy_are_numbers() -> None:
    tensor = t.Tensor(np.array([1, 2], np.int64), np.int8(9), np.uint32(7))  # type: ignore[arg-type]
    assert json.loads(json.dumps(table_to_json(tensor, put_hex))) == {
        "shape": [1, 2],
        "type": "INT8",
        "buffer": 7,
    }


def test_bytes_may_go_elsewhere() -> None:
    kept: list[memoryview] = []

    def put(data: memoryview) -> object:
        kept.append(data)
        return len(kept) - 1

    model = t.Model(buffers=[t.Buffer(), t.Buffer(data=np.arange(3, dtype="<i4"))])  # type: ignore[arg-type]
    stated = table_to_json(model, put)
    assert stated == {"buffers": [{}, {"data": 0}]}
    assert kept[0] == np.arange(3, dtype="<i4").tobytes()
    again = table_from_json(t.Model, stated, lambda value: kept[int(str(value))], PLACE)
    assert list(differences(model, again)) == []


# ---------------------------------------------------------------------- floats


def bits_of(value: float) -> int:
    return int(np.array([value], np.float32).view(np.uint32)[0])


def digits(value: float) -> str:
    return repr(value).split("e")[0].strip("-").replace(".", "").strip("0")


@given(st.integers(0, 2**32 - 1))
def test_floats_have_the_fewest_digits_that_keep_their_bits(word: int) -> None:
    value = float(np.array([word], np.uint32).view(np.float32)[0])
    row = Field(name="x", slot=0, kind=Kind.SCALAR, scalar="float", default=0.0)
    stated, is_default = number_to_json(row, value)
    assert is_default == (word == 0)
    text = json.dumps(stated, allow_nan=False)
    assert bits_of(number_from_json(row, json.loads(text))) == bits_of(value)
    if math.isfinite(value) and value:
        shorter = len(digits(stated)) - 1
        assert shorter < 9
        if shorter:
            fewer = float(f"{value:.{shorter - 1}e}")
            assert abs(fewer) > 3.5e38 or bits_of(fewer) != bits_of(value)


def test_digits_that_64_bits_would_round_to_the_neighbour_are_not_used() -> None:
    # The first is 7.038531e-26 in its fewest digits; read as 64 bits and then rounded to 32,
    # these digits are the float behind it.
    for word in (0x15AE43FD, 0x15AE43FE, 1, 0x007FFFFF, 0x7F7FFFFF):
        value = float(np.array([word], np.uint32).view(np.float32)[0])
        (stated,) = table_to_json(t.QuantizationParameters(scale=[value]), put_hex)["scale"]  # type: ignore[misc]
        assert bits_of(float(json.dumps(stated))) == word


@pytest.mark.parametrize(
    ("value", "stated"),
    [
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        (math.nan, "nan"),
        (-0.0, -0.0),
        (struct.unpack("<f", struct.pack("<I", 0x7FC00001))[0], "nan:7fc00001"),
        (struct.unpack("<f", struct.pack("<I", 0xFFC00000))[0], "nan:ffc00000"),
    ],
)
def test_what_is_no_number_of_json(value: float, stated: object) -> None:
    table = t.QuantizationParameters(scale=[1.0, value])
    found = table_to_json(table, put_hex)
    assert repr(found) == repr({"scale": [1.0, stated]})
    assert bits_of(through_text(table).scale[1]) == bits_of(value)


def test_floats_of_64_bits() -> None:
    for word in (0x7FF8000000000001, 0x3FB999999999999A, 0x8000000000000000, 1):
        (value,) = struct.unpack("<d", struct.pack("<Q", word))
        stated, _ = number_to_json(DOUBLE, value)
        again = number_from_json(DOUBLE, json.loads(json.dumps(stated, allow_nan=False)))
        assert struct.pack("<d", again) == struct.pack("<Q", word)


def test_floats_are_rounded_as_the_file_rounds_them() -> None:
    again = through_text(t.SoftmaxOptions(beta=0.1))
    assert again.beta == float(np.float32(0.1))
    assert read(t.SoftmaxOptions, {"beta": 3}).beta == 3.0
    # 0.0 and -0.0 are two values: only one of them is the default.
    assert repr(table_to_json(t.SoftmaxOptions(beta=-0.0), put_hex)) == "{'beta': -0.0}"


# ---------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (t.Buffer(size=-1), "size: -1 does not fit the type ulong: -1 is not from 0 to 18"),
        (t.Tensor([1.5]), "shape: a value does not fit the type int: 1.5 is no whole"),  # type: ignore[list-item]
        (t.Tensor(3), "shape: a value does not fit"),  # type: ignore[arg-type]
        (t.Tensor(name=7), "name: is a int, not text"),  # type: ignore[arg-type]
        (t.Tensor(name="\ud800"), "name: character 1 of the text cannot be stored"),
        (t.Buffer(data="text"), "data: must be bytes"),  # type: ignore[arg-type]
        (t.QuantizationParameters(scale=[1e39]), "scale: a value does not fit the type float"),
        (t.SubGraph(tensors=[t.Tensor(), t.Buffer()]), r"tensors\[1\]: a Buffer cannot"),  # type: ignore[list-item]
        (t.Operator(builtin_options=t.Tensor()), "builtin_options: a Tensor cannot"),  # type: ignore[arg-type]
        (
            t.SubGraph(operators=[t.Operator(builtin_options=OpaqueMember(200, 64))]),
            r"operators\[0\].builtin_options: is of kind 200, which this program",
        ),
        (
            t.SubGraph(tensors=[t.Tensor(extra=Extra(unknown=frozenset({77, 99})))]),
            r"^tensors\[0\]: holds field 77, which this program does not know",
        ),
        (t.Model(extra=Extra(unknown=frozenset({20}))), "^model: holds field 20"),
    ],
)
def test_what_cannot_be_written_is_refused_by_its_place(table: Table, reason: str) -> None:
    with pytest.raises(WriteError, match=reason):
        table_to_json(table, put_hex)


def deep(value: object) -> dict[str, object]:
    """A model with the value as the fields of its tensor 1."""
    return {"subgraphs": [{"tensors": [{}, value]}]}


@pytest.mark.parametrize(
    ("value", "place", "reason"),
    [
        ([], "", "here stands an object, a Model, not a list"),
        ({"version": "3"}, "version", "a whole number from 0 to 4294967295, not '3'"),
        ({"version": 3.0}, "version", "not 3.0"),
        ({"version": True}, "version", "not true"),
        ({"version": -1}, "version", "not -1"),
        ({"version": 10**300}, "version", "not 1000"),
        ({"subgraphs": {}}, "subgraphs", "here stands a list, not an object"),
        ({"subgraphs": [3]}, "subgraphs[0]", "an object, a SubGraph, not 3"),
        ({"description": 3}, "description", "here stands text, not 3"),
        ({"description": "a\ud800"}, "description", "character 2"),
        ({"buffers": [{"data": 5}]}, "buffers[0].data", "hexadecimal digits"),
        (deep({"type": "INT9"}), "subgraphs[0].tensors[1].type", "FLOAT32, FLOAT16, INT32"),
        (deep({"type": 300}), "subgraphs[0].tensors[1].type", "TensorType or a whole number"),
        (deep({"shape": [1, "2"]}), "subgraphs[0].tensors[1].shape[1]", "not '2'"),
        (deep({"shape": [1, 2**31]}), "subgraphs[0].tensors[1].shape[1]", "to 2147483647"),
        (deep({"is_variable": 2}), "subgraphs[0].tensors[1].is_variable", "true or false"),
        (deep({"is_variable": 1.0}), "subgraphs[0].tensors[1].is_variable", "not 1.0"),
        (
            deep({"quantization": {"scale": [0.1, 1e39]}}),
            "subgraphs[0].tensors[1].quantization.scale[1]",
            "1e+39 is too large for a float",
        ),
        (
            deep({"quantization": {"scale": [10**400]}}),
            "subgraphs[0].tensors[1].quantization.scale[0]",
            "too large",
        ),
        (
            deep({"quantization": {"min": [None]}}),
            "subgraphs[0].tensors[1].quantization.min[0]",
            'a number, "inf", "-inf" or "nan", not null',
        ),
        (
            deep({"quantization": {"min": ["nan:00000001"]}}),
            "subgraphs[0].tensors[1].quantization.min[0]",
            "not the bits of a NaN",
        ),
        (
            {"operator_codes": [{"builtin_code": "CONV2D"}]},
            "operator_codes[0].builtin_code",
            "CONV_2D",
        ),
        (
            {"subgraphs": [{"operators": [{"builtin_options_type": "ConvOptions"}]}]},
            "subgraphs[0].operators[0].builtin_options_type",
            "NONE, the name of a table (Conv2DOptions, ",
        ),
        (
            {"subgraphs": [{"operators": [{"builtin_options": {}}]}]},
            "subgraphs[0].operators[0].builtin_options",
            "builtin_options_type has to name it",
        ),
        (
            {
                "subgraphs": [
                    {"operators": [{"builtin_options_type": 250, "builtin_options": {}}]}
                ]
            },
            "subgraphs[0].operators[0].builtin_options",
            "does not know kind 250",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_place(
    value: object, place: str, reason: str
) -> None:
    with pytest.raises(ReadError) as caught:
        read(t.Model, value)
    assert str(caught.value).startswith(f"net.json: {place}: " if place else "net.json: ")
    assert reason in str(caught.value)
    assert len(str(caught.value)) < 400


def test_the_place_may_be_inside_of_something_else() -> None:
    place = Place("edits.json", ("steps", 2, "value"))
    with pytest.raises(ReadError, match=r"^edits\.json: steps\[2\]\.value\.type: 'x' is not"):
        table_from_json(t.Tensor, {"type": "x"}, get_hex, place)


def test_unknown_keys_are_listed() -> None:
    unknown: list[str] = []
    value = deep({"type": "INT8", "colour": "red", "a b": 1})
    model = table_from_json(t.Model, {**value, "x": []}, get_hex, PLACE, unknown)
    assert model.subgraphs is not None
    assert unknown == [
        "subgraphs[0].tensors[1].colour",
        "subgraphs[0].tensors[1].'a b'",
        "x",
    ]


def test_tables_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_tables, "MAX_TABLES", 10)
    read(t.Model, {"buffers": [{}] * 9})
    for value in ({"buffers": [{}] * 10}, {**deep({}), "buffers": [{}] * 7}):
        with pytest.raises(
            ReadError, match=r"^net.json: buffers: with these .* than 10 tables"
        ):
            read(t.Model, value)
    with pytest.raises(
        ReadError, match=r"^net.json: subgraphs\[0\].tensors\[1\].sparsity: with"
    ):
        read(t.Model, {"buffers": [{}] * 6, **deep({"sparsity": {}})})
