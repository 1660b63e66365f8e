# SPDX-License-Identifier: Apache-2.0
"""One model behind another: what the first gives is what the second is given."""

from __future__ import annotations

from collections.abc import Callable

from tflm_studio.editing.cleaning import remove_unused
from tflm_studio.editing.dependencies import resource_key
from tflm_studio.editing.freestanding import private_copy, set_free
from tflm_studio.editing.fresh_names import fresh_name
from tflm_studio.editing.history import apply_all
from tflm_studio.editing.located import is_of_kind, subgraph_at
from tflm_studio.editing.proposal import Draft, Proposal
from tflm_studio.editing.reduction import set_ends
from tflm_studio.editing.renumbering import insert_items
from tflm_studio.formats.compression_metadata import COMPRESSION
from tflm_studio.model.address import Address, resolve
from tflm_studio.model.calls import called_subgraphs, run_subgraphs
from tflm_studio.model.errors import EditError
from tflm_studio.model.graph import data_bytes, describe_tensor
from tflm_studio.model.index_references import Space, index_columns
from tflm_studio.model.metadata_content import find_metadata
from tflm_studio.model.operators import NO_TENSOR, builtin_code, find_tensor
from tflm_studio.model.place_names import name_place, named_few, plural, quoted
from tflm_studio.schema.enums import BuiltinOperator
from tflm_studio.schema.tables import (
    Buffer,
    Model,
    Operator,
    OperatorCode,
    SubGraph,
    Tensor,
    VarHandleOptions,
)


def append_model(model: Model, second: Model, *, subgraph_index: int = 0) -> Proposal:
    """Puts another model behind a subgraph: its outputs become the inputs of the other.

    Tensors, weights, kinds of operators and the subgraphs that the second model runs come
    along; its signatures and metadata do not. Nothing of the second model is shared.

    Args:
        model: The first model.
        second: The other one, of which the main subgraph is taken.
        subgraph_index: Which subgraph of the first one is continued.

    Raises:
        EditError: Outputs and inputs differ in number, shape or type; the second model holds
            what cannot come along; or an operator runs the subgraph.
    """
    first = subgraph_at(model, subgraph_index)
    subgraph_at(second, 0)
    part, notes = _part_of(second)
    main = subgraph_at(part, 0)
    notes += _check_joint(first, main)
    notes += _rename_resources(model, part)
    outputs = list(first.outputs or [])
    with Draft(model) as draft:
        draft.note(*notes)
        _add_buffers(draft, part)
        _add_codes(draft, part)
        _add_subgraphs(draft, part)
        new_outputs = _add_main(draft, part, subgraph_index, outputs)
        set_ends(draft, subgraph_index, first.inputs or [], new_outputs)
    return draft.proposal(f"Append {quoted(second.description or 'a model')}")


def _part_of(second: Model) -> tuple[Model, list[str]]:
    """A copy of what is needed of a model, and what stayed behind."""
    if find_metadata(second, COMPRESSION) is not None:
        raise EditError(
            f"The second model is compressed ({COMPRESSION}); decompress it before it is "
            "appended."
        )
    part = private_copy(second)
    notes = []
    if part.metadata:
        named = named_few([quoted(entry.name) for entry in part.metadata])
        notes.append(f"Metadata of the second model that stayed behind: {named}.")
    part.metadata = part.metadata_buffer = part.signature_defs = None
    if 0 in _called_from_main(part):
        raise EditError("The second model runs its own main subgraph; it cannot be appended.")
    apply_all(part, remove_unused(part).edits)
    notes += set_free(part)
    for subgraph in part.subgraphs or []:
        subgraph.debug_metadata_index = -1
        for operator in subgraph.operators or []:
            operator.debug_metadata_index = -1
        if any(tensor.external_buffer for tensor in subgraph.tensors or []):
            raise EditError(
                "The second model keeps weights in another file, which cannot come along."
            )
    return part, notes


def _called_from_main(part: Model) -> set[int]:
    main = subgraph_at(part, 0)
    called = [k for operator in main.operators or [] for k in called_subgraphs(operator)]
    return run_subgraphs(part, called)


# ------------------------------------------------------------------ the joint


def _check_joint(first: SubGraph, main: SubGraph) -> list[str]:
    """What differs where the models meet, if they can meet at all."""
    outputs, inputs = first.outputs or [], main.inputs or []
    if len(outputs) != len(inputs) or not outputs:
        raise EditError(
            f"The first model has {plural(len(outputs), 'output')}, the second "
            f"{plural(len(inputs), 'input')}; they have to be as many, and one at least."
        )
    if len(set(inputs)) != len(inputs):
        raise EditError("The second model names a tensor twice in its inputs.")
    notes = []
    for position, (left, right) in enumerate(zip(outputs, inputs, strict=True)):
        source, target = find_tensor(first, left), find_tensor(main, right)
        if source is None or target is None:
            raise EditError(f"Output or input {position} is no tensor; correct it first.")
        if (source.shape or []) != (target.shape or []) or source.type != target.type:
            raise EditError(
                f"Output {position} of the first model and input {position} of the second "
                f"differ: {describe_tensor(source)} and {describe_tensor(target)}."
            )
        if _quantization(source) != _quantization(target):
            notes.append(
                f"Output {position} and input {position} are quantised differently; the "
                "second model takes the stored values as they are."
            )
    return notes


