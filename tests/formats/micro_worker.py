# SPDX-License-Identifier: Apache-2.0
"""Runs models in the TFLM reference interpreter and prints a digest of each one's outputs.

A program of its own because the interpreter dies on some models: `micro_worker.py SEED FILES`
prints `start INDEX` before each file, then `done INDEX DIGEST` or `refused INDEX`.
"""

import hashlib
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tflite_micro.python.tflite_micro import runtime

ARENA_BYTES = 4 * 2**20
SECONDS_PER_MODEL = 20


def random_input(rng: np.random.Generator, details: Any) -> NDArray[Any]:
    """Values of the whole range, but 0 and 1 for types that may hold an index."""
    shape, dtype = tuple(details["shape"]), np.dtype(details["dtype"])
    if dtype.kind == "f":
        return rng.normal(size=shape).astype(dtype)
    if dtype.kind == "b" or dtype.itemsize >= 4:
        return rng.integers(0, 2, shape).astype(dtype)
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)


def digest_of(data: bytes, seed: int) -> str:
    model = runtime.schema_fb.Model.GetRootAs(data, 0)
    main = model.Subgraphs(0)
    size = max(ARENA_BYTES, 10 * len(data))
    interpreter = runtime.Interpreter.from_bytes(data, arena_size=size)
    digest = hashlib.sha256()
    rng = np.random.default_rng(seed)
    for index in range(main.InputsLength()):
        details = interpreter.get_input_details(index)
        interpreter.set_input(random_input(rng, details), index)
    interpreter.invoke()
    for index in range(main.OutputsLength()):
        output = interpreter.get_output(index)
        digest.update(f"{output.dtype.str}{output.shape}".encode() + output.tobytes())
    return digest.hexdigest()


def report(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    seed, paths = int(sys.argv[1]), sys.argv[2:]
    for index, path in enumerate(paths):
        report(f"start {index}")
        # No handler: the signal ends a process that is stuck in the interpreter.
        signal.alarm(SECONDS_PER_MODEL)
        try:
            outcome = f"done {index} {digest_of(Path(path).read_bytes(), seed)}"
        except (AttributeError, RuntimeError, TypeError, ValueError):
            outcome = f"refused {index}"
        report(outcome)


if __name__ == "__main__":
    main()
