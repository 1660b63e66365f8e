# SPDX-License-Identifier: Apache-2.0

import time
from typing import Any

from tests.editing.small_models import diamond, do, looping
from tests.editing.test_cleaning import long_chain
from tflm_studio.analysis.reach import reach_of
from tflm_studio.editing import offline_offsets
from tflm_studio.editing.edits import Set, WriteBytes
from tflm_studio.formats.compression_metadata import (
    Compression,
    LutTensor,
    encode_compression,
)
from tflm_studio.model.graph import buffer_users, wiring_of
from tflm_studio.schema.tables import Buffer, Metadata, Model


def texts(model: Model, *places: Any) -> list[str]:
    return [reach.text for reach in reach_of(model, places)]


def test_a_buffer_of_several_tensors_and_metadata() -> None:
    model = diamond()
    model.subgraphs[0].tensors[3].buffer = 1
    model.metadata.append(Metadata("{odd}", 1))
    model.subgraphs[0].operators[0].inputs.append(3)
    found = reach_of(model, [WriteBytes(("buffers", 1, "data"), 0, b"a")])
    assert found[0].text == (
        "Buffer 1 is that of tensor 0 t0, tensor 3 t3 and metadata '{odd}'."
    )
    assert found[0].addresses[2] == ("metadata", 1)
    assert found[1].text == "Tensor 0 t0 is read by Add 0, Add 1, Add 4 and Add 5."
    assert found[2].text == "Tensor 3 t3 is read by Add 0 and Add 3."


def test_what_only_neighbours_notice_is_not_told() -> None:
    model = diamond()
    assert texts(model, ("subgraphs", 0, "tensors", 3, "shape")) == []
    assert texts(model, ("subgraphs", 0, "operators", 3, "inputs")) == []
    assert texts(model, ("subgraphs", 0, "tensors", 2, "name")) == []
    assert texts(model, ("buffers", 2, "data"), ("description",)) == []


def test_a_tensor_of_several_operators_and_of_an_end() -> None:
    model = diamond()
    place = ("subgraphs", 0, "tensors", 2, "shape")
    assert texts(model, place) == ["Tensor 2 t2 is read by Add 1 and Add 2."]
    assert texts(model, Set(("subgraphs", 0, "tensors", 6, "type"), 9)) == [
        "Tensor 6 t6 is one of the outputs of the model.",
        "Signature 'serving_default' offers tensor 6 t6 as 'out_6'.",
    ]
    assert texts(model, ("subgraphs", 0, "inputs")) == [
        "Signature 'serving_default' names the inputs and outputs of subgraph 0."
    ]


def test_other_subgraphs_have_to_agree() -> None:
    model = looping()
    assert texts(model, ("subgraphs", 0, "tensors", 3, "shape")) == [
        "Subgraph 0, While 1 runs subgraph 1 and 2, which has to agree."
    ]
    assert texts(model, ("subgraphs", 2, "tensors", 1, "shape")) == [
        "Subgraph 2, tensor 1 is one of the inputs of subgraph 2.",
        "Subgraph 2 has to agree with subgraph 0, While 1.",
    ]


def test_plans_and_compression() -> None:
    model = diamond()
    do(model, offline_offsets.set_offsets(model, [-1, -1, -1, 64, *[-1] * 5]))
    place = ("subgraphs", 0, "tensors", 3)
    assert texts(model, (*place, "shape")) == [
        "OfflineMemoryAllocation puts tensor 3 t3 at byte 64 of the arena."
    ]
    assert texts(model, (*place, "quantization")) == []
    model = diamond()
    luts = ((LutTensor(3, 3, 4),),)
    model.metadata.append(Metadata("COMPRESSION_METADATA", 4))
    said = encode_compression(Compression(1, luts))
    model.buffers += [Buffer(data=b"table"), Buffer(data=said)]
    assert texts(model, (*place, "type")) == [
        "COMPRESSION_METADATA has tensor 3 t3 decompressed with a table."
    ]
    assert texts(model, ("buffers", 3, "data")) == [
        "COMPRESSION_METADATA takes from buffer 3 the values of tensor 3 t3."
    ]


def test_an_operator_code_of_several_operators() -> None:
    model = looping()
    found = texts(model, ("operator_codes", 0, "version"))
    assert found[0].startswith("Operator code 0 is that of 5 operators: subgraph 0, Add 0")
    assert texts(model, ("operator_codes", 3, "version")) == []


def test_senseless_places_reach_nothing() -> None:
    model = diamond()
    model.metadata.append(Metadata("OfflineMemoryAllocation", 1))
    model.metadata.append(Metadata("COMPRESSION_METADATA", 99))
    places = [
        ("subgraphs", 9, "tensors", 0),
        ("subgraphs", 0, "tensors", 99, "shape"),
        ("subgraphs", 0, "tensors", 3, "shape"),
        ("buffers", 99, "data"),
        ("operator_codes", 99),
        (),
    ]
    assert texts(model, *places) == []
    assert texts(Model(), *places) == []


def test_large_models_are_looked_at_quickly() -> None:
    model = long_chain(20_000)
    wiring, users = wiring_of(model.subgraphs[0]), buffer_users(model)
    place = ("subgraphs", 0, "tensors", 9_999, "shape")

    def seconds(places: Any, **known: Any) -> float:
        began = time.process_time()
        reach_of(model, places, **known)
        return time.process_time() - began

    known = {"wiring": lambda _: wiring, "buffer_users": lambda k: users.get(k, [])}
    assert min(seconds([place], **known) for _ in range(3)) < 0.02
    assert min(seconds([place]) for _ in range(3)) < 0.1
    assert min(seconds([("buffers", 0, "data")], **known) for _ in range(3)) < 0.1
