# SPDX-License-Identifier: Apache-2.0
"""Values out of a window into files and the clipboard, and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMessageBox

from tflm_studio.ui.app.main_window import MainWindow

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


def test_values_and_weights_go_out_and_come_back(
    window: MainWindow, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    actions, warnings = window.commands.actions, []
    monkeypatch.setattr(QMessageBox, "warning", lambda *args: warnings.append(args[2]))

    def run(action: str, path: Path | None = None) -> None:
        chosen = str(path) if path is not None else ""
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (chosen, "(*.npy)"))
        monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (chosen, ""))
        assert actions[f"array.{action}"].isEnabled(), action
        actions[f"array.{action}"].trigger()

    grid = window.buffer_view.grid
    assert grid is not None
    before = grid.contents.values().reshape(grid.contents.shape).copy()
    for suffix in (".npy", ".npz", ".csv", ".txt", ".bin", ".png", ".c"):
        run("export_values", tmp_path / f"w{suffix}")
        assert (tmp_path / f"w{suffix}").exists()
    run("export_values", tmp_path / "bare")
    np.testing.assert_array_equal(np.load(tmp_path / "bare.npy"), before)
    np.save(tmp_path / "new.npy", -np.clip(before, -127, 127))
    run("import_values", tmp_path / "new.npy")
    shown = window.buffer_view.grid
    assert shown is not None
    np.testing.assert_array_equal(
        shown.contents.values(), -np.clip(before, -127, 127).reshape(-1)
    )
    assert len(window.document.history.steps) == 1
    assert window.document.history.steps[0].label.endswith("import new.npy")
    run("import_values", tmp_path / "w.bin")
    np.testing.assert_array_equal(
        window.buffer_view.grid.contents.values(), before.reshape(-1)
    )  # type: ignore[union-attr]
    np.save(tmp_path / "wrong.npy", np.zeros(3))
    run("import_values", tmp_path / "wrong.npy")
    assert "The file holds 3 values" in window.notice.label.text()
    run("import_values", tmp_path / "w.png")
    assert "the suffix says how to read it" in warnings[-1]
    run("export_weights", tmp_path / "all")
    window.document.undo()
    window.document.undo()
    assert not window.document.modified
    run("import_weights", tmp_path / "all.npz")
    assert not window.document.modified
    run("copy_numpy")
    found = eval(QGuiApplication.clipboard().text(), {"np": np})
    np.testing.assert_array_equal(found, before)
    run("copy_table")
    assert QGuiApplication.clipboard().text().split("\n")[0].split("\t")[0] == str(
        before.flat[0]
    )
    run("copy_c")
    assert "const int8_t g_" in QGuiApplication.clipboard().text()
    window.session.selection.select(())
    assert not actions["array.export_values"].isEnabled()
