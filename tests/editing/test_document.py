# SPDX-License-Identifier: Apache-2.0

import os
import re
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import tflm_studio as ts
from tests.conftest import SAMPLES, examples, readable_models
from tests.editing.random_edits import random_edit
from tflm_studio.editing.document import Change, ChangeKind, Document
from tflm_studio.editing.edits import Insert, Set, WriteBytes
from tflm_studio.editing.history import History, Step
from tflm_studio.editing.operations import (
    Column,
    parse_indices,
    parse_shape,
    set_buffer_real,
    set_buffer_value,
    set_operator_tensors,
)
from tflm_studio.formats import atomic_file, model_file
from tflm_studio.formats.flatbuffer_columns import same_content
from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.formats.model_file import encode
from tflm_studio.model.errors import EditError, FileChangedError
from tflm_studio.model.operators import knowledge_of, operator_name, split_inputs
from tflm_studio.model.quantization import find_quantization
from tflm_studio.model.tensor_types import element_type
from tflm_studio.schema.enums import TensorType
from tflm_studio.schema.tables import Buffer, Model

SAMPLE = SAMPLES / "sine_int8.tflite"


@pytest.fixture
def document(tmp_path: Path) -> Document:
    path = tmp_path / "sine.tflite"
    path.write_bytes(SAMPLE.read_bytes())
    return Document.open(path)


def test_opening_is_no_change(document: Document) -> None:
    assert not document.modified
    assert not document.history.can_undo
    assert document.path is not None
    document.save()
    assert document.path.read_bytes() == SAMPLE.read_bytes()


def test_do_undo_redo(document: Document) -> None:
    assert document.do(ts.edits.Set("description", "another"), label="Say it")
    assert document.modified
    assert document.history.steps[0].label == "Say it"
    document.undo()
    assert not document.modified
    assert document.model.description != "another"
    document.redo()
    assert document.model.description == "another"
    with pytest.raises(EditError, match="nothing to redo"):
        document.redo()


def test_what_changes_nothing_is_no_step(document: Document) -> None:
    assert not document.do(Set("description", document.model.description))
    assert not document.do([])
    first = bytes((document.model.buffers or [])[1].data or b"")[:1]
    assert not document.do(WriteBytes("buffers[1].data", 0, first))
    assert not document.history.steps


def test_a_step_is_done_whole_or_not_at_all(document: Document) -> None:
    untouched = ts.load_model_from_file(SAMPLE)
    with pytest.raises(EditError, match="out of range"):
        document.do(
            [
                Set("description", "x"),
                Insert("buffers", 0, Buffer()),
                Set("buffers[99].size", 1),
            ]
        )
    assert same_content(document.model, untouched)
    assert not document.modified


def test_later_edits_of_a_step_see_the_earlier_ones(document: Document) -> None:
    count = len(document.model.buffers or [])
    document.do([Insert("buffers", count, Buffer()), Set(f"buffers[{count}].data", b"new")])
    assert bytes((document.model.buffers or [])[count].data or b"") == b"new"
    document.undo()
    assert len(document.model.buffers or []) == count


def test_observers_hear_what_was_applied(document: Document) -> None:
    heard: list[Change] = []
    dispose = document.subscribe(heard.append)
    document.do(Set("subgraphs[0].tensors[1].name", "w"))
    document.undo()
    dispose()
    document.redo()
    assert [change.kind for change in heard] == [ChangeKind.DONE, ChangeKind.UNDONE]
    assert heard[0].touches(("subgraphs", 0, "tensors", 1))
    assert heard[0].touches(("subgraphs",))
    assert heard[0].touches(("subgraphs", 0, "tensors", 1, "name", "deeper"))
    assert not heard[0].touches(("subgraphs", 0, "tensors", 2))


def test_saving_marks_the_state_and_undo_leaves_it(document: Document, tmp_path: Path) -> None:
    document.do(Set("description", "a"))
    document.save(tmp_path / "other.tflite")
    assert not document.modified
    assert document.path == tmp_path / "other.tflite"
    document.undo()
    assert document.modified
    document.redo()
    assert not document.modified
    document.undo()
    document.do(Set("description", "b"))
    assert document.history.clean_position is None
    document.undo()
    assert document.modified


