# SPDX-License-Identifier: Apache-2.0
"""Models with one constant of any type, to do arithmetic on."""

import numpy as np

from tflm_studio.model.tensor_types import ELEMENT_TYPES, encode
from tflm_studio.schema.tables import Buffer, Model, QuantizationParameters, SubGraph, Tensor

W = "subgraphs[0].tensors[0]"
CODES = {kind.name: code for code, kind in ELEMENT_TYPES.items()}
RANDOM = np.random.default_rng(5)


def holding(
    numbers: object,
    dtype: str = "float32",
    scale: list[float] | None = None,
    zero_point: list[int] | None = None,
    axis: int = 0,
) -> Model:
    """A model whose tensor 0 holds numbers, as they are stored."""
    array = np.asarray(numbers)
    quantization = None
    if scale is not None:
        zeros = zero_point or [0] * len(scale)
        quantization = QuantizationParameters(
            scale=[float(np.float32(s)) for s in scale],
            zero_point=zeros,
            quantized_dimension=axis,
        )
    tensor = Tensor(list(array.shape), CODES[dtype], 1, "weights", quantization=quantization)
    data = encode(array.reshape(-1), ELEMENT_TYPES[CODES[dtype]])
    return Model(
        version=3,
        subgraphs=[SubGraph([tensor], [], [], [])],
        buffers=[Buffer(), Buffer(data=data)],
    )
