# SPDX-License-Identifier: Apache-2.0

import re

import pytest

import tflm_studio as ts
from tests.conftest import SAMPLES
from tflm_studio.model.address import parse_address, resolve
from tflm_studio.model.errors import EditError
from tflm_studio.model.index_references import INDEX_FIELDS, Space, references, space_of
from tflm_studio.schema.structure import Kind
from tflm_studio.schema.tables import (
    TABLES,
    BlockwiseQuantization,
    IfOptions,
    Model,
    Operator,
    QuantizationParameters,
    SignatureDef,
    StableHLOCompositeOptions,
    SubGraph,
    Tensor,
    TensorMap,
)

# What sounds like an index of an item of the model; `NO_INDEX` are those that are none.
INDEX_LIKE = re.compile(
    r"index|indices|subgraph|buffer|scales|zero_points|^inputs$|^outputs$|intermediates"
    r"|computations|^group$|^external"
)
NO_INDEX = {
    "ExternalBuffer.id",
    "Operator.debug_metadata_index",  # of an entry inside the debug metadata
    "SubGraph.debug_metadata_index",
    "Tensor.external_buffer",  # an id, compared with ExternalBuffer.id
    "StablehloGatherOptions.start_index_map",  # dimensions
    "StablehloGatherOptions.index_vector_dim",
    "StablehloScatterOptions.index_vector_dim",
    "StablehloSliceOptions.start_indices",
    "StablehloSliceOptions.limit_indices",
}


def test_every_field_of_the_schema_that_sounds_like_an_index_is_known() -> None:
    integers = ("int", "uint", "long", "ulong", "short", "ushort")
    found = {
        f"{name}.{row.name}"
        for name, table in TABLES.items()
        for row in table.FIELDS
        if row.kind in (Kind.SCALAR, Kind.SCALARS)
        and row.scalar in integers
        and INDEX_LIKE.search(row.name)
        and not row.deprecated
    }
    known = {f"{field.table.__name__}.{field.name}" for field in INDEX_FIELDS}
    # Weights of sparse tensors come as unions of vectors, and are positions in the data.
    known |= NO_INDEX
    assert {name for name in found if not name.startswith("Dimension")} <= known
    assert "CallOptions.subgraph" in known
    assert len(INDEX_FIELDS) == len({(field.table, field.name) for field in INDEX_FIELDS})


def test_references_are_found_wherever_they_are() -> None:
    model = Model(
        metadata_buffer=[3],
        signature_defs=[
            SignatureDef(inputs=[TensorMap("x", 1)], subgraph_index=1),
            SignatureDef(outputs=[TensorMap("y", 0)], subgraph_index=0),
        ],
        subgraphs=[
            SubGraph(
                tensors=[
                    Tensor(
                        quantization=QuantizationParameters(details=BlockwiseQuantization(1))
                    )
                ],
                inputs=[0],
                operators=[
                    Operator(inputs=[0, -1], builtin_options=IfOptions(1, 0)),
                    Operator(builtin_options_2=StableHLOCompositeOptions("f", 1)),
                ],
            ),
            SubGraph(outputs=[]),
        ],
    )

    def found(space: Space, index: int | None = None) -> dict[str, object]:
        return {
            ts.edits.Set(address, 0).place: value
            for address, _, value in references(model, space, index)
        }

    details = "subgraphs[0].tensors[0].quantization.details"
    assert found(Space.TENSORS, 0) == {
        "subgraphs[0].operators[0].inputs": [0, -1],
        "subgraphs[0].inputs": [0],
        "signature_defs[1].outputs[0].tensor_index": 0,
        f"{details}.scales": 1,
        f"{details}.zero_points": 0,
    }
    assert found(Space.TENSORS, 1) == {
        "signature_defs[0].inputs[0].tensor_index": 1,
        "subgraphs[1].outputs": [],
    }
    assert found(Space.SUBGRAPHS) == {
        "signature_defs[0].subgraph_index": 1,
        "signature_defs[1].subgraph_index": 0,
        "subgraphs[0].operators[0].builtin_options.then_subgraph_index": 1,
        "subgraphs[0].operators[0].builtin_options.else_subgraph_index": 0,
        "subgraphs[0].operators[1].builtin_options_2.decomposition_subgraph_index": 1,
    }
    assert found(Space.BUFFERS) == {
        "metadata_buffer": [3],
        "subgraphs[0].tensors[0].buffer": 0,
    }


def test_addresses_of_references_lead_to_their_values() -> None:
    for path in sorted(SAMPLES.glob("*.tflite")):
        model = ts.load_model_from_file(path)
        for space in Space:
            for address, _, value in references(model, space, 0):
                assert resolve(model, address) is value or resolve(model, address) == value


def test_only_lists_have_a_space() -> None:
    assert space_of(parse_address("subgraphs[2].operators")) == (Space.OPERATORS, 2)
    assert space_of(("buffers",)) == (Space.BUFFERS, None)
    for text in ("subgraphs[0]", "tensors", "description", "subgraphs[0].inputs", ""):
        with pytest.raises(EditError, match="renumbered"):
            space_of(parse_address(text))
