# SPDX-License-Identifier: Apache-2.0

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tflm_studio as ts
from tests.conftest import SAMPLES, every, examples
from tests.editing.random_edits import random_edit
from tflm_studio.editing.document import Document
from tflm_studio.editing.edit_json import edit_from_json, edit_to_json
from tflm_studio.editing.edits import Insert, Set, WriteBytes
from tflm_studio.editing.journal import BYTES, STEPS, Journal
from tflm_studio.editing.recovery import (
    RecoveryError,
    discard,
    find_recoverable,
    recover,
)
from tflm_studio.formats.flatbuffer_columns import same_content
from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.model.errors import EditError
from tflm_studio.schema.tables import Buffer

SAMPLE = SAMPLES / "sine_int8.tflite"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "recovery"


@pytest.fixture
def document(tmp_path: Path) -> Document:
    path = tmp_path / "sine.tflite"
    path.write_bytes(SAMPLE.read_bytes())
    return Document.open(path)


def crash(journal: Journal) -> None:
    """What the end of the process does: files are closed, nothing is tidied."""
    journal._unsubscribe()
    journal._is_closed = True
    for file in (journal._lines, journal._bytes):
        if file is not None:
            file.close()


def back(folder: Path) -> Document:
    """The one document that can be brought back."""
    (journal,) = find_recoverable(folder)
    document, resumed = recover(journal)
    crash(resumed)
    return document


def labels(document: Document) -> list[str]:
    return [step.label for step in document.history.steps]


@settings(max_examples=examples(80), deadline=None)
@given(st.randoms(use_true_random=False))
def test_any_edit_and_its_inverse_come_back_from_json(random: Random) -> None:
    first, second = (ts.load_model_from_file(SAMPLE) for _ in range(2))
    stored: list[bytes] = []

    def put(data: bytes | bytearray | memoryview) -> int:
        stored.append(bytes(data))
        return len(stored) - 1

    for _ in range(6):
        edit = random_edit(first, random)
        text = json.dumps(edit_to_json(edit, put))
        inverse = json.dumps(edit_to_json(edit.apply(first), put))
        edit_from_json(json.loads(text), stored.__getitem__).apply(second)
        assert same_content(first, second)
        edit_from_json(json.loads(inverse), stored.__getitem__).apply(second)
        edit_from_json(json.loads(text), stored.__getitem__).apply(second)
        assert same_content(first, second)


@pytest.mark.parametrize(
    "damaged",
    [
        {},
        {"edit": "explode", "address": "version"},
        {"edit": "set", "address": "version"},
        {"edit": "set", "address": "a b", "value": 1},
        {"edit": "set", "address": "buffers[0]", "value": {"table": "os.system"}},
        {"edit": "write", "address": "x", "offset": 0, "data": {"bytes": 99}},
        [],
    ],
)
def test_other_json_is_no_edit(damaged: object) -> None:
    with pytest.raises(EditError):
        edit_from_json(damaged, [b""].__getitem__)


def test_unsaved_work_comes_back_with_its_history(document: Document, folder: Path) -> None:
    journal = Journal(document, folder)
    document.do(Set("description", "one"))
    document.do(WriteBytes("buffers[1].data", 2, b"\x07"), "a weight")
    document.do([Insert("buffers", 1, Buffer(data=b"new")), Set("version", 7)])
    document.undo()
    crash(journal)
    (found,) = find_recoverable(folder)
    assert (found.name, found.path, found.unsaved) == ("sine.tflite", document.path, 2)
    again, resumed = recover(found)
    assert same_content(again.model, document.model)
    assert labels(again) == labels(document)
    assert again.modified
    again.redo()
    assert again.model.version == 7
    again.go_to(0)
    assert not again.modified
    assert lay_out(again.model).tobytes() == SAMPLE.read_bytes()
    again.do(Set("description", "after the crash"))
    crash(resumed)
    assert back(folder).model.description == "after the crash"


