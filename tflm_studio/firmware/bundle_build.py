# SPDX-License-Identifier: Apache-2.0
"""`CMakeLists.txt`, `README.md` and `bundle.sha256` of a bundle."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from tflm_studio.firmware.bundle_facts import MADE, BundleFacts
from tflm_studio.firmware.c_text import comment_text
from tflm_studio.model.excerpts import excerpt
from tflm_studio.model.place_names import plural
from tflm_studio.runtime.golden_inputs import End

NAME_CHARACTERS = 120
_CMAKE = """\
# Build of @TITLE for TensorFlow Lite Micro. @MADE.
#
# In a firmware:
#   add_subdirectory(this_folder)
#   target_link_libraries(firmware PRIVATE @NAME)
#
# The test needs TFLM, in one of two ways:
#   - a target `tflite-micro` that the firmware's build defines before this folder, or
#   - cmake -B build -DTFLM_DIR=/path/to/tflite-micro, after
#     `make -f tensorflow/lite/micro/tools/make/Makefile microlite` there.
# Then: cmake --build build && ctest --test-dir build --output-on-failure

cmake_minimum_required(VERSION 3.16)
project(@NAME LANGUAGES CXX)

# The model alone: needs no TFLM.
add_library(@NAME STATIC model.cc)
target_include_directories(@NAME PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
target_compile_features(@NAME PUBLIC cxx_std_14)

set(TFLM_DIR "" CACHE PATH "Checkout of tflite-micro in which microlite was built")
# Kernels of custom operators that model_ops.h declares, if there are any.
set(@NAME_KERNELS "" CACHE STRING "Sources with the kernels of custom operators")

if(NOT TARGET tflite-micro AND TFLM_DIR)
  file(GLOB_RECURSE TFLM_LIBRARIES "${TFLM_DIR}/gen/*/libtensorflow-microlite.a")
  if(NOT TFLM_LIBRARIES)
    message(FATAL_ERROR "No libtensorflow-microlite.a below ${TFLM_DIR}/gen: build microlite")
  endif()
  list(GET TFLM_LIBRARIES 0 TFLM_LIBRARY)
  set(TFLM_DOWNLOADS "${TFLM_DIR}/tensorflow/lite/micro/tools/make/downloads")
  add_library(tflite-micro STATIC IMPORTED GLOBAL)
  set_target_properties(tflite-micro PROPERTIES IMPORTED_LOCATION "${TFLM_LIBRARY}")
  target_include_directories(tflite-micro INTERFACE
    "${TFLM_DIR}" "${TFLM_DOWNLOADS}/flatbuffers/include" "${TFLM_DOWNLOADS}/gemmlowp")
  # TFLM's structures are laid out by this: it must be the same as in its library.
  target_compile_definitions(tflite-micro INTERFACE TF_LITE_STATIC_MEMORY)
endif()

if(TARGET tflite-micro)
  enable_testing()
  add_executable(@NAME_test model_test.cc ${@NAME_KERNELS})
  target_compile_features(@NAME_test PRIVATE cxx_std_17)
  target_link_libraries(@NAME_test PRIVATE @NAME tflite-micro)
  if(UNIX AND NOT CMAKE_CROSSCOMPILING)
    target_link_libraries(@NAME_test PRIVATE m)
  endif()
  add_test(NAME @NAME COMMAND @NAME_test)
else()
  message(STATUS "@NAME: no TFLM (TFLM_DIR or a target tflite-micro), so no test")
endif()
"""

_FILES = (
    ("model.cc, model.h", "the model as an array, aligned to 16 bytes"),
    ("model_ops.h", "registers the operators it uses, and no more"),
    ("model_settings.h", "arena size, shapes, types, scales and zero points, labels"),
    ("model_test.cc", "runs it and compares with golden vectors"),
    ("CMakeLists.txt", "a library with the model, and the test"),
    ("bundle.sha256", "digests: what you have changed is not replaced unasked"),
)


def cmake_source(facts: BundleFacts) -> str:
    """The build; the model's library needs no TFLM, the test does."""
    text = _CMAKE.replace("@TITLE", comment_text(facts.title)).replace("@MADE", MADE)
    return text.replace("@NAME", facts.name)


def readme_source(facts: BundleFacts, notes: list[str]) -> str:
    """What is in the folder and how to use it, on one page."""
    code = facts.namespace or "the global namespace"
    lines = [
        f"# {_text(facts.title)}",
        "",
        f"{facts.size:,} bytes, SHA-256 `{facts.sha256}`. {MADE}.",
        "",
        *(f"- `{name}`: {about}" for name, about in _FILES),
        "",
        "## Build",
        "",
        "```sh",
        "cmake -B build -DTFLM_DIR=/path/to/tflite-micro",
        "cmake --build build",
        "ctest --test-dir build --output-on-failure",
        "```",
        "",
        f"In a firmware, link the target `{facts.name}`; the names stand in `{code}`. All "
        "sources compile as C++14 and C++17; TFLM itself needs C++17.",
        "",
        "## Memory",
        "",
        f"`kTensorArenaSize` is {facts.arena.size:,} bytes. {' '.join(facts.arena.lines)}",
        "",
        "## Inputs and outputs",
        "",
        *(_end("input", each) for each in facts.inputs),
        *(_end("output", each) for each in facts.outputs),
        "",
        "## Operators",
        "",
        ", ".join(
            f"{_text(excerpt(each.name, NAME_CHARACTERS))} "
            f"(version {', '.join(map(str, each.versions)) or 'unknown'})"
            for each in facts.operators
        )
        or "None.",
        "",
        "## Test",
        "",
        _test(facts),
    ]
    if notes:
        lines += ["", "## Notes", "", *(f"- {_text(note)}" for note in notes)]
    return "\n".join(lines) + "\n"


def digests_source(files: Iterable[tuple[str, bytes]]) -> bytes:
    """The digests of files, as `sha256sum --check` reads them."""
    lines = (f"{sha256(data).hexdigest()}  {name}\n" for name, data in files)
    return "".join(lines).encode()


def _test(facts: BundleFacts) -> str:
    vectors = facts.vectors
    if vectors is None:
        return (
            f"There are no golden vectors, the test only runs the model: {_text(facts.reason)}"
        )
    titles = "; ".join(case.title for case in vectors.cases)
    return (
        f"The golden vectors are those of {vectors.engine} {_text(vectors.version)}: {titles}."
        " Integers must be the same, floats nearly; the tolerances stand at the top of "
        "`model_test.cc`."
    )


def _end(what: str, end: End) -> str:
    shape = "×".join(map(str, end.shape)) or "scalar"
    real = f", scale {end.scale:.9g}, zero point {end.zero_point}" if end.scale else ""
    named = f" `{_text(excerpt(end.name, NAME_CHARACTERS))}`" if end.name else ""
    size = plural(end.nbytes, "byte")
    return f"- {what} {end.index}{named}: {end.kind.name} {shape}, {size}{real}"


def _text(text: str) -> str:
    """A text from a model in Markdown: one line, no marks of its own."""
    return comment_text(text).replace("`", "'").replace("<", "&lt;")
