# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import logging
from pathlib import Path

import pytest

import tflm_studio as ts
from tests.conftest import every, readable_models
from tests.editing.tensor_models import BIAS, WEIGHTS, B, W, Y, dense_model, done, refused
from tests.formats.test_oracles import DIED, REFUSED, run_models
from tflm_studio.editing import buffers
from tflm_studio.editing.proposal import in_sequence
from tflm_studio.formats.compression_metadata import Compression, LutTensor, encode_compression
from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.model.cancellation import CancelledError, cancellable
from tflm_studio.model.outside import is_outside
from tflm_studio.schema.tables import Buffer, Metadata, Model, SubGraph, Tensor

log = logging.getLogger(__name__)


def data(model: Model) -> list[bytes]:
    return [bytes(buffer.data or b"") for buffer in model.buffers or []]


def used(model: Model) -> list[int]:
    return [tensor.buffer for tensor in model.subgraphs[0].tensors]


def test_add_duplicate_and_delete() -> None:
    model = done(model := dense_model(), buffers.add(model, b"new", 1))
    assert data(model) == [b"", b"new", WEIGHTS, BIAS, b""]
    assert used(model) == [0, 2, 3, 4, 0]
    done(model, buffers.duplicate(model, 2))
    assert data(model)[5] == WEIGHTS
    done(model, buffers.delete(model, [1, 5]))
    assert data(model) == [b"", WEIGHTS, BIAS, b""]
    done(model := Model(), buffers.add(model, b"first"))
    assert data(model) == [b"", b"first"]


def test_refusals() -> None:
    model = dense_model()
    with refused(model, "Buffer 1 is still used by tensor 1 w"):
        buffers.delete(model, [1])
    with refused(model, "Buffer 0"):
        buffers.delete(model, [0])
    with refused(model, "Buffer 0"):
        buffers.add(model, b"", 0)
    with refused(model, "no buffer 9"):
        buffers.duplicate(model, 9)
    with refused(model, "no buffer 4"):
        buffers.delete(model, [4])
    with refused(model, "no buffer 4"):
        buffers.set_data(model, 4, b"")
    with refused(model, "Buffer 0 stands for no data"):
        buffers.set_data(model, 0, b"a")
    with refused(model, "Buffer 2 has 12 bytes; there are none from 13 to 13"):
        buffers.insert_bytes(model, 2, 13, b"a")
    with refused(model, "none from 10 to 13"):
        buffers.remove_bytes(model, 2, 10, 3)
    with refused(model, "none from 2 to 1"):
        buffers.remove_bytes(model, 2, 2, -1)


def test_bytes() -> None:
    model = dense_model()
    done(model, made := buffers.insert_bytes(model, 2, 1, b"abc"))
    assert data(model)[2] == BIAS[:1] + b"abc" + BIAS[1:]
    assert made.notes == ("tensor 2 b needs 12 bytes, the buffer has 15 now.",)
    done(model, made := buffers.remove_bytes(model, 2, 1, 3))
    assert (data(model)[2], made.notes) == (BIAS, ())
    model.subgraphs[0].tensors[Y].buffer = 2
    done(model, made := buffers.set_data(model, 2, bytes(12)))
    assert made.notes == ("Buffer 2 is shared: tensor 2 b, tensor 3 y see the new bytes.",)
    done(model, buffers.set_data(model, 2, None))
    assert not model.buffers[2].data


def test_share_and_unshare() -> None:
    model = dense_model()
    model.buffers.append(Buffer(data=BIAS))
    model.subgraphs[0].tensors[Y].buffer = 4
    done(model, buffers.share(model, [(0, B), (0, Y)]))
    assert used(model)[B] == used(model)[Y] == 2
    done(model, buffers.detach(model, 0, Y))
    assert used(model) == [0, 1, 2, 5, 0]
    assert data(model)[5] == BIAS
    model.metadata = [Metadata("m", 5)]
    done(model, buffers.unshare(model, ("metadata", 0)))
    assert model.metadata[0].buffer == 6
    done(model, buffers.share(model, [(0, W), (0, B)], force=True))
    assert used(model)[B] == 1


def test_share_is_refused() -> None:
    model = dense_model()
    with refused(model, "tensor 2 b has other bytes than tensor 1 w"):
        buffers.share(model, [(0, W), (0, B)])
    with refused(model, "two tensors or more"):
        buffers.share(model, [(0, W)])
    with refused(model, "no tensor 8"):
        buffers.share(model, [(0, W), (0, 8)])
    with refused(model, "tensor 1 w has its buffer for itself"):
        buffers.detach(model, 0, W)
    with refused(model, "neither a tensor nor metadata"):
        buffers.unshare(model, ("buffers", 0))
    model.subgraphs[0].tensors[W].buffer = 99
    with refused(model, "for itself"):
        buffers.detach(model, 0, W)
    with refused(model, "no buffer 99"):
        buffers.share(model, [(0, W), (0, B)])


