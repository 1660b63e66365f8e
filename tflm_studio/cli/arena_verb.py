# SPDX-License-Identifier: Apache-2.0
"""`arena`: how much memory a model takes in TFLM's interpreter."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from tflm_studio.analysis.arena_buffers import SCRATCH, Scope
from tflm_studio.analysis.arena_size import ArenaEstimate, estimate_arena
from tflm_studio.cli.verbs import FILE_HELP, add_array_option, load_model
from tflm_studio.editing.offline_planning import offline_problems
from tflm_studio.formats.model_file import encode
from tflm_studio.model.excerpts import excerpt
from tflm_studio.model.place_names import name_operator, name_tensor
from tflm_studio.runtime.arena_measurement import (
    FIRST_ARENA,
    MeasureError,
    Measurement,
    measure_arena,
)
from tflm_studio.schema.tables import Model

MOST_NAMED = 5
NAME_CHARACTERS = 48


def add_arena_verb(verbs: Any) -> None:
    """Declares the verb; it sets `run` to the function that carries it out.

    Args:
        verbs: What `ArgumentParser.add_subparsers` returned.
    """
    arena = verbs.add_parser(
        "arena", help="estimate the tensor arena of a model, or measure it with TFLM"
    )
    arena.add_argument("file", metavar="FILE", help=FILE_HELP)
    arena.add_argument(
        "--measure", action="store_true", help="also load and run it in tflite_micro"
    )
    arena.add_argument("--json", action="store_true", help="as JSON, with every tensor")
    add_array_option(arena)
    arena.set_defaults(run=_arena)


def _arena(arguments: argparse.Namespace) -> None:
    model = load_model(arguments.file, arguments.array)
    estimate = estimate_arena(model)
    measured, error = None, None
    if arguments.measure:
        try:
            first = max(2 * estimate.recommended, FIRST_ARENA)
            measured = measure_arena(encode(model).tobytes(), first)
        except MeasureError as caught:
            error = caught
    if arguments.json:
        facts = arena_facts(model, estimate)
        if arguments.measure:
            facts["measured"] = _measured_facts(measured)
        print(json.dumps(facts, indent=2))
    else:
        title = Path(arguments.file).name
        print("\n".join(arena_lines(model, estimate, measured, title)))
    if error is not None:
        raise error


def arena_facts(model: Model, estimate: ArenaEstimate) -> dict[str, Any]:
    """The estimate in plain values. Sizes and offsets are bytes, `first` and `last` scopes."""
    plan, buffers = estimate.plan, estimate.plan.buffers
    rows = zip(
        buffers.subgraph.tolist(),
        buffers.tensor.tolist(),
        buffers.operator.tolist(),
        plan.offset.tolist(),
        buffers.size.tolist(),
        buffers.first.tolist(),
        buffers.last.tolist(),
        (buffers.offline >= 0).tolist(),
        strict=True,
    )
    tensors, scratch = [], []
    for subgraph, tensor, operator, offset, size, first, last, offline in rows:
        place = {"offset": offset, "size": size, "first": first, "last": last}
        if tensor == SCRATCH:
            scratch.append({"subgraph": subgraph, "operator": operator, **place})
        else:
            known = {"subgraph": subgraph, "index": tensor, **place, "offline": offline}
            tensors.append(known)
    return {
        "head": estimate.head,
        "head_is_exact": plan.is_exact,
        "most_in_use": plan.needed,
        "tail": estimate.tail.total,
        "tail_is_estimate": True,
        "tail_sections": estimate.tail.sections,
        "tail_firmware_32_bit": estimate.firmware_tail.total,
        "total": estimate.total,
        "loading": estimate.loading,
        "recommended": estimate.recommended,
        "peak_operators": [each._asdict() for each in plan.peak_operators],
        "variables": buffers.variables,
        "unknown_scratch": list(buffers.unknown),
        "unknown_kernels": estimate.tail.unknown,
        "offline_problems": offline_problems(model, plan),
        "scopes": [each._asdict() for each in buffers.scopes],
        "tensors": tensors,
        "scratch": scratch,
    }


def _measured_facts(measured: Measurement | None) -> dict[str, Any] | None:
    if measured is None:
        return None
    return {
        "head": measured.head,
        "tail": measured.tail,
        "total": measured.total,
        "problem": measured.problem,
        "sections": {
            each.name: {"used": each.used, "requested": each.requested, "count": each.count}
            for each in measured.sections
        },
    }


def arena_lines(
    model: Model, estimate: ArenaEstimate, measured: Measurement | None, title: str
) -> list[str]:
    """The estimate as text, with measured figures beside it if there are any."""
    plan = estimate.plan
    exactness = (
        "" if plan.is_exact else "  without scratch of " + ", ".join(plan.buffers.unknown)
    )
    figures = (
        ("head", estimate.head, measured and measured.head, f"tensors and scratch{exactness}"),
        ("tail", estimate.tail.total, measured and measured.tail, "estimate, 64-bit host"),
        ("total", estimate.total, measured and measured.total, "estimate, 64-bit host"),
    )
    lines = [title, "", f"{'':8}{'planned':>14}{'measured' if measured else '':>14}"]
    for name, planned, seen, note in figures:
        shown = f"{seen:,}" if seen is not None else ""
        lines.append(f"{name:8}{planned:>14,}{shown:>14}  {note}".rstrip())
    lines += [
        "",
        f"kTensorArenaSize = {estimate.recommended};  // recommended, with room to load",
        f"Tail on a 32-bit target, estimate: {estimate.firmware_tail.total:,} bytes.",
        f"While it loads, estimate: {estimate.loading:,} bytes.",
        f"Most in use at once: {plan.needed:,} bytes.",
        f"Peak: {_peak(model, plan.peak_operators)}.",
    ]
    if plan.buffers.variables:
        lines.append(f"Variables, in the tail: {plan.buffers.variables:,} bytes.")
    if estimate.tail.unknown:
        names = ", ".join(estimate.tail.unknown)
        lines.append(f"What these kernels keep is not known: {names}.")
    lines += offline_problems(model, plan)
    if measured is not None and measured.problem:
        lines.append(measured.problem)
    return [*lines, "", *_table(model, estimate)]


def _peak(model: Model, operators: tuple[Scope, ...]) -> str:
    names = [name_operator(model, *each) for each in operators[:MOST_NAMED]]
    more = len(operators) - len(names)
    return ", ".join([*names, *([f"{more:,} more"] if more else [])]) or "no operator"


def _table(model: Model, estimate: ArenaEstimate) -> list[str]:
    """A line per buffer, by place."""
    plan, buffers = estimate.plan, estimate.plan.buffers
    lines = [f"{'offset':>12}{'size':>12}{'first':>8}{'last':>8}  tensor"]
    for row in sorted(range(len(plan.offset)), key=lambda k: (plan.offset[k], k)):
        subgraph, tensor = int(buffers.subgraph[row]), int(buffers.tensor[row])
        if tensor == SCRATCH:
            operator = name_operator(model, subgraph, int(buffers.operator[row]))
            name = f"scratch of {operator}"
        else:
            name = name_tensor(model, subgraph, tensor)
        offline = "  (offline)" if buffers.offline[row] >= 0 else ""
        lines.append(
            f"{plan.offset[row]:>12,}{buffers.size[row]:>12,}{buffers.first[row]:>8}"
            f"{buffers.last[row]:>8}  {excerpt(name, NAME_CHARACTERS)}{offline}"
        )
    return lines
