# SPDX-License-Identifier: Apache-2.0

import tracemalloc

import numpy as np
import pytest

import tflm_studio as ts
from tests.editing.small_models import do
from tests.editing.tensor_models import refused
from tests.editing.weight_models import W, holding
from tflm_studio.editing import weights

X = np.array([[-2.0, -0.5, 0.0], [0.25, 1.0, 3.0]], "f4")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("x * 2 + 1", X * 2 + 1),
        ("1", np.ones_like(X)),
        (" round( x / 0.02 )\n * 0.02", np.round(X / 0.02) * 0.02),
        ("where((x > 0) & ~(x > 2) | (x == -2), -x, x)", [[2, -0.5, 0], [-0.25, -1, 3]]),
        ("clip(x, -1, 1) ** 2", np.clip(X, -1, 1) ** 2),
        ("(x - mean(x)) / std(x)", (X - X.mean(dtype="f8")) / X.std(dtype="f8")),
        ("i + 10 * i0 + 100 * i1", [[0, 101, 202], [13, 114, 215]]),
        ("x >= 0.25", X >= 0.25),
        ("minimum(maximum(x, -e), pi) % 1 // 0.5", X % 1 // 0.5),
        ("10 ** 400 * x * 0 + sign(x)", [[np.nan] * 3] * 2),
    ],
)
def test_formulas_make_what_numpy_makes(text: str, wanted: object) -> None:
    model = holding(X)
    do(model, weights.formula(model, W, text))
    assert np.array_equal(ts.values(model, W), np.array(wanted, "f4"), equal_nan=True)


def test_scale_and_zero_point_are_those_of_the_channel() -> None:
    model = holding([[1, 2], [3, 4]], "int8", [0.5, 0.25], [0, 1], axis=1)
    do(model, weights.formula(model, W, "x + scale * 4 + zero_point", real=True))
    assert ts.values(model, W).tolist() == [[5, 10], [7, 12]]
    do(model, weights.formula(model, W, "max(x)", where=[0, 2], real=False))
    assert ts.values(model, W).tolist() == [[7, 10], [7, 12]]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("x +", "cannot be read at its end|character 3"),
        ("2 * foo(x)", r"character 5, 'foo\(x\)': there is no such function; there are abs"),
        ("2 * ä + zz(x)", "character 9, 'zz"),
        ("2 * ä", "character 5, 'ä': there is no such name; there are e, i, i0"),
        ("x.real", "no attributes"),
        ("x.__class__.__mro__", "no attributes"),
        ("x[0]", "no indices"),
        ("'a' * 1000", "character 1, ''a''"),
        ("(lambda: x)()", "no such function"),
        ("[y for y in x]", "no arithmetic"),
        ("x if x else 1", "where"),
        ("0 < x < 1", "two at a time"),
        ("x and x", "write & and |"),
        ("x & 1", "joins comparisons"),
        ("x << 2", "no operator 'LShift'"),
        ("clip(x, 1)", "clip takes 3 arguments"),
        ("abs(x, out=x)", "abs takes 1 argument"),
        ("sum", r"write sum\(x\)"),
        ("scale * x", "is not quantised"),
        ("True", "plain numbers"),
        ("1j * x", "plain numbers"),
        ("1e999", "too large"),
        ("(" * 300 + "x" + ")" * 300, "too deep|many nested"),
        ("x" + "+x" * 490, "more than 300 parts"),
        ("x+" * 600, "longer than"),
        ("x = 3", "cannot be read"),
        ("x\0", "cannot be read"),
    ],
)
def test_what_is_no_formula_is_refused_with_its_place(text: str, reason: str) -> None:
    with refused(holding(X), reason):
        weights.formula(holding(X), W, text)


def test_a_result_for_all_values_is_taken_and_others_are_refused() -> None:
    model = holding([5, 6], "int16")
    do(model, weights.formula(model, W, "7"))
    assert ts.values(model, W).tolist() == [7, 7]
    with refused(model, "element 0 would become inf"):
        weights.formula(model, W, "9 ** 9 ** 9")
    with refused(model, "element 0 would become nan"):
        weights.formula(model, W, "sqrt(0 - x)")


def test_what_looks_at_all_values_takes_the_memory_of_one_array() -> None:
    x = np.random.default_rng(1).normal(size=1 << 20).astype("f4")
    text = "mean(x) + (sin(x) + (cos(x) + (tan(x) + (abs(x) + std(x - median(x))))))"
    model = holding(x)
    tracemalloc.start()
    proposal = weights.formula(model, W, text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    ts.Document(model).do(proposal)
    wide = x.astype("f8")
    wanted = wide.mean() + (
        np.sin(wide)
        + (np.cos(wide) + (np.tan(wide) + (abs(wide) + (wide - np.median(wide)).std())))
    )
    assert np.allclose(ts.values(model, W), wanted, rtol=1e-6)
    assert peak < 64 * x.size
    assert weights.formula(holding(x), W, "x * 0 + sum(3) + mean(max(x) > 0)").effect.changed


def test_inner_numbers_are_there_for_outer_ones() -> None:
    model = holding(np.float32([1, 2, 3, 6]))
    do(model, weights.formula(model, W, "where(x > mean(x), max(x - min(x)), i)"))
    assert ts.values(model, W).tolist() == [0, 1, 2, 5]
