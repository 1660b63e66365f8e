# SPDX-License-Identifier: Apache-2.0
"""What is typed for an operation is read, or refused with the name of the field."""

from __future__ import annotations

from pathlib import Path

import pytest

from tflm_studio.model.errors import EditError
from tflm_studio.ui.views.operation_parameters import Parameter, read_parameter


def test_lists_files_and_ticks_are_read() -> None:
    assert read_parameter(Parameter("scale", "&Scale", "reals"), "0.5, 2") == [0.5, 2.0]
    assert read_parameter(Parameter("bias", "&Bias", "tick"), "1") is True
    assert read_parameter(Parameter("path", "&File", "file"), " a.npy ") == Path("a.npy")


@pytest.mark.parametrize(("kind", "text"), [("reals", " "), ("whole", "x"), ("file", "a.bin")])
def test_what_cannot_be_read_names_its_field(kind: str, text: str) -> None:
    parameter = Parameter("some", "Zero &point", kind)  # type: ignore[arg-type]
    with pytest.raises(EditError, match="Zero point: "):
        read_parameter(parameter, text)
