# SPDX-License-Identifier: Apache-2.0
"""Inputs follow from a seed, and each interpreter that fails says why."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tests.conftest import SAMPLES
from tflm_studio.formats.model_file import load_model_from_file
from tflm_studio.model.tensor_types import ELEMENT_TYPES
from tflm_studio.runtime import golden_vectors as module
from tflm_studio.runtime.golden_inputs import End, main_ends, seeded_inputs, zero_inputs
from tflm_studio.runtime.golden_vectors import golden_cases, golden_vectors
from tflm_studio.runtime.golden_worker import LITERT, MICRO, NO_PACKAGE, REFUSED
from tflm_studio.runtime.worker_process import MeasureError, WorkerRun

NAMED = {kind.name: kind for kind in ELEMENT_TYPES.values()}
DATA = (SAMPLES / "shapes_int8.tflite").read_bytes()


def end_of(name: str, index: int = 0, zero_point: int = 0) -> End:
    return End(index, index, "", NAMED[name], (1000,), 0.5, zero_point)


def test_inputs_follow_from_the_seed_and_take_the_whole_range() -> None:
    for name in ("int8", "uint8", "int16", "uint16", "int4", "uint4"):
        kind = NAMED[name]
        (values,) = seeded_inputs([end_of(name)], 1)
        assert values.min() <= kind.low + (kind.high - kind.low) // 100 + 1, name
        assert values.max() >= kind.high - (kind.high - kind.low) // 100 - 1, name
    (reals,) = seeded_inputs([end_of("float32")], 1)
    assert reals.dtype == np.float32
    assert -1 <= reals.min() < -0.9 < 0.9 < reals.max() < 1
    for name in ("int32", "int64", "bool"):
        (values,) = seeded_inputs([end_of(name)], 1)
        assert set(values.tolist()) == {0, 1}, name
    one, other = seeded_inputs([end_of("int8"), end_of("int8", 1)], 1)
    assert (one != other).any()
    assert (one == seeded_inputs([end_of("int8")], 1)[0]).all()
    assert (one != seeded_inputs([end_of("int8")], 2)[0]).any()


def test_zeros_are_zero_points_that_the_type_can_hold() -> None:
    assert set(zero_inputs([end_of("int8", zero_point=-7)])[0].tolist()) == {-7}
    assert set(zero_inputs([end_of("int8", zero_point=999)])[0].tolist()) == {127}
    assert set(zero_inputs([end_of("float32", zero_point=5)])[0].tolist()) == {0.0}
    assert len(golden_cases([], 0)) == 1
    assert len(golden_cases([end_of("int8")], 2**32 - 1)) == 3


def test_an_interpreter_that_cannot_is_followed_by_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real, asked = module.run_worker, []

    def worker(arguments: Sequence[str], seconds: float, who: str) -> WorkerRun:
        asked.append(arguments[1])
        if arguments[1] == MICRO:
            return WorkerRun("", "RuntimeError: no such operator", REFUSED)
        return real(arguments, seconds, who)

    monkeypatch.setattr(module, "run_worker", worker)
    inputs, _ = main_ends(load_model_from_file(SAMPLES / "shapes_int8.tflite"))
    found = golden_vectors(DATA, golden_cases(inputs, 0))
    assert asked == [MICRO, LITERT]
    assert found.engine == LITERT
    assert "no such operator" in found.notes[0]
    assert len({case.outputs[0].tobytes() for case in found.cases}) == 3


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (
            WorkerRun("", "", NO_PACKAGE),
            "tflite-micro is not in.*ai-edge-litert is not",
        ),
        (WorkerRun("", "", -11), "TFLM's interpreter crashed .signal 11."),
        (
            WorkerRun("", "ValueError: x", REFUSED),
            "LiteRT's interpreter refuses the model: V",
        ),
    ],
)
def test_what_went_wrong_is_a_sentence(
    run: WorkerRun, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "run_worker", lambda *_: run)
    with pytest.raises(MeasureError, match=said):
        golden_vectors(DATA, golden_cases([], 0))


def test_a_small_arena_is_followed_by_a_larger_one(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []

    def worker(arguments: Sequence[str], *_: object) -> WorkerRun:
        sizes.append(int(arguments[5]))
        return WorkerRun("", "Arena size is too small for all buffers", REFUSED)

    monkeypatch.setattr(module, "run_worker", worker)
    with pytest.raises(MeasureError, match="too small"):
        golden_vectors(DATA, golden_cases([], 0), 1024, engines=[MICRO])
    assert sizes[0] == 1024
    assert sizes[-1] == module.MOST_ARENA
    assert sizes == sorted(set(sizes))
