# SPDX-License-Identifier: Apache-2.0
"""Which keys do what: those of the commands, and those of the panels."""

from __future__ import annotations

from PySide6.QtGui import QKeySequence

from tflm_studio.ui.app.action_row import Keys
from tflm_studio.ui.app.actions import ACTIONS, MENUS, SUBMENUS

# What views answer themselves; no command stands for it.
PANEL_KEYS: dict[str, tuple[tuple[str, tuple[Keys | str, ...]], ...]] = {
    "Tables": (
        ("Edit the cell", ("Return", "F2")),
        ("Edit the next cell", ("Tab",)),
        ("Edit the cell before", ("Shift+Tab",)),
    ),
    "Values and bytes": (
        ("Copy", (Keys.Copy,)),
        ("Paste", (Keys.Paste,)),
        ("Set values to zero", (Keys.Delete,)),
    ),
    "Plots": (("Show the whole plot", ("Home",)),),
    "Arena": (
        ("Step between operators", ("Left", "Right")),
        ("Move a tensor of an offline plan", ("Alt+Up", "Alt+Down")),
        ("Zoom", ("+", "-", "0")),
    ),
    "Find field": (
        ("To the rows found", ("Return", "Down")),
        ("Show all rows", ("Esc",)),
        ("What can be searched for", ("F1",)),
    ),
}


def shortcut_groups() -> dict[str, list[tuple[str, str]]]:
    """The name and the keys of all that keys do, by the menu or panel they belong to."""
    groups: dict[str, list[tuple[str, str]]] = {menu: [] for menu in MENUS}
    for row in ACTIONS:
        if row.keys:
            menu = SUBMENUS.get(row.menu, row.menu)
            groups[menu].append((row.text.replace("&", ""), _shown(row.keys)))
    for panel, lines in PANEL_KEYS.items():
        groups[panel] = [(name, _shown(keys)) for name, keys in lines]
    return {title: lines for title, lines in groups.items() if lines}


def _shown(keys: tuple[Keys | str, ...]) -> str:
    native = QKeySequence.SequenceFormat.NativeText
    return ", ".join(QKeySequence(each).toString(native) for each in keys)
