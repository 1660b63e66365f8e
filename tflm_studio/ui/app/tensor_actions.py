# SPDX-License-Identifier: Apache-2.0
"""The commands for tensors, buffers, inputs and outputs."""

from __future__ import annotations

from tflm_studio.ui.app.action_row import ActionRow

TENSOR_ACTIONS: tuple[ActionRow, ...] = ()
