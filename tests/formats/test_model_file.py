# SPDX-License-Identifier: Apache-2.0

import errno
import io
import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

import tflm_studio as ts
from tests.conftest import every, readable_models
from tests.formats.test_flatbuffer_writer import official_content
from tflm_studio.formats.flatbuffer_reader import Origin, read_flatbuffer
from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.formats.tail import kept_bytes
from tflm_studio.schema.tables import Buffer, Model


def test_open_and_save_is_byte_identical(models_folder: Path, tmp_path: Path) -> None:
    for path in every(8, readable_models(models_folder)):
        ts.save_model_to_file(ts.load_model_from_file(path), tmp_path / "out.tflite")
        assert (tmp_path / "out.tflite").read_bytes() == path.read_bytes(), path


def test_a_new_description_changes_that_field_alone(
    models_folder: Path, tmp_path: Path
) -> None:
    for path in every(8, readable_models(models_folder)):
        model = ts.load_model_from_file(path)
        expected = official_content(path.read_bytes())
        expected[1]["description"] = repr(b"another")
        model.description = "another"
        ts.save_model_to_file(model, tmp_path / "out.tflite")
        data = (tmp_path / "out.tflite").read_bytes()
        assert official_content(data) == expected, path
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "out.tflite") as new:
                assert new.testzip() is None
                assert {n: old.read(n) for n in old.namelist()} == {
                    n: new.read(n) for n in new.namelist()
                }


def test_changed_weights_change_only_their_bytes(models_folder: Path, tmp_path: Path) -> None:
    path = models_folder / "tensorflow__tflite-micro" / "person_detect.tflite"
    model = ts.load_model_from_file(path)
    assert model.buffers is not None
    buffer = max(model.buffers, key=lambda item: len(item.data or b""))
    changed = np.frombuffer(buffer.data, np.int8).copy()
    changed[[3, 77, 400]] += 1
    buffer.data = changed
    ts.save_model_to_file(model, tmp_path / "out.tflite")
    old, new = (
        np.frombuffer(p.read_bytes(), np.uint8) for p in (path, tmp_path / "out.tflite")
    )
    assert len(old) == len(new)
    assert int((old != new).sum()) == 3


def test_a_list_or_name_of_the_same_length_changes_only_its_bytes(
    models_folder: Path, tmp_path: Path
) -> None:
    path = models_folder / "tensorflow__tflite-micro" / "person_detect.tflite"
    model = ts.load_model_from_file(path)
    subgraph = (model.subgraphs or [])[0]
    operator, tensor = (subgraph.operators or [])[4], (subgraph.tensors or [])[3]
    assert operator.inputs is not None
    assert tensor.name is not None
    operator.inputs[0] = 34
    tensor.name = "X" + tensor.name[1:]
    ts.save_model_to_file(model, tmp_path / "out.tflite")
    old, new = path.read_bytes(), (tmp_path / "out.tflite").read_bytes()
    assert len(old) == len(new)
    assert sum(a != b for a, b in zip(old, new, strict=True)) == 2


def test_through_c_source_and_back(models_folder: Path, tmp_path: Path) -> None:
    path = models_folder / "tensorflow__tflite-micro" / "person_detect.tflite"
    ts.save_model_to_file(ts.load_model_from_file(path), tmp_path / "person.cc")
    assert (tmp_path / "person.h").exists()
    ts.save_model_to_file(
        ts.load_model_from_file(tmp_path / "person.cc"), tmp_path / "b.tflite"
    )
    assert (tmp_path / "b.tflite").read_bytes() == path.read_bytes()


def test_what_cannot_be_read_is_refused_with_the_reason(tmp_path: Path) -> None:
    cases = {
        "empty.tflite": (b"", "empty"),
        "text.txt": (b"hello\n" * 20, "neither"),
        "lfs.tflite": (b"version https://git-lfs.github.com/spec/v1\noid x\n", "git lfs pull"),
        "cut.tflite": (b"\x1c\0\0\0TFL3" + b"\0" * 12, "byte"),
    }
    for name, (data, reason) in cases.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(ts.ReadError, match=reason) as caught:
            ts.load_model_from_file(tmp_path / name)
        assert name in str(caught.value)
    with pytest.raises(ts.ReadError, match="folder"):
        ts.load_model_from_file(tmp_path)
    with pytest.raises(ts.ReadError, match="no such file"):
        ts.load_model_from_file(tmp_path / "missing.tflite")


