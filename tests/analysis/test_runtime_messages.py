# SPDX-License-Identifier: Apache-2.0
"""What messages of the runtimes name."""

from __future__ import annotations

import pytest

from tflm_studio.analysis.runtime_messages import NamedPlace, find_named_place


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
