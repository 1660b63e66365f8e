# SPDX-License-Identifier: Apache-2.0
"""Names of classes that a model carries behind it, as its makers' tools write them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tflm_studio.runtime.golden_inputs import End
from tflm_studio.schema.tables import Model

MOST_LABELS = 65_536
MOST_BYTES = 4 * 2**20


@dataclass(frozen=True, slots=True)
class LabelList:
    """The labels of one file.

    Attributes:
        source: Name of the file.
        labels: A name for each class, in order.
        output: Which output has as many values in its last dimension, None if none has.
    """

    source: str
    labels: tuple[str, ...]
    output: int | None


def label_lists(model: Model, outputs: Sequence[End]) -> tuple[LabelList, ...]:
    """The labels in the files behind a model: text files named so, or that fit an output.

    Args:
        model: The model.
        outputs: Of its main subgraph.
    """
    found = []
    for file in model.associated_files or []:
        name = str(file.name or "")
        data = bytes(file.data)[: MOST_BYTES + 1] if file.data is not None else b""
        if not name.lower().endswith((".txt", ".labels")) or len(data) > MOST_BYTES:
            continue
        labels = _lines(data)
        output = next(
            (k for k, end in enumerate(outputs) if _classes(end) == len(labels)), None
        )
        is_named = "label" in name.lower()
        if labels and len(labels) <= MOST_LABELS and (is_named or output is not None):
            found.append(LabelList(name, labels, output))
    return tuple(found)


def _lines(data: bytes) -> tuple[str, ...]:
    text = data.decode("utf-8-sig", "surrogateescape").replace("\r\n", "\n")
    return tuple(text.rstrip("\n").split("\n")) if text.strip() else ()


def _classes(end: End) -> int:
    return end.shape[-1] if end.shape else 1
