# SPDX-License-Identifier: Apache-2.0
"""Bytes to model and back: flatbuffer, C source, file detection, saving."""
