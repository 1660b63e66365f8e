# SPDX-License-Identifier: Apache-2.0
"""Operations on tensors and buffers of models that make no sense: done, or refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import pytest

import tflm_studio as ts
from tests.editing.indexed_models import random_model
from tests.editing.random_edits import random_edit
from tflm_studio.editing import buffers, graph_ends, input_shapes, tensors
from tflm_studio.editing.proposal import Proposal
from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.model.errors import EditError
from tflm_studio.schema.tables import Model

Propose = Callable[[], Proposal]


def proposals(model: Model, random: Random) -> Iterator[Propose]:
    """One of everything, on random indices that may name nothing."""
    s, a, b = (random.choice([0, 0, 1, 2, -1]) for _ in range(3))
    b = random.choice([a + 1, 0, 5, -2])
    yield lambda: tensors.add(model, s, name="new", shape=[2], type=9, buffer=a)
    yield lambda: tensors.duplicate(model, s, [a, b])
    yield lambda: tensors.delete(model, s, [a, b], users="leave_out", remove_buffers=True)
    yield lambda: tensors.delete(model, s, [a], users=b)
    yield lambda: tensors.delete(model, s, [a])
    yield lambda: tensors.merge(model, s, a, [b])
    yield lambda: tensors.rename(model, s, {a: "one", b: "two"})
    yield lambda: tensors.rename_by_pattern(model, s, [a, b], "n", "m")
    yield lambda: tensors.make_constant(model, s, a)
    yield lambda: tensors.make_variable(model, s, a)
    yield lambda: tensors.make_activation(model, s, a)
    yield lambda: tensors.set_type(model, s, a, 9)
    yield lambda: tensors.set_quantization(model, s, a, [1.0])
    yield lambda: tensors.insert_quantize(model, s, a, type=9, scale=1.0, zero_point=0)
    yield lambda: tensors.insert_dequantize(model, s, a)
    yield lambda: graph_ends.make_input(model, s, a)
    yield lambda: graph_ends.make_output(model, s, a)
    yield lambda: graph_ends.remove_input(model, s, a)
    yield lambda: graph_ends.remove_output(model, s, a)
    yield lambda: graph_ends.set_outputs(model, s, [a, b])
    yield lambda: graph_ends.move_output(model, s, a, b)
    yield lambda: buffers.add(model, b"data")
    yield lambda: buffers.duplicate(model, a)
    yield lambda: buffers.delete(model, [a])
    yield lambda: buffers.set_data(model, a, b"abc")
    yield lambda: buffers.insert_bytes(model, b, 1, b"abc")
    yield lambda: buffers.remove_bytes(model, b, 1, 1)
    yield lambda: buffers.share(model, [(s, a), (s, b)], force=True)
    yield lambda: buffers.detach(model, s, a)
    yield lambda: buffers.share_identical(model)
    yield lambda: buffers.remove_unused(model)
    yield lambda: input_shapes.set_input_shape(model, s, a, [2, 2])
    yield lambda: input_shapes.set_batch(model, 3)


@pytest.mark.parametrize("seed", range(6))
def test_everything_on_random_models(seed: int) -> None:
    random = Random(seed)
    model = random_model(random)
    for _ in range(seed % 3 * 10):
        random_edit(model, random).apply(model)
    document = ts.Document(model)
    before = lay_out(model).tobytes()
    for propose in proposals(model, random):
        try:
            made = propose()
        except EditError as error:
            assert str(error)
            assert lay_out(model).tobytes() == before
            continue
        assert lay_out(model).tobytes() == before
        if document.do(made):
            document.undo()
        assert lay_out(model).tobytes() == before
