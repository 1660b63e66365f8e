# SPDX-License-Identifier: Apache-2.0
"""Associated files: what a zip archive behind the flatbuffer adds to a model.

They are tables like those of the schema, so that edits, forms and JSON treat them alike, but
no flatbuffer holds them. The convention is that of tflite-support (`MetadataPopulator` in
tensorflow_lite_support/metadata/python/metadata.py).
"""

from __future__ import annotations

from typing import ClassVar

from tflm_studio.schema.structure import NO_SLOT, Extra, Field, Kind, Table


class AssociatedFile(Table):
    """A file in the archive behind the flatbuffer, such as the labels of the classes."""

    __slots__ = ("data", "name")

    def __init__(
        self,
        name: str | None = None,
        data: bytes | bytearray | memoryview | None = None,
        extra: Extra | None = None,
    ) -> None:
        self.name = name
        self.data = data
        self.extra = extra

    DOC: ClassVar[str] = (
        "A file in the archive behind the flatbuffer, such as the labels of the classes."
    )
    BEHIND: ClassVar[tuple[Field, ...]] = (
        Field(
            name="name",
            slot=NO_SLOT,
            kind=Kind.STRING,
            doc="Name of the file in the archive; the metadata refers to it by this name.",
        ),
        Field(name="data", slot=NO_SLOT, kind=Kind.BYTES, doc="What the file holds."),
    )


ASSOCIATED_FILES = Field(
    name="associated_files",
    slot=NO_SLOT,
    kind=Kind.TABLES,
    members=(AssociatedFile,),
    doc="Files in the zip archive behind the flatbuffer, such as lists of labels.",
)
