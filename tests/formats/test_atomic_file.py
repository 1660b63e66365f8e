# SPDX-License-Identifier: Apache-2.0
"""Saving in one step: whatever goes wrong, the old file is intact and nothing is left."""

import errno
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from tflm_studio.formats.atomic_file import BytesLike, keeping_backup, write_atomically
from tflm_studio.model.errors import WriteError

ROOT = Path(__file__).resolve().parents[2]
OLD = b"the old file"
NEW: list[BytesLike] = [b"the new", bytearray(b" and longer"), memoryview(b" file")]
WHOLE = b"the new and longer file"
NOBODY = 65534


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "folder" / "model.tflite"
    path.parent.mkdir()
    path.write_bytes(OLD)
    return path


def assert_untouched(path: Path) -> None:
    assert path.read_bytes() == OLD
    assert list(path.parent.iterdir()) == [path]


# ------------------------------------------------------------------ what goes well


def test_an_old_file_is_replaced_and_its_mode_kept(target: Path) -> None:
    target.chmod(0o640)
    write_atomically(target, NEW)
    assert target.read_bytes() == WHOLE
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="not root")
def test_an_old_file_keeps_its_owner(target: Path) -> None:
    target.chmod(0o4640)
    os.chown(target, NOBODY, NOBODY - 1)
    target.chmod(0o4640)
    write_atomically(target, NEW)
    found = target.stat()
    assert (found.st_uid, found.st_gid) == (NOBODY, NOBODY - 1)
    assert stat.S_IMODE(found.st_mode) == 0o4640


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="no attributes of files")
def test_an_old_file_keeps_what_is_noted_about_it(target: Path) -> None:
    try:
        os.setxattr(target, "user.comment", b"from the lab")
    except OSError:
        pytest.skip("this disk knows no attributes of files")
    write_atomically(target, NEW)
    assert os.getxattr(target, "user.comment") == b"from the lab"


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_a_new_file_has_the_mode_of_any_new_file(tmp_path: Path, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        write_atomically(tmp_path / "new.tflite", NEW)
        assert stat.S_IMODE((tmp_path / "new.tflite").stat().st_mode) == mode
        assert os.umask(mask) == mask
    finally:
        os.umask(before)


def test_a_symbolic_link_stays_and_its_target_is_replaced(
    tmp_path: Path, target: Path
) -> None:
    link = tmp_path / "link.tflite"
    link.symlink_to("folder/model.tflite")
    write_atomically(link, NEW)
    assert link.is_symlink()
    assert target.read_bytes() == WHOLE
    assert list(target.parent.iterdir()) == [target]
    assert sorted(tmp_path.iterdir()) == [target.parent, link]


def test_another_name_of_the_old_file_keeps_the_old_bytes(
    tmp_path: Path, target: Path
) -> None:
    """The new file is a file of its own: nobody sees one that is half written."""
    other = tmp_path / "other"
    other.hardlink_to(target)
    write_atomically(target, NEW)
    assert other.read_bytes() == OLD
    assert target.read_bytes() == WHOLE


def test_the_check_sees_the_whole_file_before_it_counts(target: Path) -> None:
    seen: list[tuple[Path, bytes, bytes]] = []
    write_atomically(
        target, NEW, lambda path: seen.append((path.parent, path.read_bytes(), OLD))
    )
    assert seen == [(target.parent, WHOLE, OLD)]


# ------------------------------------------------------------------ what goes wrong


def test_a_failed_check_leaves_the_old_file(target: Path) -> None:
    def refuse(path: Path) -> None:
        assert target.read_bytes() == OLD
        raise WriteError("reads back differently")

    with pytest.raises(WriteError, match="reads back differently"):
        write_atomically(target, NEW, refuse)
    assert_untouched(target)


@pytest.mark.parametrize("error", [WriteError("no such size"), KeyboardInterrupt()])
def test_contents_that_break_off_leave_the_old_file(
    target: Path, error: BaseException
) -> None:
    def segments() -> Iterator[bytes]:
        yield b"x" * 100_000
        raise error

    with pytest.raises(type(error)):
        write_atomically(target, segments())
    assert_untouched(target)


def test_a_folder_is_no_file(target: Path) -> None:
    with pytest.raises(WriteError, match="this is a folder"):
        write_atomically(target.parent, NEW)
    assert_untouched(target)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing/model.tflite", "the folder does not exist"),
        ("folder/model.tflite/below", "not a folder"),
        ("folder/" + "long" * 100, "the name is too long"),
    ],
)
def test_a_place_that_cannot_be_is_named(
    tmp_path: Path, target: Path, name: str, reason: str
) -> None:
    with pytest.raises(WriteError, match=reason) as caught:
        write_atomically(tmp_path / name, NEW)
    assert str(tmp_path / name) in str(caught.value)
    assert_untouched(target)


def raising(number: int) -> OSError:
    return OSError(number, os.strerror(number))


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "quota"),
        (errno.EIO, "Input/output error"),
    ],
)
@pytest.mark.parametrize("step", ["write", "fsync", "replace"])
def test_a_disk_that_fails_leaves_the_old_file(
    target: Path, monkeypatch: pytest.MonkeyPatch, step: str, number: int, reason: str
) -> None:
    def fail(*_: object) -> NoReturn:
        raise raising(number)

    def segments() -> Iterator[bytes]:
        yield b"x" * 100_000
        if step == "write":
            fail()

    if step != "write":
        monkeypatch.setattr(os, step, fail)
    with pytest.raises(WriteError, match=reason) as caught:
        write_atomically(target, segments())
    assert str(target) in str(caught.value)
    assert isinstance(caught.value.__cause__, OSError)
    assert_untouched(target)


# ------------------------------------------------------------------ the real thing, outside

