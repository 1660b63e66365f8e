# SPDX-License-Identifier: Apache-2.0
"""The zip archive behind a flatbuffer, taken apart without trust and put together again.

Python's `zipfile` was the alternative: it rewrites every entry, unpacks whatever size an entry
states, needs a copy of a model of any size, and accepts archives that other readers see
otherwise. What is taken apart here looks the same to every reader; anything else is refused
and stays as it is. Layout of the records: APPNOTE.TXT of PKWARE, sections 4.3.6 to 4.3.16.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tflm_studio.model.comparison import same_bytes
from tflm_studio.model.errors import WriteError
from tflm_studio.schema.associated_file import AssociatedFile

BytesLike = bytes | bytearray | memoryview

LARGEST_BYTES = 2**26  # of all files of an archive together, unpacked
MOST_FILES = 2**16 - 2  # one more means ZIP64
LONGEST_NAME = 2**16 - 1
_LARGEST_OFFSET = 2**32 - 2

_LOCAL = struct.Struct("<4s5H3I2H")
_LISTING = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_LOCAL_SIGN, _LISTING_SIGN, _END_SIGN = b"PK\3\4", b"PK\1\2", b"PK\5\6"
_ZIP64_SIGN, _ZIP64_BYTES = b"PK\6\7", 20
_LONGEST_END = _END.size + 2**16 - 1
_OFFSET = struct.Struct("<I")
_OFFSET_AT = 42  # in a listing

_ENCRYPTED, _SIZES_FOLLOW, _UTF8, _MASKED = 1, 1 << 3, 1 << 11, 1 << 13
_STORED, _DEFLATED = 0, 8
_MADE_ON_UNIX, _VERSION, _NEWEST = 3 << 8, 20, 63
_PLAIN_FILE = 0o100644 << 16
_EARLIEST_DATE = 1 << 5 | 1  # 1980-01-01: the same edits give the same bytes on any day
_ZIP64 = "it is of the ZIP64 kind, which no reader of models needs"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of an archive.

    Attributes:
        name: Its name.
        data: What it holds, unpacked; a view of the archive if it was not packed.
        record: Its header and its bytes as they stand in the archive.
        listing: Its record in the directory at the end.
    """

    name: str
    data: BytesLike
    record: BytesLike
    listing: BytesLike


@dataclass(frozen=True, slots=True)
class Archive:
    """What stands behind a model as a zip archive.

    Attributes:
        start: Byte of the file at which it begins.
        entries: Its files, in the order of its directory.
        comment: Text behind the directory.
        problem: Why it cannot be taken apart, for people; "" if it was.
    """

    start: int
    entries: tuple[Entry, ...] = ()
    comment: bytes = b""
    problem: str = ""


class _OpaqueError(Exception):
    """An archive cannot be taken apart; the message says why."""


def find_archive(data: memoryview, end: int) -> Archive | None:
    """The archive that ends a file, None if there is none.

    Costs one pass over the archive; nothing is unpacked before all sizes are known.

    Args:
        data: All bytes of the file.
        end: Where the flatbuffer ends; an archive starts behind it.
    """
    at = _find_end(data[end:])
    if at is None:
        return None
    try:
        return _taken_apart(data, end, end + at)
    except _OpaqueError as error:
        return Archive(_start_of(data, end, end + at), problem=str(error))


def _start_of(data: memoryview, end: int, at: int) -> int:
    """Where an archive that cannot be taken apart begins, as far as its directory says so.

    What stands before it must not move with it.
    """
    try:
        directory, shift, listings = _directory(data, end, at)
    except _OpaqueError:
        return end
    start = min((each.at + shift for each in listings), default=directory)
    is_start = start >= end and data[start:][:4] in (_LOCAL_SIGN, _END_SIGN)
    return start if is_start else end


def files_of(archive: Archive | None) -> list[AssociatedFile] | None:
    """The files of an archive as a model has them; None if none can be taken apart."""
    if archive is None or archive.problem:
        return None
    return [AssociatedFile(entry.name, entry.data) for entry in archive.entries]


def name_problem(name: str | None) -> str:
    """Why a name cannot stand in an archive, for people; "" if it can."""
    if not name:
        return "it has no name."
    try:
        encoded = name.encode()
    except UnicodeEncodeError as error:
        return f"character {error.start + 1} of its name cannot be stored."
    if "\0" in name:
        return "its name holds a NUL character."
    if len(encoded) > LONGEST_NAME:
        return f"its name is longer than {LONGEST_NAME:,} bytes."
    return ""


