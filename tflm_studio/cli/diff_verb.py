# SPDX-License-Identifier: Apache-2.0
"""`diff`: what differs between two models. The exit code is the answer, as that of diff(1)."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from tflm_studio.analysis.model_difference import Difference, differences
from tflm_studio.cli.verbs import FILE_HELP, add_array_option, load_model

DIFFER = 1
LIMIT = 10_000


def add_diff_verb(verbs: Any) -> None:
    """Declares the verb; `run` returns 1 if the models differ.

    Args:
        verbs: What `ArgumentParser.add_subparsers` returned.
    """
    diff = verbs.add_parser(
        "diff",
        help="print what differs between two models",
        description="Things are found by name, by what they make and by content, so that what "
        "was inserted or moved does not make all behind it differ.",
        epilog="Exit code: 0 nothing differs, 1 something does, 2 refused.",
    )
    diff.add_argument("first", metavar="A", help=FILE_HELP)
    diff.add_argument("second", metavar="B", help="another one")
    diff.add_argument("--json", action="store_true", help="as JSON")
    diff.add_argument("-q", "--quiet", action="store_true", help="only the exit code")
    diff.add_argument(
        "--limit",
        metavar="N",
        type=_count,
        default=LIMIT,
        help=f"print no more than so many (default: {LIMIT:,})",
    )
    add_array_option(diff)
    diff.add_argument("--other-array", metavar="SYMBOL", help="the same of B")
    diff.set_defaults(run=_diff)


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of lines")
    return int(text)


def _diff(arguments: argparse.Namespace) -> int:
    first = load_model(arguments.first, arguments.array)
    second = load_model(arguments.second, arguments.other_array)
    limit = 1 if arguments.quiet else arguments.limit
    found = list(differences(first, second, limit + 1))
    if arguments.json and not arguments.quiet:
        print(json.dumps(_facts(found, limit), indent=2))
    elif not arguments.quiet:
        for line in _lines(found, limit):
            print(line)
    return DIFFER if found else 0


def _facts(found: list[Difference], limit: int) -> dict[str, Any]:
    return {
        "equal": not found,
        "complete": len(found) <= limit,
        "differences": [each.as_json() for each in found[:limit]],
    }


def _lines(found: Iterable[Difference], limit: int) -> Iterator[str]:
    lines = iter(found)
    yield from (each.describe() for each in islice(lines, limit))
    if next(lines, None) is not None:
        yield f"... and more; --limit prints more than the first {limit:,}"
