# SPDX-License-Identifier: Apache-2.0

import pytest

from tflm_studio.model.errors import EditError
from tflm_studio.model.index_text import read_indices


def test_ranges_and_single_ones() -> None:
    assert read_indices("0-3, 7;9 2-0") == [0, 1, 2, 3, 7, 9, 2, 1, 0]
    assert read_indices(" ") == []
    assert read_indices("0-7", most=8) == list(range(8))


@pytest.mark.parametrize("text", ["a", "1-", "-1", "0-99999999", "1.5", "1-2-3", "9" * 30])
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(EditError, match="element"):
        read_indices(text, "element")


def test_no_more_than_are_wanted() -> None:
    with pytest.raises(EditError, match="more than 8"):
        read_indices("0, 1-8", most=8)
