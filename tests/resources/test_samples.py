# SPDX-License-Identifier: Apache-2.0

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from tflite_micro.python.tflite_micro import runtime

import tflm_studio as ts
from resources import make_samples
from resources.make_samples import FOLDER, PROMISES, Convolution, Depthwise
from tflm_studio.formats.flatbuffer_reader import Origin, read_flatbuffer
from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.model.comparison import differences
from tflm_studio.schema.enums import BuiltinOperator, TensorType
from tflm_studio.schema.tables import Model, SubGraph, Tensor

NAMES = list(PROMISES)
each_sample = pytest.mark.parametrize("name", NAMES)


def load(name: str) -> Model:
    return ts.load_model_from_file(FOLDER / name)


def real_inputs(name: str, count: int) -> Any:
    if name.startswith("sine"):
        return np.linspace(0, 2 * np.pi, count)[:, np.newaxis]
    return make_samples.draw(np.random.default_rng(77), count)[0]


def operators(model: Model) -> Iterator[tuple[BuiltinOperator, list[Tensor]]]:
    """Every operator of the model with its input tensors."""
    assert model.subgraphs
    assert model.operator_codes
    (graph,) = model.subgraphs
    for op in graph.operators or []:
        code = model.operator_codes[op.opcode_index].builtin_code
        yield BuiltinOperator(code), [(graph.tensors or [])[i] for i in op.inputs or []]


def scale_of(graph: SubGraph, name: str) -> float:
    """The scale of a tensor, 0 if the graph has none of this name."""
    found = [each.quantization for each in graph.tensors or [] if each.name == name]
    return found[0].scale[0] if found and found[0] and found[0].scale else 0.0


@pytest.fixture(scope="module")
def figures() -> dict[str, dict[str, float]]:
    return make_samples.measure(FOLDER)


@each_sample
def test_opens_and_saves_in_the_same_bytes(name: str, tmp_path: Path) -> None:
    data = (FOLDER / name).read_bytes()
    assert len(data) < 40_000
    ts.save_model_to_file(load(name), tmp_path / name)
    assert (tmp_path / name).read_bytes() == data
    assert lay_out(load(name)).tobytes() == data, "not written by this writer"


@each_sample
def test_buffers_are_16_byte_aligned_and_each_used_once(name: str) -> None:
    model = read_flatbuffer((FOLDER / name).read_bytes())
    assert isinstance(model.extra, Origin)
    assert model.buffers
    assert model.subgraphs
    assert model.buffers[0].data is None
    start = np.frombuffer(model.extra.data, np.uint8).ctypes.data
    for buffer in model.buffers[1:]:
        assert (np.frombuffer(buffer.data, np.uint8).ctypes.data - start) % 16 == 0
    tensors = model.subgraphs[0].tensors or []
    used = [tensor.buffer for tensor in tensors if tensor.buffer]
    used += [entry.buffer for entry in model.metadata or []]
    assert sorted(used) == list(range(1, len(model.buffers)))


@each_sample
def test_what_people_and_tools_read_is_filled_in(name: str) -> None:
    model = load(name)
    assert model.version == 3
    assert model.description
    assert model.subgraphs
    assert model.signature_defs
    assert model.metadata
    assert model.buffers
    graph = model.subgraphs[0]
    assert graph.name == "main"
    names = [tensor.name for tensor in graph.tensors or []]
    assert all(names)
    assert len(set(names)) == len(names)
    (signature,) = model.signature_defs
    assert signature.signature_key == "serving_default"
    assert [each.tensor_index for each in signature.inputs or []] == graph.inputs
    assert [each.tensor_index for each in signature.outputs or []] == graph.outputs
    (version,) = model.metadata
    assert version.name == "min_runtime_version"
    text = bytes(model.buffers[version.buffer].data or b"")
    assert len(text) == 16
    assert re.fullmatch(rb"[0-9.]+\0+", text)


@each_sample
def test_codes_stand_in_both_fields_and_once(name: str) -> None:
    codes = load(name).operator_codes or []
    assert [code.deprecated_builtin_code for code in codes] == [
        code.builtin_code for code in codes
    ]
    assert len({(code.builtin_code, code.version) for code in codes}) == len(codes)


@each_sample
def test_data_has_the_size_of_the_shape(name: str) -> None:
    model = load(name)
    assert model.subgraphs
    assert model.buffers
    sizes = {TensorType.FLOAT32: 4, TensorType.INT32: 4, TensorType.INT8: 1}
    for tensor in model.subgraphs[0].tensors or []:
        data = model.buffers[tensor.buffer].data
        if data is not None:
            expected = np.prod(tensor.shape or [1]) * sizes[TensorType(tensor.type)]
            assert len(data) == expected, tensor.name


