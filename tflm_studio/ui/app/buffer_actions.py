# SPDX-License-Identifier: Apache-2.0
"""The commands for the buffers of a model."""

from __future__ import annotations

from tflm_studio.ui.app.action_row import ActionRow, Keys

BUFFERS_MENU = "Buffers"
BUFFER_ACTIONS = (
    ActionRow(
        "buffer.add", "Add buffer", BUFFERS_MENU, (), "Add a buffer that nothing uses yet"
    ),
    ActionRow(
        "buffer.duplicate",
        "Duplicate buffer",
        BUFFERS_MENU,
        ("Ctrl+D",),
        "Copy the selected buffers",
        enabled_by="has_buffer",
    ),
    ActionRow(
        "buffer.delete",
        "Delete buffer",
        BUFFERS_MENU,
        (Keys.Delete,),
        "Delete the selected buffers, which nothing may use",
        enabled_by="has_buffer",
    ),
    ActionRow(
        "buffer.replace",
        "Replace data from file…",
        BUFFERS_MENU,
        (),
        "Give the selected buffer, or that of the tensor, the bytes of a file",
        enabled_by="has_data_buffer",
        separated=True,
    ),
    ActionRow(
        "buffer.extract",
        "Extract data to file…",
        BUFFERS_MENU,
        (),
        "Write the bytes of the selected buffer, or that of the tensor, to a file",
        enabled_by="has_data_buffer",
    ),
    ActionRow(
        "buffer.share_identical",
        "Share identical buffers",
        BUFFERS_MENU,
        (),
        "Keep one of all buffers that have the same bytes",
        separated=True,
    ),
    ActionRow(
        "buffer.remove_unused",
        "Remove unused buffers",
        BUFFERS_MENU,
        (),
        "Delete all buffers that nothing uses",
    ),
)