def compressed_model() -> Model:
    """Two tensors, each with a table of its own of the same bytes."""
    blob = encode_compression(Compression(1, ((LutTensor(0, 3, 4), LutTensor(1, 4, 4)),)))
    return Model(
        version=3,
        buffers=[Buffer(), *(Buffer(data=b"same") for _ in range(4)), Buffer(data=blob)],
        subgraphs=[SubGraph(tensors=[Tensor(buffer=1), Tensor(buffer=2)])],
        metadata=[Metadata("COMPRESSION_METADATA", 5)],
    )


def test_identical_buffers() -> None:
    model = dense_model()
    model.buffers += [
        Buffer(data=BIAS),
        Buffer(data=BIAS),
        Buffer(data=BIAS),
        Buffer(data=b"x"),
    ]
    model.subgraphs[0].tensors[Y].buffer = 4
    model.subgraphs[0].tensors.append(Tensor(buffer=5, is_variable=True))
    model.metadata = [Metadata("m", 6)]
    done(model, made := buffers.share_identical(model))
    assert made.notes[0] == "2 buffers with 24 bytes removed."
    assert data(model) == [b"", WEIGHTS, BIAS, b"", BIAS, b"x"]
    assert used(model) == [0, 1, 2, 2, 0, 4]
    assert model.metadata[0].buffer == 2
    assert not buffers.share_identical(model).edits


def test_tables_of_compressed_tensors_stay() -> None:
    model = done(model := compressed_model(), buffers.share_identical(model))
    assert used(model) == [1, 1]
    assert data(model)[:4] == [b"", b"same", b"same", b"same"]
    assert not buffers.remove_unused(model).edits


def test_bytes_outside_of_the_flatbuffer_stay_there() -> None:
    model = dense_model()
    outside = Buffer(data=BIAS, offset=1, size=12)
    model.buffers += [outside, Buffer(data=BIAS, offset=1, size=12)]
    model.subgraphs[0].tensors += [Tensor(buffer=4), Tensor(buffer=5)]
    done(model, buffers.share_identical(model))
    assert used(model)[4:] == [0, 4, 4]
    done(model, buffers.detach(model, 0, 6))
    assert is_outside(model.buffers[5])
    done(model, buffers.set_data(model, 5, None))
    assert (model.buffers[5].offset, model.buffers[5].size) == (0, 0)


def test_unused_buffers() -> None:
    model = dense_model()
    model.buffers += [Buffer(data=b"unused"), Buffer(data=b"legacy"), Buffer()]
    model.metadata_buffer = [5]
    model.metadata = [Metadata("m", 6)]
    done(model, made := buffers.remove_unused(model))
    assert made.notes == ("1 unused buffer with 6 bytes removed.",)
    assert data(model)[4:] == [b"legacy", b""]
    assert (model.metadata_buffer, model.metadata[0].buffer) == ([4], 5)
    assert not buffers.remove_unused(model).edits
    assert not buffers.remove_unused(Model()).edits


def test_hashing_can_be_cancelled() -> None:
    model = compressed_model()
    with cancellable(lambda: True), pytest.raises(CancelledError):
        buffers.share_identical(model)


def test_real_models_give_the_same_outputs(models_folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("tflite_micro")
    before, after, saved = [], [], 0
    for number, path in enumerate(every(8, readable_models(models_folder))):
        model = ts.load_model_from_file(path)
        old = lay_out(model).tobytes()
        made = in_sequence(
            model, buffers.share_identical, buffers.remove_unused, label="smaller"
        )
        if not made.edits:
            continue
        done(model, made)
        new = lay_out(model).tobytes()
        assert len(new) <= len(old)
        saved += len(old) - len(new)
        after.append(tmp_path / f"{number}.tflite")
        after[-1].write_bytes(new)
        before.append(path)
    first, again = run_models(before, 85), run_models(after, 85)
    pairs = zip(first, again, strict=True)
    ran = [pair for pair in pairs if pair[0] not in (DIED, REFUSED)]
    assert all(old == new for old, new in ran)
    log.info("%d of %d models ran, %d bytes saved", len(ran), len(before), saved)
    assert len(ran) >= 3
    assert saved > 0
