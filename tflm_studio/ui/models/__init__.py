# SPDX-License-Identifier: Apache-2.0
"""Qt item models and signals; no widgets here."""
