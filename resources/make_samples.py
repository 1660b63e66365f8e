# SPDX-License-Identifier: Apache-2.0
"""Makes the sample models in `resources/samples/`: numpy trains them, our writer writes them.

`python resources/make_samples.py` trains and writes all samples (under a minute) and
prints how well each does; `--check` only measures the files that are there. Training runs in
float64 from fixed seeds, so one machine gives the same bytes every time. Another BLAS may sum
in another order, which thousands of training steps amplify, so bytes are never compared
between machines: a sample is right if it keeps the promises in `PROMISES`. Measuring runs
the files in tflite_micro, which is in the extra `run`; making them needs only numpy.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

import tflm_studio as ts
from tflm_studio.schema.enums import (
    ActivationFunctionType,
    BuiltinOperator,
    Padding,
    TensorType,
)
from tflm_studio.schema.structure import Table
from tflm_studio.schema.tables import (
    Buffer,
    Conv2DOptions,
    DepthwiseConv2DOptions,
    FullyConnectedOptions,
    Metadata,
    Model,
    Operator,
    OperatorCode,
    Pool2DOptions,
    QuantizationParameters,
    ReshapeOptions,
    SignatureDef,
    SoftmaxOptions,
    SubGraph,
    Tensor,
    TensorMap,
)

Array = NDArray[np.float64]

FOLDER = Path(__file__).resolve().parent / "samples"
SHAPES = ("circle", "square", "triangle", "cross")
PICTURE_SIZE = 16
SINE_SEED = 2
SHAPES_SEED = 4
MEASURING_SEED = 12  # draws pictures that training has not seen

# What each file must do when it runs: name of a figure -> (lowest, highest) allowed value.
# Errors are in units of the sine's amplitude; the step of the int8 output is 0.008.
PROMISES: dict[str, dict[str, tuple[float, float]]] = {
    "sine_float.tflite": {"max error": (0.0, 0.02), "RMS error": (0.0, 0.005)},
    "sine_int8.tflite": {
        "max error": (0.0, 0.05),
        "RMS error": (0.0, 0.012),
        "max difference from float": (0.0, 0.05),
        "RMS difference from float": (0.0, 0.012),
    },
    "shapes_int8.tflite": {"accuracy": (0.95, 1.0)},
}

# ---------------------------------------------------------------------- layers that learn


class Layer:
    """A step of a network: computes, learns, and says which operator it becomes.

    Attributes:
        parameters: Nothing, or weights in TFLite's layout and a bias of shape [channels].
        gradients: Of the parameters, after `backward`.
    """

    code: ClassVar[BuiltinOperator]
    int8_version: ClassVar[int] = 1
    channel_axis: ClassVar[int | None] = None  # None: one scale for all weights
    keeps_scale: ClassVar[bool] = False  # the kernel copies or averages stored values

    def __init__(self, name: str, parameters: Sequence[Array] = (), relu: bool = False):
        self.name = name
        self.parameters = list(parameters)
        self.gradients: list[Array] = []
        self.relu = relu

    def forward(self, x: Array) -> Array:
        """The output for a batch; both have the batch as first axis."""
        self.x = x
        y = self.compute(x)
        if self.relu:
            self.positive = y > 0
            y = y * self.positive
        return y

    def backward(self, slope: Array) -> Array:
        """Turns the loss's slope by the output into that by the input."""
        return self.learn(slope * self.positive if self.relu else slope)

    def compute(self, x: Array) -> Array:
        raise NotImplementedError

    def learn(self, slope: Array) -> Array:
        raise NotImplementedError

    def options(self) -> Table:
        raise NotImplementedError

    @property
    def activation(self) -> ActivationFunctionType:
        return ActivationFunctionType.RELU if self.relu else ActivationFunctionType.NONE


class Dense(Layer):
    """Weights of shape [units, inputs]; one scale, which every TFLM release can run."""

    code = BuiltinOperator.FULLY_CONNECTED
    int8_version = 4

    def compute(self, x: Array) -> Array:
        weights, bias = self.parameters
        return x @ weights.T + bias

    def learn(self, slope: Array) -> Array:
        self.gradients = [slope.T @ self.x, slope.sum(0)]
        return slope @ self.parameters[0]

    def options(self) -> Table:
        return FullyConnectedOptions(fused_activation_function=self.activation)


