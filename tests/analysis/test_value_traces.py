# SPDX-License-Identifier: Apache-2.0
"""A line shows the same heights however few of its points are in view."""

from __future__ import annotations

import numpy as np
import pytest

from tests.analysis.test_stored_contents import found, model_of
from tflm_studio.analysis import value_traces as module
from tflm_studio.analysis.value_traces import Trace, value_traces
from tflm_studio.schema.enums import TensorType
from tflm_studio.schema.tables import Tensor

STORED = np.arange(24, dtype=np.int8).reshape(2, 3, 4, 1)


def traces_of(channels: list[int | None], order: str) -> list[Trace]:
    tensor = Tensor(shape=[2, 3, 4, 1], type=TensorType.INT8)
    contents = found(model_of((tensor, STORED.tobytes())), "subgraphs", 0, "tensors", 0)
    return value_traces(
        contents, channels, order, real=False, center=0.0, cancelled=lambda: False
    )


def test_all_values_and_those_of_channels_in_order() -> None:
    (whole,) = traces_of([None], "stored")
    assert whole.length == 24
    assert whole.seen(0, 23, 100).y.tolist() == STORED.reshape(-1).tolist()
    assert [whole.height_at(at) for at in (-1, 0, 23, 24)] == [None, 0.0, 23.0, None]
    first, second = traces_of([0, 1], "stored")
    assert (first.channel, second.channel) == (0, 1)
    assert second.seen(0, 11, 100).y.tolist() == STORED[1].reshape(-1).tolist()


@pytest.mark.parametrize("order", ["sorted", "sum"])
def test_a_curve_has_a_height_between_its_points(order: str) -> None:
    (trace,) = traces_of([None], order)
    assert trace.curve is not None
    assert trace.read is None
    wanted = {"sorted": np.sort, "sum": np.cumsum}[order](STORED.reshape(-1).astype(float))
    assert trace.height_at(12) == pytest.approx(wanted[12])
    part = trace.seen(10.0, 12.0, 100)
    assert part.x[0] <= 10.0
    assert part.x[-1] >= 12.0
    assert len(part.x) < len(trace.curve.x)


def test_extremes_are_kept_of_what_is_too_long_to_read_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "READ_EACH_TIME", 8)
    (trace,) = traces_of([None], "stored")
    assert trace.overview is not None
    seen = trace.seen(0, 24, 6)
    assert (seen.y.min(), seen.y.max()) == (0.0, 23.0)