def test_a_failed_save_changes_nothing(document: Document, tmp_path: Path) -> None:
    document.do(Set("description", "a"))
    with pytest.raises(ts.WriteError):
        document.save(tmp_path / "nowhere" / "x.tflite")
    assert document.modified
    assert document.path is not None
    assert document.path.name == "sine.tflite"


def test_a_run_of_steps_of_a_spin_box_is_one_step(document: Document) -> None:
    for version in (4, 5, 6):
        document.do(Set("version", version), merge=True)
    assert [step.label for step in document.history.steps] == ["version 3 → 6"]
    document.undo()
    assert document.model.version == 3
    document.do(Set("version", 4))
    document.do(Set("version", 5))
    assert len(document.history.steps) == 2


def test_old_steps_are_forgotten_beyond_the_budget() -> None:
    history = History(budget_bytes=2000)
    for number in range(10):
        edit = WriteBytes(("buffers", 0, "data"), 0, bytes(200))
        history.push(Step(str(number), (edit,), (edit,)))
    assert [step.label for step in history.steps] == ["7", "8", "9"]
    assert history.position == 3
    assert history.clean_position is None
    huge = WriteBytes(("buffers", 0, "data"), 0, bytes(9000))
    history.push(Step("huge", (huge,), (huge,)))
    assert [step.label for step in history.steps] == ["huge"]


def test_the_history_goes_to_any_state(document: Document) -> None:
    for text in "abc":
        document.do(Set("description", text))
    document.go_to(1)
    assert document.model.description == "a"
    document.go_to(3)
    assert document.model.description == "c"
    document.go_to(0)
    assert not document.modified


