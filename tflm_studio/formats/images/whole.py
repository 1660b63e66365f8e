# SPDX-License-Identifier: Apache-2.0
"""Images that stand in their file as they are: blobs, ELF files, archives of objects."""

from __future__ import annotations

import io
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tflm_studio.formats.images.memory import Image, Region, Symbol, power_of_two
from tflm_studio.model.errors import ReadError

ELF_MAGIC = b"\x7fELF"
AR_MAGIC = b"!<arch>\n"
THIN_MAGIC = b"!<thin>\n"
_AR_HEAD_BYTES = 60
_SHF_ALLOC, _OBJECT_TYPES = 2, (0, 1)  # STT_NOTYPE as of .incbin, STT_OBJECT
_SYMBOL_DTYPES = {
    32: [("name", "u4"), ("value", "u4"), ("size", "u4"), ("info", "u1"), ("other", "u1"),
         ("section", "u2")],
    64: [("name", "u4"), ("info", "u1"), ("other", "u1"), ("section", "u2"), ("value", "u8"),
         ("size", "u8")],
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a file of which more is known.

    Attributes:
        start: Byte offset of its begin.
        end: Byte offset behind it.
        address: Where the device has it, None if only the linker will decide.
        alignment: What the address is a multiple of at least.
        member: The file of an archive that it belongs to.
    """

    start: int
    end: int
    address: int | None
    alignment: int
    member: str = ""


class WholeImage(Image):
    """A file that is its image.

    Args:
        kind: What messages call it.
        data: The file.
        stretches: What is known of parts of it.
        symbols: The names of places in it.
        has_build_id: Whether it states a digest of its contents.
    """

    def __init__(
        self,
        kind: str,
        data: bytes,
        stretches: Sequence[Stretch] = (),
        symbols: Sequence[Symbol] = (),
        *,
        has_build_id: bool = False,
    ) -> None:
        self.kind, self.regions = kind, [Region(data)]
        self._stretches = sorted(stretches, key=lambda each: each.start)
        self._starts = [each.start for each in self._stretches]
        self._symbols = {each.start: each for each in sorted(symbols, key=lambda s: s.size)}
        self._has_build_id = has_build_id

    def file_offset(self, region: int, at: int) -> int:
        return at

    def patched(self, region: int, at: int, data: bytes) -> bytes:
        old = self.regions[region].data
        return old[:at] + data + old[at + len(data) :]

    def _stretch(self, at: int) -> Stretch | None:
        found = bisect_right(self._starts, at) - 1
        stretch = self._stretches[found] if found >= 0 else None
        return stretch if stretch is not None and at < stretch.end else None

    def address(self, region: int, at: int) -> int | None:
        stretch = self._stretch(at)
        if stretch is None or stretch.address is None:
            return None
        return stretch.address + at - stretch.start

    def alignment(self, region: int, at: int) -> int:
        stretch = self._stretch(at)
        if stretch is None:
            return power_of_two(at)
        if stretch.address is not None:
            return power_of_two(stretch.address + at - stretch.start)
        return min(power_of_two(at - stretch.start), max(stretch.alignment, 1))

    def symbol_at(self, region: int, at: int) -> Symbol | None:
        return self._symbols.get(at)

    def member_at(self, region: int, at: int) -> str:
        stretch = self._stretch(at)
        return stretch.member if stretch is not None else ""

    def notes(self, region: int, at: int) -> list[str]:
        if not self._has_build_id:
            return []
        return ["The build ID (.note.gnu.build-id) is not made anew."]


def elf_image(data: bytes) -> WholeImage:
    """Reads an ELF file; one whose headers are damaged is a blob."""
    try:
        stretches, symbols, has_id = _elf_parts(data)
    except Exception:  # a damaged file may make pyelftools raise anything
        return WholeImage("ELF file with damaged headers", data)
    return WholeImage("ELF", data, stretches, symbols, has_build_id=has_id)


def archive_image(data: bytes, name: str) -> WholeImage:
    """Reads a static library.

    Raises:
        ReadError: It only names its members, or is damaged.
    """
    if data.startswith(THIN_MAGIC):
        raise ReadError(f"{name}: this archive only names its members; open those.")
    stretches: list[Stretch] = []
    symbols: list[Symbol] = []
    for member, start, end in _members(data, name):
        stretches.append(Stretch(start, end, None, 1, member))
        if data[start : start + 4] != ELF_MAGIC:
            continue
        try:
            inner, named, _ = _elf_parts(data[start:end])
        except Exception:  # as above: the member stays a blob
            continue
        stretches.pop()
        stretches += [
            replace(each, start=start + each.start, end=start + each.end, member=member)
            for each in inner
        ]
        symbols += [replace(each, start=start + each.start) for each in named]
    return WholeImage("static library", data, stretches, symbols)


def _members(data: bytes, name: str) -> Iterator[tuple[str, int, int]]:
    """Name, start and end of the files in an archive, with GNU's and BSD's long names."""
    at, long_names = len(AR_MAGIC), b""
    while at + _AR_HEAD_BYTES <= len(data):
        head = data[at : at + _AR_HEAD_BYTES]
        digits = head[48:58].strip()
        if head[58:60] != b"`\n" or not digits.isdigit():
            raise ReadError(f"{name}: the archive is damaged at byte {at:,}. Get it again.")
        start, size = at + _AR_HEAD_BYTES, int(digits)
        end = min(start + size, len(data))
        raw = head[:16].rstrip()
        if raw == b"//":
            long_names = data[start:end]
        elif raw.startswith(b"#1/") and raw[3:].isdigit():
            length = min(int(raw[3:]), end - start)
            raw = data[start : start + length].rstrip(b"\0")
            yield raw.decode("utf-8", "replace"), start + length, end
        elif raw not in (b"/", b"/SYM64/", b"__.SYMDEF"):
            if raw[:1] == b"/" and raw[1:].isdigit():
                raw = long_names[int(raw[1:]) :].split(b"\n")[0]
            yield raw.rstrip(b"/").decode("utf-8", "replace"), start, end
        at = start + size + size % 2


def _elf_parts(data: bytes) -> tuple[list[Stretch], list[Symbol], bool]:
    from elftools.elf.elffile import ELFFile

    elf = ELFFile(io.BytesIO(data))
    is_object = elf["e_type"] == "ET_REL"
    sections = list(elf.iter_sections())
    placed: list[tuple[int, Stretch] | None] = []
    for section in sections:
        is_placed = section["sh_flags"] & _SHF_ALLOC and section["sh_type"] != "SHT_NOBITS"
        start, address = section["sh_offset"], None if is_object else section["sh_addr"]
        stretch = Stretch(start, start + section["sh_size"], address, section["sh_addralign"])
        placed.append((section["sh_addr"], stretch) if is_placed else None)
    stretches = [each[1] for each in placed if each is not None]
    if not sections:
        stretches = [
            Stretch(s["p_offset"], s["p_offset"] + s["p_filesz"], s["p_vaddr"], s["p_align"])
            for s in elf.iter_segments()
            if s["p_type"] == "PT_LOAD"
        ]
    has_id = elf.get_section_by_name(".note.gnu.build-id") is not None
    return stretches, list(_elf_symbols(elf, placed)), has_id


def _elf_symbols(elf: Any, placed: Sequence[tuple[int, Stretch] | None]) -> Iterator[Symbol]:
    table = elf.get_section_by_name(".symtab")
    if table is None:
        return
    dtype = np.dtype(_SYMBOL_DTYPES[elf.elfclass])
    dtype = dtype.newbyteorder("<" if elf.little_endian else ">")
    raw, names = table.data(), elf.get_section(table["sh_link"]).data()
    rows = np.frombuffer(raw, dtype, len(raw) // dtype.itemsize)
    rows = rows[np.isin(rows["info"] & 15, _OBJECT_TYPES) & (rows["name"] > 0)]
    for row in rows[rows["section"] < len(placed)]:
        place = placed[int(row["section"])]
        if place is None:
            continue
        start = int(row["value"]) - place[0] + place[1].start
        name = names[int(row["name"]) : names.find(b"\0", int(row["name"]))]
        if place[1].start <= start < place[1].end and not name.startswith(b"$"):
            yield Symbol(_plain_name(name.decode("utf-8", "replace")), start, int(row["size"]))


def _plain_name(name: str) -> str:
    """A mangled C++ name of a variable as it was written: `_ZN1a7g_modelE` is `a::g_model`."""
    if not name.startswith("_Z"):
        return name
    parts, rest = [], name[2:].removeprefix("N").removeprefix("K")
    while match := re.match(r"L?(\d+)", rest):
        begin = match.end()
        end = begin + min(int(match[1][:4]), len(rest))
        parts.append("{anonymous}" if rest[begin:end] == "_GLOBAL__N_1" else rest[begin:end])
        rest = rest[end:]
    return "::".join(parts) if parts and rest in ("", "E") else name
