# SPDX-License-Identifier: Apache-2.0
"""Where the package's data files are: inside it when installed, beside it in a checkout."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

SAMPLE = "samples/sine_int8.tflite"  # what is shown to who names no file
PACKAGE = Path(__file__).resolve().parent.parent


def resource_path(name: str) -> Path:
    """Path of a file under `resources/`, such as `samples/sine_int8.tflite`."""
    return _resources() / name


@lru_cache(maxsize=1)
def _resources() -> Path:
    installed = PACKAGE / "resources"
    return installed if installed.is_dir() else PACKAGE.parent / "resources"
