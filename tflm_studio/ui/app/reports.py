# SPDX-License-Identifier: Apache-2.0
"""Bugs of ours: shown with what a report needs, and the program lives on."""

from __future__ import annotations

import sys
import traceback
from types import TracebackType

from PySide6.QtCore import qVersion
from PySide6.QtWidgets import QApplication, QMessageBox

TITLE = "Something went wrong in TFLM Studio"
ADVICE = (
    "This is a bug of ours, not of your model. Your work is still open: save it under another "
    "name to be safe. The details below help us to mend it."
)


def install_reports() -> None:
    """Shows exceptions that nobody caught in a dialog; they go to stderr as well."""
    sys.excepthook = report


def report(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Shows one exception."""
    sys.__excepthook__(kind, error, trace)
    if issubclass(kind, KeyboardInterrupt):
        QApplication.quit()
        return
    box = QMessageBox(
        QMessageBox.Icon.Critical, TITLE, f"{kind.__name__}: {error}\n\n{ADVICE}"
    )
    box.setDetailedText(_details(kind, error, trace))
    box.exec()


def _details(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> str:
    from importlib.metadata import version  # takes 40 ms, rarely wanted

    versions = (
        f"TFLM Studio {version('tflm-studio')}, Qt {qVersion()}, "
        f"Python {sys.version.split()[0]}, {sys.platform}"
    )
    return versions + "\n\n" + "".join(traceback.format_exception(kind, error, trace))
