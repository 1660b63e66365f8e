# SPDX-License-Identifier: Apache-2.0
"""The commands for the model, its signatures, metadata and subgraphs."""

from __future__ import annotations

from tflm_studio.ui.app.action_row import ActionRow

MODEL_ACTIONS: tuple[ActionRow, ...] = ()
