# SPDX-License-Identifier: Apache-2.0
"""What COMPRESSION_METADATA says of tensors that are copied, or get data of another form."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tflm_studio.analysis.compressed_tensors import find_compression
from tflm_studio.editing import metadata_entries
from tflm_studio.editing.bound_metadata import listed
from tflm_studio.editing.proposal import Draft
from tflm_studio.formats.compression_metadata import (
    COMPRESSION,
    LutTensor,
    encode_compression,
)
from tflm_studio.model.metadata_content import find_metadata


def compress_alike(draft: Draft, subgraph_index: int, copies: Mapping[int, int]) -> None:
    """Says of new tensors that they are compressed as those they are copies of.

    Args:
        draft: Of the model, which has the new tensors.
        subgraph_index: Whose tensors.
        copies: The original of each new tensor.
    """
    tables = {lut.tensor: lut for lut in _luts(draft, subgraph_index)}
    more = [tables[old]._replace(tensor=new) for new, old in copies.items() if old in tables]
    if more:
        _set_luts(draft, subgraph_index, [*tables.values(), *more])


def forget_compression(draft: Draft, subgraph_index: int, tensors: Collection[int]) -> None:
    """Says of tensors no more that they are compressed, because their data is another."""
    luts = _luts(draft, subgraph_index)
    gone = [lut.tensor for lut in luts if lut.tensor in tensors]
    if gone:
        _set_luts(draft, subgraph_index, [lut for lut in luts if lut.tensor not in tensors])
        draft.note(f"{COMPRESSION}: {listed('tensor', gone)} not compressed any more.")


def _luts(draft: Draft, subgraph_index: int) -> list[LutTensor]:
    compression = find_compression(draft.model)
    parts = compression.subgraphs if compression is not None else ()
    return list(parts[subgraph_index]) if 0 <= subgraph_index < len(parts) else []


def _set_luts(draft: Draft, subgraph_index: int, luts: list[LutTensor]) -> None:
    compression = find_compression(draft.model)
    entry = find_metadata(draft.model, COMPRESSION)
    assert compression is not None
    assert entry is not None
    parts = list(compression.subgraphs)
    parts[subgraph_index] = tuple(luts)
    data = encode_compression(compression._replace(subgraphs=tuple(parts)))
    draft.do(metadata_entries.replace(draft.model, entry, data))
