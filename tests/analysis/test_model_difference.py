# SPDX-License-Identifier: Apache-2.0
"""What differs between two models is said once, where it is, in words."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

import tflm_studio as ts
from tests.conftest import SAMPLES, examples
from tests.editing.random_edits import random_edit
from tests.formats.mutants import every_table, one_convolution
from tests.formats.senseless import indices_out_of_range, random_models, wired_in_a_circle
from tflm_studio.analysis.model_difference import Difference, DifferenceKind
from tflm_studio.editing import placement
from tflm_studio.editing.renumbering import move_item
from tflm_studio.formats.flatbuffer_reader import read_flatbuffer
from tflm_studio.formats.model_file import encode
from tflm_studio.model import comparison
from tflm_studio.model.address import resolve
from tflm_studio.schema import tables as t
from tflm_studio.schema.structure import Extra, OpaqueMember, UnknownField

KINDS = DifferenceKind
TENSORS, OPERATORS = ("subgraphs", 0, "tensors"), ("subgraphs", 0, "operators")


def sample() -> t.Model:
    return ts.load_model_from_file(SAMPLES / "shapes_int8.tflite")


def after(*steps: Callable[[t.Model], Any]) -> list[Difference]:
    """What differs from the sample after some operations."""
    document = ts.Document(sample())
    for step in steps:
        document.do(step(document.model))
    return list(ts.differences(sample(), document.model))


def write(address: str, value: Any) -> Callable[[t.Model], Any]:
    return lambda _: ts.edits.Set(address, value)


def test_equal_models_do_not_differ() -> None:
    assert after() == []
    assert list(ts.differences(every_table(), every_table())) == []


def test_a_changed_field_is_named_with_both_values() -> None:
    place = "subgraphs[0].operators[0].builtin_options.stride_w"
    (found,) = after(write(place, 7))
    assert (found.kind, found.address, found.old, found.new) == (
        KINDS.CHANGED,
        place,
        "2",
        "7",
    )
    assert found.describe() == f"{place}: 2 → 7"
    assert found.near == found.first


def test_bytes_are_summed_up() -> None:
    data = bytes((sample().buffers or [])[2].data or b"")
    other = data[:9] + bytes([data[9] ^ 1, data[10], data[11] ^ 1]) + data[12:]
    (found,) = after(write("buffers[2].data", other))
    assert found.note == "2 bytes differ from offset 9"
    assert found.old == f"{len(data)} bytes at 9: {data[9:17].hex(' ')}…"
    (longer,) = after(write("buffers[2].data", data + b"\1\2"))
    assert longer.note == "2 bytes more, the rest is equal"
    (gone,) = after(write("buffers[2].data", None))
    assert (gone.new, gone.note) == ("absent", "")


def test_a_removed_operator_leaves_the_others_alone() -> None:
    (found,) = after(lambda model: ts.operators.delete(model, 0, [1]))
    assert (found.kind, found.first, found.second) == (KINDS.REMOVED, (*OPERATORS, 1), None)
    assert found.old == "DepthwiseConv2D → corners"


def test_inserted_things_are_named_where_they_are_in_the_second_model() -> None:
    found = after(
        lambda model: ts.buffers.add(model, b"0123456789abcdef", 1),
        lambda model: ts.operators.duplicate(model, 0, [0]),
    )
    assert {each.kind for each in found} == {KINDS.INSERTED}
    assert [each.second for each in found] == [(*TENSORS, 17), (*OPERATORS, 1), ("buffers", 1)]
    assert found[1].near == (*OPERATORS, 1)
    assert found[2].new == "16 bytes: 30 31 32 33 34 35 36 37…"


def test_a_moved_tensor_is_moved_and_nobody_who_names_it_differs() -> None:
    (found,) = after(lambda model: move_item(model, TENSORS, 2, 9))
    assert (found.kind, found.first, found.second) == (
        KINDS.MOVED,
        (*TENSORS, 2),
        (*TENSORS, 9),
    )


def test_another_tensor_is_told_by_number_and_name() -> None:
    (found,) = after(write("subgraphs[0].operators[1].inputs", [0, 4, 5]))
    assert found.old == "[3 edges, 4 corners/weights, 5 corners/bias]"
    assert found.new == "[0 picture, 4 corners/weights, 5 corners/bias]"


def test_the_same_number_of_another_tensor_is_a_difference() -> None:
    """After an insertion before it, it names something else."""
    document = ts.Document(sample())
    inputs = list((document.model.subgraphs or [])[0].operators[1].inputs)  # type: ignore[index]
    document.do(copy_in_front(document.model))
    document.do(ts.edits.Set("subgraphs[0].operators[1].inputs", inputs))
    found = [each for each in ts.differences(sample(), document.model) if each.first]
    changed = [each for each in found if each.kind is KINDS.CHANGED]
    assert [each.address for each in changed] == ["subgraphs[0].operators[1].inputs"]
    assert changed[0].new.startswith("[3 edges/bias")


def copy_in_front(model: t.Model) -> Any:
    """A copy of a tensor in front of all others."""
    with ts.Draft(model) as draft:
        draft.do(ts.tensors.duplicate(model, 0, [0]))
        draft.do(
            move_item(model, TENSORS, len((model.subgraphs or [])[0].tensors or []) - 1, 0)
        )
        return draft.proposal("a copy in front")


def test_options_of_another_kind_are_one_difference() -> None:
    (found,) = after(write("subgraphs[0].operators[0].builtin_options", t.AddOptions()))
    assert found.old.startswith("Conv2DOptions: ")
    assert found.new == "AddOptions"


def test_floats_are_compared_bit_by_bit() -> None:
    place = "subgraphs[0].tensors[0].quantization.min"
    changed = after(write(place, [0.0]))
    assert [each.new for each in changed] == ["[0]"]
    first, second = one_convolution(), one_convolution()
    for model, zero in ((first, 0.0), (second, -0.0)):
        tensor = (model.subgraphs or [])[0].tensors[0]  # type: ignore[index]
        tensor.quantization = t.QuantizationParameters(min=[zero, float("nan")])
    (found,) = ts.differences(first, second)
    assert (found.old, found.new) == ("[0, nan]", "[-0, nan]")


def test_absent_and_empty_differ() -> None:
    (found,) = after(write("subgraphs[0].tensors[0].shape_signature", []))
    assert (found.old, found.new) == ("absent", "empty")


def test_a_long_list_is_shown_from_where_it_differs() -> None:
    first, second = one_convolution(), one_convolution()
    for model, last in ((first, 5), (second, 6)):
        (model.subgraphs or [])[0].inputs = [0] * 30 + [last]
    (found,) = ts.differences(first, second)
    assert found.old.startswith("[…, 0")
    assert found.old.endswith("5] (31 items)")


def test_where_weights_stand_behind_the_flatbuffer_is_no_difference() -> None:
    document = ts.Document(sample())
    document.do(placement.put_outside(document.model, [("buffers", k) for k in (1, 2)]))
    first = read_flatbuffer(encode(document.model).tobytes())
    document.do(ts.edits.Set("description", "x" * 5000))
    second = read_flatbuffer(encode(document.model).tobytes())
    assert [each.address for each in ts.differences(first, second)] == ["description"]
    inside = {each.address for each in ts.differences(sample(), first)}
    assert {"buffers[1].offset", "buffers[2].offset"} <= inside


def test_a_payload_behind_the_flatbuffer_is_compared() -> None:
    plain = (SAMPLES / "sine_int8.tflite").read_bytes()
    first, same, other = (
        read_flatbuffer(plain + letter * 64) for letter in (b"v", b"v", b"w")
    )
    assert list(ts.differences(first, same)) == []
    (found,) = ts.differences(first, other)
    assert found.describe() == "model: 64 bytes → 64 bytes (bytes outside the flatbuffer)"
    document = ts.Document(same)
    document.do(ts.edits.Set("description", "long " * 500))
    grown = read_flatbuffer(encode(document.model).tobytes())
    assert [each.address for each in ts.differences(first, grown)] == ["description"]


def test_unknown_content_is_compared_as_far_as_it_can_be() -> None:
    first, second = one_convolution(), one_convolution()
    second.extra = Extra(unknown={20: UnknownField(100, b"\1\0\0\0")})
    (found,) = ts.differences(first, second)
    assert found.note == "slot 20, which the schema does not know"
    assert (found.old, found.new) == ("absent", "4 bytes: 01 00 00 00")
    second.extra = None
    for model, place in ((first, 80), (second, 90)):
        operator = (model.subgraphs or [])[0].operators[0]  # type: ignore[index]
        operator.builtin_options = OpaqueMember(250, place)
    assert list(ts.differences(first, second)) == []


def test_files_behind_the_model_are_found_by_name() -> None:
    first, second = one_convolution(), one_convolution()
    second.associated_files = []
    assert list(ts.differences(first, second)) == []
    first.associated_files = [t.AssociatedFile("b.txt", b"b"), t.AssociatedFile("c.txt", b"c")]
    second.associated_files = [
        t.AssociatedFile("a.txt", b"a"),
        t.AssociatedFile("b.txt", b"B"),
        t.AssociatedFile("c.txt", b"c"),
    ]
    found = [each.describe() for each in ts.differences(first, second)]
    assert found == [
        "associated_files[0]: inserted: a.txt  1 byte",
        "associated_files[0].data: 1 byte: 62 → 1 byte: 42 (1 byte differs from offset 0)",
    ]


@pytest.mark.parametrize("make", [indices_out_of_range, wired_in_a_circle, every_table])
def test_senseless_models_are_compared(make: Callable[[], t.Model]) -> None:
    assert list(ts.differences(make(), make())) == []
    assert list(ts.differences(make(), sample()))
    assert list(ts.differences(sample(), make()))


def test_random_models_differ_just_where_fields_do() -> None:
    models = [model for _, model in random_models(examples(60), 11)]
    for first, second in zip(models, models[1:] + models[:1], strict=True):
        found = list(ts.differences(first, second))
        assert bool(found) == any(comparison.differences(first, second))
        for each in found:
            each.as_json()
            if each.first is not None:
                resolve(first, each.first)
            if each.second is not None:
                resolve(second, each.second)
        assert list(ts.differences(first, second, 3)) == found[:3]


def test_random_edits_are_all_found() -> None:
    random = Random(3)
    for _ in range(examples(60)):
        document = ts.Document(sample())
        for _ in range(random.randrange(1, 5)):
            document.do(random_edit(document.model, random))
        found = list(ts.differences(sample(), document.model))
        assert bool(found) == any(comparison.differences(sample(), document.model))
        assert all(hasattr(sample(), str(each.near[0])) for each in found)


def test_subgraphs_without_names_are_known_by_their_sizes() -> None:
    first, second = (
        t.Model(subgraphs=[t.SubGraph([t.Tensor() for _ in range(count)]) for count in counts])
        for counts in ((2, 3), (1, 2, 3))
    )
    assert [each.address for each in ts.differences(first, second)] == ["subgraphs[0]"]
