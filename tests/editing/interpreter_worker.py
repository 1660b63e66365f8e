# SPDX-License-Identifier: Apache-2.0
"""Runs models in a reference interpreter: `interpreter_worker.py JOBS RESULTS`, both pickles.

A program of its own because interpreters die on some models. A job is a tuple: the engine,
"micro" or "lite", the bytes of the model, its inputs, or a seed to make some, and the tensors
of the main subgraph to look at. A result is None, or inputs, outputs and those tensors.
"""

import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np

ARENA_BYTES = 8 * 2**20


def made_input(rng: Any, shape: Any, dtype: Any) -> Any:
    shape, dtype = tuple(int(n) for n in shape), np.dtype(dtype)
    if dtype.kind == "f":
        return rng.normal(size=shape).astype(dtype)
    if dtype.kind == "b" or dtype.itemsize >= 4:
        return rng.integers(0, 2, shape).astype(dtype)
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)


def run_micro(data: bytes, given: Any, tensors: list[int]) -> Any:
    from tflite_micro.python.tflite_micro import runtime

    main = runtime.schema_fb.Model.GetRootAs(data, 0).Subgraphs(0)
    kind = runtime.InterpreterConfig
    config = kind.kPreserveAllTensors if tensors else kind.kAllocationRecording
    interpreter = runtime.Interpreter.from_bytes(
        data, arena_size=max(ARENA_BYTES, 30 * len(data)), intrepreter_config=config
    )
    rng = np.random.default_rng(given if isinstance(given, int) else 0)
    inputs = []
    for index in range(main.InputsLength()):
        details = interpreter.get_input_details(index)
        made = made_input(rng, details["shape"], details["dtype"])
        inputs.append(made if isinstance(given, int) else given[index])
        interpreter.set_input(inputs[-1], index)
    interpreter.invoke()
    outputs = [np.array(interpreter.get_output(k)) for k in range(main.OutputsLength())]
    seen = [np.array(interpreter.GetTensor(t, 0)["tensor_data"]) for t in tensors]
    return inputs, outputs, seen


def run_lite(data: bytes, given: Any, tensors: list[int]) -> Any:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        model_content=data,
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
    )
    interpreter.allocate_tensors()
    rng = np.random.default_rng(given if isinstance(given, int) else 0)
    inputs = []
    for index, details in enumerate(interpreter.get_input_details()):
        made = made_input(rng, details["shape"], details["dtype"])
        inputs.append(made if isinstance(given, int) else given[index])
        interpreter.set_tensor(details["index"], inputs[-1])
    interpreter.invoke()
    outputs = [
        np.array(interpreter.get_tensor(d["index"])) for d in interpreter.get_output_details()
    ]
    return inputs, outputs, [np.array(interpreter.get_tensor(t)) for t in tensors]


RUN = {"micro": run_micro, "lite": run_lite}


def main() -> None:
    jobs = pickle.loads(Path(sys.argv[1]).read_bytes())
    results: list[Any] = []
    for engine, data, given, tensors in jobs:
        try:
            results.append(RUN[engine](data, given, tensors))
        except (AttributeError, RuntimeError, TypeError, ValueError):
            results.append(None)
        Path(sys.argv[2]).write_bytes(pickle.dumps(results))


if __name__ == "__main__":
    main()
