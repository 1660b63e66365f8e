# SPDX-License-Identifier: Apache-2.0
"""Models in firmware images: found, read, and put back without touching anything else."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from tflm_studio.formats.flatbuffer_reader import read_flatbuffer
from tflm_studio.formats.images.embedded import Embedded, embedded_models, model_at
from tflm_studio.formats.images.memory import Image
from tflm_studio.formats.images.records import (
    hex_image,
    looks_like_hex,
    looks_like_srec,
    srec_image,
)
from tflm_studio.formats.images.uf2 import Uf2Image, looks_like_uf2
from tflm_studio.formats.images.vendor_sums import stale_sums
from tflm_studio.formats.images.whole import (
    AR_MAGIC,
    ELF_MAGIC,
    THIN_MAGIC,
    WholeImage,
    archive_image,
    elf_image,
)
from tflm_studio.model.errors import NoRoomError, ReadError
from tflm_studio.schema.tables import Model

IMAGE_SUFFIXES = frozenset(
    {".elf", ".axf", ".out", ".hex", ".ihex", ".srec", ".s19", ".mot", ".uf2", ".a", ".o"}
)
MAX_IMAGE_BYTES = 2**30
BLOB = "binary image"
TFLM_ALIGNMENT = 16

PathLike = str | os.PathLike[str]
_Reader = Callable[[bytes, str], Image]
_KINDS: tuple[tuple[Callable[[bytes], bool], _Reader], ...] = (
    (lambda head: head.startswith(ELF_MAGIC), lambda data, _: elf_image(data)),
    (lambda head: head.startswith((AR_MAGIC, THIN_MAGIC)), archive_image),
    (looks_like_uf2, lambda data, _: Uf2Image(data)),
    (looks_like_hex, hex_image),
    (looks_like_srec, srec_image),
)


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model in an image.

    Attributes:
        number: Its place in the list of all, from 0.
        name: What it is chosen by: its symbol, or its address, or its offset.
        region: The region of the image that holds it.
        at: Where in that region it begins.
        offset: Where in the file it begins; of its record in a file with records.
        address: Where the device has it, None if the file does not say.
        symbol: Its name in the program, "" if not known.
        member: The file of an archive that holds it, "" for no archive.
        size: Its number of bytes.
        room: How many bytes it may have.
        alignment: What its address is a multiple of, as far as known.
        description: What it says of itself.
        subgraphs: How many it has.
        operators: How many it has in all.
        data: Its bytes.
    """

    number: int
    name: str
    region: int
    at: int
    offset: int
    address: int | None
    symbol: str
    member: str
    size: int
    room: int
    alignment: int
    description: str
    subgraphs: int
    operators: int
    data: bytes = field(repr=False)

    @property
    def label(self) -> str:
        """The line that a person chooses it by."""
        where = (
            f"{self.address:#010x}" if self.address is not None else f"byte {self.offset:#x}"
        )
        name = f"{self.symbol} at {where}" if self.symbol else where
        inside = f" in {self.member}" if self.member else ""
        said = f", {self.description}" if self.description else ""
        return f"{name}{inside}: {self.size:,} bytes, {self.operators} operators{said}"

    @property
    def warning(self) -> str:
        """What is wrong with its place, "" if nothing is."""
        if self.alignment >= TFLM_ALIGNMENT:
            return ""
        return (
            f"{self.name} is aligned to {self.alignment} only: TFLM needs {TFLM_ALIGNMENT}, "
            "or it is slow or ends in a hard fault."
        )


@dataclass(frozen=True, slots=True)
class ImageWrite:
    """An image with another model in it.

    Attributes:
        data: All of the file.
        notes: What else a person has to know or do.
    """

    data: bytes
    notes: tuple[str, ...]


def is_container(head: bytes) -> bool:
    """Whether a file that begins so is an image of a kind that says what it is."""
    return any(fits(head) for fits, _ in _KINDS)


@lru_cache(maxsize=2)  # saving looks at the same bytes several times
def read_image(data: bytes, name: str) -> Image:
    """The contents of an image; of a blob if its kind is not known.

    Raises:
        ReadError: It is of a known kind and damaged.
    """
    for fits, reader in _KINDS:
        if fits(data[:4096]):
            return reader(data, name)
    return WholeImage(BLOB, data)


def find_models(path: PathLike) -> list[FoundModel]:
    """The models in an image, in the order of their places.

    Args:
        path: An ELF file, an object, a static library, Intel HEX, S-records, UF2 or any blob.

    Raises:
        ReadError: The file cannot be read, or is damaged.
    """
    return models_in(read_image_file(path), str(path))


