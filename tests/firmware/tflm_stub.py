# SPDX-License-Identifier: Apache-2.0
"""Declarations of TFLM that a bundle uses, enough to compile it and to play an interpreter.

The stub's interpreter answers from a table: the bytes of each case's outputs, in order.
"""

from __future__ import annotations

from pathlib import Path

COMMON = """
#pragma once
#include <cstddef>
#include <cstdint>
enum TfLiteStatus { kTfLiteOk = 0, kTfLiteError = 1 };
enum TfLiteType { kTfLiteNoType = 0, kTfLiteFloat32 = 1, kTfLiteInt32 = 2, kTfLiteUInt8 = 3,
  kTfLiteInt64 = 4, kTfLiteBool = 6, kTfLiteInt16 = 7, kTfLiteInt8 = 9, kTfLiteFloat16 = 10,
  kTfLiteFloat64 = 11, kTfLiteUInt64 = 13, kTfLiteUInt32 = 16, kTfLiteUInt16 = 17,
  kTfLiteInt4 = 18, kTfLiteBFloat16 = 19 };
union TfLitePtrUnion { char* raw; };
struct TfLiteTensor { TfLiteType type; TfLitePtrUnion data; std::size_t bytes; };
struct TFLMRegistration { int builtin_code; };
#define TF_LITE_ENSURE_STATUS(a) \\
  do { const TfLiteStatus s = (a); if (s != kTfLiteOk) return s; } while (0)
"""
INTERPRETER = """
#pragma once
#include "tensorflow/lite/c/common.h"
#include "tensorflow/lite/micro/micro_allocator.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/micro/micro_resource_variable.h"
#include "tensorflow/lite/schema/schema_generated.h"
#define TFLITE_SCHEMA_VERSION (3)
namespace tflite {
class MicroInterpreter {
 public:
  MicroInterpreter(const Model* model, const MicroOpResolver&, std::uint8_t*, std::size_t,
                   MicroResourceVariables* = nullptr);
  MicroInterpreter(const Model* model, const MicroOpResolver&, MicroAllocator*,
                   MicroResourceVariables* = nullptr);
  TfLiteStatus AllocateTensors();
  TfLiteStatus Invoke();
  TfLiteTensor* input(std::size_t index);
  TfLiteTensor* output(std::size_t index);
};
}
"""
FILES = {
    "c/common.h": COMMON,
    "micro/micro_interpreter.h": INTERPRETER,
    "micro/micro_allocator.h": """
#pragma once
#include <cstddef>
#include <cstdint>
namespace tflite { class MicroAllocator { public:
  static MicroAllocator* Create(std::uint8_t*, std::size_t); }; }
""",
    "micro/micro_resource_variable.h": """
#pragma once
#include "tensorflow/lite/micro/micro_allocator.h"
namespace tflite { class MicroResourceVariables { public:
  static MicroResourceVariables* Create(MicroAllocator*, int); }; }
""",
    "micro/micro_log.h": "#pragma once\nvoid MicroPrintf(const char* format, ...);\n",
    "micro/system_setup.h": "#pragma once\nnamespace tflite { void InitializeTarget(); }\n",
    "schema/schema_generated.h": """
#pragma once
namespace tflite {
struct Model { unsigned version() const; };
const Model* GetModel(const void* buffer);
}
""",
}


def write_stub(folder: Path, methods: set[str]) -> Path:
    """Writes the headers; returns the folder to include from.

    Args:
        folder: Where.
        methods: Of the resolver.
    """
    declared = "\n".join(f"  TfLiteStatus {name}();" for name in sorted(methods))
    resolver = (
        '#pragma once\n#include "tensorflow/lite/c/common.h"\nnamespace tflite {\n'
        "class MicroOpResolver {};\ntemplate <unsigned int N>\n"
        "class MicroMutableOpResolver : public MicroOpResolver {\n public:\n"
        "  TfLiteStatus AddCustom(const char*, const TFLMRegistration*);\n"
        f"{declared}\n}};\n}}\n"
    )
    for name, text in {**FILES, "micro/micro_mutable_op_resolver.h": resolver}.items():
        path = folder / "tensorflow" / "lite" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder
