# SPDX-License-Identifier: Apache-2.0

import math
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tflm_studio as ts
from tests.analysis.coded_models import DECODED, coded_model
from tests.conftest import every, examples
from tests.editing.small_models import do
from tests.editing.tensor_models import refused
from tests.editing.weight_models import RANDOM, W, holding
from tflm_studio.analysis.array_comparison import compare
from tflm_studio.editing import clusters, weights
from tflm_studio.editing.edits import WriteBytes
from tflm_studio.model.errors import EditError
from tflm_studio.model.tensor_types import ELEMENT_TYPES
from tflm_studio.schema.tables import Metadata, QuantizationParameters, Tensor

X = RANDOM.normal(0, 0.5, (4, 5, 3)).astype("f4")

Operation = Callable[..., Any]
# An operation, its arguments, and what numpy makes of the same.
FORMULAS: list[tuple[Operation, tuple[Any, ...], Callable[[Any], Any]]] = [
    (weights.scale, (0.37,), lambda x: x * 0.37),
    (weights.offset, (-0.11,), lambda x: x - 0.11),
    (weights.clip, (-0.2, 0.3), lambda x: np.clip(x, -0.2, 0.3)),
    (weights.round_to_step, (0.02,), lambda x: np.round(x / 0.02) * 0.02),
    (weights.prune_below, (0.1,), lambda x: np.where(abs(x) < 0.1, 0, x)),
    (weights.add_noise, (7, 0.05), lambda x: x + _random().normal(0, 0.05, x.shape)),
    (weights.randomise, (7, 0.1, 0.2), lambda x: _random().normal(0.1, 0.2, x.shape)),
    (weights.fill, (0.25,), lambda x: np.full(x.shape, 0.25)),
    (weights.replace_values, (X[::-1],), lambda x: X[::-1].astype(float)),
    (weights.formula, ("tanh(x) / 2 + mean(x)",), lambda x: np.tanh(x) / 2 + x.mean()),
    (weights.formula, ("where(i1 == 2, 0, x)",), lambda x: np.where(_axis1(x) == 2, 0, x)),
]


def _random() -> Any:
    return np.random.default_rng(7)


def _axis1(x: Any) -> Any:
    return np.indices(x.shape)[1]


@pytest.mark.parametrize(("operation", "arguments", "numpy"), FORMULAS)
def test_floats_become_what_numpy_makes_of_them(
    operation: Operation, arguments: tuple[Any, ...], numpy: Callable[[Any], Any]
) -> None:
    model = holding(X)
    do(model, operation(model, W, *arguments))
    wanted = numpy(X.astype("f8")).astype("f4")
    assert np.array_equal(ts.values(model, W), wanted)


@pytest.mark.parametrize(("operation", "arguments", "numpy"), FORMULAS)
@pytest.mark.parametrize("dtype", every(2, ["int8", "int16", "int4", "uint8"]))
def test_reals_of_quantised_numbers_are_rounded_and_saturate(
    operation: Operation, arguments: tuple[Any, ...], numpy: Callable[[Any], Any], dtype: str
) -> None:
    kind = next(k for k in ELEMENT_TYPES.values() if k.name == dtype)
    zeros = [1, 0, 1, 0, 1]
    stored = RANDOM.integers(kind.low, kind.high, X.shape, endpoint=True)
    scales = [0.01, 0.02, 0.03, 0.05, 0.11]
    model = holding(stored, dtype, scales, zeros, axis=1)
    reals = ts.values(model, W, real=True)
    proposal = operation(model, W, *arguments)
    do(model, proposal)
    scale = np.array(scales, "f4").astype("f8")[None, :, None]
    exact = numpy(reals) / scale
    wanted = np.copysign(np.floor(abs(exact) + 0.5), exact)
    wanted = wanted + np.array(zeros)[None, :, None]
    kept = np.clip(wanted, kind.low, kind.high)
    now = ts.values(model, W)
    assert np.array_equal(now, kept)
    effect = proposal.effect
    assert effect.changed == (now != stored).sum()
    assert effect.saturated == (kept != wanted).sum()
    after = ts.values(model, W, real=True)
    assert effect.largest == pytest.approx(abs(after - reals).max())
    assert effect.rms == pytest.approx(np.sqrt(((after - reals) ** 2).mean()))


