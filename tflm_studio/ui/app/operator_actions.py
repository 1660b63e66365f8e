# SPDX-License-Identifier: Apache-2.0
"""The commands for operators."""

from __future__ import annotations

from tflm_studio.ui.app.action_row import ActionRow

OPERATOR_ACTIONS: tuple[ActionRow, ...] = ()
