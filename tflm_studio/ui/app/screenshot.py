# SPDX-License-Identifier: Apache-2.0
"""The real window drawn into a picture, without a screen."""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tflm_studio.editing.document import Document
from tflm_studio.model.address import Address, parse_address, resolve
from tflm_studio.model.errors import EditError, WriteError

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from tflm_studio.ui.app.main_window import MainWindow

MOST_PIXELS = 16384
SETTLING_SECONDS = 10.0


def take_screenshot(arguments: argparse.Namespace) -> None:
    """Carries out `tflm-studio screenshot`.

    Raises:
        StudioError: The model cannot be read, the picture not written, an argument not used.
    """
    width, height = _size(arguments.size)
    address = parse_address(arguments.select) if arguments.select else None
    document = Document.open(arguments.file, arguments.array)
    if address is not None:
        resolve(document.model, address)
    output = Path(arguments.output)
    if output.suffix.lower() != ".png":
        raise WriteError(f"{output}: pictures are written as .png; name the file so.")
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    draw(document, output, arguments.theme, (width, height), address)


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)[x×](\d+)", text.strip())
    if match is None or not all(100 <= int(part) <= MOST_PIXELS for part in match.groups()):
        raise EditError(
            f"'{text}' is not a size; write it as 1440x900 (100 to {MOST_PIXELS})."
        )
    return int(match[1]), int(match[2])


def draw(
    document: Document,
    output: Path,
    theme: str,
    size: tuple[int, int],
    address: Address | None = None,
    page: str = "Values",
) -> None:
    """Draws the window of a document.

    Args:
        document: What the window shows.
        output: The PNG file to write.
        theme: "light" or "dark".
        size: Width and height of the window in pixels.
        address: What is selected; the first operator if None.
        page: Title of the page of the buffer view.

    Raises:
        WriteError: The picture cannot be written.
    """
    from PySide6.QtCore import qInstallMessageHandler
    from PySide6.QtWidgets import QApplication

    from tflm_studio.ui.app.main_window import MainWindow
    from tflm_studio.ui.app.settings import Settings
    from tflm_studio.ui.app.theme import apply_theme

    qInstallMessageHandler(_pass_on)
    application = QApplication.instance() or QApplication(["tflm-studio"])
    assert isinstance(application, QApplication)
    apply_theme(application, theme)
    with TemporaryDirectory() as folder:
        # What a picture needs is nobody's setting.
        window = MainWindow(document, settings=Settings(Path(folder) / "settings.ini"))
        _draw(application, window, output, size, address, page)


def _draw(
    application: QApplication,
    window: MainWindow,
    output: Path,
    size: tuple[int, int],
    address: Address | None,
    page: str,
) -> None:
    window.resize(*size)
    window.show()
    application.processEvents()
    if (window.width(), window.height()) != size:
        least = f"{window.width()}x{window.height()}"
        window.close()
        raise EditError(f"The window does not get smaller than {least}; ask for more.")
    window.dock_layout.reset_sizes()
    if address is not None:
        window.show_place(address)
    window.buffer_view.show_page(page)
    _settle(application)
    if not window.grab().save(str(output)):
        raise WriteError(f"{output}: the picture cannot be written; does the folder exist?")
    window.close()


def _pass_on(kind: object, context: object, message: str) -> None:
    # Without a screen there is no window manager to tell sizes to, and Qt says so each time.
    if "propagateSizeHints" not in message:
        sys.stderr.write(f"{message}\n")


def _settle(application: QApplication) -> None:
    """Lets layouts and background measuring come to rest."""
    from PySide6.QtCore import QThreadPool

    deadline = time.monotonic() + SETTLING_SECONDS
    while time.monotonic() < deadline:
        application.processEvents()
        if QThreadPool.globalInstance().waitForDone(20):
            break
    for _ in range(3):
        application.processEvents()
