# SPDX-License-Identifier: Apache-2.0
"""Light and dark palettes on the Fusion style; no style sheets."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

Role = QPalette.ColorRole

THEMES = ("system", "light", "dark")

_LIGHT = {
    Role.Window: "#f3f4f6",
    Role.WindowText: "#1b1f24",
    Role.Base: "#ffffff",
    Role.AlternateBase: "#f8f9fb",
    Role.Text: "#1b1f24",
    Role.PlaceholderText: "#7a828e",
    Role.Button: "#eceef1",
    Role.ButtonText: "#1b1f24",
    Role.BrightText: "#b42318",
    Role.ToolTipBase: "#ffffff",
    Role.ToolTipText: "#1b1f24",
    Role.Highlight: "#d3e4fd",
    Role.HighlightedText: "#0b1f3a",
    Role.Link: "#1d5fd0",
    Role.LinkVisited: "#1d5fd0",
    Role.Light: "#ffffff",
    Role.Midlight: "#e6e9ed",
    Role.Mid: "#c3c8d0",
    Role.Dark: "#a3aab5",
    Role.Shadow: "#6b7280",
    Role.Accent: "#1d5fd0",
}
_DARK = {
    Role.Window: "#25292f",
    Role.WindowText: "#dfe3e8",
    Role.Base: "#181a1f",
    Role.AlternateBase: "#1d2026",
    Role.Text: "#dfe3e8",
    Role.PlaceholderText: "#8a929e",
    Role.Button: "#343a43",
    Role.ButtonText: "#dfe3e8",
    Role.BrightText: "#ff9087",
    Role.ToolTipBase: "#343a43",
    Role.ToolTipText: "#dfe3e8",
    Role.Highlight: "#21436f",
    Role.HighlightedText: "#f2f6fc",
    Role.Link: "#7ab0ff",
    Role.LinkVisited: "#7ab0ff",
    Role.Light: "#464d58",
    Role.Midlight: "#3b414b",
    Role.Mid: "#3d434d",
    Role.Dark: "#101216",
    Role.Shadow: "#08090b",
    Role.Accent: "#7ab0ff",
}
_GREYED = (Role.WindowText, Role.Text, Role.ButtonText)


def make_palette(theme: str) -> QPalette:
    """The palette of "light" or "dark"."""
    colours = _DARK if theme == "dark" else _LIGHT
    palette = QPalette()
    for role, colour in colours.items():
        palette.setColor(role, QColor(colour))
    for role in _GREYED:
        palette.setColor(
            QPalette.ColorGroup.Disabled, role, QColor(colours[Role.PlaceholderText])
        )
    return palette


def apply_theme(application: QApplication, theme: str) -> None:
    """Gives all windows a theme; "system" takes what the desktop says, or light."""
    if application.style().objectName() != "fusion":
        application.setStyle("Fusion")
    scheme = application.styleHints().colorScheme()
    if theme == "system":
        theme = "dark" if scheme is Qt.ColorScheme.Dark else "light"
    application.setPalette(make_palette(theme))