SAVE = """
import os, resource, signal, sys
from pathlib import Path
from tflm_studio.formats.atomic_file import write_atomically
from tflm_studio.model.errors import WriteError

def dying():
    yield b"x" * 100_000
    os.kill(os.getpid(), signal.SIGKILL)

how, path = sys.argv[1], Path(sys.argv[2])
if how == "limited":
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
if how == "plainly" and not os.geteuid():
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    write_atomically(path, dying() if how == "dying" else [b"x" * 100_000])
except WriteError as error:
    sys.exit(f"refused: {error}")
"""


def save_outside(how: str, path: Path) -> tuple[int, str]:
    """Saves 100,000 bytes in a process of its own: its exit code and its complaint.

    Root may write anywhere, so "plainly" gives its rights up and goes on as nobody.
    """
    done = subprocess.run(
        [sys.executable, "-c", SAVE, how, str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr


def test_a_limit_of_the_file_size_leaves_the_old_file(target: Path) -> None:
    code, complaint = save_outside("limited", target)
    assert code == 1
    assert complaint.startswith("refused:")
    assert "larger than this disk or its limit allows" in complaint
    assert_untouched(target)


def test_a_process_that_dies_leaves_the_old_file(target: Path) -> None:
    code, _ = save_outside("dying", target)
    assert code == -signal.SIGKILL
    assert target.read_bytes() == OLD


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if os.geteuid() or shutil.which("mount") is None:
        pytest.skip("only root may mount a small disk")
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_leaves_the_old_file(small_disk: Path) -> None:
    target = small_disk / "model.tflite"
    target.write_bytes(OLD)
    with pytest.raises(WriteError, match="the disk is full"):
        write_atomically(target, [b"x" * 100_000])
    assert_untouched(target)


@pytest.fixture
def own_folder() -> Iterator[Path]:
    """A folder of a user who may not do everything: for root, of the user nobody."""
    # Not tmp_path, whose parents only the user who runs the tests may enter.
    folder = Path(tempfile.mkdtemp())
    (folder / "model.tflite").write_bytes(OLD)
    if not os.geteuid():
        for path in (folder, folder / "model.tflite"):
            os.chown(path, NOBODY, NOBODY)
    yield folder
    folder.chmod(0o700)
    shutil.rmtree(folder)


@pytest.mark.parametrize("read_only", ["folder", "file"])
def test_a_place_that_may_not_be_written_is_refused(own_folder: Path, read_only: str) -> None:
    target = own_folder / "model.tflite"
    assert save_outside("plainly", own_folder / "another") == (0, "")
    (own_folder / "another").unlink()
    if read_only == "folder":
        own_folder.chmod(0o500)
    else:
        target.chmod(0o400)
    code, complaint = save_outside("plainly", target)
    assert code == 1
    assert complaint.startswith("refused:")
    assert "you may not write there" in complaint
    assert_untouched(target)


# ------------------------------------------------------------------ backups


def test_a_backup_is_what_the_file_held_and_stays_so(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    backup = tmp_path / "model.tflite.bak"
    with keeping_backup(path):
        write_atomically(path, [b"first"])
    assert not backup.exists()
    path.chmod(0o640)
    with keeping_backup(path):
        write_atomically(path, [b"second"])
    assert backup.read_bytes() == b"first"
    assert backup.stat().st_mode & 0o777 == 0o640
    with keeping_backup(path):
        write_atomically(path, [b"third"])
    assert backup.read_bytes() == b"second"
    assert sorted(each.name for each in tmp_path.iterdir()) == [path.name, backup.name]


def test_a_save_that_fails_leaves_the_older_backup(tmp_path: Path) -> None:
    path, backup = tmp_path / "model.tflite", tmp_path / "model.tflite.bak"
    path.write_bytes(b"second")
    backup.write_bytes(b"first")

    def refuse(_: Path) -> None:
        raise WriteError("not what was meant")

    with pytest.raises(WriteError, match="not what was meant"), keeping_backup(path):
        write_atomically(path, [b"third"], refuse)
    assert (path.read_bytes(), backup.read_bytes()) == (b"second", b"first")
    # Nothing shares the file's bytes: whoever writes into it changes no backup.
    assert path.stat().st_nlink == 1
    assert sorted(each.name for each in tmp_path.iterdir()) == [path.name, backup.name]


def test_a_backup_where_files_have_one_name_is_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: Path, target: Path) -> None:
        raise PermissionError(errno.EPERM, "no links here")

    monkeypatch.setattr(Path, "hardlink_to", refused)
    path = tmp_path / "model.tflite"
    path.write_bytes(b"first")
    with keeping_backup(path):
        path.write_bytes(b"written into, not replaced")
    assert (tmp_path / "model.tflite.bak").read_bytes() == b"first"


def test_a_backup_that_cannot_be_kept_is_said_before_anything_is_done(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(b"first")
    (tmp_path / "model.tflite.bak").mkdir()
    complaint = r"No backup could be kept.*model\.tflite"
    with pytest.raises(WriteError, match=complaint), keeping_backup(path):
        write_atomically(path, [b"second"])
    assert path.read_bytes() == b"first"


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="no attributes of files")
def test_an_attribute_that_is_refused_costs_only_itself(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_attributes: dict[str, bytes] = {}

    def take(_: Path, name: str, value: bytes) -> None:
        if name == "user.refused":
            raise PermissionError
        set_attributes[name] = value

    names = ["security.selinux", "user.refused", "user.comment"]
    monkeypatch.setattr(os, "listxattr", lambda _: names)
    monkeypatch.setattr(os, "getxattr", lambda _, name: name.encode())
    monkeypatch.setattr(os, "setxattr", take)
    write_atomically(target, NEW)
    assert set_attributes == {"user.comment": b"user.comment"}
