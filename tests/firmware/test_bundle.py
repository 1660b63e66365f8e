# SPDX-License-Identifier: Apache-2.0
"""A bundle compiles, its test tells right from wrong, and its vectors hold for its array."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import SAMPLES
from tests.firmware.tflm_stub import write_stub
from tests.firmware.toolchain import needs_gcc
from tflm_studio.__main__ import main
from tflm_studio.firmware import bundle as bundle_module
from tflm_studio.firmware.bundle import (
    FILES,
    Bundle,
    BundleOptions,
    bundle_facts,
    make_bundle,
)
from tflm_studio.firmware.bundle_facts import ArenaFacts, BundleFacts
from tflm_studio.firmware.bundle_folder import foreign_files, write_bundle
from tflm_studio.firmware.golden_test_source import golden_test_source, stored_vectors
from tflm_studio.firmware.labels import LabelList, label_lists
from tflm_studio.firmware.resolver import registrations, resolver_source
from tflm_studio.firmware.settings_source import settings_source
from tflm_studio.formats.c_source_reader import choose_model_array
from tflm_studio.formats.model_file import load_model_from_file
from tflm_studio.model.errors import EditError, WriteError
from tflm_studio.model.tensor_types import ELEMENT_TYPES
from tflm_studio.runtime.golden_inputs import End, dtype_of
from tflm_studio.runtime.golden_vectors import (
    GoldenCase,
    GoldenVectors,
    golden_cases,
    golden_vectors,
)
from tflm_studio.runtime.golden_worker import MICRO
from tflm_studio.runtime.worker_process import MeasureError
from tflm_studio.schema.associated_file import AssociatedFile
from tflm_studio.schema.enums import TensorType
from tflm_studio.schema.tables import Model

SAMPLE = SAMPLES / "sine_int8.tflite"
NAMED = {kind.name: kind for kind in ELEMENT_TYPES.values()}
KINDS = "int8 uint8 int16 int32 int64 float32 float64 bool".split()
STRICT = ["-Wall", "-Wextra", "-Werror", "-pedantic"]
QUIET = BundleOptions(with_vectors=False)


def ends_of(kinds: list[str], shape: tuple[int, ...]) -> tuple[End, ...]:
    return tuple(
        End(k, k, f'in "{k}"\\', NAMED[name], shape, 0.5 if name == "int8" else 0.0, -3)
        for k, name in enumerate(kinds)
    )


def many_kinds() -> BundleFacts:
    """Facts of a model with an input and an output of each kind, as an interpreter answers."""
    inputs, outputs = ends_of(KINDS, (2, 3)), ends_of([*KINDS, "float16"], (40,))
    rng = np.random.default_rng(7)
    cases = []
    for case in golden_cases(inputs, 3):
        made = [rng.normal(0, 50, 40).astype(dtype_of(end.kind)) for end in outputs]
        made[5][:3] = np.nan, np.inf, -np.inf
        made[4][0] = -(2**63)
        cases.append(replace(case, outputs=tuple(made)))
    vectors = GoldenVectors(MICRO, "1.0", tuple(cases), 900, 4096, ('a */ note "\\',))
    return BundleFacts(
        title="many ??/ kinds.tflite",
        name="many_model",
        symbol="g_many",
        namespace="app::many",
        size=8,
        sha256="",
        inputs=inputs,
        outputs=outputs,
        arena=ArenaFacts(4096, 100, True, 200),
        operators=(),
        labels=(LabelList("labels.txt", ('a"\\', "b??/é\n", "c" * 200), 0),),
        resources=2,
        vectors=vectors,
        reason="",
    )


FAKE = """
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include "model_settings.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_log.h"
#include "tensorflow/lite/micro/system_setup.h"
namespace {
const unsigned char kOutputs[] = {@OUTPUTS};
const std::size_t kInputBytes[] = {@INPUT_BYTES};
const std::size_t kOutputBytes[] = {@OUTPUT_BYTES};
const TfLiteType kInputTypes[] = {@INPUT_TYPES};
const TfLiteType kOutputTypes[] = {@OUTPUT_TYPES};
alignas(16) char g_memory[64][512];
TfLiteTensor g_tensors[64];
std::size_t g_at = 0;
}
void MicroPrintf(const char* format, ...) {
  va_list list; va_start(list, format); std::vfprintf(stderr, format, list); va_end(list);
}
namespace tflite {
void InitializeTarget() {}
unsigned Model::version() const { return TFLITE_SCHEMA_VERSION; }
const Model* GetModel(const void* data) {
  std::fwrite(data, 1, 8, stdout);
  if (reinterpret_cast<std::uintptr_t>(data) % 16 != 0) std::abort();
  return static_cast<const Model*>(data);
}
MicroAllocator* MicroAllocator::Create(std::uint8_t*, std::size_t) { return nullptr; }
MicroResourceVariables* MicroResourceVariables::Create(MicroAllocator*, int count) {
  if (count != 2) std::abort();
  return nullptr;
}
MicroInterpreter::MicroInterpreter(const Model*, const MicroOpResolver&, MicroAllocator*,
                                   MicroResourceVariables*) {}
TfLiteStatus MicroInterpreter::AllocateTensors() { return kTfLiteOk; }
TfLiteTensor* MicroInterpreter::input(std::size_t k) {
  g_tensors[k] = {kInputTypes[k], {g_memory[k]}, kInputBytes[k]};
  return &g_tensors[k];
}
TfLiteTensor* MicroInterpreter::output(std::size_t k) {
  g_tensors[32 + k] = {kOutputTypes[k], {g_memory[32 + k]}, kOutputBytes[k]};
  return &g_tensors[32 + k];
}
TfLiteStatus MicroInterpreter::Invoke() {
  for (std::size_t k = 0; k < sizeof(kInputBytes) / sizeof(kInputBytes[0]); ++k) {
    std::fwrite(g_memory[k], 1, kInputBytes[k], stdout);
  }
  for (std::size_t k = 0; k < sizeof(kOutputBytes) / sizeof(kOutputBytes[0]); ++k) {
    std::memcpy(g_memory[32 + k], kOutputs + g_at, kOutputBytes[k]);
    g_at += kOutputBytes[k];
  }
  const char* broken = std::getenv("BROKEN_BYTE");
  if (broken != nullptr) g_memory[32 + std::atoi(broken)][0] ^= 0x55;
  return kTfLiteOk;
}
}
"""


def fake_interpreter(facts: BundleFacts) -> str:
    """An interpreter that prints its inputs and answers with the golden outputs."""
    assert facts.vectors is not None
    data = b"".join(a.tobytes() for case in facts.vectors.cases for a in case.outputs)
    types = {"float16": "kTfLiteFloat16"}
    texts = {"@OUTPUTS": ", ".join(map(str, data))}
    for what, ends in (("INPUT", facts.inputs), ("OUTPUT", facts.outputs)):
        names = [each.kind.name for each in ends]
        spelled = [types.get(n, f"kTfLite{n.title().replace('Ui', 'UI')}") for n in names]
        texts[f"@{what}_BYTES"] = ", ".join(str(each.nbytes) for each in ends)
        texts[f"@{what}_TYPES"] = ", ".join(spelled)
    source = FAKE
    for key, text in texts.items():
        source = source.replace(key, text)
    return source


@needs_gcc
def test_the_test_of_a_bundle_compiles_and_tells_right_from_wrong(tmp_path: Path) -> None:
    facts = many_kinds()
    stub = write_stub(tmp_path / "stub", {"AddFullyConnected"})
    model = bytes(range(8))
    array = f"alignas(16) const unsigned char g_many[] = {{{', '.join(map(str, model))}}};"
    opened, closed = "namespace app { namespace many {", "} }"
    header = "extern const unsigned char g_many[];"
    bundled = make_bundle(load_model_from_file(SAMPLE), "sine.tflite", QUIET)
    folders = {}
    for name, most in (("kept", 64 * 1024), ("made", 20)):
        folder = folders[name] = tmp_path / name
        folder.mkdir()
        stored = stored_vectors(facts, most)
        (folder / "model.h").write_text(f"#pragma once\n{opened}\n{header}\n{closed}\n")
        (folder / "model.cc").write_text(f'#include "model.h"\n{opened}\n{array}\n{closed}\n')
        (folder / "model_settings.h").write_text(settings_source(facts))
        (folder / "model_test.cc").write_text(golden_test_source(facts, stored))
        operators = resolver_source([Model()], "nothing", facts.namespace)
        (folder / "model_ops.h").write_text(operators)
    write_bundle(bundled, tmp_path / "real")
    folders["real"] = tmp_path / "real"
    made = folders["made"]
    (made / "fake.cc").write_text(fake_interpreter(facts))
    assert "MakeInput<" in (made / "model_test.cc").read_text()
    assert "HasHash(" in (made / "model_test.cc").read_text()
    assert "SetInput(" in (folders["kept"] / "model_test.cc").read_text()

    program = tmp_path / "test"
    common = ["g++", *STRICT, "-I", str(stub)]
    sources = [str(path) for path in sorted(made.glob("*.cc"))]
    runs = [[*common, "-std=c++14", "-I", str(made), *sources, "-o", str(program)]]
    tests = [str(folders[name] / "model_test.cc") for name in ("kept", "real")]
    runs.append([*common, "-std=c++17", "-fsyntax-only", *tests])
    started = [
        subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for run in runs
    ]
    for run in started:
        said, _ = run.communicate()
        assert run.returncode == 0, said

    done = subprocess.run([str(program)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == b"PASS: 3 cases"
    assert facts.vectors is not None
    inputs = b"".join(a.tobytes() for case in facts.vectors.cases for a in case.inputs)
    assert done.stdout == model + inputs
    for broken, kind in enumerate([*KINDS, "float16"]):
        environment = {**os.environ, "BROKEN_BYTE": str(broken)}
        if kind in ("float64",):
            continue  # its lowest byte is within the tolerance
        failed = subprocess.run(
            [str(program)], capture_output=True, env=environment, check=False, text=False
        )
        if kind != "float32":  # the first one is not a number, and stays so
            assert failed.returncode == 1, kind
            assert f"output {broken}".encode() in failed.stderr, kind


def test_the_vectors_hold_for_the_exported_array() -> None:
    model = load_model_from_file(SAMPLE)
    made = make_bundle(model, "sine.tflite", BundleOptions(seed=5))
    files = dict(made.files)
    assert tuple(files) == FILES
    assert made.notes == ()
    array = choose_model_array(files["model.cc"], "model.cc", made.facts.symbol)
    assert sha256(array.data).hexdigest() == made.facts.sha256
    vectors = made.facts.vectors
    assert vectors is not None
    assert vectors.engine == MICRO
    assert vectors.arena_size == made.facts.arena.size  # it ran in what is recommended
    bare = [GoldenCase(each.title, each.seed, each.inputs) for each in vectors.cases]
    again = golden_vectors(bytes(array.data), bare, engines=[MICRO])
    for old, new in zip(vectors.cases, again.cases, strict=True):
        for one, other in zip(old.outputs, new.outputs, strict=True):
            np.testing.assert_array_equal(one, other)
    assert len({case.outputs[0].tobytes() for case in vectors.cases}) > 1
    number = int(vectors.cases[1].outputs[0].reshape(-1)[0])
    assert f"kCase1Output0[1] = {{\n    {number}}}" in files["model_test.cc"].decode()


def quiet_bundle(model: Model) -> Bundle:
    return make_bundle(model, "it's <odd> `model`.tflite", QUIET)


def test_the_same_model_gives_the_same_bytes() -> None:
    one, other = (quiet_bundle(load_model_from_file(SAMPLE)) for _ in range(2))
    assert one.files == other.files
    assert one.facts.namespace == "it_s_odd_model"
    assert one.notes == ()
    files = dict(one.files)
    assert b"There are no golden vectors: they were not asked for." in files["model_test.cc"]
    assert b"the test only runs the model" in files["README.md"]


def test_names_can_be_chosen() -> None:
    options = replace(QUIET, symbol="g_x", namespace="")
    files = dict(make_bundle(load_model_from_file(SAMPLE), "a.tflite", options).files)
    assert b"namespace a" not in b"".join(files.values())
    assert b"tflite::GetModel(g_x)" in files["model_test.cc"]
    with pytest.raises(EditError, match="namespace '1'"):
        BundleOptions(namespace="1")
    with pytest.raises(EditError, match="seed -1"):
        BundleOptions(seed=-1)


def test_a_foreign_file_is_replaced_only_if_asked(tmp_path: Path) -> None:
    made = quiet_bundle(load_model_from_file(SAMPLE))
    folder = tmp_path / "a" / "b"
    assert [path.name for path in write_bundle(made, folder)] == list(FILES)
    write_bundle(made, folder)  # what a bundle wrote may be written anew
    (folder / "CMakeLists.txt").write_text("project(mine)\n")
    (folder / "model.cc").unlink()
    with pytest.raises(WriteError, match=r"CMakeLists.txt: is not as a bundle wrote it"):
        write_bundle(made, folder)
    assert not (folder / "model.cc").exists()
    write_bundle(made, folder, overwrite=True)
    with pytest.raises(WriteError, match="replaced by what is made of it"):
        write_bundle(made, folder, [folder / "model.cc"], overwrite=True)


def test_a_file_that_a_person_changed_is_not_lost(tmp_path: Path) -> None:
    made = quiet_bundle(load_model_from_file(SAMPLE))
    write_bundle(made, tmp_path)
    subprocess.run(
        ["sha256sum", "--check", "--quiet", "bundle.sha256"], cwd=tmp_path, check=True
    )
    test = tmp_path / "model_test.cc"
    mine = test.read_text() + "// mine\n"
    test.write_text(mine)
    assert foreign_files(tmp_path) == ["model_test.cc"]
    with pytest.raises(WriteError, match=r"model_test.cc: is not as a bundle wrote it"):
        write_bundle(made, tmp_path)
    assert test.read_text() == mine
    test.unlink()
    assert foreign_files(tmp_path) == []
    (tmp_path / "bundle.sha256").write_text("mine\n")
    assert foreign_files(tmp_path) == [name for name in FILES if name != test.name]


def test_labels_come_from_the_files_behind_the_model() -> None:
    model = load_model_from_file(SAMPLES / "shapes_int8.tflite")
    model.associated_files = [
        AssociatedFile("notes.txt", b"one line"),
        AssociatedFile("classes.txt", '\ufeffa\r\nb\r\n"c"\r\nd\r\n'.encode()),
        AssociatedFile("my_labels.txt", b"x\ny"),
        AssociatedFile("labels.txt", b""),
    ]
    outputs = bundle_facts(model, b"", "a", QUIET).outputs
    found = label_lists(model, outputs)
    assert [(each.source, each.output) for each in found] == [
        ("classes.txt", 0),
        ("my_labels.txt", None),
    ]
    assert found[0].labels == ("a", "b", '"c"', "d")
    settings = dict(quiet_bundle(model).files)["model_settings.h"].decode()
    assert '"a", "b", "\\042c\\042", "d"' in settings
    assert "kLabels2Count = 2" in settings


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("no subgraph", "has no subgraph"),
        ("no tensor", "there is no tensor 99"),
        ("string", "cannot fill or read string"),
        ("unknown size", "sizes that are not known"),
        ("huge", "too many elements"),
    ],
)
def test_what_a_firmware_cannot_feed_is_refused(damage: str, said: str) -> None:
    model = load_model_from_file(SAMPLE)
    assert model.subgraphs is not None
    main_graph = model.subgraphs[0]
    tensor = (main_graph.tensors or [])[(main_graph.inputs or [])[0]]
    if damage == "no subgraph":
        model.subgraphs = None
    elif damage == "no tensor":
        main_graph.outputs = [99]
    elif damage == "string":
        tensor.type = TensorType.STRING
    else:
        tensor.shape = [-1, 4] if damage == "unknown size" else [2**16, 2**16]
    with pytest.raises(EditError, match=said):
        quiet_bundle(model)


def test_a_model_that_nobody_can_run_has_a_bundle_without_vectors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> GoldenVectors:
        raise MeasureError("It crashed (signal 11).")

    monkeypatch.setattr(bundle_module, "golden_vectors", refuse)
    model = load_model_from_file(SAMPLE)
    assert model.operator_codes is not None
    model.operator_codes[0].deprecated_builtin_code = 32
    model.operator_codes[0].builtin_code = 32
    model.operator_codes[0].custom_code = 'my "op"'
    made = make_bundle(model, "a.tflite")
    assert [each.is_own for each in registrations([model])] == [True]
    assert "yours to write" in made.notes[0]
    assert "It crashed (signal 11)." in made.notes[1]
    files = dict(made.files)
    assert b"// There are no golden vectors: It crashed (signal 11)." in files["model_test.cc"]
    assert b"a_model_KERNELS" in files["CMakeLists.txt"]


def test_the_verb_writes_the_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(tmp_path / "out")
    assert main(["bundle", str(SAMPLE), "-o", folder, "--no-vectors", "--name", "g_s"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == [str(tmp_path / "out" / name) for name in FILES]
    assert said.err == ""
    (tmp_path / "out" / "README.md").write_text("mine")
    assert main(["bundle", str(SAMPLE), "-o", folder, "--no-vectors"]) == 2
    assert "--overwrite" in capsys.readouterr().err
