# SPDX-License-Identifier: Apache-2.0
"""A document that is a part of a firmware image."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from tflm_studio.formats.c_source_reader import SeveralModelsError
from tflm_studio.formats.firmware_image import (
    IMAGE_SUFFIXES,
    FoundModel,
    chosen,
    is_container,
    models_in,
    put_back,
    read_found,
    read_image,
    write_notes,
)
from tflm_studio.formats.flatbuffer_reader import Origin
from tflm_studio.model.errors import ReadError
from tflm_studio.schema.tables import Model


@dataclass(frozen=True, slots=True)
class ImageHost:
    """The image that a model was read from: a `HostFile`.

    Attributes:
        path: The file.
        text: All of its bytes.
        found: The place of the model.
    """

    path: Path
    text: bytes
    found: FoundModel

    @property
    def symbol(self) -> str:
        return self.found.name

    @property
    def data(self) -> bytes:
        return self.found.data

    def may_be(self, path: Path) -> bool:
        suffix = path.suffix.lower()
        return suffix in IMAGE_SUFFIXES and suffix == self.path.suffix.lower()

    def with_data(self, data: bytes, path: Path) -> dict[Path, bytes]:
        if data == self.data:
            return {path: self.text}
        return {path: put_back(self.text, self.found, data, str(path)).data}

    def data_in(self, text: bytes) -> bytes | None:
        found = self._found_in(text)
        return None if found is None else found.data

    def on(self, text: bytes) -> ImageHost:
        found = self._found_in(text)
        if found is None:
            return self
        rest = read_image(text, str(self.path)).regions[found.region].data[found.at :]
        # A smaller model that was put there has left zeros.
        if not any(rest[found.room : self.found.room]):
            found = replace(found, room=max(found.room, self.found.room))
        return replace(self, text=text, found=found)

    @property
    def notes(self) -> list[str]:
        found, kind = self.found, read_image(self.text, str(self.path))
        begin = (
            f"{found.name} in {self.path.name}: saving puts the model back there, in up to "
            f"{found.room:,} bytes."
        )
        return [begin, *write_notes(kind, found, found.size)]

    def _found_in(self, text: bytes) -> FoundModel | None:
        try:
            models = models_in(text, str(self.path))
        except ReadError:
            return None
        return next((each for each in models if each.name == self.found.name), None)


def model_of_image(data: bytes, name: str, choice: str | None) -> Model | None:
    """The model of an image, which knows its place; None for a blob that holds none.

    Args:
        data: The file.
        name: What messages call it.
        choice: Which of several: a symbol, an address or a number.

    Raises:
        SeveralModelsError: There are several and none is chosen.
        ReadError: The image is damaged, holds none, or none that is called so.
    """
    models = models_in(data, name)
    if not models and not is_container(data[:4096]):
        return None
    if not models:
        raise ReadError(
            f"{name}: this {read_image(data, name).kind} file holds no TFLite model. It may "
            "be compressed or encrypted in it, or in another part of the firmware."
        )
    if choice is None and len(models) > 1:
        listed = "; ".join(each.label for each in models[:20])
        raise SeveralModelsError(
            f"{name}: several models are in this image: {listed}; name the one you want.",
            tuple(each.name for each in models),
            tuple(each.label for each in models),
        )
    found = models[0] if choice is None else chosen(models, choice, name)
    model = read_found(found, name)
    if isinstance(model.extra, Origin):
        model.extra.source = ImageHost(Path(name), data, found)
    return model
