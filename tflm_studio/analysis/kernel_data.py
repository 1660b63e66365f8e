# SPDX-License-Identifier: Apache-2.0
"""What TFLM's reference kernels keep in the tail of the arena, on a host with 64 bits.

Sizes of the structures of micro/kernels as the recording allocator of a 64-bit build tells
them; structures without pointers are as large on a microcontroller.
"""

from __future__ import annotations

from typing import NamedTuple

from tflm_studio.schema.enums import BuiltinOperator


class KernelData(NamedTuple):
    """Bytes that a kernel keeps for each operator: its own, and its options unpacked."""

    own: int
    options: int


_B = BuiltinOperator
_COMPARISON = KernelData(32, 0)
_REDUCTION = KernelData(44, 1)
_CLAMP = KernelData(28, 0)
_POOL = KernelData(32, 40)
NOTHING = KernelData(0, 0)

KERNEL_DATA: dict[int, KernelData] = {
    _B.ADD: KernelData(60, 8),
    _B.ARG_MAX: KernelData(0, 4),
    _B.ARG_MIN: KernelData(0, 4),
    _B.AVERAGE_POOL_2D: _POOL,
    _B.BATCH_MATMUL: KernelData(64, 3),
    _B.BATCH_TO_SPACE_ND: KernelData(4, 0),
    _B.BROADCAST_TO: NOTHING,
    _B.CALL_ONCE: KernelData(8, 4),
    _B.CAST: KernelData(0, 8),
    _B.CEIL: NOTHING,
    _B.CONCATENATION: KernelData(80, 8),
    _B.CONV_2D: KernelData(80, 28),
    _B.DEPTHWISE_CONV_2D: KernelData(80, 28),
    _B.DEQUANTIZE: KernelData(32, 0),
    _B.DIV: KernelData(28, 4),
    _B.DYNAMIC_UPDATE_SLICE: NOTHING,
    _B.ELU: KernelData(256, 0),
    _B.EMBEDDING_LOOKUP: KernelData(28, 0),
    _B.EQUAL: _COMPARISON,
    _B.EXP: NOTHING,
    _B.EXPAND_DIMS: NOTHING,
    _B.FILL: NOTHING,
    _B.FLOOR: NOTHING,
    _B.FLOOR_DIV: NOTHING,
    _B.FLOOR_MOD: NOTHING,
    _B.FULLY_CONNECTED: KernelData(72, 32),
    _B.GATHER: KernelData(12, 8),
    _B.GATHER_ND: KernelData(8, 0),
    _B.GREATER: _COMPARISON,
    _B.GREATER_EQUAL: _COMPARISON,
    _B.HARD_SWISH: KernelData(20, 0),
    _B.IF: KernelData(8, 8),
    _B.L2_NORMALIZATION: KernelData(4, 4),
    _B.LEAKY_RELU: KernelData(24, 4),
    _B.LESS: _COMPARISON,
    _B.LESS_EQUAL: _COMPARISON,
    _B.LOGICAL_AND: NOTHING,
    _B.LOGICAL_NOT: NOTHING,
    _B.LOGICAL_OR: NOTHING,
    _B.LOGISTIC: KernelData(16, 0),
    _B.LOG_SOFTMAX: NOTHING,
    _B.MAXIMUM: NOTHING,
    _B.MAX_POOL_2D: _POOL,
    _B.MEAN: _REDUCTION,
    _B.MINIMUM: NOTHING,
    _B.MIRROR_PAD: KernelData(20, 4),
    _B.MUL: KernelData(36, 4),
    _B.NEG: NOTHING,
    _B.NOT_EQUAL: _COMPARISON,
    _B.PACK: KernelData(0, 8),
    _B.PAD: KernelData(56, 0),
    _B.PADV2: KernelData(56, 0),
    _B.QUANTIZE: KernelData(32, 0),
    _B.READ_VARIABLE: NOTHING,
    _B.ASSIGN_VARIABLE: NOTHING,
    _B.REDUCE_ALL: _REDUCTION,
    _B.REDUCE_MAX: _REDUCTION,
    _B.REDUCE_MIN: _REDUCTION,
    _B.RELU: _CLAMP,
    _B.RELU6: _CLAMP,
    _B.RESHAPE: KernelData(0, 36),
    _B.RESIZE_BILINEAR: KernelData(0, 2),
    _B.RESIZE_NEAREST_NEIGHBOR: KernelData(0, 2),
    _B.ROUND: NOTHING,
    _B.RSQRT: KernelData(28, 0),
    _B.SELECT_V2: KernelData(1, 0),
    _B.SHAPE: KernelData(0, 4),
    _B.SLICE: NOTHING,
    _B.SOFTMAX: KernelData(80, 4),
    _B.SPACE_TO_BATCH_ND: KernelData(4, 0),
    _B.SPACE_TO_DEPTH: KernelData(20, 4),
    _B.DEPTH_TO_SPACE: KernelData(20, 4),
    _B.SPLIT: KernelData(0, 4),
    _B.SPLIT_V: KernelData(0, 4),
    _B.SQRT: NOTHING,
    _B.SQUARE: NOTHING,
    _B.SQUARED_DIFFERENCE: KernelData(112, 0),
    _B.SQUEEZE: KernelData(0, 36),
    _B.STRIDED_SLICE: KernelData(84, 24),
    _B.SUB: KernelData(52, 8),
    _B.SUM: _REDUCTION,
    _B.SVDF: KernelData(36, 12),
    _B.TANH: KernelData(16, 0),
    _B.TRANSPOSE: NOTHING,
    _B.TRANSPOSE_CONV: KernelData(88, 20),
    _B.UNIDIRECTIONAL_SEQUENCE_LSTM: KernelData(688, 16),
    _B.UNPACK: KernelData(0, 8),
    _B.VAR_HANDLE: KernelData(4, 16),
    _B.WHILE: KernelData(8, 8),
    _B.ZEROS_LIKE: NOTHING,
}

# Kernels with a multiplier and a shift per channel: the position of their filter, and its
# dimension that counts channels.
CHANNELS: dict[int, tuple[int, int]] = {
    _B.CONV_2D: (1, 0),
    _B.DEPTHWISE_CONV_2D: (1, 3),
    _B.TRANSPOSE_CONV: (1, 0),
}
