# SPDX-License-Identifier: Apache-2.0
"""Damaged and hostile files are refused with a reason, or read and written like any other.

Seeded mutants of small models find what nobody thought of; the crafted files are small ones
that would take all memory if the reader believed them.
"""

import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as official

from tests.formats.test_flatbuffer_writer import official_content
from tflm_studio.formats.flatbuffer_columns import same_content
from tflm_studio.formats.flatbuffer_reader import Origin, read_flatbuffer
from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.formats.tail import kept_bytes
from tflm_studio.model.errors import ReadError, WriteError
from tflm_studio.schema import tables as t
from tflm_studio.schema.enums import (
    ActivationFunctionType,
    BuiltinOperator,
    DimensionType,
    Padding,
    TensorType,
)

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


SOUND: dict[str, Callable[[], t.Model]] = {
    "empty": t.Model,
    "convolution": one_convolution,
    "signature": signature_and_metadata,
    "sparse": sparse_and_blockwise,
    "custom": custom_operators,
    "outside": weights_outside,
}
REAL = (
    "tensorflow__tflite-micro/hello_world_int8.tflite",
    "google-ai-edge__LiteRT/add_quantized.bin",
)

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


MUTATIONS = (flip_bits, cut_short, plant_offset, transplant)


def mutants(data: bytes, count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    rng = np.random.default_rng(seed)
    for number in range(count):
        mutate = MUTATIONS[number % len(MUTATIONS)]
        mutant = bytearray(data)
        mutate(rng, mutant)
        yield f"{mutate.__name__} {number}", bytes(mutant)


def plain(data: bytes) -> Any:
    """What the official classes read, where a bool of 7 is no other than one of 1."""
    return _with_plain_truths(official_content(data))


def _with_plain_truths(content: Any) -> Any:
    if isinstance(content, list):
        return [_with_plain_truths(item) for item in content]
    if isinstance(content, tuple) and content[0] == "|b1":
        return [bool(value) for value in content[1]]
    if isinstance(content, tuple) and isinstance(content[1], dict):
        return {key: _with_plain_truths(value) for key, value in content[1].items()}
    return content


def outcome(data: bytes, name: str) -> str:
    """What becomes of a file; anything but a refusal by us is an exception of the test."""
    try:
        model = read_flatbuffer(data, name)
    except ReadError as error:
        assert str(error).startswith(name)
        return "refused"
    assert isinstance(model.extra, Origin)
    expected = plain(data)
    try:
        written = lay_out(model, kept_bytes(model.extra)).tobytes()
    except WriteError:
        return "kept"
    assert same_content(read_flatbuffer(written, name), model), name
    assert plain(written) == expected, name
    return "written"


def check_mutants(data: bytes, count: int, seed: int) -> None:
    outcomes = [outcome(mutant, name) for name, mutant in mutants(data, count, seed)]
    # Mutants that are all refused, or all accepted, would test one half of the program only.
    assert "refused" in outcomes
    assert "written" in outcomes


@pytest.mark.parametrize("name", SOUND)
def test_mutants_of_our_own_models(name: str) -> None:
    data = lay_out(SOUND[name]()).tobytes()
    assert outcome(data, name) == "written"
    check_mutants(data, 140, seed=len(name))


@pytest.mark.parametrize("name", REAL)
def test_mutants_of_real_models(models_folder: Path, name: str) -> None:
    check_mutants((models_folder / name).read_bytes(), 100, seed=7)


# ------------------------------------------------------------------ crafted files


def shared_vectors(count: int) -> bytes:
    """One subgraph named `count` times, which names one tensor `count` times."""
    builder = flatbuffers.Builder(1024)
    official.TensorStart(builder)
    tensor = official.TensorEnd(builder)
    official.SubGraphStartTensorsVector(builder, count)
    for _ in range(count):
        builder.PrependUOffsetTRelative(tensor)
    tensors = builder.EndVector()
    official.SubGraphStart(builder)
    official.SubGraphAddTensors(builder, tensors)
    subgraph = official.SubGraphEnd(builder)
    official.ModelStartSubgraphsVector(builder, count)
    for _ in range(count):
        builder.PrependUOffsetTRelative(subgraph)
    return _finished(builder, official.ModelAddSubgraphs, builder.EndVector())


def shared_wide_vtable(count: int) -> bytes:
    """One buffer with 32,000 unknown fields named `count` times."""
    builder = flatbuffers.Builder(1024)
    builder.StartObject(32_000)
    builder.PrependUint8Slot(31_999, 1, 0)
    buffer = builder.EndObject()
    official.ModelStartBuffersVector(builder, count)
    for _ in range(count):
        builder.PrependUOffsetTRelative(buffer)
    return _finished(builder, official.ModelAddBuffers, builder.EndVector())


def shared_numbers(count: int) -> bytes:
    """Tensors that all have the same long shape."""
    builder = flatbuffers.Builder(1024)
    shape = builder.CreateNumpyVector(np.zeros(count * 50, np.int32))
    official.TensorStart(builder)
    official.TensorAddShape(builder, shape)
    tensor = official.TensorEnd(builder)
    official.SubGraphStartTensorsVector(builder, count)
    for _ in range(count):
        builder.PrependUOffsetTRelative(tensor)
    tensors = builder.EndVector()
    official.SubGraphStart(builder)
    official.SubGraphAddTensors(builder, tensors)
    subgraph = official.SubGraphEnd(builder)
    official.ModelStartSubgraphsVector(builder, 1)
    builder.PrependUOffsetTRelative(subgraph)
    return _finished(builder, official.ModelAddSubgraphs, builder.EndVector())


def _finished(
    builder: flatbuffers.Builder, add: Callable[[flatbuffers.Builder, int], None], vector: int
) -> bytes:
    official.ModelStart(builder)
    add(builder, vector)
    builder.Finish(official.ModelEnd(builder), b"TFL3")
    return bytes(builder.Output())


READ_WITH_LITTLE_MEMORY = """
import resource, sys
from tflm_studio.formats.flatbuffer_reader import read_flatbuffer
from tflm_studio.model.errors import ReadError
resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))
try:
    read_flatbuffer(open(sys.argv[1], "rb").read(), "bomb")
except ReadError as error:
    sys.exit(f"refused: {error}")
"""


@pytest.mark.parametrize("bomb", [shared_vectors, shared_wide_vtable, shared_numbers])
def test_a_small_file_cannot_take_all_memory(
    tmp_path: Path, bomb: Callable[[int], bytes]
) -> None:
    data = bomb(20_000)
    assert len(data) < 5_000_000
    (tmp_path / "bomb").write_bytes(data)
    command = [sys.executable, "-c", READ_WITH_LITTLE_MEMORY, str(tmp_path / "bomb")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr.startswith("refused: bomb"), done.stderr
    # The same file with few references is sound: it is the number that is refused.
    read_flatbuffer(bomb(10))
