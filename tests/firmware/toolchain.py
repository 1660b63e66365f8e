# SPDX-License-Identifier: Apache-2.0
"""The compiler of this machine, and what it made of a symbol."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

needs_gcc = pytest.mark.skipif(
    shutil.which("gcc") is None or shutil.which("g++") is None, reason="there is no compiler"
)
STRICT = ("-Wall", "-Wextra", "-Werror", "-pedantic", "-O0", "-c")


def compile_files(compiler: str, standard: str, files: list[Path], folder: Path) -> None:
    """Compiles sources strictly; the objects go to a folder."""
    folder.mkdir(exist_ok=True)
    names = [str(path.resolve()) for path in files]
    include = ["-I", str(files[0].parent)]
    run = [compiler, f"-std={standard}", *STRICT, *include, *names]
    done = subprocess.run(run, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def symbol_bytes(path: Path, symbol: str) -> tuple[int, bytes]:
    """What the address of a symbol in an object is a multiple of, and its bytes."""
    with path.open("rb") as file:
        elf = ELFFile(file)
        for each in elf.get_section_by_name(".symtab").iter_symbols():
            if symbol in each.name and each["st_info"]["type"] == "STT_OBJECT":
                section, at = elf.get_section(each["st_shndx"]), each["st_value"]
                if each["st_size"] < 16:
                    continue  # the size constant
                aligned = section["sh_addralign"]
                aligned = min(aligned, at & -at) if at else aligned
                return aligned, section.data()[at : at + each["st_size"]]
    raise AssertionError(f"{path}: no {symbol}")
