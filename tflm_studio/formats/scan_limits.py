# SPDX-License-Identifier: Apache-2.0
"""How much a file may stand for, so that a small one never takes much time and memory."""

from __future__ import annotations

from tflm_studio.model.errors import ReadError

MAX_TABLES = 1_000_000  # flatbuffers/verifier.h, Options.max_tables
SHARED = 2**16  # tables, and unknown fields, in excess of what has bytes of its own
SHARED_ITEMS = 2**20  # the same for numbers in vectors and characters
DAMAGED = "The file is damaged or cut short; fetch it again or open another copy."


class Allowance:
    """What has been read of a file, counted before anything is made for it.

    Args:
        name: What messages call the file.
        size: Bytes of the file.
    """

    def __init__(self, name: str, size: int) -> None:
        self.name = name
        self.size = size
        self.tables = 0
        self.items = 0
        self.unknown_fields = 0

    def take_tables(self, number: int) -> None:
        """Counts tables; refuses what no reader would visit.

        Raises:
            ReadError: There are too many.
        """
        self.tables += number
        if self.tables > MAX_TABLES:
            raise ReadError(
                f"{self.name}: more than {MAX_TABLES:,} tables are referred to; no reader of "
                "the format accepts this file."
            )
        # A table takes 4 bytes, and so does the offset to it.
        self._bound(self.tables, self.size // 8 + SHARED, "tables")

    def take_items(self, number: int) -> None:
        """Counts numbers in vectors, and characters.

        Raises:
            ReadError: There are too many.
        """
        self.items += number
        self._bound(self.items, self.size + SHARED_ITEMS, "vectors and texts")

    def take_unknown_fields(self, number: int) -> None:
        """Counts fields that the schema does not know.

        Raises:
            ReadError: There are too many.
        """
        self.unknown_fields += number
        # A field takes a byte of its table or more, and two of a vtable.
        self._bound(self.unknown_fields, self.size + SHARED, "unknown fields")

    def _bound(self, number: int, limit: int, what: str) -> None:
        if number > limit:
            raise ReadError(
                f"{self.name}: {what} are shared so often that {self.size:,} bytes stand for "
                f"{number:,} of them. {DAMAGED}"
            )
