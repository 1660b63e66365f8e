# SPDX-License-Identifier: Apache-2.0
"""Tests of the C source reader and writer."""

import csv
import os
import re
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import examples
from tflm_studio.formats.c_source_reader import (
    SeveralModelsError,
    choose_model_array,
    find_byte_arrays,
    looks_like_c_source,
)
from tflm_studio.formats.c_source_writer import (
    CSourceStyle,
    Segment,
    c_header,
    c_source_chunks,
    check_symbol,
    symbol_for,
)
from tflm_studio.model.errors import EditError, ReadError, StudioError, WriteError

MODEL = b"\x1c\x00\x00\x00TFL3\xff\x80"
HEX = ", ".join(f"0x{value:02x}" for value in MODEL)
MODELS = Path(
    os.environ.get("TFLM_STUDIO_MODELS")
    or Path(__file__).resolve().parents[2].parent / "shared" / "models"
)

STYLES = {
    "xxd": f"unsigned char m[] = {{\n  {HEX}\n}};\nunsigned int m_len = 10;\n",
    "trailing comma": f"const unsigned char m[] = {{{HEX},}};",
    "upper case": "const uint8_t m[] = {" + HEX.upper() + "};",
    "unpadded": "const uint8_t m[]={0x1c,0x0,0x0,0x0,0x54,0x46,0x4C,0x33,0xff,0X80};",
    "decimal": "const uint8_t m[] = { 28, 0, 0, 0, 84, 70, 76, 51, 255, 128 };",
    "signed decimal": "const int8_t m[] = { 28, 0, 0, 0, 84, 70, 76, 51, -1, - 128 };",
    "octal": "char m[] = { 034, 00, 000, 0, 0124, 0106, 0114, 063, 0377, 0200 };",
    "binary": "char m[] = { 0b11100, 0B0, 0, 0, 0b0101'0100, 70, 76, 51, 0xff, 0x80 };",
    "characters": r"char m[] = {'\x1c','\0','\0',0,'T','F','L','3','\377', u8'\x80'};",
    "suffixes": "uint8_t m[] = {28u,0U,0L,0ul,0x54u,0x46U,0x4cLL,0x33,0xffu,0x80ULL};",
    "comments": "/* a[] = {1, 2} */ const /**/ uint8_t m[] = { // 0x99 }\n 28, /* } 0x11, */"
    "0,0,0, // TFL3 \"'\\\n 99, 99,\n 84,70,76,51,255,128 };",
    "comment marks in strings": 'const char* s = "/* not a comment"; const char* t = "//";'
    f"const uint8_t m[] = {{{HEX}}}; // */",
    "strings with braces": "const char *s = \"a[] = {1,2}; \\\" }\"; char c = '{', d = '\"';"
    f"uint8_t m[] = {{{HEX}}};",
    "raw string": 'auto s = R"x(" { [ ] = {1} )" )x"; const uint8_t m[] = {' + HEX + "};",
    "alignas": f"alignas(16) const unsigned char m[] = {{{HEX}}};",
    "alignas type": f"alignas(alignof(int)) const unsigned char m[] = {{{HEX}}};",
    "attribute before": f"__attribute__((aligned(16))) const uint8_t m[] = {{{HEX}}};",
    "attribute after": 'const uint8_t m[] __attribute__((section(".x[]"), aligned(4))) = {'
    + HEX
    + "};",
    "standard attribute": f"[[gnu::aligned(16)]] const uint8_t m[] = {{{HEX}}};",
    "macro after": f"const unsigned char m[] DATA_ALIGN_ATTRIBUTE = {{{HEX}}};",
    "macro before": f"EXTERNALLY_VISIBLE const uint8_t m[] PROGMEM = {{{HEX}}};",
    "macro as type": f"const PROGMEM m[] = {{{HEX}}};",
    "constexpr inline": f"alignas(8) constexpr inline uint8_t m[] = {{{HEX}}};",
    "std type": f"static const std::uint8_t m[] {{{HEX}}};",
    "typedef": f"const model_byte m[] = {{{HEX}}};",
    "sized": f"const uint8_t m[10] = {{{HEX}}};",
    "sized by name": f"const uint8_t m[kModelSize + 1] = {{{HEX}}};",
    "std array": f"constexpr std::array<std::uint8_t, 10> m = {{{HEX}}};",
    "std array, two braces": f"const std::array<uint8_t, sizeof(x)> m = {{{{{HEX}}}}};",
    "std array, no equals sign": f"alignas(16) std::array<uint8_t, kSize> m{{{{{HEX},}}}};",
    "namespace": f"namespace a {{ namespace {{ const uint8_t m[] = {{{HEX}}}; }} }}",
    "extern C block": f'extern "C" {{ const uint8_t m[] = {{{HEX}}}; }}',
    "in a function": f"void f(int a[]) {{ if (a[0]) {{ static uint8_t m[] = {{{HEX}}}; }} }}",
    "second of a line": f"const uint8_t a[] = {{1, 2}}, m[] = {{{HEX}}};",
    "condition around": "#ifndef H\n"
    f"#define H\n#if X\nuint8_t m[] = {{{HEX}}};\n#endif\n#endif",
    "condition over the head": "#ifdef A\nconst uint8_t m[] PROGMEM = {\n#else\n"
    f"const uint8_t m[] = {{\n#endif\n{HEX}\n}};",
    "dead branch": f"#if 0\nuint8_t m[] = {{1, 2\n#else\nuint8_t m[] = {{{HEX}}};\n#endif",
    "dead lines": f"uint8_t m[] = {{\n#if 0\n 1, 2,\n#endif\n{HEX} }};",
    "dead second branch": f"#if 1\nuint8_t m[] = {{{HEX}}};\n#else\nuint8_t m[] = {{\n#endif",
    "apostrophe in a directive": f"#error don't {{ do this\nuint8_t m[] = {{{HEX}}};",
    "macro with braces": f'#define OPEN {{ \\\n  {{ " \nuint8_t m[] = {{{HEX}}};',
    "pragma in the body": f"uint8_t m[] = {{\n#pragma once\n{HEX} }};",
    "spliced lines": f"const uint8_t \\\n m[] \\\r\n = {{{HEX}}};",
    "windows lines": f"const uint8_t m[] =\r\n{{\r\n  {HEX}\r\n}};\r\n// x\r\n",
    "one value a line": "uint8_t m[] = {\n" + HEX.replace(", ", "\n,\n") + "\n};",
    "byte order mark": f"\ufeff#include <x>\nconst uint8_t m[] = {{{HEX}}};",
    "other arrays": "const int32_t w[] = {0x1c, 70000}; const float f[2] = {1.5f, -2e3};"
    f'const char *n[] = {{"a", "b"}}; struct S s[] = {{{{1}}}}; uint8_t m[] = {{{HEX}}};',
    "operator and lambda": "int& operator[](int i) { return a[i]; }"
    " auto l = [](int x) { f(); };"
    f"uint8_t m[] = {{{HEX}}};",
    "arena beside": f"static uint8_t arena[136 * 1024] = {{0}};const uint8_t m[] = {{{HEX}}};",
}


