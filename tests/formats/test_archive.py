# SPDX-License-Identifier: Apache-2.0
"""The archive of associated files: read, kept, changed, and as other readers see it."""

import io
import struct
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import flatbuffers
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tflm_studio as ts
from tests.conftest import examples, readable_models
from tests.formats.archives import (
    DATE,
    LABELS,
    check_readers,
    contents,
    named,
    two_files,
    zipped,
)
from tests.formats.mutants import one_convolution
from tflm_studio.formats.archive import LARGEST_BYTES, archive_bytes, files_of, find_archive
from tflm_studio.formats.flatbuffer_columns import same_content
from tflm_studio.formats.flatbuffer_reader import Origin, read_flatbuffer
from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.formats.model_file import encode, read_model, save_in_place
from tflm_studio.model.comparison import same_files
from tflm_studio.model.errors import ReadError, WriteError
from tflm_studio.schema.tables import AssociatedFile, Buffer, Model

LONGER = "a much longer description " * 9


def saved(model: Model, path: Path) -> bytes:
    ts.save_model_to_file(model, path)
    return path.read_bytes()


def problem_of(data: bytes) -> str:
    origin = read_flatbuffer(data).extra
    assert isinstance(origin, Origin)
    return origin.archive.problem if origin.archive is not None else "no archive"


# ---------------------------------------------------------------------- reading


@pytest.mark.parametrize("absolute", [True, False])
@pytest.mark.parametrize("packed", [True, False])
def test_files_are_read_whichever_way_they_were_appended(absolute: bool, packed: bool) -> None:
    expected = {"labels.txt": LABELS.encode(), "sub/ä.bin": bytes(range(256)), "empty": b""}
    data = zipped(dict(expected), absolute=absolute, packed=packed)
    assert contents(read_flatbuffer(data)) == expected


def test_a_model_without_archive_has_no_files() -> None:
    data = lay_out(one_convolution()).tobytes()
    for tail in (b"", b"vendor code " * 9, b"PK\5\6" + bytes(9)):
        model = read_flatbuffer(data + tail)
        assert model.associated_files is None
        assert isinstance(model.extra, Origin)
        assert model.extra.archive is None


def test_stored_files_are_views_of_the_file() -> None:
    data = zipped({"a": b"x" * 1000}, packed=False)
    file = (read_flatbuffer(data).associated_files or [])[0]
    assert isinstance(file.data, memoryview)
    assert file.data.obj is data


def test_a_file_with_sizes_behind_it_is_read_and_kept(tmp_path: Path) -> None:
    class Unseekable(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: int) -> int:
            raise io.UnsupportedOperation

    target = Unseekable()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", "stream " * 30)
    model = read_flatbuffer(lay_out(one_convolution()).tobytes() + target.getvalue())
    model.description = LONGER
    model.associated_files = [*(model.associated_files or []), AssociatedFile("b", b"new")]
    saved(model, tmp_path / "m.tflite")
    check_readers(tmp_path / "m.tflite", {"a.txt": b"stream " * 30, "b": b"new"})


# ---------------------------------------------------------------------- what stays opaque


def edited(data: bytes, sign: bytes, at: int, form: str, value: object) -> bytes:
    """The file with a number changed in the last record that has a sign."""
    place = data.rindex(sign) + at
    raw = struct.pack(form, value)
    return data[:place] + raw + data[place + len(raw) :]


LISTING, END, LOCAL = b"PK\1\2", b"PK\5\6", b"PK\3\4"


