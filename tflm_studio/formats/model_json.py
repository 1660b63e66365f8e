# SPDX-License-Identifier: Apache-2.0
"""A model as a JSON file that people can read, compare and edit, exact in both directions.

The file is the model's table as `json_tables` writes it, behind a key that states the form.
Bytes are `{"hex": "..."}` when few and `{"base64": "..."}` when many. Bytes behind the
flatbuffer stand last, with their place, because others refer to them by it; of an archive
there, the JSON has the files themselves, and the archive is made anew.

What `flatc --json` prints is read as well: bytes as lists of numbers, enumerations by name or
number, defaults stated or not. It has its floats with 6 decimals, so it is no form to write.

What is read becomes a flatbuffer in memory at once. A model from JSON so has an `Origin` like
any other, and passes the same checks as one from a flatbuffer.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from tflm_studio.formats.archive import files_of
from tflm_studio.formats.checked_bytes import MAX_BUFFER_BYTES
from tflm_studio.formats.flatbuffer_reader import Origin, read_flatbuffer
from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.formats.json_numbers import shown
from tflm_studio.formats.json_tables import Place, table_from_json, table_to_json
from tflm_studio.formats.json_text import DoubledKey, EncodedBytes, parsed, printed
from tflm_studio.formats.layout import Kept
from tflm_studio.formats.tail import kept_bytes, payload_of, with_archive
from tflm_studio.model.errors import ReadError, WriteError
from tflm_studio.schema.structure import Kind
from tflm_studio.schema.tables import Model

FORM = 1
FORM_KEY = "tflm_studio_json"
TAIL_KEY = "tflm_studio_tail"

FLATC_WARNING = (
    f"there is no key {FORM_KEY}, so this is taken for JSON of flatc, which prints floats "
    "with 6 decimals: the scales of tensors may have lost digits."
)

_HEX_BYTES = 32  # what fits into a line
_MAX_GAP_BYTES = 2**28  # between the flatbuffer and the bytes behind it
_MAX_NAMED_KEYS = 5

_FIRST_KEY = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{\s*\"?(\w+)\"?\s*:")
_KEYS = frozenset((FORM_KEY, *(row.name for row in Model.ROWS)))
_LIST_KEY = re.compile(
    r"\"?\b(?:{})\"?\s*:\s*\[".format(
        "|".join(row.name for row in Model.ROWS if row.kind is Kind.TABLES)
    ).encode()
)


class JsonOrigin(Origin):
    """Where a model came from, when that was JSON.

    `data` is the flatbuffer that was made of it.

    Attributes:
        behind: Bytes behind the flatbuffer as the JSON states them, with their place.
        warnings: What the file says that the model does not, or may say inexactly.
        digest: Of the file, whose text is not kept.
    """

    __slots__ = ("behind", "digest", "warnings")

    def __init__(
        self, made: Origin, end: int, behind: Kept | None, warnings: tuple[str, ...]
    ) -> None:
        super().__init__(made, made.name, made.data, end, made.opaque)
        self.behind = behind
        self.warnings = warnings
        self.digest = b""

    def is_held_by(self, path: Path) -> bool:
        try:
            return sha256(path.read_bytes()).digest() == self.digest
        except OSError:
            return False

    @property
    def tail(self) -> memoryview:
        # Weights of the flatbuffer may stand behind the bytes that had to stay in place.
        length = len(self.behind.data) if self.behind is not None else 0
        return self.data[self.end : self.end + length]


def looks_like_model_json(head: bytes) -> bool:
    """Whether the first bytes of a file are those of a model as JSON, of ours or of flatc."""
    first = _FIRST_KEY.match(head)
    if first is None:
        return False
    return first[1].decode("ascii", "replace") in _KEYS or _LIST_KEY.search(head) is not None


def write_model_json(model: Model) -> Iterator[bytes]:
    """The JSON file of a model, in pieces; the same model gives the same text.

    Raises:
        WriteError: The model cannot be written as JSON; says why and where.
    """
    put_bytes = _BytesWriter()
    stated: dict[str, object] = {FORM_KEY: FORM, **table_to_json(model, put_bytes)}
    behind = _bytes_behind(model)
    if behind is not None:
        stated[TAIL_KEY] = {"at": behind.at, "data": put_bytes(behind.data)}
    return printed(stated)


def read_model_json(data: bytes, name: str) -> Model:
    """Reads a model from a JSON file; its `extra` is a `JsonOrigin` with warnings.

    Args:
        data: The file.
        name: What messages call it.

    Raises:
        ReadError: The file does not describe a model; says where and what can stand there.
    """
    stated = parsed(data, name)
    fields = stated
    ours, behind = False, None
    if isinstance(stated, dict) and not isinstance(stated, DoubledKey):
        ours, behind = _is_ours(stated, name), _behind(stated, name, len(data))
        fields = {key: stated[key] for key in stated if key not in (FORM_KEY, TAIL_KEY)}
    unknown: list[str] = []
    model = table_from_json(
        Model, fields, bytes_from_json, Place(name), unknown, keep_defaults=ours
    )
    made = _as_flatbuffer(model, name, behind, tuple(_warnings(ours, unknown)))
    assert isinstance(made.extra, JsonOrigin)
    made.extra.digest = sha256(data).digest()
    return made


def bytes_from_json(value: object) -> bytes:
    """The bytes that base64, hexadecimal digits or a list of numbers stand for.

    Raises:
        ReadError: The value stands for no bytes; says what can stand there.
    """
    if isinstance(value, list):
        return _bytes_of_list(value)
    if isinstance(value, dict) and len(value) == 1 and not isinstance(value, DoubledKey):
        ((key, text),) = value.items()
        decode = _DECODERS.get(key)
        if decode is not None and isinstance(text, str):
            try:
                return decode(text)
            except ValueError as error:
                raise ReadError(f"the {key} text cannot be decoded: {error}.") from error
    raise ReadError(
        'here stand bytes, as {"base64": "..."}, as {"hex": "..."} or as a list of numbers, '
        f"not {shown(value)}."
    )


class _BytesWriter:
    """What stands for bytes; refuses more of them than a flatbuffer can hold."""

    def __init__(self) -> None:
        self.total = 0

    def __call__(self, data: memoryview) -> object:
        self.total += len(data)
        if self.total > MAX_BUFFER_BYTES:
            raise WriteError(
                "The model takes more than 2 GB; keep its weights outside the flatbuffer."
            )
        if not len(data):
            return []
        if len(data) <= _HEX_BYTES:
            return {"hex": data.hex(" ", -4)}
        return EncodedBytes(data)


def _decoded_base64(text: str) -> bytes:
    return binascii.a2b_base64(text.encode("ascii"), strict_mode=True)


_DECODERS = {"base64": _decoded_base64, "hex": bytes.fromhex}


def _bytes_of_list(value: list[object]) -> bytes:
    try:
        return bytes(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        wrong = next(
            number
            for number, item in enumerate(value)
            if not isinstance(item, int) or not 0 <= item < 256
        )
        raise ReadError(
            f"item {wrong} of the bytes is {shown(value[wrong])}; here stand whole numbers "
            "from 0 to 255."
        ) from None


def _is_ours(stated: dict[str, object], name: str) -> bool:
    if FORM_KEY not in stated:
        return False
    if stated[FORM_KEY] != FORM:
        raise Place(name, (FORM_KEY,)).refusal(
            f"this program reads form {FORM}, not {shown(stated[FORM_KEY])}; the file may be "
            "of a newer one."
        )
    return True


def _bytes_behind(model: Model) -> Kept | None:
    origin = model.extra
    if isinstance(origin, JsonOrigin):
        return origin.behind
    if not isinstance(origin, Origin):
        return None
    if origin.archive is not None and origin.archive.problem:
        return Kept(origin.end, origin.tail)
    kept = kept_bytes(origin)
    if len(kept) > 1:
        places = ", ".join(f"{each.at:,}" for each in kept)
        raise WriteError(
            f"{origin.name}: bytes outside the flatbuffer stand at {len(kept)} places "
            f"({places}); JSON keeps one stretch of them."
        )
    return kept[0] if kept else None


def _behind(stated: dict[str, object], name: str, json_bytes: int) -> Kept | None:
    if TAIL_KEY not in stated:
        return None
    value = stated[TAIL_KEY]
    if not isinstance(value, dict) or set(value) != {"at", "data"}:
        raise Place(name, (TAIL_KEY,)).refusal(
            'here stands an object with the keys "at" and "data".'
        )
    try:
        data = bytes_from_json(value["data"])
    except ReadError as error:
        raise Place(name, (TAIL_KEY, "data")).refusal(str(error)) from None
    at, last = value["at"], json_bytes + _MAX_GAP_BYTES
    if not isinstance(at, int) or isinstance(at, bool) or not 8 <= at <= last:
        raise Place(name, (TAIL_KEY, "at")).refusal(
            f"here stands a whole number from 8 to {last}, not {shown(at)}."
        )
    return Kept(at, memoryview(data)) if data else None


def _as_flatbuffer(
    model: Model, name: str, behind: Kept | None, warnings: tuple[str, ...]
) -> Model:
    # What stood before is gone, but an archive counts from the start of the file.
    whole = bytes(behind.at) + behind.data if behind else b""
    old = Origin(model.extra, name, memoryview(whole), behind.at if behind else 0, ())
    is_opaque = old.archive is not None and bool(old.archive.problem)
    if old.archive is not None and not is_opaque:
        behind = _without_archive(model, old)
    model.extra = old
    try:
        kept = [behind] if behind is not None and not is_opaque else []
        layout = lay_out(model, kept)
        end = kept[0].at if kept else layout.size
        made = read_flatbuffer(with_archive(model, layout).tobytes(), name)
    except WriteError as error:
        raise ReadError(f"{name}: no flatbuffer can be made of this: {error}") from error
    assert isinstance(made.extra, Origin)
    made.extra = JsonOrigin(made.extra, end, behind, warnings)
    if made.associated_files is None and model.associated_files is not None:
        made.associated_files = []  # stated, but no files make no archive
    return made


def _without_archive(model: Model, old: Origin) -> Kept | None:
    """What stands behind the model save for an archive, whose files the model is given."""
    if model.associated_files is not None:
        raise Place(old.name, (TAIL_KEY,)).refusal(
            "here stands an archive, but associated_files says what it holds; leave one out."
        )
    model.associated_files = files_of(old.archive)
    payload = payload_of(old)
    return Kept(old.end, payload) if payload else None


def _warnings(ours: bool, unknown: list[str]) -> Iterator[str]:
    if not ours:
        yield FLATC_WARNING
    if unknown:
        some = ", ".join(unknown[:_MAX_NAMED_KEYS])
        more = len(unknown) - _MAX_NAMED_KEYS
        yield (
            f"not read, because the schema has no such keys: {some}"
            + (f" and {more} more." if more > 0 else ".")
        )