@pytest.mark.parametrize("style", STYLES)
def test_style_is_read(style: str) -> None:
    source = STYLES[style].encode()
    array = choose_model_array(source, "m.cc")
    assert (array.symbol, array.data, array.holds_model) == ("m", MODEL, True)
    assert source[array.end : array.end + 1] == b"}"
    assert array in find_byte_arrays(source, "m.cc")


def test_latin_1_bytes_in_a_comment() -> None:
    source = b"/* \xe9\xff */ const uint8_t m[] = {" + HEX.encode() + b"};"
    assert choose_model_array(source, "m.c").data == MODEL


def test_line_start_and_end_point_into_the_source() -> None:
    source = f"// one\n\nconst uint8_t\n  m[] = {{\n  {HEX}\n}};".encode()
    array = choose_model_array(source, "m.c")
    assert array.line == 4
    assert source[array.start : array.end] == f"\n  {HEX}\n".encode()


def test_every_array_is_found_in_order() -> None:
    source = b"char a[] = {1}; int w[] = {2}; uint8_t b[3] = {3}; uint8_t e[] = {};"
    found = [(array.symbol, array.data) for array in find_byte_arrays(source, "m.c")]
    assert found == [("a", b"\x01"), ("b", b"\x03\x00\x00"), ("e", b"")]


