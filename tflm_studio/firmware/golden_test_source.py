# SPDX-License-Identifier: Apache-2.0
"""`model_test.cc`: runs the model on the target and compares with golden vectors.

Vectors of at most 64 KiB stand in the source. Larger inputs are made on the target, by the
hash that made them here; of larger outputs the begin stands there and a hash of the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tflm_studio.firmware.bundle_facts import MADE, BundleFacts
from tflm_studio.firmware.c_text import (
    PLAIN,
    c_type,
    comment_text,
    number_literals,
    string_literal,
    tflite_type,
    wrapped,
)
from tflm_studio.firmware.golden_test_text import (
    CHECK_OUTPUT,
    CLOSE,
    FILL_INPUT,
    HASHED,
    HEAD,
    MAIN,
    MAKE_INPUT,
    SET_INPUT,
    SHAPE_CHECK,
    START,
)
from tflm_studio.model.tensor_types import RAW_BYTES, Array, ElementType
from tflm_studio.runtime.golden_inputs import End, input_seed
from tflm_studio.runtime.golden_vectors import GoldenCase
from tflm_studio.runtime.golden_worker import LITERT

MOST_BYTES = 64 * 1024
LEAST_KEPT = 16  # elements of an output
LITERT_STEPS = 1  # its integers may round the other way
RELATIVE, ABSOLUTE = "1e-4", "1e-5"


@dataclass(frozen=True, slots=True, eq=False)
class StoredVectors:
    """How the vectors of a test are kept.

    Attributes:
        cases: Those that are.
        keeps_inputs: Whether random inputs stand in the source; else they are made.
        kept: Elements of each output that stand there at most.
        notes: What was left out.
    """

    cases: tuple[GoldenCase, ...]
    keeps_inputs: bool
    kept: int
    notes: tuple[str, ...]


def stored_vectors(facts: BundleFacts, most: int = MOST_BYTES) -> StoredVectors:
    """Decides what of the vectors stands in the source.

    Args:
        facts: With vectors.
        most: Bytes that may.
    """
    cases = facts.vectors.cases if facts.vectors is not None else ()
    outputs = sum(each.nbytes for case in cases for each in case.outputs)
    inputs = sum(a.nbytes for case in cases if case.seed is not None for a in case.inputs)
    if outputs + inputs <= most:
        return StoredVectors(cases, True, MOST_BYTES, ())
    notes = []
    if not all(each.kind.name in PLAIN for each in facts.inputs):
        cases = cases[:1]
        notes.append("Only the case of zeros was kept: the others are too large.")
    elif inputs:
        notes.append(
            "Random inputs are too large to store; the test makes them from their seed."
        )
    widest = max((each.itemsize for case in cases for each in case.outputs), default=1)
    shares = max(sum(len(case.outputs) for case in cases), 1)
    kept = max(most // shares // widest, LEAST_KEPT)
    if any(each.size > kept for case in cases for each in case.outputs):
        notes.append(
            f"Of large outputs the first {kept:,} values are stored, and of integers a hash "
            "of all."
        )
    return StoredVectors(cases, False, kept, tuple(notes))


def golden_test_source(facts: BundleFacts, stored: StoredVectors) -> str:
    """The program; without vectors it only tells whether the model loads and runs."""
    values: list[str] = []
    bodies: list[str] = []
    for number, case in enumerate(stored.cases):
        declared, body = _case(facts, stored, number, case)
        values += declared
        bodies.append(body)
    if not bodies:
        bodies.append(_smoke(facts))
    used = "\n".join(bodies)
    parts = [
        _head(facts, stored),
        START,
        SHAPE_CHECK if facts.inputs or facts.outputs else "",
        *(
            text
            for call, text in (
                ("FillInput(", FILL_INPUT),
                ("SetInput(", SET_INPUT),
                ("MakeInput(", MAKE_INPUT),
                ("HasHash(", HASHED),
            )
            if call in used.replace("<", "(")
        ),
        *((CLOSE, CHECK_OUTPUT) if "IsNear(" in used else ()),
        *values,
        *bodies,
        MAIN.replace("@CALLS", _calls(len(bodies))).replace("@PASSED", _passed(facts, stored)),
    ]
    text = "\n".join(part.strip("\n") + "\n" for part in parts if part)
    names = {"@NS": facts.prefix, "@SYMBOL": f"{facts.prefix}{facts.symbol}"}
    names["@INTERPRETER"] = _interpreter(facts)
    for key, value in names.items():
        text = text.replace(key, value)
    return text


def _head(facts: BundleFacts, stored: StoredVectors) -> str:
    vectors = facts.vectors
    lines = [f"Test of {comment_text(facts.title)}. {MADE}."]
    if vectors is None:
        lines.append(f"There are no golden vectors: {comment_text(facts.reason)}")
    else:
        lines.append(
            f"The outputs are those of {vectors.engine} {comment_text(vectors.version)}."
        )
        lines += [comment_text(note) for note in (*vectors.notes, *stored.notes)]
    steps = LITERT_STEPS if vectors is not None and vectors.engine == LITERT else 0
    return (
        HEAD.replace("@ABOUT", "\n".join(f"// {line}" for line in lines))
        .replace("@STEPS", str(steps))
        .replace("@RELATIVE", RELATIVE)
        .replace("@ABSOLUTE", ABSOLUTE)
    )


def _interpreter(facts: BundleFacts) -> str:
    if not facts.resources:
        return (
            "tflite::MicroInterpreter interpreter(model, resolver, g_arena, sizeof(g_arena));"
        )
    return (
        "tflite::MicroAllocator* allocator =\n"
        "      tflite::MicroAllocator::Create(g_arena, sizeof(g_arena));\n"
        "  tflite::MicroResourceVariables* variables = "
        "tflite::MicroResourceVariables::Create(\n"
        f"      allocator, {facts.prefix}kResourceVariableCount);\n"
        "  tflite::MicroInterpreter interpreter(model, resolver, allocator, variables);"
    )


def _case(
    facts: BundleFacts, stored: StoredVectors, number: int, case: GoldenCase
) -> tuple[list[str], str]:
    """The arrays of a case and the function that runs it."""
    values, steps = [], []
    for end, array in zip(facts.inputs, case.inputs, strict=True):
        if not array.size:
            continue
        if case.seed is None:
            steps.append(_fill(end))
        elif stored.keeps_inputs:
            name = f"kCase{number}Input{end.index}"
            values.append(_array(name, array, end.kind))
            steps.append(f"SetInput(interpreter, {end.index}, {name})")
        else:
            seed = input_seed(case.seed, end.index)
            steps.append(
                f"MakeInput<{c_type(end.kind)}>(interpreter, {end.index}, {seed}u)"
                if end.kind.name != "bool"
                else f"MakeInput<bool>(interpreter, {end.index}, {seed}u)"
            )
    checks = []
    for end, array in zip(facts.outputs, case.outputs, strict=False):
        name = f"kCase{number}Output{end.index}"
        if array.size:
            values.append(_array(name, array.reshape(-1)[: stored.kept], end.kind))
            whole = array.size * array.itemsize
            checks.append(f"IsNear({number}, interpreter, {end.index}, {name}, {whole}u)")
            if array.size > stored.kept and array.dtype.kind in "iub":
                checks.append(f"HasHash({number}, interpreter, {end.index}, {_fnv1a(array)}u)")
    return values, _function(facts, number, case.title, steps, checks)


def _smoke(facts: BundleFacts) -> str:
    return _function(facts, 0, "zeros", [_fill(each) for each in facts.inputs], [])


def _function(
    facts: BundleFacts,
    number: int,
    title: str,
    steps: Sequence[str],
    checks: Sequence[str],
) -> str:
    shapes = [
        _shape_check(what, each)
        for what, ends in (("input", facts.inputs), ("output", facts.outputs))
        for each in ends
    ]
    lines = [
        f"// Case {number}: {comment_text(title)}.",
        f"bool RunCase{number}(const tflite::Model* model, "
        f"const @NSModelOpResolver& resolver) {{",
        "  @INTERPRETER",
        "  if (!IsReady(interpreter)) {",
        "    return false;",
        "  }",
    ]
    for each in (*(shapes if number == 0 else ()), *steps):
        lines += [f"  if (!{each}) {{", "    return false;", "  }"]
    lines += [f"  if (!Invoke({number}, interpreter)) {{", "    return false;", "  }"]
    if checks:
        joined = " &&\n         ".join(checks)
        lines.append(f"  return {joined};")
    else:
        lines.append("  return true;")
    return "\n".join([*lines, "}"])


def _shape_check(what: str, end: End) -> str:
    size = f"@NSk{what.title()}{end.index}Bytes"
    return (
        f'HasShape(interpreter.{what}({end.index}), "{what}", {end.index}, '
        f"{tflite_type(end.kind) or 'kTfLiteNoType'}, {size})"
    )


def _fill(end: End) -> str:
    if end.kind.name in PLAIN and end.kind.kind != "bool":
        zero = end.zero_point if end.kind.kind == "integer" else 0
        zero = min(max(zero, end.kind.low), end.kind.high) if end.kind.low or zero else zero
        return f"FillInput<{c_type(end.kind)}>(interpreter, {end.index}, {zero})"
    return f"FillInput<std::uint8_t>(interpreter, {end.index}, 0)"


def _array(name: str, values: Array, kind: ElementType) -> str:
    """An array of values, of plain bytes if C++ has no type for them."""
    if kind.name not in PLAIN:
        values = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
        kind = RAW_BYTES
    words = wrapped(number_literals(values, kind))
    return f"const {c_type(kind)} {name}[{values.size}] = {{\n{words}}};"


def _fnv1a(values: Array) -> int:
    """The 32-bit FNV-1a hash of an array's bytes."""
    found = 0x811C9DC5
    for byte in np.ascontiguousarray(values).tobytes():
        found = ((found ^ byte) * 0x01000193) & 0xFFFFFFFF
    return found


def _calls(count: int) -> str:
    return "\n".join(
        f"  failed += RunCase{number}(model, resolver) ? 0 : 1;" for number in range(count)
    )


def _passed(facts: BundleFacts, stored: StoredVectors) -> str:
    count = len(stored.cases)
    if not count:
        return string_literal("PASS: the model loads and runs; there are no golden vectors")
    return string_literal(f"PASS: {count} {'case' if count == 1 else 'cases'}")
