# SPDX-License-Identifier: Apache-2.0
"""A small model for tests of operations: x -> FULLY_CONNECTED -> y -> RELU -> z."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

import tflm_studio as ts
from tflm_studio.editing.proposal import Proposal
from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.schema.enums import BuiltinOperator
from tflm_studio.schema.tables import (
    Buffer,
    FullyConnectedOptions,
    Model,
    Operator,
    OperatorCode,
    SignatureDef,
    SubGraph,
    Tensor,
    TensorMap,
)

X, W, B, Y, Z = range(5)
WEIGHTS = np.arange(12, dtype="<f4").tobytes()
BIAS = np.ones(3, "<f4").tobytes()


def code_of(builtin: BuiltinOperator) -> OperatorCode:
    return OperatorCode(min(builtin, 127), builtin_code=builtin)


def dense_model() -> Model:
    return Model(
        version=3,
        operator_codes=[
            code_of(BuiltinOperator.FULLY_CONNECTED),
            code_of(BuiltinOperator.RELU),
        ],
        buffers=[Buffer(), Buffer(data=WEIGHTS), Buffer(data=BIAS), Buffer()],
        subgraphs=[
            SubGraph(
                tensors=[
                    Tensor(shape=[1, 4], name="x:0", shape_signature=[-1, 4]),
                    Tensor(shape=[3, 4], name="w", buffer=1),
                    Tensor(shape=[3], name="b", buffer=2),
                    Tensor(shape=[1, 3], name="y", buffer=3),
                    Tensor(shape=[1, 3], name="z"),
                ],
                inputs=[X],
                outputs=[Z],
                operators=[
                    Operator(0, [X, W, B], [Y], builtin_options=FullyConnectedOptions()),
                    Operator(1, [Y], [Z]),
                ],
            )
        ],
        signature_defs=[
            SignatureDef([TensorMap("x", X)], [TensorMap("z", Z)], "serve", subgraph_index=0)
        ],
    )


def done(model: Model, proposal: Proposal) -> Model:
    """The model after a proposal, which is checked to look only and to be undone whole."""
    document = ts.Document(model)
    before = lay_out(model).tobytes()
    document.do(proposal)
    after = lay_out(model).tobytes()
    if document.history.steps:
        assert proposal.label
        document.undo()
        assert lay_out(model).tobytes() == before
        document.redo()
        assert lay_out(model).tobytes() == after
    return model


@contextmanager
def refused(model: Model, reason: str) -> Iterator[None]:
    """Something is refused with one sentence, and the model stays as it was."""
    before = lay_out(model).tobytes()
    with pytest.raises(ts.EditError, match=reason) as caught:
        yield
    assert str(caught.value).endswith(".")
    assert lay_out(model).tobytes() == before
