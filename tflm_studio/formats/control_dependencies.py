# SPDX-License-Identifier: Apache-2.0
"""The metadata "model_control_dependencies": which operator has to run before which.

All numbers are protobuf varints. First the version, 1; then the number of subgraphs, and for
each the number of its pairs, and the pairs: two operator indices, zigzag-encoded (tensorflow,
compiler/mlir/lite/experimental/remat/metadata_util.cc). TFLM does not read it.
"""

from __future__ import annotations

from tflm_studio.model.errors import ReadError

CONTROL_DEPENDENCIES = "model_control_dependencies"
VERSION = 1
LONGEST_VARINT = 5  # bytes for 32 bits

Edge = tuple[int, int]
ControlDependencies = list[list[Edge]]


def parse_control_dependencies(data: bytes | bytearray | memoryview) -> ControlDependencies:
    """Reads the pairs of each subgraph.

    Raises:
        ReadError: The bytes are something else.
    """
    reader = _Reader(bytes(data))
    version = reader.number()
    if version != VERSION:
        raise ReadError(f"version {version} is not known")
    found = [
        [(reader.signed(), reader.signed()) for _ in range(reader.count(smallest=2))]
        for _ in range(reader.count(smallest=1))
    ]
    if reader.at != len(reader.data):
        raise ReadError(f"{len(reader.data) - reader.at} bytes follow its end")
    return found


def encode_control_dependencies(dependencies: ControlDependencies) -> bytes:
    """The bytes of the pairs of each subgraph."""
    out = bytearray()
    _put(out, VERSION)
    _put(out, len(dependencies))
    for edges in dependencies:
        _put(out, len(edges))
        for edge in edges:
            for index in edge:
                _put(out, -2 * index - 1 if index < 0 else 2 * index)
    return bytes(out)


def _put(out: bytearray, value: int) -> None:
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def number(self) -> int:
        value = 0
        for shift in range(0, 7 * LONGEST_VARINT, 7):
            if self.at == len(self.data):
                raise ReadError("it ends in the middle of a number")
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
        else:
            raise ReadError("a number does not end")
        if value >= 1 << 32:
            raise ReadError("a number takes more than 32 bits")
        return value

    def signed(self) -> int:
        value = self.number()
        return -(value // 2) - 1 if value % 2 else value // 2

    def count(self, smallest: int) -> int:
        """A number of parts that each take at least `smallest` bytes."""
        count = self.number()
        if count * smallest > len(self.data) - self.at:
            raise ReadError(f"there is no room for {count} parts")
        return count
