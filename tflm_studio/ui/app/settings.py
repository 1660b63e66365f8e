# SPDX-License-Identifier: Apache-2.0
"""What is remembered between sessions: recent files, theme, places of the panels."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from platformdirs import user_config_path
from PySide6.QtCore import QByteArray, QSettings

MOST_RECENT = 10
LAYOUT_VERSION = 2
APPLICATION = "tflm-studio"


class Settings:
    """Typed access to the settings file; what cannot be read counts as not set.

    Args:
        path: The file; the user's own if not given.
    """

    def __init__(self, path: Path | None = None) -> None:
        file = path or user_config_path(APPLICATION) / "settings.ini"
        self._store = QSettings(str(file), QSettings.Format.IniFormat)

    @property
    def recent_files(self) -> list[str]:
        """Paths of files opened lately that still exist, newest first."""
        return [path for path in self._stored_recent() if os.path.exists(path)]

    def add_recent(self, path: Path) -> None:
        """Puts a file at the head of the recent ones."""
        newest = str(path.resolve())
        others = (each for each in self._stored_recent() if each != newest)
        self._set_recent([newest, *others])

    def _stored_recent(self) -> list[str]:
        # A list of one comes back from an INI file as plain text, so JSON it is.
        try:
            paths = json.loads(str(self._store.value("recent_files", "[]")))
        except ValueError:
            return []
        return (
            [path for path in paths if isinstance(path, str)]
            if isinstance(paths, list)
            else []
        )

    def _set_recent(self, paths: Iterable[str]) -> None:
        self._store.setValue("recent_files", json.dumps(list(paths)[:MOST_RECENT]))

    @property
    def theme(self) -> str:
        """One of "system", "light", "dark"."""
        theme = str(self._store.value("theme", "system"))
        return theme if theme in ("system", "light", "dark") else "system"

    @theme.setter
    def theme(self, theme: str) -> None:
        self._store.setValue("theme", theme)

    @property
    def keeps_backups(self) -> bool:
        """Whether saving keeps what the file held before."""
        return str(self._store.value("keeps_backups", "false")) == "true"

    @keeps_backups.setter
    def keeps_backups(self, keeps: bool) -> None:
        self._store.setValue("keeps_backups", "true" if keeps else "false")

    @property
    def export_choices(self) -> dict[str, Any]:
        """How a model was exported last."""
        try:
            choices = json.loads(str(self._store.value("export_choices", "{}")))
        except ValueError:
            return {}
        return choices if isinstance(choices, dict) else {}

    @export_choices.setter
    def export_choices(self, choices: dict[str, Any]) -> None:
        self._store.setValue("export_choices", json.dumps(choices))

    @property
    def folder(self) -> str:
        """Where a file was opened or saved last."""
        return str(self._store.value("folder", ""))

    @folder.setter
    def folder(self, folder: str) -> None:
        self._store.setValue("folder", folder)

    @property
    def view_choices(self) -> dict[str, str]:
        """How plots were looked at last, such as "histogram.counts": "log"."""
        try:
            made = json.loads(str(self._store.value("view_choices", "{}")))
        except ValueError:
            return {}
        pairs = made.items() if isinstance(made, dict) else ()
        return {name: value for name, value in pairs if isinstance(value, str)}

    @view_choices.setter
    def view_choices(self, made: Mapping[str, str]) -> None:
        self._store.setValue("view_choices", json.dumps(dict(made)))

    def layout(self) -> tuple[QByteArray, QByteArray] | None:
        """Geometry of the window and state of its docks, if they are of this version."""
        if str(self._store.value("layout/version", "")) != str(LAYOUT_VERSION):
            return None
        parts = [self._store.value(f"layout/{name}") for name in ("geometry", "state")]
        if not all(isinstance(part, QByteArray) for part in parts):
            return None
        return parts[0], parts[1]

    def set_layout(self, geometry: QByteArray, state: QByteArray) -> None:
        """Remembers the window's geometry and the state of its docks."""
        self._store.setValue("layout/version", LAYOUT_VERSION)
        self._store.setValue("layout/geometry", geometry)
        self._store.setValue("layout/state", state)