def test_a_finished_document_leaves_nothing(document: Document, folder: Path) -> None:
    journal = Journal(document, folder)
    assert not folder.exists()
    document.do(Set("version", 9))
    assert len(list(folder.iterdir())) == 1
    journal.close()
    assert not list(folder.iterdir())
    document.do(Set("version", 10))
    assert not list(folder.iterdir())


def test_work_that_was_saved_or_taken_back_is_not_offered(
    document: Document, folder: Path
) -> None:
    journal = Journal(document, folder)
    document.do(Set("version", 9))
    document.save()
    crash(journal)
    assert find_recoverable(folder) == []
    assert not list(folder.iterdir())


def test_steps_before_and_after_a_save_come_back(document: Document, folder: Path) -> None:
    journal = Journal(document, folder)
    for text in "abc":
        document.do(Set("description", text))
    document.undo()
    document.save()
    document.do(Set("description", "d"))
    document.do(WriteBytes("buffers[1].data", 0, b"zz"))
    crash(journal)
    again = back(folder)
    assert labels(again) == labels(document)
    assert again.history.position == 4
    assert same_content(again.model, document.model)
    again.go_to(2)
    assert not again.modified
    again.go_to(0)
    assert lay_out(again.model).tobytes() == SAMPLE.read_bytes()


def test_another_way_taken_below_a_save_comes_back(document: Document, folder: Path) -> None:
    journal = Journal(document, folder)
    for text in "abc":
        document.do(Set("description", text))
    document.save()
    document.go_to(1)
    document.do(Set("description", "x"))
    crash(journal)
    again = back(folder)
    assert again.model.description == "x"
    assert labels(again) == labels(document)
    assert again.history.clean_position is None
    assert again.modified


def test_a_run_of_steps_that_merged_comes_back_as_one(
    document: Document, folder: Path
) -> None:
    journal = Journal(document, folder)
    document.do(Set("description", "a"))
    for version in (4, 5, 6):
        document.do(Set("version", version), merge=True)
    crash(journal)
    again = back(folder)
    assert labels(again) == labels(document)
    again.undo()
    assert again.model.version == 3


def test_steps_that_the_history_forgot_are_still_applied(
    document: Document, folder: Path
) -> None:
    document.history.budget_bytes = 1500
    journal = Journal(document, folder)
    for number in range(12):
        document.do(Set(f"subgraphs[0].tensors[{number % 10}].name", f"t{number}"))
    assert document.history.forgotten > 0
    document.undo()
    document.do(Set("description", "last"))
    crash(journal)
    assert same_content(back(folder).model, document.model)


def test_a_model_without_a_file_comes_back(folder: Path) -> None:
    document = Document(ts.load_model_from_file(SAMPLE))
    journal = Journal(document, folder)
    document.do(Set("description", "sample"))
    crash(journal)
    again = back(folder)
    assert again.path is None
    assert again.model.description == "sample"


def test_a_c_source_comes_back(tmp_path: Path, folder: Path) -> None:
    values = ", ".join(map(str, SAMPLE.read_bytes()))
    other = ", ".join(map(str, (SAMPLES / "sine_float.tflite").read_bytes()))
    path = tmp_path / "two.cc"
    path.write_text(
        f"const unsigned char a[] = {{{values}}};\nconst unsigned char b[] = {{{other}}};\n"
    )
    document = Document.open(path, "b")
    journal = Journal(document, folder)
    document.do(Set("description", "changed"))
    crash(journal)
    again = back(folder)
    again.save()
    assert ts.load_model_from_file(path, "b").description == "changed"
    assert ts.load_model_from_file(path, "a").description != "changed"


def test_a_file_that_has_changed_since_is_refused(document: Document, folder: Path) -> None:
    journal = Journal(document, folder)
    document.do(Set("description", "mine"))
    crash(journal)
    (found,) = find_recoverable(folder)
    path = document.path
    assert path is not None
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(RecoveryError, match="has changed since") as caught:
        recover(found)
    assert str(found.folder) in str(caught.value)
    path.unlink()
    with pytest.raises(RecoveryError, match="was removed since"):
        recover(found)
    path.write_bytes(data)
    assert recover(found)[0].model.description == "mine"
    discard(found)
    assert not list(folder.iterdir())


