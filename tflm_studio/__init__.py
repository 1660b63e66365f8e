# SPDX-License-Identifier: Apache-2.0
"""TFLM Studio: look at, change and save TensorFlow Lite Micro models."""
