# SPDX-License-Identifier: Apache-2.0
"""What becomes of metadata that holds indices."""

import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tflm_studio as ts
from tests.conftest import ROOT, SAMPLES
from tests.editing.indexed_models import COMPRESSED, DEPENDENCIES, PLAN, metadata_bytes
from tflm_studio.analysis.lifetimes import find_lifetimes, flow_of
from tflm_studio.editing.document import Document
from tflm_studio.editing.proposal import Proposal
from tflm_studio.editing.renumbering import (
    insert_items,
    move_item,
    remove_items,
)
from tflm_studio.formats.compression_metadata import (
    Compression,
    LutTensor,
    encode_compression,
    parse_compression,
)
from tflm_studio.formats.control_dependencies import (
    encode_control_dependencies,
    parse_control_dependencies,
)
from tflm_studio.formats.model_file import encode
from tflm_studio.schema.enums import TensorType
from tflm_studio.schema.tables import (
    Buffer,
    IfOptions,
    Metadata,
    Model,
    Operator,
    OperatorCode,
    SubGraph,
    Tensor,
)

TENSORS, OPERATORS = "subgraphs[0].tensors", "subgraphs[0].operators"
WORKER = ROOT / "tests" / "formats" / "micro_worker.py"
BYTES = 64  # of every tensor of `two_branches`


def plan_bytes(*offsets: int, subgraphs: int = 1) -> bytes:
    return struct.pack(f"<{3 + len(offsets)}i", 1, subgraphs, len(offsets), *offsets)


def plan_of(model: Model) -> list[int] | None:
    data = metadata_bytes(model, PLAN)
    return None if data is None else list(struct.unpack(f"<{len(data) // 4}i", data)[3:])


def with_metadata(model: Model, name: str, data: bytes) -> Model:
    model.buffers = [*(model.buffers or []), Buffer(data=data)]
    model.metadata = [*(model.metadata or []), Metadata(name, len(model.buffers) - 1)]
    return model


def two_branches() -> Model:
    """y = abs(neg(x)) + exp(x): a = neg(x), b = abs(a), c = exp(x), y = b + c."""
    codes = [59, 101, 47, 0]  # NEG, ABS, EXP, ADD
    tensors = [Tensor(name=name, shape=[16], buffer=0) for name in "xabcy"]
    wires = [([0], [1]), ([1], [2]), ([0], [3]), ([2, 3], [4])]
    return Model(
        version=3,
        buffers=[Buffer()],
        operator_codes=[OperatorCode(code, builtin_code=code) for code in codes],
        subgraphs=[
            SubGraph(
                tensors=tensors,
                inputs=[0],
                outputs=[4],
                operators=[
                    Operator(k, inputs=inputs, outputs=outputs)
                    for k, (inputs, outputs) in enumerate(wires)
                ],
            )
        ],
    )


# a and c take turns at one place.
SOUND_PLAN = (0, BYTES, 2 * BYTES, BYTES, 3 * BYTES)


def planned() -> Model:
    return with_metadata(two_branches(), PLAN, plan_bytes(*SOUND_PLAN))


def done(model: Model, made: Proposal) -> tuple[str, ...]:
    Document(model).do(made.edits)
    return made.notes


# ------------------------------------------------------------------ OfflineMemoryAllocation


def test_a_plan_follows_tensors() -> None:
    model = planned()
    notes = done(model, insert_items(model, TENSORS, 1, [Tensor(name="new")]))
    assert plan_of(model) == [0, -1, 64, 128, 64, 192]
    assert notes == (f"{PLAN}: the new tensors are planned online.",)
    notes = done(model, move_item(model, TENSORS, 5, 0))
    assert plan_of(model) == [192, 0, -1, 64, 128, 64]
    assert notes == (f"{PLAN}: indices renumbered.",)
    notes = done(model, remove_items(model, TENSORS, [3], replacement=2))
    assert plan_of(model) == [192, 0, -1, 128, 64]
    assert notes == (f"{PLAN}: offset of tensor 3 removed.",)


