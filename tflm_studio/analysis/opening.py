# SPDX-License-Identifier: Apache-2.0
"""What a person should know about a file when it is opened."""

from __future__ import annotations

from tflm_studio.analysis.unknown_values import unknown_values
from tflm_studio.formats.flatbuffer_reader import Origin
from tflm_studio.formats.model_json import JsonOrigin
from tflm_studio.model.outside import outside_places
from tflm_studio.model.place_names import plural
from tflm_studio.schema.tables import Model

SHOWN = 3


def opening_notes(model: Model) -> list[str]:
    """Sentences on what the schema does not know, what is missing and what TFLM ignores."""
    origin = model.extra
    if not isinstance(origin, Origin):
        return []
    notes = list(origin.warnings) if isinstance(origin, JsonOrigin) else []
    notes += origin.source.notes if origin.source is not None else []
    if origin.opaque:
        notes.append(f"Not in the schema, kept as it is: {_some(origin.opaque)}.")
    nameless = unknown_values(model)
    if nameless:
        notes.append(f"The schema has no name for {_some(nameless)}; kept as it is.")
    if origin.missing:
        notes.append(f"Missing in the file: {_some(origin.missing)}.")
    if origin.archive is not None and origin.archive.problem:
        notes.append(
            f"An archive behind the model cannot be taken apart: {origin.archive.problem}."
        )
    outside = outside_places(model)
    if outside:
        buffers = sum(address[0] == "buffers" for address in outside)
        parts = [plural(buffers, "buffer")] if buffers else []
        if len(outside) > buffers:
            parts.append(f"the custom options of {plural(len(outside) - buffers, 'operator')}")
        stand = "stands" if len(outside) == 1 and buffers else "stand"
        notes.append(
            f"{' and '.join(parts).capitalize()} {stand} behind the flatbuffer, where TFLM "
            "does not read them."
        )
    return notes


def _some(places: tuple[str, ...]) -> str:
    more = len(places) - SHOWN
    return "; ".join(places[:SHOWN]) + (f" and {more:,} more" if more > 0 else "")
