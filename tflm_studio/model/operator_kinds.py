# SPDX-License-Identifier: Apache-2.0
"""The kinds of operators there are to choose from, for lists that people search."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from tflm_studio.model.address import find_field
from tflm_studio.model.errors import EditError
from tflm_studio.model.operators import (
    CUSTOM,
    OperatorKnowledge,
    find_knowledge,
    known_operators,
)
from tflm_studio.schema.enums import BuiltinOperator
from tflm_studio.schema.structure import Table
from tflm_studio.schema.tables import Operator, OperatorCode

UNIONS = ("builtin_options", "builtin_options_2")
# Old readers find this number where the code of a newer operator does not fit.
PLACEHOLDER = int(BuiltinOperator.PLACEHOLDER_FOR_GREATER_OP_CODES)


class Slot(NamedTuple):
    """An input or output of a kind of operator.

    Attributes:
        name: What it is called, such as "filter".
        is_optional: Whether it may be left out.
        is_variadic: Whether it stands for any number of tensors.
    """

    name: str
    is_optional: bool = False
    is_variadic: bool = False


@dataclass(frozen=True, slots=True)
class OperatorKind:
    """A kind of operator that a model can have.

    Attributes:
        known: What is known of it.
        options: The table of its options, None if it has none.
        union: The field of `Operator` that holds this table, "" without one.
    """

    known: OperatorKnowledge
    options: type[Table] | None = None
    union: str = ""

    @property
    def name(self) -> str:
        """Name for people, such as "Conv2D"."""
        return self.known.name

    @property
    def schema_name(self) -> str:
        """Member of BuiltinOperator, such as "CONV_2D"; "CUSTOM" for custom ones."""
        return self.known.schema_name

    @property
    def code(self) -> int:
        """BuiltinOperator value."""
        return self.known.code

    @property
    def custom_code(self) -> str | None:
        """What names a custom operator, None for others."""
        return self.known.custom_code or None

    @property
    def group(self) -> str:
        """Family of operators."""
        return self.known.group

    @property
    def resolver(self) -> str | None:
        """Method of MicroMutableOpResolver, None if TFLM lacks the operator."""
        return self.known.resolver

    @property
    def inputs(self) -> tuple[Slot, ...]:
        """Its inputs, in order."""
        return tuple(map(_slot, self.known.inputs))

    @property
    def outputs(self) -> tuple[Slot, ...]:
        """Its outputs, in order."""
        return tuple(map(_slot, self.known.outputs))

    @property
    def search_text(self) -> str:
        """Lower-case words to search in."""
        spaced = self.schema_name.replace("_", " ")
        options = self.options.__name__ if self.options else ""
        words = (self.name, self.schema_name, spaced, self.group, self.resolver, options)
        return " ".join(filter(None, words)).lower()


def _slot(text: str) -> Slot:
    return Slot(text.rstrip("?*").strip("()"), text.endswith("?"), text.endswith("*"))


@lru_cache(maxsize=1)
def operator_kinds() -> tuple[OperatorKind, ...]:
    """All kinds: every builtin operator of the schema, and the custom ones that are known.

    CUSTOM itself is among them and needs a name (`custom_kind`); the placeholder for codes
    that old readers cannot hold is no operator.
    """
    rows = [_kind(known) for known in known_operators()]
    with_row = {kind.code for kind in rows}
    others = [
        _kind(builtin_knowledge(code))
        for code in BuiltinOperator
        if code not in with_row and code != PLACEHOLDER
    ]
    return tuple(
        sorted((*rows, *others), key=lambda kind: (kind.code, kind.custom_code or ""))
    )


def builtin_knowledge(code: BuiltinOperator) -> OperatorKnowledge:
    """What the schema alone says of an operator; its options table is found by name."""
    table = _options_by_name().get(_bare(code.name))
    return OperatorKnowledge(
        code.name,
        int(code),
        group="other",
        options=table.__name__ if table else None,
        schema_name=code.name,
    )


def custom_kind(custom_code: str) -> OperatorKind:
    """The kind of custom operators of a name, known or not.

    Raises:
        EditError: The name is empty.
    """
    if not custom_code:
        raise EditError("A custom operator needs a custom code, the name it is registered by.")
    return _kind(find_knowledge(OperatorCode(CUSTOM, custom_code, 1, BuiltinOperator.CUSTOM)))


def kind_named(text: str) -> OperatorKind:
    """The kind of a name: that of the schema, that for people, or a known custom code.

    Raises:
        EditError: There is none.
    """
    found = _by_name().get(text.strip().lower())
    if found is None:
        raise EditError(f"There is no operator called '{text[:64]}'; write it as CONV_2D.")
    return found


@lru_cache(maxsize=1)
def _by_name() -> dict[str, OperatorKind]:
    kinds = operator_kinds()
    found = {kind.name.lower(): kind for kind in kinds}
    return found | {kind.schema_name.lower(): kind for kind in kinds if not kind.custom_code}


def _kind(known: OperatorKnowledge) -> OperatorKind:
    if known.options is None:
        return OperatorKind(known)
    table, union = _option_tables()[known.options]
    return OperatorKind(known, table, union)


@lru_cache(maxsize=1)
def _option_tables() -> dict[str, tuple[type[Table], str]]:
    """The members of both unions by name, with the field that holds them."""
    found: dict[str, tuple[type[Table], str]] = {}
    for union in UNIONS:
        row = find_field(Operator, union)
        assert row is not None
        found |= {table.__name__: (table, union) for table in row.members}
    return found


@lru_cache(maxsize=1)
def _options_by_name() -> dict[str, type[Table]]:
    return {
        _bare(name.removesuffix("Options")): table
        for name, (table, _) in _option_tables().items()
    }


def _bare(name: str) -> str:
    return name.replace("_", "").lower()
