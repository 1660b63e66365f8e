# SPDX-License-Identifier: Apache-2.0
"""The texts of a string tensor.

The layout is that of LiteRT's `string_util.h`: the number of texts, the offset of each and of
the end, all int32 from the start of the buffer, then the bytes.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from tflm_studio.model.errors import EditError
from tflm_studio.model.tensor_types import Array

MOST_TEXTS = 50_000_000


def read_strings(data: memoryview, place: str) -> Array:
    """The texts of a string tensor, one-dimensional, each as bytes.

    Args:
        data: The bytes of its buffer.
        place: What messages call it.

    Raises:
        EditError: The bytes are not laid out as texts.
    """
    count = int(np.frombuffer(data, "<i4", 1)[0]) if len(data) >= 4 else -1
    if not 0 <= count <= min(MOST_TEXTS, len(data) // 4 - 2 if count else 0):
        raise EditError(f"{place}: {len(data):,} bytes do not hold {count:,} texts.")
    texts = np.empty(count, object)
    if not count:
        return texts
    offsets = np.frombuffer(data, "<i4", count + 1, 4).tolist()
    start = 4 * (count + 2)
    for number, (first, last) in enumerate(pairwise(offsets)):
        if not start <= first <= last <= len(data):
            raise EditError(f"{place}: text {number} lies outside the {len(data):,} bytes.")
        texts[number] = bytes(data[first:last])
    return texts


def write_strings(texts: list[bytes]) -> bytes:
    """The bytes of a string tensor."""
    ends = np.cumsum([4 * (len(texts) + 2), *map(len, texts)])
    if ends[-1] >= 2**31:
        raise EditError("The texts together take more than 2 GB.")
    head = np.array([len(texts), *ends], "<i4").tobytes()
    return head + b"".join(texts)
