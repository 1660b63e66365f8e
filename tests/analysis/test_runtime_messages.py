# SPDX-License-Identifier: Apache-2.0
"""What messages of the runtimes name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SAMPLES
from tflm_studio.analysis.runtime_messages import NamedPlace, find_named_place
from tflm_studio.editing.document import Document
from tflm_studio.editing.edits import Edit, Set


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Node number 12 (CONV_2D) failed to prepare.", ("operators", 12, "CONV_2D")),
        ("Node number 8 (FlexConv2D) failed to invoke.", ("operators", 8, "FlexConv2D")),
        (
            "Node CONV_2D (number 12f) failed to prepare with status 1",
            ("operators", 12, "CONV_2D"),
        ),
        (
            "Node ethos-u (number 0) failed to invoke with status 1",
            ("operators", 0, "ethos-u"),
        ),
        (
            "RuntimeError: conv.cc:343 input->dims->size != 4 (3 != 4)\nTensor 7 is wrong. "
            "Node number 3 (CONV_2D) failed to prepare.",
            ("operators", 3, "CONV_2D"),
        ),
        ("ERROR: Node 34 (OP_MAXIMUM) invocation failed", ("operators", 34, "OP_MAXIMUM")),
        (
            "Didn't find op for builtin opcode 'CONV_2D' version '3'. An older version of "
            "this builtin might be supported.",
            ("operators", None, "CONV_2D"),
        ),
        (
            "Failed to get registration from op code CONV_2D\n",
            ("operators", None, "CONV_2D"),
        ),
        ("Encountered unresolved custom op: Foo.Bar.", ("operators", None, "Foo.Bar")),
        ("Input tensor 34 lacks data", ("tensors", 34, "")),
        ("Tensor 5 is invalidly specified in schema.", ("tensors", 5, "")),
        (
            "Invalid tensor index 30 in inputs. The subgraph has 30 tensors",
            ("tensors", 30, ""),
        ),
        ("tensor 34", ("tensors", 34, "")),
        (" Node 12 ", ("operators", 12, "")),
        ("op #3", ("operators", 3, "")),
        ("buffer 7", ("buffers", 7, "")),
        ("Invalid tensor index 3 (not in [0, 3))", None),
        ("Tensor at index 1 was optional but was expected", None),
        ("tensor 34 int8", None),
        ("node", None),
        ("tensor 99999999999", None),
        ("", None),
    ],
)
def test_messages(text: str, place: tuple[str, int | None, str] | None) -> None:
    assert find_named_place(text) == (NamedPlace(*place) if place is not None else None)


LITERT = """
import sys
from ai_edge_litert.interpreter import Interpreter
try:
    interpreter = Interpreter(sys.argv[1])
    interpreter.allocate_tensors()
    interpreter.invoke()
except (RuntimeError, ValueError) as error:
    sys.stderr.write(str(error))
"""
MICRO = """
import sys
from pathlib import Path
from tflite_micro.python.tflite_micro import runtime
runtime.Interpreter.from_bytes(Path(sys.argv[1]).read_bytes())
"""


@pytest.mark.parametrize(
    ("program", "edit", "place"),
    [
        (LITERT, Set("subgraphs[0].tensors[7].buffer", 0), NamedPlace("tensors", 7)),
        (LITERT, Set("subgraphs[0].tensors[7].type", 0), NamedPlace("tensors", 7)),
        (
            LITERT,
            Set("subgraphs[0].operators[6].inputs", [99]),
            NamedPlace("tensors", 99),
        ),
        (
            MICRO,
            Set("subgraphs[0].tensors[7].type", 0),
            NamedPlace("operators", 2, "CONV_2D"),
        ),
    ],
)
def test_what_the_runtimes_say_is_understood(
    program: str, edit: Edit, place: NamedPlace, tmp_path: Path
) -> None:
    document = Document.open(SAMPLES / "shapes_int8.tflite")
    document.do(edit)
    path = tmp_path / "broken.tflite"
    document.save(path)
    # A program of its own: the runtimes die of some models.
    ran = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False
    )
    assert find_named_place(ran.stdout + ran.stderr) == place, ran.stderr