class DocumentMachine(RuleBasedStateMachine):
    """Edits, undo, redo and saving in any order, against files written along the way."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.path = Path(self.folder.name) / "m.tflite"
        self.document = Document(ts.load_model_from_file(SAMPLE))
        self.states = [lay_out(self.document.model).tobytes()]

    @rule(random=st.randoms(use_true_random=False), count=st.integers(1, 4))
    def do(self, random: Random, count: int) -> None:
        edits = []
        scratch = ts.load_model_from_file(SAMPLE)
        for step in self.document.history.steps[: self.document.history.position]:
            for done in step.edits:
                done.apply(scratch)
        for _ in range(count):
            edits.append(random_edit(scratch, random))
            edits[-1].apply(scratch)
        position = self.document.history.position
        try:
            written = lay_out(scratch).tobytes()
        except ts.WriteError:
            return  # it states bytes of the file that are not there
        if self.document.do(edits):
            self.states = [*self.states[: position + 1], written]

    @precondition(lambda self: self.document.history.can_undo)
    @rule()
    def undo(self) -> None:
        self.document.undo()

    @precondition(lambda self: self.document.history.can_redo)
    @rule()
    def redo(self) -> None:
        self.document.redo()

    @rule(position=st.integers(0, 6))
    def go(self, position: int) -> None:
        self.document.go_to(position)

    @invariant()
    def is_as_expected(self) -> None:
        written = lay_out(self.document.model).tobytes()
        assert written == self.states[self.document.history.position]

    @rule()
    def save(self) -> None:
        """What is written with only the touched fields in mind is the model all the same."""
        self.document.write(self.path, overwrite=True)
        again = ts.load_model_from_file(self.path)
        assert same_content(again, self.document.model)

    def teardown(self) -> None:
        self.document.go_to(0)
        self.document.write(self.path, overwrite=True)
        assert self.path.read_bytes() == SAMPLE.read_bytes()
        self.folder.cleanup()
        assert encode(self.document.model).tobytes() == SAMPLE.read_bytes()


TestDocumentMachine = DocumentMachine.TestCase
TestDocumentMachine.settings = settings(
    max_examples=examples(25), stateful_step_count=12, deadline=None
)


def test_hundreds_of_edits_to_real_models_leave_no_trace(
    models_folder: Path, tmp_path: Path
) -> None:
    random = Random(2026)
    chosen = [path for path in readable_models(models_folder) if path.stat().st_size < 400_000]
    for path in random.sample(chosen, 8):
        document = Document.open(path)
        for _ in range(60):
            document.do(random_edit(document.model, random))
        document.write(tmp_path / "changed.tflite")
        again = ts.load_model_from_file(tmp_path / "changed.tflite")
        assert same_content(document.model, again), path
        document.go_to(0)
        assert same_content(document.model, ts.load_model_from_file(path)), path
        document.write(tmp_path / "back.tflite")
        assert (tmp_path / "back.tflite").read_bytes() == path.read_bytes(), path


def test_a_buffer_value_changes_its_bytes_alone(document: Document) -> None:
    kind = element_type(TensorType.INT8)
    old = bytes((document.model.buffers or [])[1].data or b"")
    document.do(set_buffer_value(document.model, 1, kind, 3, 5))
    new = bytes((document.model.buffers or [])[1].data or b"")
    assert [k for k in range(len(old)) if old[k] != new[k]] == [3]
    document.save()
    assert document.path is not None
    before, after = (np.frombuffer(p.read_bytes(), np.uint8) for p in (SAMPLE, document.path))
    assert int((before != after).sum()) == 1
    with pytest.raises(EditError, match="empty"):
        set_buffer_value(document.model, 0, kind, 0, 1)
    with pytest.raises(EditError, match="only"):
        set_buffer_value(document.model, 99, kind, 0, 1)


def test_a_real_is_stored_as_the_nearest_value(document: Document) -> None:
    tensor = ((document.model.subgraphs or [])[0].tensors or [])[1]
    quantization = find_quantization(tensor)
    assert quantization is not None
    kind, scale = element_type(tensor.type), float(quantization.scale[0])
    document.do(
        set_buffer_real(document.model, tensor.buffer, kind, quantization, 0, 9.4 * scale)
    )
    data = (document.model.buffers or [])[tensor.buffer].data
    assert np.frombuffer(data or b"", np.int8)[0] == 9


def test_wiring_keeps_the_other_column(document: Document) -> None:
    model = document.model
    operator = ((model.subgraphs or [])[0].operators or [])[1]
    assert operator.inputs == [3, 4, 5]
    document.do(set_operator_tensors(model, 0, 1, "inputs", [0]))
    assert operator.inputs == [0, 4, 5]
    document.do(set_operator_tensors(model, 0, 1, "weights", [1]))
    assert operator.inputs == [0, 1]
    document.do(set_operator_tensors(model, 0, 1, "weights", [4, 5]))
    assert operator.inputs == [0, 4, 5]
    document.do(set_operator_tensors(model, 0, 1, "outputs", [2, 9]))
    assert operator.outputs == [2, 9]


@pytest.mark.parametrize(
    ("column", "indices", "reason"),
    [
        ("inputs", [99], "no tensor 99"),
        ("inputs", [-2], "no tensor -2"),
        ("outputs", [-1], "no tensor -1"),
        ("inputs", [0, 3], "takes 1 tensors here"),
        ("inputs", [], "needs input"),
        ("weights", [], "needs filter"),
        ("weights", [1, 2, 3], "3 inputs at most"),
    ],
)
def test_wiring_that_would_shift_others_is_refused(
    document: Document, column: Column, indices: list[int], reason: str
) -> None:
    with pytest.raises(EditError, match=reason):
        set_operator_tensors(document.model, 0, 1, column, indices)
    with pytest.raises(EditError, match="no operator 9"):
        set_operator_tensors(document.model, 0, 9, "inputs", [0])


def test_optional_inputs_in_the_middle_are_left_out_in_place(models_folder: Path) -> None:
    path = models_folder / "tensorflow__tflite-micro" / "dtln_noise_suppression.tflite"
    found = sorted(models_folder.rglob("*lstm*.tflite")) if not path.exists() else [path]
    for each in found:
        model = ts.load_model_from_file(each)
        for s, subgraph in enumerate(model.subgraphs or []):
            for k, operator in enumerate(subgraph.operators or []):
                known = knowledge_of(model, operator)
                if known.name != "UnidirectionalSequenceLSTM":
                    continue
                parts = split_inputs(model, subgraph, operator)
                with pytest.raises(EditError, match="needs"):
                    set_operator_tensors(model, s, k, "inputs", [0])
                assert parts.inputs
                return
    pytest.skip("no LSTM in the collection")


def test_any_number_of_inputs_where_it_is_free(models_folder: Path) -> None:
    path = models_folder / "google-coral__test_data/movenet_single_pose_lightning_ptq.tflite"
    document = Document.open(path)
    operators = (document.model.subgraphs or [])[0].operators or []
    assert operator_name(document.model, operators[155]) == "Concatenation"
    document.do(set_operator_tensors(document.model, 0, 155, "inputs", [330]))
    assert operators[155].inputs == [330]
    document.do(set_operator_tensors(document.model, 0, 155, "inputs", [330, 329, 328]))
    assert operators[155].inputs == [330, 329, 328]


@pytest.mark.parametrize(
    ("text", "indices"),
    [
        ("4 7 -1", [4, 7, -1]),
        ("2 (bias 3)", [2, 3]),
        ("1,2;3", [1, 2, 3]),
        ("-", []),
        ("", []),
    ],
)
def test_indices_are_read(text: str, indices: list[int]) -> None:
    assert parse_indices(text) == indices


@pytest.mark.parametrize(
    "text", ["abc", "1.5", "!", "1e3", "0x10", "4/7", "1 2 foo", "²", "٣", "9" * 5000]
)
def test_other_text_is_no_indices(text: str) -> None:
    with pytest.raises(EditError, match="tensor indices"):
        parse_indices(text)


@pytest.mark.parametrize(
    ("text", "shape"),
    [("1x96x96x1", [1, 96, 96, 1]), ("1, 2", [1, 2]), ("[3 -1]", [3, -1]), ("scalar", [])],
)
def test_shapes_are_read(text: str, shape: list[int]) -> None:
    assert parse_shape(text) == shape


@pytest.mark.parametrize("text", ["axb", "1xx2", "1.5", "²", "9" * 5000])
def test_other_text_is_no_shape(text: str) -> None:
    with pytest.raises(EditError, match="not a shape"):
        parse_shape(text)


SOURCES = {
    "model.cc": "// size 2208\nalignas(16) const unsigned char g_m[] = {%s};\n"
    "const int g_m_len = 2208; /* 2208 */ int other = 22080;\n",
    "model.h": "const uint8_t g_m[2208] PROGMEM = {%s};\n#define LEN 0x8a0u\n",
    "model.c": "unsigned char g_m[]={\r\n%s\r\n};\r\nunsigned int g_m_len=2208;\r\n",
}


@pytest.mark.parametrize("name", SOURCES)
def test_a_c_source_keeps_everything_but_the_array(tmp_path: Path, name: str) -> None:
    data = SAMPLE.read_bytes()
    assert len(data) == 2208
    text = SOURCES[name] % ", ".join(map(str, data))
    path = tmp_path / name
    path.write_bytes(text.encode())
    document = Document.open(path)
    document.save()
    assert path.read_bytes() == text.encode()
    document.do(Set("description", "longer than it was before " * 9))
    document.save()
    saved = path.read_bytes().decode()
    size = len(encode(document.model).tobytes())
    assert size != 2208
    assert Document.open(path).model.description == document.model.description
    around = saved.split("{")[0], saved.split("}")[-1]
    expected = text.split("{")[0], text.split("}")[-1]
    if name == "model.cc":
        assert around[0] == expected[0]
        assert f"g_m_len = {size}; /* 2208 */ int other = 22080;" in around[1]
    elif name == "model.h":
        assert f"g_m[{size}] PROGMEM" in around[0]
        assert f"#define LEN 0x{size:x}u" in around[1]
    else:
        assert saved.count("\n") == saved.count("\r\n")
        assert f"g_m_len={size};" in around[1]
    document.undo()
    document.save()
    assert path.read_bytes() == text.encode()


def test_a_file_changed_by_another_program_is_not_overwritten(document: Document) -> None:
    path = document.path
    assert path is not None
    document.do(Set("description", "mine"))
    os.utime(path, (1, 1))
    assert not document.changed_on_disk(), "only touched"
    other = (SAMPLES / "sine_float.tflite").read_bytes()
    replacement = path.with_suffix(".new")
    replacement.write_bytes(other)
    replacement.replace(path)
    assert document.changed_on_disk()
    with pytest.raises(ts.FileChangedError, match="another program"):
        document.save()
    assert path.read_bytes() == other
    assert document.modified
    document.save(path.with_name("elsewhere.tflite"))
    assert not document.changed_on_disk()
    document.save()
    document.do(Set("description", "again"))
    assert document.path is not None
    document.path.write_bytes(other)
    document.save(overwrite=True)
    assert ts.load_model_from_file(document.path).description == "again"
    document.path.unlink()
    assert document.changed_on_disk()


def test_a_json_file_that_was_only_touched_is_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    ts.save_model_to_file(ts.load_model_from_file(SAMPLE), path)
    document = Document.open(path)
    os.utime(path, (1, 1))
    assert not document.changed_on_disk()
    path.write_text(path.read_text().replace("sin(x)", "cos(x)"))
    assert document.changed_on_disk()


def test_a_file_changed_while_it_is_saved_is_not_overwritten(
    document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = document.path
    assert path is not None
    other = (SAMPLES / "sine_float.tflite").read_bytes()
    write = atomic_file._write_temporary

    def write_slowly(file: atomic_file.NewFile) -> tuple[Path, Path]:
        written = write(file)
        path.write_bytes(other)
        return written

    monkeypatch.setattr(atomic_file, "_write_temporary", write_slowly)
    document.do(Set("description", "mine"))
    with pytest.raises(ts.FileChangedError):
        document.save(backup=True)
    assert path.read_bytes() == other
    assert os.listdir(path.parent) == [path.name]
    document.save(overwrite=True)
    assert ts.load_model_from_file(path).description == "mine"


def test_a_removed_file_is_written_anew(document: Document) -> None:
    assert document.path is not None
    document.path.unlink()
    document.do(Set("description", "mine"))
    document.save()
    assert ts.load_model_from_file(document.path).description == "mine"
    assert not document.changed_on_disk()


def test_a_file_changed_with_its_time_set_back_is_noticed(document: Document) -> None:
    path = document.path
    assert path is not None
    before, data = path.stat(), bytearray(path.read_bytes())
    path.chmod(0o600)
    assert not document.changed_on_disk(), "only its mode"
    data[-1] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert document.changed_on_disk()
    document.save(overwrite=True)
    path.chmod(0o640)
    assert not document.changed_on_disk(), "only its mode"


@pytest.mark.parametrize(
    ("form", "expected"),
    [("0x%02x", "0x05"), ("0X%02X", "0X05"), ("0x%x", "0x5"), ("%d", "5")],
)
def test_a_changed_weight_changes_its_literal_alone(
    tmp_path: Path, form: str, expected: str
) -> None:
    data = SAMPLE.read_bytes()
    rows = [
        ", ".join(form % value for value in data[k : k + 7]) for k in range(0, len(data), 7)
    ]
    text = "const uint8_t g_m[] = { // 12 0x34\n\t" + ",\n\t".join(rows) + " };\n"
    path = tmp_path / "m.cc"
    path.write_text(text)
    document = Document.open(path)
    document.do(set_buffer_value(document.model, 1, element_type(TensorType.INT8), 3, 5))
    document.save()
    old, new = text.split(), path.read_text().split()
    changed = [k for k in range(len(old)) if old[k] != new[k]]
    assert len(old) == len(new)
    assert [new[k].strip(",") for k in changed] == [expected]


def test_a_source_that_grows_keeps_its_line_width(tmp_path: Path) -> None:
    data = SAMPLE.read_bytes()
    rows = [", ".join(map(str, data[k : k + 16])) for k in range(0, len(data), 16)]
    path = tmp_path / "m.cc"
    path.write_text("const uint8_t g_m[] = {\n" + ",\n".join(rows) + "\n};\n")
    document = Document.open(path)
    document.do(Set("description", "longer " * 40))
    document.save()
    lines = path.read_text().splitlines()
    assert {line.count(",") for line in lines[1:-2]} == {16}
    assert "0x" not in "".join(lines)


def grown(tmp_path: Path, text: str, symbol: str | None = None) -> str:
    """A source with `@` for the array's values, after its model has grown, `@` put back."""
    path = tmp_path / "m.cc"
    path.write_text(text.replace("@", ", ".join(map(str, SAMPLE.read_bytes()))))
    document = Document.open(path, symbol)
    document.do(Set("description", "longer than it was before " * 9))
    document.save()
    assert Document.open(path, symbol).model.description == document.model.description
    saved = path.read_text()
    size = len(encode(document.model).tobytes())
    saved = re.sub(r"\{[^{}]{4000,}\}", "{@}", saved)
    return saved.replace(str(size), "NEW").replace(f"0x{size:X}", "0xNEW")


