# SPDX-License-Identifier: Apache-2.0
"""`model_settings.h`: sizes, shapes, types and quantisation of a model as C++ constants."""

from __future__ import annotations

from tflm_studio.firmware.bundle_facts import MADE, BundleFacts
from tflm_studio.firmware.c_text import (
    c_type,
    comment_text,
    float_literal,
    string_literal,
    wrapped,
)
from tflm_studio.firmware.labels import LabelList
from tflm_studio.model.excerpts import excerpt
from tflm_studio.runtime.golden_inputs import End

NAME_CHARACTERS = 120


def settings_source(facts: BundleFacts) -> str:
    """The header; it compiles as C++14 and needs nothing but the standard headers."""
    parts = facts.namespace.split("::") if facts.namespace else []
    registered = sum(not each.is_missing for each in facts.operators)
    lines = [
        f"// Settings for {comment_text(facts.title)}. {MADE}.",
        "#pragma once",
        "",
        "#include <cstddef>",
        "#include <cstdint>",
        "",
        *(line for part in parts for line in (f"namespace {part} {{", "")),
        *(f"// {line}" for line in facts.arena.lines),
        f"constexpr std::size_t kTensorArenaSize = {facts.arena.size};",
        "",
        f"constexpr std::size_t kModelSize = {facts.size};",
        f"constexpr int kOperatorCount = {registered};  // kinds to register",
        f"constexpr int kResourceVariableCount = {facts.resources};",
        "",
        f"constexpr int kInputCount = {len(facts.inputs)};",
        f"constexpr int kOutputCount = {len(facts.outputs)};",
    ]
    for what, ends in (("Input", facts.inputs), ("Output", facts.outputs)):
        for end in ends:
            lines += ["", *_end_lines(what, end)]
    for number, each in enumerate(facts.labels):
        lines += ["", *_label_lines(f"Labels{number + 1 if number else ''}", each)]
    lines += [line for part in reversed(parts) for line in ("", f"}}  // namespace {part}")]
    return "\n".join(lines) + "\n"


def _end_lines(what: str, end: End) -> list[str]:
    """The constants of one input or output."""
    prefix = f"k{what}{end.index}"
    shape = ", ".join(map(str, end.shape))
    named = f' "{comment_text(excerpt(end.name, NAME_CHARACTERS))}"' if end.name else ""
    lines = [
        f"// {what} {end.index}{named}, tensor {end.tensor_index}: {end.kind.name} "
        f"[{shape}]{_meaning(end)}",
    ]
    if end.name and len(end.name) <= NAME_CHARACTERS:
        lines.append(f"constexpr const char* {prefix}Name = {string_literal(end.name)};")
    lines += [
        f'constexpr const char* {prefix}TypeName = "{end.kind.name}";',
        f"using {what}{end.index}Type = {c_type(end.kind)};",
        f"constexpr int {prefix}Rank = {len(end.shape)};",
    ]
    if end.shape:
        lines.append(f"constexpr int {prefix}Shape[] = {{{shape}}};")
    lines += [
        f"constexpr std::size_t {prefix}Elements = {end.count};",
        f"constexpr std::size_t {prefix}Bytes = {end.nbytes};",
    ]
    if end.scale:
        lines += [
            f"constexpr float {prefix}Scale = {float_literal(end.scale)};",
            f"constexpr int {prefix}ZeroPoint = {end.zero_point};",
        ]
    return lines


def _meaning(end: End) -> str:
    if not end.scale:
        return ""
    minus = (
        f"(stored - {end.zero_point})"
        if end.zero_point >= 0
        else f"(stored + {-end.zero_point})"
    )
    return f", real = {end.scale:.9g} * {minus if end.zero_point else 'stored'}"


def _label_lines(name: str, labels: LabelList) -> list[str]:
    of = f", of output {labels.output}" if labels.output is not None else ""
    return [
        f"// From {comment_text(labels.source)}{of}.",
        f"constexpr int k{name}Count = {len(labels.labels)};",
        f"constexpr const char* k{name}[] = {{",
        wrapped(map(string_literal, labels.labels)),
        "};",
    ]
