# SPDX-License-Identifier: Apache-2.0
"""Runs pairs of models in LiteRT: one, and one that takes two of its inputs at once.

A program of its own because the interpreter dies on some models: `batch_worker.py FILES`
prints for each pair `same` or `differs`; `refused` if the first model does not run, `broken`
if only the second does not.
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


FAILURES = (RuntimeError, TypeError, ValueError)


def outcome(one: str, two: str) -> str:
    values: list[NDArray[Any]] = []
    try:
        wanted = outputs(one, values)
    except FAILURES:
        return "refused"
    try:
        found = outputs(two, values)
    except FAILURES:
        return "broken"
    return "same" if all(map(are_same, wanted, found)) else "differs"


def outputs(path: str, values: list[NDArray[Any]]) -> list[tuple[Any, NDArray[Any]]]:
    """Stored shape and values of each output; the values of inputs are made or used twice."""
    interpreter = Interpreter(path)
    interpreter.allocate_tensors()
    rng = np.random.default_rng(0)
    inputs = interpreter.get_input_details()
    values += [some(rng, details) for details in inputs[len(values) :]]
    for details, given in zip(inputs, values, strict=True):
        interpreter.set_tensor(details["index"], twice(given, tuple(details["shape"])))
    stored = [(tuple(d["shape"]), d["index"]) for d in interpreter.get_output_details()]
    interpreter.invoke()
    return [(shape, interpreter.get_tensor(index)) for shape, index in stored]


def are_same(one: tuple[Any, NDArray[Any]], two: tuple[Any, NDArray[Any]]) -> bool:
    wanted, (shape, found) = one[1], two
    if wanted.size != found.size and wanted.ndim:
        wanted = np.concatenate([wanted, wanted])
    # The stored shape is the one that LiteRT makes.
    if found.shape != shape or wanted.size != found.size:
        return False
    tolerance = TOLERANCE if wanted.dtype.kind == "f" else 0
    flat = wanted.reshape(found.shape)
    return np.allclose(flat, found, rtol=tolerance, atol=tolerance, equal_nan=True)


def main() -> None:
    for one, two in zip(sys.argv[1::2], sys.argv[2::2], strict=True):
        sys.stdout.write(outcome(one, two) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
