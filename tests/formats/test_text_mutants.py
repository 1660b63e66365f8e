# SPDX-License-Identifier: Apache-2.0
"""Damaged C sources and JSON files are refused with a reason, or read and saved."""

import time
from itertools import islice
from pathlib import Path

import pytest

from tests.formats.mutants import SOUND
from tests.formats.text_fuzz import CHECKS, TextFindings, check_c, judge_texts
from tests.formats.text_mutants import text_mutants_of
from tflm_studio.formats.c_source_reader import looks_like_c_source
from tflm_studio.formats.c_source_splice import CSource, spliced
from tflm_studio.formats.flatbuffer_writer import lay_out

MUTANTS = 100  # of each seed
MODEL = lay_out(SOUND["empty"]()).tobytes()
ARRAY = b"uint8_t m[] = {" + b",".join(b"%d" % byte for byte in MODEL) + b"};\n"


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("kind", CHECKS)
def test_mutants_are_refused_or_read_and_saved(kind: str, seed: int, tmp_path: Path) -> None:
    found = TextFindings()
    endless = text_mutants_of(kind, seed, 20_000, tmp_path)
    judge_texts(CHECKS[kind], list(islice(endless, MUTANTS)), found)
    assert not found.faults.keys()
    assert found.judged == MUTANTS
    # Mutants that are all refused, or all accepted, would test one half of the program only.
    assert found.verdicts["accepted"] > MUTANTS // 20
    assert found.verdicts["refused"] > MUTANTS // 20


def seconds_of(work: object) -> float:
    start = time.thread_time()
    assert callable(work)
    work()
    return time.thread_time() - start


@pytest.mark.parametrize(
    "head",
    [b"x]" + b"a" * 50_000 + b"(", b"] a" * 20_000, b"alignas(" * 8_000, b"array<" * 10_000],
    ids=["word", "words", "alignas", "array"],
)
def test_text_that_is_no_c_source_is_told_at_once(head: bytes) -> None:
    assert seconds_of(lambda: looks_like_c_source(head)) < 0.5


@pytest.mark.parametrize(
    "around",
    [
        *(
            b"/*" * 30_000,
            b"//\n/*" * 10_000,
            b'"' + b'\\"' * 30_000,
            b'//"' + b'\\"' * 30_000,
        ),
        *(b"int " + b"len" * 9_000 + b" x;", b"int x" + b" " * 60_000 + b";", b"#" * 30_000),
        b"'" + b"\\'" * 30_000,
    ],
    ids=lambda text: repr(text[:12]),
)
def test_nothing_around_an_array_makes_saving_slow(around: bytes) -> None:
    text = ARRAY + around
    source = CSource(Path("m.c"), text, "m", MODEL)
    assert seconds_of(lambda: _checked(text)) < 1
    assert seconds_of(lambda: _spliced(source)) < 1


def _checked(text: bytes) -> None:
    try:
        check_c(text)
    except ValueError as error:  # a refusal is as good
        assert "mutant" in str(error)


def _spliced(source: CSource) -> None:
    try:
        spliced(source, MODEL + b"more")
    except ValueError as error:
        assert "m.c" in str(error)


def test_blanks_between_a_sign_and_no_number_are_read_once() -> None:
    text = ARRAY.replace(b"};", b"," + b" " * 60_000 + b"x };")
    assert seconds_of(lambda: _checked(text)) < 0.5


@pytest.mark.parametrize("size", [b"9" * 6_000, b"0x" + b"f" * 6_000, b"0'", b"0x'"])
def test_a_size_of_thousands_of_digits_is_no_size(size: bytes) -> None:
    text = ARRAY + b"const int m_len = " + size + b";\n"
    assert check_c(text) == "accepted"
