"""Large files are mapped from a private copy."""

import gc
import os
import resource
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import SAMPLES
from tflm_studio.editing import operations
from tflm_studio.editing.document import Document
from tflm_studio.editing.edits import Set, WriteBytes
from tflm_studio.formats import file_bytes, snapshot
from tflm_studio.formats.model_file import (
    load_model_from_file,
    read_model,
    save_model_to_file,
)
from tflm_studio.formats.snapshot import (
    PrivatePages,
    Snapshot,
    is_writable,
    snapshot_of,
    take_snapshot,
    writable,
    write_segment,
)
from tflm_studio.model.errors import ReadError
from tflm_studio.model.tensor_types import element_type
from tflm_studio.schema import tables as t
from tflm_studio.schema.enums import TensorType


@pytest.fixture
def all_files_are_large(monkeypatch):
    monkeypatch.setattr(file_bytes, "MAPPED_BYTES", 1)
    monkeypatch.setattr(snapshot, "SMALLEST", 256)
    monkeypatch.setattr("tflm_studio.formats.flatbuffer_patch.SMALLEST", 256)


@pytest.fixture
def large_file(tmp_path):
    """A model with 20 MB of weights, which is large without any patch."""
    rng = np.random.default_rng(3)
    weights = rng.integers(0, 256, 20 * 2**20, np.uint8)
    tensor = t.Tensor([20, 2**20], TensorType.INT8, 1, "weights")
    subgraph = t.SubGraph([tensor], [0], [0], [], "main")
    model = t.Model(3, [], [subgraph], "large", [t.Buffer(), t.Buffer(weights.data)])
    path = tmp_path / "large.tflite"
    save_model_to_file(model, path)
    return path


def test_a_file_that_is_cut_while_it_is_open_is_shown_whole(large_file):
    model = load_model_from_file(large_file)
    before = bytes(model.buffers[1].data[-10:])
    os.truncate(large_file, 1000)
    # Reading behind the end of a mapped file would end the process.
    assert bytes(model.buffers[1].data[-10:]) == before


def test_a_file_that_is_overwritten_while_it_is_open_is_shown_as_it_was(large_file):
    model = load_model_from_file(large_file)
    before = bytes(model.buffers[1].data[:100])
    with large_file.open("r+b") as file:
        file.write(bytes(20 * 2**20))
    assert bytes(model.buffers[1].data[:100]) == before


def test_nothing_is_left_of_the_private_copy(large_file):
    model = load_model_from_file(large_file)
    folder = snapshot.snapshot_folder()
    assert not [each for each in folder.iterdir() if each.is_file()]
    handle = model.extra.data.obj.handle
    os.fstat(handle)
    del model
    gc.collect()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(handle)


def test_holes_of_a_file_stay_holes(tmp_path):
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.write(b"begin")
        file.seek(50 * 2**20)
        file.write(b"middle")
        file.truncate(80 * 2**20)
    copy = take_snapshot(path)
    assert copy[:5] == b"begin"
    assert copy[50 * 2**20 : 50 * 2**20 + 7] == b"middle\0"
    assert len(copy) == 80 * 2**20
    assert os.fstat(copy.handle).st_blocks * 512 < 2**20


def test_a_copy_that_the_system_cannot_make_is_made_by_hand(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 30_000)
    monkeypatch.delattr(os, "copy_file_range")
    copy = take_snapshot(path)
    assert copy[:] == path.read_bytes()
    out = tmp_path / "out"
    with out.open("wb") as file:
        file.write(b"ahead")
        write_segment(file, memoryview(copy)[3:7_000_000])
        file.write(b"behind")
    assert out.read_bytes() == b"ahead" + path.read_bytes()[3:7_000_000] + b"behind"


def test_pieces_of_a_snapshot_are_written_between_others(tmp_path):
    path, out = tmp_path / "file", tmp_path / "out"
    path.write_bytes(bytes(range(256)) * 30_000)
    copy = memoryview(take_snapshot(path))
    with out.open("wb") as file:
        for piece in (b"one", copy[100:5_000_000], b"two", copy[1:2], copy[5:6_000_000]):
            write_segment(file, piece)
    whole = path.read_bytes()
    assert out.read_bytes() == b"".join(
        (b"one", whole[100:5_000_000], b"two", whole[1:2], whole[5:6_000_000])
    )


def test_written_pages_of_a_snapshot_are_private(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 30_000)
    copy = take_snapshot(path)
    piece = memoryview(copy)[5000:6_000_000]
    own = writable(piece)
    assert isinstance(own, memoryview)
    assert isinstance(own.obj, PrivatePages)
    assert is_writable(own)
    assert own == piece
    own[7] ^= 255
    assert own[7] != piece[7]
    assert copy[:] == path.read_bytes()
    assert snapshot_of(own) is None
    assert snapshot_of(piece) == (copy, 5000)


