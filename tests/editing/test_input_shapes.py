# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest

import tflm_studio as ts
from tests.conftest import every, readable_models
from tests.editing.tensor_models import W, X, Y, Z, code_of, dense_model, done, refused
from tflm_studio.editing.input_shapes import set_batch, set_input_shape
from tflm_studio.editing.restated_shapes import carried_shape
from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.model.errors import EditError
from tflm_studio.schema.enums import BuiltinOperator, Padding, TensorType
from tflm_studio.schema.tables import (
    Buffer,
    Conv2DOptions,
    Model,
    Operator,
    ReshapeOptions,
    SliceOptions,
    StridedSliceOptions,
    SubGraph,
    SVDFOptions,
    Tensor,
    TransposeConvOptions,
)

log = logging.getLogger(__name__)
WORKER = Path(__file__).with_name("batch_worker.py")


def shapes(model: Model) -> list[list[int] | None]:
    return [tensor.shape for tensor in model.subgraphs[0].tensors]


class Chain:
    """A model of operators that each read the output of the one before."""

    def __init__(self, shape: list[int]) -> None:
        self.model = Model(version=3, buffers=[Buffer()], operator_codes=[])
        self.graph = SubGraph(
            tensors=[Tensor(shape=shape, name="input")], inputs=[0], outputs=[], operators=[]
        )
        self.model.subgraphs = [self.graph]
        self.last = 0

    def constant(self, values: list[int]) -> int:
        self.model.buffers.append(Buffer(data=np.array(values, "<i4").tobytes()))
        buffer = len(self.model.buffers) - 1
        shape = [len(values)]
        return self.tensor(Tensor(shape=shape, type=TensorType.INT32, buffer=buffer))

    def tensor(self, tensor: Tensor) -> int:
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def add(
        self,
        builtin: BuiltinOperator,
        shape: list[int],
        *more: int,
        options: object = None,
        first: tuple[int, ...] = (),
    ) -> int:
        self.model.operator_codes.append(code_of(builtin))
        made = self.tensor(Tensor(shape=shape, name=f"made {len(self.graph.operators)}"))
        self.graph.operators.append(
            Operator(
                len(self.model.operator_codes) - 1,
                [*first, self.last, *more],
                [made],
                builtin_options=options,
            )
        )
        self.last = made
        self.graph.outputs = [made]
        return made

    def numbers(self, tensor_index: int) -> list[int]:
        data = self.model.buffers[self.graph.tensors[tensor_index].buffer].data
        return np.frombuffer(data, "<i4").tolist()


def test_shapes_follow_and_signatures_keep_what_is_unknown() -> None:
    model = dense_model()
    model.subgraphs[0].tensors[Y].shape_signature = [-1, 3]
    made = set_batch(model, 5)
    assert made.label == "Set the batch to 5"
    done(model, made)
    assert shapes(model) == [[5, 4], [3, 4], [3], [5, 3], [5, 3]]
    tensors = model.subgraphs[0].tensors
    assert (tensors[X].shape_signature, tensors[Y].shape_signature) == ([-1, 4], [-1, 3])
    assert not set_batch(model, 5).edits


def test_a_fixed_signature_follows() -> None:
    model = dense_model()
    model.subgraphs[0].tensors[X].shape_signature = [1, 4]
    done(model, set_batch(model, 2))
    assert model.subgraphs[0].tensors[X].shape_signature == [2, 4]


def test_a_reshape_is_told_the_new_batch() -> None:
    chain = Chain([1, 2, 3])
    stated = chain.constant([1, 6])
    chain.add(BuiltinOperator.RESHAPE, [1, 6], stated, options=ReshapeOptions([1, 6]))
    done(chain.model, made := set_batch(chain.model, 2))
    assert made.notes == ("Reshape 0: its shape 1x6 becomes 2x6.",)
    assert chain.numbers(stated) == [2, 6]
    operator = chain.graph.operators[0]
    assert operator.builtin_options.new_shape == [2, 6]
    assert chain.graph.tensors[chain.last].shape == [2, 6]