@pytest.mark.parametrize(("operation", "arguments", "numpy"), every(2, FORMULAS))
@pytest.mark.parametrize("dtype", ["int8", "uint4", "float16"])
def test_many_numbers_of_narrow_types_become_the_same_as_few(
    operation: Operation, arguments: tuple[Any, ...], numpy: Callable[[Any], Any], dtype: str
) -> None:
    """They are looked up in a table, so every number has to be the right one."""
    kind = next(k for k in ELEMENT_TYPES.values() if k.name == dtype)
    count = 4 * 2 ** max(kind.bits, 8) + 7
    if operation is weights.replace_values:
        return
    stored = RANDOM.integers(kind.low, kind.high or 100, (1, count, 1), endpoint=True)
    stored = stored if kind.kind == "integer" else stored / 64
    scale = [0.01] if kind.kind == "integer" else None
    model = holding(stored, dtype, scale, [3] if scale else None)
    reals = ts.values(model, W, real=True)
    proposal = operation(model, W, *arguments)
    document = ts.Document(model)
    document.do(proposal)
    wanted = numpy(reals)
    if scale:
        exact = wanted / float(np.float32(0.01))
        wanted = np.copysign(np.floor(abs(exact) + 0.5), exact) + 3
        kept = np.clip(wanted, kind.low, kind.high)
        assert proposal.effect.saturated == (kept != wanted).sum()
    else:
        kept = wanted.astype(kind.storage).astype("f4")
    assert np.array_equal(ts.values(model, W), kept)
    after = ts.values(model, W, real=True)
    assert proposal.effect.changed == (after != reals).sum()
    assert proposal.effect.noise == pytest.approx(((after - reals) ** 2).sum())


def test_stored_numbers_are_worked_on_if_wanted() -> None:
    stored = np.array([-128, -3, 0, 5, 127])
    model = holding(stored, "int8", [0.5], [3])
    do(model, weights.offset(model, W, 2, real=False))
    assert ts.values(model, W).tolist() == [-126, -1, 2, 7, 127]
    do(model, weights.prune_below(model, W, 3, real=False))
    assert ts.values(model, W).tolist() == [-126, 0, 0, 7, 127]
    do(model, weights.fill(model, W, 0.0, where=[4]))
    assert ts.values(model, W).tolist() == [-126, 0, 0, 7, 3]  # a real zero is the zero point


BIG = 2**53 + 1


