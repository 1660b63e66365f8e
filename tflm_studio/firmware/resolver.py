# SPDX-License-Identifier: Apache-2.0
"""The operators that a firmware registers with TFLM for its models, as C++.

Method names are irregular and stand in `resources/operators.json`, as
`tensorflow/lite/micro/micro_mutable_op_resolver.h` of tflite-micro has them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tflm_studio.firmware.c_text import comment_text, string_literal
from tflm_studio.model.operators import (
    CUSTOM,
    OperatorKnowledge,
    find_knowledge,
)
from tflm_studio.schema.tables import Model

HEADER = "tensorflow/lite/micro/micro_mutable_op_resolver.h"
NO_CODE = -1


@dataclass(frozen=True, slots=True)
class Registration:
    """One kind of operator that models use.

    Attributes:
        name: For people; a custom operator's own name.
        code: BuiltinOperator value.
        method: Of MicroMutableOpResolver; None if TFLM lacks it, or it is one's own.
        versions: Those that the models ask for, ascending.
        is_own: Whether it is a custom operator that TFLM does not have.
    """

    name: str
    code: int
    method: str | None
    versions: tuple[int, ...]
    is_own: bool

    @property
    def is_missing(self) -> bool:
        """Whether TFLM cannot run it."""
        return self.method is None and not self.is_own


def registrations(models: Iterable[Model]) -> list[Registration]:
    """What operators of some models need: in the order of their names, each once.

    Only operators that a subgraph uses count, not every entry of the operator codes.
    O(operators).
    """
    versions: dict[tuple[int, str], set[int]] = {}
    known: dict[tuple[int, str], OperatorKnowledge] = {}
    for model in models:
        used = {o.opcode_index for g in model.subgraphs or [] for o in g.operators or []}
        codes = model.operator_codes or []
        for index in sorted(used):
            code = codes[index] if index < len(codes) else None
            kind = find_knowledge(code)
            key = kind.code, kind.name
            known[key] = kind
            versions.setdefault(key, set()).update([code.version] if code else ())
    found = [
        Registration(
            kind.name,
            kind.code,
            kind.resolver,
            tuple(sorted(versions[key])),
            kind.code == CUSTOM and kind.resolver is None,
        )
        for key, kind in known.items()
    ]
    return sorted(found, key=lambda each: (each.name.lower(), each.name))


def resolver_source(
    models: Iterable[Model], title: str = "the model", namespace: str = ""
) -> str:
    """C++ that makes a `MicroMutableOpResolver` with what the models need, and no more.

    Args:
        models: One, or several that run in one firmware.
        title: What the first comment calls them.
        namespace: What it stands in, such as `app::models`; nothing if empty.

    Returns:
        A header to include; it compiles as C++14. Operators that TFLM lacks are named in
        comments, custom ones of one's own are declared and have to be written.
    """
    found = registrations(models)
    own = _functions(each.name for each in found if each.is_own)
    added = [each for each in found if not each.is_missing]
    parts = namespace.split("::") if namespace else []
    lines = [
        f"// Operators of {comment_text(title)}.",
        "#pragma once",
        "",
        f'#include "{HEADER}"',
        "",
        *(line for part in parts for line in (f"namespace {part} {{", "")),
        *(
            f"// TFLM lacks {comment_text(each.name)}: {reason_for(each)}"
            for each in found
            if each.is_missing
        ),
        *(line for name, called in own.items() for line in _declaration(name, called)),
        f"using ModelOpResolver = tflite::MicroMutableOpResolver<{max(len(added), 1)}>;",
        "",
        "// Call once, before the interpreter is made.",
        f"inline TfLiteStatus RegisterOps(ModelOpResolver& {'' if added else '/*'}resolver"
        f"{'' if added else '*/'}) {{",
        *(f"  TF_LITE_ENSURE_STATUS({_call(each, own)});{_versions(each)}" for each in added),
        "  return kTfLiteOk;",
        "}",
        *(line for part in reversed(parts) for line in ("", f"}}  // namespace {part}")),
    ]
    return "\n".join(lines) + "\n"


def reason_for(each: Registration) -> str:
    """Why an operator cannot be registered."""
    if each.code == NO_CODE:
        return "an operator names an operator code that is not there."
    return "the model cannot run before the operator is replaced or a kernel is written."


def _declaration(name: str, function: str) -> list[str]:
    return [
        f'// Yours to write: TFLM has no operator "{comment_text(name)}".',
        f"const TFLMRegistration* {function}();",
        "",
    ]


def _call(each: Registration, functions: Mapping[str, str]) -> str:
    if each.method is not None:
        return f"resolver.{each.method}()"
    return f"resolver.AddCustom({string_literal(each.name)}, {functions[each.name]}())"


def _versions(each: Registration) -> str:
    if not each.versions:
        return ""
    noun = "version" if len(each.versions) == 1 else "versions"
    return f"  // {noun} {', '.join(map(str, each.versions))}"


def _functions(names: Iterable[str]) -> dict[str, str]:
    """The functions that give the kernels of one's own, by the names of the operators."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        stem = f"Register_{re.sub(r'[^0-9A-Za-z_]', '_', name)}"
        function, number = stem, 2
        while function in taken:  # `a-b` and `a_b` are two operators
            function, number = f"{stem}_{number}", number + 1
        found[name] = function
        taken.add(function)
    return found
