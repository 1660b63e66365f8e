# SPDX-License-Identifier: Apache-2.0
"""Random sound edits to any place of any model."""

from random import Random
from typing import Any

from tflm_studio.editing.edits import Edit, Insert, Move, Remove, Set, WriteBytes
from tflm_studio.editing.field_values import scalar_range
from tflm_studio.model.address import Address
from tflm_studio.model.graph import data_bytes
from tflm_studio.schema.structure import Field, Kind, Table
from tflm_studio.schema.tables import Buffer, Metadata, Model, Operator, SubGraph, Tensor


def places(model: Table, address: Address = ()) -> list[tuple[Address, Field, Any]]:
    """Every field of every table: its address, its row, its value."""
    found: list[tuple[Address, Field, Any]] = []
    for row in model.FIELDS:
        value, place = getattr(model, row.name), (*address, row.name)
        found.append((place, row, value))
        if isinstance(value, Table):
            found += places(value, place)
        elif row.kind is Kind.TABLES:
            for index, item in enumerate(value or ()):
                found += places(item, (*place, index))
    return found


def random_edit(model: Model, random: Random) -> Edit:
    """An edit that can be applied to the model as it is."""
    while True:
        edit = _any_edit(model, random)
        if edit is not None:
            edit.check(model)
            return edit


def _any_edit(model: Model, random: Random) -> Edit | None:
    address, row, value = random.choice(places(model))
    if row.kind is Kind.SCALAR:
        return Set(address, random_number(row, random))
    if row.kind is Kind.STRING:
        return Set(address, random.choice([None, "", "name", "näme/\udc80\0x", "n" * 300]))
    if row.kind is Kind.SCALARS:
        return _list_edit(address, row, value, random)
    if row.kind is Kind.BYTES:
        return _bytes_edit(address, value, random)
    if row.kind is Kind.TABLES:
        return _tables_edit(address, value, random)
    if row.kind in (Kind.TABLE, Kind.UNION) and row.members:
        return Set(address, random.choice([None, random.choice(row.members)()]))
    return None


def random_number(row: Field, random: Random) -> Any:
    """Any value that a number field can hold."""
    if row.scalar == "bool":
        return random.random() < 0.5
    ends = scalar_range(row)
    if ends is None:
        return random.choice([0.0, -0.0, 1.5, 0.1, 3e38, float("inf"), float("nan"), 1e-45])
    return random.choice([*ends, 0, 1, random.randint(*ends)])


def _list_edit(address: Address, row: Field, value: Any, random: Random) -> Edit:
    if value is None or random.random() < 0.2:
        many = [random_number(row, random) for _ in range(random.randint(0, 5))]
        return Set(address, random.choice([None, [], many]))
    size = len(value)
    if not size or random.random() < 0.3:
        return Insert(address, random.randint(0, size), random_number(row, random))
    index = random.randrange(size)
    if random.random() < 0.3:
        return Remove(address, index)
    if random.random() < 0.3:
        return Move(address, index, random.randrange(size))
    return Set((*address, index), random_number(row, random))


def _bytes_edit(address: Address, value: Any, random: Random) -> Edit:
    size = data_bytes(value)
    if not size or random.random() < 0.2:
        return Set(address, random.choice([None, b"", bytes(random.randint(1, 40))]))
    offset = random.randrange(size)
    length = random.randint(1, min(16, size - offset))
    return WriteBytes(address, offset, random.randbytes(length))


def _tables_edit(address: Address, value: Any, random: Random) -> Edit | None:
    made: dict[str, Table] = {
        "buffers": Buffer(data=b"new data"),
        "tensors": Tensor(name="new", shape=[2, 3], buffer=1),
        "operators": Operator(inputs=[0], outputs=[1]),
        "metadata": Metadata(name="new", buffer=0),
        "subgraphs": SubGraph(name="new", tensors=[Tensor()], operators=[]),
    }
    item = made.get(str(address[-1]))
    if value is None:
        return Set(address, [item] if item else [])
    size = len(value)
    if item is not None and random.random() < 0.4:
        return Insert(address, random.randint(0, size), item)
    if not size:
        return None
    if random.random() < 0.5:
        return Move(address, random.randrange(size), random.randrange(size))
    return Remove(address, random.randrange(size))