def test_a_plan_gives_up_what_another_order_makes_clash() -> None:
    model = planned()
    notes = done(model, move_item(model, OPERATORS, 2, 0))
    assert plan_of(model) == [0, -1, 128, 64, 192]
    assert notes == (
        f"{PLAN}: offset of tensor 1 removed: it would be in use at the same time as "
        "tensor 3, at the same place.",
    )


def test_one_tensor_gives_up_rather_than_many() -> None:
    count = 12
    chain = SubGraph(
        tensors=[Tensor(shape=[16]) for _ in range(count + 1)],
        operators=[Operator(inputs=[k], outputs=[k + 1]) for k in range(count)],
        inputs=[0],
        outputs=[count],
    )
    model = Model(buffers=[Buffer()], operator_codes=[OperatorCode()], subgraphs=[chain])
    offsets = [BYTES * (k % 4) for k in range(count + 1)]
    with_metadata(model, PLAN, plan_bytes(*offsets))
    done(model, move_item(model, OPERATORS, 1, count - 1))
    assert plan_of(model) == [0, -1, -1, *offsets[3:]]


def test_a_plan_that_still_fits_is_left_alone() -> None:
    model = with_metadata(two_branches(), PLAN, plan_bytes(0, 64, 128, 256, 192))
    made = move_item(model, OPERATORS, 2, 0)
    assert (len(made.edits), made.notes) == (1, ())


def test_a_new_user_makes_a_tensor_live_longer() -> None:
    model = planned()
    # What c was used for uses a, which now lies where nobody else may be.
    notes = done(model, remove_items(model, TENSORS, [3], replacement=1))
    assert plan_of(model) == [0, 64, 128, 192]
    model = with_metadata(two_branches(), PLAN, plan_bytes(0, 64, 128, 192, 64))
    notes = done(model, remove_items(model, TENSORS, [3], replacement=1))
    assert plan_of(model) == [0, 64, 128, -1]
    assert "tensor 4 removed: it would be in use at the same time as tensor 1" in notes[0]


def test_memory_that_is_shared_on_purpose_is_not_torn_apart() -> None:
    """As Vela plans: everything lies in one scratch tensor."""
    model = with_metadata(two_branches(), PLAN, plan_bytes(0, 0, 0, 0, 0))
    made = move_item(model, OPERATORS, 2, 0)
    assert made.notes
    assert "share memory on purpose" in made.notes[0]
    done(model, made)
    assert plan_of(model) is None
    assert (model.metadata, (model.buffers or [])[1].data) == ([], None)


def test_a_plan_goes_through_the_subgraphs_one_by_one() -> None:
    main = SubGraph(
        tensors=[Tensor(shape=[4], type=TensorType.FLOAT32) for _ in range(2)],
        inputs=[0],
        outputs=[1],
        operators=[Operator(inputs=[0], outputs=[1], builtin_options=IfOptions(1, 1))],
    )
    called = SubGraph(tensors=[Tensor(shape=[4])], inputs=[0], outputs=[0])
    model = Model(
        buffers=[Buffer()],
        operator_codes=[OperatorCode(118, builtin_code=118)],
        subgraphs=[main, called],
    )
    with_metadata(model, PLAN, plan_bytes(0, 16, 32, subgraphs=2))
    flows = [flow_of(model, subgraph) for subgraph in model.subgraphs or []]
    found = find_lifetimes(flows)
    assert found is not None
    # Step 1 is the operator, 2 and 3 are the two calls.
    assert (found.first.tolist(), found.last.tolist()) == ([0, 1, 2], [3, 3, 3])
    done(model, insert_items(model, "subgraphs[0].tensors", 2, [Tensor()]))
    assert plan_of(model) == [0, 16, -1, 32]
    new = SubGraph(tensors=[Tensor(), Tensor()])
    notes = done(model, insert_items(model, "subgraphs", 1, [new]))
    assert plan_of(model) == [0, 16, -1, -1, -1, 32]
    assert metadata_bytes(model, PLAN)[4:8] == b"\3\0\0\0"  # type: ignore[index]
    assert notes == (f"{PLAN}: the new subgraphs are planned online.",)
    done(model, remove_items(model, "subgraphs", [1]))
    assert plan_of(model) == [0, 16, -1, 32]


