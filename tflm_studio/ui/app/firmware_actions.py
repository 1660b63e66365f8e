# SPDX-License-Identifier: Apache-2.0
"""The commands for what a firmware needs besides the model."""

from __future__ import annotations

from tflm_studio.ui.app.action_row import ActionRow

FIRMWARE_MENU = "Firmware"
FIRMWARE_ACTIONS = (
    ActionRow(
        "firmware.export",
        "Export for a firmware…",
        FIRMWARE_MENU,
        (),
        "Write the model as an array in a C source, or in another form for a firmware",
    ),
    ActionRow(
        "firmware.show_arena",
        "Arena",
        FIRMWARE_MENU,
        (),
        "Show the memory that the model will take at run time",
        separated=True,
    ),
    ActionRow(
        "firmware.show_resolver",
        "Operator resolver",
        FIRMWARE_MENU,
        (),
        "Show the C++ that registers the operators of the model",
    ),
    ActionRow(
        "firmware.copy_resolver",
        "Copy operator resolver",
        FIRMWARE_MENU,
        (),
        "Copy the C++ that registers the operators of the model",
    ),
    ActionRow(
        "firmware.save_resolver",
        "Save operator resolver…",
        FIRMWARE_MENU,
        (),
        "Write the C++ that registers the operators to a header of the firmware",
    ),
    ActionRow(
        "firmware.write_bundle",
        "Write firmware bundle…",
        FIRMWARE_MENU,
        (),
        "Write a folder with the model, what it needs, and its test",
        separated=True,
    ),
    ActionRow(
        "firmware.check_boards",
        "Check boards…",
        FIRMWARE_MENU,
        (),
        "Show which boards the model fits",
    ),
)
