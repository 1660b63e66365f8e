# SPDX-License-Identifier: Apache-2.0
"""What plots draw, beside plain numpy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.analysis.coded_models import BLOCKS, coded_model
from tflm_studio.analysis import channel_histograms as channel_module
from tflm_studio.analysis import kernel_images as kernel_module
from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.analysis.channel_histograms import channel_histograms
from tflm_studio.analysis.envelopes import RUN, envelope, overview
from tflm_studio.analysis.histograms import Histogram
from tflm_studio.analysis.kernel_images import kernel_axes, kernel_images
from tflm_studio.analysis.planes import plane, wrapped_plane
from tflm_studio.analysis.statistics import MeasuringCancelledError, measure
from tflm_studio.analysis.stored_contents import contents_at
from tflm_studio.analysis.tensor_values import values
from tflm_studio.analysis.value_blocks import channel_axis, channel_reader, spread, value_block
from tflm_studio.analysis.value_curves import energy_curve, sorted_curve, sum_curve
from tflm_studio.model.quantization import AffineQuantization
from tflm_studio.model.tensor_types import ELEMENT_TYPES, decode, encode
from tflm_studio.schema.enums import TensorType

FILTER = ("out", "height", "width", "in")
DEPTHWISE = ("one", "height", "width", "channel")
INT8, INT4, FLOAT32 = TensorType.INT8, TensorType.INT4, TensorType.FLOAT32


def contents_of(
    values: NDArray[Any],
    code: int,
    names: tuple[str, ...] = (),
    quantization: AffineQuantization | None = None,
) -> BufferContents:
    kind = ELEMENT_TYPES[code]
    return BufferContents(
        buffer_index=1,
        data=memoryview(encode(values.reshape(-1), kind)),
        kind=kind,
        shape=values.shape,
        quantization=quantization,
        name="w",
        place="",
        axis_names=names or tuple(f"axis {axis}" for axis in range(values.ndim)),
    )


def numbers(*shape: int, low: int = -8, high: int = 8) -> NDArray[np.int64]:
    return np.random.default_rng(sum(shape)).integers(low, high, shape)


def per_channel(count: int, inner: int) -> AffineQuantization:
    return AffineQuantization(np.arange(1, count + 1) / 4, np.arange(count), inner)


@pytest.mark.parametrize("code", [INT8, INT4, FLOAT32, TensorType.BFLOAT16])
@pytest.mark.parametrize(
    "key",
    [
        (slice(None), slice(1, 3), 2, slice(None)),
        (1, slice(None), slice(0, 3, 2), 0),
        (0, 1, 2, 3),
        (slice(None),) * 4,
    ],
)
def test_a_block_is_what_numpy_gives(code: int, key: tuple[Any, ...]) -> None:
    values = numbers(3, 3, 3, 5)
    quantization = per_channel(3, 45) if code in (INT8, INT4) else None
    contents = contents_of(values, code, FILTER, quantization)
    assert np.array_equal(value_block(contents, key), values[key])
    reals = values.astype(np.float64)
    if quantization is not None:
        scale, zero = (
            each[:, None, None, None] for each in (quantization.scale, quantization.zero_point)
        )
        reals = (values - zero) * scale
    assert np.array_equal(value_block(contents, key, real=True), reals[key])


def test_scales_of_the_last_axis() -> None:
    values = numbers(1, 3, 3, 4)
    contents = contents_of(values, INT8, DEPTHWISE, per_channel(4, 1))
    key = (0, slice(None), 1, slice(1, 4))
    reals = (values - np.arange(4)) * np.arange(1, 5) / 4
    assert np.array_equal(value_block(contents, key, real=True), reals[key])
    assert channel_axis(contents) == 3


@pytest.mark.parametrize("real", [False, True])
@pytest.mark.parametrize("axis", [0, 1, 3])
def test_values_of_one_channel(axis: int, real: bool) -> None:
    values = numbers(4, 4, 3, 4)
    inner = int(np.prod(values.shape[axis + 1 :]))
    contents = contents_of(values, INT4, FILTER, per_channel(4, inner))
    read, count = channel_reader(contents, axis, 2, real=real)
    expected = values.take(2, axis).reshape(-1)
    expected = (expected - 2) * 0.75 if real else expected
    assert count == 48
    assert np.array_equal(read(0, 48), expected)
    assert np.array_equal(read(5, 100), expected[5:])


def test_which_axis_has_channels() -> None:
    assert channel_axis(contents_of(numbers(4, 3), INT8, ("out", "in"))) == 0
    assert channel_axis(contents_of(numbers(1, 3, 3, 4), INT8, DEPTHWISE)) == 3
    assert channel_axis(contents_of(numbers(4), INT8, ("out",))) is None
    assert channel_axis(contents_of(numbers(1, 3), INT8, ("out", "in"))) is None
    assert channel_axis(contents_of(numbers(4, 3), INT8)) is None
    assert channel_axis(contents_of(np.array(3), INT8)) is None


def test_indices_are_spread_evenly_with_the_wanted_one() -> None:
    assert spread(5, 9) == [0, 1, 2, 3, 4]
    assert spread(100, 4) == [0, 33, 66, 99]
    assert spread(100, 4, 50) in ([0, 50, 66, 99], [0, 33, 50, 99])
    assert spread(100, 1, 50) == [50]


@pytest.mark.parametrize("chunk", [7, 1 << 19])
@pytest.mark.parametrize("real", [False, True])
@pytest.mark.parametrize("axis", [0, 3])
def test_counts_of_channels(
    monkeypatch: pytest.MonkeyPatch, chunk: int, real: bool, axis: int
) -> None:
    monkeypatch.setattr(channel_module, "CHUNK", chunk)
    values = numbers(6, 2, 3, 6)
    quantization = per_channel(6, 36 if axis == 0 else 1)
    contents = contents_of(values, INT4, FILTER, quantization)
    bins = measure(contents, real=real).histogram
    assert bins is not None
    counts = channel_histograms(contents, axis, [4, 1], bins, real=real)
    shown = value_block(contents, (slice(None),) * 4, real=real)
    for line, channel in enumerate((4, 1)):
        expected, _ = np.histogram(np.take(shown, channel, axis), bins.edges)
        # numpy and we may put a real that is an edge into different bins.
        assert abs(counts[line] - expected).sum() <= (2 if real else 0)
    whole = channel_histograms(contents, axis, range(6), bins, real=real)
    assert whole.sum() == values.size
    monkeypatch.setattr(channel_module, "FEW", 1)
    alone = channel_histograms(contents, axis, [4, 1], bins, real=real)
    assert np.array_equal(alone, counts)


def test_counts_leave_out_what_is_not_finite_and_can_be_cancelled() -> None:
    values = np.array([[1, np.nan], [np.inf, 1]])
    contents = contents_of(values, FLOAT32, ("out", "in"))
    bins = Histogram(0.0, 1.0, np.zeros(4, np.int64))
    assert channel_histograms(contents, 0, [0, 1], bins).tolist() == [[0, 1, 0, 0]] * 2
    with pytest.raises(MeasuringCancelledError):
        channel_histograms(contents, 0, [0], bins, cancelled=lambda: True)


def test_images_and_norms_of_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_module, "READ_AT_ONCE", 40)
    values = numbers(5, 3, 2, 4)
    contents = contents_of(values, INT8, FILTER)
    axes = kernel_axes(contents)
    assert axes is not None
    each = kernel_images(contents, axes, "each")
    assert np.array_equal(each.images, values.transpose(0, 3, 1, 2))
    mean = kernel_images(contents, axes, "mean")
    assert np.allclose(mean.images[:, 0], values.mean(axis=3))
    assert np.allclose(mean.norms, np.linalg.norm(values.reshape(5, -1), axis=1))
    assert np.array_equal(kernel_images(contents, axes, 2).images[:, 0], values[..., 2])
    centred = kernel_images(contents, axes, 0, center=2.0)
    assert np.allclose(centred.norms, np.linalg.norm(values.reshape(5, -1) - 2.0, axis=1))
    monkeypatch.setattr(kernel_module, "MOST_PIXELS", 12)
    assert len(kernel_images(contents, axes, "mean").images) == 2


def test_kernels_of_a_depthwise_filter_in_reals() -> None:
    values = numbers(1, 3, 3, 4)
    contents = contents_of(values, INT8, DEPTHWISE, per_channel(4, 1))
    axes = kernel_axes(contents)
    assert axes is not None
    reals = (values[0] - np.arange(4)) * np.arange(1, 5) / 4
    found = kernel_images(contents, axes, "mean", real=True)
    assert np.array_equal(found.images[:, 0], reals.transpose(2, 0, 1))


def test_what_has_no_kernels() -> None:
    assert kernel_axes(contents_of(numbers(4, 1, 1, 4), INT8, FILTER)) is None
    assert kernel_axes(contents_of(numbers(4, 1, 3, 4), INT8, FILTER)) is None
    assert kernel_axes(contents_of(numbers(4, 3), INT8, ("out", "in"))) is None
    assert kernel_axes(contents_of(np.zeros((0, 3, 3, 2)), INT8, FILTER)) is None


@pytest.mark.parametrize(
    ("rows", "columns", "fixed", "expected"),
    [
        (None, None, (), lambda v: v.reshape(-1, 5)),
        (None, None, (1, None, None, None), lambda v: v[1].reshape(-1, 5)),
        (2, 0, (None, 1, None, 3), lambda v: v[:, 1, :, 3].T),
        (None, 1, (0, None, None, None), lambda v: np.moveaxis(v[0], 0, 2).reshape(-1, 3)),
        (1, 3, (None,) * 4, lambda v: v[0, :, 0]),
    ],
)
def test_planes_are_what_numpy_gives(
    rows: int | None, columns: int | None, fixed: tuple[int | None, ...], expected: Any
) -> None:
    values = numbers(2, 3, 4, 5)
    found = plane(contents_of(values, INT4), rows, columns, fixed)
    wanted = expected(values)
    assert (found.rows, found.columns) == wanted.shape
    whole = found.values(range(found.rows), range(found.columns), real=False)
    assert np.array_equal(whole, wanted)
    some = found.values(range(0, found.rows, 2), range(1, found.columns), real=False)
    assert np.array_equal(some, wanted[::2, 1:])


@pytest.mark.parametrize("count", [1, 63, 64, 65, 1000])
def test_a_list_is_wrapped(count: int) -> None:
    values = numbers(count)
    found = wrapped_plane(contents_of(values, INT8))
    cells = found.values(range(found.rows), range(found.columns), real=False).reshape(-1)
    assert np.array_equal(cells[:count], values)
    assert np.isnan(cells[count:]).all()
    assert found.rows * found.columns - count < found.columns


def test_sorted_values_and_running_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(1).normal(size=1000).astype(np.float32)

    def read(start: int, count: int) -> NDArray[Any]:
        return values[start : start + count]

    assert np.array_equal(sorted_curve(read, 1000).y, np.sort(values))
    assert np.allclose(sum_curve(read, 1000).y, np.cumsum(values.astype(np.float64)))
    squares = np.sort(values.astype(np.float64) ** 2)[::-1]
    energy = energy_curve(read, 1000)
    assert np.allclose(energy.y, 100 * np.cumsum(squares) / squares.sum(), rtol=1e-5)
    for name, most in (("MOST_POINTS", 64), ("CHUNK", 128)):
        monkeypatch.setattr(f"tflm_studio.analysis.value_curves.{name}", most)
    found = sum_curve(read, 1000)
    assert len(found.x) <= 64
    assert np.allclose(found.y, np.cumsum(values.astype(np.float64))[found.x.astype(int)])
    found = sorted_curve(read, 1000)
    assert np.array_equal(found.y, np.sort(values)[found.x.astype(int)])
    monkeypatch.setattr("tflm_studio.analysis.value_curves.MOST_SORTED", 250)
    assert sorted_curve(read, 1000).step == 4
    with pytest.raises(MeasuringCancelledError):
        sum_curve(read, 1000, lambda: True)


def test_curves_of_nothing_and_of_what_is_not_finite() -> None:
    values = np.array([np.nan, 2, np.inf, 1], np.float32)

    def read(start: int, count: int) -> NDArray[Any]:
        return values[start : start + count]

    assert sorted_curve(read, 4).y.tolist() == [1, 2]
    assert sum_curve(read, 4).y.tolist() == [0, 2, 2, 3]
    assert energy_curve(read, 4).y.tolist() == [80, 100]
    assert len(energy_curve(lambda start, count: np.zeros(count), 4).y) == 0
    assert len(sorted_curve(read, 0).y) == len(sum_curve(read, 0).y) == 0


def test_an_envelope_misses_no_extreme() -> None:
    values = decode(bytes(range(256)) * 400, ELEMENT_TYPES[INT8])
    found = envelope(lambda start, count: values[start : start + count], 100, 90_100, most=500)
    assert len(found.x) <= 502
    assert (found.y.min(), found.y.max()) == (-128, 127)
    assert math.isclose(found.x[0], 100)
    few = envelope(lambda start, count: values[start : start + count], 5, 9)
    assert few.y.tolist() == values[5:9].tolist()


@pytest.mark.parametrize("count", [1, 255, 256, 5000])
def test_an_overview_misses_no_extreme(count: int) -> None:
    values = np.random.default_rng(count).normal(size=count)
    values[::7] = np.nan
    found = overview(lambda start, size: values[start : start + size], count)
    whole = found.envelope(0, count, 16)
    assert len(whole.x) <= 18
    for end in (np.nanmin, np.nanmax):
        if count > 1:
            assert end(whole.y) == end(values)
    part = found.envelope(count // 2, count, 1000)
    first = count // 2 // RUN * RUN
    assert part.x[0] == first
    if count > 1:
        assert np.nanmax(part.y) == np.nanmax(values[first:])


@pytest.mark.parametrize("key", [np.s_[:, :], np.s_[1, ::-1], np.s_[:, 5], np.s_[0, 3:7]])
def test_parts_of_a_tensor_with_a_scale_for_each_block(key: Any) -> None:
    place = ("subgraphs", 0, "tensors", BLOCKS)
    contents = contents_at(coded_model(), place)
    assert contents is not None
    wanted = values(coded_model(), place, real=True)[key]
    assert np.array_equal(value_block(contents, key, real=True), wanted)
