# SPDX-License-Identifier: Apache-2.0
"""How a command of the window is declared."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QKeySequence

Keys = QKeySequence.StandardKey


@dataclass(frozen=True, slots=True)
class ActionRow:
    """One command.

    Attributes:
        id: Object name of its QAction; the method that carries it out is named after it.
        text: What menus call it.
        menu: In which menu or submenu it stands; "" for none.
        keys: Its shortcuts, the one that menus show first.
        tip: One sentence for the status bar and the toolbar.
        toolbar: Short text in the toolbar; "" if it is not there.
        enabled_by: Name of a fact of the window that enables it; "" if always possible.
        separated: Whether a line stands before it.
        checkable: Whether it is a choice that is on or off.
        answered_by_focus: Whether its keys belong to whatever has the focus; menus only show
            them.
    """

    id: str
    text: str
    menu: str
    keys: tuple[Keys | str, ...] = ()
    tip: str = ""
    toolbar: str = ""
    enabled_by: str = ""
    separated: bool = False
    checkable: bool = False
    answered_by_focus: bool = False
