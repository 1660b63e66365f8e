# SPDX-License-Identifier: Apache-2.0
"""Files behind a model: every change is a step that can be undone and survives a crash."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tflm_studio as ts
from tests.conftest import examples
from tests.editing.test_recovery import back, crash
from tests.formats.archives import LABELS, check_readers, contents, named, two_files
from tests.formats.mutants import one_convolution
from tflm_studio.editing.associated_files import (
    PLACE,
    add_file,
    archive_problem,
    find_file,
    remove_file,
    rename_file,
    replace_file,
)
from tflm_studio.editing.document import Document
from tflm_studio.editing.edits import Insert, Move, Remove, Set, WriteBytes
from tflm_studio.editing.journal import Journal
from tflm_studio.formats.flatbuffer_columns import same_content
from tflm_studio.formats.flatbuffer_reader import read_flatbuffer
from tflm_studio.formats.model_file import encode
from tflm_studio.model.address import resolve
from tflm_studio.model.comparison import differences
from tflm_studio.model.errors import EditError
from tflm_studio.model.place_names import name_place
from tflm_studio.schema.tables import AssociatedFile

TWO = {"labels.txt": LABELS.encode(), "vocabulary.txt": b"a b c"}


def document() -> Document:
    return Document(read_flatbuffer(two_files(), "m.tflite"))


def test_every_operation_is_one_step_that_undo_takes_back() -> None:
    done = document()
    model = done.model
    assert done.do(add_file(model, "new.txt", b"new"))
    assert done.do(replace_file(model, 0, b"other"))
    assert done.do(rename_file(model, 1, "words.txt"))
    assert done.do(remove_file(model, 0))
    assert contents(model) == {"words.txt": b"a b c", "new.txt": b"new"}
    assert [step.label for step in done.history.steps] == [
        "associated_files: insert AssociatedFile at 2",
        "file 'labels.txt' 140 bytes → 5 bytes",
        "file 'vocabulary.txt': name 'vocabulary.txt' → 'words.txt'",
        "associated_files: remove item 0",
    ]
    for _ in range(4):
        done.undo()
    assert contents(model) == TWO
    assert encode(model).tobytes() == two_files()
    done.go_to(4)
    assert contents(model) == {"words.txt": b"a b c", "new.txt": b"new"}


def test_the_first_file_and_the_last_one() -> None:
    done = Document(one_convolution())
    bare = encode(done.model).tobytes()
    done.do(add_file(done.model, "a", b"1"))
    assert contents(read_flatbuffer(encode(done.model).tobytes())) == {"a": b"1"}
    done.do(remove_file(done.model, 0))
    assert encode(done.model).tobytes() == bare
    done.do(add_file(done.model, "b", b"2"))
    assert contents(done.model) == {"b": b"2"}


def test_addresses_comparison_and_names_know_files() -> None:
    one, two = (read_flatbuffer(two_files()) for _ in range(2))
    Set((*PLACE, 1, "data"), b"x").apply(two)
    assert list(differences(one, two)) == [(*PLACE, 1, "data")]
    assert not same_content(one, two)
    assert resolve(two, (*PLACE, 1, "data")) == b"x"
    assert name_place(two, (*PLACE, 1, "name")) == "file 'vocabulary.txt': name"
    assert find_file(two, "vocabulary.txt") == 1
    assert find_file(two, "no.txt") is None


@pytest.mark.parametrize("name", ["", "a\0b", "\udc80", "n" * 70_000, "folder/", "labels.txt"])
def test_names_that_cannot_be_are_refused(name: str) -> None:
    model = document().model
    with pytest.raises(EditError, match=r"cannot be the name|There is a file"):
        add_file(model, name, b"")
    with pytest.raises(EditError, match=r"cannot be the name|There is a file"):
        rename_file(model, 1, name)
    assert rename_file(model, 0, "labels.txt") == []
    assert contents(model) == TWO


def test_what_does_not_fit_is_refused() -> None:
    model = document().model
    large = memoryview(bytes(2**26))
    with pytest.raises(EditError, match=r"^big\.bin: with it the associated files would have"):
        add_file(model, "big.bin", large)
    with pytest.raises(EditError, match=r"^labels\.txt: with it"):
        replace_file(model, 0, large)
    for operation in (remove_file, lambda m, k: replace_file(m, k, b"")):
        with pytest.raises(EditError, match="no associated file 2; the last is 1"):
            operation(model, 2)
    with pytest.raises(EditError, match="the model has none"):
        remove_file(one_convolution(), 0)


def test_an_archive_that_cannot_be_taken_apart_takes_no_file() -> None:
    data = bytearray(two_files())
    data[data.index(b"labels.txt") + 13] ^= 255
    model = read_flatbuffer(bytes(data))
    assert archive_problem(model) == "'labels.txt' is damaged"
    with pytest.raises(EditError, match=r"because 'labels\.txt' is damaged\. Repair it"):
        add_file(model, "new", b"")


def test_unsaved_files_come_back_after_a_crash(tmp_path: Path) -> None:
    path, folder = tmp_path / "m.tflite", tmp_path / "recovery"
    path.write_bytes(two_files())
    done = Document.open(path)
    journal = Journal(done, folder)
    done.do(add_file(done.model, "new.txt", bytes(range(256))))
    done.do(WriteBytes((*PLACE, 2, "data"), 1, b"xyz"))
    done.do(rename_file(done.model, 0, "names.txt"))
    done.do(remove_file(done.model, 1))
    done.undo()
    crash(journal)
    again = back(folder)
    assert contents(again.model) == contents(done.model)
    again.go_to(0)
    assert encode(again.model).tobytes() == two_files()


EDITS = st.lists(
    st.tuples(
        st.sampled_from(
            ["add", "replace", "rename", "remove", "move", "write", "undo", "redo"]
        ),
        st.integers(0, 9),
        st.binary(max_size=40),
    ),
    max_size=12,
)


def carry_out(done: Document, action: str, number: int, data: bytes) -> None:
    model, count = done.model, len(done.model.associated_files or [])
    index = number % count if count else 0
    if action in ("undo", "redo"):
        if done.history.can_undo if action == "undo" else done.history.can_redo:
            getattr(done, action)()
    elif action == "add":
        done.do(add_file(model, f"{number}-{count}-{data.hex()}", data))
    elif not count:
        with pytest.raises(EditError):
            remove_file(model, 0)
    elif action == "replace":
        done.do(replace_file(model, index, data))
    elif action == "rename":
        done.do(rename_file(model, index, f"{data.hex()}/{number}-{count}-new"))
    elif action == "remove":
        done.do(remove_file(model, index))
    elif action == "move":
        done.do(Move(PLACE, index, count - 1))
    elif len((model.associated_files or [])[index].data or b""):
        done.do(WriteBytes((*PLACE, index, "data"), 0, b"!"))


@settings(
    max_examples=examples(25),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(EDITS)
def test_any_steps_can_be_saved_and_undone(
    tmp_path: Path, steps: list[tuple[str, int, bytes]]
) -> None:
    done = document()
    for action, number, data in steps:
        try:
            carry_out(done, action, number, data)
        except EditError as error:
            assert "There is a file" in str(error)
    assert contents(read_flatbuffer(encode(done.model).tobytes())) == contents(done.model)
    done.go_to(0)
    assert encode(done.model).tobytes() == two_files()


def test_a_save_in_between_is_what_the_next_steps_start_from(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(two_files())
    done = Document.open(path)
    done.do(add_file(done.model, "new.txt", b"new"))
    done.save()
    check_readers(path, {**TWO, "new.txt": b"new"})
    done.do(Set("description", "a description that is longer"))
    done.do(remove_file(done.model, 0))
    done.save()
    check_readers(path, {"vocabulary.txt": b"a b c", "new.txt": b"new"})
    done.go_to(0)
    done.save()
    assert path.read_bytes() == two_files()


def test_files_edited_by_plain_edits() -> None:
    done = Document(one_convolution())
    with pytest.raises(EditError, match="absent"):
        done.do(Insert(PLACE, 0, AssociatedFile("a", b"1")))
    done.do(Set("associated_files", named(("a", b"1"), ("b", b"2"))))
    done.do([Remove(PLACE, 0), Set("associated_files[0].data", b"3")])
    assert contents(done.model) == {"b": b"3"}
    with pytest.raises(EditError, match="takes a AssociatedFile"):
        done.do(Insert(PLACE, 0, one_convolution()))


def test_the_package_offers_the_same(tmp_path: Path) -> None:
    done = document()
    done.do(ts.associated_files.add_file(done.model, "new.txt", b"new"))
    done.save(tmp_path / "out.tflite")
    model = ts.load_model_from_file(tmp_path / "out.tflite")
    paths = ts.extract_all(model.associated_files or [], tmp_path / "files")
    assert sorted(path.name for path in paths) == ["labels.txt", "new.txt", "vocabulary.txt"]
    ts.extract_file((model.associated_files or [])[2], tmp_path / "one.txt")
    assert (tmp_path / "one.txt").read_bytes() == b"new"
