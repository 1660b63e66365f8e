# SPDX-License-Identifier: Apache-2.0
"""What can be chosen about an exported source, and what of it cannot be."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from tflm_studio.formats.c_source_writer import NumberForm, check_symbol
from tflm_studio.model.errors import EditError

# The size types, and the header that declares each.
SIZE_TYPES = {
    "unsigned int": "",
    "int": "",
    "unsigned long": "",
    "size_t": "stddef.h",
    "uint32_t": "stdint.h",
}
GUARDS = ("ifndef", "pragma")
TFLM_ALIGNMENT = 16
MAX_ALIGNMENT = 4096
MAX_BYTES_PER_LINE = 1024
MAX_ADDRESS = 2**32
_SECTION = re.compile(r"[A-Za-z_.$][\w.$-]*")
_SPLICE = re.compile(r"(?:\\|\?\?/)[ \t]*$", re.MULTILINE)  # joins two lines: `*\` and `/`
_PURE_COMMENT = re.compile(r"/\*(?:(?!\*/|/\*).)*\*/", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a source says of the model that it was made from.

    Attributes:
        source: Name of the file.
        sha256: Digest of the model's bytes, in hex; that of the bytes written if empty.
        date: When it was made; empty to leave it out, so that builds stay reproducible.
    """

    source: str
    sha256: str = ""
    date: str = ""


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """How an exported source looks.

    Attributes:
        symbol: Name of the array; made from the file's name if empty.
        alignment: What its address is a multiple of, a power of two.
        bytes_per_line: How many bytes stand on one line.
        form: How they are spelled.
        size_type: Type of the size constant, one of `SIZE_TYPES`.
        guard: "ifndef" or "pragma", against a header that is taken in twice.
        namespace: C++ namespace around the names, such as `app::models`; none if empty.
        section: Linker section of the array; the compiler's choice if empty.
        licence: Text for a comment at the head.
        provenance: What is said of the model; nothing if None.
        address: Where a hex file puts the first byte.

    Raises:
        EditError: One of them cannot be used; says which and why.
    """

    symbol: str = ""
    alignment: int = TFLM_ALIGNMENT
    bytes_per_line: int = 12
    form: NumberForm = NumberForm.LOWER
    size_type: str = "unsigned int"
    guard: str = "ifndef"
    namespace: str = ""
    section: str = ""
    licence: str = field(default="", repr=False)
    provenance: Provenance | None = None
    address: int = 0

    def __post_init__(self) -> None:
        if self.symbol:
            check_symbol(self.symbol)
        if self.alignment.bit_count() != 1 or not 1 <= self.alignment <= MAX_ALIGNMENT:
            raise EditError(
                f"alignment {self.alignment}: choose a power of two up to {MAX_ALIGNMENT}."
            )
        if not 1 <= self.bytes_per_line <= MAX_BYTES_PER_LINE:
            raise EditError(
                f"{self.bytes_per_line} bytes per line: choose 1 to {MAX_BYTES_PER_LINE}."
            )
        _check_one_of("size type", self.size_type, SIZE_TYPES)
        _check_one_of("guard", self.guard, GUARDS)
        for part in self.namespace.split("::") if self.namespace else ():
            try:
                check_symbol(part)
            except EditError:
                raise EditError(
                    f"namespace '{self.namespace}': '{part}' is no C++ name; write it as "
                    "app::models."
                ) from None
        if self.section and not _SECTION.fullmatch(self.section):
            raise EditError(
                f"section '{self.section}': use letters, digits, '.', '_', '$' and '-'."
            )
        if not 0 <= self.address < MAX_ADDRESS:
            raise EditError(f"address {self.address:#x}: choose 0 to {MAX_ADDRESS - 1:#x}.")

    @property
    def notes(self) -> tuple[str, ...]:
        """What is possible and still may go wrong."""
        if self.alignment >= TFLM_ALIGNMENT:
            return ()
        unit = "byte" if self.alignment == 1 else "bytes"
        return (
            f"The array is aligned to {self.alignment} {unit} only: TFLM reads weights where "
            f"they stand and needs {TFLM_ALIGNMENT}, or it is slow or ends in a hard fault.",
        )


def _check_one_of(what: str, value: str, known: Collection[str]) -> None:
    if value not in known:
        raise EditError(f"{what} '{value}': choose one of {', '.join(known)}.")


def comment_of(lines: list[str]) -> str:
    """Some lines as a block comment; nothing in them can end it early."""
    safe = [_safe(line) for line in lines]
    body = "\n".join(f" * {line}".rstrip() for line in safe)
    return f"/*\n{body}\n */\n" if lines else ""


def licence_comment(text: str) -> str:
    """A licence text as a comment; one that is a block comment already stays as it is."""
    text = text.replace("\r\n", "\n").strip()
    if _PURE_COMMENT.fullmatch(text) and not _SPLICE.search(text):
        return f"{text}\n"
    lines = text.split("\n")
    if all(line.startswith("//") for line in lines):
        lines = [line[2:].removeprefix(" ") for line in lines]
    return comment_of(lines) if text else ""


def provenance_lines(provenance: Provenance | None, size: int, sha256: str) -> list[str]:
    """What is said of a model of so many bytes."""
    if provenance is None:
        return []
    lines = [f"Model: {provenance.source}, {size} bytes", f"SHA-256: {sha256}"]
    if provenance.date:
        lines.append(f"Date: {provenance.date}")
    return [*lines, "Made by TFLM Studio."]


def _safe(line: str) -> str:
    shown = "".join(c if c.isprintable() or c == "\t" else "?" for c in line)
    while "*/" in shown or "/*" in shown:
        shown = shown.replace("*/", "* /").replace("/*", "/ *")
    return shown.replace("??/", "? ?/")