def test_a_failed_save_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "model.tflite"
    ts.save_model_to_file(Model(version=3), target)
    old = target.read_bytes()
    with pytest.raises(ts.WriteError):
        ts.save_model_to_file(Model(buffers=[Buffer(size=-1)]), target)
    assert target.read_bytes() == old
    assert list(tmp_path.iterdir()) == [target]
    with pytest.raises(ts.WriteError, match="folder does not exist"):
        ts.save_model_to_file(Model(), tmp_path / "nowhere" / "m.tflite")


def test_a_failed_export_leaves_source_and_header_alone(tmp_path: Path) -> None:
    ts.save_model_to_file(Model(version=3), tmp_path / "net.cc")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    (tmp_path / "net.h").unlink()
    (tmp_path / "net.h").mkdir()
    with pytest.raises(ts.WriteError, match="folder"):
        ts.save_model_to_file(Model(version=3, description="changed"), tmp_path / "net.cc")
    assert (tmp_path / "net.cc").read_bytes() == before["net.cc"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.cc", "net.h"]


def test_a_disk_that_cannot_sync_folders_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fsync

    def fsync(handle: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{handle}"):
            raise OSError(errno.EINVAL, "not here")
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    ts.save_model_to_file(Model(version=3), tmp_path / "m.tflite")
    assert ts.load_model_from_file(tmp_path / "m.tflite").version == 3


def model_with_archive(*, absolute: bool, damaged: bool = False) -> bytes:
    """A model with two associated files behind it, as metadata writers append them."""
    data = lay_out(Model(version=3, description="short", buffers=[Buffer()])).tobytes()
    target = io.BytesIO(data if absolute else b"")
    if absolute:
        target.seek(0, io.SEEK_END)
    with zipfile.ZipFile(target, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("labels.txt", "yes\nno\n" * 20)
        archive.writestr("vocabulary.txt", "a b c")
        archive.comment = b"associated files"
    whole = target.getvalue() if absolute else data + target.getvalue()
    if damaged:
        at = whole.index(b"labels.txt") + len("labels.txt") + 3
        whole = whole[:at] + b"\xff\xff\xff" + whole[at + 3 :]
    return whole


@pytest.mark.parametrize("absolute", [True, False])
def test_an_archive_behind_the_model_moves_with_its_end(
    tmp_path: Path, absolute: bool
) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(model_with_archive(absolute=absolute))
    model = ts.load_model_from_file(path)
    model.description = "a much longer description " * 9
    ts.save_model_to_file(model, path)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.read("labels.txt") == b"yes\nno\n" * 20
        assert archive.comment == b"associated files"
        first = archive.getinfo("labels.txt").header_offset
    data = path.read_bytes()
    assert data[first : first + 4] == b"PK\3\4"
    # Readers that count from the start of the file find the directory without guessing.
    size, offset = struct.unpack_from("<II", data, data.rindex(b"PK\5\6") + 12)
    assert data[offset : offset + 4] == b"PK\1\2"
    assert offset + size == data.rindex(b"PK\5\6")


def test_a_damaged_entry_of_an_archive_is_kept_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(model_with_archive(absolute=True, damaged=True))
    model = ts.load_model_from_file(path)
    model.description = "a much longer description " * 9
    ts.save_model_to_file(model, path)
    with zipfile.ZipFile(path) as archive:
        assert archive.read("vocabulary.txt") == b"a b c"
        assert archive.namelist() == ["labels.txt", "vocabulary.txt"]


def test_values_that_are_structure_as_well_are_laid_out_anew(tmp_path: Path) -> None:
    """Two buffers may lie over each other; patching one would change the other."""
    model = Model(version=3, buffers=[Buffer(data=b"A" * 32), Buffer(data=b"B" * 32)])
    data = bytearray(lay_out(model).tobytes())
    first, second = data.index(b"A" * 32) - 4, data.index(b"B" * 32) - 4
    fields = [at for at in range(8, first, 4) if at + _word(data, at) == second]
    struct.pack_into("<I", data, fields[0], first - fields[0])
    shared = read_flatbuffer(bytes(data))
    buffers = shared.buffers or []
    assert bytes(buffers[1].data or b"") == b"A" * 32
    buffers[1].data = b"C" * 32
    ts.save_model_to_file(shared, tmp_path / "m.tflite")
    again = ts.load_model_from_file(tmp_path / "m.tflite").buffers or []
    assert [bytes(buffer.data or b"")[:1] for buffer in again] == [b"A", b"C"]


def test_a_patch_that_breaks_the_structure_is_not_written(tmp_path: Path) -> None:
    """A buffer may even lie over the length of another one."""
    buffers = [Buffer(data=b"A" * 32), Buffer(data=b"B" * 32)]
    data = bytearray(lay_out(Model(metadata_buffer=[72], buffers=buffers)).tobytes())
    first = data.index(b"A" * 32) - 4
    field = next(at for at in range(8, first, 4) if at + _word(data, at) == first)
    length = next(at for at in range(field, first, 4) if _word(data, at) == 72)
    struct.pack_into("<I", data, field, length - field)
    model = read_flatbuffer(bytes(data))
    (model.buffers or [])[0].data = b"\xff" * 72
    ts.save_model_to_file(model, tmp_path / "m.tflite")
    again = ts.load_model_from_file(tmp_path / "m.tflite").buffers or []
    assert [bytes(buffer.data or b"") for buffer in again] == [b"\xff" * 72, b"B" * 32]


def _word(data: bytearray, at: int) -> int:
    return int(struct.unpack_from("<I", data, at)[0])


def test_odd_paths_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    for name in ("pipe", "loop", "nul\0name"):
        with pytest.raises(ts.ReadError):
            ts.load_model_from_file(tmp_path / name)
        with pytest.raises(ts.WriteError, match="cannot be saved"):
            ts.save_model_to_file(Model(), tmp_path / name)
    ts.save_model_to_file(Model(version=3), tmp_path / ("n" * 247 + ".tflite"))


@pytest.mark.parametrize("size", [40, 5000])
def test_bytes_that_stay_are_found_again_at_the_next_save(tmp_path: Path, size: int) -> None:
    """After the first save weights stand behind them; they must survive all later ones too."""
    payload = bytes(range(1, 256)) * 20
    data = lay_out(Model(version=3, buffers=[Buffer(), Buffer(data=b"w" * size)])).tobytes()
    place = len(data) + 48
    path = tmp_path / "m.tflite"
    path.write_bytes(data + bytes(48) + payload[:size])
    for number in range(4):
        model = ts.load_model_from_file(path)
        model.description = "longer every time " * (number + 1) * 8
        (model.buffers or []).append(Buffer(data=bytes([65 + number]) * 500))
        ts.save_model_to_file(model, path)
        saved = path.read_bytes()
        assert saved[place : place + size] == payload[:size], number
        again = ts.load_model_from_file(path)
        assert [len(b.data or b"") for b in again.buffers or []][2:] == [500] * (number + 1)


def test_payloads_of_real_models_survive_several_saves(
    models_folder: Path, tmp_path: Path
) -> None:
    found = 0
    for path in every(2, readable_models(models_folder)):
        try:
            model = ts.load_model_from_file(path)
        except ts.ReadError:
            continue
        assert isinstance(model.extra, Origin)
        kept = kept_bytes(model.extra)
        if not kept or path.stat().st_size > 2_000_000:
            continue
        found += 1
        for number in range(3):
            model.description = "changed " * (number + 3)
            (model.buffers or []).append(Buffer(data=b"new weights " * 9))
            ts.save_model_to_file(model, tmp_path / "m.tflite")
            model = ts.load_model_from_file(tmp_path / "m.tflite")
        saved = (tmp_path / "m.tflite").read_bytes()
        for each in kept:
            if any(each.data):  # zeros behind the last weights are padding
                assert saved[each.at : each.at + len(each.data)] == each.data, path
    assert found >= 5