@pytest.mark.parametrize(
    ("sign", "at", "form", "value", "reason"),
    [
        (LISTING, 8, "<H", 1, "encrypted"),
        (LISTING, 10, "<H", 12, "method 12"),
        (LISTING, 10, "<H", 14, "method 14"),
        (LISTING, 16, "<I", 7, "contradicts"),
        (LISTING, 24, "<I", 2**26 + 1, "unpacked"),
        (LISTING, 24, "<I", 2**32 - 1, "ZIP64"),
        (LISTING, 20, "<I", 2**31, "contradicts"),
        (LISTING, 28, "<H", 60000, "damaged"),
        (LISTING, 6, "<H", 64, "version 6.4"),
        (LISTING, 34, "<H", 1, "parts"),
        (LISTING, 42, "<I", 3, "before the end of the model"),
        (LISTING, 46, "<B", 0, "NUL"),
        (LOCAL, 30, "<B", 0x41, "contradicts"),
        (END, 8, "<H", 1, "parts"),
        (END, 4, "<H", 1, "parts"),
        (END, 16, "<I", 2**31, "not where"),
        (END, 16, "<I", 2**32 - 1, "ZIP64"),
        (END, 12, "<I", 2**31, "not where"),
        (END, 20, "<H", 9, "follow"),
    ],
)
def test_what_cannot_be_taken_apart_is_kept_as_it_is(
    tmp_path: Path, sign: bytes, at: int, form: str, value: object, reason: str
) -> None:
    data = edited(two_files(), sign, at, form, value)
    model = read_flatbuffer(data, "m.tflite")
    assert model.associated_files is None
    assert reason in problem_of(data)
    assert saved(model, tmp_path / "m.tflite") == data
    model.associated_files = named(("new", b"1"))
    with pytest.raises(WriteError, match=r"^m\.tflite: no files can be added"):
        ts.save_model_to_file(model, tmp_path / "m.tflite")
    assert (tmp_path / "m.tflite").read_bytes() == data


def test_twice_the_same_name_is_not_taken_apart() -> None:
    data = zipped({"a1": "1", "a2": "2"}).replace(b"a2", b"a1")
    assert "two of its files are called 'a1'" in problem_of(data)


def test_entries_that_share_their_bytes_are_not_unpacked() -> None:
    """The densest bombs let many entries share the same packed bytes."""
    data = two_files()
    first = data.index(LOCAL)
    shared = edited(data, LISTING, 42, "<I", first)
    assert problem_of(shared) == "two of its files are the same bytes of it"
    # One that begins inside another one cuts that one short.
    inside = edited(data, LISTING, 42, "<I", first + 45)
    assert "'labels.txt' runs into what follows it" in problem_of(inside)


@pytest.mark.parametrize("stated", [10, 2**24])
def test_a_bomb_does_not_go_off(stated: int) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = b"".join(packer.compress(bytes(2**20)) for _ in range(20)) + packer.flush()
    data = zipped({"bomb": b"x" * len(bomb)}, packed=False)
    at = data.index(LOCAL)
    data = data.replace(b"x" * len(bomb), bomb)
    for sign, method, size in ((LOCAL, 8, 22), (LISTING, 10, 24)):
        place = at if sign is LOCAL else data.rindex(LISTING)
        for offset, form, value in ((method, "<H", 8), (size, "<I", stated)):
            raw = struct.pack(form, value)
            data = data[: place + offset] + raw + data[place + offset + len(raw) :]
    start = time.perf_counter()
    assert "'bomb' has more bytes than announced" in problem_of(data)
    assert time.perf_counter() - start < 2


def mutants(whole: bytes, end: int, count: int) -> Iterator[bytes]:
    """Files with flipped bits, or cut short, behind the flatbuffer."""
    random = Random(count)
    for turn in range(count):
        data = bytearray(whole)
        if turn % 5 == 0:
            del data[random.randrange(end + 1, len(data)) :]
        for _ in range(random.randint(turn % 5 == 0, 3)):
            data[random.randrange(end, len(data))] ^= 1 << random.randrange(8)
        yield bytes(data)


def test_damaged_archives_are_read_or_left_alone() -> None:
    end, sound = len(lay_out(one_convolution()).tobytes()), 0
    for data in mutants(two_files(), end, 4000):
        found = find_archive(memoryview(data), end)
        if found is None or found.problem:
            continue
        # What was accepted is what other readers see as well.
        sound += 1
        files = files_of(found) or []
        again = find_archive(memoryview(archive_bytes(files, found, 0)), 0)
        assert again is not None
        assert same_files(files_of(again), files)
        with zipfile.ZipFile(io.BytesIO(data)) as other:
            assert [(f.name, bytes(f.data or b"")) for f in files] == [
                (info.orig_filename, other.read(info)) for info in other.infolist()
            ]
    assert sound > 50


