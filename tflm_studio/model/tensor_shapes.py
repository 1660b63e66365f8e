# SPDX-License-Identifier: Apache-2.0
"""How many elements and bytes a tensor has by its shape and type."""

from __future__ import annotations

import math

from tflm_studio.model.tensor_types import element_type
from tflm_studio.schema.tables import Tensor


def element_count(tensor: Tensor) -> int | None:
    """Elements of a tensor; None if a dimension is below 0."""
    shape = tensor.shape or []
    return None if any(size < 0 for size in shape) else math.prod(shape)


def needed_bytes(tensor: Tensor) -> int | None:
    """Bytes of the data of a tensor; None if that cannot be told.

    Strings have no fixed size, sparse tensors store fewer elements.
    """
    count, kind = element_count(tensor), element_type(tensor.type)
    if count is None or not kind.bits or tensor.sparsity is not None:
        return None
    return kind.nbytes(count)
