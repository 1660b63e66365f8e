# SPDX-License-Identifier: Apache-2.0
"""The parts of `model_test.cc` that no model changes. `@` marks what is put in."""

HEAD = """
@ABOUT
//
// Prints PASS or the first difference, and returns 0 or 1. On a board without a console, look
// at what main returns.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "model.h"
#include "model_ops.h"
#include "model_settings.h"
#include "tensorflow/lite/c/common.h"
#include "tensorflow/lite/micro/micro_allocator.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_log.h"
#include "tensorflow/lite/micro/micro_resource_variable.h"
#include "tensorflow/lite/micro/system_setup.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace {

// How far outputs may be from the golden ones. Integers are exact with TFLM's reference
// kernels and with CMSIS-NN; another library may round the other way: allow it 1.
constexpr int kIntegerTolerance = @STEPS;
constexpr double kRelativeTolerance = @RELATIVE;
constexpr double kAbsoluteTolerance = @ABSOLUTE;

alignas(16) std::uint8_t g_arena[@NSkTensorArenaSize];
"""

START = """
bool IsReady(tflite::MicroInterpreter& interpreter) {
  if (interpreter.AllocateTensors() != kTfLiteOk) {
    MicroPrintf("FAIL: the tensors do not fit into the arena, or an operator is missing");
    return false;
  }
  return true;
}

bool Invoke(int number, tflite::MicroInterpreter& interpreter) {
  if (interpreter.Invoke() != kTfLiteOk) {
    MicroPrintf("FAIL: case %d does not run", number);
    return false;
  }
  return true;
}
"""

SHAPE_CHECK = """
bool HasShape(const TfLiteTensor* tensor, const char* what, int index, TfLiteType type,
              std::size_t bytes) {
  if (tensor == nullptr || tensor->type != type || tensor->bytes != bytes) {
    MicroPrintf("FAIL: %s %d has another type or size than model_settings.h says", what,
                index);
    return false;
  }
  return true;
}
"""

FILL_INPUT = """
template <typename T>
bool FillInput(tflite::MicroInterpreter& interpreter, int index, T value) {
  TfLiteTensor* tensor = interpreter.input(index);
  for (std::size_t k = 0; k + sizeof(T) <= tensor->bytes; k += sizeof(T)) {
    std::memcpy(tensor->data.raw + k, &value, sizeof(T));
  }
  return true;
}
"""

SET_INPUT = """
template <typename T, std::size_t N>
bool SetInput(tflite::MicroInterpreter& interpreter, int index, const T (&values)[N]) {
  TfLiteTensor* tensor = interpreter.input(index);
  if (tensor->bytes != sizeof(values)) {
    MicroPrintf("FAIL: input %d has another size than its golden vector", index);
    return false;
  }
  std::memcpy(tensor->data.raw, values, sizeof(values));
  return true;
}
"""

MAKE_INPUT = """
// The hash of a position from which the golden inputs were made.
std::uint32_t Hash(std::uint32_t x) {
  x ^= x >> 16;
  x *= 0x85ebca6bu;
  x ^= x >> 13;
  x *= 0xc2b2ae35u;
  return x ^ (x >> 16);
}

template <typename T>
T ValueOf(std::uint32_t hash) {
  if (std::is_floating_point<T>::value) {
    return static_cast<T>(static_cast<double>(hash >> 8) / 8388608.0 - 1.0);
  }
  if (std::is_same<T, bool>::value || sizeof(T) > 2) {
    return static_cast<T>(hash & 1u);
  }
  const std::int32_t low = static_cast<std::int32_t>(std::numeric_limits<T>::min());
  return static_cast<T>(static_cast<std::int32_t>(hash >> (sizeof(T) == 1 ? 24 : 16)) + low);
}

template <typename T>
bool MakeInput(tflite::MicroInterpreter& interpreter, int index, std::uint32_t seed) {
  TfLiteTensor* tensor = interpreter.input(index);
  std::uint32_t position = seed;
  for (std::size_t k = 0; k + sizeof(T) <= tensor->bytes; k += sizeof(T)) {
    const T value = ValueOf<T>(Hash(position++));
    std::memcpy(tensor->data.raw + k, &value, sizeof(T));
  }
  return true;
}
"""

HASHED = """
// Whether all of an output is as it was: FNV-1a of its bytes. Says nothing with a tolerance.
bool HasHash(int number, tflite::MicroInterpreter& interpreter, int index,
             std::uint32_t wanted) {
  const TfLiteTensor* tensor = interpreter.output(index);
  std::uint32_t hash = 0x811c9dc5u;
  for (std::size_t k = 0; k < tensor->bytes; ++k) {
    hash = (hash ^ static_cast<std::uint8_t>(tensor->data.raw[k])) * 0x01000193u;
  }
  if (hash != wanted && kIntegerTolerance == 0) {
    MicroPrintf("FAIL: case %d, output %d: differs behind the values that are stored", number,
                index);
    return false;
  }
  return true;
}
"""

CLOSE = """
template <typename T>
bool IsClose(T wanted, T got) {
  if (wanted == got) {
    return true;
  }
  const double a = static_cast<double>(wanted);
  const double b = static_cast<double>(got);
  if (std::is_floating_point<T>::value) {
    if (std::isnan(a) || std::isnan(b)) {
      return std::isnan(a) && std::isnan(b);
    }
    return std::isfinite(a) &&
           std::fabs(a - b) <= kAbsoluteTolerance + kRelativeTolerance * std::fabs(a);
  }
  return kIntegerTolerance > 0 && std::fabs(a - b) <= kIntegerTolerance;
}
"""

CHECK_OUTPUT = """
template <typename T, std::size_t N>
bool IsNear(int number, tflite::MicroInterpreter& interpreter, int index,
            const T (&wanted)[N], std::size_t bytes) {
  const TfLiteTensor* tensor = interpreter.output(index);
  if (tensor == nullptr || tensor->bytes != bytes) {
    MicroPrintf("FAIL: case %d, output %d has another size than its golden vector", number,
                index);
    return false;
  }
  for (std::size_t k = 0; k < N; ++k) {
    T got;
    std::memcpy(&got, tensor->data.raw + k * sizeof(T), sizeof(T));
    if (!IsClose(wanted[k], got)) {
      MicroPrintf("FAIL: case %d, output %d, value %d: wanted %f, got %f", number, index,
                  static_cast<int>(k), static_cast<double>(wanted[k]),
                  static_cast<double>(got));
      return false;
    }
  }
  return true;
}
"""

MAIN = """
}  // namespace

int main() {
  tflite::InitializeTarget();
  const tflite::Model* model = tflite::GetModel(@SYMBOL);
  if (model->version() != TFLITE_SCHEMA_VERSION) {
    MicroPrintf("FAIL: this TFLM reads another version of the schema");
    return 1;
  }
  @NSModelOpResolver resolver;
  if (@NSRegisterOps(resolver) != kTfLiteOk) {
    MicroPrintf("FAIL: not all operators can be registered");
    return 1;
  }
  int failed = 0;
@CALLS
  if (failed == 0) {
    MicroPrintf(@PASSED);
  }
  return failed == 0 ? 0 : 1;
}
"""
