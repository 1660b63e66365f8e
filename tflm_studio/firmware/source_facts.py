# SPDX-License-Identifier: Apache-2.0
"""What the texts of an exported source are made of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tflm_studio.firmware.source_options import SIZE_TYPES, SourceOptions
from tflm_studio.formats.c_source_writer import guard_for


class Body(Enum):
    """What of the model stands between the head and the end of a file."""

    NONE = "nothing"
    ARRAY = "its bytes as numbers"
    RAW = "its bytes"
    HEX = "its bytes as Intel HEX records"


@dataclass(frozen=True, slots=True)
class FileText:
    """One file of an export.

    Attributes:
        head: What stands before the bytes.
        body: How the bytes are written.
        end: What stands behind them.
    """

    head: str = ""
    body: Body = Body.NONE
    end: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the text of a style is made of.

    Attributes:
        symbol: Name of the array.
        length: Name of its size constant.
        size: Number of bytes.
        names: Names of the files, in the order of the style's suffixes.
        options: What was chosen.
        top: The comments at the head of each file.
    """

    symbol: str
    length: str
    size: int
    names: tuple[str, ...]
    options: SourceOptions
    top: str

    @property
    def section(self) -> str:
        """The attribute that puts the array into a section, with a space before it."""
        named = self.options.section
        return f' __attribute__((section("{named}")))' if named else ""

    @property
    def size_include(self) -> str:
        """The line that declares the size type, if it needs one."""
        header = SIZE_TYPES[self.options.size_type]
        return f"#include <{header}>\n" if header else ""

    def guarded(self, name: str, text: str) -> str:
        """A header's text that is taken in once."""
        if self.options.guard == "pragma":
            return f"#pragma once\n\n{text}"
        guard = guard_for(name)
        return f"#ifndef {guard}\n#define {guard}\n\n{text}"

    def guard_end(self, name: str) -> str:
        """What ends a guarded header."""
        return "" if self.options.guard == "pragma" else f"\n#endif /* {guard_for(name)} */\n"

    @property
    def opened(self) -> str:
        """The lines that open the namespace."""
        if not self.options.namespace:
            return ""
        names = self.options.namespace.split("::")
        return "\n".join(f"namespace {name} {{" for name in names) + "\n\n"

    @property
    def closed(self) -> str:
        """The lines that close it."""
        if not self.options.namespace:
            return ""
        names = reversed(self.options.namespace.split("::"))
        return "\n" + "\n".join(f"}}  // namespace {name}" for name in names) + "\n"
