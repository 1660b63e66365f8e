# SPDX-License-Identifier: Apache-2.0

import math
from collections.abc import Callable
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tflm_studio.analysis import byte_counts, histograms, statistics
from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.analysis.histograms import Histogram
from tflm_studio.analysis.statistics import MeasuringCancelledError, measure
from tflm_studio.model.quantization import AffineQuantization
from tflm_studio.model.tensor_types import ELEMENT_TYPES, ElementType, decode, encode

KINDS = {kind.name: kind for kind in ELEMENT_TYPES.values()}
INTEGERS = sorted(name for name, kind in KINDS.items() if kind.kind == "integer")
FLOATS = sorted(name for name, kind in KINDS.items() if kind.kind == "float")


def contents(
    data: bytes,
    kind: ElementType,
    count: int | None = None,
    quantization: AffineQuantization | None = None,
) -> BufferContents:
    size = kind.count(len(data)) if count is None else count
    return BufferContents(1, memoryview(data), kind, (size,), quantization, "x", "buffer 1")


@pytest.fixture(autouse=True, scope="module")
def _small_chunks():  # type: ignore[no-untyped-def]
    with (
        patch.object(statistics, "MEASURED_CHUNK", 7),
        patch.object(byte_counts, "COUNTED_CHUNK_BYTES", 6),
    ):
        yield


