# SPDX-License-Identifier: Apache-2.0
"""A model with tensors stored in every form that is not one value after another."""

from __future__ import annotations

import numpy as np

from tflm_studio.analysis.string_values import write_strings
from tflm_studio.formats.compression_metadata import (
    COMPRESSION,
    Compression,
    LutTensor,
    encode_compression,
)
from tflm_studio.model.tensor_types import ELEMENT_TYPES, encode
from tflm_studio.schema.enums import BuiltinOperator, DimensionType, TensorType
from tflm_studio.schema.tables import (
    BlockwiseQuantization,
    Buffer,
    DimensionMetadata,
    Int32Vector,
    Metadata,
    Model,
    Operator,
    OperatorCode,
    QuantizationParameters,
    SparsityParameters,
    SubGraph,
    Tensor,
)

TEXTS = [b"yes", b"no", "zwölf".encode(), b"", b"\xff"]
(
    SPARSE,
    LUT,
    TABLE,
    ENCODED,
    ANCILLARY,
    DECODED,
    SCALES,
    BLOCKS,
    LABELS,
    FILTER,
    SIX,
    SCALAR,
    SPECIAL,
) = range(13)
SPARSE_VALUES = np.array([[1, 0, 0, 2], [0, 0, 3, 0], [0, 0, 0, 4]], np.float32)
LUT_VALUES = np.array([[-5, -1, 2, 7], [7, 2, -1, -5]], np.int8)
DECODED_VALUES = np.array([-9, 0, 3, 4], np.int8)
BLOCK_VALUES = np.arange(-8, 8).reshape(2, 8)
BLOCK_SCALES = np.array([[0.5, 1.0], [2.0, 4.0]], np.float16)


def coded_model() -> Model:
    """The model; tensor numbers are the constants of this module."""
    model = Model(version=3, buffers=[Buffer()], metadata=[])
    tensors: list[Tensor] = []

    def add(
        name: str, kind: int, shape: list[int], data: bytes | None, **more: object
    ) -> None:
        assert model.buffers is not None
        buffer = len(model.buffers) if data is not None else 0
        if data is not None:
            model.buffers.append(Buffer(data=data))
        tensors.append(Tensor(name=name, type=kind, shape=shape, buffer=buffer, **more))  # type: ignore[arg-type]

    scale = QuantizationParameters(scale=[0.5], zero_point=[0])
    levels = [
        DimensionMetadata(format=DimensionType.DENSE, dense_size=3),
        DimensionMetadata(
            format=DimensionType.SPARSE_CSR,
            array_segments=Int32Vector(values=[0, 2, 3, 4]),
            array_indices=Int32Vector(values=[0, 3, 2, 3]),
        ),
    ]
    sparsity = SparsityParameters(traversal_order=[0, 1], dim_metadata=levels)
    stored = np.array([1, 2, 3, 4], np.float32).tobytes()
    add("sparse", TensorType.FLOAT32, [3, 4], stored, sparsity=sparsity)
    add("lut", TensorType.INT8, [2, 4], bytes([0b00011011, 0b11100100]), quantization=scale)
    add("table", TensorType.INT8, [4], np.array([-5, -1, 2, 7], np.int8).tobytes())
    add("encoded", TensorType.UINT8, [1], bytes([0b00011011]))
    head = bytes([0, 1, 0, 0, 1, 2, 4]) + bytes(9)
    add("ancillary", TensorType.UINT8, [20], head + DECODED_VALUES.tobytes())
    add("decoded", TensorType.INT8, [4], None)
    add("scales", TensorType.FLOAT16, [2, 2], BLOCK_SCALES.tobytes())
    details = BlockwiseQuantization(scales=SCALES, zero_points=-1, block_size=4)
    add(
        "blocks",
        TensorType.INT4,
        [2, 8],
        encode(BLOCK_VALUES.reshape(-1), ELEMENT_TYPES[TensorType.INT4]),
        quantization=QuantizationParameters(details=details),
    )
    add("labels", TensorType.STRING, [5], write_strings(TEXTS))
    weights = np.arange(72).astype(np.int8)
    per_channel = QuantizationParameters(scale=[0.5, 2.0], zero_point=[0, 0])
    add("filter", TensorType.INT8, [2, 3, 3, 4], weights.tobytes(), quantization=per_channel)
    six = np.arange(720, dtype=np.int16)
    add("six", TensorType.INT16, [2, 3, 2, 3, 4, 5], six.tobytes())
    add("scalar", TensorType.FLOAT32, [], np.float32(3.25).tobytes())
    special = np.float32([0.1, np.nan, np.inf, -np.inf, -0.0, 3e38])
    add("special", TensorType.FLOAT32, [2, 3], special.tobytes())
    model.operator_codes = [
        OperatorCode(builtin_code=BuiltinOperator.CUSTOM, custom_code="TFLM_DECODE"),
        OperatorCode(builtin_code=BuiltinOperator.CONV_2D),
    ]
    operators = [
        Operator(opcode_index=0, inputs=[ENCODED, ANCILLARY], outputs=[DECODED]),
        Operator(opcode_index=1, inputs=[DECODED, FILTER, -1], outputs=[DECODED]),
    ]
    model.subgraphs = [SubGraph(tensors=tensors, operators=operators)]
    lut = LutTensor(tensor=LUT, value_buffer=tensors[TABLE].buffer, index_bitwidth=2)
    assert model.buffers is not None
    model.buffers.append(Buffer(data=encode_compression(Compression(1, ((lut,),)))))
    model.metadata = [Metadata(name=COMPRESSION, buffer=len(model.buffers) - 1)]
    model.buffers.append(Buffer(data=bytes(range(40))))  # that nothing uses
    return model
