# SPDX-License-Identifier: Apache-2.0
"""A line in which a tensor is named, by its index or a part of what is known of it."""

from __future__ import annotations

import re

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCompleter, QLineEdit, QWidget

from tflm_studio.model.errors import EditError
from tflm_studio.model.graph import describe_tensor
from tflm_studio.model.schema import SubGraph


class TensorChoice(QLineEdit):
    """Completes what is typed to a tensor: index, name, shape and type are searched."""

    def __init__(self, subgraph: SubGraph, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        tensors = subgraph.tensors or []
        self._count = len(tensors)
        self._indices: dict[str, list[int]] = {}
        for index, tensor in enumerate(tensors):
            self._indices.setdefault(tensor.name or "", []).append(index)
        self._lines = [f"{k}  {describe_tensor(tensor)}" for k, tensor in enumerate(tensors)]
        completer = QCompleter(self._lines, self)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.setCompleter(completer)
        self.setPlaceholderText("index, or a part of the name")
        self.setClearButtonEnabled(True)

    def choose(self, index: int) -> None:
        """Names a tensor."""
        self.setText(self._lines[index])

    def index(self) -> int:
        """The index of the tensor that is named.

        Raises:
            EditError: None is, or it does not exist.
        """
        text = self.text().strip()
        named = self._indices.get(text, []) if text else []
        if len(named) == 1:
            return named[0]
        number = re.match(r"[0-9]{1,9}(?=\s|$)", text)
        if number is None:
            raise EditError("Name a tensor, by its index or its name.")
        index = int(number[0])
        if index >= self._count:
            raise EditError(f"There is no tensor {index}; the last is {self._count - 1}.")
        return index