def test_models_with_damaged_archives_are_saved_or_refused(tmp_path: Path) -> None:
    end = len(lay_out(one_convolution()).tobytes())
    for data in mutants(two_files(), end, 12):
        model = read_flatbuffer(data)
        assert encode(model).tobytes() == data
        model.description = LONGER
        with suppress(WriteError):
            assert contents(read_flatbuffer(encode(model).tobytes())) == contents(model)


# ---------------------------------------------------------------------- writing


@pytest.mark.parametrize("absolute", [True, False])
def test_an_unchanged_file_is_saved_byte_for_byte(tmp_path: Path, absolute: bool) -> None:
    data = two_files(absolute=absolute)
    assert saved(read_flatbuffer(data), tmp_path / "m.tflite") == data


@pytest.mark.parametrize("absolute", [True, False])
def test_changed_files_leave_the_others_and_the_flatbuffer_as_they_were(
    tmp_path: Path, absolute: bool
) -> None:
    data, path = two_files(absolute=absolute), tmp_path / "m.tflite"
    model = read_flatbuffer(data)
    files = model.associated_files or []
    files[1].data = b"d e f" * 50
    files.append(AssociatedFile("üb/er.txt", b"third"))
    written = saved(model, path)
    expected = {
        "labels.txt": LABELS.encode(),
        "vocabulary.txt": b"d e f" * 50,
        "üb/er.txt": b"third",
    }
    check_readers(path, expected)
    start = data.index(LOCAL)
    assert written[:start] == data[:start]
    with zipfile.ZipFile(path) as archive:
        assert archive.comment == b"associated files"
        kept, changed, added = archive.infolist()
    assert (kept.date_time, kept.compress_type) == (DATE, zipfile.ZIP_DEFLATED)
    assert kept.external_attr == 0o100600 << 16
    for info in (changed, added):
        assert info.compress_type == zipfile.ZIP_STORED
        assert info.date_time == (1980, 1, 1, 0, 0, 0)
    # The packed bytes of the first file are the old ones.
    second = data.index(LOCAL, start + 4)
    assert written[start:second] == data[start:second]


def test_the_same_changes_give_the_same_bytes(tmp_path: Path) -> None:
    def make() -> bytes:
        model = read_flatbuffer(two_files())
        model.associated_files = [*(model.associated_files or []), AssociatedFile("c", b"c")]
        model.description = LONGER
        return encode(model).tobytes()

    assert make() == make()


def test_the_first_file_makes_an_archive_and_the_last_one_takes_it(tmp_path: Path) -> None:
    path, bare = tmp_path / "m.tflite", lay_out(one_convolution()).tobytes()
    model = read_flatbuffer(bare)
    model.associated_files = named(("labels.txt", b"yes\nno\n"))
    written = saved(model, path)
    assert written[: len(bare)] == bare
    check_readers(path, {"labels.txt": b"yes\nno\n"})
    again = ts.load_model_from_file(path)
    assert same_content(again, model)
    again.associated_files = []
    assert saved(again, path) == bare
    assert ts.load_model_from_file(path).associated_files is None


def test_files_of_a_model_made_by_hand(tmp_path: Path) -> None:
    model = one_convolution()
    model.associated_files = named(("b", b"2"), ("a", b""))
    saved(model, tmp_path / "m.tflite")
    check_readers(tmp_path / "m.tflite", {"b": b"2", "a": b""})
    again = ts.load_model_from_file(tmp_path / "m.tflite")
    assert same_content(again, model)


def test_real_models_take_another_file(models_folder: Path, tmp_path: Path) -> None:
    found, path = 0, tmp_path / "m.tflite"
    for original in readable_models(models_folder):
        data = original.read_bytes()
        if END not in data[-70_000:]:
            continue
        model, found = read_flatbuffer(data, original.name), found + 1
        assert isinstance(model.extra, Origin)
        assert model.extra.archive is not None
        assert not model.extra.archive.problem, original
        expected = {**contents(model), "new.txt": b"new"}
        model.associated_files = named(*expected.items())
        written = saved(model, path)
        start = model.extra.archive.start
        assert written[:start] == data[:start], original
        check_readers(path, expected)
    assert found


