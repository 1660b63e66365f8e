# SPDX-License-Identifier: Apache-2.0
"""Runs one model on given inputs: `golden_worker.py ENGINE MODEL INPUTS OUTPUTS ARENA LIMIT`.

A program of its own, because an interpreter dies on some models. INPUTS and OUTPUTS are `.npz`
files with an array `CASE_INDEX` for each input and output; every case has an interpreter of
its own, so that none sees the state that another has left. LIMIT is the most memory it may
take, in bytes; 0 for no limit.
"""

import contextlib
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

MICRO, LITERT = "tflite_micro", "ai_edge_litert"
DONE = "@done"
ALLOCATED = "@allocated"
NO_PACKAGE = 3
REFUSED = 4


def limit_memory(limit: int) -> None:
    """Makes the system refuse this process more memory, where systems can do that."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (limit, most))


def say(line: str) -> None:
    """Prints a line at once: the next thing may be a crash."""
    sys.stdout.write(f"\n{line}\n")
    sys.stdout.flush()


def micro_outputs(
    model: bytes, inputs: list[Any], arena_size: int, *, tells: bool
) -> list[Any]:
    """The outputs of TFLM's interpreter."""
    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(model, arena_size=arena_size)
    if tells:
        interpreter.print_allocations()
        say(ALLOCATED)
    for index, values in enumerate(inputs):
        interpreter.set_input(values, index)
    interpreter.invoke()
    count = runtime.schema_fb.Model.GetRootAs(model, 0).Subgraphs(0).OutputsLength()
    return [np.array(interpreter.get_output(index)) for index in range(count)]


def litert_outputs(model: bytes, inputs: list[Any]) -> list[Any]:
    """The outputs of LiteRT's reference kernels."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        model_content=model,
        experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
        num_threads=1,
    )
    details = interpreter.get_input_details()
    for each, values in zip(details, inputs, strict=True):
        if tuple(each["shape"]) != values.shape:
            interpreter.resize_tensor_input(each["index"], values.shape)
    interpreter.allocate_tensors()
    for each, values in zip(details, inputs, strict=True):
        interpreter.set_tensor(each["index"], values)
    interpreter.invoke()
    return [interpreter.get_tensor(each["index"]) for each in interpreter.get_output_details()]


def cases_of(path: str) -> list[list[Any]]:
    """The arrays of each case, in order."""
    with np.load(path, allow_pickle=False) as arrays:
        count = int(arrays["cases"])
        found: list[list[Any]] = [[] for _ in range(count)]
        for name in sorted(set(arrays.files) - {"cases"}, key=_order):
            found[_order(name)[0]].append(arrays[name])
    return found


def _order(name: str) -> tuple[int, int]:
    case, _, index = name.partition("_")
    return int(case), int(index)


def main(arguments: list[str]) -> int:
    """Runs all cases and writes what came out."""
    engine, model, inputs, outputs = arguments[:4]
    arena, limit = int(arguments[4]), int(arguments[5])
    try:
        if engine == MICRO:
            import tflite_micro.python.tflite_micro.runtime  # noqa: F401

            say(f"@version {version('tflite-micro')}")
        else:
            import ai_edge_litert.interpreter  # noqa: F401

            say(f"@version {version('ai-edge-litert')}")
    except (ImportError, PackageNotFoundError):
        return NO_PACKAGE
    if limit:
        limit_memory(limit)
    data = Path(model).read_bytes()
    found = {}
    try:
        for case, arrays in enumerate(cases_of(inputs)):
            if engine == MICRO:
                made = micro_outputs(data, arrays, arena, tells=case == 0)
            else:
                made = litert_outputs(data, arrays)
            found.update({f"{case}_{index}": each for index, each in enumerate(made)})
        np.savez(outputs, **found)
        say(DONE)
    except Exception as error:  # whatever the package raises becomes a sentence
        sys.stderr.write(f"\n{type(error).__name__}: {error}\n")
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
