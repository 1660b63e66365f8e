# SPDX-License-Identifier: Apache-2.0
"""Every option of every kind of operator in real models: set, saved, read, undone."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as official

from tests.conftest import readable_models
from tests.editing.random_edits import random_number
from tflm_studio.editing.document import Document
from tflm_studio.editing.edits import Set
from tflm_studio.formats.model_file import load_model_from_file
from tflm_studio.model.address import Address
from tflm_studio.model.operators import operator_name
from tflm_studio.schema.structure import Field, Kind, Table

MOST_BYTES = 3_000_000
UNIONS = ("builtin_options", "builtin_options_2")


def places_by_kind(folder: Path) -> dict[tuple[str, str], tuple[Path, Address]]:
    """For each kind of operator the smallest model that has one with options, and where."""
    found: dict[tuple[str, str], tuple[Path, Address]] = {}
    paths = [path for path in readable_models(folder) if path.stat().st_size < MOST_BYTES]
    for path in sorted(paths, key=lambda path: path.stat().st_size):
        model = load_model_from_file(path)
        for s, subgraph in enumerate(model.subgraphs or []):
            for k, operator in enumerate(subgraph.operators or []):
                for union in UNIONS:
                    options = getattr(operator, union)
                    if isinstance(options, Table):
                        kind = (operator_name(model, operator), type(options).__name__)
                        place: Address = ("subgraphs", s, "operators", k, union)
                        found.setdefault(kind, (path, place))
    return found


def another(row: Field, value: Any, random: Random) -> Any:
    """Another legal value; None if the field takes no plain value."""
    for _ in range(100):
        new: Any
        if row.kind is Kind.SCALAR and row.enum is not None:
            new = random.choice(list(row.enum))
        elif row.kind is Kind.SCALAR:
            new = random_number(row, random)
        elif row.kind is Kind.STRING:
            new = random.choice(["other", "ünïcode"])
        elif row.kind is Kind.SCALARS:
            new = [random_number(row, random) for _ in range(2)]
        elif row.kind is Kind.BYTES:
            new = random.randbytes(5)
        else:
            return None
        if new != value and new == new:
            return new
    return None


def as_official(value: Any) -> Any:
    """A value as the official classes hold it."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, (bytes, memoryview, list)):
        return np.array(list(value)).tolist()
    return value


def camel(name: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), name)


def test_every_option_of_every_kind(models_folder: Path, tmp_path: Path) -> None:
    kinds, random, fields = places_by_kind(models_folder), Random(7), 0
    assert len(kinds) > 50
    for number, (kind, (source, place)) in enumerate(sorted(kinds.items())):
        before = source.read_bytes()
        path = tmp_path / f"{number}.tflite"
        path.write_bytes(before)
        document = Document.open(path)
        options: Any = document.model
        for step in place:
            options = options[step] if isinstance(step, int) else getattr(options, str(step))
        wanted = {}
        for row in options.ROWS:
            new = another(row, getattr(options, row.name), random)
            if new is not None and not row.deprecated:
                document.do(Set((*place, row.name), new))
                wanted[row.name] = getattr(options, row.name)
        document.save()
        read = official.ModelT.InitFromPackedBuf(bytearray(path.read_bytes()), 0)
        found = read.subgraphs[place[1]].operators[place[3]]
        theirs = found.builtinOptions if place[4] == UNIONS[0] else found.builtinOptions2
        for name, value in wanted.items():
            got = getattr(theirs, camel(name))
            got = got.tolist() if isinstance(got, np.ndarray) else got
            assert got == as_official(value), (kind, name)
        fields += len(wanted)
        document.go_to(0)
        document.save()
        assert path.read_bytes() == before, (kind, source.name)
    assert fields > 100


@pytest.mark.parametrize("name", ["stride_w", "fused_activation_function", "new_shape"])
def test_names_are_those_of_the_official_classes(name: str) -> None:
    owners = (official.Conv2DOptionsT, official.ReshapeOptionsT)
    assert any(hasattr(owner(), camel(name)) for owner in owners)