@pytest.mark.parametrize("change_model", [False, True])
def test_vendor_code_before_the_archive_stays_where_it_was(
    tmp_path: Path, change_model: bool
) -> None:
    payload, path = b"vendor code " * 9, tmp_path / "m.tflite"
    bare = lay_out(one_convolution()).tobytes()
    target = io.BytesIO(bare + payload)
    target.seek(0, io.SEEK_END)
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr("a", "1")
    model = read_flatbuffer(target.getvalue())
    model.associated_files = [*(model.associated_files or []), AssociatedFile("b", b"2")]
    if change_model:
        model.description = LONGER * 20
    written = saved(model, path)
    assert written[len(bare) :][: len(payload)] == payload
    check_readers(path, {"a": b"1", "b": b"2"})


@pytest.mark.parametrize("is_alone", [False, True])
def test_vendor_code_stays_before_an_archive_that_cannot_be_taken_apart(
    tmp_path: Path, is_alone: bool
) -> None:
    payload, path = b"vendor code " * 9, tmp_path / "m.tflite"
    bare = lay_out(one_convolution()).tobytes()
    target = io.BytesIO(bare + payload)
    target.seek(0, io.SEEK_END)
    with zipfile.ZipFile(target, "a", zipfile.ZIP_BZIP2) as archive:
        for name in ("a",) if is_alone else ("a", "b"):
            archive.writestr(name, "content of " + name)
    assert "method 12" in problem_of(target.getvalue())
    path.write_bytes(target.getvalue())
    for description in (LONGER * 20, "short", LONGER * 90):
        model = ts.load_model_from_file(path)
        model.description = description
        written = saved(model, path)
        assert written[len(bare) :][: len(payload)] == payload
        assert written.count(payload) == 1
        with zipfile.ZipFile(path) as archive:
            assert archive.read("a") == b"content of a"


def test_weights_outside_and_files_live_behind_the_same_model(tmp_path: Path) -> None:
    path, weights = tmp_path / "m.tflite", bytes(range(200))
    model = one_convolution()
    model.buffers = [*(model.buffers or []), Buffer(data=weights, offset=1, size=200)]
    model.associated_files = named(("labels.txt", b"yes"))
    saved(model, path)
    for change in ("file", "description", "both"):
        model = ts.load_model_from_file(path)
        if change != "description":
            files = contents(model)
            model.associated_files = named(*files.items(), (change, b"new"))
        if change != "file":
            model.description = LONGER * (2 if change == "both" else 1)
        expected = contents(model)
        saved(model, path)
        check_readers(path, expected)
        again = ts.load_model_from_file(path)
        assert same_content(again, model)
        outside = (again.buffers or [])[-1]
        assert bytes(outside.data or b"") == weights
        assert outside.offset > 1


def test_an_empty_archive_stays_until_a_file_comes_and_goes(tmp_path: Path) -> None:
    data = zipped({}, comment=b"nothing here")
    model = read_flatbuffer(data)
    assert model.associated_files == []
    model.description = LONGER
    written = encode(model).tobytes()
    assert written.endswith(b"nothing here")
    assert read_flatbuffer(written).associated_files == []


def test_a_changed_file_alone_does_not_move_what_cannot_be_moved(tmp_path: Path) -> None:
    """A model with unknown fields cannot be laid out anew, but may be given labels."""
    builder = flatbuffers.Builder()
    builder.StartVector(8, 0, 8)
    empty = builder.EndVector()
    builder.StartObject(41)
    builder.PrependUint32Slot(0, 3, 0)
    builder.PrependUOffsetTRelativeSlot(40, empty, 0)
    builder.Finish(builder.EndObject(), b"TFL3")
    model = read_flatbuffer(bytes(builder.Output()))
    with pytest.raises(WriteError, match="holds field 40"):
        lay_out(model)
    model.associated_files = named(("labels.txt", b"yes"))
    saved(model, tmp_path / "m.tflite")
    check_readers(tmp_path / "m.tflite", {"labels.txt": b"yes"})


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ([AssociatedFile(None, b"")], r"\[0\]: it has no name"),
        ([AssociatedFile("", b"")], r"\[0\]: it has no name"),
        (
            [AssociatedFile("a", b""), AssociatedFile("a", b"")],
            r"\[1\]: another one is called",
        ),
        ([AssociatedFile("a\0b", b"")], "NUL"),
        ([AssociatedFile("\udc80", b"")], "character 1 of its name"),
        ([AssociatedFile("n" * 65536, b"")], "longer than"),
        ([AssociatedFile("a", bytes(2**26 + 1))], "together they have"),
    ],
)
def test_files_that_no_archive_can_hold_are_refused(
    tmp_path: Path, files: list[AssociatedFile], reason: str
) -> None:
    path = tmp_path / "m.tflite"
    model = read_flatbuffer(two_files())
    model.associated_files = files
    with pytest.raises(WriteError, match=reason):
        ts.save_model_to_file(model, path)
    assert not path.exists()


