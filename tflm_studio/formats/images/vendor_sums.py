# SPDX-License-Identifier: Apache-2.0
"""Checksums that makers of chips and boot loaders put into images, and what goes stale.

ESP-IDF: "App Image Format"; MCUboot: "Image format" in its design document.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

_SECTOR = 0x1000  # images begin at one in the flash
_ESP_MAGIC, _ESP_HEAD, _ESP_MOST_SEGMENTS = 0xE9, 24, 16
_MCUBOOT_MAGIC = struct.pack("<I", 0x96F3B83D)
_MCUBOOT = struct.Struct("<4sI2HI")  # magic, load address, bytes of head, of TLVs, of image


def stale_sums(data: bytes, at: int) -> list[str]:
    """Which checksums of an image cover a byte, as sentences."""
    notes = []
    for base in range(0, at + 1, _SECTOR):
        if data[base] == _ESP_MAGIC and base + _ESP_HEAD <= len(data):
            end = _esp_end(data, base)
            if at < end:
                notes.append(
                    f"The checksum and SHA-256 of the ESP32 image at byte {base:#x} are then "
                    "stale: the boot loader refuses it until esptool makes them anew."
                )
        if data[base : base + 4] == _MCUBOOT_MAGIC:
            end = _mcuboot_end(data, base)
            if at < end:
                notes.append(
                    f"The hash and signature of the MCUboot image at byte {base:#x} are then "
                    "stale: sign it again with imgtool."
                )
    return notes


def _esp_end(data: bytes, base: int) -> int:
    """Where the last segment of an image ends; the base if it is none."""
    count = data[base + 1]
    if not 1 <= count <= _ESP_MOST_SEGMENTS:
        return base
    at = base + _ESP_HEAD
    for size in _esp_segments(data, at, count):
        at += 8 + size
    return at if at <= len(data) else base


def _esp_segments(data: bytes, at: int, count: int) -> Iterator[int]:
    for _ in range(count):
        if at + 8 > len(data):
            yield len(data)
            return
        _, size = struct.unpack_from("<2I", data, at)
        yield size
        at += 8 + size


def _mcuboot_end(data: bytes, base: int) -> int:
    if base + _MCUBOOT.size > len(data):
        return base
    _, _, head, _, size = _MCUBOOT.unpack_from(data, base)
    return int(base + head + size)
