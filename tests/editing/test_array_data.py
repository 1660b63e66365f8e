# SPDX-License-Identifier: Apache-2.0
"""Buffers whose bytes are numpy arrays, as scripts put them there."""

from pathlib import Path

import numpy as np

import tflm_studio as ts
from tests.conftest import SAMPLES
from tflm_studio.analysis.stored_contents import contents_at


def test_weights_given_as_an_array_are_read_edited_and_saved(tmp_path: Path) -> None:
    model = ts.load_model_from_file(SAMPLES / "sine_float.tflite")
    subgraph = (model.subgraphs or [])[0]
    place = next(
        k
        for k, tensor in enumerate(subgraph.tensors or [])
        if len((model.buffers or [])[tensor.buffer].data or b"") > 64
    )
    tensor = (subgraph.tensors or [])[place]
    address = f"subgraphs[0].tensors[{place}]"
    given = np.round(ts.values(model, address), 1)
    (model.buffers or [])[tensor.buffer].data = given
    assert np.array_equal(ts.values(model, address), given)
    contents = contents_at(model, ("subgraphs", 0, "tensors", place))
    assert contents is not None
    assert np.array_equal(contents.values(), given.reshape(-1))
    document = ts.Document(model)
    document.do(ts.weights.scale(model, address, 2.0))
    document.do(ts.buffers.insert_bytes(model, tensor.buffer, 0, b""))
    document.save_as(tmp_path / "doubled.tflite")
    again = ts.load_model_from_file(tmp_path / "doubled.tflite")
    assert np.array_equal(ts.values(again, address), given * np.float32(2))
