# SPDX-License-Identifier: Apache-2.0
"""Models as JSON files: exact there and back, read from flatc too, and never a crash."""

import json
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tflm_studio as ts
from tests.conftest import ROOT, SAMPLES, every, examples, readable_models
from tests.editing.random_edits import random_edit
from tests.formats.test_damaged_files import SOUND
from tests.formats.test_flatbuffer_writer import official_content
from tests.formats.test_model_file import model_with_archive
from tests.formats.test_oracles import flatc
from tflm_studio.__main__ import main
from tflm_studio.formats import json_text
from tflm_studio.formats.flatbuffer_columns import same_content
from tflm_studio.formats.flatbuffer_reader import Origin, read_flatbuffer
from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.formats.model_file import encode, read_model, save_in_place
from tflm_studio.formats.model_json import (
    FLATC_WARNING,
    JsonOrigin,
    looks_like_model_json,
    read_model_json,
    write_model_json,
)
from tflm_studio.model.address import Address, format_address
from tflm_studio.model.comparison import differences
from tflm_studio.model.errors import ReadError, WriteError
from tflm_studio.schema import tables as t
from tflm_studio.schema.enums import BuiltinOperator
from tflm_studio.schema.structure import Extra, Kind, OpaqueMember, Table

SAMPLE = SAMPLES / "shapes_int8.tflite"


def text_of(model: t.Model) -> bytes:
    return b"".join(write_model_json(model))


def origin_of(model: t.Model) -> JsonOrigin:
    assert isinstance(model.extra, JsonOrigin)
    return model.extra


def stated(model: t.Model) -> Any:
    return json.loads(text_of(model))


# ---------------------------------------------------------------------- there and back


def check_round_trip(model: t.Model) -> bytes:
    text = text_of(model)
    again = read_model_json(text, "net.json")
    assert same_content(again, model)
    assert origin_of(again).warnings == ()
    assert text_of(again) == text
    return text


@pytest.mark.parametrize("name", SOUND)
def test_our_own_models(name: str) -> None:
    check_round_trip(SOUND[name]())


def test_real_models(models_folder: Path) -> None:
    for path in every(2, readable_models(models_folder)[::8]):
        data = path.read_bytes()
        model = read_flatbuffer(data, path.name)
        text = check_round_trip(model)
        written = encode(read_model(text, path.name)).tobytes()
        assert official_content(written) == official_content(data), path
        assert isinstance(model.extra, Origin)
        tail = bytes(model.extra.tail)
        if tail and not zipfile.is_zipfile(path):
            assert written[model.extra.end :][: len(tail)] == tail, path


def test_models_after_random_edits() -> None:
    for seed in range(25):
        random = Random(seed)
        model = SOUND[random.choice(sorted(SOUND))]()
        for _ in range(random.randint(1, 12)):
            random_edit(model, random).apply(model)
        check_round_trip(model)


def test_the_text_is_made_to_be_read() -> None:
    model = ts.load_model_from_file(SAMPLE)
    lines = text_of(model).decode().splitlines()
    assert lines[:5] == [
        "{",
        '  "tflm_studio_json": 1,',
        '  "version": 3,',
        '  "operator_codes": [',
        '    {"deprecated_builtin_code": 3, "version": 3, "builtin_code": "CONV_2D"},',
    ]
    assert '          "inputs": [0, 1, 2],' in lines
    assert '          "quantization": {"scale": [0.003921569], "zero_point": [-128]}' in lines
    # A text is in one line, however long; all else keeps within the width.
    long = [line for line in lines if len(line) > json_text.WIDTH]
    assert long
    texts = ('"data": {"base64": "', '"description": "Tells')
    assert all(line.lstrip().startswith(texts) for line in long)


def test_bytes_stand_as_they_read_best() -> None:
    sizes = (0, 1, 32, 33, 3 * 2**16 + 1)
    buffers = [
        t.Buffer(),
        *(t.Buffer(data=(bytes(range(256)) * 800)[:size]) for size in sizes),
    ]
    model = t.Model(buffers=buffers)
    data = [buffer.get("data") for buffer in stated(model)["buffers"]]
    assert data[:3] == [None, [], {"hex": "00"}]
    assert data[3]["hex"].startswith("00010203 04050607 ")
    assert list(data[4]) == list(data[5]) == ["base64"]
    assert same_content(read_model_json(text_of(model), "x"), model)


