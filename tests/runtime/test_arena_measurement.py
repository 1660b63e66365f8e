# SPDX-License-Identifier: Apache-2.0
"""The interpreter in a process of its own, whatever becomes of it there."""

from __future__ import annotations

from pathlib import Path

import pytest

import tflm_studio as ts
from tests.conftest import SAMPLES
from tflm_studio.analysis.arena_size import estimate_arena
from tflm_studio.formats.model_file import encode
from tflm_studio.model.cancellation import CancelledError, cancellable
from tflm_studio.runtime import arena_measurement
from tflm_studio.runtime.arena_measurement import (
    MeasureError,
    measure_arena,
    parse_allocations,
)

SAMPLE = SAMPLES / "shapes_int8.tflite"
PRINTED = """[RecordingMicroAllocator] Arena allocation total 85264 bytes
[RecordingMicroAllocator] Arena allocation head 55296 bytes
[RecordingMicroAllocator] Arena allocation tail 29968 bytes
[RecordingMicroAllocator] 'TfLiteEvalTensor data' used 2136 bytes with alignment overhead \
(requested 2136 bytes for 89 allocations)
"""


def use_worker(monkeypatch: pytest.MonkeyPatch, folder: Path, program: str) -> None:
    """Runs another program in place of the interpreter."""
    worker = folder / "worker.py"
    worker.write_text(f"import os, sys, time\n{program}\n")
    monkeypatch.setattr(arena_measurement, "WORKER", worker)


def test_what_the_allocator_prints_is_read() -> None:
    total, head, tail, sections = parse_allocations(PRINTED) or (0, 0, 0, ())
    assert (total, head, tail) == (85264, 55296, 29968)
    assert sections[0].name == "TfLiteEvalTensor data"
    assert (sections[0].used, sections[0].requested, sections[0].count) == (2136, 2136, 89)
    assert parse_allocations("nothing") is None


def test_a_sample_is_measured_and_fits_what_is_recommended() -> None:
    pytest.importorskip("tflite_micro")
    model = ts.load_model_from_file(SAMPLE)
    estimate = estimate_arena(model)
    size = estimate.recommended
    found = measure_arena(encode(model).tobytes(), size, largest_size=size)
    assert (found.head, found.problem) == (estimate.head, "")
    assert found.total == found.head + found.tail
    assert {each.name for each in found.sections} >= {"NodeAndRegistration struct"}


def test_a_larger_arena_is_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = (
        "if int(sys.argv[2]) < 9000:\n"
        "    sys.stderr.write('Failed to resize buffer. Requested: 9, available 8')\n"
        "    sys.exit(4)\n"
        f"sys.stderr.write({PRINTED!r}); print('@allocated\\n@invoked')"
    )
    use_worker(monkeypatch, tmp_path, program)
    found = measure_arena(b"", 2048)
    assert (found.arena_size, found.problem) == (2048 * 8, "")


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("os.kill(os.getpid(), 11)", r"crashed \(signal 11\)"),
        ("sys.exit(3)", "tflite-micro is not installed"),
        ("sys.stderr.write(\"Didn't find op for 'TILE'\\n\"); sys.exit(4)", "refuses.*TILE"),
        ("print('@allocated')", "gave no figures"),
        ("sys.stderr.write('Failed to resize buffer.'); sys.exit(4)", "does not fit into"),
        ("sys.exit(9)", "ended with code 9"),
        ("time.sleep(60)", "still busy after 0.2 seconds"),
    ],
)
def test_whatever_happens_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: str, message: str
) -> None:
    use_worker(monkeypatch, tmp_path, program)
    with pytest.raises(MeasureError, match=message):
        measure_arena(b"", 2**29, seconds=0.2 if "sleep" in program else 20)


def test_a_model_that_cannot_be_run_is_measured_all_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = (
        f"sys.stderr.write({PRINTED!r}); print('@allocated', flush=True)\n"
        "os.kill(os.getpid(), 6)"
    )
    use_worker(monkeypatch, tmp_path, program)
    found = measure_arena(b"")
    assert (found.total, found.problem) == (85264, "Running it crashed (signal 6).")


def test_waiting_can_be_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use_worker(monkeypatch, tmp_path, "time.sleep(60)")
    with cancellable(lambda: True), pytest.raises(CancelledError):
        measure_arena(b"")
