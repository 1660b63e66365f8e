# SPDX-License-Identifier: Apache-2.0
"""The commands for the files in the archive behind the model."""

from __future__ import annotations

from tflm_studio.ui.app.action_row import ActionRow

FILES_MENU = "Associated files"
ASSOCIATED_FILE_ACTIONS = (
    ActionRow(
        "archive.add",
        "Add file…",
        FILES_MENU,
        (),
        "Put a file into the archive behind the model",
        enabled_by="can_add_file",
    ),
    ActionRow(
        "archive.replace",
        "Replace…",
        FILES_MENU,
        (),
        "Give the selected associated file other contents",
        enabled_by="has_file",
    ),
    ActionRow(
        "archive.extract",
        "Extract…",
        FILES_MENU,
        (),
        "Write the selected associated file to a disk",
        enabled_by="has_file",
    ),
    ActionRow(
        "archive.extract_all",
        "Extract all…",
        FILES_MENU,
        (),
        "Write all associated files into a folder",
        enabled_by="has_files",
    ),
    ActionRow(
        "archive.remove",
        "Remove",
        FILES_MENU,
        (),
        "Take the selected file out of the archive",
        enabled_by="has_file",
        separated=True,
    ),
)
