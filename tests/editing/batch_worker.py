# SPDX-License-Identifier: Apache-2.0
"""Runs pairs of models in LiteRT: one, and one that takes two of its inputs at once.

A program of its own because the interpreter dies on some models: `batch_worker.py FILES`
prints for each pair `same`, `differs`, or `refused` if a model does not run.
"""

import sys
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

TOLERANCE = 1e-4


def some(rng: np.random.Generator, details: Any) -> NDArray[Any]:
    """Values of the whole range, but 0 and 1 for types that may hold an index."""
    shape, dtype = tuple(details["shape"]), np.dtype(details["dtype"])
    if dtype.kind == "f":
        return rng.normal(size=shape).astype(dtype)
    if dtype.kind not in "iu" or dtype.itemsize >= 4:
        return rng.integers(0, 2, shape).astype(dtype)
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)


def twice(values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    return values if values.shape == shape else np.concatenate([values, values])


def are_same(one: Any, two: Any) -> bool:
    rng = np.random.default_rng(0)
    for interpreter in (one, two):
        interpreter.allocate_tensors()
    for small, large in zip(one.get_input_details(), two.get_input_details(), strict=True):
        values = some(rng, small)
        one.set_tensor(small["index"], values)
        two.set_tensor(large["index"], twice(values, tuple(large["shape"])))
    one.invoke()
    two.invoke()
    for small, large in zip(one.get_output_details(), two.get_output_details(), strict=True):
        wanted, found = one.get_tensor(small["index"]), two.get_tensor(large["index"])
        wanted = wanted if wanted.size == found.size else np.concatenate([wanted, wanted])
        # The stored shape is the one that LiteRT makes.
        if found.shape != tuple(large["shape"]) or wanted.size != found.size:
            return False
        tolerance = TOLERANCE if wanted.dtype.kind == "f" else 0
        flat = wanted.reshape(found.shape)
        if not np.allclose(flat, found, rtol=tolerance, atol=tolerance, equal_nan=True):
            return False
    return True


def main() -> None:
    for one, two in zip(sys.argv[1::2], sys.argv[2::2], strict=True):
        try:
            outcome = "same" if are_same(Interpreter(one), Interpreter(two)) else "differs"
        except (RuntimeError, TypeError, ValueError):
            outcome = "refused"
        sys.stdout.write(outcome + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
