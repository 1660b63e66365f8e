# SPDX-License-Identifier: Apache-2.0
"""Associated files on a disk: nothing is written outside the folder that was chosen."""

import os
from pathlib import Path

import pytest

from tests.formats.archives import named
from tflm_studio.formats.archive import LARGEST_BYTES
from tflm_studio.formats.loose_files import (
    extract_all,
    extract_file,
    loose_name,
    read_loose_file,
)
from tflm_studio.model.errors import ReadError, WriteError
from tflm_studio.schema.tables import AssociatedFile


def everything_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def test_files_and_their_folders_are_written(tmp_path: Path) -> None:
    files = named(("a.txt", b"1"), ("sub/", b""), ("sub/deep/ä b.txt", b"2"), ("c", b""))
    folder = tmp_path / "new" / "folder"
    paths = extract_all(files, folder)
    assert [path.read_bytes() for path in paths] == [b"1", b"2", b""]
    expected = {"a.txt", "sub", "sub/deep", "sub/deep/ä b.txt", "c"}
    assert everything_in(folder) == expected


@pytest.mark.parametrize(
    "name",
    [
        *("../x", "sub/../../x", "..", "/etc/x", "//host/x", "a//b", "./x", "x/."),
        *("C:x", "C:\\x", "..\\x", "a\\..\\..\\x", "x:stream", "nul", "CON.txt", "sub/aux"),
        *(
            "x.",
            "x ",
            "a\nb",
            "a\x7f",
            "a*",
            "n" * 300,
            "d/" * 900 + "x",
            "\udc80",
            "a\0b",
            "",
        ),
    ],
)
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "folder"
    with pytest.raises(WriteError, match=r"was not extracted.*Rename it, or extract it alone"):
        extract_all(named(("good.txt", b""), (name, b"bad")), folder)
    assert everything_in(tmp_path) == set()


def test_links_in_the_folder_do_not_lead_out_of_it(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    for each in (outside, folder):
        each.mkdir()
    (folder / "sub").symlink_to(outside)
    (folder / "file").symlink_to(outside / "target")
    (folder / "loop").symlink_to(folder / "loop")
    for name in ("sub/x", "file"):
        with pytest.raises(WriteError, match=r"a link in .* leads it out"):
            extract_all(named((name, b"1")), folder, overwrite=True)
    with pytest.raises(WriteError):
        extract_all(named(("loop/x", b"1")), folder, overwrite=True)
    assert everything_in(outside) == set()


def test_files_that_are_there_are_replaced_only_if_allowed(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"old")
    files = named(("a", b"1"), ("b", b"2"))
    with pytest.raises(WriteError, match=r"b: this file exists already"):
        extract_all(files, tmp_path)
    assert everything_in(tmp_path) == {"b"}
    assert (tmp_path / "b").read_bytes() == b"old"
    extract_all(files, tmp_path, overwrite=True)
    assert (tmp_path / "b").read_bytes() == b"2"


@pytest.mark.parametrize("names", [("A", "a"), ("a", "a/b"), ("Straße", "STRASSE")])
def test_files_that_would_be_one_are_refused(tmp_path: Path, names: tuple[str, str]) -> None:
    with pytest.raises(WriteError):
        extract_all(named(*((name, b"1") for name in names)), tmp_path)
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(WriteError, match="files cannot be written into it"):
        extract_all(named(("a", b"")), tmp_path / "file")
    with pytest.raises(WriteError, match="cannot be saved"):
        extract_file(AssociatedFile("a", b""), tmp_path / "no" / "such")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("labels.txt", "labels.txt"),
        ("sub/labels.txt", "labels.txt"),
        ("..\\..\\x.txt", "x.txt"),
        ("C:x", "C_x"),
        ("a\0b", "a_b"),
        ("..", "file_"),
        ("nul", "file_nul"),
        (None, "file_"),
    ],
)
def test_a_name_is_proposed_that_every_system_can_store(
    name: str | None, expected: str
) -> None:
    assert loose_name(name) == expected


def test_what_cannot_become_an_associated_file(tmp_path: Path) -> None:
    (tmp_path / "good").write_bytes(b"123")
    assert read_loose_file(tmp_path / "good") == b"123"
    with (tmp_path / "large").open("wb") as file:
        file.truncate(LARGEST_BYTES + 1)
    os.mkfifo(tmp_path / "pipe")
    for name, reason in {
        "large": "Choose a smaller file",
        "missing": "there is no such file",
        "pipe": "name a file",
        ".": "name a file",
    }.items():
        with pytest.raises(ReadError, match=reason):
            read_loose_file(tmp_path / name)
