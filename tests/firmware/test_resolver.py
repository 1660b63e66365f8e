# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import tflm_studio as ts
from tests.conftest import SAMPLES, every, readable_models
from tflm_studio.__main__ import main
from tflm_studio.firmware.resolver import registrations, resolver_source
from tflm_studio.model.operators import known_operators
from tflm_studio.schema.tables import Model, Operator, OperatorCode, SubGraph

METHODS = {row.resolver for row in known_operators() if row.resolver}
# What the generated header needs of TFLM, with the methods that it really has.
STUB = """#pragma once
typedef enum { kTfLiteOk = 0, kTfLiteError = 1 } TfLiteStatus;
struct TFLMRegistration {};
#define TF_LITE_ENSURE_STATUS(a) do { if ((a) != kTfLiteOk) return kTfLiteError; } while (0)
namespace tflite {
template <unsigned int tOpCount>
class MicroMutableOpResolver {
 public:
  unsigned int added = 0;
  TfLiteStatus Add() { return added++ < tOpCount ? kTfLiteOk : kTfLiteError; }
  TfLiteStatus AddCustom(const char*, const TFLMRegistration*) { return Add(); }
%s
};
}
"""


def using(*codes: OperatorCode) -> Model:
    operators = [Operator(opcode_index=index) for index in range(len(codes))]
    return Model(operator_codes=list(codes), subgraphs=[SubGraph(operators=operators)])


def test_the_sample() -> None:
    text = resolver_source([ts.load_model_from_file(SAMPLES / "shapes_int8.tflite")], "shapes")
    assert "// Operators of shapes." in text
    called = re.findall(r"resolver\.(\w+)\(", text)
    assert called == sorted(called, key=str.lower)
    assert len(set(called)) == len(called)
    assert f"MicroMutableOpResolver<{len(called)}>" in text
    assert "AddConv2D());  // version" in text


def test_several_models_share_a_resolver() -> None:
    first = using(OperatorCode(3, version=1), OperatorCode(9, version=2))
    second = using(OperatorCode(3, version=3), OperatorCode(25))
    text = resolver_source([first, second])
    assert "<3>" in text
    assert "AddConv2D());  // versions 1, 3" in text
    assert text.count("AddConv2D") == 1


def test_what_is_lacking_and_what_is_ones_own() -> None:
    model = using(
        OperatorCode(78),  # POW
        OperatorCode(32, 'My "op"\n??/', builtin_code=32),
        OperatorCode(32, "SignalWindow", builtin_code=32),
        OperatorCode(32, "CIRCULAR_BUFFER", builtin_code=32),
    )
    model.operator_codes.append(OperatorCode(0))  # type: ignore[union-attr]
    model.subgraphs[0].operators.append(Operator(opcode_index=77))  # type: ignore[index, union-attr]
    found = {each.name: each for each in registrations([model])}
    assert [name for name, each in found.items() if each.is_missing] == [
        "no operator code",
        "Pow",
    ]
    text = resolver_source([model])
    assert "<3>" in text
    assert "AddAdd()" not in text
    assert "resolver.AddWindow()" in text
    assert "resolver.AddCircularBuffer()" in text
    assert "const TFLMRegistration* Register_My__op_____();" in text
    assert 'AddCustom("My \\042op\\042\\012\\077\\077/"' in text
    assert "// TFLM lacks Pow: the model cannot run" in text


def test_names_that_c_cannot_tell_apart() -> None:
    names = ("a-b", "a_b", "a b", "a_b_2")
    text = resolver_source([using(*(OperatorCode(32, n, builtin_code=32) for n in names))])
    called = re.findall(r'AddCustom\("(.*)", (\w+)\(\)\)', text)
    assert sorted(name for name, _ in called) == sorted(names)
    functions = [function for _, function in called]
    assert len(set(functions)) == 4
    assert all(f"const TFLMRegistration* {each}();" in text for each in functions)


def test_real_models_name_only_methods_that_exist(models_folder: Path) -> None:
    assert len(METHODS) == 118
    for path in readable_models(models_folder):
        text = resolver_source([ts.load_model_from_file(path)], path.name)
        called = set(re.findall(r"resolver\.(\w+)\(", text)) - {"AddCustom"}
        assert called <= METHODS, path


@pytest.mark.parametrize("standard", ["c++14", "c++17"])
def test_it_compiles_and_has_room(standard: str, tmp_path: Path, models_folder: Path) -> None:
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed")
    methods = "\n".join(f"  TfLiteStatus {name}() {{ return Add(); }}" for name in METHODS)
    header = tmp_path / "tensorflow/lite/micro/micro_mutable_op_resolver.h"
    header.parent.mkdir(parents=True)
    header.write_text(STUB % methods)
    models = [ts.load_model_from_file(p) for p in every(10, readable_models(models_folder))]
    (tmp_path / "ops.h").write_text(resolver_source(models, "all of them\\"))
    own = [each for each in registrations(models) if each.is_own]
    assert own
    (tmp_path / "none.h").write_text(
        resolver_source([Model()])
        .replace("ModelOpResolver", "NoOps")
        .replace("RegisterOps", "No")
    )
    bodies = "".join(
        f"const TFLMRegistration* {name}() {{ return nullptr; }}\n"
        for name in re.findall(r"Register_\w+(?=\(\);)", (tmp_path / "ops.h").read_text())
    )
    (tmp_path / "main.cc").write_text(
        f'#include "ops.h"\n#include "none.h"\n{bodies}'
        "int main() { ModelOpResolver ops; NoOps none; "
        "return RegisterOps(ops) == kTfLiteOk && No(none) == kTfLiteOk ? 0 : 1; }\n"
    )
    flags = [f"-std={standard}", "-Wall", "-Wextra", "-Werror", "-I."]
    subprocess.run(
        ["g++", *flags, "main.cc", "-o", "main"], cwd=tmp_path, check=True, timeout=60
    )
    subprocess.run(["./main"], cwd=tmp_path, check=True, timeout=60)


def test_the_verb(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    sample = str(SAMPLES / "sine_int8.tflite")
    assert main(["resolver", sample, sample]) == 0
    assert "MicroMutableOpResolver<" in capsys.readouterr().out
    ts.save_model_to_file(using(OperatorCode(78)), tmp_path / "pow.tflite")
    assert main(["resolver", str(tmp_path / "pow.tflite"), "--json"]) == 0
    captured = capsys.readouterr()
    assert "TFLM lacks Pow" in captured.err
    assert json.loads(captured.out)[0]["is_missing"]
    assert main(["resolver", str(tmp_path / "none.tflite")]) == 2