@pytest.mark.parametrize(
    "text",
    [
        "constexpr int kTensorArenaSize = 2208; uint8_t other[2208];\n"
        "const int table[] = {1, 2208, 3};\n#if FLASH_KB >= 2208\n#endif\n"
        "const uint8_t g_m[SIZE] = {@};\nconst int SIZE = NEW;\n",
        "const uint8_t g_m[0x8A0] = {@};\nint sized(int size) { return size == 2208; }\n",
        "const uint8_t g_m[2'208] = {@};\nconst unsigned g_m_len = 04240;\n",
        "std::array<uint8_t, 2208> g_m = {@};\nconstexpr size_t model_size{2208};\n",
        'const char* size = "2208"; // size = 2208;\nconst char g_m[] = {@};\n'
        "const int g_m_len = 2208;\nconst int other_len = 2208;\n",
    ],
)
def test_only_the_size_of_the_array_follows_it(tmp_path: Path, text: str) -> None:
    expected = (
        text.replace("int SIZE = NEW", "int SIZE = NEW")
        .replace("g_m[0x8A0]", "g_m[0xNEW]")
        .replace("g_m[2'208]", "g_m[NEW]")
        .replace("g_m_len = 04240", "g_m_len = NEW")
        .replace("<uint8_t, 2208>", "<uint8_t, NEW>")
        .replace("model_size{2208}", "model_size{NEW}")
        .replace("g_m_len = 2208", "g_m_len = NEW")
    )
    given = text.replace("int SIZE = NEW", "int SIZE = 2208")
    assert grown(tmp_path, given) == expected


