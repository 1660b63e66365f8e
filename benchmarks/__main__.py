# SPDX-License-Identifier: Apache-2.0
"""Runs every measurement and prints one table: `python -m benchmarks [--quick]`.

`--json FILE` writes the figures as well, one object for each row.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from benchmarks.bench_edits import edits
from benchmarks.bench_files import comparisons, start_up
from benchmarks.bench_plots import plots
from benchmarks.bench_statistics import statistics
from benchmarks.interleaved import Comparison, medians
from benchmarks.subjects import subjects

ROW = "| {:<13} | {:<37} | {:>9} | {:<18} | {:>9} | {:>8} | {:<16} | {:<6} |"
HEADINGS = ("model", "what", "ours, ms", "reference", "its, ms", "as fast", "goal", "")


def main() -> int:
    """Measures and prints; the exit code says nothing about speed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out the large made models")
    parser.add_argument(
        "--seconds", type=float, default=6.0, help="aim of time per row (at least 3 rounds)"
    )
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--only", default="", help="text in the names of the models")
    parser.add_argument("--work", default="", help="text in the names of the rows")
    parser.add_argument("--folder", type=Path, help="where to put up to 4 GB of files")
    arguments = parser.parse_args()
    print(ROW.format(*HEADINGS))
    print(
        "|".join(
            ["", *("-" * len(part) for part in ROW.format(*HEADINGS).split("|")[1:-1]), ""]
        )
    )
    rows: list[dict[str, object]] = []

    def measure(subject: str, comparisons: Iterable[Comparison]) -> None:
        wanted = (each for each in comparisons if arguments.work in each.what)
        rows.extend(_print_row(subject, each, arguments.seconds) for each in wanted)

    measure("", [start_up()])
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        for subject, path in subjects(folder, quick=arguments.quick):
            if arguments.only not in subject:
                continue
            measure(subject, comparisons(subject, path, folder))
            if subject == "operators":
                measure(subject, edits(path))
    if not arguments.quick and arguments.only in "buffers":
        measure("buffers", statistics())
    if arguments.only in "plots":
        measure("plots", plots())
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


def _print_row(subject: str, comparison: Comparison, seconds: float) -> dict[str, object]:
    tasks = [comparison.ours, *([comparison.reference] if comparison.reference else ())]
    ours, *others = medians(tasks, seconds)
    reference = others[0] if others else None
    verdict = comparison.limit.verdict(ours, reference)
    cells = (
        subject,
        comparison.what,
        f"{ours * 1000:.2f}",
        comparison.reference_name,
        "" if reference is None else f"{reference * 1000:.2f}",
        "" if reference is None else f"{reference / ours:.3g}x",
        str(comparison.limit),
        verdict,
    )
    print(ROW.format(*cells), flush=True)
    return {
        "model": subject,
        "what": comparison.what,
        "ours_seconds": ours,
        "reference": comparison.reference_name or None,
        "reference_seconds": reference,
        "goal": str(comparison.limit),
        "verdict": verdict,
    }


if __name__ == "__main__":
    sys.exit(main())
