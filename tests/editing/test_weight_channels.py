# SPDX-License-Identifier: Apache-2.0
"""Channels in another order, or fewer: interpreters compute the same."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tflm_studio as ts
from tests.conftest import SAMPLES, every, readable_models
from tests.editing.interpreted import Job, run_jobs
from tests.editing.small_models import bytes_of, do
from tests.editing.tensor_models import code_of, refused
from tests.formats.senseless import CRAFTED
from tflm_studio.editing import weights
from tflm_studio.editing.weight_readers import LAYERS, code_number
from tflm_studio.formats.flatbuffer_reader import read_flatbuffer
from tflm_studio.model.errors import EditError
from tflm_studio.schema.enums import BuiltinOperator, TensorType
from tflm_studio.schema.tables import (
    AddOptions,
    BlockwiseQuantization,
    Buffer,
    Conv2DOptions,
    Model,
    Operator,
    PadOptions,
    QuantizationParameters,
    ReducerOptions,
    SubGraph,
    Tensor,
    TransposeConvOptions,
)

EDGES, CORNERS, MIX, SCORES = (f"subgraphs[0].tensors[{t}]" for t in (1, 4, 7, 13))
RANDOM = np.random.default_rng(11)


def shapes() -> Model:
    return ts.Document.open(str(SAMPLES / "shapes_int8.tflite")).model


def without_zeros() -> tuple[list[bytes], list[bytes]]:
    """Models with channels of zeros, and the same without those."""
    zeroed, made = [], []
    for address, bias, gone in ((EDGES, 2, [1, 6]), (MIX, 8, [0, 3, 15])):
        model = shapes()
        axis = 0
        do(model, weights.set_channels_to_zero(model, address, axis, gone))
        told = " ".join(weights.delete_channels(model, address, gone).notes)
        assert f"{len(gone)} channels are not zero" in told  # their bias is not
        do(model, weights.fill(model, f"subgraphs[0].tensors[{bias}]", 0, where=gone))
        if address == EDGES:  # what the depthwise layer makes of nothing is its bias
            do(model, weights.fill(model, "subgraphs[0].tensors[5]", 0, where=gone))
        zeroed.append(bytes_of(model))
        proposal = weights.delete_channels(model, address, gone)
        assert "not zero" not in " ".join(proposal.notes)
        do(model, proposal)
        made.append(bytes_of(model))
    return zeroed, made


def test_other_orders_and_fewer_zeros_compute_the_same_to_the_bit() -> None:
    zeroed, fewer = without_zeros()
    before, made = bytes_of(shapes()), []
    for address, count in ((EDGES, 8), (CORNERS, 8), (MIX, 16)):
        model, order = shapes(), RANDOM.permutation(count).tolist()
        old = ts.values(model, address, real=True)
        proposal = weights.permute_channels(model, address, order)
        assert any("These follow" in note for note in proposal.notes)
        do(model, proposal)
        axis = 3 if address == CORNERS else 0
        assert np.array_equal(ts.values(model, address, real=True), old.take(order, axis))
        made.append(bytes_of(model))
    engines = ("micro", "lite")
    jobs = [Job(data, 3, (), engine) for engine in engines for data in (before, *made)]
    runs = run_jobs([*jobs, *(Job(data, 5) for data in (*zeroed, *fewer))])
    outputs = [run.outputs[0] for run in runs if run is not None]
    assert len(outputs) == 12
    assert all(np.array_equal(outputs[0], each) for each in outputs[1:4])
    assert all(np.array_equal(outputs[4], each) for each in outputs[5:8])
    assert all(map(np.array_equal, outputs[8:10], outputs[10:]))
    assert not np.array_equal(outputs[8], outputs[9])


def test_shapes_scales_and_the_layers_behind_follow() -> None:
    model = shapes()
    scales = model.subgraphs[0].tensors[7].quantization.scale  # type: ignore[index,union-attr]
    do(model, weights.delete_channels(model, MIX, range(12)))
    tensors = model.subgraphs[0].tensors or []  # type: ignore[index]
    assert tensors[7].shape == [4, 1, 1, 8]
    assert tensors[7].quantization.scale == scales[12:]  # type: ignore[union-attr,index]
    assert tensors[8].shape == [4]
    assert tensors[13].shape == [4, 4]
    assert len(bytes(model.buffers[tensors[13].buffer].data)) == 16  # type: ignore[index,arg-type]


def layer(*behind: Operator, more: list[Tensor] | None = None, values: int = 4) -> Model:
    """A CONV_2D with 4 channels, tensor 1 its filter and tensor 3 its output; others behind.

    Operators of `behind` have the codes of KINDS; the last tensor is the output.
    """
    filter_data = RANDOM.normal(size=(4, 1, 1, 3)).astype("<f4")
    tensors = [
        Tensor([1, 2, 2, 3], name="x"),
        Tensor([4, 1, 1, 3], name="filter", buffer=1),
        Tensor([4], name="bias", buffer=2),
        Tensor([1, 2, 2, 4], name="y"),
        *(more or []),
    ]
    operators = [
        Operator(0, [0, 1, 2], [3], Conv2DOptions(stride_w=1, stride_h=1)),
        *behind,
    ]
    buffers = [Buffer(), Buffer(data=filter_data.tobytes()), Buffer(data=b"\1" * 16)]
    buffers += [Buffer(data=np.arange(n, dtype="<i4").tobytes()) for n in (4, 8, 1, 2)]
    graph = SubGraph(tensors, [0], [len(tensors) - 1], operators)
    codes = [code_of(kind) for kind in KINDS]
    return Model(version=3, operator_codes=codes, subgraphs=[graph], buffers=buffers)


_B = BuiltinOperator
CONV, SOFTMAX, ADD, PAD, MEAN, TRANSPOSED, CONCAT = range(7)
KINDS = [_B.CONV_2D, _B.SOFTMAX, _B.ADD, _B.PAD, _B.MEAN, _B.TRANSPOSE_CONV, _B.CONCATENATION]
Y, Z = [1, 2, 2, 4], Tensor([1, 2, 2, 4], name="z")
FILTER = "subgraphs[0].tensors[1]"


def whole(shape: list[int], buffer: int) -> Tensor:
    return Tensor(shape, TensorType.INT32, buffer, f"constant {buffer}")


BLOCKED: list[tuple[str, Callable[[], Model]]] = [
    ("reach tensor 3 y, an output", lambda: layer()),
    ("Softmax 1: it does not treat", lambda: layer(Operator(SOFTMAX, [3], [4]), more=[Z])),
    (
        "Add 1: another branch meets them|reach tensor 5 z, an output|no name is not made",
        lambda: layer(Operator(ADD, [3, 4], [5], AddOptions()), more=[Tensor(Y), Z]),
    ),
    (
        "Add 1: another branch meets them there, with other many",
        lambda: layer(Operator(ADD, [3, 0], [4], AddOptions()), more=[Z]),
    ),
    (
        "Pad 1: it adds channels",
        lambda: layer(Operator(PAD, [3, 4], [5], PadOptions()), more=[whole([4, 2], 4), Z]),
    ),
    (
        "Mean 1: it sums over the channels",
        lambda: layer(
            Operator(MEAN, [3, 4], [5], ReducerOptions(keep_dims=True)),
            more=[whole([4], 3), Tensor([1, 1, 1, 1])],
        ),
    ),
    ("Concatenation 1: it does", lambda: layer(Operator(CONCAT, [3, 3], [4]), more=[Z])),
    ("Conv2D 1 reads tensor 1 filter|several layers", lambda: _twice()),
    ("Conv2D 1: it names a tensor", lambda: layer(Operator(CONV, [3, 77], [4]), more=[Z])),
    (
        "Conv2D 1: it takes them as w|no act",
        lambda: layer(Operator(CONV, [0, 3], [4]), more=[Z]),
    ),
]


def _twice() -> Model:
    return layer(Operator(CONV, [3, 1], [4], Conv2DOptions()), more=[Z])


@pytest.mark.parametrize(("reason", "make"), BLOCKED)
def test_what_stands_in_the_way_is_named(reason: str, make: Callable[[], Model]) -> None:
    model = make()
    with refused(model, reason):
        weights.permute_channels(model, FILTER, [1, 0, 2, 3])
    with refused(model, reason):
        weights.delete_channels(model, FILTER, [1])


def test_pads_means_and_constants_let_channels_pass() -> None:
    """CONV_2D -> ADD of a constant -> MEAN over places -> CONV_2D of 1 channel."""
    more = [
        Tensor([4], name="each", buffer=2),
        Tensor(Y, name="sum"),
        whole([2], 6),
        Tensor([1, 1, 1, 4], name="mean"),
        Tensor([2, 1, 1, 4], TensorType.INT8, 4, name="weights"),
        Tensor([1, 1, 1, 2], name="out"),
    ]
    model = layer(
        Operator(ADD, [3, 4], [5], AddOptions()),
        Operator(MEAN, [5, 6], [7], ReducerOptions(keep_dims=True)),
        Operator(CONV, [7, 8], [9], Conv2DOptions()),
        more=more,
    )
    model.buffers[6] = Buffer(data=np.array([1, 2], "<i4").tobytes())  # type: ignore[index]
    model.buffers[4] = Buffer(data=bytes(range(8)))  # type: ignore[index]
    each = np.arange(4, dtype="<f4")
    model.buffers.append(Buffer(data=each.tobytes()))  # type: ignore[union-attr]
    model.subgraphs[0].tensors[4].buffer = 7  # type: ignore[index]
    do(model, weights.permute_channels(model, FILTER, [3, 0, 1, 2]))
    assert ts.values(model, "subgraphs[0].tensors[4]").tolist() == [3, 0, 1, 2]
    taken = ts.values(model, "subgraphs[0].tensors[8]").reshape(2, 4)
    assert taken.tolist() == [[3, 0, 1, 2], [7, 4, 5, 6]]
    do(model, weights.delete_channels(model, FILTER, [0, 2]))
    assert ts.values(model, "subgraphs[0].tensors[4]").tolist() == [0, 2]
    shapes_now = [t.shape for t in model.subgraphs[0].tensors or []]  # type: ignore[index]
    assert shapes_now[3:] == [[1, 2, 2, 2], [2], [1, 2, 2, 2], [2], [1, 1, 1, 2], [2, 1, 1, 2],
                              [1, 1, 1, 2]]  # fmt: skip


def test_channels_that_meet_themselves_pass() -> None:
    """y + y: what is read twice has the same order twice."""
    model = residual()
    model.subgraphs[0].operators[2].inputs = [3, 3]  # type: ignore[index]
    third = ts.values(model, "subgraphs[0].tensors[7]")
    do(model, weights.permute_channels(model, FILTER, [2, 0, 3, 1]))
    now = ts.values(model, "subgraphs[0].tensors[7]")
    assert np.array_equal(now, third.take([2, 0, 3, 1], 3))


def residual() -> Model:
    """CONV_2D, whose output is added to what a second one makes of it, and a third behind."""
    more = [
        Tensor([4, 1, 1, 4], name="second", buffer=7),
        Tensor(Y, name="branch"),
        Tensor(Y, name="sum"),
        Tensor([2, 1, 1, 4], name="third", buffer=8),
        Tensor([4], name="bias 2", buffer=9),
        Tensor([2], name="bias 3", buffer=10),
        Tensor([1, 2, 2, 2], name="out"),
    ]
    model = layer(
        Operator(CONV, [3, 4, 8], [5], Conv2DOptions(stride_w=1, stride_h=1)),
        Operator(ADD, [5, 3], [6], AddOptions()),
        Operator(CONV, [6, 7, 9], [10], Conv2DOptions(stride_w=1, stride_h=1)),
        more=more,
    )
    model.buffers += [  # type: ignore[operator]
        Buffer(data=RANDOM.normal(size=count).astype("<f4").tobytes())
        for count in (16, 8, 4, 2)
    ]
    return model


def test_both_branches_that_meet_follow() -> None:
    order, model = [2, 0, 3, 1], residual()
    second, third = (f"subgraphs[0].tensors[{t}]" for t in (4, 7))
    old = {each: ts.values(model, each) for each in (FILTER, second, third)}
    jobs = [Job(bytes_of(model), 3, (), "lite")]
    for start in (FILTER, second):  # from either branch
        changed = read_flatbuffer(bytes_of(model), "copy")
        do(changed, weights.permute_channels(changed, start, order))
        now = {each: ts.values(changed, each) for each in old}
        assert np.array_equal(now[FILTER], old[FILTER].take(order, 0))
        assert np.array_equal(now[second], old[second].take(order, 0).take(order, 3))
        assert np.array_equal(now[third], old[third].take(order, 3))
        jobs.append(Job(bytes_of(changed), 3, (), "lite"))
    outputs = [run.outputs[0] for run in run_jobs(jobs) if run is not None]
    assert len(outputs) == 3
    for each in outputs[1:]:  # sums of floats in another order
        np.testing.assert_allclose(each, outputs[0], rtol=1e-5, atol=1e-6)
    with refused(
        model, "Add 2: another branch meets them there, whose channels would be lost"
    ):
        weights.delete_channels(model, FILTER, [1])


def test_real_networks_with_branches_compute_the_same_to_the_bit(models_folder: Path) -> None:
    names = ("pretrainedResnet_quant.tflite", "mnist_resnet_q.tflite")
    paths = [path for path in readable_models(models_folder) if path.name in names]
    assert len(paths) >= 2
    jobs = []
    for path in paths:
        model = ts.load_model_from_file(path)
        jobs.append(Job(bytes_of(model), 3, (), "lite"))
        for number in (1, 2):
            operator = model.subgraphs[0].operators[number]  # type: ignore[index]
            address = f"subgraphs[0].tensors[{operator.inputs[1]}]"
            count = len(ts.values(model, address))
            order = RANDOM.permutation(count).tolist()
            try:
                proposal = weights.permute_channels(model, address, order)
            except EditError:
                continue
            assert "Add" in " ".join(proposal.notes) or number == 1
            do(model, proposal)
        jobs.append(Job(bytes_of(model), 3, (), "lite"))
    runs = run_jobs(jobs)
    for before, after in zip(runs[::2], runs[1::2], strict=True):
        assert before is not None
        assert after is not None
        assert all(map(np.array_equal, before.outputs, after.outputs))


def test_a_transposed_layer_states_its_shape_anew() -> None:
    model = layer(Operator(CONV, [3, 4], [5], Conv2DOptions()), more=[
        Tensor([1, 1, 1, 4], TensorType.INT8, 3, "weights"), Tensor([1, 2, 2, 1], name="out"),
        whole([4], 4),
    ])  # fmt: skip
    graph = model.subgraphs[0]  # type: ignore[index]
    graph.outputs = [5]
    model.buffers[3] = Buffer(data=bytes([9, 8, 7, 6]))  # type: ignore[index]
    model.buffers[4] = Buffer(data=np.array([1, 2, 2, 4], "<i4").tobytes())  # type: ignore[index]
    first = Operator(TRANSPOSED, [6, 1, 0, 2], [3], TransposeConvOptions())
    graph.operators[0] = first  # type: ignore[index]
    do(model, weights.delete_channels(model, FILTER, [3, 0]))
    assert ts.values(model, "subgraphs[0].tensors[6]").tolist() == [1, 2, 2, 2]
    assert ts.values(model, "subgraphs[0].tensors[4]").reshape(-1).tolist() == [8, 7]


def test_orders_and_channels_that_are_none_are_refused() -> None:
    model = shapes()
    cases = [
        ("each of the 8 channels", lambda: weights.permute_channels(model, EDGES, [0, 1])),
        ("each of the 8 channels", lambda: weights.permute_channels(model, EDGES, [0] * 8)),
        ("no channel 8", lambda: weights.delete_channels(model, EDGES, [8])),
        ("No channel", lambda: weights.delete_channels(model, EDGES, [])),
        ("cannot all be", lambda: weights.delete_channels(model, EDGES, range(8))),
        (
            "filter of no",
            lambda: weights.delete_channels(model, "subgraphs[0].tensors[2]", [0]),
        ),
        ("output of the|does not treat", lambda: weights.delete_channels(model, SCORES, [0])),
    ]
    for reason, make in cases:
        with refused(model, reason):
            make()
    assert weights.permute_channels(model, EDGES, range(8)).edits == ()


OPERATIONS: list[Callable[[Model, str], Any]] = [
    lambda m, a: weights.scale(m, a, 0.5),
    lambda m, a: weights.prune_percent(m, a, 50),
    lambda m, a: weights.cluster(m, a, 2),
    lambda m, a: weights.formula(m, a, "x + scale"),
    lambda m, a: weights.set_channels_to_zero(m, a, 0, [0]),
    lambda m, a: weights.quantise(m, a, bias=True),
    lambda m, a: weights.requantise(m, a, 0.5, bias=True),
    weights.dequantise,
    weights.to_float16,
    lambda m, a: weights.permute_channels(m, a, [1, 0]),
    lambda m, a: weights.delete_channels(m, a, [0]),
]


@pytest.mark.parametrize("name", every(3, sorted(CRAFTED)))
def test_senseless_models_are_changed_or_refused(name: str) -> None:
    model = CRAFTED[name]()
    places = [
        f"subgraphs[{s}].tensors[{t}]"
        for s, subgraph in enumerate(model.subgraphs or [])
        for t in range(min(len(subgraph.tensors or []), 6))
    ]
    for address in [*places[:12], "buffers[0]", "buffers[1]", "subgraphs[7].tensors[0]"]:
        for operation in OPERATIONS:
            try:
                proposal = operation(model, address)
            except EditError as error:
                assert str(error).endswith(".")
            else:
                ts.Document(model).do(proposal)


def test_real_models_compute_the_same(models_folder: Path) -> None:
    """The first layer of each small integer model, in reverse order."""
    jobs: list[Job] = []
    for path in every(20, readable_models(models_folder)):
        model = ts.Document.open(str(path)).model
        subgraph = next(iter(model.subgraphs or []), SubGraph())
        if path.stat().st_size > 300_000 or any(t.type == 0 for t in subgraph.tensors or []):
            continue
        before = bytes_of(model)
        for operator in subgraph.operators or []:
            if code_number(model, operator) in LAYERS and len(operator.inputs or []) > 1:
                address = f"subgraphs[0].tensors[{(operator.inputs or [])[1]}]"
                proposal = _reversed(model, address)
                if proposal is not None:
                    do(model, proposal)
                    jobs += [Job(before), Job(bytes_of(model))]
                    break
    runs = run_jobs(jobs)
    pairs = [(a, b) for a, b in zip(runs[::2], runs[1::2], strict=True) if a is not None]
    assert pairs
    for first, second in pairs:
        assert second is not None
        assert all(map(np.array_equal, first.outputs, second.outputs))


def _reversed(model: Model, address: str) -> ts.Proposal | None:
    try:
        for count in (ts.values(model, address).shape[k] for k in (0, 3, 1)):
            try:
                return weights.permute_channels(model, address, range(count)[::-1])
            except EditError:
                continue
    except (EditError, IndexError):
        pass
    return None


def test_scales_of_blocks_cannot_follow() -> None:
    model = shapes()
    tensors: Any = model.subgraphs[0].tensors  # type: ignore[index]
    tensor, scales = tensors[7], np.ones(16, "<f4").tobytes()
    tensors.append(Tensor([16], buffer=len(model.buffers or [])))
    model.buffers += [Buffer(data=scales)]  # type: ignore[operator]
    details = BlockwiseQuantization(
        scales=len(tensors) - 1, zero_points=-1, block_size=tensor.shape[-1]
    )
    tensor.quantization = QuantizationParameters(details=details)
    with pytest.raises(EditError, match="has scales in another tensor"):
        weights.permute_channels(model, MIX, range(15, -1, -1))