def test_a_minus_one_stays_if_it_comes_out_right() -> None:
    chain = Chain([1, 2, 3])
    free, fixed = chain.constant([-1, 6]), chain.constant([1, -1])
    chain.add(BuiltinOperator.RESHAPE, [1, 6], free)
    chain.add(BuiltinOperator.RESHAPE, [1, 6], fixed)
    done(chain.model, set_batch(chain.model, 4))
    assert (chain.numbers(free), chain.numbers(fixed)) == ([-1, 6], [4, -1])
    assert chain.graph.tensors[chain.last].shape == [4, 6]


def test_what_others_use_is_copied() -> None:
    chain = Chain([1, 2, 3])
    stated = chain.constant([1, 6])
    shared = chain.tensor(Tensor(shape=[2], type=TensorType.INT32, buffer=1, name="s"))
    chain.add(BuiltinOperator.RESHAPE, [1, 6], stated)
    other = Tensor(shape=[1, 6], name="other")
    chain.graph.operators.append(Operator(0, [chain.tensor(other), shared], []))
    done(chain.model, set_batch(chain.model, 2))
    # The tensor is used once, its buffer twice.
    assert (chain.numbers(stated), chain.numbers(shared)) == ([2, 6], [1, 6])
    chain.graph.operators[1].inputs[1] = stated
    done(chain.model, set_batch(chain.model, 3))
    assert chain.numbers(stated) == [2, 6]
    assert chain.numbers(chain.graph.operators[0].inputs[1]) == [3, 6]


def test_thousands_of_reshapes_take_no_time_squared() -> None:
    many = 3_000
    tensors = [Tensor(shape=[1, 4], name=f"t{k}") for k in range(many + 1)]
    tensors += [
        Tensor(shape=[2], type=TensorType.INT32, buffer=k + 1, name=f"s{k}")
        for k in range(many)
    ]
    steps = [Operator(0, [k, many + 1 + k], [k + 1]) for k in range(many)]
    stated = np.array([1, 4], "<i4").tobytes()
    model = Model(
        operator_codes=[code_of(BuiltinOperator.RESHAPE)],
        buffers=[Buffer(), *(Buffer(data=stated) for _ in range(many))],
        subgraphs=[SubGraph(tensors, [0], [many], steps)],
    )
    start = perf_counter()
    done(model, set_batch(model, 3))
    assert perf_counter() - start < 5  # quadratic time takes much longer
    assert tensors[many].shape == [3, 4]


def test_slices_and_pictures_follow() -> None:
    chain = Chain([1, 8, 8, 2])
    weights = chain.tensor(Tensor(shape=[2, 3, 3, 2]))
    made = chain.constant([1, 16, 16, 2])
    options = TransposeConvOptions(Padding.SAME, 2, 2)
    chain.add(
        BuiltinOperator.TRANSPOSE_CONV, [1, 16, 16, 2], options=options, first=(made, weights)
    )
    begin, size = chain.constant([0, 2, 0, 0]), chain.constant([1, 14, 5, 2])
    chain.add(BuiltinOperator.SLICE, [1, 14, 5, 2], begin, size, options=SliceOptions())
    ends = chain.constant([1, 14, 3, 2])
    zeros, ones = chain.constant([0] * 4), chain.constant([1] * 4)
    chain.add(
        BuiltinOperator.STRIDED_SLICE,
        [1, 14, 3, 2],
        *(zeros, ends, ones),
        options=StridedSliceOptions(),
    )
    wide = chain.constant([1, 14, 3, 2])
    chain.add(BuiltinOperator.BROADCAST_TO, [1, 14, 3, 2], wide)
    done(chain.model, set_input_shape(chain.model, 0, 0, [2, 9, 8, 2]))
    assert chain.numbers(made) == [2, 18, 16, 2]
    assert chain.numbers(size) == [2, 16, 5, 2]
    assert chain.numbers(ends) == [2, 16, 3, 2]
    assert chain.numbers(wide) == [2, 16, 3, 2]
    assert chain.graph.tensors[chain.last].shape == [2, 16, 3, 2]


