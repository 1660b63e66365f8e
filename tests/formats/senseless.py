# SPDX-License-Identifier: Apache-2.0
"""Models that are sound as files and senseless as models.

The crafted ones each have one thing that a reader of values may stumble over; the random ones
have hostile values of the schema's own kinds at random places.
"""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from tests.editing.random_edits import places
from tests.formats.mutants import SOUND, every_table, filled, one_convolution
from tflm_studio.editing.field_values import scalar_range
from tflm_studio.model.address import find_address
from tflm_studio.schema import tables as t
from tflm_studio.schema.enums import BuiltinOperator, DimensionType, TensorType
from tflm_studio.schema.structure import Field, Kind, OpaqueMember, Table

BIG = 2**31 - 1
NAN, INF = float("nan"), float("inf")

TEXTS = (
    *("", " ", "\0", "a\0b", "\n\n\r\t\v\x1b[31m", "\udcff\udc80", "\ud7ff\ufffe\uffff"),
    *('<b>&amp;<img src="x"><a href="buffers[0]">', "&&&_", "%1 %n %s {0}", "é" * 90),
    *("\u202eright to left\u200b", "e" + "\u0301" * 500, "\U0001f600" * 60, "x" * 5_000),
)
SHAPES: tuple[list[int], ...] = (
    *([], [0], [-1], [0, 0, 0], [1] * 40, [-1, BIG, BIG], [BIG] * 5, [-BIG - 1] * 3),
    *([2, 9], [0, BIG], [BIG, 0], [1, -1, 1], [18], [1, 18], [18, 1], [2, 3, 3, 1]),
    *([1] * 3_000, [3] * 3_000, [70_000, 70_000]),
)
SCALES: tuple[list[float], ...] = (
    *([], [NAN], [INF], [-INF], [0.0], [-0.5], [1e-45], [3e38], [1.0, NAN], [INF] * 2),
    *([0.0, -1.0, NAN], [1.0] * 18, [1e-45] * 2, [3e38, -3e38]),
)
ZEROS: tuple[list[int], ...] = (
    *([], [0], [-(2**63)], [2**63 - 1], [300], [-129, 128], [0] * 18, [2**63 - 1] * 2),
)
INDICES: tuple[list[int], ...] = (
    *([], [-1], [-2], [BIG], [-BIG - 1], [0] * 200, [0, 0], [1, 0, -1, 5, 99], [2, 1, 0]),
)
HOSTILE_LISTS: dict[str, tuple[list[Any], ...]] = {
    "shape": SHAPES,
    "shape_signature": SHAPES,
    "scale": SCALES,
    "zero_point": ZEROS,
    "inputs": INDICES,
    "outputs": INDICES,
    "intermediates": INDICES,
}


# ------------------------------------------------------------------ random models


def hostile_value(row: Field, value: Any, random: Random) -> Any:
    """A value that a file can hold in a field, and that no converter would write there."""
    if row.kind is Kind.SCALAR:
        return hostile_number(row, random)
    if row.kind is Kind.SCALARS:
        return _hostile_list(row, value, random)
    if row.kind is Kind.STRING:
        return random.choice([None, *TEXTS, "x" * 1_000_000 if random.random() < 0.05 else ""])
    if row.kind is Kind.BYTES:
        return random.choice(
            [None, *(random.randbytes(size) for size in (0, 1, 3, 7, 13, 70))]
        )
    if row.kind is Kind.TABLES:
        items = value or [filled(row.members[0], 0)]
        some = [filled(row.members[0], random.randrange(150)), row.members[0]()]
        return random.choice([None, [], items[::-1], items * 2, items[:1] * 40, some])
    if random.random() < 0.2 and row.kind is Kind.UNION:
        return random.choice([None, OpaqueMember(random.randint(1, 255))])
    member = random.choice(row.members)
    return random.choice([None, member(), filled(member, random.randrange(150))])


def hostile_number(row: Field, random: Random) -> Any:
    if row.scalar == "bool":
        return random.random() < 0.5
    ends = scalar_range(row)
    if ends is None:
        return random.choice([NAN, INF, -INF, 0.0, -0.0, 3e38, -3e38, 1e-45])
    values = [*ends, 0, 1, 2, ends[1] - 1, 100, *range(6, 24)]
    number = random.choice([value for value in (-1, *values) if ends[0] <= value <= ends[1]])
    known = row.enum is not None and number in row.enum._value2member_map_
    return row.enum(number) if known and row.enum is not None else number


def _hostile_list(row: Field, value: Any, random: Random) -> Any:
    if row.name in HOSTILE_LISTS and random.random() < 0.8:
        return list(random.choice(HOSTILE_LISTS[row.name]))
    number = hostile_number(row, random)
    longer = [*(value or ()), number, hostile_number(row, random)]
    return random.choice(
        [None, [], [number], [number] * 10_000, longer, longer[1:], longer * 9]
    )


BASES: dict[str, Callable[[], t.Model]] = SOUND | {"every table": every_table}


