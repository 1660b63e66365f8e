# SPDX-License-Identifier: Apache-2.0
"""The facts of a schema, read from the Python source that flatc made of it.

Nothing is called: the slots, types and defaults stand in the builder functions, what a field
refers to stands in the accessor, and the kinds of a union stand in a class of constants.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field


@dataclass(frozen=True)
class SlotFacts:
    """One slot: `kind` is a number type, or what its offset leads to."""

    name: str
    kind: str
    default: float = 0


@dataclass
class TableFacts:
    """A table; a deprecated field takes a slot of `width` and shows nowhere else."""

    width: int = 0
    slots: dict[int, SlotFacts] = field(default_factory=dict)


@dataclass
class SourceFacts:
    tables: dict[str, TableFacts] = field(default_factory=dict)
    constants: dict[str, dict[str, int]] = field(default_factory=dict)


def read_generated(source: str) -> SourceFacts:
    """All tables, and all classes of constants: enumerations and unions."""
    tree = ast.parse(source)
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    facts = SourceFacts()
    for name, node in classes.items():
        values = _constants(node)
        if values:
            facts.constants[name] = values
    for function in functions:
        # The first statement of XxxStart gives the number of slots.
        if function.name.removesuffix("Start") in classes and function.name.endswith("Start"):
            table = function.name.removesuffix("Start")
            facts.tables[table] = TableFacts(width=int(_literal(_call(function).args[0])))
    for function in functions:
        _add_slot(facts, classes, function)
    return facts


def _constants(node: ast.ClassDef) -> dict[str, int]:
    return {
        item.targets[0].id: item.value.value
        for item in node.body
        if isinstance(item, ast.Assign)
        and isinstance(item.targets[0], ast.Name)
        and isinstance(item.value, ast.Constant)
        and isinstance(item.value.value, int)
    }


def _add_slot(
    facts: SourceFacts, classes: dict[str, ast.ClassDef], function: ast.FunctionDef
) -> None:
    table, add, name = function.name.partition("Add")
    # Tables may hold "Add" in their own name: AddOptionsAddPotScaleInt16.
    while add and table not in facts.tables:
        before, add, name = name.partition("Add")
        table += "Add" + before
    call = _call(function) if add else None
    if call is None or not isinstance(call.func, ast.Attribute):
        return
    kind = call.func.attr.removeprefix("Prepend").removesuffix("Slot")
    slot, default = int(_literal(call.args[0])), _literal(call.args[2])
    if kind == "UOffsetTRelative":
        kind = _referred(classes[table], name)
    facts.tables[table].slots[slot] = SlotFacts(name, kind, default)


def _call(function: ast.FunctionDef) -> ast.Call:
    statement = function.body[0]
    assert isinstance(statement, ast.Expr)
    assert isinstance(statement.value, ast.Call)
    return statement.value


def _literal(node: ast.expr) -> float:
    value = ast.literal_eval(node)
    assert isinstance(value, (int, float))
    return value


def _referred(table: ast.ClassDef, accessor: str) -> str:
    """What the accessor of an offset makes: a string, a vector, a table or a union."""
    methods = {node.name: node for node in table.body if isinstance(node, ast.FunctionDef)}
    method = methods[accessor]
    many = "[]" if f"{accessor}Length" in methods else ""
    called = [node.func for node in ast.walk(method) if isinstance(node, ast.Call)]
    attributes = {node.attr for node in called if isinstance(node, ast.Attribute)}
    if "Union" in attributes:
        return "union"
    if "String" in attributes:
        return many + "String"
    made = [node.id for node in called if isinstance(node, ast.Name) and node.id[0].isupper()]
    if made:
        return many + made[0]
    flags = [node.attr for node in ast.walk(method) if isinstance(node, ast.Attribute)]
    numbers = {name for name in flags if name.endswith("Flags")} - {"UOffsetTFlags"}
    return many + numbers.pop().removesuffix("Flags")
