# SPDX-License-Identifier: Apache-2.0
"""`resolver` and `arena`: what a firmware needs for its models."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tflm_studio.cli.arena_verb import add_arena_verb
from tflm_studio.cli.verbs import FILE_HELP, load_model
from tflm_studio.firmware.resolver import reason_for, registrations, resolver_source


def add_firmware_verbs(verbs: Any) -> None:
    """Declares the verbs; each sets `run` to the function that carries it out.

    Args:
        verbs: What `ArgumentParser.add_subparsers` returned.
    """
    resolver = verbs.add_parser(
        "resolver", help="print the operator resolver for one or several models"
    )
    resolver.add_argument("files", metavar="FILE", nargs="+", help=FILE_HELP)
    resolver.add_argument("--json", action="store_true", help="the operators as JSON")
    resolver.set_defaults(run=_resolver)
    add_arena_verb(verbs)


def _resolver(arguments: argparse.Namespace) -> None:
    models = [load_model(file, None) for file in arguments.files]
    found = registrations(models)
    for each in found:
        if each.is_missing:
            print(f"TFLM lacks {each.name}: {reason_for(each)}", file=sys.stderr)
    if arguments.json:
        rows = [{**asdict(each), "is_missing": each.is_missing} for each in found]
        print(json.dumps(rows, indent=2))
    else:
        title = ", ".join(Path(file).name for file in arguments.files)
        print(resolver_source(models, title), end="")
