# SPDX-License-Identifier: Apache-2.0
"""A model of another length changes the size of its array wherever a source states it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.formats.test_c_source import MODEL
from tflm_studio.formats.c_source_reader import choose_model_array
from tflm_studio.formats.c_source_splice import CSource, spliced
from tflm_studio.model.errors import WriteError

OLD, NEW = str(len(MODEL)), str(len(MODEL) + 3)
VALUES = ", ".join(map(str, MODEL))
ARRAY = f"const uint8_t m[] = {{{VALUES}}};"
ALIGNED = "alignas(16) const uint8_t m"
# `@` stands for the size where it follows the array, `!` where it is another number.
SOURCES = {
    "macro in the brackets": f"#define MODEL_BYTES @\n{ALIGNED}[MODEL_BYTES] = {{{VALUES}}};",
    "macro in parentheses": f"#define N (@u) // of !\n{ALIGNED}[N] = {{{VALUES}}};",
    "macro of a macro": f"#define A @\n#define B A\n{ALIGNED}[B] = {{{VALUES}}};",
    "constexpr": f"constexpr int kCount = @;\n{ALIGNED}[cfg::kCount] = {{{VALUES}}};",
    "enum": f"enum {{ kA = 1, kB = @, kC }};\n{ALIGNED}[kB] = {{{VALUES}}};",
    "std::array": f"constexpr int kN{{@}};\nstd::array<uint8_t, kN> m = {{{VALUES}}};",
    "parentheses": f"{ARRAY} int m_len = (@);",
    "casts": f"{ARRAY} int m_len = (unsigned int)@; int m_size = static_cast<int>(@);",
    "several constants": f"{ARRAY} const int m_len = @, other = !;",
    "macro of the standard": f"{ARRAY} const uint32_t m_size = UINT32_C(@);",
    "assertion": f"{ARRAY} static_assert(sizeof(m) == @, 'x');",
    "beside the array": f"{ARRAY} const S s = {{m, @}}; bool b = Load(m, (int)@);",
    "what is left out": f"#if 0\nint m_len = !;\n#else\nint m_len = @;\n#endif\n{ARRAY}",
    "what else is left out": f"#if 1\nint m_len=@;\n#else\nint m_len=!;\n#endif\n{ARRAY}",
    "raw string": f'const char* s = R"x( " m_len = !; )x"; {ARRAY} int m_len = @;',
    "quotes": f"const char q = '\"'; {ARRAY} const int m_len = @; const char r = '\"';",
    "line that goes on": f"#define m_len \\\n  @\n{ARRAY}",
    "another array's": f"{ARRAY} const float window[!] = {{1}}; int window_size = !;",
    "a call": f"{ARRAY} void f() {{ v.resize(!); }}",
    "a sum": f"{ARRAY} int m_len = ! + 4;",
}


@pytest.mark.parametrize("name", SOURCES)
def test_the_size_follows_wherever_it_stands(name: str) -> None:
    text = SOURCES[name].replace("!", OLD)
    before, after = text.replace("@", OLD).encode(), text.replace("@", NEW).encode()
    array = choose_model_array(before, "m.cc")
    grown = spliced(CSource(Path("m.cc"), before, "m", array.data), MODEL + b"\1\2\3")
    expected = choose_model_array(after, "m.cc")
    found = choose_model_array(grown, "m.cc")
    assert found.data[: len(MODEL) + 3] == MODEL + b"\1\2\3"
    assert grown[: found.start] == after[: expected.start]
    assert grown[found.end :] == after[expected.end :]


def test_a_macro_in_a_header_follows(tmp_path: Path) -> None:
    header = tmp_path / "sizes.h"
    header.write_text(f"#define MODEL_BYTES {OLD}\n#define OTHER {OLD}\n")
    text = f'#include "sizes.h"\n{ALIGNED}[MODEL_BYTES] = {{{VALUES}}};'.encode()
    path = tmp_path / "m.cc"
    path.write_bytes(text)
    files = CSource(path, text, "m", MODEL).with_data(MODEL + b"\1\2\3", path)
    assert files[header].decode() == f"#define MODEL_BYTES {NEW}\n#define OTHER {OLD}\n"


@pytest.mark.parametrize("extent", ["ELSEWHERE", f"{len(MODEL) - 4} + 4"])
def test_a_size_that_cannot_follow_is_refused(extent: str, tmp_path: Path) -> None:
    path = tmp_path / "m.cc"
    text = f"{ALIGNED}[{extent}] = {{{VALUES}}};".encode()
    path.write_bytes(text)
    source = CSource(path, text, "m", MODEL)
    with pytest.raises(WriteError, match=r"Write m\[\] in the source"):
        source.with_data(MODEL + b"\1", path)
    assert len(source.with_data(MODEL[:-1] + b"\7", path)) == 1


def test_a_header_with_an_array_of_its_own_stays(tmp_path: Path) -> None:
    text = f"{ARRAY} int m_len = {OLD};".encode()
    path = tmp_path / "m.cc"
    for each in (path, tmp_path / "m.h"):
        each.write_bytes(text)
    assert list(CSource(path, text, "m", MODEL).with_data(MODEL + b"\1", path)) == [path]
