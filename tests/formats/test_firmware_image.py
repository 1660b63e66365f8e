# SPDX-License-Identifier: Apache-2.0
"""Models are found in firmware of every kind, and put back without touching the rest."""

from __future__ import annotations

import json
import struct
import subprocess
import time
from hashlib import md5
from pathlib import Path
from random import Random

import bincopy
import pytest

import tflm_studio as ts
from tests.conftest import SAMPLES, every, examples
from tests.firmware.toolchain import needs_gcc
from tflm_studio.__main__ import main
from tflm_studio.editing.edits import Set
from tflm_studio.firmware.hex_records import hex_records
from tflm_studio.firmware.source_export import planned_export, write_export
from tflm_studio.firmware.source_options import SourceOptions
from tflm_studio.firmware.source_styles import style_named
from tflm_studio.formats.archive import archive_bytes
from tflm_studio.formats.c_source_reader import SeveralModelsError
from tflm_studio.formats.firmware_image import find_models, models_in, put_back, read_found
from tflm_studio.formats.layout import Layout
from tflm_studio.formats.model_file import encode
from tflm_studio.schema.associated_file import AssociatedFile

NAMES = ("sine_int8", "shapes_int8", "sine_float")
MODELS = {name: (SAMPLES / f"{name}.tflite").read_bytes() for name in NAMES}
DECOYS = (
    'const char decoy[] = "abcdTFL3 schema mismatch TFL3TFL3";\n'
    "const unsigned char head[] __attribute__((aligned(16))) ="
    " {0x1c, 0, 0, 0, 'T', 'F', 'L', '3', 4, 0, 4, 0, 0, 0};\n"
    "extern const unsigned char g_sine_int8[], g_shapes_int8[], g_sine_float[];\n"
    "void start(void); void start(void) { volatile int x = g_sine_int8[0] + g_shapes_int8[1]"
    " + g_sine_float[2] + decoy[1] + head[2]; (void)x; }\n"
)
ADDRESS = 0x1000_0000