def test_the_size_of_another_model_is_left_alone(tmp_path: Path) -> None:
    other = "const char b[] = {1, 2};\nconst int b_len = 2208;\n"
    assert grown(tmp_path, f"const char a[] = {{@}};\n{other}") == (
        f"const char a[] = {{@}};\n{other}"
    )


def test_a_changed_list_of_tables_is_a_change(document: Document) -> None:
    assert document.do(Set("buffers", [Buffer(), Buffer(data=b"wxyz")]))
    assert document.do(Set("buffers", [Buffer(), Buffer(data=b"abcd")]))
    assert bytes((document.model.buffers or [])[1].data or b"") == b"abcd"


def test_an_observer_that_fails_does_not_keep_others_from_hearing(document: Document) -> None:
    def fail(_: Change) -> None:
        raise RuntimeError("broken view")

    heard: list[Change] = []
    document.subscribe(fail)
    document.subscribe(heard.append)
    with pytest.raises(RuntimeError, match="broken view"):
        document.do(Set("version", 9))
    assert len(heard) == 1


def test_saving_as_a_header_makes_its_source_the_file(
    document: Document, tmp_path: Path
) -> None:
    document.do(Set("description", "exported"))
    document.save(tmp_path / "net.h")
    assert document.path == tmp_path / "net.cc"
    assert Document.open(document.path).model.description == "exported"


