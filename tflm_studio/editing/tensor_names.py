# SPDX-License-Identifier: Apache-2.0
"""Names of tensors, one by one or by pattern; no two tensors of a subgraph share one."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tflm_studio.editing.edits import Edit, Set
from tflm_studio.editing.located import subgraph_at, tensor_at, tensor_place
from tflm_studio.editing.proposal import Proposal
from tflm_studio.editing.signature_maps import alias_edits
from tflm_studio.model.errors import EditError
from tflm_studio.model.excerpts import excerpt
from tflm_studio.model.pattern_cost import safe_pattern
from tflm_studio.model.place_names import quoted
from tflm_studio.schema.tables import Model

LONGEST_NAME = 2**24  # characters that a name may become at worst


class Renaming(NamedTuple):
    """A tensor that gets another name."""

    tensor_index: int
    old: str
    new: str


class RenamePreview(NamedTuple):
    """What a pattern would do.

    Attributes:
        renamings: The tensors whose names change.
        collisions: A sentence for each name that two tensors would have.
    """

    renamings: list[Renaming]
    collisions: list[str]


def rename(model: Model, subgraph_index: int, names: Mapping[int, str]) -> Proposal:
    """Gives tensors other names; aliases in signatures that were the old name follow.

    Args:
        model: The model.
        subgraph_index: Which subgraph.
        names: Tensor index to its new name; "" for none.

    Raises:
        EditError: There is no such tensor, or two tensors would have one name.
    """
    renamings = [
        Renaming(index, tensor_at(model, subgraph_index, index).name or "", new)
        for index, new in names.items()
    ]
    renamings = [each for each in renamings if each.old != each.new]
    collisions = _collisions(model, subgraph_index, renamings)
    if collisions:
        raise EditError(collisions[0])
    edits: list[Edit] = [
        Set((*tensor_place(subgraph_index, each.tensor_index), "name"), each.new)
        for each in renamings
    ]
    renamed = {each.tensor_index: (each.old, each.new) for each in renamings}
    more, notes = alias_edits(model, subgraph_index, renamed)
    return Proposal((*edits, *more), tuple(notes), _label(renamings))


def _label(renamings: list[Renaming]) -> str:
    if len(renamings) == 1:
        return f"Rename tensor {renamings[0].tensor_index} to {quoted(renamings[0].new)}"
    return f"Rename {len(renamings):,} tensors"


def rename_by_pattern(
    model: Model,
    subgraph_index: int,
    indices: Iterable[int],
    pattern: str,
    replacement: str,
    *,
    is_regex: bool = False,
) -> Proposal:
    """Replaces a part of the names of some tensors; `preview_rename` shows it before.

    Raises:
        EditError: As `preview_rename`, or two tensors would have one name.
    """
    preview = preview_rename(
        model, subgraph_index, indices, pattern, replacement, is_regex=is_regex
    )
    names = {each.tensor_index: each.new for each in preview.renamings}
    return rename(model, subgraph_index, names)


def preview_rename(
    model: Model,
    subgraph_index: int,
    indices: Iterable[int],
    pattern: str,
    replacement: str,
    *,
    is_regex: bool = False,
) -> RenamePreview:
    r"""What replacing a part of the names of some tensors would do.

    Args:
        model: The model.
        subgraph_index: Which subgraph.
        indices: Of the tensors.
        pattern: The text that is replaced wherever it stands.
        replacement: What stands there instead, with `\1` for a group of a regular expression.
        is_regex: Whether the pattern is a regular expression.

    Raises:
        EditError: There is no such tensor, or the pattern cannot be read or could take too
            long.
    """
    old = {
        index: tensor_at(model, subgraph_index, index).name or ""
        for index in dict.fromkeys(indices)
    }
    if not pattern:
        raise EditError("The pattern is empty: say which part of the names to replace.")
    longest = max(map(len, old.values()), default=0)
    found = re.compile(re.escape(pattern))
    if is_regex:
        found = safe_pattern(pattern, longest)
    else:
        replacement = replacement.replace("\\", r"\\")
    if (longest + 1) * len(replacement) > LONGEST_NAME:
        raise EditError("The names would become too long; write a shorter replacement.")
    new = {index: _replaced(found, replacement, name) for index, name in old.items()}
    renamings = [Renaming(k, name, new[k]) for k, name in old.items() if new[k] != name]
    return RenamePreview(renamings, _collisions(model, subgraph_index, renamings))


def _replaced(pattern: re.Pattern[str], replacement: str, name: str) -> str:
    try:
        return pattern.sub(replacement, name)
    except (re.error, IndexError, OverflowError, RecursionError) as error:
        raise EditError(
            f"The replacement {quoted(replacement)} is wrong: {excerpt(str(error), 120)}."
        ) from None


def _collisions(model: Model, subgraph_index: int, renamings: list[Renaming]) -> list[str]:
    """A sentence for each name that a renamed tensor would share; no name is no collision."""
    new = {each.tensor_index: each.new for each in renamings}
    owners: dict[str, list[int]] = defaultdict(list)
    for index, tensor in enumerate(subgraph_at(model, subgraph_index).tensors or []):
        owners[new.get(index, tensor.name or "")].append(index)
    return [
        f"Tensors {indices[0]} and {indices[1]} would both be called {quoted(name)}."
        for name, indices in owners.items()
        if name and len(indices) > 1 and any(index in new for index in indices)
    ]