def test_larger_declared_size_is_padded_with_zeros() -> None:
    source = f"uint8_t m[16] = {{{HEX}}};".encode()
    assert choose_model_array(source, "m.c").data == MODEL + bytes(6)


ERRORS = {
    "no array": ("int main() { return 0; }", "no brace-initialised byte array"),
    "empty": ("", "no brace-initialised byte array"),
    "declaration": ("extern const unsigned char g_model[];", "g_model is only declared"),
    "no model": ("char a[] = {1}; uint8_t b[] = {2, 3};", r"a \(1 bytes\), b \(2 bytes\)"),
    "cut short": (f"\n\nuint8_t m[] = {{{HEX}", "line 3: the array m is opened"),
    "brace forgotten": (f"uint8_t m[] = {{{HEX};\nint n[] = {{1}};", "line 1.*never closed"),
    "too large": ("uint8_t m[] = {1,\n2,\n256, 4};", "line 3: array m: value 256"),
    "too small": ("int8_t m[] = {1, -129};", "line 1: array m: value -129"),
    "too large hex": ("uint8_t m[] = {0x1c, 0x100};", "value 0x100"),
    "very long number": ("uint8_t m[] = {" + "9" * 9000 + "};", "does not fit a byte"),
    "name": ("uint8_t m[] = {1, FOO};", "'FOO' is not a number"),
    "split number": ("uint8_t m[] = {0x1 c, 0x00};", "'0x1 c' is not a number"),
    "comma forgotten": ("uint8_t m[] = {0x1c 0x00, 0x01};", "not a number"),
    "two commas": ("uint8_t m[] = {0x1c,, 0x01};", "missing between two commas"),
    "bad octal": ("uint8_t m[] = {08};", "'08' is not a number"),
    "string": ('uint8_t m[] = {"TFL3"};', "not a number"),
    "declared too small": (f"uint8_t m[4] = {{{HEX}}};", "10 values do not fit"),
    "declared huge": (f"uint8_t m[2000000000] = {{{HEX}}};", "out of proportion"),
    "declared absurd": (f"uint8_t m[{'9' * 30}] = {{{HEX}}};", "out of proportion"),
    "included bytes": ('uint8_t m[] = {\n#include "m.inc"\n};', "line 2.*included here"),
    "condition inside": (
        f"uint8_t m[] = {{\n{HEX},\n#if A\n1\n#endif\n}};",
        "line 3.*condition",
    ),
    "binary": ("\0\0\0\0TFL3", "binary data"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_error_says_what_is_wrong(case: str) -> None:
    source, message = ERRORS[case]
    with pytest.raises(ReadError, match=message) as caught:
        choose_model_array(source.encode(), "m.cc")
    assert str(caught.value).startswith("m.cc")


def test_unknown_symbol_is_named_with_the_known_ones() -> None:
    source = f"uint8_t m[] = {{{HEX}}};".encode()
    with pytest.raises(ReadError, match="no byte array 'x'; choose one of m"):
        choose_model_array(source, "m.c", "x")


def test_several_models_need_a_symbol() -> None:
    source = f"uint8_t a[] = {{{HEX}}};\nuint8_t b[] = {{{HEX}, 7}};".encode()
    with pytest.raises(SeveralModelsError, match=r"a \(10 bytes, line 1\), b") as caught:
        choose_model_array(source, "m.c")
    assert caught.value.symbols == ("a", "b")
    assert choose_model_array(source, "m.c", "b").data == MODEL + b"\x07"


def test_same_name_twice_is_only_a_question_when_the_bytes_differ() -> None:
    twin = f"#if A\nuint8_t m[] = {{{HEX}}};\n#else\nuint8_t m[] = {{{HEX}%s}};\n#endif"
    assert choose_model_array((twin % "").encode(), "m.c").line == 2
    with pytest.raises(SeveralModelsError, match="share a name"):
        choose_model_array((twin % ", 1").encode(), "m.c", "m")


def test_damaged_bystander_does_not_hide_the_model() -> None:
    source = f"uint8_t a[] = {{1, 999}}; uint8_t m[] = {{{HEX}}};".encode()
    assert choose_model_array(source, "m.c").symbol == "m"
    assert [array.symbol for array in find_byte_arrays(source, "m.c")] == ["m"]
    with pytest.raises(ReadError, match="array a: value 999"):
        choose_model_array(source, "m.c", "a")


def test_damaged_model_is_an_error_for_both() -> None:
    source = f"uint8_t m[] = {{{HEX}, 999}};".encode()
    for read in (choose_model_array, find_byte_arrays):
        with pytest.raises(ReadError, match="value 999"):
            read(source, "m.c")


def test_padding_of_all_arrays_together_is_bounded() -> None:
    one = b"char a[6000] = {0};\n"
    total = sum(len(array.data) for array in find_byte_arrays(one * 200, "m.c"))
    assert total <= 65 * len(one) * 200


@pytest.mark.parametrize(
    "head",
    [
        b"#include <stdint.h>\n",
        b"// licence",
        b"\xef\xbb\xbf\r\n/* x",
        b"unsigned char m[] = {",
        b"alignas(16) const uint8_t m",
        b"const std::array<uint8_t, 4> m{1",
        b"#ifndef GUARD_H\n",
    ],
)
def test_c_text_is_recognised(head: bytes) -> None:
    assert looks_like_c_source(head)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        MODEL,
        b'{"version": 3, "tensors": [1, 2]}',
        b"version https://git-lfs.github.com/spec/v1\n",
        b"PK\x03\x04",
        b"\x89PNG\r\n\x1a\n",
        b"plain words about a model",
        b"#include <x>\n\0",
    ],
)
def test_other_content_is_not_taken_for_c(head: bytes) -> None:
    assert not looks_like_c_source(head)


