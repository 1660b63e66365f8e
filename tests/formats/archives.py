# SPDX-License-Identifier: Apache-2.0
"""Models with archives behind them, and what other readers say of such files."""

import io
import shutil
import struct
import subprocess
import zipfile
from pathlib import Path

from tests.formats.mutants import one_convolution
from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.schema.tables import AssociatedFile, Model

LABELS = "yes\nno\n" * 20
DATE = (2021, 5, 4, 3, 2, 2)


def zipped(
    names: dict[str, bytes | str],
    model: Model | None = None,
    *,
    absolute: bool = True,
    packed: bool = True,
    comment: bytes = b"",
) -> bytes:
    """The file of a model with an archive of files behind it, made by `zipfile`."""
    data = lay_out(model or one_convolution()).tobytes()
    target = io.BytesIO(data if absolute else b"")
    method = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(target, "a", method) as archive:
        for name, content in names.items():
            info = zipfile.ZipInfo(name, DATE)
            info.external_attr = 0o100600 << 16
            info.compress_type = method
            archive.writestr(info, content)
        archive.comment = comment
    return target.getvalue() if absolute else data + target.getvalue()


def two_files(*, absolute: bool = True) -> bytes:
    return zipped(
        {"labels.txt": LABELS, "vocabulary.txt": "a b c"},
        absolute=absolute,
        comment=b"associated files",
    )


def check_readers(path: Path, expected: dict[str, bytes]) -> None:
    """All readers find the same files, also who counts from the start of the file."""
    data = path.read_bytes()
    if not expected:
        assert not zipfile.is_zipfile(path)
        return
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == expected
        for info in archive.infolist():
            # zipfile has added what is missing from relative offsets; nothing may be.
            assert data[info.header_offset :][:4] == b"PK\3\4"
        end = data.rindex(b"PK\5\6")
        size, offset = struct.unpack_from("<2I", data, end + 12)
        assert offset + size == end
        assert end + 22 + len(archive.comment) == len(data)
    program = shutil.which("unzip")
    if program is not None:
        command = [program, "-t", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        # The model before the archive is told of, and is meant to be there.
        said = done.stdout + done.stderr
        assert "No errors detected" in said, said
        assert "extra bytes" not in said, said
        assert done.returncode == 0, said


def named(*files: tuple[str, bytes]) -> list[AssociatedFile]:
    return [AssociatedFile(name, data) for name, data in files]


def contents(model: Model) -> dict[str, bytes]:
    return {file.name or "": bytes(file.data or b"") for file in model.associated_files or []}
