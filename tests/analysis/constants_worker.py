# SPDX-License-Identifier: Apache-2.0
"""Compares our values of constants with LiteRT's, a JSON line for each model.

Runs in a process of its own: the interpreter ends it where a model is unsound.
"""

import json
import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

import tflm_studio as ts


def compare(path: str) -> None:
    model = ts.load_model_from_file(path)
    plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    same, other = 0, []
    try:
        interpreter = Interpreter(model_path=path, experimental_op_resolver_type=plain)
        interpreter.allocate_tensors()
    except (RuntimeError, ValueError):
        return
    for index, tensor in enumerate(model.subgraphs[0].tensors or []):
        if not len(model.buffers[tensor.buffer].data or b""):
            continue
        try:
            ours = ts.values(model, ("subgraphs", 0, "tensors", index))
            theirs = interpreter.get_tensor(index)
        except (ts.EditError, ValueError):
            continue
        if ours.dtype == object:
            is_same = ours.tolist() == theirs.tolist()
        else:
            is_same = ours.shape == theirs.shape and np.array_equal(
                ours, theirs.astype(ours.dtype), equal_nan=ours.dtype.kind in "fc"
            )
        same += is_same
        other += [] if is_same else [index]
    sys.stdout.write(json.dumps({"path": path, "same": same, "other": other}) + "\n")
    sys.stdout.flush()


for name in sys.argv[1:]:
    compare(name)
