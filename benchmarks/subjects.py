# SPDX-License-Identifier: Apache-2.0
"""The models that are measured: bundled, real ones where they are at hand, and made ones."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tflm_studio.formats.model_file import save_model_to_file
from tflm_studio.schema import tables as t
from tflm_studio.schema.enums import BuiltinOperator, TensorType

ROOT = Path(__file__).resolve().parents[1]
COLLECTION = Path(os.environ.get("TFLM_STUDIO_MODELS", ROOT.parent / "shared" / "models"))

REAL = {
    "person_detect": "tensorflow__tflite-micro/person_detect.tflite",
    "mobilenet_v2": "*/mobilenet_v2_quantized_1x3x224x224.tflite",
}
OPERATORS = 20_000
WEIGHT_BYTES = 500_000_000


def subjects(folder: Path, *, quick: bool) -> Iterator[tuple[str, Path]]:
    """Name and file of each; what must be made is put into `folder`."""
    sample = ROOT / "resources" / "samples" / "sine_int8.tflite"
    if sample.exists():
        yield "sample", sample
    else:
        yield "sample", _made(dense_layers(3, 64), folder / "sample.tflite")
    for name, pattern in REAL.items():
        found = sorted(COLLECTION.glob(pattern))
        if found:
            yield name, found[0]
    if not quick:
        yield "operators", _made(dense_layers(OPERATORS, 16), folder / "operators.tflite")
        yield "weights", _made(dense_layers(8, WEIGHT_BYTES // 8), folder / "weights.tflite")


def _made(model: t.Model, path: Path) -> Path:
    save_model_to_file(model, path)
    return path


def dense_layers(count: int, weight_bytes: int) -> t.Model:
    """A chain of FULLY_CONNECTED operators with weights and a bias each."""
    rng = np.random.default_rng(count)
    width = 4
    subgraph = t.SubGraph([_activation(0, width)], [0], [3 * count], [], "main")
    buffers = [t.Buffer()]
    tensors, operators = subgraph.tensors, subgraph.operators
    assert tensors is not None
    assert operators is not None
    for layer in range(count):
        buffers += [t.Buffer(rng.bytes(weight_bytes)), t.Buffer(rng.bytes(4 * width))]
        shape = [width, weight_bytes // width]
        first = 3 * layer
        tensors += [
            _constant(f"weights_{layer}", shape, TensorType.INT8, len(buffers) - 2),
            _constant(f"bias_{layer}", [width], TensorType.INT32, len(buffers) - 1),
            _activation(layer + 1, width),
        ]
        operators.append(
            t.Operator(
                0, [first, first + 1, first + 2], [first + 3], t.FullyConnectedOptions()
            )
        )
    code = BuiltinOperator.FULLY_CONNECTED
    codes = [t.OperatorCode(int(code), builtin_code=code)]
    return t.Model(3, codes, [subgraph], "made to be measured", buffers)


def _activation(number: int, width: int) -> t.Tensor:
    scale = t.QuantizationParameters(scale=[0.05], zero_point=[-3])
    return t.Tensor([1, width], TensorType.INT8, 0, f"activation_{number}", scale)


def _constant(name: str, shape: list[int], kind: TensorType, buffer: int) -> t.Tensor:
    return t.Tensor(
        shape, kind, buffer, name, t.QuantizationParameters(scale=[0.01], zero_point=[0])
    )
