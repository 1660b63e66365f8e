# SPDX-License-Identifier: Apache-2.0
"""The one scale and zero point of a tensor, as a person writes them: "0.0235 (-128)"."""

from __future__ import annotations

import re

import numpy as np

from tflm_studio.editing.edits import Edit, Set
from tflm_studio.model.address import Address
from tflm_studio.model.errors import EditError
from tflm_studio.model.excerpts import excerpt
from tflm_studio.model.field_text import parse_whole_number, read_float
from tflm_studio.model.place_names import plural
from tflm_studio.schema.tables import QuantizationParameters, Tensor

LONGEST_QUOTE = 40
_FORM = re.compile(r"(?P<scale>[^\s();]+)\s*[;(\s]?\s*(?P<zero>[^\s();]+)?\s*\)?")


def set_scale(place: Address, tensor: Tensor, text: str) -> list[Edit]:
    """Edits that give a tensor one scale and zero point.

    Args:
        place: Address of the tensor.
        tensor: What stands there.
        text: A scale, and a zero point behind it unless that stays as it is.

    Raises:
        EditError: The text is something else, or the tensor has no single scale to replace.
    """
    stored, index = tensor.quantization, place[-1]
    if stored is not None and stored.details is not None:
        kind = type(stored.details).__name__
        raise EditError(f"Tensor {index} is quantised by {kind}; edit it in the inspector.")
    count = max(len(stored.scale or ()), len(stored.zero_point or ())) if stored else 0
    if count > 1:
        scales = plural(count, "scale")
        raise EditError(f"Tensor {index} has {scales}; edit them in the inspector.")
    scale, zero = _parsed(text)
    if stored is None:
        return [
            Set(
                (*place, "quantization"),
                QuantizationParameters(scale=[scale], zero_point=[zero or 0]),
            )
        ]
    edits: list[Edit] = []
    if [scale] != _as_stored(stored.scale):
        edits.append(Set((*place, "quantization", "scale"), [scale]))
    if zero is None and not stored.zero_point:
        zero = 0
    if zero is not None and [zero] != list(stored.zero_point or ()):
        edits.append(Set((*place, "quantization", "zero_point"), [zero]))
    return edits


def _as_stored(scales: list[float] | None) -> list[float]:
    return [float(np.float32(scale)) for scale in scales or ()]


def _parsed(text: str) -> tuple[float, int | None]:
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise EditError(
            f"'{excerpt(text, LONGEST_QUOTE)}' is no quantisation; write a scale and a zero "
            "point, such as 0.0235 (-128)."
        )
    scale = float(np.float32(read_float(found["scale"])))
    if not 0 < scale < np.inf:
        raise EditError(
            f"'{excerpt(found['scale'], LONGEST_QUOTE)}' is no scale; a scale is above zero."
        )
    return scale, parse_whole_number(found["zero"]) if found["zero"] else None