@pytest.mark.parametrize("dtype", ["int64", "uint64"])
def test_wide_whole_numbers_stay_exact(dtype: str) -> None:
    model = holding(np.array([BIG, 3, 2**62], dtype), dtype)
    do(model, weights.offset(model, W, 1))
    assert ts.values(model, W).tolist() == [BIG + 1, 4, 2**62 + 1]
    do(model, weights.scale(model, W, 3, where=[0, 1]))
    assert ts.values(model, W).tolist() == [3 * BIG + 3, 12, 2**62 + 1]
    do(model, weights.round_to_step(model, W, 5))
    assert ts.values(model, W).tolist() == [(3 * BIG + 5) // 5 * 5, 10, 2**62 + 1]
    with refused(model, "formula computes with float64"):
        weights.formula(model, W, "x + 1")
    proposal = weights.scale(model, W, 10**30)
    assert proposal.effect.saturated == 3
    do(model, proposal)
    assert ts.values(model, W).max() == np.iinfo(dtype).max


@pytest.mark.parametrize(
    ("dtype", "largest"), [("float16", 65504), ("float8_e4m3fn", 448), ("float8_e5m2", 57344)]
)
def test_small_floats_saturate_at_their_largest(dtype: str, largest: float) -> None:
    model = holding(np.array([1.5, -2, 0.25]), dtype)
    proposal = weights.scale(model, W, 1e9)
    assert proposal.effect.saturated == 3
    do(model, proposal)
    assert ts.values(model, W).tolist() == [largest, -largest, largest]


def test_what_is_not_finite_stays_or_is_refused() -> None:
    odd = np.frombuffer(b"\1\0\xa0\x7f\0\0\x80\x7f\0\0\0\x80", "<f4")  # a signalling NaN
    model = holding(odd)
    proposal = weights.scale(model, W, 2)
    assert (proposal.edits, proposal.effect.not_finite) == ((), 2)
    do(model, weights.fill(model, W, math.nan, where=[2]))
    assert np.isnan(ts.values(model, W)[2])
    integers = holding([1, 2], "int8")
    with refused(integers, "element 1 would become inf, which int8"):
        weights.formula(integers, W, "x / (2 - x) * (x - 1) + 1 / (2 - x)")
    with refused(integers, "cannot hold nan"):
        weights.fill(integers, W, math.nan)


def test_percent_prunes_so_many_smallest() -> None:
    numbers = np.array([3, -1, 1, 2, -2, 1, 5, 4, 0, 9], "f4")
    model = holding(numbers)
    do(model, weights.prune_percent(model, W, 30))
    assert ts.values(model, W).tolist() == [3, 0, 0, 2, -2, 1, 5, 4, 0, 9]
    do(model, weights.prune_percent(model, W, 100, where=[0, 9]))
    assert ts.values(model, W).tolist() == [0, 0, 0, 2, -2, 1, 5, 4, 0, 0]
    assert weights.prune_percent(model, W, 0).edits == ()


def test_channels_become_zero() -> None:
    stored = RANDOM.integers(-128, 127, (3, 4, 2))
    model = holding(stored, "int8", [0.1, 0.2, 0.3, 0.4], [1, 2, 3, 4], axis=1)
    do(model, weights.set_channels_to_zero(model, W, -2, [3, 1, 3]))
    wanted = stored.copy()
    wanted[:, 1], wanted[:, 3] = 2, 4
    assert np.array_equal(ts.values(model, W), wanted)
    for channels, reason in (([4], "no channel 4"), ([], "No channel"), ([-1], "channel -1")):
        with refused(model, reason):
            weights.set_channels_to_zero(model, W, 1, channels)
    with refused(model, "no axis 3"):
        weights.set_channels_to_zero(model, W, 3, [0])


def _cost(numbers: Any, centres: Any) -> float:
    return float(np.square(abs(numbers[:, None] - centres[None]).min(axis=1)).sum())


def test_few_values_are_clustered_as_well_as_can_be() -> None:
    numbers = RANDOM.integers(-8, 8, 60).astype("f4")
    model = holding(numbers)
    do(model, weights.cluster(model, W, 3))
    found = np.unique(ts.values(model, W))
    assert len(found) == 3
    distinct = np.unique(numbers)
    best = min(
        _cost(numbers, np.array([g.mean() for g in groups if len(g)]))
        for a in range(1, len(distinct) - 1)
        for b in range(a + 1, len(distinct))
        for groups in [
            [
                numbers[(numbers >= low) & (numbers < high)]
                for low, high in (
                    (-99, distinct[a]),
                    (distinct[a], distinct[b]),
                    (distinct[b], 99),
                )
            ]
        ]
    )
    assert _cost(numbers, found) == pytest.approx(best, rel=1e-5)


def test_many_values_are_clustered_about_their_means() -> None:
    numbers = np.concatenate([RANDOM.normal(c, 0.01, 400) for c in (-1, 0.5, 3)])
    model = holding(numbers.astype("f4"))
    do(model, weights.cluster(model, W, 3))
    assert np.unique(ts.values(model, W)) == pytest.approx([-1, 0.5, 3], abs=0.01)


def _lloyd_with_all_sums(numbers: Any, k: int) -> Any:
    """What clusters are from quantiles on, with every running sum in memory."""
    values, counts = np.unique(numbers, return_counts=True)
    middle = np.average(values, weights=counts.astype("f8"))
    count = np.concatenate([[0.0], np.cumsum(counts.astype("f8"))])
    first = np.concatenate([[0.0], np.cumsum(counts * (values - middle))])
    borders = np.searchsorted(count, np.linspace(0, count[-1], k + 1))
    borders[0], borders[-1] = 0, len(values)
    for _ in range(100):
        held = np.diff(count[borders]) > 0
        means = np.diff(first[borders])[held] / np.diff(count[borders])[held] + middle
        inner = np.searchsorted(values, (means[1:] + means[:-1]) / 2, side="right")
        moved = np.concatenate([[0], inner, [len(values)]])
        if np.array_equal(moved, borders):
            break
        borders = moved
    return means


@pytest.mark.parametrize(("digits", "chunk", "rows"), [(9, 128, 3), (3, 640, 4096)])
def test_sums_that_are_not_kept_give_the_same_clusters(
    digits: int, chunk: int, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters, "CHUNK", chunk)
    monkeypatch.setattr(clusters, "ROWS", rows)
    for size, k in ((600, 2), (4_000, 16), (5_003, 300)):
        numbers = np.random.default_rng(size).normal(size=size).round(digits)
        found = clusters.centres_of(np.append(numbers, [np.nan, np.inf]), k)
        assert found.tobytes() == _lloyd_with_all_sums(numbers, k).tobytes()


def test_clusters_take_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "CHUNK", 1 << 14)
    monkeypatch.setattr(clusters, "ROWS", 64)
    numbers = np.random.default_rng(3).normal(size=1 << 18)
    tracemalloc.start()
    try:
        clusters.centres_among(numbers, 16)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak + numbers.nbytes < 24 * numbers.size


