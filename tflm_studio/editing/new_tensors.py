# SPDX-License-Identifier: Apache-2.0
"""Tensors for what a new operator makes: without data."""

from __future__ import annotations

from tflm_studio.editing.field_values import copied
from tflm_studio.schema.tables import Tensor


def activation(name: str, like: Tensor | None) -> Tensor:
    """A tensor that is computed.

    Args:
        name: Its name.
        like: Whose shape, type and quantization it gets; without one it is a float scalar.
    """
    if like is None:
        return Tensor(shape=[], name=name)
    parameters = like.quantization
    return Tensor(
        shape=list(like.shape or []),
        type=like.type,
        name=name,
        quantization=copied(parameters) if parameters and not _is_of_weights(like) else None,
        shape_signature=like.shape_signature and list(like.shape_signature),
        has_rank=like.has_rank,
    )


def _is_of_weights(tensor: Tensor) -> bool:
    """Whether the quantization has a scale for each channel, as only weights have."""
    parameters = tensor.quantization
    return parameters is not None and (
        parameters.details is not None or len(parameters.scale or []) > 1
    )


def copy_of(tensor: Tensor, name: str) -> Tensor:
    """A tensor like another in everything but its name and data."""
    made: Tensor = copied(tensor)
    made.name, made.buffer, made.external_buffer = name, 0, 0
    return made