def test_subgraphs_that_call_themselves_have_no_plan() -> None:
    model = planned()
    model.operator_codes = [OperatorCode(118, builtin_code=118)]
    (model.subgraphs or [])[0].operators = [
        Operator(inputs=[0], outputs=[1], builtin_options=IfOptions(0, 0)),
        Operator(inputs=[0], outputs=[1]),
    ]
    notes = done(model, move_item(model, OPERATORS, 0, 1))
    assert notes[0].startswith(f"{PLAN} was dropped: subgraphs call each other")


# ------------------------------------------------------------------ control dependencies


def test_dependencies_follow_operators() -> None:
    edges = [[(0, 1), (1, 2), (1, 3)]]
    model = with_metadata(two_branches(), DEPENDENCIES, encode_control_dependencies(edges))

    def now() -> Any:
        data = metadata_bytes(model, DEPENDENCIES)
        return None if data is None else parse_control_dependencies(data)

    assert done(
        model, insert_items(model, OPERATORS, 1, [Operator(inputs=[], outputs=[])])
    ) == (f"{DEPENDENCIES}: indices renumbered.",)
    assert now() == [[(0, 2), (2, 3), (2, 4)]]
    notes = done(model, move_item(model, OPERATORS, 4, 1))
    assert now() == [[(0, 3), (3, 4)]]
    assert notes == (
        f"{DEPENDENCIES}: operator 2 before 4 removed: the new order is against it.",
    )
    notes = done(model, remove_items(model, OPERATORS, [3]))
    assert now() == [[(0, 3)]]
    assert notes == (
        f"{DEPENDENCIES}: pairs with operator 3 removed, the order of those around kept.",
    )
    assert not insert_items(model, TENSORS, 0, [Tensor()]).notes
    done(model, insert_items(model, "subgraphs", 0, [SubGraph()]))
    assert now() == [[], [(0, 3)]]


# ------------------------------------------------------------------ compression


def test_compression_follows_tensors_and_buffers() -> None:
    model = two_branches()
    model.buffers = [Buffer(data=bytes([k]) * k) for k in range(4)]
    luts = ((LutTensor(1, 2, 4), LutTensor(3, 3, 2)),)
    with_metadata(model, COMPRESSED, encode_compression(Compression(1, luts)))

    def now() -> Any:
        data = metadata_bytes(model, COMPRESSED)
        return None if data is None else parse_compression(data).subgraphs

    assert done(model, move_item(model, TENSORS, 0, 2)) == (
        f"{COMPRESSED}: indices renumbered.",
    )
    assert now() == ((LutTensor(0, 2, 4), LutTensor(3, 3, 2)),)
    with pytest.raises(ts.EditError, match=r"COMPRESSION_METADATA \(table of tensor 0 of"):
        remove_items(model, "buffers", [2])
    done(model, remove_items(model, "buffers", [1]))
    assert now() == ((LutTensor(0, 1, 4), LutTensor(3, 2, 2)),)
    notes = done(model, remove_items(model, TENSORS, [3], replacement=2))
    assert now() == ((LutTensor(0, 1, 4),),)
    assert notes == (f"{COMPRESSED}: tensor 3 removed.",)
    done(model, insert_items(model, "subgraphs", 0, [SubGraph(tensors=[])]))
    assert now() == ((), (LutTensor(0, 1, 4),))
    assert not insert_items(model, OPERATORS.replace("[0]", "[1]"), 0, [Operator()]).notes


