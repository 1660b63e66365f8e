# SPDX-License-Identifier: Apache-2.0
"""Random models whose parts refer to each other in every way, and what each part refers to."""

import struct
from random import Random
from typing import Any

from tests.editing.random_edits import places
from tflm_studio.formats.compression_metadata import (
    Compression,
    LutTensor,
    encode_compression,
    parse_compression,
)
from tflm_studio.formats.control_dependencies import (
    encode_control_dependencies,
    parse_control_dependencies,
)
from tflm_studio.model.address import resolve
from tflm_studio.model.index_references import INDEX_FIELDS, Space
from tflm_studio.schema.tables import (
    BlockwiseQuantization,
    Buffer,
    IfOptions,
    Metadata,
    Model,
    Operator,
    OperatorCode,
    QuantizationParameters,
    SignatureDef,
    StablehloCaseOptions,
    SubGraph,
    Tensor,
    TensorMap,
    WhileOptions,
)

PLAN, DEPENDENCIES, COMPRESSED = (
    "OfflineMemoryAllocation",
    "model_control_dependencies",
    "COMPRESSION_METADATA",
)


def random_model(random: Random) -> Model:
    """A model with several subgraphs and all kinds of metadata; some indices name nothing."""
    buffers = [Buffer(), *(Buffer(data=b"buffer %d" % k) for k in range(random.randint(4, 8)))]
    counts = [random.randint(2, 6) for _ in range(random.randint(1, 3))]
    codes = [OperatorCode(builtin_code=32, custom_code=f"code {k}") for k in range(3)]
    model = Model(version=3, buffers=buffers, operator_codes=codes)
    model.subgraphs = [_subgraph(random, model, count, len(counts)) for count in counts]
    model.signature_defs = [
        SignatureDef(
            inputs=[TensorMap("x", random.randrange(counts[s]))],
            outputs=[TensorMap("y", random.randrange(counts[s]))],
            subgraph_index=s,
        )
        for s in range(len(counts))
    ]
    model.metadata_buffer = random.choice([None, [1, len(buffers)]])
    model.metadata = [Metadata("other", random.randrange(len(buffers)))]
    for name, data in _blobs(random, model).items():
        model.metadata.append(Metadata(name, len(buffers)))
        buffers.append(Buffer(data=data))
    random.shuffle(model.metadata)
    return model


def _subgraph(random: Random, model: Model, count: int, subgraphs: int) -> SubGraph:
    def tensor() -> int:
        return random.choice([random.randrange(count), random.randrange(count), count + 1])

    def some(smallest: int = 0) -> list[int]:
        return [tensor() for _ in range(random.randint(smallest, 4))]

    options = [
        None,
        IfOptions(random.randrange(subgraphs), subgraphs),
        WhileOptions(random.randrange(subgraphs), random.randrange(subgraphs)),
    ]
    return SubGraph(
        tensors=[
            Tensor(
                shape=[4],
                buffer=random.randrange(len(model.buffers or []) + 1),
                quantization=random.choice(
                    [None, QuantizationParameters(details=BlockwiseQuantization(tensor(), -1))]
                ),
            )
            for _ in range(count)
        ],
        inputs=some(),
        outputs=some(),
        operators=[
            Operator(
                opcode_index=random.randrange(4),
                inputs=[*some(), -1],
                outputs=random.choice([None, some()]),
                intermediates=random.choice([None, some()]),
                builtin_options=random.choice(options),
                builtin_options_2=random.choice([None, StablehloCaseOptions([0, 0])]),
            )
            for _ in range(random.randint(1, 5))
        ],
    )


def _blobs(random: Random, model: Model) -> dict[str, bytes]:
    subgraphs = model.subgraphs or []
    counts = [len(subgraph.tensors or []) for subgraph in subgraphs]
    offsets = [random.choice([-1, 64 * k]) for k in range(sum(counts))]
    edges, luts = [], []
    for s, subgraph in enumerate(subgraphs):
        operators = range(len(subgraph.operators or []))
        edges.append(
            [(a, b) for a in operators for b in operators if a < b and random.random() < 0.5]
        )
        chosen = [t for t in range(counts[s]) if random.random() < 0.4]
        luts.append(
            tuple(LutTensor(t, random.randrange(len(model.buffers or [])), 4) for t in chosen)
        )
    return {
        PLAN: struct.pack(f"<{3 + len(offsets)}i", 1, len(counts), len(offsets), *offsets),
        DEPENDENCIES: encode_control_dependencies(edges),
        COMPRESSED: encode_compression(Compression(1, tuple(luts))),
    }


def metadata_bytes(model: Model, name: str) -> bytes | None:
    """Content of the metadata of a name."""
    for entry in model.metadata or []:
        if entry.name == name:
            return bytes((model.buffers or [])[entry.buffer].data or b"")
    return None


_SPACES = {(field.table, field.name): field.space for field in INDEX_FIELDS}


def links(model: Model) -> dict[Any, Any]:
    """For each place that refers to something the objects it refers to, or -1 or None."""
    found: dict[Any, Any] = {}
    for address, row, value in places(model):
        holder = resolve(model, address[:-1])
        space = _SPACES.get((type(holder), row.name))
        if space is None or value is None:
            continue
        if isinstance(holder, Metadata) and holder.name in (PLAN, DEPENDENCIES, COMPRESSED):
            continue  # a blob whose buffer is shared moves to one of its own
        if isinstance(holder, Tensor) and value < len(model.buffers or []):
            found["data", id(holder)] = bytes((model.buffers or [])[value].data or b"")
        items = _items(model, space, address)
        indices = value if isinstance(value, list) else [value]
        found[id(holder), row.name] = tuple(
            id(items[k]) if 0 <= k < len(items) else -1 if k == -1 else None for k in indices
        )
    return {**found, **_links_of_metadata(model)}


def _items(model: Model, space: Space, address: Any) -> list[Any]:
    if not space.is_per_subgraph:
        return getattr(model, space.value) or []
    subgraphs = model.subgraphs or []
    index = address[1]
    if address[0] == "signature_defs":
        index = (model.signature_defs or [])[index].subgraph_index
    return getattr(subgraphs[index], space.value) or [] if index < len(subgraphs) else []


def _links_of_metadata(model: Model) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    subgraphs, buffers = model.subgraphs or [], model.buffers or []
    data = metadata_bytes(model, PLAN)
    if data is not None:
        tensors = [tensor for subgraph in subgraphs for tensor in subgraph.tensors or []]
        words = struct.unpack(f"<{len(data) // 4}i", data)
        assert words[1:3] == (len(subgraphs), len(tensors))
        found |= {(PLAN, id(t)): w for t, w in zip(tensors, words[3:], strict=True)}
    data = metadata_bytes(model, DEPENDENCIES)
    if data is not None:
        for subgraph, edges in zip(subgraphs, parse_control_dependencies(data), strict=True):
            operators = [id(operator) for operator in subgraph.operators or []]
            found |= {(DEPENDENCIES, operators[a], operators[b]): True for a, b in edges}
    data = metadata_bytes(model, COMPRESSED)
    if data is not None:
        for k, luts in enumerate(parse_compression(data).subgraphs):
            for lut in luts:
                tensor = (subgraphs[k].tensors or [])[lut.tensor]
                found[COMPRESSED, id(tensor)] = (id(buffers[lut.value_buffer]),)
    return found
