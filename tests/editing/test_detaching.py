# SPDX-License-Identifier: Apache-2.0

import pytest

from tests.editing.small_models import bytes_of, diamond, do
from tflm_studio.editing.detaching import detach_buffer, detach_operator_code
from tflm_studio.editing.edits import WriteBytes
from tflm_studio.model.errors import EditError


def test_a_tensor_gets_a_copy_of_its_buffer() -> None:
    model = diamond()
    model.subgraphs[0].tensors[3].buffer = 1
    model.buffers[1].offset, model.buffers[1].size = 1, 16
    do(model, detach_buffer(model, 0, 3))
    assert model.subgraphs[0].tensors[3].buffer == 3
    assert bytes(model.buffers[3].data) == bytes(model.buffers[1].data)
    assert (model.buffers[3].offset, model.buffers[3].size) == (0, 0)
    do(model, WriteBytes(("buffers", 3, "data"), 0, b"new!"))
    assert bytes(model.buffers[1].data[:4]) == b"\0\0\x80\x3f"
    assert not detach_buffer(model, 0, 3).edits
    do(model, detach_buffer(model, 0, 5))
    assert model.subgraphs[0].tensors[5].buffer == 4, "buffer 0 is nobody's own"


def test_an_operator_gets_a_copy_of_its_code() -> None:
    model = diamond()
    do(model, detach_operator_code(model, 0, 2))
    assert [o.opcode_index for o in model.subgraphs[0].operators] == [0, 0, 8, 0, 0, 0]
    assert model.operator_codes[8].builtin_code == model.operator_codes[0].builtin_code
    assert not detach_operator_code(model, 0, 2).edits


def test_refusals() -> None:
    model = diamond()
    model.subgraphs[0].tensors[3].buffer = 99
    model.subgraphs[0].operators[1].opcode_index = 99
    before = bytes_of(model)
    with pytest.raises(EditError, match="no buffer 99; the last is 2"):
        detach_buffer(model, 0, 3)
    with pytest.raises(EditError, match="no tensor 9"):
        detach_buffer(model, 0, 9)
    with pytest.raises(EditError, match="no operator code 99"):
        detach_operator_code(model, 0, 1)
    with pytest.raises(EditError, match="no operator 6"):
        detach_operator_code(model, 0, 6)
    assert bytes_of(model) == before
