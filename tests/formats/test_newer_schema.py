# SPDX-License-Identifier: Apache-2.0
"""Files of a schema that is newer than ours: nothing in them is lost, whatever is edited."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ai_edge_litert import schema_py_generated as official

import tflm_studio as ts
from tests.formats.test_oracles import flatc
from tflm_studio.analysis.opening import opening_notes
from tflm_studio.editing.edits import Insert, Remove, Set, WriteBytes
from tflm_studio.editing.journal import Journal
from tflm_studio.editing.recovery import find_recoverable, recover
from tflm_studio.formats.model_file import encode, load_model_from_file
from tflm_studio.schema import tables as t
from tflm_studio.schema.structure import OpaqueMember

SCHEMA = Path(__file__).resolve().parents[2] / "schema" / "schema.fbs"

NEW_TABLES = """
table NewPart { name: string; numbers: [long]; depth: double; next: NewPart; }
table NewOptions { beta: float; axes: [int]; part: NewPart; }
"""
# Behind the last field of each table, and behind the last member of the union.
ADDITIONS = {
    "Tensor": "new_mode: byte; new_index: int = -1; new_size: ulong; new_note: string;",
    "Operator": "new_flag: bool; new_rate: float; new_parts: [NewPart];",
    "SubGraph": "new_table: NewPart; new_names: [string];",
    "Model": "new_numbers: [double]; new_version: uint;",
    "Buffer": "new_check: uint;",
    "BuiltinOptions": "NewOptions,",
}


@pytest.fixture(scope="session")
def newer_schema(tmp_path_factory: pytest.TempPathFactory) -> Path:
    text = SCHEMA.read_text()
    text = text.replace("table Buffer {", NEW_TABLES + "\ntable Buffer {", 1)
    for name, addition in ADDITIONS.items():
        start = text.index(
            f"union {name} {{" if name == "BuiltinOptions" else f"table {name} {{"
        )
        end = text.index("}", start)
        comma = "" if text[:end].rstrip().endswith((",", ";")) else ","
        text = text[:end].rstrip() + f"{comma}\n  {addition}\n" + text[end:]
    path = tmp_path_factory.mktemp("schema") / "schema.fbs"
    path.write_text(text)
    return path


Compile = Callable[[dict[str, Any]], Path]
Decode = Callable[[Path], dict[str, Any]]


@pytest.fixture
def compile_newer(newer_schema: Path, tmp_path: Path) -> Compile:
    def compiled(model: dict[str, Any]) -> Path:
        source = tmp_path / "newer.json"
        source.write_text(json.dumps(model))
        run(["-b", "-o", str(tmp_path), str(newer_schema), str(source)])
        return tmp_path / "newer.tflite"

    return compiled


@pytest.fixture
def decode_newer(newer_schema: Path, tmp_path: Path) -> Decode:
    def decoded(path: Path) -> dict[str, Any]:
        out = tmp_path / "decoded"
        options = ["-t", "--strict-json", "--raw-binary", "-o", str(out)]
        run([*options, str(newer_schema), "--", str(path)])
        found: dict[str, Any] = json.loads((out / path.with_suffix(".json").name).read_text())
        return found

    return decoded


def run(arguments: list[str]) -> None:
    subprocess.run([flatc(), *arguments], check=True, capture_output=True)


def newer_model() -> dict[str, Any]:
    part = {"name": "inner", "numbers": [1, -(2**40)], "depth": 0.5, "next": {"name": "deep"}}
    tensors = [
        {
            "shape": [1, 4],
            "buffer": 1,
            "name": f"tensor {k}",
            "new_index": 4 * k,
            "new_mode": k,
        }
        for k in range(4)
    ]
    tensors[1] |= {"new_size": 2**50, "new_note": "a note that is unlike all others"}
    tensors[2] |= {"new_size": 8, "new_note": "another"}
    operators = [
        {
            "opcode_index": 0,
            "inputs": [0, 1],
            "outputs": [2],
            "new_flag": True,
            "new_rate": 0.125,
            "new_parts": [part, {"name": "second"}],
            "builtin_options_type": "NewOptions",
            "builtin_options": {"beta": 2.5, "axes": [3, 1], "part": part},
        },
        {"opcode_index": 0, "inputs": [2], "outputs": [3], "new_rate": 3.0},
    ]
    return {
        "version": 3,
        "operator_codes": [{"deprecated_builtin_code": 9, "builtin_code": "FULLY_CONNECTED"}],
        "subgraphs": [
            {
                "tensors": tensors,
                "inputs": [0],
                "outputs": [3],
                "operators": operators,
                "name": "main",
                "new_table": part,
                "new_names": ["one", "two"],
            }
        ],
        "description": "made of a newer schema",
        "buffers": [{}, {"data": list(range(200))}, {"data": [1, 2, 3]}],
        "new_numbers": [1.5, -2.25, 1e300],
        "new_version": 77,
    }


def test_opening_says_what_is_not_in_the_schema(compile_newer: Compile) -> None:
    (note,) = opening_notes(load_model_from_file(compile_newer(newer_model())))
    assert note.startswith("Not in the schema, kept as it is: ")
    assert "and " in note
    assert "unknown" in note


def test_opening_says_which_values_have_no_name() -> None:
    path = SCHEMA.parents[1] / "resources" / "samples" / "shapes_int8.tflite"
    model = load_model_from_file(path)
    assert opening_notes(model) == []
    operators = model.subgraphs[0].operators
    model.subgraphs[0].tensors[3].type = 99
    operators[0].builtin_options.padding = operators[2].builtin_options.padding = 77
    assert opening_notes(model) == [
        "The schema has no name for Conv2DOptions.padding 77; Tensor.type 99; kept as it is."
    ]


def test_numbers_and_offsets_are_told_apart(compile_newer: Compile) -> None:
    model = load_model_from_file(compile_newer(newer_model()))
    subgraph = model.subgraphs[0]
    leads = {
        (type(table).__name__, slot): found.target is not None
        for table in (model, subgraph, *subgraph.tensors, *subgraph.operators)
        for slot, found in table.extra.unknown.items()
    }
    first = {
        table: 1 + max(row.slot for row in table.FIELDS)
        for table in (t.Model, t.SubGraph, t.Tensor, t.Operator)
    }
    expected = {
        "Tensor": [False, False, False, True],
        "Operator": [False, False, True],
        "SubGraph": [True, True],
        "Model": [True, False],
    }
    assert leads == {
        (table.__name__, start + k): is_offset
        for table, start in first.items()
        for k, is_offset in enumerate(expected[table.__name__])
    }
    assert isinstance(subgraph.operators[0].builtin_options, OpaqueMember)


@pytest.mark.parametrize("number", [1200, 1360, 1480])
def test_a_number_that_looks_like_an_offset_in_the_new_file_is_kept(
    compile_newer: Compile, decode_newer: Decode, tmp_path: Path, number: int
) -> None:
    """By chance it leads into what is carried along, which then stands elsewhere."""
    model = newer_model()
    model["buffers"][1]["new_check"] = number
    path = compile_newer(model)
    expected = decode_newer(path)
    document = ts.Document.open(path)
    expected["description"] = "longer than before " * 9
    document.do(Set("description", expected["description"]))
    document.save(tmp_path / "saved.tflite")
    assert decode_newer(tmp_path / "saved.tflite") == expected


def test_a_longer_text_loses_nothing(
    compile_newer: Compile, decode_newer: Decode, tmp_path: Path
) -> None:
    path = compile_newer(newer_model())
    expected = decode_newer(path)
    document = ts.Document.open(path)
    expected["description"] = "longer than before, so that the tables move " * 9
    document.do(Set("description", expected["description"]))
    document.save(tmp_path / "saved.tflite")
    assert decode_newer(tmp_path / "saved.tflite") == expected
    document.undo()
    document.save(tmp_path / "undone.tflite")
    assert (tmp_path / "undone.tflite").read_bytes() == path.read_bytes()


def test_tables_come_and_go_around_unknown_content(
    compile_newer: Compile, decode_newer: Decode, tmp_path: Path
) -> None:
    path = compile_newer(newer_model())
    expected = decode_newer(path)
    document = ts.Document.open(path)
    saved = tmp_path / "saved.tflite"
    document.do(Insert("subgraphs[0].tensors", 1, t.Tensor([7], name="inserted")))
    document.do(Insert("buffers", 2, t.Buffer(b"new bytes")))
    document.do(Remove("subgraphs[0].operators", 1))
    document.do(Set("subgraphs[0].operators[0].inputs", [0, 2, -1]))
    graph = expected["subgraphs"][0]
    graph["tensors"].insert(1, {"shape": [7], "name": "inserted"})
    del graph["operators"][1]
    graph["operators"][0]["inputs"] = [0, 2, -1]
    expected["buffers"].insert(2, {"data": list(b"new bytes")})
    document.save(saved)
    assert decode_newer(saved) == expected
    # Once more, from what was saved.
    again = ts.Document.open(saved)
    again.do(Set("description", None))
    again.do(Set("subgraphs[0].name", "renamed"))
    del expected["description"]
    graph["name"] = "renamed"
    again.save(saved)
    assert decode_newer(saved) == expected


def test_weights_are_not_written_twice(compile_newer: Compile, tmp_path: Path) -> None:
    model = newer_model()
    model["buffers"][1]["data"] = [(7 * k) % 251 for k in range(20_000)]
    path = compile_newer(model)
    document = ts.Document.open(path)
    document.do(Set("description", "long " * 30))
    document.save(tmp_path / "saved.tflite")
    saved = tmp_path / "saved.tflite"
    assert saved.stat().st_size < path.stat().st_size + 5_000
    for buffer in official.ModelT.InitFromPackedBuf(saved.read_bytes(), 0).buffers[1:2]:
        assert bytes(buffer.data) == bytes(model["buffers"][1]["data"])
    opened = load_model_from_file(saved)
    assert opened.extra.offset_of(opened.buffers[1].data) % 16 == 0


def test_values_are_changed_in_place(compile_newer: Compile) -> None:
    path = compile_newer(newer_model())
    before = path.read_bytes()
    document = ts.Document.open(path)
    document.do(WriteBytes("buffers[1].data", 3, b"\xff"))
    document.save()
    after = path.read_bytes()
    assert sum(a != b for a, b in zip(before, after, strict=True)) == 1


def test_numbers_alone_need_nothing_of_the_old_file(
    compile_newer: Compile, decode_newer: Decode, tmp_path: Path
) -> None:
    model = newer_model()
    graph = model["subgraphs"][0]
    for key in ("new_table", "new_names"):
        del graph[key]
    del model["new_numbers"]
    for tensor in graph["tensors"]:
        tensor.pop("new_note", None)
    for operator in graph["operators"]:
        for key in ("new_parts", "builtin_options", "builtin_options_type"):
            operator.pop(key, None)
    path = compile_newer(model)
    expected = decode_newer(path)
    document = ts.Document.open(path)
    assert document.model.extra.carried is None
    expected["description"] = "x"
    document.do(Set("description", "x"))
    document.save(tmp_path / "saved.tflite")
    assert decode_newer(tmp_path / "saved.tflite") == expected
    assert (tmp_path / "saved.tflite").stat().st_size < path.stat().st_size + 200


def test_contradicting_signs_are_refused_and_nothing_is_lost(
    compile_newer: Compile, tmp_path: Path
) -> None:
    """An empty vector of an unknown field looks like padding: nobody can say what it is."""
    model = {"version": 3, "buffers": [{}], "new_numbers": []}
    path = compile_newer(model)
    before = path.read_bytes()
    document = ts.Document.open(path)
    document.do(Set("version", 4))
    document.save()
    document.undo()
    document.save()
    assert path.read_bytes() == before
    document.do(Set("description", "moves everything"))
    with pytest.raises(ts.WriteError, match="does not know and so cannot move"):
        document.save()
    assert path.read_bytes() == before


def test_a_journal_brings_unknown_fields_back(
    compile_newer: Compile, decode_newer: Decode, tmp_path: Path
) -> None:
    path = compile_newer(newer_model())
    expected = decode_newer(path)
    document = ts.Document.open(path)
    journal = Journal(document, tmp_path / "journals")
    document.do(Remove("subgraphs[0].operators", 0))
    document.do(Set("description", "after the removal"))
    document.undo()
    for file in (journal._lines, journal._bytes):
        assert file is not None
        file.close()
    (found,) = find_recoverable(tmp_path / "journals")
    recovered, resumed = recover(found)
    recovered.undo()
    assert encode(recovered.model).tobytes() == path.read_bytes()
    recovered.do(Set("description", "laid out anew " * 20))
    recovered.save(tmp_path / "saved.tflite")
    expected["description"] = "laid out anew " * 20
    assert decode_newer(tmp_path / "saved.tflite") == expected
    resumed.close()


def test_a_payload_of_a_vendor_and_unknown_content_are_not_mixed_up(
    compile_newer: Compile,
) -> None:
    path = compile_newer(newer_model())
    data = path.read_bytes()
    payload = bytes(range(1, 101))
    path.write_bytes(data + bytes(-len(data) % 16 + 16) + payload)
    before = path.read_bytes()
    document = ts.Document.open(path)
    document.do(WriteBytes("buffers[1].data", 3, b"\xff"))
    document.save()
    assert path.read_bytes()[-100:] == payload
    document.undo()
    document.do(Set("description", "moves everything " * 20))
    with pytest.raises(ts.WriteError, match="newer schema lead into the file, and"):
        document.save()
    document.undo()
    document.save()
    assert path.read_bytes() == before
