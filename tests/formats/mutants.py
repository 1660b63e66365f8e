# SPDX-License-Identifier: Apache-2.0
"""Sound models, seeded mutants of them, and small files that refer to much."""

import struct
from collections.abc import Callable, Iterator
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as official

from tflm_studio.schema import tables as t
from tflm_studio.schema.enums import (
    ActivationFunctionType,
    BuiltinOperator,
    DimensionType,
    Padding,
    TensorType,
)
from tflm_studio.schema.structure import Field, Kind, Table

# ------------------------------------------------------------------ sound models


def one_convolution() -> t.Model:
    quantization = t.QuantizationParameters(scale=[0.5, 0.25], zero_point=[0, -128])
    options = t.Conv2DOptions(
        padding=Padding.VALID,
        stride_w=2,
        stride_h=2,
        fused_activation_function=ActivationFunctionType.RELU6,
    )
    return t.Model(
        version=3,
        operator_codes=[t.OperatorCode(3, version=2, builtin_code=BuiltinOperator.CONV_2D)],
        subgraphs=[
            t.SubGraph(
                tensors=[
                    t.Tensor([1, 8, 8, 1], TensorType.INT8, 0, "in", quantization),
                    t.Tensor([2, 3, 3, 1], TensorType.INT8, 1, "weights", quantization),
                    t.Tensor([1, 3, 3, 2], TensorType.INT8, 0, "out"),
                ],
                inputs=[0],
                outputs=[2],
                operators=[t.Operator(0, [0, 1, -1], [2], options)],
                name="main",
            )
        ],
        description="one convolution",
        buffers=[t.Buffer(), t.Buffer(data=bytes(range(18)))],
    )


def signature_and_metadata() -> t.Model:
    model = one_convolution()
    maps = [t.TensorMap("x", 0)], [t.TensorMap("y", 2)]
    model.signature_defs = [t.SignatureDef(*maps, "serving_default", "serve")]
    model.metadata = [t.Metadata("min_runtime_version", 1)]
    model.metadata_buffer = [1]
    return model


def sparse_and_blockwise() -> t.Model:
    dimensions = [
        t.DimensionMetadata(DimensionType.DENSE, 4),
        t.DimensionMetadata(
            DimensionType.SPARSE_CSR,
            array_segments=t.Uint8Vector(b"\0\2\4"),
            array_indices=t.Uint16Vector([1, 2, 3, 4]),
        ),
        t.DimensionMetadata(
            DimensionType.SPARSE_CSR, array_segments=t.Int32Vector([0, 70_000])
        ),
    ]
    details = (t.BlockwiseQuantization(1, -1, 32, [1, 32]), t.CustomQuantization(b"private"))
    tensors = [
        t.Tensor(
            [4, 4],
            quantization=t.QuantizationParameters(details=detail, quantized_dimension=1),
            sparsity=t.SparsityParameters([0, 1], [], dimensions),
            shape_signature=[-1, 4],
        )
        for detail in details
    ]
    return t.Model(version=3, subgraphs=[t.SubGraph(tensors=tensors)], buffers=[t.Buffer()])


def custom_operators() -> t.Model:
    operators = [
        t.Operator(0, [], [], custom_options=b"flexible", intermediates=[0]),
        t.Operator(1, None, None, builtin_options_2=t.StablehloSliceOptions([0], [9], [2])),
        t.Operator(1, [0], [0], mutating_variable_inputs=[True]),
    ]
    codes = [
        t.OperatorCode(32, "MyOperator", builtin_code=BuiltinOperator.CUSTOM),
        t.OperatorCode(127, builtin_code=BuiltinOperator.STABLEHLO_SLICE),
    ]
    subgraph = t.SubGraph([t.Tensor([0])], [0], [0], operators)
    return t.Model(version=3, operator_codes=codes, subgraphs=[subgraph, subgraph])


def weights_outside() -> t.Model:
    return t.Model(
        version=3,
        buffers=[t.Buffer(), t.Buffer(offset=4096, size=64)],
        external_buffer_groups=[t.ExternalBufferGroup("weights.bin")],
        external_buffers=[t.ExternalBuffer(1 << 31, 0, 128, 64, "none")],
    )


def every_table() -> t.Model:
    """One of each table of the schema at least, with every field set."""
    model = filled(t.Model, 0)
    assert isinstance(model, t.Model)
    return model


def filled(table: type[Table], turn: int) -> Table:
    """A table with a value in every field; in a union, that of the `turn`."""
    return table(**{row.name: _value(row, turn) for row in table.FIELDS})


