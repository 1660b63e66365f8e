# SPDX-License-Identifier: Apache-2.0
"""Panels, pages, delegates and dialogs."""
