// SPDX-License-Identifier: Apache-2.0
// Verdicts of the C++ flatbuffers::Verifier: reads buffers from the standard input, each behind
// its length (4 bytes, little-endian), and prints "1" for a sound model, "0" for any other.

#include <cstdint>
#include <cstdio>
#include <vector>

#include "schema_generated.h"

static_assert(sizeof(void*) == 8, "the Verifier must not wrap around at 4 GB");

static bool IsSound(const std::vector<uint8_t>& buffer) {
  flatbuffers::Verifier verifier(buffer.data(), buffer.size(), flatbuffers::Verifier::Options());
  return tflite::VerifyModelBuffer(verifier);
}

int main() {
  uint8_t head[4];
  while (std::fread(head, 1, sizeof head, stdin) == sizeof head) {
    const uint32_t size = head[0] | head[1] << 8 | head[2] << 16 | uint32_t{head[3]} << 24;
    std::vector<uint8_t> buffer(size);
    if (std::fread(buffer.data(), 1, size, stdin) != size) return 1;
    std::putchar(IsSound(buffer) ? '1' : '0');
  }
  return 0;
}