def test_only_changed_bytes_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    model = holding(np.arange(100_000) % 100, "int8")
    proposal = weights.fill(model, W, -7, where=[10, 12, 70_000])
    assert [(e.offset, len(e.data)) for e in proposal.edits if isinstance(e, WriteBytes)] == [
        (10, 3),
        (70_000, 1),
    ]
    do(model, proposal)
    assert ts.values(model, W)[9:14].tolist() == [9, -7, 11, -7, 13]
    scattered = weights.fill(model, W, 3, where=np.arange(0, 100_000, 200))
    assert len(scattered.edits) == 500
    assert sum(edit.cost_bytes for edit in scattered.edits) < 70_000
    do(model, scattered)
    monkeypatch.setattr("tflm_studio.editing.changed_values.MOST_WRITES", 100)
    assert len(weights.fill(model, W, 4, where=np.arange(0, 100_000, 200)).edits) == 100
    do(model, weights.fill(model, W, 3, where=np.arange(0, 100_000, 200)))
    assert (ts.values(model, W)[::200] == 3).all()
    assert weights.scale(model, W, 1).edits == ()


def test_pieces_fit_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tflm_studio.editing.weight_target.PIECE", 8)
    stored = RANDOM.integers(-8, 8, (3, 7, 2))
    model = holding(stored, "int4", [0.1, 0.2, 0.3], axis=0)
    reals = ts.values(model, W, real=True)
    noise = np.random.default_rng(3).uniform(-math.sqrt(3) / 5, math.sqrt(3) / 5, 42)
    do(model, weights.add_noise(model, W, 3, 0.2, distribution="uniform"))
    scales = np.array([0.1, 0.2, 0.3], "f4").astype("f8")[:, None, None]
    wanted = np.clip(np.round((reals + noise.reshape(3, 7, 2)) / scales), -8, 7)
    assert np.array_equal(ts.values(model, W), wanted)


def test_bits_behind_the_last_packed_value_stay() -> None:
    model = holding([1, 2, 3], "int4")
    model.buffers[1].data = bytes([0x21, 0xF3])  # type: ignore[index]
    do(model, weights.fill(model, W, -1, where=[2]))
    assert bytes(model.buffers[1].data) == bytes([0x21, 0xFF])  # type: ignore[index,arg-type]
    do(model, weights.fill(model, W, 0))
    assert bytes(model.buffers[1].data) == bytes([0x00, 0xF0])  # type: ignore[index,arg-type]


def test_who_else_sees_the_values_is_told() -> None:
    model = holding([1.0, 2.0])
    model.subgraphs[0].tensors.append(Tensor([2], 0, 1, "tied"))  # type: ignore[index,union-attr]
    told = " ".join(weights.scale(model, W, 2).notes)
    assert "2 of 2 values change, by 2 at most" in told
    assert "Buffer 1 is shared: tensor 0 weights, tensor 1 tied see" in told


NUMBERS = st.one_of(st.integers(-300, 300), st.floats(-1e4, 1e4, allow_subnormal=False))


@settings(max_examples=examples(60))
@given(
    st.sampled_from(
        [k.name for k in ELEMENT_TYPES.values() if k.kind in ("integer", "float", "bool")]
    ),
    st.lists(st.integers(0, 4), max_size=4),
    NUMBERS,
    st.booleans(),
    st.data(),
)
def test_any_type_and_shape_take_any_number(
    dtype: str, shape: list[int], number: float, is_real: bool, data: st.DataObject
) -> None:
    count = math.prod(shape)
    model = holding(np.arange(count).reshape(shape) % 2, dtype)
    if not count:
        with refused(model, "stores no values"):
            weights.fill(model, W, number)
        return
    where = data.draw(st.lists(st.integers(0, count - 1), max_size=5))
    proposal = weights.fill(model, W, number, real=is_real, where=where)
    before = ts.values(model, W).reshape(-1).copy()
    do(model, proposal)
    after = ts.values(model, W).reshape(-1)
    kind = next(k for k in ELEMENT_TYPES.values() if k.name == dtype)
    if kind.kind != "float":
        exact = abs(number)
        wanted = min(max(int(math.copysign(int(exact + 0.5), number)), kind.low), kind.high)
        assert (after[where] == wanted).all()
    assert len(proposal.edits) <= len(set(where))
    rest = np.delete(np.arange(count), where)
    assert np.array_equal(after[rest], before[rest])