# ------------------------------------------------------------------ all kinds


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        (PLAN, b"", "buffer 1 has no data"),
        (PLAN, plan_bytes(0, 0), "it plans 2 tensors, the model has 5"),
        (DEPENDENCIES, b"\2", "version 2 is not known"),
        (DEPENDENCIES, encode_control_dependencies([[], []]), "it describes 2 subgraphs of 1"),
        (DEPENDENCIES, encode_control_dependencies([[(0, 4)]]), "operators that subgraph 0"),
        (COMPRESSED, b"nonsense", "is outside its 8 bytes"),
        (COMPRESSED, encode_compression(Compression(1, ((LutTensor(5, 0, 1),),))), "tensor 5"),
        (COMPRESSED, encode_compression(Compression(1, ((LutTensor(0, 3, 1),),))), "buffer 3"),
        (COMPRESSED, encode_compression(Compression(1, ((), ()))), "2 subgraphs of 1"),
    ],
)
def test_what_cannot_be_read_is_dropped(name: str, data: bytes, why: str) -> None:
    model = with_metadata(two_branches(), "kept", b"data")
    with_metadata(model, name, data)
    (model.metadata or []).reverse()
    (model.buffers or []).reverse()
    model.buffers, entries = [Buffer(), *(model.buffers or [])[:2]], model.metadata or []
    entries[0].buffer, entries[1].buffer = 1, 2
    document = Document(model)
    place = OPERATORS if name == DEPENDENCIES else TENSORS
    count = 4 if place == OPERATORS else 5
    made = move_item(model, place, count - 1, count - 2)
    assert [note for note in made.notes if name in note and why in note], made.notes
    document.do(made.edits)
    assert [entry.name for entry in model.metadata or []] == ["kept"]
    assert not (model.buffers or [])[1].data
    document.undo()
    assert [entry.name for entry in model.metadata or []] == [name, "kept"]
    assert bytes((model.buffers or [])[1].data or b"") == data


def test_a_shared_buffer_keeps_its_bytes_for_the_others() -> None:
    model = planned()
    data = plan_bytes(*SOUND_PLAN)
    (model.metadata or []).append(Metadata("copy of it", 1))
    done(model, insert_items(model, TENSORS, 0, [Tensor()]))
    assert metadata_bytes(model, "copy of it") == data
    assert plan_of(model) == [-1, *SOUND_PLAN]
    done(model, move_item(model, "buffers", 1, 2))
    assert metadata_bytes(model, "copy of it") == data
    assert plan_of(model) == [-1, *SOUND_PLAN]


def test_a_plan_goes_with_its_buffer() -> None:
    model = with_metadata(planned(), "more", b"data")
    with pytest.raises(ts.EditError, match="metadata 'OfflineMemoryAllocation'"):
        remove_items(model, "buffers", [1])
    notes = done(model, remove_items(model, "buffers", [1], replacement=0))
    assert notes == (f"{PLAN} was dropped: its buffer is removed.",)
    assert [(entry.name, entry.buffer) for entry in model.metadata or []] == [("more", 1)]


def test_buffer_location_is_no_index(models_folder: Path) -> None:
    path = models_folder / "google-ai-edge__LiteRT" / "simple_group_norm_op.tflite"
    model = ts.load_model_from_file(path)
    assert metadata_bytes(model, "buffer_location") == b"outside flatbuffers"
    notes = done(model, insert_items(model, "subgraphs[0].tensors", 0, [Tensor()]))
    assert not notes
    assert metadata_bytes(model, "buffer_location") == b"outside flatbuffers"


