# SPDX-License-Identifier: Apache-2.0

import errno
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

import tflm_studio as ts
from tests.conftest import readable_models
from tests.formats.test_flatbuffer_writer import official_content
from tflm_studio.schema.tables import Buffer, Model


def test_open_and_save_is_byte_identical(models_folder: Path, tmp_path: Path) -> None:
    for path in readable_models(models_folder):
        ts.save_model_to_file(ts.load_model_from_file(path), tmp_path / "out.tflite")
        assert (tmp_path / "out.tflite").read_bytes() == path.read_bytes(), path


def test_a_new_description_changes_that_field_alone(
    models_folder: Path, tmp_path: Path
) -> None:
    for path in readable_models(models_folder):
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
