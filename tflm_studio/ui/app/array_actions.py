# SPDX-License-Identifier: Apache-2.0
"""The commands that bring values out of a model and into it."""

from __future__ import annotations

from tflm_studio.ui.app.action_row import ActionRow
from tflm_studio.ui.app.weight_actions import VALUES_MENU


def _row(
    name: str, text: str, tip: str, enabled_by: str, *, separated: bool = False
) -> ActionRow:
    return ActionRow(
        f"array.{name}", text, VALUES_MENU, (), tip, "", enabled_by, separated=separated
    )


ARRAY_ACTIONS = (
    _row(
        "export_values",
        "Export values…",
        "Write the values that are shown as .npy, .npz, .csv, .txt, .bin, .png or C",
        "has_values",
    ),
    _row(
        "import_values",
        "Import values…",
        "Give what is shown the values of a .npy, .npz, .csv, .txt or .bin file",
        "has_editable_values",
    ),
    _row(
        "copy_numpy",
        "Copy as numpy",
        "Copy all values that are shown as a numpy array",
        "has_values",
        separated=True,
    ),
    _row("copy_c", "Copy as C", "Copy all values that are shown as a C array", "has_values"),
    _row(
        "copy_table",
        "Copy as table",
        "Copy all values that are shown for a spreadsheet",
        "has_values",
    ),
)
WEIGHT_FILE_ACTIONS = (
    ActionRow(
        "array.export_weights",
        "Export all weights…",
        "File",
        (),
        "Write all weights by name into one .npz file",
        separated=True,
    ),
    ActionRow(
        "array.import_weights",
        "Import weights…",
        "File",
        (),
        "Give tensors the values of the arrays of their names in a .npz file",
    ),
)
