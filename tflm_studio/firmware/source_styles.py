# SPDX-License-Identifier: Apache-2.0
"""The forms in which a firmware takes a model, one row each, and what their files say."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from tflm_studio.firmware.source_facts import Body, Facts, FileText
from tflm_studio.formats.c_source_writer import check_symbol, symbol_for
from tflm_studio.model.errors import EditError


@dataclass(frozen=True, slots=True)
class SourceStyle:
    """One form.

    Attributes:
        name: What the command line calls it.
        title: What the window calls it.
        about: What it is for, in a sentence.
        suffixes: Of the files it writes; the first holds the bytes, or leads to them.
        texts: Makes their texts.
        uses: Names of the options that have a say in them.
        length: What the size constant adds to the symbol.
        symbol: Makes the symbol from the name of the file.
        tells: Whether the files say where the model came from unless told otherwise.
    """

    name: str
    title: str
    about: str
    suffixes: tuple[str, ...]
    texts: Callable[[Facts], tuple[FileText, ...]]
    uses: frozenset[str]
    length: str = "_len"
    symbol: Callable[[str], str] = symbol_for
    tells: bool = True


def _tflm(facts: Facts) -> tuple[FileText, ...]:
    header = facts.names[1]
    size = f"constexpr {facts.options.size_type} {facts.length} = {facts.size};"
    declared = (
        f"{facts.size_include or '#include <cstdint>'}".rstrip()
        + f"\n\n{facts.opened}{size}\n"
        + f"extern const unsigned char {facts.symbol}[];\n{facts.closed}"
    )
    head = (
        f'{facts.top}#include "{header}"\n\n{facts.opened}alignas({facts.options.alignment}) '
        f"const unsigned char {facts.symbol}[]{facts.section} = {{\n"
    )
    text = facts.top + facts.guarded(header, declared) + facts.guard_end(header)
    return FileText(head, Body.ARRAY, f"}};\n{facts.closed}"), FileText(text)


def _declared_for_c(facts: Facts) -> str:
    """The declarations of a C array, for C and C++."""
    include = f"{facts.size_include}\n" if facts.size_include else ""
    return (
        f'{include}#ifdef __cplusplus\nextern "C" {{\n#endif\n\n'
        f"extern const unsigned char {facts.symbol}[];\n"
        f"extern const {facts.options.size_type} {facts.length};\n\n"
        "#ifdef __cplusplus\n}\n#endif\n"
    )


def _c_header(facts: Facts, name: str) -> FileText:
    text = facts.guarded(name, _declared_for_c(facts)) + facts.guard_end(name)
    return FileText(facts.top + text)


def _length_definition(facts: Facts, before: str = "") -> str:
    return f"{before}const {facts.options.size_type} {facts.length} = {facts.size};\n"


def _c(facts: Facts, about: str = "", aligned: str = "_Alignas({})") -> tuple[FileText, ...]:
    header = facts.names[1]
    before = aligned.format(facts.options.alignment)
    head = (
        f'{facts.top}{about}#include "{header}"\n\n'
        f"{before} const unsigned char {facts.symbol}[]{facts.section} = {{\n"
    )
    end = f"}};\n\n{_length_definition(facts)}"
    return FileText(head, Body.ARRAY, end), _c_header(facts, header)


def _esp_idf(facts: Facts) -> tuple[FileText, ...]:
    about = f'/* In CMakeLists.txt: idf_component_register(SRCS "{facts.names[0]}" ...) */\n'
    return _c(facts, about)


def _zephyr(facts: Facts) -> tuple[FileText, ...]:
    about = (
        f"/* In CMakeLists.txt: target_sources(app PRIVATE {facts.names[0]}) */\n"
        "#ifdef __ZEPHYR__\n#include <zephyr/toolchain.h>\n#endif\n#ifndef __aligned\n"
        "#define __aligned(x) __attribute__((__aligned__(x)))\n#endif\n"
    )
    return _c(facts, about, "__aligned({})")


def _header(facts: Facts) -> tuple[FileText, ...]:
    (name,) = facts.names
    include = f"{facts.size_include}\n" if facts.size_include else ""
    aligned = (
        f"#ifdef __cplusplus\nalignas({facts.options.alignment})\n#else\n"
        f"_Alignas({facts.options.alignment})\n#endif\n"
    )
    head = (
        f"{include}{aligned}static const unsigned char {facts.symbol}[]{facts.section} = {{\n"
    )
    end = f"}};\n\n{_length_definition(facts, 'static ')}{facts.guard_end(name)}"
    return (FileText(facts.top + facts.guarded(name, head), Body.ARRAY, end),)


def _xxd(facts: Facts) -> tuple[FileText, ...]:
    alignment = facts.options.alignment
    aligned = f"__attribute__((aligned({alignment})))\n" if alignment > 1 else ""
    head = f"{facts.top}{aligned}unsigned char {facts.symbol}[]{facts.section} = {{\n"
    end = f"}};\n{facts.options.size_type} {facts.length} = {facts.size};\n"
    return (FileText(head, Body.ARRAY, end),)


def _arduino(facts: Facts) -> tuple[FileText, ...]:
    (name,) = facts.names
    head = (
        f"#ifdef ARDUINO\n#include <Arduino.h>\n#elif !defined(PROGMEM)\n#define PROGMEM\n"
        f"#endif\n{facts.size_include}\n{facts.opened}"
        f"alignas({facts.options.alignment}) static const unsigned char {facts.symbol}[] "
        f"PROGMEM{facts.section} = {{\n"
    )
    length = _length_definition(facts, "static ")
    end = f"}};\n\n{length}{facts.closed}{facts.guard_end(name)}"
    return (FileText(facts.top + facts.guarded(name, head), Body.ARRAY, end),)


def _edge_impulse(facts: Facts) -> tuple[FileText, ...]:
    (name,) = facts.names
    align = (
        "#ifndef ALIGN\n#if defined(__GNUC__)\n#define ALIGN(X) __attribute__((aligned(X)))\n"
        "#elif defined(_MSC_VER)\n#define ALIGN(X) __declspec(align(X))\n"
        "#elif defined(__TASKING__)\n#define ALIGN(X) __align(X)\n#endif\n#endif\n"
    )
    head = (
        f"{facts.size_include}{align}\nstatic const unsigned char {facts.symbol}[] "
        f"ALIGN({facts.options.alignment}){facts.section} = {{\n"
    )
    end = f"}};\n\n{_length_definition(facts, 'static ')}{facts.guard_end(name)}"
    return (FileText(facts.top + facts.guarded(name, head), Body.ARRAY, end),)


def _incbin(facts: Facts) -> tuple[FileText, ...]:
    _, binary, header = facts.names
    symbol, length = facts.symbol, facts.length
    words = {"unsigned int": "INT", "int": "INT", "unsigned long": "LONG", "size_t": "SIZE_T"}
    width = words.get(facts.options.size_type)
    sized = f"    .4byte {facts.size}\n"
    if width is not None:
        sized = "".join(
            f"#if __SIZEOF_{width}__ == {count}\n    .{count}byte {facts.size}\n#endif\n"
            for count in (2, 4, 8)
        )
    alignment = facts.options.alignment
    text = (
        f"{facts.top}/* The folder of {binary} must be among those of -I. */\n"
        f'    .section {facts.options.section or ".rodata"}, "a", %progbits\n'
        f"    .balign {alignment}\n    .global {symbol}\n    .type {symbol}, %object\n"
        f'{symbol}:\n    .incbin "{binary}"\n    .size {symbol}, . - {symbol}\n\n'
        f"    .balign 8\n    .global {length}\n    .type {length}, %object\n{length}:\n{sized}"
        f"    .size {length}, . - {length}\n\n#ifdef __ELF__\n"
        '    .section .note.GNU-stack, "", %progbits\n#endif\n'
    )
    return FileText(text), FileText(body=Body.RAW), _c_header(facts, header)


def _bin(facts: Facts) -> tuple[FileText, ...]:
    return (FileText(body=Body.RAW),)


def _hex(facts: Facts) -> tuple[FileText, ...]:
    return (FileText(body=Body.HEX),)


def _tflm_symbol(name: str) -> str:
    return f"{symbol_for(name)}_model_data"


def _xxd_symbol(name: str) -> str:
    """As `xxd -i` names it, save where that is no name for C++."""
    symbol = re.sub(r"[^A-Za-z0-9]+", "_", re.split(r"[/\\]", name)[-1]).strip("_") or "model"
    try:
        return check_symbol(symbol)
    except EditError:
        return f"model_{symbol}"


_COMMON = frozenset({"licence", "provenance"})
_ARRAY = _COMMON | {"symbol", "alignment", "bytes_per_line", "form", "size_type", "section"}
_GUARDED = _ARRAY | {"guard"}

STYLES = (
    SourceStyle(
        "tflm",
        "TensorFlow Lite Micro (C++)",
        "A C++ source and a header, named as TFLM's own examples are.",
        (".cc", ".h"),
        _tflm,
        _GUARDED | {"namespace"},
        "_size",
        _tflm_symbol,
    ),
    SourceStyle(
        "c", "C11", "A C source and a header that C++ can use too.", (".c", ".h"), _c, _GUARDED
    ),
    SourceStyle(
        "header",
        "Single header",
        "One header for C and C++; every source that includes it gets a copy.",
        (".h",),
        _header,
        _GUARDED,
    ),
    SourceStyle(
        "xxd",
        "xxd -i",
        "What xxd -i writes, but aligned; with alignment 1 it is the same text.",
        (".h",),
        _xxd,
        _ARRAY,
        symbol=_xxd_symbol,
        tells=False,
    ),
    SourceStyle(
        "arduino",
        "Arduino (PROGMEM)",
        "One header for a sketch; the array stays in flash on AVR.",
        (".h",),
        _arduino,
        _GUARDED | {"namespace"},
    ),
    SourceStyle(
        "esp-idf",
        "ESP-IDF",
        "A C source and a header for a component.",
        (".c", ".h"),
        _esp_idf,
        _GUARDED,
    ),
    SourceStyle(
        "zephyr",
        "Zephyr",
        "A C source with Zephyr's __aligned, and a header.",
        (".c", ".h"),
        _zephyr,
        _GUARDED,
    ),
    SourceStyle(
        "edge-impulse",
        "Edge Impulse",
        "One header in the manner of Edge Impulse's library, with ALIGN.",
        (".h",),
        _edge_impulse,
        _GUARDED,
    ),
    SourceStyle(
        "incbin",
        "Assembler (.incbin)",
        "An assembler source that takes in the model's file, and a header: builds fastest.",
        (".S", ".tflite", ".h"),
        _incbin,
        _COMMON | {"symbol", "alignment", "size_type", "section", "guard"},
    ),
    SourceStyle(
        "bin",
        "Raw binary",
        "The model's bytes alone.",
        (".bin",),
        _bin,
        frozenset(),
        tells=False,
    ),
    SourceStyle(
        "hex",
        "Intel HEX",
        "The model's bytes at an address, for a programmer of flash.",
        (".hex",),
        _hex,
        frozenset({"address", "alignment"}),
        tells=False,
    ),
)
_BY_NAME = {style.name: style for style in STYLES}


def style_named(name: str) -> SourceStyle:
    """A style by its name.

    Raises:
        EditError: There is none so called.
    """
    if name not in _BY_NAME:
        raise EditError(f"style '{name}': choose one of {', '.join(_BY_NAME)}.")
    return _BY_NAME[name]
