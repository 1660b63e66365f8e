# SPDX-License-Identifier: Apache-2.0
"""Runs one model in TFLM's recording interpreter: `arena_worker.py FILE BYTES LIMIT`.

A program of its own, because the interpreter dies on some models. It prints a line for each
thing it has done, and the interpreter's own lines go to stderr. LIMIT is the most memory it
may take, in bytes; 0 for no limit.
"""

import contextlib
import sys
from pathlib import Path

import numpy as np

STARTED, ALLOCATED, INVOKED = "@started", "@allocated", "@invoked"
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


def fill_inputs(runtime: object, interpreter: object, data: bytes) -> None:
    """Sets all inputs to zeros."""
    main = runtime.schema_fb.Model.GetRootAs(data, 0).Subgraphs(0)  # type: ignore[attr-defined]
    for index in range(main.InputsLength()):
        details = interpreter.get_input_details(index)  # type: ignore[attr-defined]
        zeros = np.zeros(tuple(details["shape"]), details["dtype"])
        interpreter.set_input(zeros, index)  # type: ignore[attr-defined]


def main(path: str, arena_size: int, limit: int) -> int:
    """Allocates, tells what was allocated, and invokes."""
    try:
        from tflite_micro.python.tflite_micro import runtime
    except ImportError:
        return NO_PACKAGE
    if limit:
        limit_memory(limit)
    data = Path(path).read_bytes()
    say(STARTED)
    try:
        interpreter = runtime.Interpreter.from_bytes(data, arena_size=arena_size)
        interpreter.print_allocations()
        say(ALLOCATED)
        fill_inputs(runtime, interpreter, data)
        interpreter.invoke()
        say(INVOKED)
    except Exception as error:  # whatever the package raises becomes a sentence
        sys.stderr.write(f"\n{type(error).__name__}: {error}\n")
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
