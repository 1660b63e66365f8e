# SPDX-License-Identifier: Apache-2.0
"""All kinds of operators as rows: those of the model first, then those of TFLM."""

from __future__ import annotations

from collections import Counter
from typing import Any

from PySide6.QtCore import QObject

from tflm_studio.model.operator_kinds import OperatorKind, operator_kinds
from tflm_studio.model.operators import CUSTOM, builtin_code
from tflm_studio.model.schema import Model
from tflm_studio.ui.models.choice_table import ChoiceTable, Index, Role
from tflm_studio.ui.models.record_table import GROUP_ROLE

NAME, SCHEMA_NAME, IN_TFLM, USES = range(4)
ANY_CUSTOM = "Any custom operator…"


class OperatorKindTable(ChoiceTable[OperatorKind]):
    """Kinds that contain some words; the one for any custom operator is always the last."""

    TITLES = ("Name", "In the schema", "TFLM", "In this model")

    def __init__(self, model: Model, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._uses = _uses(model)
        kinds = operator_kinds()
        self._all = sorted(
            (kind for kind in kinds if not is_any_custom(kind)),
            key=lambda kind: (
                not self.uses(kind),
                kind.resolver is None,
                kind.name.casefold(),
            ),
        )
        self._custom = [kind for kind in kinds if is_any_custom(kind)]
        self.shown = [*self._all, *self._custom]

    def uses(self, kind: OperatorKind) -> int:
        """How many operators of the model are of a kind."""
        return self._uses[kind.code, kind.custom_code or ""]

    def search(self, text: str) -> None:
        """Shows only kinds that contain all words of a text, the closest ones first."""
        words = text.casefold().split()
        found = [kind for kind in self._all if all(word in _text_of(kind) for word in words)]
        if words:
            found.sort(key=lambda kind: _distance(kind, text.strip().casefold()))
        self.show([*found, *self._custom])

    def data(self, index: Index, role: int = Role.DisplayRole) -> Any:
        if not index.isValid():
            return None
        kind = self.shown[index.row()]
        if role == Role.DisplayRole:
            return self._cell(kind, index.column())
        if role == Role.ToolTipRole:
            return describe_kind(kind)
        if role == GROUP_ROLE and index.column() == NAME:
            return kind.group
        return None

    def _cell(self, kind: OperatorKind, column: int) -> str:
        if column == NAME:
            return ANY_CUSTOM if is_any_custom(kind) else kind.name
        if column == SCHEMA_NAME:
            return kind.schema_name
        if is_any_custom(kind):
            return ""
        if column == IN_TFLM:
            return "yes" if kind.resolver else "no"
        return f"{self.uses(kind):,}×" if self.uses(kind) else ""


def is_any_custom(kind: OperatorKind) -> bool:
    """Whether a kind stands for custom operators of any name."""
    return kind.code == CUSTOM and kind.custom_code is None


def describe_kind(kind: OperatorKind) -> str:
    """Family of a kind, and how TFLM's resolver adds it."""
    tflm = f"{kind.resolver}() in TFLM" if kind.resolver else "not in TFLM's resolver"
    return f"{kind.schema_name} · {kind.group} · {tflm}"


def _uses(model: Model) -> Counter[tuple[int, str]]:
    codes = model.operator_codes or []
    counts = Counter(
        operator.opcode_index
        for subgraph in model.subgraphs or []
        for operator in subgraph.operators or []
    )
    found: Counter[tuple[int, str]] = Counter()
    for index, count in counts.items():
        if index < len(codes):
            found[builtin_code(codes[index]), codes[index].custom_code or ""] += count
    return found


def _text_of(kind: OperatorKind) -> str:
    return f"{kind.search_text} {(kind.custom_code or '').lower()}"


def _distance(kind: OperatorKind, text: str) -> int:
    names = (kind.name.casefold(), kind.schema_name.casefold(), kind.schema_name.casefold())
    if text in names or text.replace(" ", "_") in names:
        return 0
    return 1 if any(name.startswith(text) for name in names) else 2
