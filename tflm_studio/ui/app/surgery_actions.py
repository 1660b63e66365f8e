# SPDX-License-Identifier: Apache-2.0
"""The commands for changes to the whole graph."""

from __future__ import annotations

from tflm_studio.ui.app.action_row import ActionRow

SURGERY_ACTIONS: tuple[ActionRow, ...] = ()
