# SPDX-License-Identifier: Apache-2.0
"""What a model would be after a change: how many of what, how large a file, what goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from tflm_studio.editing.proposal import Draft, Proposal
from tflm_studio.formats.flatbuffer_reader import Origin
from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.formats.model_file import layouts
from tflm_studio.formats.tail import kept_bytes, with_archive
from tflm_studio.model.errors import WriteError
from tflm_studio.model.operators import find_tensor, operator_name
from tflm_studio.schema.tables import Model, Operator, SubGraph

_LISTS = ("operator_codes", "subgraphs", "buffers", "metadata", "signature_defs")


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many things a model has.

    Attributes:
        counts: By name: operators, tensors and the lists of the model.
        file_bytes: The file as it would be saved, None if it cannot be.
    """

    counts: dict[str, int]
    file_bytes: int | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would do.

    Attributes:
        before: The model as it is.
        after: The model as it would be.
        removed_operators: By kind and name of what they make, those of all subgraphs.
        added_operators: Likewise.
        removed_tensors: By name.
        added_tensors: Likewise.
        notes: What the change tells, and why it could not be saved.
    """

    before: Sizes
    after: Sizes
    removed_operators: tuple[str, ...]
    added_operators: tuple[str, ...]
    removed_tensors: tuple[str, ...]
    added_tensors: tuple[str, ...]
    notes: tuple[str, ...]


def preview(model: Model, proposal: Proposal) -> Preview:
    """Looks at a change that is not done.

    Raises:
        EditError: The change cannot be done.
    """
    notes = list(proposal.notes)
    before, operators, tensors = _sizes(model, [], False), _operators(model), _tensors(model)
    is_narrow = all(edit.keeps_places for edit in proposal.edits)
    with Draft(model) as draft:
        draft.do(proposal)
        after = _sizes(model, notes, not is_narrow)
        removed, added = _difference(operators, _operators(model))
        removed_tensors, added_tensors = _difference(tensors, _tensors(model))
    return Preview(before, after, removed, added, removed_tensors, added_tensors, tuple(notes))


def compare(before: Model, after: Model, notes: Iterable[str] = ()) -> Preview:
    """Looks at two models as at one before and after a change.

    Args:
        before: A model.
        after: Another one, such as a part of it.
        notes: What there is to tell.
    """
    told = list(notes)
    old, new = _sizes(before, [], False), _sizes(after, told, True)
    removed, added = _difference(_operators(before), _operators(after))
    removed_tensors, added_tensors = _difference(_tensors(before), _tensors(after))
    return Preview(old, new, removed, added, removed_tensors, added_tensors, tuple(told))


def file_bytes(model: Model, *, is_rebuilt: bool = False) -> int:
    """How large the file of a model would be; its weights are not copied.

    Args:
        model: The model.
        is_rebuilt: Whether it is known to differ from its file by more than values.

    Raises:
        WriteError: It cannot be saved.
    """
    if not is_rebuilt:
        return next(layouts(model, None)).size
    origin = model.extra
    if not isinstance(origin, Origin):
        return with_archive(model, lay_out(model)).size
    return with_archive(model, lay_out(model, kept_bytes(origin), origin.carried)).size


def _sizes(model: Model, notes: list[str], is_rebuilt: bool) -> Sizes:
    subgraphs = model.subgraphs or []
    counts = {
        "operators": sum(len(subgraph.operators or []) for subgraph in subgraphs),
        "tensors": sum(len(subgraph.tensors or []) for subgraph in subgraphs),
        **{name: len(getattr(model, name) or []) for name in _LISTS},
    }
    try:
        return Sizes(counts, file_bytes(model, is_rebuilt=is_rebuilt))
    except WriteError as error:
        notes.append(f"It could not be saved: {error}")
        return Sizes(counts, None)


# Tables with their names; holding them keeps their identities their own.
_Named = list[tuple[object, str]]


def _operators(model: Model) -> _Named:
    return [
        (operator, _operator_text(model, subgraph, operator))
        for subgraph in model.subgraphs or []
        for operator in subgraph.operators or []
    ]


def _operator_text(model: Model, subgraph: SubGraph, operator: Operator) -> str:
    made = find_tensor(subgraph, operator.outputs[0]) if operator.outputs else None
    name = operator_name(model, operator)
    return f"{name} '{made.name}'" if made is not None and made.name else name


def _tensors(model: Model) -> _Named:
    return [
        (tensor, tensor.name or "unnamed tensor")
        for subgraph in model.subgraphs or []
        for tensor in subgraph.tensors or []
    ]


def _difference(before: _Named, after: _Named) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of what went and of what came; a copy of the same name is neither."""
    old, new = {id(thing) for thing, _ in before}, {id(thing) for thing, _ in after}
    gone = Counter(name for thing, name in before if id(thing) not in new)
    come = Counter(name for thing, name in after if id(thing) not in old)
    return tuple((gone - come).elements()), tuple((come - gone).elements())
