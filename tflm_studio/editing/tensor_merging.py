# SPDX-License-Identifier: Apache-2.0
"""Several tensors that become one."""

from __future__ import annotations

from collections.abc import Iterable

from tflm_studio.editing.located import bytes_of, subgraph_at, tensor_at
from tflm_studio.editing.proposal import Draft, Proposal, cut_notes
from tflm_studio.editing.renumbering import remove_items
from tflm_studio.model.comparison import same_bytes
from tflm_studio.model.errors import EditError
from tflm_studio.model.graph import Wiring, short_shape_text, wiring_of
from tflm_studio.model.operators import has_data
from tflm_studio.model.place_names import name_operator, name_tensor
from tflm_studio.model.quantization import AffineQuantization, find_quantization
from tflm_studio.model.tensor_types import element_type
from tflm_studio.schema.tables import Model, Tensor


def merge(model: Model, subgraph_index: int, keep: int, others: Iterable[int]) -> Proposal:
    """Lets whoever uses one of the others use `keep`, and takes the others away.

    Args:
        model: The model.
        subgraph_index: Which subgraph.
        keep: The tensor that stays.
        others: The tensors that go.

    Raises:
        EditError: Shape or type differ, two of them get values from somewhere, one would be
            read before it is made, or there is no such tensor.
    """
    gone = sorted(set(others) - {keep})
    kept = tensor_at(model, subgraph_index, keep)
    label = f"Merge {len(gone) + 1} tensors into {name_tensor(model, subgraph_index, keep)}"
    notes = []
    for index in gone:
        other = tensor_at(model, subgraph_index, index)
        _check_alike(keep, kept, index, other)
        notes += _differences(model, keep, kept, index, other)
    _check_sources(model, subgraph_index, [keep, *gone])
    _check_order(model, subgraph_index, [keep, *gone])
    with Draft(model) as draft:
        draft.note(*cut_notes(notes))
        draft.do(remove_items(model, ("subgraphs", subgraph_index, "tensors"), gone, keep))
    return draft.proposal(label)


def _check_alike(keep: int, kept: Tensor, index: int, other: Tensor) -> None:
    pairs = (
        (short_shape_text(kept.shape), short_shape_text(other.shape)),
        (element_type(kept.type).name, element_type(other.type).name),
    )
    if (kept.shape or []) != (other.shape or []) or kept.type != other.type:
        a, b = pairs[0] if (kept.shape or []) != (other.shape or []) else pairs[1]
        raise EditError(f"Tensors {keep} and {index} cannot become one: {a} is not {b}.")


def _differences(
    model: Model, keep: int, kept: Tensor, index: int, other: Tensor
) -> list[str]:
    notes = []
    if not _same_quantization(find_quantization(kept), find_quantization(other)):
        notes.append(f"Tensor {index} is quantised in another way than tensor {keep}.")
    if (
        has_data(model, kept)
        and has_data(model, other)
        and not same_bytes(bytes_of(model, kept.buffer), bytes_of(model, other.buffer))
    ):
        notes.append(f"Tensor {index} has other values than tensor {keep}.")
    return notes


def _same_quantization(a: AffineQuantization | None, b: AffineQuantization | None) -> bool:
    if a is None or b is None:
        return a is b
    return (a.scale.tolist(), a.zero_point.tolist()) == (
        b.scale.tolist(),
        b.zero_point.tolist(),
    )


def _check_sources(model: Model, subgraph_index: int, indices: list[int]) -> None:
    """Refuses two tensors that get values, unless both are constants."""
    sources = []
    wiring = wiring_of(subgraph_at(model, subgraph_index))
    for index in indices:
        found = _sources(model, subgraph_index, wiring, index)
        sources += [(index, source) for source in found]
    are_data = all(source == "its data" for _, source in sources)
    if len(sources) > 1 and not are_data:
        (a, first), (b, second) = sources[:2]
        raise EditError(
            f"Tensor {a} gets its values from {first} and tensor {b} from {second}; one "
            "tensor can have only one source."
        )


def _sources(model: Model, subgraph_index: int, wiring: Wiring, index: int) -> list[str]:
    tensor = tensor_at(model, subgraph_index, index)
    makers = wiring.makers.of(index)
    found = [name_operator(model, subgraph_index, maker) for maker in makers]
    found += ["the caller"] * (index in wiring.inputs)
    found += ["its data"] * (has_data(model, tensor))
    return found + ["its state"] * tensor.is_variable


def _check_order(model: Model, subgraph_index: int, indices: list[int]) -> None:
    wiring = wiring_of(subgraph_at(model, subgraph_index))
    made = [maker for index in indices for maker in wiring.makers.of(index)]
    read = [reader for index in indices for reader in wiring.users.of(index)]
    if made and read and min(read) <= max(made):
        reader = name_operator(model, subgraph_index, min(read))
        maker = name_operator(model, subgraph_index, max(made))
        raise EditError(f"{reader} would read the tensor before {maker} makes it.")
