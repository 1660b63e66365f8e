# SPDX-License-Identifier: Apache-2.0
"""Edits of something that several use, done for one of them alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tflm_studio.editing.detaching import detach_buffer, detach_operator_code
from tflm_studio.editing.edits import Edit
from tflm_studio.editing.proposal import Draft, Proposal
from tflm_studio.editing.shared_buffers import unshare
from tflm_studio.model.address import Address, format_address
from tflm_studio.model.errors import EditError
from tflm_studio.model.place_names import name_thing
from tflm_studio.schema.tables import Model


def edit_alone(model: Model, user: Address, edits: Iterable[Edit]) -> Proposal:
    """Gives one user of a buffer or an operator code a copy, and edits the copy.

    Args:
        model: The model before the edits.
        user: A tensor or a metadata entry that uses the buffer, an operator of the code.
        edits: Those of the shared buffer or code.

    Raises:
        EditError: The user is something else, or an edit is refused.
    """
    with Draft(model) as draft:
        draft.do(_detached(model, user))
        for edit in edits:
            shared = edit.address[0]
            own = len(getattr(model, str(shared))) - 1
            draft.do(replace(edit, address=(shared, own, *edit.address[2:])))
    return draft.proposal(f"Change only for {name_thing(model, user)}")


def _detached(model: Model, user: Address) -> Proposal:
    match user:
        case ("subgraphs", int(s), "tensors", int(t)):
            made = detach_buffer(model, s, t)
        case ("subgraphs", int(s), "operators", int(k)):
            made = detach_operator_code(model, s, k)
        case ("metadata", int()):
            made = unshare(model, user)
        case _:
            raise EditError(f"{format_address(user)} shares nothing that could be copied.")
    if not made.edits:
        raise EditError(f"{name_thing(model, user)} shares nothing any more.")
    return made