def test_value_edits_are_saved_without_reading_the_file_again(
    document: Document, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    document.do(Set("subgraphs[0].tensors[0].quantization.scale[0]", 0.5))
    document.do(WriteBytes("buffers[1].data", 0, b"xy"))
    document.do(Set("subgraphs[0].operators[0].builtin_options.keep_num_dims", True))
    document.undo()
    calls = []
    real = model_file.read_flatbuffer
    monkeypatch.setattr(
        model_file, "read_flatbuffer", lambda *a: calls.append(a[1]) or real(*a)
    )
    document.save(tmp_path / "m.tflite")
    assert len(calls) == 1, "only what was written is read, to compare it"
    old, new = SAMPLE.read_bytes(), (tmp_path / "m.tflite").read_bytes()
    assert len(old) == len(new)
    assert 2 <= sum(a != b for a, b in zip(old, new, strict=True)) <= 6


@pytest.mark.parametrize(
    ("inside", "place", "nothing"),
    [
        ("operators[0].builtin_options.stride_w", "operators[0].builtin_options", None),
        ("operators[0].outputs[0]", "operators", []),
        ("tensors[1].quantization.scale[0]", "tensors[1].quantization", None),
    ],
)
def test_what_was_changed_and_then_taken_away_is_saved(
    tmp_path: Path, inside: str, place: str, nothing: Any
) -> None:
    document = Document.open(SAMPLES / "shapes_int8.tflite")
    document.do(Set(f"subgraphs[0].{inside}", 3))
    document.do(Set(f"subgraphs[0].{place}", nothing))
    # Which of the places is looked at first is left to chance.
    changed = [edit.address for step in document.history.steps for edit in step.edits]
    for order in (changed, changed[::-1]):
        path = tmp_path / "m.tflite"
        model_file.save_model_to_file(document.model, path, changed=order)
        assert same_content(ts.load_model_from_file(path), document.model)


def test_a_patch_of_shared_bytes_is_laid_out_anew(document: Document, tmp_path: Path) -> None:
    """Where two buffers lie over each other, changing one must not change the other."""
    model = Model(version=3, buffers=[Buffer(data=b"A" * 32), Buffer(data=b"B" * 32)])
    data = bytearray(lay_out(model).tobytes())
    first, second = data.index(b"A" * 32) - 4, data.index(b"B" * 32) - 4
    field = next(
        at
        for at in range(8, first, 4)
        if at + int.from_bytes(data[at : at + 4], "little") == second
    )
    data[field : field + 4] = (first - field).to_bytes(4, "little")
    path = tmp_path / "shared.tflite"
    path.write_bytes(data)
    shared = Document.open(path)
    shared.do(WriteBytes("buffers[1].data", 0, b"C"))
    shared.save()
    again = ts.load_model_from_file(path).buffers or []
    assert [bytes(buffer.data or b"")[:1] for buffer in again] == [b"A", b"C"]


def spelled_otherwise(path: Path, how: str) -> Path:
    if how == "relative":
        return Path(os.path.relpath(path))
    link = path.with_name("link")
    link.symlink_to(path)
    return link


@pytest.mark.parametrize("how", ["relative", "link"])
def test_a_file_is_the_same_however_its_path_is_spelled(tmp_path: Path, how: str) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(SAMPLE.read_bytes())
    document = Document.open(spelled_otherwise(path, how))
    document.do(Set("description", "changed"))
    path.write_bytes(SAMPLE.read_bytes() + b"of another program")
    with pytest.raises(FileChangedError):
        document.save(path)
    document.save(path, overwrite=True)


@pytest.mark.parametrize("how", ["relative", "link"])
@pytest.mark.parametrize("suffix", [".json", ".cc"])
def test_a_form_that_the_name_hides_is_kept_however_it_is_spelled(
    tmp_path: Path, how: str, suffix: str
) -> None:
    made = tmp_path / f"made{suffix}"
    ts.save_model_to_file(ts.load_model_from_file(SAMPLE), made)
    path = made.rename(tmp_path / "model.txt")
    start = path.read_bytes()[:8]
    document = Document.open(spelled_otherwise(path, how))
    document.do(Set("description", "changed"))
    document.save(path)
    assert path.read_bytes()[:8] == start


@pytest.mark.parametrize("suffix", [".json", ".h"])
def test_a_flatbuffer_stays_one_whatever_its_name(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"model{suffix}"
    path.write_bytes(SAMPLE.read_bytes())
    document = Document.open(path)
    document.do(Set("description", "changed"))
    document.save()
    assert document.path == path
    assert path.read_bytes()[4:8] == b"TFL3"
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    document.save(tmp_path / f"other{suffix}")
    assert (tmp_path / f"other{suffix}").read_bytes()[4:8] != b"TFL3"