def random_model(random: Random) -> t.Model:
    """A small model with hostile values at several places."""
    model = BASES[random.choice(list(BASES))]()
    found = places(model)
    deep = [place for place in found if len(place[0]) > 1]
    for _ in range(random.choice((1, 2, 5, 12, 30))):
        # A field of the model itself is rarely chosen: with it goes all that is below.
        address, row, value = random.choice(deep if deep and random.random() < 0.9 else found)
        holder = find_address(model, address[:-1])
        if isinstance(holder, Table) and row in holder.FIELDS:
            setattr(holder, row.name, hostile_value(row, value, random))
    return model


def random_models(count: int, seed: int) -> Iterator[tuple[str, t.Model]]:
    """Named models; the same for the same seed."""
    for number in range(count):
        yield f"random {seed} {number}", random_model(Random(f"{seed} {number}"))


# ------------------------------------------------------------------ crafted models


def convolution_with(**fields: Any) -> t.Model:
    """The convolution with other fields of its constant weights."""
    model = one_convolution()
    weights = tensors_of(model)[1]
    quantization = weights.quantization
    for name, value in fields.items():
        holder: Any = weights if name in t.Tensor.__slots__ else quantization
        setattr(holder, name, value)
    return model


def tensors_of(model: t.Model) -> list[t.Tensor]:
    return (model.subgraphs or [])[0].tensors or []


def calling_itself() -> t.Model:
    """Subgraphs that call themselves, each other, and one that is not there."""
    calls = [
        (BuiltinOperator.WHILE, t.WhileOptions(0, 0)),
        (BuiltinOperator.IF, t.IfOptions(1, 0)),
        (BuiltinOperator.CALL_ONCE, t.CallOnceOptions(1)),
        (BuiltinOperator.CALL, t.CallOptions(2**32 - 1)),
        (BuiltinOperator.WHILE, t.WhileOptions(-1, BIG)),
    ]
    operators = [t.Operator(k, [0], [0], options) for k, (_, options) in enumerate(calls)]
    codes = [t.OperatorCode(127, builtin_code=code) for code, _ in calls]
    subgraphs = [t.SubGraph([t.Tensor([1])], [0], [0], operators) for _ in range(2)]
    return t.Model(version=3, operator_codes=codes, subgraphs=subgraphs)


def wired_in_a_circle() -> t.Model:
    """Operators whose outputs are their own inputs, and makers behind their users."""
    model = one_convolution()
    (subgraph,) = model.subgraphs or []
    subgraph.operators = [
        t.Operator(0, [0, 1, 2], [0, 1, 2]),
        t.Operator(0, [2], [0]),
        t.Operator(0, [0], [2]),
        t.Operator(0, [2, 2, 2], [2, 2]),
    ]
    subgraph.inputs = subgraph.outputs = [0, 1, 2, 0]
    return model


def indices_out_of_range() -> t.Model:
    """Every index leads nowhere."""
    model = one_convolution()
    (subgraph,) = model.subgraphs or []
    for tensor in tensors_of(model):
        tensor.buffer = 2**32 - 1
    tensors_of(model)[0].buffer = 2
    for operator in subgraph.operators or []:
        operator.opcode_index, operator.inputs, operator.outputs = 2**32 - 1, [9, -5], [BIG]
    subgraph.inputs, subgraph.outputs = [-1, BIG, -BIG - 1], [3, -1]
    maps = [t.TensorMap("x", 2**32 - 1)], [t.TensorMap(None, 3)]
    model.signature_defs = [
        t.SignatureDef(*maps, "key", subgraph_index=2**32 - 1),
        t.SignatureDef(),
    ]
    model.metadata = [t.Metadata("min_runtime_version", 2**32 - 1), t.Metadata(None, 5)]
    model.metadata_buffer = [-1, BIG]
    return model


def nonsense_sparsity() -> t.Model:
    """Sparse tensors whose parts do not belong together."""
    dimension = t.DimensionMetadata(DimensionType.SPARSE_CSR, -5, t.Int32Vector([-1]), None)
    model = convolution_with(sparsity=t.SparsityParameters([9, -1], [BIG], [dimension] * 3))
    tensors_of(model)[0].sparsity = t.SparsityParameters()
    tensors_of(model)[2].sparsity = t.SparsityParameters([0] * 5_000, None, [])
    return model


def long_texts() -> t.Model:
    """A megabyte of text wherever text may stand, without a place to break it."""
    text = "Ж" * 500_000
    model = one_convolution()
    model.description = text
    (subgraph,) = model.subgraphs or []
    subgraph.name = text
    for tensor in tensors_of(model):
        tensor.name = text
    model.operator_codes = [
        t.OperatorCode(32, text, 2**31 - 1, BuiltinOperator.CUSTOM),
    ]
    model.metadata = [t.Metadata(text, 1)]
    model.signature_defs = [t.SignatureDef([t.TensorMap(text)], None, text)]
    return model