@pytest.fixture(scope="module")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the same three models in images of every kind."""
    folder = tmp_path_factory.mktemp("firmware")
    (folder / "start.c").write_text(DECOYS)
    sources = ["start.c"]
    for name, data in MODELS.items():
        options = SourceOptions(f"g_{name}", alignment=4 if name == "sine_float" else 16)
        layout = Layout(len(data), [data])
        export = planned_export(layout, style_named("c"), folder / f"{name}.c", options)
        sources.append(write_export(export)[0].name)
    runs = [
        ["gcc", "-c", "-fno-asynchronous-unwind-tables", *sources],
        "gcc -nostdlib -static -no-pie -Wl,-e,start,--build-id,-z,noseparate-code -o fw.elf"
        " start.o sine_int8.o shapes_int8.o sine_float.o".split(),
        "ar rcs fw.a start.o sine_int8.o shapes_int8.o sine_float.o".split(),
        "objcopy -O binary fw.elf fw.bin".split(),
        "objcopy -O ihex fw.elf fw.hex".split(),
        "objcopy -O srec fw.elf fw.srec".split(),
        "strip -o stripped.axf fw.elf".split(),
    ]
    for run in runs:
        subprocess.run(run, cwd=folder, check=True, capture_output=True)
    (folder / "fw.uf2").write_bytes(uf2((folder / "fw.bin").read_bytes()))
    return folder


def uf2(data: bytes, *, has_md5: bool = False) -> bytes:
    """Blocks in an order of their own, one of which is no part of the flash."""
    blocks = []
    for number, at in enumerate(range(0, len(data), 256)):
        part = data[at : at + 256]
        flags = 0x4000 if has_md5 else 0x2000
        head = (0x0A324655, 0x9E5D5157, flags, ADDRESS + at, len(part), number, 0, 0xE48BFF56)
        body = part.ljust(476, b"\0")
        if has_md5:
            digest = md5(data, usedforsecurity=False).digest()
            body = body[:452] + struct.pack("<2I16s", ADDRESS, len(data), digest)
        blocks.append(struct.pack("<8I", *head) + body + struct.pack("<I", 0x0AB16F30))
    stranger = struct.pack("<8I", 0x0A324655, 0x9E5D5157, 1, 0, 256, 0, 0, 0)
    blocks.insert(3, stranger.ljust(512, b"\xff"))
    return b"".join(reversed(blocks))


KINDS = ("fw.elf", "stripped.axf", "fw.a", "fw.bin", "fw.hex", "fw.srec", "fw.uf2")


@needs_gcc
@pytest.mark.parametrize("kind", KINDS)
def test_exactly_three_models_are_found(firmware: Path, kind: str) -> None:
    found = find_models(firmware / kind)
    assert {each.data for each in found} == set(MODELS.values())
    assert [each.number for each in found] == [0, 1, 2]
    for each in found:
        assert read_found(each).subgraphs
        assert (each.subgraphs, each.operators > 0, each.size) == (1, True, len(each.data))
        assert each.description in each.label
        aligned = each.alignment >= 16
        assert aligned == (not each.warning)
    text = (firmware / kind).read_bytes()
    if kind in ("fw.elf", "stripped.axf", "fw.a", "fw.bin"):
        assert all(text[each.offset :].startswith(each.data) for each in found)
    if kind in ("fw.elf", "fw.a"):
        assert {each.name for each in found} == {f"g_{name}" for name in NAMES}
    if kind == "fw.a":
        assert {each.member for each in found} == {f"{name}.o" for name in NAMES}
    elif kind not in ("fw.bin", "fw.uf2"):
        addresses = {each.data: each.address for each in find_models(firmware / "fw.elf")}
        assert {each.data: each.address for each in found} == addresses


def memory(path: Path) -> dict[int, bytes]:
    """What another program reads from a file with records."""
    image = bincopy.BinFile(str(path))
    return {segment.address: bytes(segment.data) for segment in image.segments}


@needs_gcc
@pytest.mark.parametrize("kind", every(2, KINDS))
def test_a_model_put_back_changes_nothing_else(
    firmware: Path, kind: str, tmp_path: Path
) -> None:
    path = tmp_path / kind
    before = (firmware / kind).read_bytes()
    path.write_bytes(before)
    (index,) = (k for k, e in enumerate(find_models(path)) if e.data == MODELS["sine_int8"])
    place = find_models(path)[index]
    document = ts.Document.open(path, place.name)
    document.save()
    assert path.read_bytes() == before
    document.do(Set("subgraphs[0].tensors[0].quantization.scale[0]", 0.5))
    document.do(Set("description", ""))
    document.save()
    after, found = path.read_bytes(), find_models(path)
    assert len(found) == 3
    assert [each.data for each in found if each.number != index] == [
        each.data for each in models_in(before, kind) if each.number != index
    ]
    assert ts.Document.open(path, place.name).model.description == ""
    changed = [k for k, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
    if kind in ("fw.hex", "fw.srec"):
        other = tmp_path / f"before.{kind.split('.')[1]}"
        other.write_bytes(before)
        old, new = memory(other), memory(path)
        assert old.keys() == new.keys()
        for address, data in old.items():
            differing = [k for k in range(len(data)) if data[k] != new[address][k]]
            for k in differing:
                assert place.at <= k < place.at + place.size
    elif kind != "fw.uf2":
        assert place.offset <= min(changed) <= max(changed) < place.offset + place.size
    document.go_to(0)
    document.save()
    assert path.read_bytes() == before


@needs_gcc
def test_models_of_an_image_are_documents_of_one_file(firmware: Path, tmp_path: Path) -> None:
    path = tmp_path / "fw.elf"
    path.write_bytes((firmware / "fw.elf").read_bytes())
    with pytest.raises(SeveralModelsError) as caught:
        ts.Document.open(path)
    assert set(caught.value.symbols) == {f"g_{name}" for name in NAMES}
    assert all("bytes" in label for label in caught.value.labels)
    first, second = (ts.Document.open(path, f"g_{name}") for name in NAMES[:2])
    for document in (first, second):
        document.do(Set("version", 2))
        document.save()
    found = {each.name: read_found(each).version for each in find_models(path)}
    assert found == {"g_sine_int8": 2, "g_shapes_int8": 2, "g_sine_float": 3}
    first.save(tmp_path / "alone.tflite")
    assert (tmp_path / "alone.tflite").read_bytes() == first_bytes(first)


def first_bytes(document: ts.Document) -> bytes:
    return encode(document.model).tobytes()


def test_a_model_that_is_too_large_is_refused(tmp_path: Path) -> None:
    blob = b"\xff" * 512 + MODELS["sine_int8"] + b"\xaa" * 512
    path = tmp_path / "flash.bin"
    path.write_bytes(blob)
    document = ts.Document.open(path)
    document.do(Set("description", "x" * 500))
    size = len(encode(document.model).tobytes())
    with pytest.raises(ts.WriteError, match=f"{size - 2208:,} bytes too large for its place"):
        document.save()
    assert path.read_bytes() == blob
    document.save(tmp_path / "model.tflite")
    assert document.path == tmp_path / "model.tflite"


def test_what_is_known_of_a_blob_is_said() -> None:
    blob = b"\xff" * 260 + MODELS["sine_int8"] + b"\xaa" * 100
    (found,) = models_in(blob, "blob")
    assert (found.offset, found.alignment, found.name) == (260, 4, "0x104")
    smaller = MODELS["sine_int8"][:2000]
    written = put_back(blob, found, smaller)
    assert written.data == blob[:260] + smaller.ljust(2208, b"\0") + blob[-100:]
    assert any("aligned to 4 only" in note for note in written.notes)
    assert any("checksum" in note for note in written.notes)


def test_an_archive_behind_a_model_belongs_to_it() -> None:
    model = MODELS["sine_int8"]
    files = archive_bytes(
        [AssociatedFile(name="labels.txt", data=b"a\nb\n")], None, len(model)
    )
    blob = bytes(64) + model + files + b"\xff" * 90
    (found,) = models_in(blob, "blob")
    assert found.data == model + files
    assert [each.name for each in read_found(found).associated_files or []] == ["labels.txt"]


def esp_image(data: bytes) -> bytes:
    segment = data + bytes(-len(data) % 4)
    head = bytes([0xE9, 1]) + bytes(21) + b"\1"
    return head + struct.pack("<2I", 0x3C00_0020, len(segment)) + segment + bytes(48)


def test_checksums_of_makers_are_named() -> None:
    esp = bytes(0x1000) + esp_image(bytes(96) + MODELS["sine_int8"])
    boot = struct.pack("<4sI2HI", b"\x3d\xb8\xf3\x96", 0, 512, 0, 2208) + bytes(496)
    for blob, word in ((esp, "ESP32"), (boot + MODELS["sine_int8"], "MCUboot")):
        (found,) = models_in(blob, "blob")
        notes = put_back(blob, found, found.data[:-1] + b"\1").notes
        assert any(word in note for note in notes)


def test_sums_in_uf2_blocks_are_made_anew() -> None:
    data = bytes(256) + MODELS["sine_int8"] + b"\xee" * 300
    text = uf2(data, has_md5=True)
    (found,) = models_in(text, "m.uf2")
    assert found.address == ADDRESS + 256
    new = MODELS["sine_int8"][:-1] + b"\1"
    written = put_back(text, found, new).data
    assert written == uf2(data.replace(MODELS["sine_int8"], new), has_md5=True)


def test_false_starts_cost_little() -> None:
    blob = (b"\x10\0\0\0TFL3" * 32 + bytes(768)) * 4096
    model = MODELS["sine_int8"]
    blob = blob[: 3 * 2**20] + model + blob[3 * 2**20 :]
    start = time.perf_counter()
    (found,) = models_in(blob, "blob")
    assert time.perf_counter() - start < 3
    assert found.data == model


@pytest.mark.parametrize("name", ["a.hex", "a.elf", "a.a", "a.uf2", "a.bin"])
def test_an_image_without_a_model_says_so(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heads = {
        "a.hex": b":00000001FF\n",
        "a.elf": b"\x7fELF" + bytes(range(200)),
        "a.a": b"!<arch>\n",
        "a.uf2": uf2(bytes(512)),
        "a.bin": bytes(300),
    }
    path = tmp_path / name
    path.write_bytes(heads[name])
    assert main(["scan", str(path)]) == 1
    assert "no TFLite model" in capsys.readouterr().err
    with pytest.raises(ts.ReadError, match=r"no TFLite model|neither a TFLite model"):
        ts.load_model_from_file(path)


def test_s_records_need_no_header() -> None:
    image = bincopy.BinFile()
    image.add_binary(MODELS["sine_int8"], address=0x8000)
    text = image.as_srec().encode()
    assert not text.startswith(b"S0")
    (found,) = models_in(text, "m.s19")
    assert (found.address, found.data) == (0x8000, MODELS["sine_int8"])
    assert models_in(b"S1 is a word\n" + MODELS["sine_int8"], "m.bin")[0].address is None


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.hex"
    path.write_bytes(b":0100000001FE\n:0100010001FE\n:00000001FF\n")
    with pytest.raises(ts.ReadError, match="line 2: the record is damaged"):
        ts.load_model_from_file(path)


def test_damaged_images_are_refused_or_read() -> None:
    data = bytes(256) + MODELS["sine_int8"] + bytes(100)
    fields = (1, 40, 1, 0, 0, 52, 0, 52, 0, 0, 40, 9, 8)  # of an object with 9 sections
    elf = b"\x7fELF\1\1\1" + bytes(9) + struct.pack("<2H5I6H", *fields)
    head = f"{'m.o/':<48}{len(data):<10}`\n".encode()
    images = (
        uf2(data, has_md5=True),
        b"".join(hex_records([data], 0x1000)),
        elf + data,
        b"!<arch>\n" + head + data,
    )
    random, read = Random(7), 0
    for image in images:
        for _ in range(examples(45)):
            mutant = bytearray(image)
            for _ in range(random.choice((1, 8))):
                at = random.randrange(random.choice((60, len(mutant))))
                mutant[at : at + random.randrange(3)] = random.randbytes(random.randrange(3))
            try:
                for found in models_in(bytes(mutant), "mutant"):
                    put_back(bytes(mutant), found, found.data[:-1] + b"\1")
                    read += 1
            except ts.StudioError:
                pass
    assert read > 5


@needs_gcc
def test_scan_on_the_command_line(
    firmware: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = str(firmware / "fw.elf")
    assert main(["scan", image, "--extract", str(tmp_path / "out")]) == 0
    told = capsys.readouterr()
    assert "g_sine_int8" in told.out
    assert "sine_float is aligned to" in told.err
    extracted = sorted((tmp_path / "out").iterdir())
    assert {path.read_bytes() for path in extracted} == set(MODELS.values())
    assert main(["scan", image, "--extract", str(tmp_path / "out")]) == 2
    assert "there already" in capsys.readouterr().err
    assert main(["scan", image, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert sorted(row["symbol"] for row in rows) == sorted(f"g_{name}" for name in NAMES)
    output = str(tmp_path / "new.elf")
    smallest = str(SAMPLES / "sine_int8.tflite")
    assert main(["scan", image, "--replace", f"g_shapes_int8={smallest}", "-o", output]) == 0
    assert "build ID" in capsys.readouterr().err
    new = {each.name: each.data for each in find_models(output)}
    assert new["g_shapes_int8"] == MODELS["sine_int8"]
    largest = str(SAMPLES / "shapes_int8.tflite")
    for options, reason in (
        (["--replace", f"g_sine_int8={largest}", "-o", output], "too large"),
        (["--replace", f"9={largest}", "-o", output], "no model is '9'"),
        (["--replace", f"0={smallest}"], "belong together"),
        (["--replace", f"g_sine_int8={smallest}", "-o", image], "would be replaced"),
    ):
        assert main(["scan", image, *options]) == 2
        assert reason in capsys.readouterr().err
