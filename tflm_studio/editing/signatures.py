# SPDX-License-Identifier: Apache-2.0
"""Signatures: a name for a subgraph, and names for its inputs and outputs.

Applications call a model by these names; TFLM does not look at them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from tflm_studio.editing.edits import Edit, Insert, Remove, Set
from tflm_studio.editing.fresh_names import FreeNames
from tflm_studio.editing.located import item_at, subgraph_at
from tflm_studio.editing.proposal import Proposal
from tflm_studio.model.errors import EditError
from tflm_studio.model.operators import find_tensor
from tflm_studio.model.place_names import quoted
from tflm_studio.schema.tables import Model, SignatureDef, SubGraph, TensorMap

Side = Literal["inputs", "outputs"]
SIDES: tuple[Side, ...] = ("inputs", "outputs")


def add(model: Model, subgraph_index: int = 0, key: str = "serving_default") -> Proposal:
    """Gives a subgraph a signature; the names are those of its tensors.

    Raises:
        EditError: There is no such subgraph, its inputs or outputs name no tensors, or
            another signature has the key.
    """
    subgraph = subgraph_at(model, subgraph_index)
    _check_key(model, key)
    entry = SignatureDef(
        inputs=_named(subgraph, "inputs", {}),
        outputs=_named(subgraph, "outputs", {}),
        signature_key=key,
        subgraph_index=subgraph_index,
    )
    signatures = model.signature_defs
    edit: Edit = Set(("signature_defs",), [entry])
    if signatures is not None:
        edit = Insert(("signature_defs",), len(signatures), entry)
    return Proposal((edit,), label=f"Add signature {quoted(key)}")


def delete(model: Model, signature: int) -> Proposal:
    """Removes a signature; the subgraph stays.

    Raises:
        EditError: There is no such signature.
    """
    key = _signature_at(model, signature).signature_key
    return Proposal(
        (Remove(("signature_defs",), signature),), label=f"Delete signature {quoted(key)}"
    )


def rename(model: Model, signature: int, key: str) -> Proposal:
    """Gives a signature another key.

    Raises:
        EditError: There is no such signature, or another one has the key.
    """
    old = _signature_at(model, signature).signature_key
    if old == key:
        return Proposal()
    _check_key(model, key)
    edit = Set(("signature_defs", signature, "signature_key"), key)
    return Proposal((edit,), label=f"Rename signature {quoted(old)} to {quoted(key)}")


def rename_alias(
    model: Model, signature: int, side: Side, position: int, name: str
) -> Proposal:
    """Gives an input or output of a signature another name; the tensor keeps its own.

    Raises:
        EditError: There is no such input or output, or another one of it has the name.
    """
    aliases = getattr(_signature_at(model, signature), side)
    alias = item_at(aliases, position, f"{side.removesuffix('s')} of the signature")
    if alias.name == name:
        return Proposal()
    if not name or any(other.name == name for other in aliases):
        why = f"has an entry {quoted(name)} in its {side} already" if name else "needs names"
        raise EditError(f"Signature {signature} {why}; choose another name.")
    edit = Set(("signature_defs", signature, side, position, "name"), name)
    label = f"Rename {quoted(alias.name)} of signature {signature} to {quoted(name)}"
    return Proposal((edit,), label=label)


def rebuild(
    model: Model, signature: int, replaced: Mapping[int, int] | None = None
) -> Proposal:
    """Brings a signature in step with the inputs and outputs of its subgraph.

    Names of tensors that it has already are kept, in their order if a tensor has several.

    Args:
        model: The model.
        signature: Which signature.
        replaced: Tensors that others have taken the place, and the name, of.

    Raises:
        EditError: There is no such signature or subgraph, or an input or output of the
            subgraph is no tensor.
    """
    entry = _signature_at(model, signature)
    subgraph = subgraph_at(model, entry.subgraph_index)
    edits: list[Edit] = []
    for side in SIDES:
        old = getattr(entry, side) or []
        new = _named(subgraph, side, _names_kept(old, replaced or {}))
        if _as_pairs(new) != _as_pairs(old):
            edits.append(Set(("signature_defs", signature, side), new))
    label = f"Bring signature {quoted(entry.signature_key)} in step with its subgraph"
    return Proposal(tuple(edits), label=label)


def rebuild_all(
    model: Model, subgraph_index: int, replaced: Mapping[int, int] | None = None
) -> Proposal:
    """Brings all signatures of a subgraph in step; see `rebuild`."""
    edits: list[Edit] = []
    for index, entry in enumerate(model.signature_defs or []):
        if entry.subgraph_index == subgraph_index:
            edits += rebuild(model, index, replaced).edits
    return Proposal(tuple(edits))


def signatures_of(model: Model, subgraph_index: int) -> list[int]:
    """The signatures that name a subgraph."""
    entries = enumerate(model.signature_defs or [])
    return [index for index, entry in entries if entry.subgraph_index == subgraph_index]


def _signature_at(model: Model, index: int) -> SignatureDef:
    entry: SignatureDef = item_at(model.signature_defs, index, "signature")
    return entry


def _check_key(model: Model, key: str) -> None:
    if not key:
        raise EditError("A signature needs a key; applications ask for it by this name.")
    if any(entry.signature_key == key for entry in model.signature_defs or []):
        raise EditError(f"There is a signature {quoted(key)} already; choose another key.")


def _names_kept(old: list[TensorMap], replaced: Mapping[int, int]) -> dict[int, list[str]]:
    """The names that tensors have, and those that take their places; some have several."""
    names: dict[int, list[str]] = {}
    for alias in old:
        if alias.name:
            index = replaced.get(alias.tensor_index, alias.tensor_index)
            names.setdefault(index, []).append(alias.name)
    return names


def _named(subgraph: SubGraph, side: Side, names: dict[int, list[str]]) -> list[TensorMap]:
    indices = getattr(subgraph, side) or []
    waiting = {index: iter(dict.fromkeys(names[index])) for index in indices if index in names}
    free = FreeNames(name for index in waiting for name in names[index])
    taken: set[str] = set()
    made = []
    for position, index in enumerate(indices):
        tensor = find_tensor(subgraph, index)
        if tensor is None:
            raise EditError(
                f"Entry {position} of the {side} of the subgraph names tensor {index}, which "
                "does not exist; correct it first."
            )
        own = next(waiting.get(index, iter(())), None)
        if own is None or own in taken:
            # A tensor that stands there more often than it has names needs others.
            known = names.get(index, [tensor.name])[0]
            own = free.take(known or f"{side[:-1]}_{position}")
        taken.add(own)
        made.append(TensorMap(own, index))
    return made


def _as_pairs(aliases: list[TensorMap]) -> list[tuple[str | None, int]]:
    return [(alias.name, alias.tensor_index) for alias in aliases]