@pytest.mark.parametrize("name", INTEGERS)
@given(data=st.data())
def test_integers_as_plain_numpy_measures_them(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    drawn = data.draw(st.lists(st.integers(kind.low, kind.high), min_size=1, max_size=60))
    values = np.array(drawn, dtype=object)
    found = measure(contents(encode(values, kind), kind, len(drawn)))
    assert (found.count, found.low, found.high) == (len(drawn), min(drawn), max(drawn))
    assert found.zeros == drawn.count(0)
    assert found.saturated == int(((values == kind.low) | (values == kind.high)).sum())
    wide = values.astype(np.float64)
    reach = max(abs(wide).max(), 1.0)
    assert found.mean == pytest.approx(wide.mean(), rel=1e-9, abs=reach * 1e-9)
    assert found.std == pytest.approx(wide.std(), rel=1e-6, abs=reach * 1e-7)
    histogram = found.histogram
    assert histogram is not None
    most = histograms.MAX_BINS if kind.bits <= 16 else histograms.bin_count(len(drawn))
    step = (max(drawn) - min(drawn)) // most + 1
    assert histogram.width == float(step)
    bins = [(value - min(drawn)) // step for value in drawn]
    expected = [bins.count(number) for number in range(len(histogram.counts))]
    assert histogram.counts.tolist() == expected
    assert histogram.start == float(min(drawn) - 0.5)


@pytest.mark.parametrize("name", FLOATS)
@given(data=st.data())
def test_floats_as_plain_numpy_measures_them(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    raw = data.draw(st.binary(min_size=kind.bits // 8, max_size=400))
    stored = decode(raw[: len(raw) // (kind.bits // 8) * (kind.bits // 8)], kind)
    found = measure(contents(raw, kind))
    finite = stored[np.isfinite(stored)].astype(np.float64)
    assert found.count == len(stored)
    assert found.nan == int(np.isnan(stored).sum())
    assert found.infinite == int(np.isinf(stored).sum())
    assert found.zeros == int((stored == 0).sum())
    if not len(finite):
        assert found.low is None
        assert found.histogram is None
        return
    assert (found.low, found.high) == (finite.min(), finite.max())
    with np.errstate(over="ignore", invalid="ignore"):
        mean, std = finite.mean(), finite.std()
    reach = abs(finite).max()
    if math.isfinite(std):
        assert found.mean == pytest.approx(mean, rel=1e-5, abs=reach * 1e-5)
        assert found.std == pytest.approx(std, rel=1e-4, abs=reach * 1e-4)
    assert found.histogram is not None
    assert found.histogram.counts.sum() == len(finite)


@given(values=hnp.arrays(np.float32, st.integers(1, 80), elements=st.floats(-4, 4, width=16)))
def test_floats_fall_into_the_bins_that_numpy_chooses(values: np.ndarray) -> None:
    found = measure(contents(values.tobytes(), KINDS["float32"]))
    histogram = found.histogram
    assert histogram is not None
    if values.min() == values.max():
        assert histogram.counts.tolist() == [len(values)]
        return
    expected, _ = np.histogram(values.astype(np.float64), len(histogram.counts))
    # A value on an edge may fall to either side of it.
    apart = np.cumsum(histogram.counts) - np.cumsum(expected)
    edges = histogram.edges[1:]
    near = np.array([np.isclose(values, edge, rtol=1e-4, atol=1e-4).sum() for edge in edges])
    assert (abs(apart) <= near).all()


@pytest.mark.parametrize("name", ["int8", "int16", "int4", "int32"])
@pytest.mark.parametrize("channels", [1, 3])
@given(data=st.data())
def test_reals_of_quantised_values(name: str, channels: int, data: st.DataObject) -> None:
    kind = KINDS[name]
    drawn = data.draw(
        st.lists(st.integers(max(kind.low, -9000), min(kind.high, 9000)), min_size=6)
    )
    drawn = drawn[: len(drawn) // 6 * 6]
    scale = np.array([0.25, 0.5, 2.0])[:channels]
    zero = np.array([1, 0, -3], np.int64)[:channels]
    q = AffineQuantization(scale, zero, 2 if channels > 1 else 0)
    buffer = contents(encode(np.array(drawn), kind), kind, len(drawn), q)
    reals = q.to_real(np.array(drawn))
    found = measure(buffer, real=True)
    assert (found.low, found.high) == (reals.min(), reals.max())
    assert found.mean == pytest.approx(reals.mean(), abs=1e-9)
    assert found.std == pytest.approx(reals.std(), rel=1e-6, abs=1e-6)
    assert found.zeros == int((reals == 0).sum())
    assert found.histogram is not None
    assert found.histogram.counts.sum() == len(drawn)


def test_symmetric_weights_saturate_at_minus_127() -> None:
    data = np.array([-128, -127, -126, 126, 127], np.int8).tobytes()
    symmetric = AffineQuantization(np.array([0.1]), np.array([0], np.int64))
    shifted = AffineQuantization(np.array([0.1]), np.array([5], np.int64))
    assert measure(contents(data, KINDS["int8"], None, symmetric)).saturated == 3
    assert measure(contents(data, KINDS["int8"], None, shifted)).saturated == 2
    assert measure(contents(data, KINDS["int8"])).saturated == 2


def test_padding_of_packed_types_is_not_counted() -> None:
    data = encode(np.array([3, -2, 1]), KINDS["int4"])
    found = measure(contents(data, KINDS["int4"], 3))
    assert (found.count, found.low, found.high, found.zeros) == (3, -2, 3, 0)
    assert found.mean == pytest.approx(2 / 3)


def test_the_widest_ranges_do_not_overflow() -> None:
    for kind, ends in ((KINDS["float64"], 1.7e308), (KINDS["float32"], 3.4e38)):
        data = encode(np.array([-ends, 0.0, ends]), kind)
        histogram = measure(contents(data, kind)).histogram
        assert histogram is not None
        assert histogram.counts.sum() == 3
        assert histogram.counts[[0, -1]].tolist() == [1, 1]


@pytest.mark.parametrize("name", ["bool", "complex64", "string", "resource"])
def test_other_types_are_measured_too(name: str) -> None:
    kind = KINDS[name]
    data = np.array([3 + 4j, 0], np.complex64).tobytes()
    found = measure(contents(data, kind, None if kind.bits else len(data)))
    assert found.count == (kind.count(len(data)) if kind.bits else len(data))
    if name == "complex64":
        assert (found.low, found.high, found.zeros) == (0.0, 5.0, 1)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_nothing_to_measure(name: str) -> None:
    found = measure(contents(b"", KINDS[name], 0))
    assert found.count == 0
    assert found.histogram is None
    assert math.isnan(found.mean)


def _after(asked: int) -> Callable[[], bool]:
    left = iter([False] * asked)
    return lambda: next(left, True)


@pytest.mark.parametrize("name", ["int8", "int16", "float32"])
@pytest.mark.parametrize("asked", [0, 1, 3])
def test_cancelling_stops_at_the_next_chunk(name: str, asked: int) -> None:
    buffer = contents(bytes(400), KINDS[name])
    with pytest.raises(MeasuringCancelledError):
        measure(buffer, cancelled=_after(asked))


def test_edges_of_bins_over_all_that_float64_holds_are_finite() -> None:
    most = np.finfo(np.float64).max
    histogram = Histogram(-most, most / 8, np.ones(16, np.int64))
    assert np.isfinite(histogram.edges).all()
    assert (histogram.edges[0], histogram.edges[-1]) == (-most, most)
