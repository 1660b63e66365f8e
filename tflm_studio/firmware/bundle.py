# SPDX-License-Identifier: Apache-2.0
"""A folder that a firmware engineer can build: the model, what it needs, and its test."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tflm_studio.analysis.arena_size import ArenaEstimate, estimate_arena
from tflm_studio.firmware.bundle_build import cmake_source, digests_source, readme_source
from tflm_studio.firmware.bundle_facts import MADE, ArenaFacts, BundleFacts
from tflm_studio.firmware.golden_test_source import golden_test_source, stored_vectors
from tflm_studio.firmware.labels import label_lists
from tflm_studio.firmware.resolver import registrations, resolver_source
from tflm_studio.firmware.settings_source import settings_source
from tflm_studio.firmware.source_export import contents, planned_export
from tflm_studio.firmware.source_options import Provenance, SourceOptions
from tflm_studio.firmware.source_styles import style_named
from tflm_studio.formats.c_source_writer import symbol_for
from tflm_studio.formats.layout import Layout
from tflm_studio.formats.model_file import encode
from tflm_studio.model.errors import EditError
from tflm_studio.model.operators import builtin_code
from tflm_studio.model.place_names import named_few
from tflm_studio.runtime.golden_inputs import main_ends
from tflm_studio.runtime.golden_vectors import GoldenVectors, golden_cases, golden_vectors
from tflm_studio.runtime.worker_process import MeasureError
from tflm_studio.schema.enums import BuiltinOperator
from tflm_studio.schema.tables import Model

MODEL, HEADER, OPERATORS = "model.cc", "model.h", "model_ops.h"
SETTINGS, TEST, BUILD, README, DIGESTS = (
    "model_settings.h",
    "model_test.cc",
    "CMakeLists.txt",
    "README.md",
    "bundle.sha256",
)
FILES = (MODEL, HEADER, OPERATORS, SETTINGS, TEST, BUILD, README, DIGESTS)
MOST_SEED = 2**32
NOT_ASKED = "they were not asked for."
ROOM = 32  # one part in so many is added to a measured arena
UNIT = 1024

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class BundleOptions:
    """What can be chosen about a bundle.

    Attributes:
        symbol: Name of the array; made from the file's name if empty.
        namespace: C++ namespace of all names; none if empty, from the file's name if None.
        seed: What the random inputs of the test follow from.
        with_vectors: Whether the model is run for golden vectors.

    Raises:
        EditError: One of them cannot be used; says which and why.
    """

    symbol: str = ""
    namespace: str | None = None
    seed: int = 0
    with_vectors: bool = True

    def __post_init__(self) -> None:
        SourceOptions(symbol=self.symbol, namespace=self.namespace or "")
        if not 0 <= self.seed < MOST_SEED:
            raise EditError(f"seed {self.seed}: choose 0 to {MOST_SEED - 1}.")


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """A bundle that is ready to be written.

    Attributes:
        files: Names and what they hold.
        facts: What they were made from.
        notes: What a person should know before it is built.
    """

    files: tuple[tuple[str, bytes], ...]
    facts: BundleFacts
    notes: tuple[str, ...]


def _silent(_: str) -> None:
    """Tells nobody."""


def make_bundle(
    model: Model,
    title: str,
    options: BundleOptions | None = None,
    progress: Progress = _silent,
) -> Bundle:
    """Everything that a firmware needs to run a model, in memory.

    The same model and options give the same bytes, with the same interpreter installed.

    Args:
        model: The model.
        title: Name of its file.
        options: What was chosen.
        progress: Told what is being done now.

    Raises:
        EditError: The inputs or outputs are not ones that a firmware can fill or read.
        PlanError: Nobody can tell how large its arena is.
        WriteError: C cannot hold so many bytes.
        CancelledError: It is no longer wanted.
    """
    options = options or BundleOptions()
    data = encode(model).tobytes()
    facts = bundle_facts(model, data, title, options, progress)
    export = planned_export(
        Layout(len(data), [data]),
        style_named("tflm"),
        Path(MODEL),
        SourceOptions(
            symbol=facts.symbol,
            namespace=facts.namespace,
            guard="pragma",
            provenance=Provenance(title, sha256=facts.sha256),
        ),
    )
    stored = stored_vectors(facts)
    notes = _notes(facts, stored.notes)
    texts = {
        OPERATORS: f"// {MADE}.\n{resolver_source([model], title, facts.namespace)}",
        SETTINGS: settings_source(facts),
        TEST: golden_test_source(facts, stored),
        BUILD: cmake_source(facts),
        README: readme_source(facts, notes),
    }
    files = (
        *contents(export),
        *((name, text.encode("utf-8", "replace")) for name, text in texts.items()),
    )
    digests = (DIGESTS, digests_source(files))
    return Bundle((*files, digests), facts, tuple(notes))


def bundle_facts(
    model: Model, data: bytes, title: str, options: BundleOptions, progress: Progress = _silent
) -> BundleFacts:
    """What the files of a bundle are written from; runs the model if that is wanted.

    Raises:
        EditError, PlanError, CancelledError: As `make_bundle`.
    """
    inputs, outputs = main_ends(model)
    estimate = estimate_arena(model)
    name = default_namespace(title)
    vectors, reason = None, NOT_ASKED
    if options.with_vectors:
        progress("Running the model in the reference interpreter…")
        try:
            cases = golden_cases(inputs, options.seed)
            vectors = _checked(golden_vectors(data, cases, estimate.recommended), len(outputs))
        except MeasureError as error:
            reason = str(error)
    progress("Writing the sources…")
    return BundleFacts(
        title=title,
        name=name,
        symbol=options.symbol or default_symbol(title),
        namespace=name if options.namespace is None else options.namespace,
        size=len(data),
        sha256=sha256(data).hexdigest(),
        inputs=inputs,
        outputs=outputs,
        arena=_arena(estimate, vectors),
        operators=tuple(registrations([model])),
        labels=label_lists(model, outputs),
        resources=_resources(model),
        vectors=vectors,
        reason=reason if vectors is None else "",
    )


def _checked(vectors: GoldenVectors, outputs: int) -> GoldenVectors:
    if any(len(case.outputs) != outputs for case in vectors.cases):
        raise MeasureError(
            "The interpreter gave another number of outputs than the model has."
        )
    return vectors


def default_symbol(title: str) -> str:
    """What the array is called if nobody says otherwise."""
    return f"g_{default_namespace(title)}_data"


def default_namespace(title: str) -> str:
    """A lower-case name for targets and the namespace; none that a C library has."""
    stem = symbol_for(title, "")
    name = re.sub(r"_+", "_", stem).strip("_").lower() or "model"
    name = f"model_{name}" if name[0].isdigit() else name
    return name if name.endswith("model") else f"{name}_model"


def _arena(estimate: ArenaEstimate, vectors: GoldenVectors | None) -> ArenaFacts:
    """The recommended size; a larger one if TFLM was seen to need it."""
    size, measured, ran_in = estimate.recommended, 0, 0
    if vectors is not None and vectors.arena_used:
        measured, ran_in = vectors.arena_used, vectors.arena_size
        if ran_in > size:
            size = max(size, -(-(measured + measured // ROOM) // UNIT) * UNIT)
    tail = estimate.firmware_tail.total
    return ArenaFacts(size, estimate.head, estimate.plan.is_exact, tail, measured, ran_in)


def _resources(model: Model) -> int:
    """How many resource variables there are: each name counts once."""
    codes = model.operator_codes or []
    wanted = {
        k for k, code in enumerate(codes) if builtin_code(code) == BuiltinOperator.VAR_HANDLE
    }
    names = set()
    for subgraph in model.subgraphs or []:
        for operator in subgraph.operators or []:
            if operator.opcode_index in wanted:
                options = operator.builtin_options
                names.add(
                    (
                        getattr(options, "container", None),
                        getattr(options, "shared_name", None),
                    )
                )
    return len(names)


def _notes(facts: BundleFacts, stored: Iterable[str]) -> list[str]:
    notes = []
    if facts.missing:
        notes.append(
            f"TFLM lacks {named_few(facts.missing)}: the bundle compiles, but its test fails "
            "until the operators are replaced."
        )
    if facts.own:
        notes.append(
            f"The kernels of {named_few(facts.own)} are yours to write; model_ops.h declares "
            f"them, {facts.name}_KERNELS names their sources to CMake."
        )
    if facts.vectors is None and facts.reason != NOT_ASKED:
        notes.append(
            f"There are no golden vectors, the test only runs the model: {facts.reason}"
        )
    elif facts.vectors is not None:
        notes += [f"Not with TFLM: {note}" for note in facts.vectors.notes]
        if facts.vectors.arena_size > facts.arena.size:
            notes.append(
                "The vectors ran in a larger arena than is recommended; it was measured."
            )
    if not facts.arena.is_exact:
        notes.append(
            "The scratch memory of some operators is not known: the arena may be too small."
        )
    return [*notes, *stored]
