# SPDX-License-Identifier: Apache-2.0
"""What every test may use: real models when they are at hand, and a screenless Qt."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

ROOT = Path(__file__).resolve().parent.parent
MODELS = Path(os.environ.get("TFLM_STUDIO_MODELS", ROOT.parent / "shared" / "models"))


@pytest.fixture(scope="session")
def models_folder() -> Path:
    if not (MODELS / "manifest.csv").exists():
        pytest.skip("the collection of real models is not at hand")
    return MODELS
