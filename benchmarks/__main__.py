# SPDX-License-Identifier: Apache-2.0
"""Runs every measurement and prints one table: `python -m benchmarks [--quick]`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.bench_files import comparisons, start_up
from benchmarks.interleaved import Comparison, medians
from benchmarks.subjects import subjects

ROW = "| {:<13} | {:<34} | {:>9} | {:<18} | {:>9} | {:>8} | {:<16} | {:<6} |"
HEADINGS = ("model", "what", "ours, ms", "reference", "its, ms", "as fast", "goal", "")


def main() -> int:
    """Measures and prints; the exit code says nothing about speed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out the large made models")
    parser.add_argument(
        "--seconds", type=float, default=6.0, help="aim of time per row (at least 3 rounds)"
    )
    parser.add_argument("--folder", type=Path, help="where to put up to 4 GB of files")
    arguments = parser.parse_args()
    print(ROW.format(*HEADINGS))
    print(
        "|".join(
            ["", *("-" * len(part) for part in ROW.format(*HEADINGS).split("|")[1:-1]), ""]
        )
    )
    _print_row("", start_up(), arguments.seconds)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        for subject, path in subjects(folder, quick=arguments.quick):
            for comparison in comparisons(subject, path, folder):
                _print_row(subject, comparison, arguments.seconds)
    return 0


def _print_row(subject: str, comparison: Comparison, seconds: float) -> None:
    ours, reference = medians([comparison.ours, comparison.reference], seconds)
    cells = (
        subject,
        comparison.what,
        f"{ours * 1000:.2f}",
        comparison.reference_name,
        f"{reference * 1000:.2f}",
        f"{reference / ours:.3g}x",
        str(comparison.limit),
        comparison.limit.verdict(ours, reference),
    )
    print(ROW.format(*cells), flush=True)


if __name__ == "__main__":
    sys.exit(main())
