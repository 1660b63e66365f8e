# SPDX-License-Identifier: Apache-2.0
"""What a thread read while a model was changed, or changed on trial, counts for nothing."""

from __future__ import annotations

import pytest

import tflm_studio as ts
from tflm_studio.editing.stillness import RestlessError, read_still
from tflm_studio.schema.tables import Model

EDIT = ts.edits.Set("description", "other")


def refused() -> None:
    raise ts.EditError("not now")


def test_reading_a_model_that_keeps_still() -> None:
    assert read_still(lambda: 7) == 7
    with pytest.raises(ts.EditError, match="not now"):
        read_still(refused)


@pytest.mark.parametrize("how", ["before", "meanwhile", "within", "step", "refusal", "error"])
def test_a_change_spoils_what_was_read(how: str) -> None:
    document = ts.Document(Model(description="old"))
    draft = ts.Draft(document.model)

    def read() -> None:
        if how in ("meanwhile", "within", "error"):
            draft.__enter__()
        if how in ("meanwhile", "error"):
            draft.__exit__(None, None, None)
        if how == "step":
            document.do(EDIT)
        if how == "refusal":
            with pytest.raises(ts.EditError):
                document.do([EDIT, ts.edits.Set("subgraphs[7].name", "x")])
        if how == "error":
            refused()

    if how == "before":
        draft.__enter__()
    with pytest.raises(RestlessError):
        read_still(read)
    if how in ("before", "within"):
        draft.__exit__(None, None, None)
    assert read_still(lambda: document.model.description) in ("old", "other")
