# SPDX-License-Identifier: Apache-2.0
"""A model at a glance: what `tflm-studio info` prints, as data and as text."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from tflm_studio.analysis.opening import opening_notes
from tflm_studio.formats.flatbuffer_reader import Origin
from tflm_studio.model.graph import data_bytes, describe_tensor
from tflm_studio.model.operators import (
    find_tensor,
    operator_args,
    operator_name,
    split_inputs,
)
from tflm_studio.model.tensor_types import element_type
from tflm_studio.schema.tables import Buffer, Model, Operator, SubGraph, Tensor

Json = dict[str, Any]


def summarize(model: Model) -> Json:
    """The model as JSON values; numbers that JSON lacks (nan, inf) are strings."""
    origin = model.extra if isinstance(model.extra, Origin) else None
    return {
        "version": model.version,
        "description": model.description,
        "file_size": len(origin.data) if origin else None,
        "subgraphs": [_subgraph(model, subgraph) for subgraph in model.subgraphs or []],
        "buffers": [
            _buffer(index, buffer, origin) for index, buffer in enumerate(model.buffers or [])
        ],
        "metadata": [
            {"name": entry.name, "size": _buffer_size(model, entry.buffer)}
            for entry in model.metadata or []
        ],
        "associated_files": [
            {"name": file.name, "size": data_bytes(file.data)}
            for file in model.associated_files or []
        ],
        "signatures": [
            {
                "key": signature.signature_key,
                "subgraph": signature.subgraph_index,
                "inputs": _tensor_map(signature.inputs),
                "outputs": _tensor_map(signature.outputs),
            }
            for signature in model.signature_defs or []
        ],
    }


def _subgraph(model: Model, subgraph: SubGraph) -> Json:
    return {
        "name": subgraph.name,
        "inputs": subgraph.inputs or [],
        "outputs": subgraph.outputs or [],
        "operators": [
            _operator(model, subgraph, index, operator)
            for index, operator in enumerate(subgraph.operators or [])
        ],
        "tensors": [
            _tensor(index, tensor) for index, tensor in enumerate(subgraph.tensors or [])
        ],
    }


def _operator(model: Model, subgraph: SubGraph, index: int, operator: Operator) -> Json:
    parts, indices = split_inputs(model, subgraph, operator), operator.inputs or []
    return {
        "index": index,
        "name": operator_name(model, operator),
        "args": operator_args(model, subgraph, operator),
        "inputs": [indices[k] for k in parts.inputs],
        "outputs": operator.outputs or [],
        "weights": [indices[k] for k in parts.weights + parts.biases],
    }


def _tensor(index: int, tensor: Tensor) -> Json:
    quantization = tensor.quantization
    return {
        "index": index,
        "name": tensor.name,
        "shape": tensor.shape or [],
        "type": element_type(tensor.type).name,
        "buffer": tensor.buffer,
        "scale": list(map(_number, (quantization and quantization.scale) or [])),
        "zero_point": (quantization and quantization.zero_point) or [],
    }


def _buffer(index: int, buffer: Buffer, origin: Origin | None) -> Json:
    offset = origin.offset_of(buffer.data) if origin else None
    return {
        "index": index,
        "size": data_bytes(buffer.data),
        "offset": offset,
        "aligned": None if offset is None else offset % 16 == 0,
    }


def _buffer_size(model: Model, buffer_index: int) -> int:
    buffers = model.buffers or []
    return data_bytes(buffers[buffer_index].data) if buffer_index < len(buffers) else 0


def _tensor_map(entries: list[Any] | None) -> list[Json]:
    return [{"name": entry.name, "tensor": entry.tensor_index} for entry in entries or []]


def _number(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


def describe_model(model: Model, name: str) -> Iterator[str]:
    """The model in lines for a terminal.

    Args:
        model: What to describe.
        name: What the first line calls it.
    """
    facts = summarize(model)
    size = "" if facts["file_size"] is None else f"{facts['file_size']:,} bytes, "
    yield f"{name}: {size}schema version {facts['version']}"
    if facts["description"]:
        yield f"description  {facts['description']}"
    for index, (subgraph, shown) in enumerate(
        zip(model.subgraphs or [], facts["subgraphs"], strict=True)
    ):
        yield ""
        yield from _subgraph_lines(index, subgraph, shown)
    yield ""
    yield from _buffer_lines(facts)
    for entry in facts["metadata"]:
        yield f"metadata     {entry['name']}, {entry['size']:,} bytes"
    for signature in facts["signatures"]:
        names = ", ".join(str(each["name"]) for each in signature["inputs"])
        results = ", ".join(str(each["name"]) for each in signature["outputs"])
        yield f"signature    {signature['key']}: {names} → {results}"
    for file in facts["associated_files"]:
        yield f"file         {file['name']}, {file['size']:,} bytes"
    for note in opening_notes(model):
        yield f"note         {note}"


def _subgraph_lines(index: int, subgraph: SubGraph, shown: Json) -> Iterator[str]:
    count, tensors = len(shown["operators"]), len(shown["tensors"])
    title = f"subgraph {index}" + (f" {shown['name']}" if shown["name"] else "")
    yield f"{title}: {count} operators, {tensors} tensors"
    for kind in ("inputs", "outputs"):
        for tensor_index in shown[kind]:
            tensor = find_tensor(subgraph, tensor_index)
            text = describe_tensor(tensor) if tensor else "no such tensor"
            yield f"  {kind[:-1]:<7}{tensor_index:>4}  {text}"
    if count:
        yield from _aligned(_operator_rows(shown["operators"]))


def _operator_rows(operators: list[Json]) -> Iterator[tuple[str, ...]]:
    yield ("#", "Name", "Args", "Inputs", "Outputs", "Weights")
    for each in operators:
        lists = (" ".join(map(str, each[key])) for key in ("inputs", "outputs", "weights"))
        yield (
            str(each["index"]),
            each["name"],
            each["args"] or "-",
            *(t or "-" for t in lists),
        )


def _aligned(rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    table = list(rows)
    widths = [min(40, max(map(len, column))) for column in zip(*table, strict=True)]
    for row in table:
        first = row[0].rjust(widths[0])
        rest = (text.ljust(width) for text, width in zip(row[1:], widths[1:], strict=True))
        yield "  " + "  ".join((first, *rest)).rstrip()


def _buffer_lines(facts: Json) -> Iterator[str]:
    filled = [buffer for buffer in facts["buffers"] if buffer["size"]]
    total = sum(buffer["size"] for buffer in filled)
    text = f"buffers      {len(facts['buffers'])}, {len(filled)} with data, {total:,} bytes"
    crooked = sum(buffer["aligned"] is False for buffer in filled)
    if crooked:
        text += f"; {crooked} not 16-byte aligned in this file (saving a change aligns them)"
    yield text
