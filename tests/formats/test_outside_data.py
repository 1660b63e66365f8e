"""Weights and custom options behind the flatbuffer: read, edited, moved, brought inside."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as official

import tflm_studio as ts
from tests.conftest import SAMPLES
from tests.formats.test_oracles import WORKER
from tflm_studio.__main__ import main
from tflm_studio.analysis.opening import opening_notes
from tflm_studio.editing import placement
from tflm_studio.editing.edits import Set, WriteBytes
from tflm_studio.formats.flatbuffer_columns import same_content
from tflm_studio.formats.flatbuffer_reader import read_flatbuffer
from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.formats.model_file import load_model_from_file, save_model_to_file
from tflm_studio.model.outside import is_outside, outside_places
from tflm_studio.schema import tables as t
from tflm_studio.schema.enums import BuiltinOperator

SAMPLE = SAMPLES / "sine_int8.tflite"


@pytest.fixture
def outside_file(tmp_path) -> Path:
    """The int8 sample with all its weights behind the flatbuffer."""
    document = ts.Document.open(SAMPLE)
    filled = [k for k, buffer in enumerate(document.model.buffers) if buffer.data]
    places = [("buffers", k) for k in filled]
    document.do(placement.put_outside(document.model, places))
    path = tmp_path / "outside.tflite"
    document.save(path)
    return path


def official_weights(data: bytes) -> list[bytes]:
    """The data of every buffer as the reference reader finds it, outside ones resolved."""
    found = []
    for buffer in official.ModelT.InitFromPackedBuf(data, 0).buffers:
        if buffer.data is not None:
            found.append(bytes(buffer.data))
        elif buffer.offset > 1:
            found.append(data[buffer.offset : buffer.offset + buffer.size])
        else:
            found.append(b"")
    return found


def outputs(path: Path) -> list[bytes]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path))
    interpreter.allocate_tensors()
    (entry,) = interpreter.get_input_details()
    (result,) = interpreter.get_output_details()
    found = []
    for value in (-100, -3, 0, 55, 127):
        interpreter.set_tensor(entry["index"], np.full(entry["shape"], value, np.int8))
        interpreter.invoke()
        found.append(interpreter.get_tensor(result["index"]).tobytes())
    return found


def test_weights_outside_stand_aligned_and_are_what_they_were(outside_file):
    data = outside_file.read_bytes()
    assert official_weights(data) == official_weights(SAMPLE.read_bytes())
    places = [b.offset for b in official.ModelT.InitFromPackedBuf(data, 0).buffers if b.size]
    assert len(places) == 7
    assert all(place % 16 == 0 for place in places)
    assert outputs(outside_file) == outputs(SAMPLE)


def test_weights_outside_are_shown_like_others(outside_file):
    model, inside = load_model_from_file(outside_file), load_model_from_file(SAMPLE)
    assert len(outside_places(model)) == 7
    for found, expected in zip(model.buffers, inside.buffers, strict=True):
        assert bytes(found.data or b"") == bytes(expected.data or b"")
    assert model.extra.tail == b""


def test_opening_says_so(outside_file, capsys):
    (note,) = opening_notes(load_model_from_file(outside_file))
    assert note == ("7 buffers stand behind the flatbuffer, where TFLM does not read them.")
    main(["info", str(outside_file)])
    assert note in capsys.readouterr().out


def test_unchanged_it_saves_as_it_was(outside_file, tmp_path):
    save_model_to_file(load_model_from_file(outside_file), tmp_path / "again.tflite")
    assert (tmp_path / "again.tflite").read_bytes() == outside_file.read_bytes()


def test_a_value_outside_changes_its_byte_alone(outside_file):
    before = outside_file.read_bytes()
    document = ts.Document.open(outside_file)
    old = document.model.buffers[3].data[5]
    document.do(WriteBytes("buffers[3].data", 5, bytes([old ^ 1])))
    document.save()
    after = outside_file.read_bytes()
    differing = [k for k, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
    assert differing == [load_model_from_file(outside_file).buffers[3].offset + 5]


def test_a_longer_flatbuffer_moves_what_stands_behind_it(outside_file):
    document = ts.Document.open(outside_file)
    document.do(Set("description", "long " * 1000))
    document.save()
    data = outside_file.read_bytes()
    assert official_weights(data) == official_weights(SAMPLE.read_bytes())
    assert len(outside_places(load_model_from_file(outside_file))) == 7
    assert outputs(outside_file) == outputs(SAMPLE)
    document.undo()
    document.save()
    # What was moved leaves nothing behind when it moves back.
    assert official_weights(outside_file.read_bytes()) == official_weights(data)
    assert len(outside_file.read_bytes()) < len(data) - 4000


def test_data_of_another_size_outside(outside_file):
    document = ts.Document.open(outside_file)
    document.do(Set("buffers[4].data", bytes(range(100))))
    document.save()
    weights = official_weights(outside_file.read_bytes())
    assert weights[4] == bytes(range(100))
    expected = official_weights(SAMPLE.read_bytes())
    assert weights[:4] + weights[5:] == expected[:4] + expected[5:]
    document.do(Set("buffers[4].data", b""))
    document.save()
    assert official_weights(outside_file.read_bytes())[4] == b""
    document.do(Set("buffers[4].data", None))
    document.do([Set("buffers[4].offset", 0), Set("buffers[4].size", 0)])
    document.save()
    assert load_model_from_file(outside_file).buffers[4].data is None


def test_brought_inside_tflm_runs_it(outside_file, tmp_path):
    before = outside_file.read_bytes()
    document = ts.Document.open(outside_file)
    document.do(placement.put_inside(document.model), "put inside")
    assert not outside_places(document.model)
    inside = tmp_path / "inside.tflite"
    document.save(inside)
    assert all(
        not buffer.offset and not buffer.size
        for buffer in official.ModelT.InitFromPackedBuf(inside.read_bytes(), 0).buffers
    )
    lines = subprocess.run(
        [sys.executable, str(WORKER), "7", str(SAMPLE), str(inside)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    digests = [line.split()[2] for line in lines if line.startswith("done")]
    assert len(digests) == 2
    assert digests[0] == digests[1]
    document.undo()
    document.save(outside_file)
    assert outside_file.read_bytes() == before


def test_a_size_changed_back_is_no_change(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(SAMPLE.read_bytes())
    document = ts.Document.open(path)
    document.do(Set("buffers[1].size", 77))
    document.do(Set("buffers[1].offset", 0))
    document.undo()
    document.save()
    assert path.read_bytes() == SAMPLE.read_bytes()


def test_no_bytes_outside_changed_back_are_no_change(tmp_path):
    """The file states a place and, by leaving the size out, that nothing stands there."""
    path = tmp_path / "model.tflite"
    save_model_to_file(t.Model(3, buffers=[t.Buffer(), t.Buffer(b"", 1)]), path)
    before = path.read_bytes()
    document = ts.Document.open(path)
    assert document.model.buffers[1].offset > 1
    document.do(Set("buffers[1].data", b"some"))
    document.undo()
    document.save()
    assert path.read_bytes() == before


def test_what_is_kept_once_stays_so(tmp_path):
    weights = bytes(range(256)) * 8
    buffers = [t.Buffer(), *(t.Buffer(weights, 1) for _ in range(3)), t.Buffer(b"other", 1)]
    layout = lay_out(t.Model(3, buffers=buffers))
    data = layout.tobytes()
    assert data.count(weights) == 1
    again = read_flatbuffer(data)
    assert len({buffer.offset for buffer in again.buffers[1:4]}) == 1
    path = tmp_path / "shared.tflite"
    path.write_bytes(data)
    document = ts.Document.open(path)
    document.do(WriteBytes("buffers[2].data", 0, b"changed"))
    document.save()
    # The others must not change with it.
    assert [w[:7] for w in official_weights(path.read_bytes())[1:4]] == [
        weights[:7],
        b"changed",
        weights[:7],
    ]


def test_large_custom_options(tmp_path):
    options = bytes(range(200))
    operators = [
        t.Operator(0, [0], [0], custom_options=options, large_custom_options_offset=1),
        t.Operator(0, [0], [0], custom_options=b"inside"),
    ]
    code = t.OperatorCode(32, "Mine", builtin_code=BuiltinOperator.CUSTOM)
    subgraph = t.SubGraph([t.Tensor([1])], [0], [0], operators)
    path = tmp_path / "custom.tflite"
    save_model_to_file(t.Model(3, [code], [subgraph], buffers=[t.Buffer()]), path)
    data = path.read_bytes()
    found = official.ModelT.InitFromPackedBuf(data, 0).subgraphs[0].operators
    start = found[0].largeCustomOptionsOffset
    assert found[0].customOptions is None
    assert found[0].largeCustomOptionsSize == 200
    assert start % 16 == 0
    assert data[start : start + 200] == options
    assert bytes(found[1].customOptions) == b"inside"
    document = ts.Document.open(path)
    assert "custom options of 1 operator" in opening_notes(document.model)[0]
    document.do(placement.put_inside(document.model))
    document.save()
    again = official.ModelT.InitFromPackedBuf(path.read_bytes(), 0).subgraphs[0].operators[0]
    assert bytes(again.customOptions) == options
    assert again.largeCustomOptionsOffset == again.largeCustomOptionsSize == 0


def test_bytes_that_the_file_does_not_have(tmp_path):
    path = tmp_path / "cut.tflite"
    buffers = [t.Buffer(), t.Buffer(offset=900, size=64), t.Buffer(b"there")]
    path.write_bytes(lay_out(t.Model(3, buffers=buffers)).tobytes())
    document = ts.Document.open(path)
    size = len(path.read_bytes())
    assert document.model.extra.missing == (
        f"buffers[1]: states bytes 900 to 964 of the file, which has {size}",
    )
    document.do(Set("description", "small"))
    document.save()
    document.do(Set("description", "so long that the place lies inside the file " * 50))
    with pytest.raises(ts.WriteError, match="set offset and size to 0"):
        document.save()
    document.do([Set("buffers[1].offset", 0), Set("buffers[1].size", 0)])
    document.save()
    assert load_model_from_file(path).buffers[1].data is None


def test_where_a_file_states_both_the_vector_counts(tmp_path):
    """As in LiteRT: interpreter_builder.cc looks at the offset only without data."""
    builder_model = official.ModelT()
    builder_model.buffers = [official.BufferT(), official.BufferT()]
    builder_model.buffers[1].data = np.frombuffer(b"inside", np.uint8)
    builder_model.buffers[1].offset, builder_model.buffers[1].size = 8, 4
    import flatbuffers

    builder = flatbuffers.Builder()
    builder.Finish(builder_model.Pack(builder), b"TFL3")
    path = tmp_path / "both.tflite"
    path.write_bytes(bytes(builder.Output()))
    document = ts.Document.open(path)
    assert not is_outside(document.model.buffers[1])
    assert bytes(document.model.buffers[1].data) == b"inside"
    document.do(Set("description", "laid out anew"))
    document.save()
    again = official.ModelT.InitFromPackedBuf(path.read_bytes(), 0).buffers[1]
    assert (bytes(again.data), again.offset, again.size) == (b"inside", 8, 4)
    with pytest.raises(ts.EditError, match="states both"):
        placement.put_outside(document.model, [("buffers", 1)])


def test_a_payload_of_a_vendor_stays_where_weights_move(tmp_path):
    payload = bytes(range(1, 201)) * 5
    buffers = [t.Buffer(), t.Buffer(b"weights " * 20, 1)]
    data = lay_out(t.Model(3, buffers=buffers)).tobytes()
    path = tmp_path / "vendor.tflite"
    path.write_bytes(data + bytes(-len(data) % 16) + payload)
    place = path.read_bytes().index(payload)
    document = ts.Document.open(path)
    assert document.model.extra.tail.tobytes().endswith(payload)
    for text in ("long " * 200, "longer " * 900, "short"):
        document.do(Set("description", text))
        document.save()
        written = path.read_bytes()
        assert written.index(payload) == place
        assert written.count(payload) == 1
        assert official_weights(written)[1] == b"weights " * 20


@pytest.mark.parametrize("length", range(124, 160, 4))
def test_a_small_payload_is_found_again_in_the_middle(tmp_path, length):
    path, payload = tmp_path / "small.tflite", b"signature of 16!"
    path.write_bytes((SAMPLES / "shapes_int8.tflite").read_bytes())
    data = path.read_bytes()
    path.write_bytes(data + bytes(-len(data) % 16) + payload)
    place = path.read_bytes().index(payload)
    for description in ("x" * length, "y" * (length + 40), "z" * 3000):
        document = ts.Document.open(path)
        document.do(Set("description", description))
        document.save()
        assert path.read_bytes().index(payload) == place


def test_json_and_c_keep_them(outside_file, tmp_path):
    model = load_model_from_file(outside_file)
    for name in ("model.json", "model.cc"):
        save_model_to_file(model, tmp_path / name)
        again = load_model_from_file(tmp_path / name)
        assert same_content(again, model)
        assert len(outside_places(again)) == 7


def test_a_real_model_with_weights_outside(models_folder, tmp_path):
    (path,) = models_folder.glob("*/simple_group_norm_op.tflite")
    document = ts.Document.open(path)
    assert len(outside_places(document.model)) == 6
    weights = official_weights(path.read_bytes())
    target = tmp_path / "renamed.tflite"
    document.do(Set("description", "renamed, which moves everything " * 9))
    document.save(target)
    assert official_weights(target.read_bytes()) == weights
    document.do(placement.put_inside(document.model))
    document.save(target)
    assert official_weights(target.read_bytes()) == weights
    again = official.ModelT.InitFromPackedBuf(target.read_bytes(), 0)
    assert not any(buffer.offset for buffer in again.buffers)
