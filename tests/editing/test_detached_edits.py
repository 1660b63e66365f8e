# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from tests.conftest import SAMPLES
from tflm_studio.editing.detached_edits import edit_alone
from tflm_studio.editing.document import Document
from tflm_studio.editing.edits import Set, WriteBytes
from tflm_studio.formats.model_file import encode, load_model_from_file
from tflm_studio.model.errors import EditError
from tflm_studio.schema.tables import Model


@pytest.fixture
def model() -> Model:
    """Two tensors and a metadata entry share a buffer, two operators a code."""
    made = load_model_from_file(SAMPLES / "sine_int8.tflite")
    assert made.subgraphs is not None
    assert made.metadata is not None
    tensors = made.subgraphs[0].tensors
    assert tensors is not None
    tensors[2].buffer = made.metadata[0].buffer = tensors[1].buffer
    return made


@pytest.mark.parametrize("user", [("subgraphs", 0, "tensors", 2), ("metadata", 0)])
def test_one_user_gets_edited_bytes_and_the_others_keep_theirs(
    model: Model, user: tuple[str | int, ...]
) -> None:
    document, shared = Document(model), model.subgraphs[0].tensors[1].buffer  # type: ignore[index]
    buffers = model.buffers or []
    before, count = bytes(buffers[shared].data or b""), len(buffers)
    saved = encode(model).tobytes()
    place = ("buffers", shared, "data")
    document.do(
        edit_alone(model, user, [WriteBytes(place, 0, b"\x77"), WriteBytes(place, 1, b"\x78")])
    )
    assert bytes(buffers[shared].data or b"") == before
    assert bytes(buffers[count].data or b"") == b"\x77\x78" + before[2:]
    assert len(document.history.steps) == 1
    document.undo()
    assert encode(model).tobytes() == saved


def test_one_operator_gets_a_code_of_its_own(model: Model) -> None:
    operators = model.subgraphs[0].operators or []  # type: ignore[index]
    for operator in operators:
        operator.opcode_index = 0
    count = len(model.operator_codes or [])
    edit = Set(("operator_codes", 0, "version"), 9)
    Document(model).do(edit_alone(model, ("subgraphs", 0, "operators", 1), [edit]))
    assert [operator.opcode_index for operator in operators] == [0, count, 0]
    assert [code.version for code in model.operator_codes or []][-1] == 9


def test_who_shares_nothing_is_refused(model: Model) -> None:
    edit = Set(("operator_codes", 0, "version"), 9)
    with pytest.raises(EditError, match="shares nothing"):
        edit_alone(model, ("buffers", 0), [edit])
    model.subgraphs[0].operators[0].opcode_index = 0  # type: ignore[index]
    with pytest.raises(EditError, match="99"):
        edit_alone(model, ("subgraphs", 0, "operators", 99), [edit])
