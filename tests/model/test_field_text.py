"""Numbers that people type in a row."""

import pytest

from tflm_studio.model.errors import EditError
from tflm_studio.model.field_text import read_each, read_float


def test_numbers_stand_between_commas_semicolons_or_blanks():
    assert read_each(read_float, "0.5, 2;3 -1") == [0.5, 2.0, 3.0, -1.0]
    for text in ("", " , "):
        with pytest.raises(EditError, match="a number is needed"):
            read_each(read_float, text)