def test_values_of_other_classes_are_printed_as_what_they_are() -> None:
    code = t.OperatorCode(BuiltinOperator.CONV_2D, np.str_("name"), np.int64(2))  # type: ignore[arg-type]
    again = read_model_json(text_of(t.Model(operator_codes=[code])), "x")
    expected = b'{"deprecated_builtin_code": 3, "custom_code": "name", "version": 2}'
    assert expected in text_of(again)


def test_text_that_is_not_utf8_comes_back() -> None:
    model = t.Model(description='"\udcff\udc80 ä 😀\udcc3\u2028\0')
    text = text_of(model)
    assert b'"\\"\\udcff\\udc80 \xc3\xa4 ' in text
    assert read_model_json(text, "x").description == model.description


def test_numbers_beyond_those_of_json(models_folder: Path) -> None:
    (nan,) = struct.unpack("<f", struct.pack("<I", 0x7FC01234))
    scale = [float("inf"), -float("inf"), nan, -0.0, 1e-45, 3.05185e-09]
    tensor = t.Tensor(quantization=t.QuantizationParameters(scale=scale))
    options = t.StablehloPadOptions(edge_padding_low=[2**63 - 1, -(2**63)])
    operators = [t.Operator(builtin_options_2=options, large_custom_options_size=2**64 - 1)]
    model = t.Model(subgraphs=[t.SubGraph(tensors=[tensor], operators=operators)])
    check_round_trip(model)


def test_what_the_schema_does_not_know_is_refused() -> None:
    with pytest.raises(WriteError, match="holds field 30"):
        write_model_json(t.Model(extra=Extra(unknown=frozenset({30}))))
    operators = [t.Operator(builtin_options=OpaqueMember(200, 64))]
    with pytest.raises(WriteError, match=r"operators\[0\].builtin_options: is of kind 200"):
        write_model_json(t.Model(subgraphs=[t.SubGraph(operators=operators)]))


# ---------------------------------------------------------------------- bytes behind


@pytest.mark.parametrize("gap", [0, 4096])
def test_bytes_behind_the_flatbuffer_keep_their_place(gap: int) -> None:
    tail = b"vendor code " * 5
    data = lay_out(SOUND["convolution"]()).tobytes()
    data += bytes(gap and gap - len(data)) + tail
    model = read_flatbuffer(data, "net.tflite")
    assert isinstance(model.extra, Origin)
    model.description = "a longer one, so that all of the tables have to move " * 20
    text = text_of(model)
    again = read_model_json(text, "net.json")
    # What comes before the bytes is as long as before or longer; they stay where they were.
    at = data.index(tail)
    assert encode(again).tobytes()[at : at + len(tail)] == tail
    assert origin_of(again).tail == model.extra.tail
    assert text_of(again) == text
    again.description = "short"
    edited = encode(again).tobytes()
    assert edited[at : at + len(tail)] == tail
    assert same_content(read_flatbuffer(edited), again)


@pytest.mark.parametrize("absolute", [True, False])
def test_an_archive_behind_the_flatbuffer_stays_one(absolute: bool, tmp_path: Path) -> None:
    model = read_flatbuffer(model_with_archive(absolute=absolute), "net.tflite")
    model.description = "much longer than it was before " * 9
    text = text_of(model)
    again = read_model_json(text, "net.json")
    assert text_of(again) == text
    for edit in (None, "short"):
        if edit:
            again.description = edit
        ts.save_model_to_file(again, tmp_path / "net.tflite")
        with zipfile.ZipFile(tmp_path / "net.tflite") as archive:
            assert archive.testzip() is None
            assert archive.namelist() == ["labels.txt", "vocabulary.txt"]


@pytest.mark.parametrize(
    ("tail", "place"),
    [
        (3, "tflm_studio_tail"),
        ({"at": 100}, "tflm_studio_tail"),
        ({"at": 100, "data": [], "more": 1}, "tflm_studio_tail"),
        ({"at": 100, "data": [256]}, "tflm_studio_tail.data"),
        ({"at": 100, "data": None}, "tflm_studio_tail.data"),
        ({"at": -1, "data": [1]}, "tflm_studio_tail.at"),
        ({"at": 7.5, "data": [1]}, "tflm_studio_tail.at"),
        ({"at": 2**40, "data": [1]}, "tflm_studio_tail.at"),
    ],
)
def test_a_wrong_tail_is_refused(tail: object, place: str) -> None:
    text = json.dumps({"tflm_studio_json": 1, "tflm_studio_tail": tail}).encode()
    with pytest.raises(ReadError, match=rf"^net\.json: {place}: here stand|{place}: item 0"):
        read_model_json(text, "net.json")