def test_states_have_the_batch() -> None:
    chain = Chain([1, 4])
    parts = [
        chain.tensor(Tensor(shape=[6, 4])),
        chain.tensor(Tensor(shape=[6, 7])),
        -1,
        chain.tensor(Tensor(shape=[1, 42], is_variable=True)),
    ]
    chain.add(BuiltinOperator.SVDF, [1, 3], *parts, options=SVDFOptions(rank=2))
    done(chain.model, set_batch(chain.model, 2))
    assert chain.graph.tensors[parts[3]].shape == [2, 42]
    assert chain.graph.tensors[chain.last].shape == [2, 3]


def test_what_has_no_rule_is_left_and_told() -> None:
    chain = Chain([1, 4])
    chain.add(BuiltinOperator.WHILE, [1, 4])
    chain.add(BuiltinOperator.RELU, [1, 4])
    done(chain.model, made := set_batch(chain.model, 2))
    assert made.notes == (
        "While 0: the shape of tensor 1 made 0 was left, because there is no rule for the "
        "shapes of While.",
    )
    assert shapes(chain.model) == [[2, 4], [1, 4], [1, 4]]


def test_a_shape_of_run_time_is_taken_to_follow() -> None:
    chain = Chain([1, 2, 3])
    chain.add(BuiltinOperator.RESHAPE, [1, 6], chain.tensor(Tensor(shape=[2])))
    done(chain.model, made := set_batch(chain.model, 2))
    assert "is taken to be 2×6" in made.notes[0]
    assert chain.graph.tensors[chain.last].shape == [2, 6]


def test_weights_that_do_not_fit() -> None:
    model = dense_model()
    with refused(model, "FullyConnected 0 cannot work on the new shape: the filter takes 4"):
        set_input_shape(model, 0, X, [1, 5])
    # Twice the channels would pass for twice the rows.
    with refused(model, "its weights take 4 values, the input 1×8 has others"):
        set_input_shape(model, 0, X, [1, 8])
    chain = Chain([1, 8, 8, 2])
    chain.add(
        BuiltinOperator.CONV_2D,
        [1, 8, 8, 5],
        chain.tensor(Tensor(shape=[5, 3, 3, 2])),
        options=Conv2DOptions(Padding.SAME, 1, 1),
    )
    with refused(chain.model, "Conv2D 0 cannot work .* takes 2 channels, the input has 3"):
        set_input_shape(chain.model, 0, 0, [1, 8, 8, 3])


def test_other_refusals() -> None:
    model = dense_model()
    with refused(model, "Tensor 3 y is no input of the subgraph"):
        set_input_shape(model, 0, Y, [1, 3])
    with refused(model, "has to be above 0"):
        set_input_shape(model, 0, X, [0, 4])
    with refused(model, "too many elements"):
        set_batch(model, 2**30)
    with refused(model, "no tensor 9"):
        set_input_shape(model, 0, 9, [1])
    with refused(model, "no subgraph 2"):
        set_input_shape(model, 2, 0, [1])
    with refused(Model(), "no subgraph 0"):
        set_batch(Model(), 2)
    model.subgraphs[0].tensors[X].shape = [4]
    with refused(model, "No input has a batch"):
        set_batch(model, 2)
    chain = Chain([1, 2**16])
    chain.add(
        BuiltinOperator.ADD, [2**15, 1, 2**16], chain.tensor(Tensor(shape=[2**14, 1, 1]))
    )
    with refused(chain.model, "Add 0 would make tensor 2 made 0 with too many elements"):
        set_batch(chain.model, 2)


def test_a_constant_that_cannot_hold_the_size() -> None:
    chain = Chain([1, 2, 3])
    stated = chain.constant([1, 6])
    chain.model.buffers[1].data = bytes([1, 6])
    chain.graph.tensors[stated].type = TensorType.INT8
    chain.add(BuiltinOperator.RESHAPE, [1, 6], stated)
    with refused(chain.model, "128 does not fit int8"):
        set_batch(chain.model, 128)


