# SPDX-License-Identifier: Apache-2.0
"""`change`: an operation on the values of a tensor or buffer, without a screen."""

from __future__ import annotations

import argparse
import inspect
import json
import math
from typing import Any

from tflm_studio.cli.operation_arguments import Operation, add_arguments, taken
from tflm_studio.cli.verbs import FILE_HELP, add_array_option, load_model
from tflm_studio.editing import weights
from tflm_studio.editing.document import Document
from tflm_studio.editing.proposal import Proposal
from tflm_studio.editing.value_effects import Effect, ValueProposal
from tflm_studio.model.errors import EditError, WriteError

# All that `weights` offers, under the names that scripts know with dashes for underscores.
OPERATIONS: dict[str, Operation] = {
    name.replace("_", "-"): getattr(weights, name)
    for name in weights.__all__
    if inspect.isfunction(getattr(weights, name))
}
EPILOG = """What an operation takes is told by, for example,
  tflm-studio change FILE ADDRESS scale --help
Examples:
  tflm-studio change net.tflite 'subgraphs[0].tensors[3]' round-to-step 0.02 -o new.tflite
  tflm-studio change net.tflite 'subgraphs[0].tensors[3]' prune-percent 80 --dry-run
  tflm-studio change net.tflite 'buffers[7]' formula 'where(abs(x) < 3, 0, x)' -o new.tflite"""


def add_change_verb(verbs: Any) -> None:
    """Declares the verb; what its operations take is read off their signatures.

    Args:
        verbs: What `ArgumentParser.add_subparsers` returned.
    """
    change = verbs.add_parser(
        "change",
        help="change the values of a tensor or buffer",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    change.add_argument("file", metavar="FILE", help=FILE_HELP)
    change.add_argument(
        "place", metavar="ADDRESS", help="such as subgraphs[0].tensors[3] or buffers[7]"
    )
    operations = change.add_subparsers(
        required=True, metavar="OPERATION", dest="operation", parser_class=type(change)
    )
    for name, operation in OPERATIONS.items():
        sentence = (inspect.getdoc(operation) or "").partition("\n\n")[0].replace("%", "%%")
        parser = operations.add_parser(
            name, help=sentence.partition("\n")[0], description=sentence
        )
        add_arguments(parser, operation)
        _add_common(parser)
    change.set_defaults(run=_change)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", metavar="OUT", help="the model to write")
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would happen, and write nothing"
    )
    parser.add_argument("--json", action="store_true", help="what happens as JSON")
    # Another word than that of `replace-values`, whose ARRAY is a file of numbers.
    add_array_option(parser, "symbol")


def _change(arguments: argparse.Namespace) -> None:
    if (arguments.output is None) != arguments.dry_run:
        raise WriteError("Name the model to write with -o OUT, or look first with --dry-run.")
    operation = OPERATIONS[arguments.operation]
    if arguments.dry_run:
        model = load_model(arguments.file, arguments.symbol)
        _tell(arguments, _proposed(operation, arguments, model))
        return
    document = Document.open(arguments.file, arguments.symbol)
    proposal = _proposed(operation, arguments, document.model)
    document.do(proposal)
    document.save_as(arguments.output)
    _tell(arguments, proposal)


def _proposed(operation: Operation, arguments: argparse.Namespace, model: Any) -> Proposal:
    try:
        given = taken(operation, arguments, model, arguments.place)
        return operation(model, arguments.place, **given)
    except EditError as error:
        raise EditError(f"{arguments.file}: {error}") from None


def _tell(arguments: argparse.Namespace, proposal: Proposal) -> None:
    effect = proposal.effect if isinstance(proposal, ValueProposal) else None
    if arguments.json:
        facts = {
            "operation": arguments.operation,
            "address": arguments.place,
            "label": proposal.label,
            "notes": list(proposal.notes),
            "effect": effect and _facts(effect),
            "output": arguments.output,
        }
        print(json.dumps(facts, indent=2))
        return
    lines = [proposal.label] if proposal.label else []
    if effect is not None:
        lines += _figures(effect)
    print("\n".join([*lines, *proposal.notes]))


def _facts(effect: Effect) -> dict[str, Any]:
    return {
        "count": effect.count,
        "changed": effect.changed,
        "saturated": effect.saturated,
        "not_finite": effect.not_finite,
        "max_error": _finite(effect.largest),
        "mean_error": _finite(effect.mean),
        "rms_error": _finite(effect.rms),
        "sqnr_db": _finite(effect.sqnr),
    }


def _finite(figure: float) -> float | None:
    """JSON has no infinity: there is no noise, or no signal, or the squares are too large."""
    return figure if math.isfinite(figure) else None


def _figures(effect: Effect) -> list[str]:
    sqnr = f"{effect.sqnr:.2f} dB" if math.isfinite(effect.sqnr) else "none"
    return [
        f"changed     {effect.changed:,} of {effect.count:,}",
        f"max error   {effect.largest:.6g}",
        f"mean error  {effect.mean:.6g}",
        f"rms error   {effect.rms:.6g}",
        f"SQNR        {sqnr}",
    ]