NAMES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20
)


@settings(
    max_examples=examples(20),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.dictionaries(NAMES, st.binary(max_size=300), max_size=6), st.booleans())
def test_any_names_and_contents_come_back(
    tmp_path: Path, files: dict[str, bytes], anew: bool
) -> None:
    model = read_flatbuffer(two_files())
    model.associated_files = named(*files.items())
    if anew:
        model.description = LONGER
    data = encode(model).tobytes()
    assert contents(read_flatbuffer(data)) == files
    if files:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert {n.orig_filename: archive.read(n) for n in archive.infolist()} == files


# ---------------------------------------------------------------------- other kinds of files


def test_a_c_source_holds_the_archive_too(tmp_path: Path) -> None:
    path = tmp_path / "m.cc"
    model = read_flatbuffer(two_files())
    ts.save_model_to_file(model, path)
    again = ts.load_model_from_file(path)
    assert contents(again) == contents(model)
    again.associated_files = named(("new.txt", b"new"))
    save_in_place(again, path)
    assert contents(ts.load_model_from_file(path)) == {"new.txt": b"new"}


def test_json_has_the_files_themselves(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    model = read_flatbuffer(two_files())
    ts.save_model_to_file(model, path)
    text = path.read_text()
    assert '"name": "labels.txt"' in text
    assert "tflm_studio_tail" not in text
    again = ts.load_model_from_file(path)
    assert same_content(again, model)
    (again.associated_files or [])[1].data = b"changed"
    save_in_place(again, path)
    third = ts.load_model_from_file(path)
    saved(third, tmp_path / "m.tflite")
    expected = {"labels.txt": LABELS.encode(), "vocabulary.txt": b"changed"}
    check_readers(tmp_path / "m.tflite", expected)


def test_json_with_an_archive_behind_the_model_is_read(tmp_path: Path) -> None:
    """Earlier versions wrote the archive as bytes with their place."""
    data = two_files()
    at = data.index(LOCAL)
    tail = f'"tflm_studio_tail": {{"at": {at}, "data": {{"hex": "{data[at:].hex()}"}}}}'
    text = f'{{"tflm_studio_json": 1, "version": 3, {tail}}}'
    model = read_model(text.encode(), "m.json")
    assert contents(model) == {"labels.txt": LABELS.encode(), "vocabulary.txt": b"a b c"}
    saved(model, tmp_path / "m.tflite")
    check_readers(tmp_path / "m.tflite", contents(model))
    both = text.replace('"version": 3', '"version": 3, "associated_files": []')
    with pytest.raises(ReadError, match=r"^m\.json: tflm_studio_tail: here stands an archive"):
        read_model(both.encode(), "m.json")


def test_json_names_the_place_of_a_bad_file() -> None:
    text = b'{"tflm_studio_json": 1, "associated_files": [{"data": {"hex": "00"}}]}'
    with pytest.raises(ReadError, match=r"m\.json: .*associated_files\[0\]: it has no name"):
        read_model(text, "m.json")


def test_a_damaged_save_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read back covers the files: a save that lost one is no save."""
    model = read_flatbuffer(two_files())
    model.description = LONGER
    monkeypatch.setattr("tflm_studio.formats.tail.archive_bytes", lambda *_: b"")
    with pytest.raises(WriteError, match="reads back differently at associated_files"):
        ts.save_model_to_file(model, tmp_path / "m.tflite")
    assert not (tmp_path / "m.tflite").exists()


def test_the_limit_is_that_of_the_archive_as_a_whole() -> None:
    assert LARGEST_BYTES == 64 * 2**20
