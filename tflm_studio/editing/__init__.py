# SPDX-License-Identifier: Apache-2.0
"""Changing a model: edits, operations, history, the open document."""
