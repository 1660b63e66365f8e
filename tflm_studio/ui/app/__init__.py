# SPDX-License-Identifier: Apache-2.0
"""The main window, its actions, settings, theme and start."""
