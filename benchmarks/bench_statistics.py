# SPDX-License-Identifier: Apache-2.0
"""Statistics and a histogram of 100 million elements, beside numpy asked for each in turn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.interleaved import Comparison, Limit
from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.analysis.statistics import measure
from tflm_studio.model.tensor_types import ELEMENT_TYPES
from tflm_studio.schema.enums import TensorType

ELEMENTS = 100_000_000
GOALS = {"int8": 15.0, "float32": 4.0}


def statistics() -> Iterator[Comparison]:
    """One type after the other, so that their memory does not add up."""
    random = np.random.default_rng(0)
    for kind in (TensorType.INT8, TensorType.FLOAT32):
        values = random.standard_normal(ELEMENTS, np.float32)
        if kind is TensorType.INT8:
            values = np.clip(values * 30, -127, 127).astype(np.int8)
        yield _comparison(values, kind)


def _comparison(values: NDArray[Any], kind: TensorType) -> Comparison:
    element, data = ELEMENT_TYPES[kind], memoryview(values).cast("B")
    contents = BufferContents(0, data, element, values.shape, None, "", "")
    return Comparison(
        f"statistics, 100 M {element.name}",
        lambda: measure(contents),
        "numpy",
        lambda: _plainly(values),
        Limit(faster=GOALS[element.name]),
    )


def _plainly(values: NDArray[Any]) -> tuple[Any, ...]:
    return (
        values.min(),
        values.max(),
        values.mean(),
        values.std(),
        np.count_nonzero(values),
        np.histogram(values, 256),
    )