def _value(row: Field, turn: int) -> Any:
    match row.kind:
        case Kind.SCALAR:
            return not row.default if row.scalar == "bool" else (row.default or 0) + 1
        case Kind.SCALARS:
            return [1, 0, 1]
        case Kind.STRING:
            return f"name {turn}"
        case Kind.BYTES:
            return bytes(range(turn % 20))
        case Kind.TABLES:
            return [filled(row.members[0], turn) for turn in range(_height(row.members[0]))]
        case _:
            return filled(row.members[turn % len(row.members)], turn)


def _height(table: type[Table]) -> int:
    """How many it takes for every member of its unions."""
    return max((len(row.members) for row in table.FIELDS if row.kind is Kind.UNION), default=1)


SOUND: dict[str, Callable[[], t.Model]] = {
    "empty": t.Model,
    "convolution": one_convolution,
    "signature": signature_and_metadata,
    "sparse": sparse_and_blockwise,
    "custom": custom_operators,
    "outside": weights_outside,
}

# ------------------------------------------------------------------ mutants


def flip_bits(rng: np.random.Generator, data: bytearray) -> None:
    for _ in range(rng.integers(1, 5)):
        data[rng.integers(len(data))] ^= 1 << rng.integers(8)


def cut_short(rng: np.random.Generator, data: bytearray) -> None:
    del data[rng.integers(len(data)) :]


