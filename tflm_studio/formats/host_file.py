# SPDX-License-Identifier: Apache-2.0
"""What a file is like that holds a model among other things: a C source, a firmware image."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class HostFile(Protocol):
    """A file around a model; everything but the model stays as it is.

    Attributes:
        path: The file.
        text: All of its bytes, as they were read.
        symbol: What the place of the model in it is called.
        data: The bytes of the model, as they were read.
    """

    @property
    def path(self) -> Path: ...

    @property
    def text(self) -> bytes: ...

    @property
    def symbol(self) -> str: ...

    @property
    def data(self) -> bytes: ...

    @property
    def notes(self) -> list[str]:
        """What a person should know before the file is changed."""

    def may_be(self, path: Path) -> bool:
        """Whether a file of another name is written in this form, too."""

    def with_data(self, data: bytes, path: Path) -> dict[Path, bytes]:
        """The files to write for other bytes of the model, the one at `path` first.

        Raises:
            WriteError: The bytes do not fit.
        """

    def data_in(self, text: bytes) -> bytes | None:
        """The bytes of the model in a later state of the file, None if it is not there."""

    def on(self, text: bytes) -> HostFile:
        """The same place in a later state of the file, in which it must be."""