def test_a_journal_in_use_is_left_alone(document: Document, folder: Path) -> None:
    journal = Journal(document, folder)
    document.do(Set("version", 9))
    code = (
        "import sys; from pathlib import Path\n"
        "from tflm_studio.editing.recovery import find_recoverable\n"
        f"print(len(find_recoverable(Path({str(folder)!r}))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "0", done.stderr
    crash(journal)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "1", done.stderr


def _cut(path: Path) -> None:
    data = (path / STEPS).read_bytes()
    (path / STEPS).write_bytes(data[:-20])


def _flip(path: Path) -> None:
    lines = (path / STEPS).read_bytes().splitlines(keepends=True)
    lines[-1] = b"\xff\xfe garbage \x00\n"
    (path / STEPS).write_bytes(b"".join(lines))


def _lose_bytes(path: Path) -> None:
    (path / BYTES).write_bytes((path / BYTES).read_bytes()[:-1])


@pytest.mark.parametrize("damage", [_cut, _flip, _lose_bytes])
def test_a_damaged_journal_recovers_up_to_the_damage(
    document: Document, folder: Path, damage: Callable[[Path], None]
) -> None:
    journal = Journal(document, folder)
    document.do(Set("description", "kept"))
    document.do(WriteBytes("buffers[1].data", 0, b"lost"))
    crash(journal)
    damage(next(folder.iterdir()))
    again = back(folder)
    assert labels(again) == labels(document)[:1]
    assert again.model.description == "kept"
    # What is written behind the damage is found again.
    (found,) = find_recoverable(folder)
    document, resumed = recover(found)
    document.do(Set("version", 8))
    crash(resumed)
    assert back(folder).model.version == 8


@pytest.mark.parametrize("content", [b"", b"\n", b"{}\n", b'{"journal": 99}\n', b"[" * 9999])
def test_what_is_no_journal_is_passed_over(folder: Path, content: bytes) -> None:
    (folder / "strange").mkdir(parents=True)
    (folder / "strange" / STEPS).write_bytes(content)
    (folder / "file").touch()
    assert find_recoverable(folder) == []
    assert (folder / "strange" / STEPS).exists()


def test_a_full_disk_ends_the_journal_and_not_the_editing(
    document: Document, folder: Path
) -> None:
    folder.parent.joinpath("blocked").touch()
    journal = Journal(document, folder.parent / "blocked")
    document.do(Set("description", "still here"))
    assert journal.problem
    assert document.model.description == "still here"


WORKER = """
import sys
from pathlib import Path
from random import Random
from tests.editing.random_edits import random_edit
from tflm_studio.editing.document import Document
from tflm_studio.editing.journal import Journal
document = Document.open(sys.argv[1])
journal = Journal(document, Path(sys.argv[2]))
random = Random(int(sys.argv[3]))
for number in range(100000):
    document.do(random_edit(document.model, random))
    print(len(document.history.steps), flush=True)
"""


@pytest.mark.parametrize("seed", every(4, range(4)))
def test_nothing_is_lost_when_the_process_is_killed(
    document: Document, folder: Path, seed: int
) -> None:
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(document.path), str(folder), str(seed)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert worker.stdout is not None
    worker.stdout.readline()
    time.sleep(random.Random(seed).uniform(0.05, 0.6))
    os.kill(worker.pid, signal.SIGKILL)
    taken = int((worker.stdout.read().split() or ["1"])[-1])
    worker.wait()
    worker.stdout.close()
    again = back(folder)
    assert len(again.history.steps) >= taken
    twin, chance = Document.open(SAMPLE), Random(seed)
    while len(twin.history.steps) < len(again.history.steps):
        twin.do(random_edit(twin.model, chance))
    assert same_content(again.model, twin.model)
    again.go_to(0)
    assert same_content(again.model, ts.load_model_from_file(SAMPLE))
