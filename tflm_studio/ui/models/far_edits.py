# SPDX-License-Identifier: Apache-2.0
"""Edits by hand that change more than the thing they seem to be made on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tflm_studio.analysis.reach import Reach, reach_of
from tflm_studio.editing.edits import Edit, Set, WriteBytes
from tflm_studio.model.address import Address
from tflm_studio.model.graph import Wiring
from tflm_studio.model.place_names import thing_at
from tflm_studio.model.schema import Model

MOST_EDITS = 64  # of one step by hand
# What others have to agree with.
TENSOR_FIELDS = frozenset(("type", "shape", "quantization"))


class FarEdit(NamedTuple):
    """An edit that reaches far.

    Attributes:
        thing: The buffer, operator code or tensor it was made on.
        reaches: What else it touches.
    """

    thing: Address
    reaches: tuple[Reach, ...]


def find_far(
    model: Model,
    edits: Sequence[Edit],
    wiring: Callable[[int], Wiring],
    buffer_users: Callable[[int], list[Address]],
) -> FarEdit | None:
    """What edits of one thing touch besides it; None for others, and if that is nothing.

    Operations on several things say themselves what they do.

    Args:
        model: The model; whether before or after the edits is the same.
        edits: What was done.
        wiring: Gives the wiring of a subgraph.
        buffer_users: Gives what uses a buffer.
    """
    if not 0 < len(edits) <= MOST_EDITS:
        return None
    if not all(isinstance(edit, (Set, WriteBytes)) for edit in edits):
        return None
    thing = thing_at(edits[0].address)
    if any(edit.address[: len(thing)] != thing for edit in edits) or not thing:
        return None
    places = [edit.address for edit in edits if _is_seen_by_others(edit.address)]
    if not places:
        return None
    found = reach_of(model, places, wiring=wiring, buffer_users=buffer_users)
    far = tuple(reach for reach in found if reach.addresses != (thing,))
    if thing[0] == "buffers" and len(buffer_users(int(thing[1]))) < 2:
        # Who reads the one tensor of a buffer is no news.
        far = tuple(reach for reach in far if not _are_operators(reach))
    return FarEdit(thing, far) if far else None


def _is_seen_by_others(address: Address) -> bool:
    match address:
        case ("buffers", int(), "data", *_) | ("operator_codes", int(), *_):
            return True
        case ("subgraphs", int(), "tensors", int(), field, *_):
            return field in TENSOR_FIELDS
    return False


def _are_operators(reach: Reach) -> bool:
    return all(address[2:3] == ("operators",) for address in reach.addresses)