@pytest.mark.parametrize("name", ["sine_int8.tflite", "shapes_int8.tflite"])
def test_weights_and_bias_follow_the_int8_rules(name: str) -> None:
    axes = {BuiltinOperator.CONV_2D: 0, BuiltinOperator.DEPTHWISE_CONV_2D: 3}
    model = load(name)
    for code, inputs in operators(model):
        if len(inputs) < 3:
            continue
        x, weights, bias = (each.quantization for each in inputs)
        assert x
        assert weights
        assert bias
        assert x.scale
        assert weights.scale
        assert bias.scale
        channels = (inputs[1].shape or [])[axes[code]] if code in axes else 1
        assert len(weights.scale) == len(bias.scale) == channels
        assert weights.quantized_dimension == axes.get(code, 0)
        assert not any(weights.zero_point or [1])
        assert not any(bias.zero_point or [1])
        products = np.float32(np.array(weights.scale) * x.scale[0])
        assert np.float32(bias.scale).tolist() == products.tolist()
        stored = np.frombuffer((model.buffers or [])[inputs[1].buffer].data, np.int8)
        assert stored.min() >= -127
        assert abs(stored.astype(int)).max() == 127


@each_sample
def test_the_promised_quality_is_kept(name: str, figures: dict[str, dict[str, float]]) -> None:
    assert figures[name].keys() == PROMISES[name].keys()
    for figure, value in figures[name].items():
        low, high = PROMISES[name][figure]
        assert low <= value <= high, figure


@each_sample
def test_the_page_beside_them_states_the_figures(
    name: str, figures: dict[str, dict[str, float]]
) -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    entry = re.split(r"\n(?:- `|\n)", text[text.index(f"- `{name}`") + 3 :])[0]
    for figure, value in figures[name].items():
        assert f" {value:.3f}" in entry, figure


@pytest.mark.parametrize("name", ["sine_int8.tflite", "shapes_int8.tflite"])
def test_litert_gives_the_same_within_one_step(name: str) -> None:
    """At every activation; behind the softmax, what one step of a score can change."""
    data, graph = (FOLDER / name).read_bytes(), (load(name).subgraphs or [])[0]
    micro = runtime.Interpreter.from_bytes(
        data,
        arena_size=200_000,
        intrepreter_config=runtime.InterpreterConfig.kPreserveAllTensors,
    )
    # The XNNPACK kernels round in another way, which adds up to several steps.
    kernels = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    litert = Interpreter(
        model_content=data,
        experimental_op_resolver_type=kernels,
        experimental_preserve_all_tensors=True,
    )
    litert.allocate_tensors()
    limits = {"probabilities": 1 + 0.5 * 256 * scale_of(graph, "scores")}
    for one in make_samples.stored_inputs(real_inputs(name, 300), micro.get_input_details(0)):
        micro.set_input(one[np.newaxis], 0)
        micro.invoke()
        litert.set_tensor(0, one[np.newaxis])
        litert.invoke()
        for index, tensor in enumerate(graph.tensors or []):
            if tensor.buffer == 0:
                expected = micro.GetTensor(index, 0)["tensor_data"].astype(int)
                found = litert.get_tensor(index).astype(int)
                assert abs(found - expected).max() <= limits.get(tensor.name or "", 1)


def test_the_script_still_makes_these_models(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(make_samples, "fit", lambda *_, **__: None)
    for name, model in make_samples.make_models().items():
        ts.save_model_to_file(model, tmp_path / name)
        changed = {address[-1] for address in differences(load(name), model)}
        assert changed <= {"data", "scale", "zero_point"}, name


def test_the_script_says_whether_promises_are_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["make_samples.py", "--check"])
    assert make_samples.main() == 0
    monkeypatch.setitem(PROMISES, "shapes_int8.tflite", {"accuracy": (1.0, 1.0)})
    assert make_samples.main() == 1
    assert "NOT in 1.0 to 1.0" in capfd.readouterr().out
    monkeypatch.setattr(make_samples, "FOLDER", tmp_path)
    assert make_samples.main() == 1
    assert "no such file" in capfd.readouterr().err


@pytest.mark.parametrize(("size", "side", "stride"), [(16, 3, 2), (5, 3, 1), (7, 1, 1)])
def test_patches_and_their_reverse_are_transposed(size: int, side: int, stride: int) -> None:
    random = np.random.default_rng(5)
    x = random.normal(size=(2, size, size, 3))
    windows = make_samples.patches(x, side, stride)
    spread = random.normal(size=windows.shape)
    back = make_samples.from_patches(spread, x.shape, stride)
    assert np.vdot(windows, spread) == pytest.approx(np.vdot(x, back))


@pytest.mark.parametrize("kind", [Convolution, Depthwise])
def test_convolutions_learn_along_the_slope(kind: type[Convolution]) -> None:
    random = np.random.default_rng(6)
    shape = (4, 3, 3, 4) if kind is Convolution else (1, 3, 3, 4)
    layer = kind("layer", [random.normal(size=shape), random.normal(size=4)], 2, relu=True)
    x = random.normal(size=(2, 8, 8, 4))
    slope = random.normal(size=layer.forward(x).shape)
    back = layer.backward(slope)
    for values, gradient in [(x, back), *zip(layer.parameters, layer.gradients, strict=True)]:
        nudge = random.normal(size=values.shape) * 1e-6
        before = np.vdot(layer.forward(x), slope)
        values += nudge
        after = np.vdot(layer.forward(x), slope)
        values -= nudge
        assert after - before == pytest.approx(np.vdot(gradient, nudge), rel=1e-3)
