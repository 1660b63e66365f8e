# SPDX-License-Identifier: Apache-2.0
"""What `import tflm_studio` gives, and what it leaves for later."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import tflm_studio as ts
from tests.conftest import SAMPLES


def test_every_name_is_there() -> None:
    assert all(getattr(ts, name) is not None for name in ts.__all__)
    assert dir(ts) == sorted(ts.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = ts.nothing


def test_importing_it_starts_nothing_heavy() -> None:
    heavy = "{'subprocess', 'elftools', 'PySide6', 'scipy'}"
    code = f"import sys, tflm_studio; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert found.stdout.strip() == b"[]"


def test_a_model_goes_into_a_firmware_and_comes_back(tmp_path: Path) -> None:
    model = ts.load_model_from_file(SAMPLES / "sine_int8.tflite")
    source, header = ts.export_model(model, tmp_path / "m.cc", source="sine_int8.tflite")
    assert header.name == "m.h"
    assert "Model: sine_int8.tflite" in header.read_text()
    again = ts.load_model_from_file(source)
    assert ts.estimate_arena(again).head == ts.plan_memory(model).head
    assert "AddFullyConnected" in ts.resolver_source([again])
    board = ts.find_board("rpi-pico", ts.known_boards())
    assert ts.check_fit(again, board).verdict == "fits"
    with pytest.raises(ts.EditError, match="style 'gold'"):
        ts.export_model(model, tmp_path / "x.cc", "gold")