# ---------------------------------------------------------------------- flatc


def six_decimals(table: Table) -> None:
    """Makes of a model what flatc prints of it."""
    for row in table.FIELDS:
        value = getattr(table, row.name)
        if isinstance(value, Table):
            six_decimals(value)
        elif row.kind is Kind.TABLES:
            for item in value or ():
                six_decimals(item)
        elif row.scalar == "float" and value is not None:
            many = row.kind is Kind.SCALARS
            setattr(table, row.name, list(map(rounded, value)) if many else rounded(value))


def rounded(value: float) -> float:
    return float(np.float32(f"{value:.6f}"))


def flatc_text(path: Path, folder: Path, *options: str) -> bytes:
    schema = str(ROOT / "schema" / "schema.fbs")
    command = [flatc(), "--json", "--allow-non-utf8", *options, "-o", str(folder), schema]
    subprocess.run([*command, "--", str(path)], check=True, capture_output=True, timeout=60)
    return (folder / f"{path.stem}.json").read_bytes()


FLATC_OPTIONS = (("--strict-json",), ("--strict-json", "--defaults-json"), ())


def test_json_of_flatc_is_read(models_folder: Path, tmp_path: Path) -> None:
    small = [p for p in readable_models(models_folder) if p.stat().st_size < 60_000]
    for number, path in enumerate(small[::12]):
        options = FLATC_OPTIONS[number % len(FLATC_OPTIONS)]
        model = read_model(flatc_text(path, tmp_path, *options), "flatc.json")
        assert origin_of(model).warnings == (FLATC_WARNING,)
        expected = ts.load_model_from_file(path)
        six_decimals(expected)
        assert list(differences(expected, model)) == [], (path, options)


@pytest.mark.parametrize("options", FLATC_OPTIONS, ids=" ".join)
def test_what_flatc_prints_without_being_json(tmp_path: Path, options: list[str]) -> None:
    scale = [float("inf"), -float("inf"), float("nan"), -0.0, 3e38]
    quantization = t.QuantizationParameters(min=scale, scale=[])
    model = SOUND["custom"]()
    model.description = "a\udcff\udc80 \\x41 ä inf: \n"
    model.subgraphs = [t.SubGraph([t.Tensor([], quantization=quantization)], name="nan,")]
    (tmp_path / "odd.tflite").write_bytes(lay_out(model).tobytes())
    text = flatc_text(tmp_path / "odd.tflite", tmp_path, *options)
    with pytest.raises(ValueError, match="column"):
        json.loads(text)
    assert looks_like_model_json(text)
    again = read_model_json(text, "odd.json")
    six_decimals(model)
    assert list(differences(model, again)) == []


def test_escapes_of_bytes_are_understood() -> None:
    text = rb'{version: 3, description: "\x41\xC3\xff\\xff"}'
    assert read_model_json(text, "x").description == "A\udcc3\udcff\\xff"


def test_flatc_would_store_no_default_that_is_stated() -> None:
    text = b'{"version": 3, "operator_codes": [{"version": 1}]}'
    ours = b'{"tflm_studio_json": 1, ' + text[1:]
    for data, explicit in ((text, False), (ours, True)):
        (code,) = read_model_json(data, "x").operator_codes or []
        assert (code.extra is not None) == explicit


# ---------------------------------------------------------------------- damage


@pytest.fixture(scope="module")
def tree() -> Any:
    model = SOUND["signature"]()
    model.buffers = [t.Buffer(), t.Buffer(data=bytes(100)), t.Buffer(data=b"abc")]
    return stated(model)


def nodes(value: Any, address: Address = ()) -> list[tuple[Address, Any]]:
    found = [(address, value)]
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        if isinstance(item, (dict, list)):
            found += nodes(item, (*address, key))
        else:
            found.append(((*address, key), item))
    return found


STRANGE: list[Any] = [None, True, [], {}, [[]], [{}], {"a": 1}, -1, 0.5, 256, 2**31, 2**64]
STRANGE += [10**400, -(10**40), 1e300, "", "INT9", "nan", "\ud800", "nan:1", "x" * 5000, [300]]
STRANGE += [{"base64": "a"}, {"base64": "ä"}, {"hex": "0"}, {"hex": [1]}, ["1"]]