def test_what_holds_no_plain_numbers_is_refused_with_the_reason() -> None:
    model = holding([1, 2], "int8", [0.5])
    cases: list[tuple[str, Callable[[], Any]]] = [
        ("no tensor|out of range", lambda: weights.fill(model, "subgraphs[0].tensors[9]", 1)),
        ("neither a tensor nor a buffer", lambda: weights.fill(model, "metadata[0]", 1)),
        ("stores no values", lambda: weights.fill(model, "buffers[0]", 1)),
        ("mask has the sh", lambda: weights.fill(model, W, 1, where=np.ones(3, bool))),
        ("no element 2", lambda: weights.fill(model, W, 1, where=[2])),
        ("by a mask or", lambda: weights.fill(model, W, 1, where=[0.5])),
        ("finite number", lambda: weights.scale(model, W, math.inf)),
        ("above the upper", lambda: weights.clip(model, W, 1, 0)),
        ("above 0", lambda: weights.round_to_step(model, W, 0)),
        ("below 0", lambda: weights.prune_below(model, W, -1)),
        ("from 0 to 100", lambda: weights.prune_percent(model, W, 101)),
        ("1 cluster", lambda: weights.cluster(model, W, 0)),
        ("seed", lambda: weights.add_noise(model, W, -1, 1)),
        ("must agree", lambda: weights.replace_values(model, W, [1, 2, 3])),
        ("plain numbers", lambda: weights.replace_values(model, W, ["a", "b"])),
    ]
    for reason, make in cases:
        with refused(model, reason):
            make()
    do(model, weights.fill(model, "buffers[1]", 0.5))  # read as the tensor that uses it
    assert ts.values(model, W).tolist() == [1, 1]
    tensor = model.subgraphs[0].tensors[0]  # type: ignore[index]
    assert tensor.quantization is not None
    tensor.quantization.scale = [0.0]
    with refused(model, "scale of 0"):
        weights.fill(model, W, 1)
    tensor.quantization = QuantizationParameters()
    tensor.shape = [3]
    with refused(model, "shape 3 takes 3 bytes as int8"):
        weights.fill(model, W, 1)
    tensor.type = 5  # string
    with refused(model, "holds string"):
        weights.fill(model, W, 1)
    model.metadata = [Metadata("note", 1)]
    tensor.buffer = 0
    do(model, weights.fill(model, "buffers[1]", 255))  # bytes, without a tensor
    assert bytes(model.buffers[1].data) == b"\xff\xff"  # type: ignore[index,arg-type]


def test_arrays_that_are_no_numbers_are_refused() -> None:
    model = holding(np.float32([1, 2]))
    for array in (np.array(["a", "b"], object), [[1], [2, 3]], np.array([None, None])):
        with pytest.raises(EditError, match=r"not plain numbers|different lengths"):
            weights.replace_values(model, W, array)


def test_a_mask_of_another_shape_is_refused() -> None:
    model = holding(np.zeros((2, 3), "f4"))
    with pytest.raises(EditError, match=r"the shape \(3, 2\), the tensor \(2, 3\)"):
        weights.fill(model, W, 1, where=np.ones((3, 2), bool))
    assert weights.formula(model, W, "x - mean(x)", where=[]).effect.count == 0


def test_the_smallest_step_leaves_wide_numbers_alone() -> None:
    model = holding([2**62, -5], "int64")
    assert not weights.round_to_step(model, W, 1e-320).edits


def test_what_is_decoded_from_elsewhere_is_refused() -> None:
    for real in (True, False):
        with pytest.raises(EditError, match="stored in a coded form"):
            weights.fill(coded_model(), f"subgraphs[0].tensors[{DECODED}]", 0, real=real)


def test_the_widest_differences_have_a_ratio() -> None:
    model = holding([1.0, 2.0], "float64")
    assert weights.fill(model, W, 1e200).effect.sqnr == -math.inf
    assert weights.fill(model, W, 1e150).effect.sqnr == pytest.approx(-3000, rel=1e-2)
    noisy = compare(lambda *_: np.array([1e150, 1]), lambda *_: np.array([1e-150, 1e-150]), 2)
    assert noisy.sqnr == pytest.approx(-6000, rel=1e-2)


def test_ranges_wider_than_float64_are_refused() -> None:
    model = holding([1.0, 2.0], "float64")
    for distribution in ("normal", "uniform"):
        with pytest.raises(EditError, match="stay below"):
            weights.randomise(model, W, 1, 0, 1e308, distribution=distribution)  # type: ignore[arg-type]
