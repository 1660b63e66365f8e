# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from tests.analysis.coded_models import BLOCKS, FILTER, SCALES, SIX, coded_model
from tests.conftest import SAMPLES
from tflm_studio.analysis import array_comparison, difference_cells
from tflm_studio.analysis.array_comparison import Comparison, Reader, compare
from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.analysis.reference_values import (
    check_same_shape,
    comparable_tensors,
    file_contents,
    original_model,
    same_contents,
)
from tflm_studio.analysis.stored_contents import contents_at
from tflm_studio.editing.document import Document
from tflm_studio.editing.edits import WriteBytes
from tflm_studio.formats.array_files import write_npy
from tflm_studio.model.cancellation import CancelledError
from tflm_studio.model.errors import EditError


def _reader(array: np.ndarray) -> Reader:
    return lambda start, count: array[start : start + count]


def compared(ours: np.ndarray, theirs: np.ndarray) -> Comparison:
    return compare(_reader(ours), _reader(theirs), len(ours))


@pytest.mark.parametrize("piece", [3, 1000])
def test_figures_are_those_of_numpy(monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    monkeypatch.setattr(array_comparison, "PIECE", piece)
    random = np.random.default_rng(5)
    theirs = random.normal(0, 1, 500)
    ours = theirs + random.normal(0, 0.1, 500) * (random.random(500) < 0.5)
    found, error = compared(ours, theirs), ours - theirs
    assert found.changed == np.count_nonzero(error)
    assert found.largest == pytest.approx(np.abs(error).max())
    assert found.largest_at == np.abs(error).argmax()
    assert found.mean == pytest.approx(error.mean())
    assert found.mean_absolute == pytest.approx(np.abs(error).mean())
    assert found.rms == pytest.approx(np.sqrt(np.mean(error**2)))
    wanted = 10 * math.log10((theirs**2).sum() / (error**2).sum())
    assert found.sqnr == pytest.approx(wanted)
    wanted_order = np.argsort(-np.abs(error), kind="stable")[: len(found.listed)]
    np.testing.assert_array_equal(found.listed, wanted_order)
    np.testing.assert_array_equal(found.differences, error.astype(np.float32))


@pytest.mark.parametrize(
    ("shape", "columns"), [((70, 90), 90), ((6300,), 0), ((3, 2100), 2100), ((2100, 3), 3)]
)
def test_very_many_differences_are_kept_as_the_largest_of_cells(
    shape: tuple[int, ...], columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(array_comparison, "PIECE", 997)
    monkeypatch.setattr(array_comparison, "MOST_MAPPED", 1000)
    monkeypatch.setattr(difference_cells, "MOST_CELLS", 500)
    random = np.random.default_rng(5)
    theirs = random.normal(0, 1, math.prod(shape))
    ours = theirs + random.normal(0, 0.1, theirs.size) * (random.random(theirs.size) < 0.02)
    ours[77] = np.nan
    found = compare(_reader(ours), _reader(theirs), len(ours), columns=columns)
    assert found.differences is None
    cells = found.cells
    assert cells is not None
    assert cells.largest.size <= 500
    assert cells.largest.size > 100
    apart = np.nan_to_num(np.abs(ours - theirs), nan=np.inf)
    rows = -(-len(ours) // cells.columns)
    assert cells.columns == (columns or 128)
    table = np.zeros((rows, cells.columns))
    table.reshape(-1)[: len(ours)] = apart
    across = range(0, cells.columns, cells.width)
    wanted = [
        [table[r : r + cells.height, c : c + cells.width].max() for c in across]
        for r in range(0, rows, cells.height)
    ]
    np.testing.assert_array_equal(cells.largest, np.array(wanted, np.float32))


def test_what_is_not_finite() -> None:
    nan, inf = np.nan, np.inf
    found = compared(np.array([nan, inf, inf, nan, 2.0]), np.array([nan, inf, -inf, 1.0, 1.0]))
    assert (found.changed, found.special, found.largest) == (3, 2, 1.0)
    assert found.largest_at == 2
    same = compared(np.zeros(3), np.zeros(3))
    assert (same.changed, same.sqnr, same.largest_at) == (0, math.inf, None)
    with pytest.raises(CancelledError):
        compare(lambda s, c: np.zeros(c), lambda s, c: np.zeros(c), 3, cancelled=lambda: True)


def at(model: object, *place: str | int) -> BufferContents:
    found = contents_at(model, place)  # type: ignore[arg-type]
    assert found is not None
    return found


def test_the_file_as_opened_is_a_reference() -> None:
    document = Document.open(SAMPLES / "shapes_int8.tflite")
    tensors = document.model.subgraphs[0].tensors  # type: ignore[index]
    number = next(
        k
        for k, t in enumerate(tensors or [])
        if at(document.model, "subgraphs", 0, "tensors", k).data
    )
    place = ("subgraphs", 0, "tensors", number)
    before = at(document.model, *place).values().copy()
    buffer = tensors[number].buffer  # type: ignore[index]
    document.do(
        WriteBytes(("buffers", buffer, "data"), 0, bytes([before.view(np.uint8)[0] ^ 1]))
    )
    now = at(document.model, *place)
    then = same_contents(original_model(document.model), now)
    np.testing.assert_array_equal(then.values(), before)
    assert compare(now.values, then.values, now.count).changed == 1
    with pytest.raises(EditError, match="not opened from a file"):
        original_model(coded_model())


def test_other_tensors_files_and_shapes(tmp_path: Path) -> None:
    model = coded_model()
    filters, six = (at(model, "subgraphs", 0, "tensors", k) for k in (FILTER, SIX))
    assert comparable_tensors(model, filters) == {}
    scales = at(model, "subgraphs", 0, "tensors", SCALES)
    assert [place[3] for place in comparable_tensors(model, scales).values()] == [2, 5]
    array = np.arange(72, dtype=np.float32).reshape(2, 3, 3, 4) + 0.5
    write_npy(tmp_path / "w.npy", array)
    theirs = file_contents(tmp_path / "w.npy", filters)
    check_same_shape(filters, theirs)
    assert compare(filters.values, theirs.values, 72).mean == -0.5
    with pytest.raises(EditError, match="The shapes differ: 2×3×2×3×4×5 here, 2×3×3×4 there"):
        check_same_shape(six, theirs)
    path = SAMPLES / "shapes_int8.tflite"
    with pytest.raises(EditError, match="no tensor 'blocks'"):
        file_contents(path, at(model, "subgraphs", 0, "tensors", BLOCKS))