@settings(
    max_examples=examples(300), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_wrong_value_anywhere_is_named_with_its_place(
    tree: Any, data: st.DataObject
) -> None:
    changed = json.loads(json.dumps(tree))
    address, _ = data.draw(st.sampled_from(nodes(tree)[1:]))
    parent = changed
    for step in address[:-1]:
        parent = parent[step]
    parent[address[-1]] = data.draw(st.sampled_from(STRANGE))
    try:
        read_model_json(json.dumps(changed).encode(), "net.json")
    except ReadError as error:
        # The kind of a union is found wrong at the union, the bytes where bytes may stand.
        place = str(error).split(": ")[1]
        above = format_address(address[:-1])
        assert str(error).startswith("net.json: ")
        assert place.startswith(above), (address, error)
        assert len(str(error)) < 500


@settings(
    max_examples=examples(300), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_damaged_text_is_refused_or_read(tree: Any, data: st.DataObject) -> None:
    text = bytearray(json.dumps(tree, indent=1).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text) - 1))
        kind = data.draw(st.sampled_from(["cut", "byte", "remove", "copy"]))
        if kind == "cut" and at > 10:
            del text[at:]
        elif kind == "byte":
            text[at] = data.draw(st.sampled_from(b'"{}[],:-\\x09etn\xff\0'))
        elif kind == "remove":
            del text[at : at + data.draw(st.integers(1, 40))]
        else:
            text[at:at] = text[: data.draw(st.integers(0, 200))]
        text = text or bytearray(b" ")
    try:
        read_model_json(bytes(text), "net.json")
    except ReadError as error:
        assert str(error).startswith("net.json: ")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "line 1, column 1"),
        (b'{"version": 3', "line 1, column 14"),
        (b'{\n "version": 3,\n "subgraphs": [{]\n}', "line 3"),
        (b'{\n version: 3,\n subgraphs: [{]\n}', "line 3: this is not JSON"),
        (b"[1]", "here stands an object, a Model, not a list"),
        (b'{"version": 3, "version": 4}', "the key 'version' stands here twice"),
        (b'{"buffers": [{}, {"data": [], "data": []}]}', r"buffers\[1\]: the key 'data'"),
        (b'{"version": 1' + b"0" * 9999 + b"}", "version: .* thousands of digits"),
        (b'{"version": 1e99999}', "version: .* not inf"),
        (b'{"version": NaN}', "version: .* not 'nan'"),
        (b"[" * 200_000, "nested far deeper"),
        (b'{"x":' * 200_000, "nested far deeper"),
        (b'{"tflm_studio_json": 2}', "tflm_studio_json: this program reads form 1, not 2"),
        (b'{"tflm_studio_json": 1, "buffers": [{"data": {"base64": "AAA"}}]}', "padding"),
        (b'{"buffers": [{"data": [0, 1, -1]}]}', r"buffers\[0\]\.data: item 2 .* -1"),
        (b'{"buffers": [{"data": [0, 1' + b"0" * 40 + b"]}]}", r"data: item 1"),
        (b'{"buffers": [{"data": {"hex": "0g"}}]}', r"buffers\[0\]\.data: the hex text"),
        (b'{"buffers": [{"data": "AAAA"}]}', r"buffers\[0\]\.data: here stand bytes"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(text: bytes, reason: str) -> None:
    with pytest.raises(ReadError, match=rf"^net\.json: .*{reason}|^net\.json: {reason}"):
        read_model_json(text, "net.json")


def test_unknown_keys_are_told() -> None:
    text = b'{"tflm_studio_json": 1, "colour": 1, "subgraphs": [{"a": {"b": [1]}}]}'
    (warning,) = origin_of(read_model_json(text, "x")).warnings
    assert warning.endswith("no such keys: colour, subgraphs[0].a.")
    many = json.dumps({"tflm_studio_json": 1} | {f"k{n}": n for n in range(9)}).encode()
    (warning,) = origin_of(read_model_json(many, "x")).warnings
    assert warning.endswith("k3, k4 and 4 more.")


READ_WITH_LITTLE_MEMORY = """
import resource, sys
from tflm_studio.formats.model_json import read_model_json
from tflm_studio.model.errors import ReadError
resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))
try:
    read_model_json(open(sys.argv[1], "rb").read(), "bomb")
except ReadError as error:
    sys.exit(f"refused: {error}")
"""


@pytest.mark.parametrize(
    "bomb",
    every(
        3,
        [
            b'{"buffers": [' + b"{}," * 1_500_000 + b"{}]}",
            b'{"tflm_studio_tail": {"at": 2000000000, "data": [1]}}',
            b'{"x": ' + b"[" * 4_000_000,
            b'{"x": "' + b"\\x41" * 250_000,
            b'{"x": "' + b'\\"' * 1_000_000,
            b"{" + b"a:" * 250_000,
            b'{"version": ' + b"9" * 4_000_000 + b"}",
        ],
    ),
    ids=every(3, ["tables", "gap", "nesting", "escapes", "quotes", "words", "number"]),
)
def test_a_small_file_cannot_take_all_memory(tmp_path: Path, bomb: bytes) -> None:
    (tmp_path / "bomb").write_bytes(bomb)
    command = [sys.executable, "-c", READ_WITH_LITTLE_MEMORY, str(tmp_path / "bomb")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr.startswith("refused: bomb: "), done.stderr


# ---------------------------------------------------------------------- files


def test_kinds_of_files_are_seen_from_the_content(tmp_path: Path) -> None:
    model = ts.load_model_from_file(SAMPLE)
    ts.save_model_to_file(model, tmp_path / "net.json")
    ts.save_model_to_file(model, tmp_path / "net.cc")
    for source, disguise in (("net.json", "a.tflite"), ("net.cc", "b.json")):
        (tmp_path / disguise).write_bytes((tmp_path / source).read_bytes())
        assert same_content(ts.load_model_from_file(tmp_path / disguise), model)
    (tmp_path / "c.json").write_bytes(SAMPLE.read_bytes())
    assert same_content(ts.load_model_from_file(tmp_path / "c.json"), model)
    (tmp_path / "d.json").write_text('{"name": "a package", "files": [1, 2]}')
    with pytest.raises(ReadError, match="neither"):
        ts.load_model_from_file(tmp_path / "d.json")


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b'{"tflm_studio_json": 1', True),
        (b'\xef\xbb\xbf \r\n{\n "subgraphs": [', True),
        (b"{ version : 3", True),
        (b'{"mine": 1, "buffers": [{}', True),
        (b'{"mine": 1, "buffer": [{}', False),
        (b"{}", False),
        (b"{ 0x1c, 0, 0, 0, 'T' }", False),
        (b"{ .buffers = {1, 2} };", False),
        (b'[{"version": 3}]', False),
        (b"const char x[] = {version: 3}", False),
        (b'{"\xff": 1}', False),
    ],
)
def test_json_of_a_model_is_told_from_other_text(head: bytes, expected: bool) -> None:
    assert looks_like_model_json(head) == expected


