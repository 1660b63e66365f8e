# SPDX-License-Identifier: Apache-2.0
"""`bundle`: a folder with a model that a firmware engineer can build."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from tflm_studio.cli.verbs import FILE_HELP, add_array_option, load_model
from tflm_studio.firmware.bundle import BundleOptions, make_bundle
from tflm_studio.firmware.bundle_folder import write_bundle


def add_bundle_verb(verbs: Any) -> None:
    """Declares the verb; `run` is the function that carries it out.

    Args:
        verbs: What `ArgumentParser.add_subparsers` returned.
    """
    bundle = verbs.add_parser(
        "bundle", help="write a folder with a model, what it needs, and its test"
    )
    bundle.add_argument("file", metavar="FILE", help=FILE_HELP)
    bundle.add_argument("-o", "--output", metavar="DIR", required=True, help="the folder")
    bundle.add_argument("--name", metavar="SYMBOL", default="", help="name of the array")
    bundle.add_argument(
        "--namespace", metavar="NAME", help="of all names, such as app::models; '' for none"
    )
    bundle.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of the random inputs of the test"
    )
    bundle.add_argument(
        "--no-vectors", action="store_true", help="do not run the model for golden vectors"
    )
    bundle.add_argument(
        "--overwrite",
        action="store_true",
        help="replace files that are not as a bundle left them",
    )
    add_array_option(bundle)
    bundle.set_defaults(run=_bundle)


def _bundle(arguments: argparse.Namespace) -> None:
    source = Path(arguments.file)
    options = BundleOptions(
        symbol=arguments.name,
        namespace=arguments.namespace,
        seed=arguments.seed,
        with_vectors=not arguments.no_vectors,
    )
    model = load_model(arguments.file, arguments.array)
    bundle = make_bundle(model, source.name, options, _tell)
    for note in bundle.notes:
        print(f"{arguments.file}: {note}", file=sys.stderr)
    folder = Path(arguments.output)
    for path in write_bundle(bundle, folder, [source], overwrite=arguments.overwrite):
        print(path)


def _tell(text: str) -> None:
    """Says on a screen what is being done; a log does not need it."""
    if sys.stderr.isatty():
        print(text, file=sys.stderr)