def test_the_plan_of_vela_follows_its_tensors(models_folder: Path) -> None:
    path = models_folder / "tensorflow__tflite-micro" / "person_detect_vela.tflite"
    document = Document.open(path)
    model = document.model
    assert plan_of(model) == [0, -1, -1, 0, 0, 0]
    document.do(insert_items(model, TENSORS, 2, [Tensor(name="new", shape=[1])]).edits)
    assert plan_of(model) == [0, -1, -1, -1, 0, 0, 0]
    document.do(move_item(model, TENSORS, 6, 1).edits)
    assert plan_of(model) == [0, 0, -1, -1, -1, 0, 0]
    names = [tensor.name for tensor in (model.subgraphs or [])[0].tensors or []]
    assert names[1] == "input"
    assert (model.subgraphs or [])[0].inputs == [1]
    document.go_to(0)
    assert encode(model).tobytes() == path.read_bytes()


# ------------------------------------------------------------------ what TFLM makes of it


def outcomes(models: list[Model], folder: Path) -> list[str]:
    """For each model the digest of its outputs, or that TFLM refused it or died."""
    paths = [folder / f"{number}.tflite" for number in range(len(models))]
    for model, path in zip(models, paths, strict=True):
        ts.save_model_to_file(model, path)
    command = [sys.executable, str(WORKER), "7", *map(str, paths)]
    environment = {**os.environ, "MALLOC_PERTURB_": "85"}
    ran = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=100, check=False
    )
    found = ["died"] * len(models)
    for words in (line.split() for line in ran.stdout.splitlines()):
        if words and words[0] != "start":
            found[int(words[1])] = words[-1] if words[0] == "done" else words[0]
    return found


def test_the_interpreter_gives_the_same_outputs(tmp_path: Path) -> None:
    pytest.importorskip("tflite_micro")

    def changed(make: Any, *changes: Any) -> Model:
        model: Model = make()
        for change in changes:
            done(model, change(model))
        return model

    def stale(make: Any, change: Any) -> Model:
        """With the plan as it was."""
        model: Model = make()
        before = metadata_bytes(model, PLAN)
        done(model, change(model))
        (model.buffers or [])[-1].data = before
        return model

    def sample() -> Model:
        """A net whose activations all have places of their own."""
        model = ts.load_model_from_file(SAMPLES / "shapes_int8.tflite")
        offsets, at = [], 0
        for tensor in (model.subgraphs or [])[0].tensors or []:
            constant = (model.buffers or [])[tensor.buffer].data is not None
            offsets.append(-1 if constant else at)
            at += 0 if constant else 4096
        return with_metadata(model, PLAN, plan_bytes(*offsets))

    def insert(model: Model) -> Proposal:
        return insert_items(model, TENSORS, 1, [Tensor(name="new", shape=[8], buffer=0)])

    def swap(model: Model) -> Proposal:
        return move_item(model, TENSORS, 0, 3)

    def reorder(model: Model) -> Proposal:
        return move_item(model, OPERATORS, 2, 0)

    def add_operator(model: Model) -> Proposal:
        return insert_items(model, OPERATORS, 1, [Operator(1, inputs=[0], outputs=[5])])

    found = outcomes(
        [
            two_branches(),
            planned(),
            changed(planned, insert),
            changed(planned, swap),
            changed(planned, reorder),
            changed(
                planned,
                lambda m: insert_items(m, TENSORS, 5, [Tensor(shape=[16])]),
                add_operator,
                lambda m: move_item(m, OPERATORS, 3, 0),
            ),
            stale(planned, insert),
            stale(planned, reorder),
            sample(),
            changed(sample, insert),
            changed(sample, insert, swap, lambda m: move_item(m, "buffers", 1, 3)),
        ],
        tmp_path,
    )
    expected = found[0]
    assert expected not in ("died", "refused")
    assert found[1:6] == [expected] * 5
    assert found[6] == "refused", "TFLM counts the offsets"
    assert found[7] not in (expected, "died", "refused"), "what was computed is overwritten"
    assert found[8] not in ("died", "refused")
    assert found[9:] == [found[8]] * 2