def _spell(values: bytes, choices: list[int]) -> str:
    forms = ("0x{:02x}", "0x{:X}", "{}", "0{:o}", "0X{:02X}u", "0b{:b}", " {} /* , }} */")
    return ", ".join(
        forms[choice % len(forms)].format(value)
        for value, choice in zip(values, choices, strict=True)
    )


@given(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 6)), max_size=60))
def test_mixed_spellings_give_their_values(pairs: list[tuple[int, int]]) -> None:
    values = bytes(value for value, _ in pairs)
    source = f"uint8_t m[] = {{{_spell(values, [form for _, form in pairs])}}};".encode()
    assert [array.data for array in find_byte_arrays(source, "m.c")] == [values]


@settings(max_examples=examples(300))
@given(st.data())
def test_mutated_source_raises_read_error_and_nothing_else(data: st.DataObject) -> None:
    source = bytearray(STYLES[data.draw(st.sampled_from(sorted(STYLES)))].encode())
    piece = data.draw(
        st.sampled_from([b"", *b"{ } [ ] ' \" # ; , / * \\ \n ( ) < 0x".split(b" ")])
    )
    at = data.draw(st.integers(0, len(source)))
    source[at : at + data.draw(st.integers(0, 3))] = piece
    cut = data.draw(st.integers(0, len(source)))
    for text in (bytes(source), bytes(source[:cut])):
        try:
            assert choose_model_array(text, "m.cc").holds_model
        except ReadError as error:
            assert "m.cc" in str(error)


@given(st.binary(max_size=200))
def test_any_bytes_raise_read_error_and_nothing_else(source: bytes) -> None:
    with pytest.raises(ReadError):
        choose_model_array(source, "m.cc")


def _export(model: bytes, style: CSourceStyle, cuts: list[int] | None = None) -> bytes:
    places = [0, *sorted(cuts or []), len(model)]
    segments = [memoryview(model)[low:high] for low, high in pairwise(places)]
    return b"".join(c_source_chunks(segments, len(model), style))


@given(st.data(), st.binary(min_size=1, max_size=300), st.integers(1, 40))
def test_round_trip(data: st.DataObject, model: bytes, bytes_per_line: int) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(model)), max_size=5))
    style = CSourceStyle("g_model", bytes_per_line=bytes_per_line, header_name="out.h")
    source = _export(model, style, cuts)
    assert source == _export(model, style)
    (array,) = find_byte_arrays(source, "out.cc")
    assert (array.symbol, array.data) == ("g_model", model)
    assert looks_like_c_source(source[:512])


