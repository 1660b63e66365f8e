# SPDX-License-Identifier: Apache-2.0
"""Exports compile without a warning, are aligned, and hold the bytes of the model."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import bincopy
import pytest

import tflm_studio as ts
from tests.conftest import SAMPLES
from tests.firmware.toolchain import compile_files, needs_gcc, symbol_bytes
from tflm_studio.__main__ import main
from tflm_studio.firmware.hex_records import hex_records
from tflm_studio.firmware.source_export import (
    Export,
    default_provenance,
    planned_export,
    preview,
    write_export,
)
from tflm_studio.firmware.source_options import (
    SIZE_TYPES,
    Provenance,
    SourceOptions,
    licence_comment,
)
from tflm_studio.firmware.source_styles import STYLES, SourceStyle, style_named
from tflm_studio.formats.c_source_reader import choose_model_array
from tflm_studio.formats.c_source_writer import NumberForm
from tflm_studio.formats.layout import Layout

SAMPLE = SAMPLES / "sine_int8.tflite"
MODEL = SAMPLE.read_bytes()
LAYOUT = Layout(len(MODEL), [MODEL[:100], MODEL[100:]])
LICENCE = "Copyright /* nobody */\r\nall */ rights ??/ \\\nReserved \x07"
OPTIONS = SourceOptions(symbol="g_model", alignment=64, section=".models")
C, CPP = [("gcc", "c11")], [("g++", "c++14"), ("g++", "c++17")]
COMPILERS = {
    **dict.fromkeys(("tflm", "arduino"), CPP),
    **dict.fromkeys(("c", "esp-idf", "zephyr"), C),
    **dict.fromkeys(("header", "xxd", "edge-impulse"), C + CPP),
    "incbin": C,
}


def exported(style: SourceStyle, folder: Path, options: SourceOptions) -> Export:
    output = folder / f"{style.name.replace('-', '_')}{style.suffixes[0]}"
    licence = LICENCE if "licence" in style.uses else ""
    options = replace(
        options, licence=licence, provenance=default_provenance(style, "a*/b.tf")
    )
    export = planned_export(LAYOUT, style, output, options)
    assert write_export(export) == export.paths
    return export


def user_of(style: SourceStyle, folder: Path, suffix: str, namespace: str = "") -> Path:
    """A source that uses the names which a header declares."""
    stem = style.name.replace("-", "_")
    path = folder / f"use_{stem}{suffix}"
    array, length = (f"{namespace}g_model{end}" for end in ("", style.length))
    header = f"{stem}.h"
    path.write_text(
        f'#include "{header}"\n#include "{header}"\nunsigned long use_{stem}(void);\n'
        f"unsigned long use_{stem}(void) {{ return (unsigned long){length} + {array}[0]; }}\n"
    )
    return path


@needs_gcc
def test_every_style_compiles_without_a_warning(tmp_path: Path) -> None:
    batches: dict[tuple[str, str], list[Path]] = {each: [] for each in C + CPP}
    for style in STYLES:
        if style.name not in COMPILERS:
            continue
        is_cpp = "namespace" in style.uses
        options = replace(OPTIONS, namespace="app::ml" if is_cpp else "", guard="ifndef")
        export = exported(style, tmp_path, options)
        for compiler in COMPILERS[style.name]:
            suffix = ".c" if compiler in C else ".cc"
            if "guard" in style.uses:
                user = user_of(style, tmp_path, suffix, "app::ml::" if is_cpp else "")
                batches[compiler].append(user)
            else:
                user = tmp_path / f"use_{style.name}{suffix}"
                user.write_text(f'#include "{style.name}.h"\n')
                batches[compiler].append(user)
            if export.paths[0].suffix != ".h":
                batches[compiler].append(export.paths[0])
    for (compiler, standard), files in batches.items():
        folder = tmp_path / standard
        compile_files(compiler, standard, files, folder)
        holders = {path.stem.removeprefix("use_") for path in files}
        for stem in holders:
            own = folder / f"{stem}.o"
            aligned, data = symbol_bytes(
                own if own.exists() else folder / f"use_{stem}.o", "g_model"
            )
            assert data == MODEL, stem
            assert aligned >= 64, stem


@needs_gcc
def test_every_size_type_compiles(tmp_path: Path) -> None:
    files = []
    for number, size_type in enumerate(SIZE_TYPES):
        for name in ("c", "incbin"):
            style = style_named(name)
            output = tmp_path / f"{name}{number}{style.suffixes[0]}"
            options = SourceOptions(f"g_{number}_{name}", size_type=size_type, guard="pragma")
            files.append(write_export(planned_export(LAYOUT, style, output, options))[0])
    compile_files("gcc", "c11", files, tmp_path / "objects")


@pytest.mark.parametrize("form", NumberForm)
@pytest.mark.parametrize("count", [1, 7, 16])
def test_every_form_of_numbers_reads_back(
    tmp_path: Path, form: NumberForm, count: int
) -> None:
    options = SourceOptions("g_model", bytes_per_line=count, form=form)
    export = exported(style_named("c"), tmp_path, options)
    text = export.paths[0].read_bytes()
    assert choose_model_array(text, "c.c").data == MODEL
    assert form.value.encode() in text
    assert text.endswith(b"\n")


def test_xxd_is_what_xxd_writes(tmp_path: Path) -> None:
    output = tmp_path / "m.h"
    options = SourceOptions(alignment=1)
    export = planned_export(LAYOUT, style_named("xxd"), output, options, "my-model.v2.tflite")
    write_export(export)
    lines = output.read_text().splitlines()
    assert lines[0] == "unsigned char my_model_v2_tflite[] = {"
    assert lines[1].startswith("  0x1c, 0x00, 0x00, 0x00, 0x54, 0x46, 0x4c, 0x33, ")
    assert lines[-1] == f"unsigned int my_model_v2_tflite_len = {len(MODEL)};"
    assert "hard fault" in export.notes[0]


@pytest.mark.parametrize(
    ("address", "size"), [(0, 5), (0x0800_FFF8, 70_000), (0xFFFF_FF00, 256), (0x10, 65_536)]
)
def test_hex_records_are_read_by_another_program(address: int, size: int) -> None:
    data = (MODEL * (size // len(MODEL) + 1))[:size]
    for segments in ([data], [data[:1], data[1:9999], data[9999:]]):
        text = b"".join(hex_records(segments, address)).decode()
        image = bincopy.BinFile()
        image.add_ihex(text)
        (segment,) = image.segments
        assert (segment.address, bytes(segment.data)) == (address, data)
        assert text == b"".join(hex_records([data], address)).decode()


def test_provenance_is_the_same_each_time(tmp_path: Path) -> None:
    first = exported(style_named("tflm"), tmp_path, SourceOptions())
    text = first.paths[0].read_text()
    again = exported(style_named("tflm"), tmp_path, SourceOptions()).paths[0].read_text()
    assert text == again
    assert f"Model: a* /b.tf, {len(MODEL)} bytes" in text
    assert f"SHA-256: {sha256(MODEL).hexdigest()}" in text
    assert "Date" not in text
    dated = SourceOptions(provenance=Provenance("a", date="2020-02-02"))
    export = planned_export(LAYOUT, style_named("c"), tmp_path / "x.c", dated)
    assert "Date: 2020-02-02" in preview(export)[0][1]


@pytest.mark.parametrize("joined", ["\\", "\\ ", "??/"])
def test_a_licence_cannot_end_its_comment_early(joined: str) -> None:
    text = f"/* *{joined}\n/ int evil; */"
    assert licence_comment("/* mine */") == "/* mine */\n"
    shown = re.sub(rf"{re.escape(joined)}[ ]*\n", "", licence_comment(text))
    assert shown.count("*/") == 1
    assert shown.endswith("*/\n")


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
def test_a_preview_is_short_and_shows_both_ends(style: SourceStyle, tmp_path: Path) -> None:
    large = MODEL + bytes(30_000_000)
    layout = Layout(len(large), [large])
    export = planned_export(layout, style, tmp_path / f"m{style.suffixes[0]}", SourceOptions())
    shown = preview(export)
    assert [name for name, _ in shown] == [path.name for path in export.paths]
    assert all(len(text) < 5000 for _, text in shown)
    assert not list(tmp_path.iterdir())


REFUSED = [
    (["--align", "3"], "power of two"),
    (["--align", "0"], "power of two"),
    (["--bytes-per-line", "0"], "choose 1 to"),
    (["--symbol", "int"], "meaning of its own"),
    (["--namespace", "a::1"], "no C++ name"),
    (["--section", 'a")'], "section"),
    (["--style", "c", "--namespace", "a"], "takes no namespace"),
    (["--style", "gold"], "choose one of tflm, c"),
    (["--style", "bin"], "writes .bin"),
    (["--licence", "nowhere.txt"], "licence text cannot be read"),
    (["--date", "--no-provenance"], "part of --provenance"),
    (["--address", "0x10"], "takes no address"),
]


@pytest.mark.parametrize(("options", "reason"), REFUSED)
def test_what_cannot_be_is_refused(
    options: list[str], reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(SAMPLE), "-o", str(tmp_path / "m.cc"), *options]) == 2
    assert reason in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_command_line_writes_all_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out.cpp"
    options = ["--form", "upper", "--align", "8", "--namespace", "a", "--date"]
    assert main(["export", str(SAMPLE), "-o", str(output), *options]) == 0
    told = capsys.readouterr()
    assert told.out.split() == [str(output), str(tmp_path / "out.h")]
    assert "hard fault" in told.err
    assert b"alignas(8) const unsigned char g_sine_int8_model_data[] = {\n  0x" in (
        output.read_bytes()
    )
    assert ts.load_model_from_file(output).subgraphs
    assert main(["export", "--list-styles"]) == 0
    assert capsys.readouterr().out.count("\n") == len(STYLES)


def test_the_input_is_never_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "m.tflite"
    model.write_bytes(MODEL)
    # .incbin takes in the file as it is.
    assert (
        main(["export", str(model), "--style", "incbin", "-o", str(model.with_suffix(".S"))])
        == 0
    )
    assert capsys.readouterr().out.split() == [str(tmp_path / name) for name in ("m.S", "m.h")]
    assert 'incbin "m.tflite"' in (tmp_path / "m.S").read_text()
    before = (tmp_path / "m.h").read_bytes()
    assert main(["export", str(tmp_path / "m.h"), "-o", str(tmp_path / "m.cc")]) == 2
    source = tmp_path / "n.cc"
    assert main(["export", str(model), "-o", str(source)]) == 0
    before = source.read_bytes()
    for style in ("tflm", "c"):
        output = str(source if style == "tflm" else source.with_suffix(".c"))
        code = main(["export", str(source), "--style", style, "-o", output])
        assert code == (2 if style == "tflm" else 0)
    assert source.read_bytes() == before


@needs_gcc
def test_incbin_takes_in_the_file(tmp_path: Path) -> None:
    export = exported(style_named("incbin"), tmp_path, SourceOptions("g_m"))
    subprocess.run(
        ["gcc", "-c", "-I", str(tmp_path), "-o", "m.o", export.paths[0]],
        cwd=tmp_path,
        check=True,
    )
    assert symbol_bytes(tmp_path / "m.o", "g_m") == (16, MODEL)