class Convolution(Layer):
    """Weights of shape [outputs, side, side, inputs]; padding SAME."""

    code = BuiltinOperator.CONV_2D
    int8_version = 3
    channel_axis = 0
    products = ("nhwcij,oijc->nhwo", "nhwo,nhwcij->oijc", "nhwo,oijc->nhwcij")

    def __init__(self, name: str, parameters: Sequence[Array], stride: int, relu: bool):
        super().__init__(name, parameters, relu)
        self.stride = stride

    @property
    def side(self) -> int:
        return self.parameters[0].shape[1]

    def compute(self, x: Array) -> Array:
        weights, bias = self.parameters
        self.seen = patches(x, self.side, self.stride)
        return np.einsum(self.products[0], self.seen, weights, optimize=True) + bias

    def learn(self, slope: Array) -> Array:
        to_weights, to_patches = self.products[1:]
        learned = np.einsum(to_weights, slope, self.seen, optimize=True)
        self.gradients = [learned, slope.sum((0, 1, 2))]
        spread = np.einsum(to_patches, slope, self.parameters[0], optimize=True)
        return from_patches(spread, self.x.shape, self.stride)

    def options(self) -> Table:
        return Conv2DOptions(
            Padding.SAME, self.stride, self.stride, fused_activation_function=self.activation
        )


class Depthwise(Convolution):
    """Weights of shape [1, side, side, channels]; padding SAME."""

    code = BuiltinOperator.DEPTHWISE_CONV_2D
    channel_axis = 3
    products = ("nhwcij,zijc->nhwc", "nhwc,nhwcij->ijc", "nhwc,zijc->nhwcij")

    def learn(self, slope: Array) -> Array:
        back = super().learn(slope)
        self.gradients[0] = self.gradients[0][np.newaxis]
        return back

    def options(self) -> Table:
        return DepthwiseConv2DOptions(
            Padding.SAME, self.stride, self.stride, 1, self.activation
        )


class AveragePool(Layer):
    """The mean over all places: [batch, side, side, channels] to [batch, 1, 1, channels]."""

    code = BuiltinOperator.AVERAGE_POOL_2D
    int8_version = 2
    keeps_scale = True

    def compute(self, x: Array) -> Array:
        return x.mean((1, 2), keepdims=True)

    def learn(self, slope: Array) -> Array:
        return np.broadcast_to(slope / np.prod(self.x.shape[1:3]), self.x.shape)

    def options(self) -> Table:
        height, width = self.x.shape[1:3]
        return Pool2DOptions(Padding.VALID, 1, 1, width, height)


class Flatten(Layer):
    """Any shape to [batch, values]; the shape is the operator's second input as well."""

    code = BuiltinOperator.RESHAPE
    keeps_scale = True

    def compute(self, x: Array) -> Array:
        return x.reshape(len(x), -1)

    def learn(self, slope: Array) -> Array:
        return slope.reshape(self.x.shape)

    def options(self) -> ReshapeOptions:
        return ReshapeOptions([1, int(np.prod(self.x.shape[1:]))])


class Softmax(Layer):
    """Probabilities; `learn` is the identity as the slope of cross-entropy is by its input."""

    code = BuiltinOperator.SOFTMAX
    int8_version = 2

    def compute(self, x: Array) -> Array:
        raised = np.exp(x - x.max(1, keepdims=True))
        return raised / raised.sum(1, keepdims=True)

    def learn(self, slope: Array) -> Array:
        return slope

    def options(self) -> Table:
        return SoftmaxOptions(beta=1.0)


