# SPDX-License-Identifier: Apache-2.0

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tflm_studio as ts
from tests.analysis.coded_models import BLOCKS, coded_model
from tests.editing.small_models import bytes_of, do
from tests.editing.weight_models import RANDOM, W, holding
from tflm_studio.analysis.stored_contents import contents_at
from tflm_studio.editing import weights
from tflm_studio.editing.weight_preview import BINS, before_and_after, contents_after
from tflm_studio.model.address import parse_address
from tflm_studio.schema.tables import Model, Tensor


def ints() -> Model:
    stored = RANDOM.integers(-128, 128, (5, 40))
    return holding(stored, "int8", [0.1, 0.2, 0.3, 0.4, 0.5], axis=0)


def shared() -> Model:
    model = holding(RANDOM.normal(size=(4, 9)))
    model.subgraphs[0].tensors.append(Tensor([4, 9], 0, 1, "tied"))  # type: ignore[index,union-attr]
    return model


CASES: list[tuple[Callable[[], Model], Callable[[Model], Any], str]] = [
    (ints, lambda m: weights.scale(m, W, 0.5), W),
    (ints, lambda m: weights.fill(m, W, 1, where=[3, 70, 199]), W),
    (ints, lambda m: weights.dequantise(m, W), W),
    (ints, lambda m: weights.requantise(m, W, 0.3, 5, dtype="int16"), W),
    (shared, lambda m: weights.quantise(m, W, "int4"), W),
    (lambda: holding([1, 2, 3], "uint16"), lambda m: weights.offset(m, W, 7), W),
    (lambda: holding([1, 2, 3], "uint8"), lambda m: weights.fill(m, "buffers[1]", 7), W),
]


@pytest.mark.parametrize(("make", "operation", "address"), CASES)
def test_what_is_shown_is_what_is_done(
    make: Callable[[], Model], operation: Callable[[Model], Any], address: str
) -> None:
    model = make()
    place, before = parse_address(address), bytes_of(model)
    contents = contents_at(model, place)
    assert contents is not None
    old = ts.values(model, address, real=True).reshape(-1)
    proposal = operation(model)
    after = contents_after(model, contents, proposal)
    assert after is not None
    assert bytes_of(model) == before
    found = before_and_after(contents, after)
    ts.Document(model).do(proposal)
    now = ts.values(model, address, real=True).reshape(-1)
    assert np.array_equal(after.reals(), now)
    assert found is not None
    low, high = min(old.min(), now.min()), max(old.max(), now.max())
    for counts, values in ((found.before, old), (found.after, now)):
        assert np.array_equal(counts, np.histogram(values, BINS, (low, high))[0])


def test_what_cannot_be_drawn_is_none() -> None:
    for numbers in ([np.nan, np.inf], [-1.7e308, 1.7e308]):
        model = holding(numbers, "float64")
        contents = contents_at(model, parse_address(W))
        assert contents is not None
        assert before_and_after(contents, contents) is None
    same = contents_at(holding([3.0, 3.0]), parse_address(W))
    assert same is not None
    found = before_and_after(same, same)
    assert found is not None
    assert (found.edges[0], found.edges[-1], found.before.sum()) == (2.5, 3.5, 2)


def test_a_tensor_with_scales_for_blocks_is_previewed_in_its_reals() -> None:
    model, place = coded_model(), ("subgraphs", 0, "tensors", BLOCKS)
    contents = contents_at(model, place)
    assert contents is not None
    proposal = weights.fill(model, place, 3, real=False)
    after = contents_after(model, contents, proposal)
    assert after is not None
    do(model, proposal)
    wanted = ts.values(model, f"subgraphs[0].tensors[{BLOCKS}]", real=True)
    assert np.array_equal(after.reals(), wanted.reshape(-1))