@pytest.mark.parametrize("size", [65531, 65532, 65533, 65536, 131064, 400_001])
def test_body_is_that_of_a_plain_join(size: int) -> None:
    model = np.random.default_rng(size).bytes(size)
    source = _export(model, CSourceStyle("m"), [1, 7, 70_000 % size])
    (array,) = find_byte_arrays(source, "m.c")
    lines = [
        "  " + ", ".join(f"0x{value:02x}" for value in model[at : at + 12])
        for at in range(0, size, 12)
    ]
    assert source[array.start : array.end].decode() == "\n" + ",\n".join(lines) + "\n"
    assert array.data == model
    assert f"const unsigned int m_len = {size};\n".encode() in source


@pytest.mark.parametrize(
    "broken", [b"0x1c0x00", b"0x1 c", b"0x1c,,0x00", b"0x", b"0x1c 0x00,"]
)
def test_damage_deep_in_a_long_hex_body_is_found(broken: bytes) -> None:
    row = b"0x1c, 0x2, 0xFF,\n"
    source = b"uint8_t m[] = {" + row * 40_000 + broken + b",\n" + row * 9 + b"};"
    with pytest.raises(ReadError, match="line 40001"):
        choose_model_array(source, "m.c", "m")


def test_long_unpadded_hex_body() -> None:
    source = b"uint8_t m[] = {" + b"0x1c, 0x2, 0xFF,\n" * 60_000 + b"0x7};"
    (array,) = find_byte_arrays(source, "m.c")
    assert array.data == b"\x1c\x02\xff" * 60_000 + b"\x07"


def test_segments_may_be_arrays_and_empty() -> None:
    segments: list[Segment] = [
        b"",
        np.arange(5, dtype=np.uint8).data,
        np.zeros((0, 3)).data,
        bytearray(b"xy"),
    ]
    source = b"".join(c_source_chunks(segments, 7, CSourceStyle("m")))
    assert find_byte_arrays(source, "m.c")[0].data == bytes(range(5)) + b"xy"


@pytest.mark.parametrize(("size", "announced"), [(5, 4), (5, 6), (1, 0), (1, 2**32)])
def test_size_that_does_not_agree_is_refused(size: int, announced: int) -> None:
    with pytest.raises(WriteError):
        list(c_source_chunks([bytes(size)], announced, CSourceStyle("m")))


@pytest.mark.parametrize(
    ("file_name", "symbol"),
    [
        ("model.tflite", "g_model"),
        ("my-model.v2.tflite", "g_my_model_v2"),
        ("dir/sub\\kws.TFLITE", "g_kws"),
        ("3 états.tflite", "g_3_tats"),
        ("g_model.cc", "g_model"),
        ("int.tflite", "g_int"),
        ("模型.tflite", "g_model"),
        ("", "g_model"),
    ],
)
def test_symbol_for_a_file_name(file_name: str, symbol: str) -> None:
    assert symbol_for(file_name) == symbol


@pytest.mark.parametrize("file_name", ["int.tflite", "3d.tflite", "class", "é"])
def test_symbol_without_prefix_is_still_usable(file_name: str) -> None:
    assert check_symbol(symbol_for(file_name, prefix="")).startswith("model")


@given(st.text(max_size=30))
def test_symbol_for_anything_is_valid(file_name: str) -> None:
    assert check_symbol(symbol_for(file_name)) == check_symbol(symbol_for(file_name)).strip()


@pytest.mark.parametrize(
    "symbol",
    ["", "3d", "a-b", "int", "class", "été", "a b", "a\n", "m[]", "_Bool", "NULL", "uint8_t"],
)
def test_symbol_that_c_does_not_take(symbol: str) -> None:
    with pytest.raises(EditError, match="cannot be the name"):
        check_symbol(symbol)


@pytest.mark.parametrize(
    "wrong",
    [
        {"symbol": "int"},
        {"alignment": 12},
        {"alignment": 0},
        {"bytes_per_line": 0},
        {"header_name": 'a".h'},
        {"header_name": ""},
        {"header_name": "a\nb.h"},
    ],
)
def test_style_that_cannot_be_used(wrong: dict[str, str | int]) -> None:
    with pytest.raises(EditError):
        CSourceStyle(**{"symbol": "m", **wrong})  # type: ignore[arg-type]


