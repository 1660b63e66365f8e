# SPDX-License-Identifier: Apache-2.0
"""Changes of operators that change nothing of what a model computes, seen by TFLM itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

import tflm_studio as ts
from tests.formats.test_oracles import WORKER
from tflm_studio.analysis.operator_order import check_order, order_of
from tflm_studio.editing import operators as ops
from tflm_studio.editing.document import Document
from tflm_studio.editing.operator_codes import merge_duplicates, remove_unused, upgrade_legacy
from tflm_studio.model.operators import builtin_code
from tflm_studio.schema.tables import Model

MODELS = (
    "tensorflow__tflite-micro/person_detect.tflite",
    "tensorflow__tflite-micro/hello_world_int8.tflite",
    "tensorflow__tflite-micro/keyword_scrambled_8bit.tflite",
    "tensorflow__tflite-micro/audio_preprocessor_int8.tflite",
)


def run(paths: list[Path]) -> list[str]:
    """What the interpreter says of each, in a process of its own."""
    command = [sys.executable, str(WORKER), "7", *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    lines = [line.split() for line in done.stdout.splitlines()]
    digests = [words[2] for words in lines if words[:1] == ["done"]]
    assert len(digests) == len(paths), done.stdout + done.stderr
    return digests


@pytest.fixture(scope="module")
def chosen(models_folder: Path) -> list[Path]:
    pytest.importorskip("tflite_micro")
    found = [models_folder / name for name in MODELS if (models_folder / name).exists()]
    if not found:
        pytest.skip("none of these models is at hand")
    return found


def same_outputs(paths: list[Path], folder: Path, change: object) -> int:
    """Changes each model, runs it as it was and as it is; returns how many were changed."""
    originals, changed = [], []
    for number, path in enumerate(paths):
        document = Document.open(path)
        if change(document):  # type: ignore[operator]
            target = folder / f"{number}.tflite"
            ts.save_model_to_file(document.model, target)
            originals.append(path)
            changed.append(target)
    assert run(originals) == run(changed)
    return len(changed)


def around(document: Document) -> bool:
    """A RESHAPE to the same shape behind the first operator, which others read instead."""
    model = document.model
    graph = model.subgraphs[0]
    tensor_index = graph.operators[0].outputs[0]
    document.do(ops.add(model, 0, 1, "RESHAPE", inputs=[tensor_index]))
    fresh = graph.operators[1].outputs[0]
    for index, operator in enumerate(graph.operators[2:], 2):
        if tensor_index in operator.inputs:
            wired = [fresh if k == tensor_index else k for k in operator.inputs]
            place = f"subgraphs[0].operators[{index}].inputs"
            document.do(ts.edits.Set(place, wired))
    if tensor_index in graph.outputs:
        outputs = [fresh if k == tensor_index else k for k in graph.outputs]
        document.do(ts.edits.Set("subgraphs[0].outputs", outputs))
    return True


def test_an_operator_that_does_nothing_comes_and_goes(
    chosen: list[Path], tmp_path: Path
) -> None:
    assert same_outputs(chosen, tmp_path, around)

    def there_and_back(document: Document) -> bool:
        around(document)
        count = len(document.model.subgraphs[0].operators)
        made = ops.bypass(document.model, 0, [1])
        assert not any("quantization" in note for note in made.notes)
        document.do(made)
        return len(document.model.subgraphs[0].operators) == count - 1

    assert same_outputs(chosen, tmp_path, there_and_back) == len(chosen)


def test_reshapes_of_real_models_that_do_nothing(chosen: list[Path], tmp_path: Path) -> None:
    def bypass_all(document: Document) -> bool:
        model, gone = document.model, 0
        for index in reversed(range(len(model.subgraphs[0].operators))):
            code = model.operator_codes[model.subgraphs[0].operators[index].opcode_index]
            if builtin_code(code) == 22:
                try:
                    document.do(ops.bypass(model, 0, [index], with_orphans=True))
                except ts.EditError:
                    continue
                gone += 1
        return gone > 0

    same_outputs(chosen, tmp_path, bypass_all)


def test_copies_that_nobody_reads(chosen: list[Path], tmp_path: Path) -> None:
    def copy(document: Document) -> bool:
        count = len(document.model.subgraphs[0].operators)
        return document.do(ops.duplicate(document.model, 0, range(0, count, 3)))

    assert same_outputs(chosen, tmp_path, copy) == len(chosen)


def test_a_shuffled_model_is_sorted(chosen: list[Path], tmp_path: Path) -> None:
    def sort(document: Document) -> bool:
        model = document.model
        operators = model.subgraphs[0].operators
        Random(3).shuffle(operators)
        assert check_order(model, 0) or len(operators) < 2
        document.do(ops.sort_topologically(model, 0))
        assert check_order(model, 0) == []
        return True

    assert same_outputs(chosen, tmp_path, sort) == len(chosen)


def test_operator_codes_put_in_order(chosen: list[Path], tmp_path: Path) -> None:
    def tidy(document: Document) -> bool:
        model: Model = document.model
        document.do(ops.set_version(model, 0, [0], 9))
        for change in (upgrade_legacy, merge_duplicates, remove_unused):
            document.do(change(model))
        return True

    assert same_outputs(chosen, tmp_path, tidy) == len(chosen)


def test_no_model_is_out_of_order_for_tflm(chosen: list[Path]) -> None:
    for path in chosen:
        model = ts.load_model_from_file(path)
        assert check_order(model, 0) == []
        order = order_of(model, model.subgraphs[0])
        first, last = model.subgraphs[0].operators[0], model.subgraphs[0].operators[-1]
        assert first is last or order.breaks_order(0, last.outputs[0])