def long_lists() -> t.Model:
    """Ten thousand of whatever there may be many of, in one thing."""
    model = convolution_with(shape=[3] * 10_000, shape_signature=[-1] * 10_000)
    (subgraph,) = model.subgraphs or []
    subgraph.inputs = subgraph.outputs = list(range(1_000))
    for operator in subgraph.operators or []:
        operator.inputs, operator.outputs = [0, 1] * 700, [2] * 700
        operator.builtin_options_2 = t.StablehloSliceOptions([1] * 10_000, [], None)
    model.signature_defs = [t.SignatureDef([t.TensorMap("x")] * 500)]
    model.metadata = [t.Metadata("x")] * 2_000
    return model


def hostile_texts() -> t.Model:
    """One tensor, operator code, entry and signature for each odd text."""
    model = one_convolution()
    (subgraph,) = model.subgraphs or []
    codes = [t.OperatorCode(32, text, 1, BuiltinOperator.CUSTOM) for text in TEXTS]
    model.operator_codes = codes
    subgraph.tensors = [t.Tensor([1], TensorType.INT8, 1, text) for text in TEXTS]
    subgraph.operators = [t.Operator(k, [k], [k]) for k in range(len(TEXTS))]
    model.metadata = [t.Metadata(text, 1) for text in TEXTS]
    maps = [t.TensorMap(text, k) for k, text in enumerate(TEXTS)]
    model.signature_defs = [t.SignatureDef(maps, maps, text) for text in TEXTS]
    model.description = TEXTS[7]
    return model


def every_type(size: int) -> t.Model:
    """Buffers of an odd length, read as every type there is and as some there are not."""
    data = bytes(range(255, 255 - size, -1))
    kinds = [*TensorType, 99, 127, -1, -128]
    quantization = t.QuantizationParameters(scale=[1e-45, INF], zero_point=[-(2**63)])
    tensors = [
        t.Tensor([size], kind, 1 + k % 3, f"{k}", quantization if k % 2 else None)
        for k, kind in enumerate(kinds)
    ]
    buffers = [t.Buffer(), *(t.Buffer(data=data) for _ in range(3))]
    return t.Model(version=3, subgraphs=[t.SubGraph(tensors)], buffers=buffers)


def hostile_floats() -> t.Model:
    """Weights at the ends of what floats can hold, and beyond."""
    import numpy as np

    single = np.array([NAN, INF, -INF, 3.4e38, -3.4e38, 1e-45, -0.0, 1.5], "<f4")
    double = np.array([1.7e308, -1.7e308, 5e-324, NAN, INF, -INF, 0.0, 1.0], "<f8")
    parts = [single.tobytes(), single[:1].tobytes(), single[3:5].tobytes(), b"\1\0\xa0\x7f"]
    parts += [double.tobytes(), double[:2].tobytes(), double[3:6].tobytes()]
    kinds = [TensorType.FLOAT32] * 4 + [TensorType.FLOAT64] * 3
    tensors = [t.Tensor([1], kind, k + 1) for k, kind in enumerate(kinds)]
    tensors += [t.Tensor([], TensorType.COMPLEX64, 1), t.Tensor([1], TensorType.FLOAT16, 1)]
    buffers = [t.Buffer(), *(t.Buffer(data=part) for part in parts)]
    return t.Model(version=3, subgraphs=[t.SubGraph(tensors)], buffers=buffers)


def sentinel_with_data() -> t.Model:
    """Buffer 0, which is empty by rule, has bytes; other buffers say they are elsewhere."""
    model = one_convolution()
    places = ((2, 2**63), (2**64 - 1, 1), (2**40, 24), (1, 1), (0, 2**64 - 1))
    more = [t.Buffer(offset=offset, size=size) for offset, size in places]
    model.buffers = [t.Buffer(data=b"odd"), t.Buffer(data=b"\x80" * 17), *more]
    for index, tensor in enumerate(tensors_of(model)):
        tensor.buffer = index + 2
    return model


CRAFTED: dict[str, Callable[[], t.Model]] = {
    make.__name__: make
    for make in (
        *(calling_itself, wired_in_a_circle, indices_out_of_range, nonsense_sparsity),
        *(long_texts, long_lists, hostile_texts, hostile_floats, sentinel_with_data),
        *(t.Model, every_table),
    )
}
CRAFTED |= {f"every_type {size}": lambda size=size: every_type(size) for size in (1, 15, 33)}  # type: ignore[misc]
CRAFTED |= {
    f"shape {k}": lambda shape=shape: convolution_with(shape=shape)  # type: ignore[misc]
    for k, shape in enumerate(SHAPES)
}
CRAFTED |= {
    f"scale {k} {axis}": lambda k=k, axis=axis: convolution_with(  # type: ignore[misc]
        scale=SCALES[k], zero_point=ZEROS[k % len(ZEROS)], quantized_dimension=axis
    )
    for k in range(len(SCALES))
    for axis in (0, -1, BIG)
}