def _margin(size: int, side: int, stride: int) -> tuple[int, int]:
    """TFLite's SAME padding before and after an axis: the odd pixel goes behind."""
    total = max((-(-size // stride) - 1) * stride + side - size, 0)
    return total // 2, total - total // 2


def patches(x: Array, side: int, stride: int) -> Array:
    """The windows of images: [n, h, w, c] to [n, rows, columns, c, side, side]."""
    margins = [_margin(size, side, stride) for size in x.shape[1:3]]
    padded = np.pad(x, [(0, 0), *margins, (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side), (1, 2))
    return windows[:, ::stride, ::stride]


def from_patches(spread: Array, shape: tuple[int, ...], stride: int) -> Array:
    """Adds windows back where `patches` took them from an array of this shape."""
    n, rows, columns, channels, side = spread.shape[:5]
    margins = [_margin(size, side, stride) for size in shape[1:3]]
    height, width = (size + sum(m) for size, m in zip(shape[1:3], margins, strict=True))
    padded = np.zeros((n, height, width, channels))
    for i, j in np.ndindex(side, side):
        down, right = i + rows * stride, j + columns * stride
        padded[:, i:down:stride, j:right:stride] += spread[..., i, j]
    top, left = margins[0][0], margins[1][0]
    return padded[:, top : top + shape[1], left : left + shape[2]]


def fit(
    network: Sequence[Layer],
    batches: Iterator[tuple[Array, Array]],
    steps: int,
    rate: float,
    limit: float = np.inf,
) -> None:
    """Trains a network by Adam, with a rate that falls to zero along a cosine.

    The loss is half the squared error, or cross-entropy behind a softmax: the slope of both
    is output - target.

    Args:
        network: The layers; their parameters are changed in place.
        batches: Inputs and targets, both with the batch as first axis.
        steps: How many batches to take.
        rate: The rate at the start.
        limit: Weights stay within +-limit. Large weights that cancel each other cost nothing
            in float, but int8 rounds each of them in steps of the largest.
    """
    moments = [[np.zeros((2, *p.shape)) for p in layer.parameters] for layer in network]
    for step in range(1, steps + 1):
        x, target = next(batches)
        slope = (run_layers(network, x)[-1] - target) / len(x)
        now = rate * 0.5 * (1 + np.cos(np.pi * step / steps))
        for layer, kept in zip(reversed(network), reversed(moments), strict=True):
            slope = layer.backward(slope)
            for k, gradient in enumerate(layer.gradients):
                kept[k][0] += 0.1 * (gradient - kept[k][0])
                kept[k][1] += 0.001 * (gradient**2 - kept[k][1])
                mean, square = kept[k][0] / (1 - 0.9**step), kept[k][1] / (1 - 0.999**step)
                layer.parameters[k] -= now * mean / (np.sqrt(square) + 1e-8)
            if layer.parameters:
                layer.parameters[0] = np.clip(layer.parameters[0], -limit, limit)


def run_layers(network: Sequence[Layer], x: Array) -> list[Array]:
    """The output of every layer for a batch, in order."""
    outputs: list[Array] = []
    for layer in network:
        outputs.append(layer.forward(outputs[-1] if outputs else x))
    return outputs


# ------------------------------------------------------------------- networks to models


@dataclass(frozen=True, slots=True)
class Affine:
    """How real values are stored as int8: real = scale * (stored - zero).

    The scale is rounded to float32 first, as that is what the file and the kernel hold.
    """

    scale: float
    zero: int

    @classmethod
    def for_range(cls, values: Array) -> Affine:
        low, high = min(values.min(), 0.0), max(values.max(), 0.0)
        scale = float(np.float32((high - low) / 255))
        return cls(scale, int(np.clip(round(-128 - low / scale), -128, 127)))

    def parameters(self) -> QuantizationParameters:
        return QuantizationParameters(scale=[self.scale], zero_point=[self.zero])


@dataclass(slots=True)
class Draft:
    """A model being put together: every constant gets a buffer, buffer 0 stays empty."""

    tensors: list[Tensor] = field(default_factory=list)
    buffers: list[Buffer] = field(default_factory=lambda: [Buffer()])
    codes: dict[tuple[BuiltinOperator, int], int] = field(default_factory=dict)
    operators: list[Operator] = field(default_factory=list)

    def tensor(
        self,
        name: str,
        shape: Sequence[int],
        dtype: TensorType,
        quantization: QuantizationParameters | None = None,
        buffer: int = 0,
    ) -> int:
        """Adds a tensor and gives its index."""
        self.tensors.append(Tensor(list(shape), dtype, buffer, name, quantization))
        return len(self.tensors) - 1

    def constant(
        self,
        name: str,
        values: NDArray[Any],
        quantization: QuantizationParameters | None = None,
    ) -> int:
        """Adds a tensor with values in its own buffer and gives its index."""
        dtype = TensorType[values.dtype.name.upper()]
        buffer = self.buffer(values.astype(values.dtype.newbyteorder("<")).tobytes())
        return self.tensor(name, values.shape, dtype, quantization, buffer)

    def buffer(self, data: bytes) -> int:
        self.buffers.append(Buffer(data))
        return len(self.buffers) - 1

    def operator(self, layer: Layer, version: int, inputs: list[int], output: int) -> None:
        """Adds an operator; equal operators share a code."""
        index = self.codes.setdefault((layer.code, version), len(self.codes))
        self.operators.append(Operator(index, inputs, [output], layer.options()))

    def model(self, description: str, ends: tuple[str, str], runtime_version: str) -> Model:
        """The model; its first tensor is the input, its last the output."""
        last = len(self.tensors) - 1
        needs = self.buffer(runtime_version.encode().ljust(16, b"\0"))
        signature = SignatureDef(
            [TensorMap(ends[0], 0)], [TensorMap(ends[1], last)], "serving_default"
        )
        # Codes below 127 stand in both fields, so that old and new readers find them.
        codes = [OperatorCode(int(code), None, version, code) for code, version in self.codes]
        return Model(
            version=3,
            operator_codes=codes,
            subgraphs=[SubGraph(self.tensors, [0], [last], self.operators, "main")],
            description=description,
            buffers=self.buffers,
            metadata=[Metadata("min_runtime_version", needs)],
            signature_defs=[signature],
        )


def float_model(
    network: Sequence[Layer], example: Array, description: str, ends: tuple[str, str]
) -> Model:
    """A float32 model of a network; `example` is a batch that gives the shapes."""
    draft = Draft()
    previous = draft.tensor(ends[0], (1, *example.shape[1:]), TensorType.FLOAT32)
    for layer, output in zip(network, run_layers(network, example), strict=True):
        inputs = [previous]
        for name, values in zip(("weights", "bias"), layer.parameters, strict=False):
            inputs.append(draft.constant(f"{layer.name}/{name}", values.astype(np.float32)))
        name = ends[1] if layer is network[-1] else layer.name
        previous = draft.tensor(name, (1, *output.shape[1:]), TensorType.FLOAT32)
        draft.operator(layer, 1, inputs, previous)
    return draft.model(description, ends, "1.5.0")


def int8_model(
    network: Sequence[Layer], examples: Array, description: str, ends: tuple[str, str]
) -> Model:
    """An int8 model of a network by post-training quantisation, as the TFLite converter does.

    Args:
        network: The trained layers.
        examples: A batch of typical inputs; it sets the range of every activation.
        description: The model's description.
        ends: Names of the input and the output.
    """
    draft = Draft()
    affine = Affine.for_range(examples)
    shape = (1, *examples.shape[1:])
    previous = draft.tensor(ends[0], shape, TensorType.INT8, affine.parameters())
    for layer, output in zip(network, run_layers(network, examples), strict=True):
        inputs = [previous, *_int8_constants(draft, layer, affine)]
        affine = _output_affine(layer, output, affine)
        name = ends[1] if layer is network[-1] else layer.name
        shape = (1, *output.shape[1:])
        previous = draft.tensor(name, shape, TensorType.INT8, affine.parameters())
        draft.operator(layer, layer.int8_version, inputs, previous)
    return draft.model(description, ends, "1.14.0")


def _output_affine(layer: Layer, output: Array, affine: Affine) -> Affine:
    if isinstance(layer, Softmax):
        return Affine(1 / 256, -128)  # the only one its kernel takes
    return affine if layer.keeps_scale else Affine.for_range(output)


def _int8_constants(draft: Draft, layer: Layer, affine: Affine) -> list[int]:
    """Adds weights in -127..127 and a bias in int32 with the scale of the products."""
    if isinstance(layer, Flatten):
        shape = np.array(layer.options().new_shape, np.int32)
        return [draft.constant(f"{layer.name}/shape", shape)]
    if not layer.parameters:
        return []
    weights, bias = layer.parameters
    others = tuple(axis for axis in range(weights.ndim) if axis != layer.channel_axis)
    axes = None if layer.channel_axis is None else others
    scales = _as_stored(np.abs(weights).max(axes, keepdims=True) / 127)
    stored = np.clip(np.rint(weights / scales), -127, 127).astype(np.int8)
    products = _as_stored(scales.ravel() * affine.scale)
    return [
        draft.constant(
            f"{layer.name}/weights",
            stored,
            _symmetric(scales.ravel(), layer.channel_axis or 0),
        ),
        draft.constant(
            f"{layer.name}/bias",
            np.rint(bias / products).astype(np.int32),
            _symmetric(products, 0),
        ),
    ]


def _as_stored(scales: Array) -> Array:
    """Scales rounded to the float32 that the file holds."""
    return scales.astype(np.float32).astype(np.float64)


def _symmetric(scales: Array, axis: int) -> QuantizationParameters:
    return QuantizationParameters(
        scale=scales.tolist(), zero_point=[0] * len(scales), quantized_dimension=axis
    )


# ------------------------------------------------------------------------- the samples


def sine_network() -> list[Layer]:
    """1-16-16-1 with ReLU, fitted to sin(x) for x in [0, 2 pi]."""
    random = np.random.default_rng(SINE_SEED)
    x = np.linspace(0, 2 * np.pi, 512)[:, np.newaxis]
    first = random.choice([-0.5, 0.5], (16, 1))
    # The kinks of the first layer start spread over the range of x.
    kinks = -first[:, 0] * np.linspace(0, 2 * np.pi, 16)
    network: list[Layer] = [
        Dense("hidden_1", [first, kinks], relu=True),
        Dense("hidden_2", [random.normal(0, 0.25, (16, 16)), np.zeros(16)], relu=True),
        Dense("output", [random.normal(0, 0.25, (1, 16)), np.zeros(1)]),
    ]
    fit(network, repeat((x, np.sin(x))), steps=12000, rate=0.01, limit=0.5)
    return network


def shapes_network() -> list[Layer]:
    """A small convolution net, trained to tell apart the pictures of `draw`."""
    random = np.random.default_rng(SHAPES_SEED)

    def he(*shape: int) -> Array:
        # A depthwise filter, [1, side, side, channels], sees one channel at a time.
        fan_in = np.prod(shape[1:3]) if shape[0] == 1 else np.prod(shape[1:])
        return random.normal(0, np.sqrt(2 / fan_in), shape)

    network: list[Layer] = [
        Convolution("edges", [he(8, 3, 3, 1), np.zeros(8)], stride=2, relu=True),
        Depthwise("corners", [he(1, 3, 3, 8), np.zeros(8)], stride=2, relu=True),
        Convolution("mix", [he(16, 1, 1, 8), np.zeros(16)], stride=1, relu=True),
        AveragePool("average"),
        Flatten("flat"),
        Dense("scores", [he(4, 16), np.zeros(4)]),
        Softmax("softmax"),
    ]
    # Softened targets keep the scores small, so that one int8 step of a score stays a small
    # step of a probability.
    targets = 0.9 * np.eye(len(SHAPES)) + 0.1 / len(SHAPES)

    def batches() -> Iterator[tuple[Array, Array]]:
        while True:
            pictures, labels = draw(random, 64)
            yield pictures, targets[labels]

    fit(network, batches(), steps=5000, rate=0.01)
    return network


def draw(random: np.random.Generator, count: int) -> tuple[Array, NDArray[np.int64]]:
    """Filled shapes of any place, size, tilt and brightness on noise.

    Returns:
        Pictures of shape [count, 16, 16, 1] with values in 0..1, and for each its index in
        `SHAPES`.
    """
    labels = random.integers(0, len(SHAPES), count)
    radius = random.uniform(4, 7, (count, 1, 1))
    middle = PICTURE_SIZE / 2 + random.uniform(-1, 1, (2, count, 1, 1)) * (8 - radius)
    tilt = random.uniform(-0.3, 0.3, (count, 1, 1))
    pixel = np.arange(PICTURE_SIZE) + 0.5
    down = (pixel[:, np.newaxis] - middle[0]) / radius
    right = (pixel - middle[1]) / radius
    u = right * np.cos(tilt) + down * np.sin(tilt)
    v = down * np.cos(tilt) - right * np.sin(tilt)
    depths = np.stack([DEPTHS[name](u, v) for name in SHAPES])
    inside = np.clip(depths[labels, np.arange(count)] * radius + 0.5, 0, 1)
    picture = inside * random.uniform(0.5, 1, (count, 1, 1))
    noisy = picture + random.normal(0, 0.05, picture.shape)
    return np.clip(noisy, 0, 1)[..., np.newaxis], labels


# How deep a point (right, down; in radii) lies inside a shape; negative outside.
DEPTHS: dict[str, Callable[[Array, Array], Array]] = {
    "circle": lambda u, v: 0.9 - np.hypot(u, v),
    "square": lambda u, v: 0.8 - np.maximum(abs(u), abs(v)),
    "triangle": lambda u, v: 0.5 - np.maximum(v, np.sqrt(0.75) * abs(u) - 0.5 * v),
    "cross": lambda u, v: np.maximum(
        np.minimum(0.3 - abs(u), 1 - abs(v)), np.minimum(0.3 - abs(v), 1 - abs(u))
    ),
}


def make_models() -> dict[str, Model]:
    """All samples by file name."""
    sine = sine_network()
    x = np.linspace(0, 2 * np.pi, 1001)[:, np.newaxis]
    shapes = shapes_network()
    pictures, _ = draw(np.random.default_rng(SHAPES_SEED), 500)
    about = "a sample of TFLM Studio"
    return {
        "sine_float.tflite": float_model(
            sine, x, f"sin(x) for x in 0 to 2 pi, float32: {about}", ("x", "sine")
        ),
        "sine_int8.tflite": int8_model(
            sine, x, f"sin(x) for x in 0 to 2 pi, int8: {about}", ("x", "sine")
        ),
        "shapes_int8.tflite": int8_model(
            shapes,
            pictures,
            f"Tells apart {', '.join(SHAPES)} in 16x16 grey pictures, int8: {about}",
            ("picture", "probabilities"),
        ),
    }


# ------------------------------------------------------------------------- measuring


def micro_outputs(data: bytes, inputs: Array) -> tuple[NDArray[Any], Array]:
    """What a model gives in tflite_micro.

    Args:
        data: The file.
        inputs: Real values of shape [count, ...]; stored as the model's input wants them.

    Returns:
        The outputs as stored, and as real values; both of shape [count, ...].
    """
    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(data, arena_size=100_000)
    entry, result = interpreter.get_input_details(0), interpreter.get_output_details(0)
    outputs = []
    for one in stored_inputs(inputs, entry):
        interpreter.set_input(one[np.newaxis], 0)
        interpreter.invoke()
        outputs.append(interpreter.get_output(0)[0])
    stored = np.stack(outputs)
    if stored.dtype == np.float32:
        return stored, stored.astype(np.float64)
    scale, zero = _scale_and_zero(result)
    return stored, (stored.astype(np.float64) - zero) * scale


def stored_inputs(inputs: Array, details: dict[str, Any]) -> NDArray[Any]:
    """Real values as an interpreter's input with these details stores them."""
    if details["dtype"] == np.float32:
        return inputs.astype(np.float32)
    scale, zero = _scale_and_zero(details)
    return np.clip(np.rint(inputs / scale) + zero, -128, 127).astype(np.int8)


def _scale_and_zero(details: dict[str, Any]) -> tuple[float, int]:
    parameters = details["quantization_parameters"]
    return float(parameters["scales"][0]), int(parameters["zero_points"][0])


def measure(folder: Path) -> dict[str, dict[str, float]]:
    """The figures of `PROMISES` for the files in a folder."""
    files = {name: (folder / name).read_bytes() for name in PROMISES}
    x = np.linspace(0, 2 * np.pi, 2001)[:, np.newaxis]
    exact = micro_outputs(files["sine_float.tflite"], x)[1]
    rounded = micro_outputs(files["sine_int8.tflite"], x)[1]
    pictures, labels = draw(np.random.default_rng(MEASURING_SEED), 2000)
    found = micro_outputs(files["shapes_int8.tflite"], pictures)[1].argmax(1)
    return {
        "sine_float.tflite": _errors("error", exact - np.sin(x)),
        "sine_int8.tflite": _errors("error", rounded - np.sin(x))
        | _errors("difference from float", rounded - exact),
        "shapes_int8.tflite": {"accuracy": float((found == labels).mean())},
    }


def _errors(name: str, error: Array) -> dict[str, float]:
    return {
        f"max {name}": float(np.abs(error).max()),
        f"RMS {name}": float(np.sqrt((error**2).mean())),
    }


def report(folder: Path) -> bool:
    """Prints size and figures of every sample; whether all promises are kept.

    Raises:
        ReadError: A sample is missing or damaged.
    """
    for name in PROMISES:
        ts.load_model_from_file(folder / name)
    kept = True
    for name, figures in measure(folder).items():
        print(f"{name}: {(folder / name).stat().st_size} bytes")
        for figure, value in figures.items():
            low, high = PROMISES[name][figure]
            good = low <= value <= high
            kept &= good
            print(f"  {figure}: {value:.4f}{'' if good else f', NOT in {low} to {high}'}")
    return kept


def main() -> int:
    parser = argparse.ArgumentParser(description="Makes the sample models.")
    parser.add_argument("--check", action="store_true", help="only measure what is there")
    if not parser.parse_args().check:
        FOLDER.mkdir(exist_ok=True)
        for name, model in make_models().items():
            ts.save_model_to_file(model, FOLDER / name)
    try:
        return 0 if report(FOLDER) else 1
    except ts.ReadError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