def _quantization(tensor: Tensor) -> tuple[list[float], list[int]]:
    q = tensor.quantization
    return (list(q.scale or []), list(q.zero_point or [])) if q is not None else ([], [])


def _rename_resources(model: Model, part: Model) -> list[str]:
    """Gives variables of the second model other names if the first has such."""
    taken = {key for key, _ in _handles(model)}
    named = {key for key, _ in _handles(part)} | taken
    new: dict[tuple[str, str], str] = {}
    for key, options in _handles(part):
        if key not in taken:
            continue
        if key not in new:
            container, name = key
            others = {other for place, other in named if place == container}
            new[key] = fresh_name(f"{name or 'variable'}_second", others)
            named.add((container, new[key]))
        options.shared_name = new[key]
    if not new:
        return []
    count = plural(len(new), "variable")
    return [f"{count} of the second model renamed; the first has variables of that name."]


def _handles(model: Model) -> list[tuple[tuple[str, str], VarHandleOptions]]:
    return [
        (resource_key(operator), operator.builtin_options)
        for subgraph in model.subgraphs or []
        for operator in subgraph.operators or []
        if is_of_kind(model, operator, BuiltinOperator.VAR_HANDLE)
        and isinstance(operator.builtin_options, VarHandleOptions)
    ]


# ------------------------------------------------------------------ what comes along


def _add_buffers(draft: Draft, part: Model) -> None:
    model, mine = draft.model, part.buffers or []
    if not model.buffers:
        draft.do(insert_items(model, "buffers", 0, [Buffer()]))
    base = len(model.buffers or [])
    # Buffer 0 stands for no data, unless a file is wrong about that.
    skipped = 0 if mine and data_bytes(mine[0].data) else 1
    new = mine[skipped:]
    if new:
        draft.do(insert_items(model, "buffers", base, new))
    places = [0] * skipped + [base + k for k in range(len(new))]
    _lead(part, Space.BUFFERS, places.__getitem__, max(len(mine), 1))


def _add_codes(draft: Draft, part: Model) -> None:
    model = draft.model
    known = {_code_key(code): k for k, code in reversed([*enumerate(_codes(model))])}
    base, new, places = len(_codes(model)), list[OperatorCode](), []
    for code in _codes(part):
        key = _code_key(code)
        if key not in known:
            known[key] = base + len(new)
            new.append(code)
        places.append(known[key])
    if new:
        draft.do(insert_items(model, "operator_codes", base, new))
    _lead(part, Space.OPERATOR_CODES, places.__getitem__, len(places))


def _codes(model: Model) -> list[OperatorCode]:
    return model.operator_codes or []


def _code_key(code: OperatorCode) -> tuple[int, str, int]:
    return builtin_code(code), code.custom_code or "", code.version


def _add_subgraphs(draft: Draft, part: Model) -> None:
    model = draft.model
    base, others = len(model.subgraphs or []), (part.subgraphs or [])[1:]
    count = len(others) + 1
    _lead(part, Space.SUBGRAPHS, lambda index: base + index - 1, count)
    if others:
        draft.do(insert_items(model, "subgraphs", base, others))


def _add_main(draft: Draft, part: Model, subgraph_index: int, joint: list[int]) -> list[int]:
    """Puts tensors and operators behind those of the first; returns the outputs."""
    model, main = draft.model, (part.subgraphs or [])[0]
    first = (model.subgraphs or [])[subgraph_index]
    place: Address = ("subgraphs", subgraph_index)
    base, at = len(first.tensors or []), 0
    places = dict(zip(main.inputs or [], joint, strict=True))
    tensors: list[Tensor] = []
    for index, tensor in enumerate(main.tensors or []):
        if index not in places:
            places[index] = base + at
            tensors.append(tensor)
            at += 1
    _lead(part, Space.TENSORS, places.__getitem__, len(places), 0)
    operators: list[Operator] = main.operators or []
    if tensors:
        draft.do(insert_items(model, (*place, "tensors"), base, tensors))
    if operators:
        end = len(first.operators or [])
        draft.do(insert_items(model, (*place, "operators"), end, operators))
    return main.outputs or []


def _lead(
    part: Model,
    space: Space,
    place_of: Callable[[int], int],
    count: int,
    subgraph_index: int | None = None,
) -> None:
    """Lets everything in a copy that names something name it at its place in another model."""
    for column in index_columns(part, space, subgraph_index):
        for item, value in column.values():
            indices = value if isinstance(value, list) else [value]
            for index in indices:
                is_left_out = index == NO_TENSOR and column.field.may_be_none
                if not is_left_out and not 0 <= index < count:
                    where = name_place(part, column.address_of(item))
                    raise EditError(
                        f"{where} of the second model names {space.noun} {index}, which does "
                        "not exist; correct it first."
                    )
            new = [index if index == NO_TENSOR else place_of(index) for index in indices]
            table = resolve(part, column.address_of(item)[:-1])
            setattr(table, column.field.name, new if isinstance(value, list) else new[0])
