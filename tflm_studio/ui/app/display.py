# SPDX-License-Identifier: Apache-2.0
"""Whether a window can be shown here. Qt aborts the process if it cannot, so we ask first."""

from __future__ import annotations

import ctypes
import os
import re
import socket
import sys
from pathlib import Path

XCB_PACKAGES = (
    "libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0 libxcb-xkb1 libxkbcommon-x11-0"
)


def why_no_display() -> str | None:
    """Why no window can be shown, in half a sentence; None if one can."""
    if sys.platform in ("win32", "darwin") or os.environ.get("QT_QPA_PLATFORM"):
        return None
    if _has_wayland():
        return None
    display = os.environ.get("DISPLAY")
    if not display:
        return "there is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set)"
    if not _answers(display):
        return f"the display {display} does not answer"
    return _missing_library()


def _has_wayland() -> bool:
    name = os.environ.get("WAYLAND_DISPLAY")
    if not name:
        return False
    return _connects(str(Path(os.environ.get("XDG_RUNTIME_DIR", "/run")) / name))


def _answers(display: str) -> bool:
    match = re.fullmatch(r"([^:]*):(\d+)(?:\.\d+)?", display)
    if match is None:
        return False
    host, number = match[1], int(match[2])
    if host in ("", "unix"):
        return _connects(f"/tmp/.X11-unix/X{number}") or _connects(
            f"\0/tmp/.X11-unix/X{number}"
        )
    try:
        socket.create_connection((host, 6000 + number), timeout=2).close()
    except OSError:
        return False
    return True


def _connects(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(path)
        except OSError:
            return False
        return True


def _missing_library() -> str | None:
    """Loads Qt's plugin for X11: a library it lacks is named here, by Qt it is not."""
    import PySide6

    plugin = Path(PySide6.__file__).parent / "Qt" / "plugins" / "platforms" / "libqxcb.so"
    try:
        if plugin.exists():
            ctypes.CDLL(str(plugin))
    except OSError as error:
        return f"a system library is missing ({error}); on Debian install {XCB_PACKAGES}"
    return None
