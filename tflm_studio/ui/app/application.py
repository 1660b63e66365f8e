# SPDX-License-Identifier: Apache-2.0
"""Starting the program with its windows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tflm_studio.model.errors import StudioError
from tflm_studio.model.place_names import plural
from tflm_studio.model.resource_files import resource_path

NONE_OPENED = "None of the files can be opened"
MOST_REFUSALS = 5  # in a message


def open_windows(files: Sequence[str]) -> int:
    """Opens the files, or the bundled sample, and runs until the last window is closed.

    Raises:
        ReadError: None of the files could be opened.
    """
    from platformdirs import user_state_path
    from PySide6.QtGui import QIcon
    from PySide6.QtWidgets import QApplication

    from tflm_studio.ui.app.reports import install_reports
    from tflm_studio.ui.app.theme import apply_theme
    from tflm_studio.ui.app.windows import Windows

    application = QApplication(["tflm-studio"])
    application.setApplicationName("TFLM Studio")
    application.setDesktopFileName("tflm-studio")
    application.setWindowIcon(QIcon(str(resource_path("icons/tflm-studio.svg"))))
    install_reports()
    windows = Windows(recovery_folder=user_state_path("tflm-studio") / "recovery")
    apply_theme(application, windows.settings.theme)
    windows.offer_recovery()
    _open_all(windows, files)
    # A person who was asked which model to open may have said none.
    return application.exec() if windows.open_windows else 0


def _open_all(windows: object, files: Sequence[str]) -> None:
    from PySide6.QtWidgets import QMessageBox

    from tflm_studio.ui.app.windows import Windows

    assert isinstance(windows, Windows)
    refused: list[StudioError] = []
    for file in files:
        try:
            windows.open_path(Path(file))
        except StudioError as error:
            refused.append(error)
    if refused and not windows.open_windows:
        # Started from a desktop, nobody sees what the terminal says.
        text = "\n\n".join(map(str, refused[:MOST_REFUSALS]))
        more = len(refused) - MOST_REFUSALS
        rest = f"\n\nNor can {plural(more, 'other file')}." if more > 0 else ""
        title = "The file cannot be opened" if len(refused) == 1 else NONE_OPENED
        QMessageBox.critical(None, title, text + rest)
        raise refused[0]
    for refusal in refused:
        windows.open_windows[0].commands.files.report("The file cannot be opened", refusal)
    if not files and not windows.open_windows:
        windows.open_sample()