def archive_bytes(files: Sequence[AssociatedFile], old: Archive | None, base: int) -> bytes:
    """An archive of files, as it stands at a byte of the whole file; empty without files.

    Files that an old archive holds under the same name keep their packed bytes, date and
    attributes. Others are not packed, so that readers can map them into memory.

    Args:
        files: What the archive holds, in this order.
        old: The archive before; None if there was none.
        base: Where it will stand; its offsets count from the start of the file.

    Raises:
        WriteError: A file cannot be in an archive; says which, and why.
    """
    if not files and (old is None or old.entries):
        return b""
    _check(files)
    known = {entry.name: entry for entry in (old.entries if old else ())}
    records, listings, at = [], [], base
    for file in files:
        entry = _entry(file, known.get(file.name or ""))
        listing = bytearray(entry.listing)
        _OFFSET.pack_into(listing, _OFFSET_AT, _offset(at))
        records.append(entry.record)
        listings.append(listing)
        at += len(entry.record)
    directory = b"".join(listings)
    comment = old.comment if old else b""
    count, size = len(files), len(directory)
    end = _END.pack(_END_SIGN, 0, 0, count, count, size, _offset(at), len(comment))
    return b"".join([*records, directory, end, comment])


def _offset(at: int) -> int:
    if at > _LARGEST_OFFSET:
        raise WriteError("associated_files: an archive cannot stand behind 4 GB of a model.")
    return at


# ---------------------------------------------------------------------- putting together


def _check(files: Sequence[AssociatedFile]) -> None:
    if len(files) > MOST_FILES:
        raise WriteError(f"associated_files: an archive holds {MOST_FILES:,} files at most.")
    total = sum(memoryview(file.data).nbytes for file in files if file.data is not None)
    if total > LARGEST_BYTES:
        raise WriteError(
            f"associated_files: together they have {total:,} bytes; an archive may hold "
            f"{LARGEST_BYTES:,}."
        )
    seen: set[str | None] = set()
    for index, file in enumerate(files):
        problem = name_problem(file.name)
        if not problem and file.name in seen:
            problem = f"another one is called '{file.name}' as well."
        if problem:
            raise WriteError(f"associated_files[{index}]: {problem} Rename it.")
        seen.add(file.name)


def _entry(file: AssociatedFile, old: Entry | None) -> Entry:
    data: BytesLike = b"" if file.data is None else memoryview(file.data).cast("B")
    if old is not None and same_bytes(old.data, data):
        return old
    name = (file.name or "").encode()
    flags = 0 if name.isascii() else _UTF8
    facts = (flags, _STORED, 0, _EARLIEST_DATE, zlib.crc32(data), len(data), len(data))
    local = _LOCAL.pack(_LOCAL_SIGN, _VERSION, *facts, len(name), 0)
    made = _MADE_ON_UNIX | _VERSION
    rest = (len(name), 0, 0, 0, 0, _PLAIN_FILE, 0)
    listing = _LISTING.pack(_LISTING_SIGN, made, _VERSION, *facts, *rest)
    return Entry(file.name or "", data, b"".join([local, name, data]), listing + name)


# ---------------------------------------------------------------------- taking apart


@dataclass(frozen=True, slots=True)
class _Listed:
    """A file as the directory lists it; `at` is the byte of the file where it stands."""

    record: memoryview
    at: int
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    name: bytes


def _find_end(tail: memoryview) -> int | None:
    """Where the record that ends an archive stands; its comment may follow it."""
    skipped = max(0, len(tail) - _LONGEST_END)
    at = bytes(tail[skipped:]).rfind(_END_SIGN)
    known = at >= 0 and skipped + at + _END.size <= len(tail)
    return skipped + at if known else None


def _taken_apart(data: memoryview, end: int, at: int) -> Archive:
    directory, shift, listings = _directory(data, end, at)
    total = sum(each.size for each in listings)
    if total > LARGEST_BYTES:
        raise _OpaqueError(
            f"its files have {total:,} bytes when unpacked; {LARGEST_BYTES:,} are read at most"
        )
    order = sorted(range(len(listings)), key=lambda k: listings[k].at)
    starts = [listings[k].at + shift for k in order]
    if starts and starts[0] < end:
        raise _OpaqueError("it begins before the end of the model")
    if len(set(starts)) < len(starts):
        raise _OpaqueError("two of its files are the same bytes of it")
    limits = [*starts, directory]
    ends = dict(zip(order, limits[1:], strict=True))
    entries: dict[str, Entry] = {}
    for k, each in enumerate(listings):
        entry = _read(each, data[each.at + shift : ends[k]])
        if entry.name in entries:
            raise _OpaqueError(f"two of its files are called '{entry.name}'")
        entries[entry.name] = entry
    return Archive(limits[0], tuple(entries.values()), bytes(data[at + _END.size :]))