def test_inputs_without_a_batch_are_left() -> None:
    model = dense_model()
    model.subgraphs[0].tensors[W].buffer = 0
    model.subgraphs[0].inputs.append(W)
    done(model, made := set_batch(model, 2))
    assert made.notes == ("Input tensor 1 w (3×4) was left.",)
    assert shapes(model)[W] == [3, 4]


def test_what_could_not_work_before_is_no_obstacle() -> None:
    model = dense_model()
    model.subgraphs[0].tensors[W].shape = [3, 5]
    done(model, made := set_batch(model, 2))
    assert "was left" in made.notes[0]
    assert shapes(model)[Z] == [1, 3]


@pytest.mark.parametrize(
    ("old", "new", "output", "wanted"),
    [
        ([1, 10, 8], [3, 10, 8], [10, 8], [30, 8]),
        ([1, 10, 8], [3, 10, 8], [1, 80], [3, 80]),
        ([1, 1, 5], [2, 1, 5], [1, 1, 5], [2, 1, 5]),
        ([1, 4, 6], [1, 8, 6], [24], [48]),
        ([2, 6], [4, 6], [2, 2, 3], [4, 2, 3]),
        ([6, 2], [6, 3], [3, 4], [3, 6]),
        ([2, 6], [2, 5], [2, 2, 3], None),
        ([2, 6], [2, 6, 1], [12], None),
        ([0, 6], [2, 6], [0], None),
        ([2, 6], [3, 6], [13], None),
    ],
)
def test_axes_go_where_they_went(
    old: list[int], new: list[int], output: list[int], wanted: list[int] | None
) -> None:
    assert carried_shape(old, new, output) == wanted


# ------------------------------------------------------------------ real models


def test_a_batch_of_two_gives_each_its_output(models_folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert")
    pairs = []
    for number, path in enumerate(every(20, readable_models(models_folder))):
        model = ts.load_model_from_file(path)
        if not _has_batch_of_one(model):
            continue
        before = lay_out(model).tobytes()
        try:
            made = set_batch(model, 2)
        except EditError:
            assert lay_out(model).tobytes() == before, path
            continue
        if any("was left, because" in note for note in made.notes):
            continue  # what stands behind keeps the old batch, and the person was told
        done(model, made)
        target = tmp_path / f"{number}.tflite"
        target.write_bytes(lay_out(model).tobytes())
        pairs.append((path, target))
    outcomes = _compared(pairs)
    log.info("%s", {path.name: said for (path, _), said in outcomes.items() if said != "same"})
    same = [said for said in outcomes.values() if said == "same"]
    log.info("%d of %d models give the same", len(same), len(pairs))
    assert len(same) > 0.75 * len(pairs)
    assert "broken" not in outcomes.values()
    # What mixes the batches gives something else, and so do senseless models.
    mixing = {path.name for (path, _), said in outcomes.items() if said == "differs"}
    assert mixing <= {"pack.bin", "single_sum.tflite", "where.bin"}


def _has_batch_of_one(model: Model) -> bool:
    graph = (model.subgraphs or [SubGraph()])[0]
    found = [graph.tensors[index].shape or [] for index in graph.inputs or []]
    return any(len(shape) > 1 for shape in found) and all(s[:1] == [1] for s in found)


def _compared(pairs: list[tuple[Path, Path]]) -> dict[tuple[Path, Path], str]:
    """What the interpreter says of each pair; it may die on one, and goes on behind it."""
    outcomes: dict[tuple[Path, Path], str] = {}
    while len(outcomes) < len(pairs):
        left = pairs[len(outcomes) :]
        command = [sys.executable, str(WORKER), *(str(path) for pair in left for path in pair)]
        done_ = subprocess.run(
            command, capture_output=True, text=True, timeout=300, check=False
        )
        said = done_.stdout.split()
        outcomes |= dict(zip(left, said, strict=False))
        if len(said) < len(left):
            outcomes[left[len(said)]] = "died"
    return outcomes