def test_a_flatbuffer_through_json_differs_only_in_layout(tmp_path: Path) -> None:
    assert main(["convert", str(SAMPLE), str(tmp_path / "net.json")]) == 0
    assert main(["convert", str(tmp_path / "net.json"), str(tmp_path / "net.tflite")]) == 0
    back = (tmp_path / "net.tflite").read_bytes()
    assert official_content(back) == official_content(SAMPLE.read_bytes())
    assert main(["convert", str(tmp_path / "net.tflite"), str(tmp_path / "b.json")]) == 0
    assert (tmp_path / "b.json").read_bytes() == (tmp_path / "net.json").read_bytes()


def test_warnings_go_to_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "old.json").write_text('{"version": 3, "colour": 1}')
    assert main(["convert", str(tmp_path / "old.json"), str(tmp_path / "x.tflite")]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert "6 decimals" in lines[0]
    assert "colour" in lines[1]
    assert main(["info", str(tmp_path / "x.tflite")]) == 0
    assert capsys.readouterr().err == ""


def test_json_is_saved_as_json_whatever_its_name(tmp_path: Path) -> None:
    path = tmp_path / "net.txt"
    path.write_bytes(text_of(ts.load_model_from_file(SAMPLE)))
    document = ts.Document.open(path)
    document.do(ts.edits.Set("description", "changed"))
    document.save()
    assert b'"description": "changed"' in path.read_bytes()
    assert ts.load_model_from_file(path).description == "changed"
    document.save(tmp_path / "net.tflite")
    assert (tmp_path / "net.tflite").read_bytes()[4:8] == b"TFL3"
    document.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == path.read_bytes()


def test_what_cannot_be_saved_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    ts.save_model_to_file(t.Model(version=3), path)
    old = path.read_bytes()
    bad = t.Model(
        subgraphs=[t.SubGraph(operators=[t.Operator(builtin_options=OpaqueMember(0))])]
    )
    for model in (t.Model(version=-1), bad):
        with pytest.raises(WriteError):
            save_in_place(model, path)
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]
