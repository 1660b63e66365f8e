# SPDX-License-Identifier: Apache-2.0
"""What kind of file something is, seen from how it begins."""

from __future__ import annotations

from tflm_studio.formats.c_source_reader import looks_like_c_source
from tflm_studio.formats.firmware_image import is_container
from tflm_studio.formats.model_json import looks_like_model_json
from tflm_studio.model.errors import ReadError

HEAD_BYTES = 2**16  # that show what kind of file it is
LFS_POINTER = b"version https://git-lfs.github.com/spec/"


def may_be_image(head: bytes) -> bool:
    """Whether a file that begins so is firmware, as far as it is not another kind of file."""
    if is_container(head):
        return True
    is_known = not head or head.startswith(LFS_POINTER) or looks_like_model_json(head)
    return not is_known and not looks_like_c_source(head)


def is_json(head: bytes, name: str, symbol: str | None) -> bool:
    """Whether a file that begins so, and is no flatbuffer, is JSON; otherwise it is C.

    Raises:
        ReadError: It is neither; whatever follows need not be read.
    """
    if not head:
        raise ReadError(f"{name}: the file is empty.")
    if head.startswith(LFS_POINTER):
        raise ReadError(
            f"{name}: this is a Git LFS pointer, not the model itself. Run 'git lfs pull' in "
            "its repository, then open the file again."
        )
    if symbol is None and looks_like_model_json(head):
        return True
    if symbol is not None or looks_like_c_source(head):
        return False
    raise ReadError(
        f"{name}: this is neither a TFLite model (bytes 4 to 7 are not 'TFL3') nor a C source "
        "with a byte array nor a model as JSON nor a firmware image with a model in it. Open "
        "a .tflite file, a .cc, .h, .c, .cpp or .ino file, a .json file, or an .elf, .hex, "
        ".uf2 or .bin image."
    )