def _directory(data: memoryview, end: int, at: int) -> tuple[int, int, list[_Listed]]:
    """Where the directory begins, what is to be added to its offsets, and what it lists."""
    _, disk, first_disk, here, count, size, offset, length = _END.unpack_from(data, at)
    if at - _ZIP64_BYTES >= end and data[at - _ZIP64_BYTES :][:4] == _ZIP64_SIGN:
        raise _OpaqueError(_ZIP64)
    if count == 2**16 - 1 or 2**32 - 1 in (size, offset):
        raise _OpaqueError(_ZIP64)
    if disk or first_disk or here != count:
        raise _OpaqueError("it is one of several parts")
    if at + _END.size + length != len(data):
        raise _OpaqueError("other bytes follow it")
    directory = at - size
    # Whoever appended a finished archive left offsets that count from its own start.
    shift = directory - offset
    if directory < end or shift < 0:
        raise _OpaqueError("its directory is not where its end says")
    return directory, shift, list(_listings(data[:at], directory, count))


def _listings(data: memoryview, directory: int, count: int) -> Iterator[_Listed]:
    at = directory
    for _ in range(count):
        if at + _LISTING.size > len(data):
            raise _OpaqueError("its directory is cut short")
        found = _LISTING.unpack_from(data, at)
        sign, flags, method, crc, packed, size = (found[k] for k in (0, 3, 4, 7, 8, 9))
        lengths, disk, place = found[10:13], found[13], found[16]
        behind = at + _LISTING.size + sum(lengths)
        if sign != _LISTING_SIGN or behind > len(data):
            raise _OpaqueError("its directory is damaged")
        if 2**32 - 1 in (packed, size, place):
            raise _OpaqueError(_ZIP64)
        if found[2] > _NEWEST:
            raise _OpaqueError(f"a file in it needs version {found[2] / 10} of the format")
        if disk:
            raise _OpaqueError("it is one of several parts")
        name = bytes(data[at + _LISTING.size :][: lengths[0]])
        yield _Listed(data[at:behind], place, flags, method, crc, packed, size, name)
        at = behind
    if at != len(data):
        raise _OpaqueError("its directory lists other things than files")


def _read(listed: _Listed, record: memoryview) -> Entry:
    """A file, from the stretch of bytes up to the next one."""
    name = _name(listed)
    if listed.flags & (_ENCRYPTED | _MASKED):
        raise _OpaqueError(f"'{name}' is encrypted")
    if listed.method not in (_STORED, _DEFLATED):
        raise _OpaqueError(f"'{name}' is packed by method {listed.method}, not 0 or 8")
    packed = record[_begin(listed, name, record) :][: listed.packed]
    if len(packed) != listed.packed:
        raise _OpaqueError(f"'{name}' runs into what follows it")
    data = packed if listed.method == _STORED else _unpacked(packed, listed.size, name)
    if len(data) != listed.size or zlib.crc32(data) != listed.crc:
        raise _OpaqueError(f"'{name}' is damaged")
    return Entry(name, data, record, listed.record)


def _begin(listed: _Listed, name: str, record: memoryview) -> int:
    """Where the packed bytes stand in a record, whose header must agree with the listing."""
    if len(record) < _LOCAL.size:
        raise _OpaqueError(f"'{name}' has no header")
    sign, _, flags, method, _, _, *sizes, length, more = _LOCAL.unpack_from(record)
    begin = int(_LOCAL.size + length + more)
    same = (sign, flags, method) == (_LOCAL_SIGN, listed.flags, listed.method)
    if not listed.flags & _SIZES_FOLLOW:
        same = same and sizes == [listed.crc, listed.packed, listed.size]
    if not same or record[_LOCAL.size :][:length] != listed.name or begin > len(record):
        raise _OpaqueError(f"the header of '{name}' contradicts the directory")
    return begin


def _unpacked(packed: memoryview, size: int, name: str) -> bytes:
    """Deflated bytes, of which never more are unpacked than were announced."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = stream.decompress(packed, size + 1)
    except zlib.error as error:
        raise _OpaqueError(f"'{name}' is damaged") from error
    if not stream.eof:
        raise _OpaqueError(f"'{name}' has more bytes than announced, or is cut short")
    return data


def _name(listed: _Listed) -> str:
    try:
        # Without the flag names are in the character set of the first PCs.
        name = listed.name.decode("utf-8" if listed.flags & _UTF8 else "cp437")
    except UnicodeDecodeError as error:
        raise _OpaqueError("the name of a file is not UTF-8 as it says") from error
    problem = name_problem(name)
    if problem:
        raise _OpaqueError(f"of one file, {problem.rstrip('.')}")
    return name