def plant_offset(rng: np.random.Generator, data: bytearray) -> None:
    """A number where an offset or a length may stand: near the limits, or anywhere inside."""
    limits = (0, 1, 3, 4, len(data) - 1, len(data), 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
    inside = (int(rng.integers(len(data))), 2 * int(rng.integers(200)))
    value = int(rng.choice(np.array(limits + inside)))
    at = 4 * int(rng.integers(len(data) // 4))
    data[at : at + 4] = struct.pack("<I", value)


def transplant(rng: np.random.Generator, data: bytearray) -> None:
    source, target = 4 * rng.integers(0, max(1, len(data) // 4 - 4), 2)
    data[target : target + 16] = data[source : source + 16]


def share(rng: np.random.Generator, data: bytearray) -> None:
    """Up to 64 words in a row lead where one offset of the file leads."""
    words = np.frombuffer(bytes(data), "<u4", len(data) // 4).astype(np.int64)
    targets = words + np.arange(0, 4 * len(words), 4)
    offsets = np.flatnonzero((words > 0) & (targets < len(data)))
    target = int(targets[rng.choice(offsets)]) if len(offsets) else len(data)
    first = 4 * int(rng.integers(len(words)))
    length = 4 * 2 ** int(rng.integers(7))
    for place in range(first, min(first + length, target, len(data) - 3), 4):
        data[place : place + 4] = struct.pack("<I", target - place)


MUTATIONS = (flip_bits, cut_short, plant_offset, transplant, share)


def mutants(data: bytes, count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    rng = np.random.default_rng(seed)
    for number in range(count):
        mutate = MUTATIONS[number % len(MUTATIONS)]
        mutant = bytearray(data)
        mutate(rng, mutant)
        yield f"{mutate.__name__} {number}", bytes(mutant)


# ------------------------------------------------------------------ crafted files


def shared_vectors(count: int) -> bytes:
    """One subgraph named `count` times, which names one tensor `count` times."""
    builder = flatbuffers.Builder(1024)
    official.TensorStart(builder)
    tensors = _named(builder, official.TensorEnd(builder), count)
    return _with_subgraph(builder, official.SubGraphAddTensors, tensors, count)


def shared_wide_vtable(count: int) -> bytes:
    """One buffer with 32,000 unknown fields, of which one is set, named `count` times."""
    builder = flatbuffers.Builder(1024)
    builder.StartObject(32_000)
    builder.PrependUint8Slot(31_999, 1, 0)
    return _with_buffers(builder, _named(builder, builder.EndObject(), count))


def unknown_fields(count: int) -> bytes:
    """One buffer with 300 unknown fields that are set, named `count` times."""
    builder = flatbuffers.Builder(1024)
    builder.StartObject(303)
    for slot in range(3, 303):
        builder.PrependUint8Slot(slot, 1, 0)
    return _with_buffers(builder, _named(builder, builder.EndObject(), count))


def shared_buffers(count: int) -> bytes:
    """One buffer named `count` times."""
    builder = flatbuffers.Builder(1024)
    builder.StartObject(0)
    return _with_buffers(builder, _named(builder, builder.EndObject(), count))


def shared_numbers(count: int) -> bytes:
    """One tensor with a long shape, named `count` times."""
    builder = flatbuffers.Builder(1024)
    shape = builder.CreateNumpyVector(np.full(count * 50, 70_000, np.int32))
    official.TensorStart(builder)
    official.TensorAddShape(builder, shape)
    tensors = _named(builder, official.TensorEnd(builder), count)
    return _with_subgraph(builder, official.SubGraphAddTensors, tensors, 1)


def shared_options(count: int) -> bytes:
    """One subgraph named `count` times, which names one full operator `count` times.

    The lists are empty and the numbers stated though they are the default: nothing takes more
    memory for each byte of the file.
    """
    builder = flatbuffers.Builder(1024)
    builder.ForceDefaults(True)
    builder.StartVector(4, 0, 4)
    nothing = builder.EndVector()
    official.Conv2DOptionsStart(builder)
    for slot in (1, 2, 4, 5):
        builder.PrependInt32Slot(slot, int(slot > 3), int(slot > 3))
    options = official.Conv2DOptionsEnd(builder)
    official.OperatorStart(builder)
    official.OperatorAddOpcodeIndex(builder, 0)
    official.OperatorAddBuiltinOptionsType(builder, official.BuiltinOptions.Conv2DOptions)
    official.OperatorAddBuiltinOptions(builder, options)
    for slot in (1, 2, 5, 7, 8):
        builder.PrependUOffsetTRelativeSlot(slot, nothing, 0)
    operators = _named(builder, official.OperatorEnd(builder), count)
    return _with_subgraph(builder, official.SubGraphAddOperators, operators, count)


def overlapping_vectors(count: int) -> bytes:
    """Tensors with long shapes that begin one item behind the other."""
    builder = flatbuffers.Builder(1024)
    numbers = np.arange(2 * count - 1, -1, -1, np.int32)  # each counts what follows it
    first = builder.CreateNumpyVector(numbers)
    tensors = []
    for index in range(count):
        official.TensorStart(builder)
        official.TensorAddShape(builder, first - 4 * index)
        tensors.append(official.TensorEnd(builder))
    official.SubGraphStartTensorsVector(builder, count)
    for tensor in tensors:
        builder.PrependUOffsetTRelative(tensor)
    vector = builder.EndVector()
    return _with_subgraph(builder, official.SubGraphAddTensors, vector, 1)


def overlapping_vtables(count: int) -> bytes:
    """Buffers with unknown fields, each vtable a part of that of the buffer before."""
    model = struct.pack("<I4s7H2xiII", 24, b"TFL3", 14, 8, 0, 0, 0, 0, 4, 16, 4, count)
    index = np.arange(count, dtype="<i4")
    tables = len(model) + 4 * count
    offsets = np.full(count, tables - len(model), "<u4")
    vtables = np.zeros((count, 5), "<u2")  # size, length of the table, three known fields
    vtables[:, 0] = np.minimum(10 * (count - index), 65_530)
    vtables[:, 1] = 4
    upward = (4 * count + 6 * index).astype("<i4")
    return b"".join((model, offsets.tobytes(), (-upward).tobytes(), vtables.tobytes()))


def _named(builder: flatbuffers.Builder, table: int, count: int) -> int:
    """A vector that names one table `count` times."""
    builder.StartVector(4, count, 4)
    for _ in range(count):
        builder.PrependUOffsetTRelative(table)
    return int(builder.EndVector())


def _with_buffers(builder: flatbuffers.Builder, buffers: int) -> bytes:
    return _finished(builder, official.ModelAddBuffers, buffers)


def _with_subgraph(
    builder: flatbuffers.Builder,
    add: Callable[[flatbuffers.Builder, int], None],
    vector: int,
    count: int,
) -> bytes:
    """A model that names a subgraph with the vector `count` times."""
    official.SubGraphStart(builder)
    add(builder, vector)
    subgraphs = _named(builder, official.SubGraphEnd(builder), count)
    return _finished(builder, official.ModelAddSubgraphs, subgraphs)


def _finished(
    builder: flatbuffers.Builder, add: Callable[[flatbuffers.Builder, int], None], vector: int
) -> bytes:
    official.ModelStart(builder)
    add(builder, vector)
    builder.Finish(official.ModelEnd(builder), b"TFL3")
    return bytes(builder.Output())
