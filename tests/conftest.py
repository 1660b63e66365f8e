# SPDX-License-Identifier: Apache-2.0
"""What every test may use: real models when they are at hand, and a screenless Qt."""

import csv
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import settings

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# No test reads or changes what the person at this machine has set.
os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp(prefix="tflm-studio-tests-")
os.environ["XDG_CACHE_HOME"] = os.environ["XDG_CONFIG_HOME"]

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "resources" / "samples"
MODELS = Path(os.environ.get("TFLM_STUDIO_MODELS", ROOT.parent / "shared" / "models"))


@pytest.fixture(scope="session")
def models_folder() -> Path:
    if not (MODELS / "manifest.csv").exists():
        pytest.skip("the collection of real models is not at hand")
    return MODELS


def readable_models(folder: Path) -> list[Path]:
    """The models of the collection that are sound flatbuffers."""
    with (folder / "manifest.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] != "c-array"]
    paths = [folder / row["path"] for row in rows]
    return [path for path in paths if path.read_bytes()[4:8] == b"TFL3"]


IS_THOROUGH = bool(os.environ.get("TFLM_STUDIO_ALL"))
# The same examples each time: who changes a label must not meet a rare mistake of another.
settings.register_profile(
    "steady", derandomize=not IS_THOROUGH, max_examples=100 if IS_THOROUGH else 35
)
settings.load_profile("steady")


Item = TypeVar("Item")


def every(step: int, items: Sequence[Item]) -> Sequence[Item]:
    """One of so many models or cases, all if TFLM_STUDIO_ALL is set: the suite is short."""
    return items if IS_THOROUGH else items[::step]


def examples(thorough: int) -> int:
    """How many random examples a test takes: a quarter, all if TFLM_STUDIO_ALL is set."""
    return thorough if IS_THOROUGH else max(thorough // 4, 5)
