"""Memory of files that are only read is given back."""

import mmap
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from tflm_studio.model.comparison import RELEASED_BYTES, same_bytes
from tflm_studio.model.mapped_bytes import release


def _file_megabytes():
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"RssFile:\s+(\d+)", status).group(1)) / 1024


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file"
    with path.open("wb") as file:
        file.truncate(2 * RELEASED_BYTES + 5000)
    return path


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_comparing_a_mapped_file_leaves_no_pages_of_it_in_memory(path):
    with path.open("rb") as file:
        mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    before = _file_megabytes()
    assert same_bytes(mapped[3:], np.zeros(len(mapped) - 3, np.uint8))
    assert _file_megabytes() - before < 1
    assert int(np.frombuffer(mapped, np.uint8).max()) == 0  # and it can be read again
    assert _file_megabytes() - before > 60


@pytest.mark.parametrize("as_read_only", [False, True])
def test_pages_that_were_written_to_stay(path, as_read_only):
    with path.open("rb") as file:
        pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    pages[10_000] = 7
    view = memoryview(pages).toreadonly() if as_read_only else memoryview(pages)
    release(view, 0, len(view))
    assert pages[10_000] == 7


def test_other_bytes_are_left_alone():
    release(b"1234", 0, 4)
    release(np.zeros(8), 0, 64)