def test_one_weight_of_a_large_file_is_a_change_of_one_byte(large_file):
    original = large_file.read_bytes()
    document = Document.open(large_file)
    kind = element_type(TensorType.INT8)
    document.do(operations.set_buffer_value(document.model, 1, kind, 12_345_678, 17))
    document.do(operations.set_buffer_value(document.model, 1, kind, 3, -100))
    document.save()
    written = np.frombuffer(large_file.read_bytes(), np.uint8)
    differing = np.flatnonzero(written != np.frombuffer(original, np.uint8))
    start = document.model.extra.offset_of(load_model_from_file(large_file).buffers[1].data)
    assert len(differing) == 2, start
    assert differing[1] - differing[0] == 12_345_678 - 3
    document.undo()
    document.undo()
    document.save()
    assert large_file.read_bytes() == original


def test_a_value_edit_of_a_large_file_costs_pages(large_file):
    document = Document.open(large_file)
    size = len(document.model.buffers[1].data)
    before = _anonymous_kib()
    for k in range(100):
        offset = (k * 7919 * 4096) % size
        document.do(WriteBytes("buffers[1].data", offset, b"\1\2"))
    assert _anonymous_kib() - before < 4096


def _anonymous_kib() -> int:
    text = Path("/proc/self/status").read_text()
    return int(text.split("RssAnon:")[1].split()[0])


@pytest.mark.usefixtures("all_files_are_large")
@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.tflite")), ids=lambda p: p.name)
def test_a_mapped_sample_saves_as_one_that_was_read(path, tmp_path, monkeypatch):
    out, other = tmp_path / "out.tflite", tmp_path / "other.tflite"
    mapped = Document.open(path)
    assert isinstance(mapped.model.extra.data.obj, Snapshot)
    mapped.save(out)
    assert out.read_bytes() == path.read_bytes()
    monkeypatch.setattr(file_bytes, "MAPPED_BYTES", 2**24)
    read = Document.open(path)
    largest = max(
        range(len(read.model.buffers)), key=lambda k: len(read.model.buffers[k].data or b"")
    )
    for document in (mapped, read):
        document.do(WriteBytes(("buffers", largest, "data"), 3, b"\5\6\7"))
        document.do(Set("description", "another description, longer than the one before"))
    mapped.save(out)
    read.save(other)
    assert out.read_bytes() == other.read_bytes()


def test_a_file_that_is_written_while_it_is_read_is_refused(large_file, monkeypatch):
    def growing(path):
        with large_file.open("ab") as file:
            file.write(b"more")
        return take_snapshot(path)

    monkeypatch.setattr(file_bytes, "take_snapshot", growing)
    with pytest.raises(ReadError, match="another program is writing"):
        load_model_from_file(large_file)


def test_no_room_for_the_copy_is_said(large_file):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, hard))
    try:
        with pytest.raises(ReadError, match=r"copied before it is opened.*XDG_CACHE_HOME"):
            load_model_from_file(large_file)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("cache", ["/proc/none", "/dev/null/none"])
def test_without_a_cache_folder_the_copy_is_made_elsewhere(large_file, monkeypatch, cache):
    monkeypatch.setenv("XDG_CACHE_HOME", cache)
    assert load_model_from_file(large_file).description == "large"


def test_a_large_file_that_is_no_model_is_not_read(tmp_path, monkeypatch):
    path = tmp_path / "disk.img"
    with path.open("wb") as file:
        file.truncate(2**35)  # more than there is memory
    monkeypatch.setattr(file_bytes, "take_snapshot", None)
    with pytest.raises(ReadError, match="neither a TFLite model"):
        load_model_from_file(path)
    with pytest.raises(ReadError, match="neither a TFLite model"):
        read_model(memoryview(bytes(2**17)), "zeros")


@pytest.mark.usefixtures("all_files_are_large")
def test_more_buffers_are_changed_than_files_may_be_open(tmp_path):
    buffers = [t.Buffer(), *(t.Buffer(bytes(1024)) for _ in range(64))]
    path = tmp_path / "many.tflite"
    save_model_to_file(t.Model(3, [], [], "many", buffers), path)
    document = Document.open(path)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + 20, hard))
    try:
        for k in range(1, 65):
            document.do(WriteBytes(("buffers", k, "data"), 1000, b"new"))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    document.save()
    data = [bytes(b.data) for b in load_model_from_file(path).buffers[1:]]
    assert data == [bytes(1000) + b"new" + bytes(21)] * 64


@pytest.mark.usefixtures("all_files_are_large")
def test_a_view_of_changed_bytes_is_copied_where_it_is_put(large_file):
    document = Document.open(large_file)
    document.do(WriteBytes("buffers[1].data", 0, b"first"))
    document.do(Set("buffers[0].data", document.model.buffers[1].data.toreadonly()))
    document.do(WriteBytes("buffers[1].data", 0, b"other"))
    assert bytes(document.model.buffers[0].data[:5]) == b"first"