def models_in(data: bytes, name: str) -> list[FoundModel]:
    """The models in the bytes of an image; see `find_models`."""
    return list(_models_in(data, name))


@lru_cache(maxsize=2)
def _models_in(data: bytes, name: str) -> tuple[FoundModel, ...]:
    image = read_image(data, name)
    found = [
        _found(image, region, model)
        for region, each in enumerate(image.regions)
        for model in embedded_models(each.data)
    ]
    seen = Counter(each.name for each in found)
    named = (
        each if seen[each.name] == 1 else replace(each, name=f"{each.name}@{each.offset:#x}")
        for each in found
    )
    return tuple(replace(each, number=number) for number, each in enumerate(named))


def read_found(found: FoundModel, name: str = "") -> Model:
    """The model that was found.

    Raises:
        ReadError: It is damaged.
    """
    return read_flatbuffer(found.data, f"{name}: {found.name}" if name else found.name)


def chosen(models: Sequence[FoundModel], choice: str, name: str) -> FoundModel:
    """The model that a name, an address, an offset or a number means.

    Raises:
        ReadError: None or several are called so.
    """
    fitting = [each for each in models if choice in (each.name, each.symbol, str(each.number))]
    if len(fitting) != 1:
        known = ", ".join(each.name for each in models[:20])
        raise ReadError(f"{name}: no model is '{choice}'; choose one of {known}.")
    return fitting[0]


def put_back(image: bytes, found: FoundModel, data: bytes, name: str = "image") -> ImageWrite:
    """An image with another model at the place of one that it holds.

    What the new model leaves of the old one's room is filled with zeros.

    Args:
        image: All of the file that `found` was found in.
        found: The place.
        data: The bytes of the new model.
        name: What messages call the file.

    Raises:
        NoRoomError: The model is too large for its place.
    """
    trimmed = _trimmed(data, found.room)
    if len(trimmed) > found.room:
        raise NoRoomError(
            f"{name}: the model is {len(trimmed) - found.room:,} bytes too large for its "
            f"place at {found.name}, which has {found.room:,}. Save it as a .tflite file and "
            "build the firmware with it."
        )
    contents = read_image(image, name)
    filled = trimmed + bytes(found.room - len(trimmed))
    written = contents.patched(found.region, found.at, filled)
    return ImageWrite(written, tuple(write_notes(contents, found, len(data))))


def _trimmed(data: bytes, room: int) -> bytes:
    """The bytes without the padding at their end, as far as they would not fit with it."""
    if len(data) <= room or any(data[room:]):
        return data
    model = model_at(data, 0)
    return data[: max(model.size, room)] if model is not None else data


def write_notes(image: Image, found: FoundModel, size: int) -> list[str]:
    """What else has to be known or done once a model of so many bytes is put back."""
    notes = image.notes(found.region, found.at)
    sums = stale_sums(image.regions[found.region].data, found.at)
    if image.kind == BLOB and not sums:
        sums = ["A checksum of the whole image, if its format has one, is then stale."]
    notes += sums
    if size != found.size:
        notes.append(
            f"Constants in the program still say that the model has {found.size:,} bytes, not "
            f"{size:,}; TFLM does not use them."
        )
    return [*notes, found.warning] if found.warning else notes


def _found(image: Image, region: int, model: Embedded) -> FoundModel:
    at, size = model.at, model.size
    data, symbol = image.regions[region].data, image.symbol_at(region, at)
    room = size
    if symbol is not None and symbol.size > size:
        room = symbol.size
        if symbol.size - size < TFLM_ALIGNMENT and not any(data[at + size : at + symbol.size]):
            size = symbol.size  # the padding that a converter leaves at the end
    offset, address = image.file_offset(region, at), image.address(region, at)
    return FoundModel(
        0,
        symbol.name if symbol else f"{offset if address is None else address:#x}",
        region,
        at,
        offset,
        address,
        symbol.name if symbol else "",
        image.member_at(region, at),
        size,
        room,
        image.alignment(region, at),
        model.description,
        model.subgraphs,
        model.operators,
        bytes(data[at : at + size]),
    )


def read_image_file(path: PathLike) -> bytes:
    """The bytes of an image.

    Raises:
        ReadError: The file cannot be read, or is larger than any image.
    """
    try:
        if Path(path).stat().st_size > MAX_IMAGE_BYTES:
            raise ReadError(f"{path}: the file is larger than any firmware image.")
        return Path(path).read_bytes()
    except OSError as error:
        raise ReadError(f"{path}: cannot be read: {error.strerror or error}.") from error
