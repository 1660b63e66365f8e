# SPDX-License-Identifier: Apache-2.0
"""The metadata "OfflineMemoryAllocation": where TFLM puts tensors in its arena.

The buffer holds int32 words: version, number of subgraphs, number of offsets, then one offset
per tensor of the model, those of the first subgraph first; -1 leaves a tensor to the planner
of the interpreter (tflite-micro, micro/docs/memory_management.md). The interpreter ignores the
first two words and refuses the model if the third is not the number of all tensors
(micro/micro_allocation_info.cc). Older interpreters start over with offset 0 at each subgraph,
against that page; a model with several subgraphs is read here as the page says.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from tflm_studio.model.errors import ReadError

OFFLINE_PLAN = "OfflineMemoryAllocation"
PLANNED_ONLINE = -1
HEADER_BYTES = 12


@dataclass(frozen=True, slots=True)
class OfflinePlan:
    """Offsets of tensors in the arena.

    Attributes:
        version: As the file states it.
        subgraph_count: As the file states it.
        offsets: Bytes from the start of the arena's head, or -1, for each tensor.
    """

    version: int
    subgraph_count: int
    offsets: tuple[int, ...]


def parse_offline_plan(data: bytes | bytearray | memoryview, tensor_count: int) -> OfflinePlan:
    """Reads a plan.

    Args:
        data: The buffer of the metadata entry.
        tensor_count: Tensors of all subgraphs.

    Raises:
        ReadError: The plan is not one for this many tensors.
    """
    size = len(data)
    if size < HEADER_BYTES:
        raise ReadError(f"{size} bytes are too few for a plan")
    version, subgraphs, count = struct.unpack_from("<3i", data)
    if count != tensor_count:
        raise ReadError(f"it plans {count} tensors, the model has {tensor_count}")
    if size != HEADER_BYTES + 4 * count:
        raise ReadError(f"{count} offsets do not take {size - HEADER_BYTES} bytes")
    offsets = struct.unpack_from(f"<{count}i", data, HEADER_BYTES)
    if min(offsets, default=0) < PLANNED_ONLINE:
        raise ReadError(f"{min(offsets)} is no offset")
    return OfflinePlan(version, subgraphs, offsets)


def encode_offline_plan(plan: OfflinePlan) -> bytes:
    """The bytes of a plan."""
    count = len(plan.offsets)
    words = (plan.version, plan.subgraph_count, count, *plan.offsets)
    return struct.pack(f"<{HEADER_BYTES // 4 + count}i", *words)