def test_header_guard_is_an_identifier() -> None:
    header = c_header(3, CSourceStyle("m", header_name="3-é my__model.v2.h"))
    guard = re.search(rb"#ifndef (\w+)\n#define (\w+)\n", header)
    assert guard is not None
    assert guard[1] == guard[2] == b"MODEL_3_MY_MODEL_V2_H_"


COMPILERS = [
    ("gcc", "c11", "c"),
    ("g++", "c++11", "cc"),
    ("g++", "c++14", "cc"),
    ("g++", "c++17", "cc"),
]


@pytest.mark.parametrize(("compiler", "standard", "suffix"), COMPILERS)
@pytest.mark.parametrize("header_name", ["out.h", None])
def test_compiled_array_is_the_model(
    tmp_path: Path, compiler: str, standard: str, suffix: str, header_name: str | None
) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    model = np.random.default_rng(1).bytes(5003)
    style = CSourceStyle("g_model", alignment=64, header_name=header_name)
    (tmp_path / f"out.{suffix}").write_bytes(_export(model, style, [3]))
    (tmp_path / "out.h").write_bytes(c_header(len(model), style))
    (tmp_path / f"main.{suffix}").write_text(
        '#include "out.h"\n#include "out.h"\n#include <stdio.h>\n#include <stdint.h>\n'
        "int main(void) {\n  fwrite(g_model, 1, g_model_len, stdout);\n"
        "  return (int)((uintptr_t)g_model % 64);\n}\n"
    )
    flags = [f"-std={standard}", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-o", "program"]
    command = [compiler, *flags, f"out.{suffix}", f"main.{suffix}"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
    result = subprocess.run(
        [tmp_path / "program"], capture_output=True, check=True, timeout=60
    )
    assert result.stdout == model


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
@pytest.mark.parametrize(
    "style", ["octal", "characters", "sized", "comments", "signed decimal"]
)
def test_reader_agrees_with_a_compiler(tmp_path: Path, style: str) -> None:
    text = STYLES[style].replace("u8'", "'")
    program = (
        f"#include <stdint.h>\n#include <stdio.h>\n{text}\n"
        "int main(void) { fwrite(m, 1, sizeof m, stdout); return 0; }\n"
    )
    (tmp_path / "m.c").write_text(program)
    command = ["gcc", "-w", "-std=c11", "-o", "m", "m.c"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
    result = subprocess.run([tmp_path / "m"], capture_output=True, check=True, timeout=60)
    assert result.stdout == choose_model_array(program.encode(), "m.c").data


def _real_sources() -> list[dict[str, str]]:
    manifest = MODELS / "manifest.csv"
    if not manifest.is_file():
        return []
    with manifest.open(newline="", encoding="utf-8") as lines:
        return [row for row in csv.DictReader(lines) if row["kind"] == "c-array"]


@pytest.mark.skipif(not _real_sources(), reason="the model collection is not here")
def test_real_sources() -> None:
    for row in _real_sources():
        source, notes = (MODELS / row["path"]).read_bytes(), row["notes"]
        assert looks_like_c_source(source[:4096]), row["path"]
        arrays = {array.symbol: array for array in find_byte_arrays(source, row["path"])}
        described = re.search(r"'(\w+)' (\d+) bytes", notes)
        if described is not None:
            assert len(arrays[described[1]].data) == int(described[2]), row["path"]
        if " 1 holding a model" not in notes:
            with pytest.raises(ReadError):
                choose_model_array(source, row["path"])
            continue
        array = choose_model_array(source, row["path"])
        assert described is not None
        assert array.symbol == described[1], row["path"]
        sibling = re.search(r"decoded bytes = (same model as )?dev/([^;]+)", notes)
        if sibling is not None:
            other = (MODELS / sibling[2]).read_bytes()
            if sibling[1]:
                other = choose_model_array(other, sibling[2]).data
            assert array.data == other, row["path"]


def test_every_error_is_the_users() -> None:
    assert issubclass(SeveralModelsError, ReadError)
    assert issubclass(SeveralModelsError, StudioError)
