# SPDX-License-Identifier: Apache-2.0
"""The arena of every model of the collection, planned and measured: `python -m` runs it.

With `--recommended` each model is also loaded and run in the arena that is recommended.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import tflm_studio as ts
from tests.conftest import MODELS, readable_models
from tflm_studio.analysis.arena_buffers import PlanError
from tflm_studio.analysis.arena_size import ArenaEstimate, estimate_arena
from tflm_studio.runtime.arena_measurement import MeasureError, Measurement, measure_arena


class Compared(NamedTuple):
    path: Path
    estimate: ArenaEstimate
    measured: Measurement


def compare(paths: Sequence[Path]) -> Iterator[Compared]:
    """Planned and measured; models that the interpreter refuses are left out."""
    for path in paths:
        data = path.read_bytes()
        try:
            measured = measure_arena(data, max(2**22, 3 * len(data)), seconds=20)
            yield Compared(path, estimate_arena(ts.load_model_from_file(path)), measured)
        except MeasureError:
            continue
        except PlanError as error:
            sys.stdout.write(f"{path}: {error}\n")


def main(arguments: Sequence[str]) -> None:
    count = exact = fitting = 0
    shares = []
    for path, estimate, measured in compare(readable_models(MODELS)):
        count += 1
        exact += estimate.head == measured.head
        shares.append(estimate.tail.total / measured.tail - 1)
        line = (
            f"{estimate.head:>12,}{measured.head:>12,}{estimate.tail.total:>10,}"
            f"{measured.tail:>10,}{estimate.recommended:>12,}  {path.name}"
        )
        differs = estimate.head != measured.head
        unknown = ", ".join((*estimate.plan.buffers.unknown, *estimate.tail.unknown))
        sys.stdout.write(f"{line}{'  DIFFERS' if differs else ''}  {unknown}\n")
        if "--recommended" in arguments:
            size = estimate.recommended
            try:
                again = measure_arena(path.read_bytes(), size, largest_size=size)
                fitting += again.problem == measured.problem
            except MeasureError as error:
                sys.stdout.write(f"    in {size:,} bytes: {error}\n")
    shares.sort()
    sys.stdout.write(f"head exact: {exact} of {count}\n")
    ranks = (0, count // 20, count // 2, count - 1 - count // 20, count - 1)
    texts = [f"{shares[k]:+.1%}" for k in ranks] if count else []
    sys.stdout.write(f"tail, smallest, 5 %, median, 95 %, largest error: {' '.join(texts)}\n")
    if "--recommended" in arguments:
        sys.stdout.write(f"fits the recommended arena: {fitting} of {count}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
