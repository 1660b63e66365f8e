# SPDX-License-Identifier: Apache-2.0
"""Firmware images: what they hold where, and the models among it."""
