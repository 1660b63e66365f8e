# SPDX-License-Identifier: Apache-2.0
"""Any changes of subgraphs, signatures, metadata and graphs, done and taken back."""

from collections.abc import Callable
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.conftest import examples
from tests.editing.small_models import bytes_of, diamond, looping, quantized, streaming
from tflm_studio.editing import (
    detaching,
    metadata_entries,
    offline_offsets,
    signatures,
    subgraphs,
    surgeries,
)
from tflm_studio.editing.document import Document
from tflm_studio.editing.proposal import Proposal
from tflm_studio.formats.flatbuffer_reader import read_flatbuffer
from tflm_studio.model.address import format_address
from tflm_studio.model.errors import EditError
from tflm_studio.model.index_references import Space, references
from tflm_studio.schema.tables import Model

MAKERS: list[Callable[[], Model]] = [diamond, streaming, looping, quantized]
SMALL = st.integers(-1, 6)
NAMES = st.sampled_from(["", "a", "b", "serving_default", "min_runtime_version"])
SIDES: st.SearchStrategy[Any] = st.sampled_from(["inputs", "outputs"])


class Changes(RuleBasedStateMachine):
    """A document that is changed by operations only; sound models stay sound."""

    @initialize(make=st.sampled_from(MAKERS))
    def open(self, make: Callable[[], Model]) -> None:
        self.document = Document(make())
        self.states = [bytes_of(self.document.model)]

    def do(self, operation: Callable[..., Proposal], *args: Any, **options: Any) -> None:
        model = self.document.model
        try:
            made = operation(model, *args, **options)
        except EditError as error:
            assert str(error)[0].isupper(), error
            assert str(error).endswith("."), error
            made = Proposal()
        assert bytes_of(model) == self.states[-1], "only looked at"
        if self.document.do(made):
            self.states.append(bytes_of(model))

    @rule(index=SMALL, name=NAMES, place=SMALL)
    def change_subgraphs(self, index: int, name: str, place: int) -> None:
        self.do(subgraphs.rename, index, name)
        self.do(subgraphs.move, index, place)

    @rule(index=SMALL)
    def duplicate_subgraph(self, index: int) -> None:
        if len(self.document.model.subgraphs or []) < 6:
            self.do(subgraphs.duplicate, index)

    @rule(index=SMALL)
    def delete_subgraph(self, index: int) -> None:
        self.do(subgraphs.delete, index)

    @rule(index=SMALL, key=NAMES)
    def add_signature(self, index: int, key: str) -> None:
        self.do(signatures.add, index, key)

    @rule(index=SMALL, key=NAMES, side=SIDES, position=SMALL)
    def change_signature(self, index: int, key: str, side: Any, position: int) -> None:
        self.do(signatures.rename, index, key)
        self.do(signatures.rename_alias, index, side, position, key)
        self.do(signatures.rebuild, index)

    @rule(index=SMALL)
    def delete_signature(self, index: int) -> None:
        self.do(signatures.delete, index)

    @rule(index=SMALL, name=NAMES, data=st.binary(max_size=8))
    def change_metadata(self, index: int, name: str, data: bytes) -> None:
        self.do(metadata_entries.add, name, data)
        self.do(metadata_entries.rename, index, name)
        self.do(metadata_entries.replace, index, data)
        self.do(metadata_entries.edit_as_text, index, name)

    @rule(index=SMALL)
    def delete_metadata(self, index: int) -> None:
        self.do(metadata_entries.delete, index)

    @rule(offset=st.sampled_from([-1, 0, 16, 5]))
    def plan(self, offset: int) -> None:
        count = sum(len(s.tensors or []) for s in self.document.model.subgraphs or [])
        self.do(offline_offsets.set_offsets, [offset] * count)

    @rule(index=SMALL, operator=SMALL, before=st.booleans())
    def truncate(self, index: int, operator: int, before: bool) -> None:
        cut = surgeries.truncate_before if before else surgeries.truncate_after
        self.do(cut, index, operator)

    @rule(index=SMALL, item=SMALL)
    def detach(self, index: int, item: int) -> None:
        self.do(detaching.detach_buffer, index, item)
        self.do(detaching.detach_operator_code, index, item)

    @rule()
    def clean(self) -> None:
        self.do(surgeries.strip_names)
        self.do(surgeries.remove_edge_quantization)
        self.do(surgeries.remove_unused)

    @rule(make=st.sampled_from(MAKERS), index=SMALL)
    def append(self, make: Callable[[], Model], index: int) -> None:
        if len(self.document.model.subgraphs or []) < 6:
            self.do(surgeries.append_model, make(), subgraph_index=index)

    @rule(index=SMALL, operators=st.sets(st.integers(0, 4), max_size=4))
    def extract(self, index: int, operators: set[int]) -> None:
        model = self.document.model
        try:
            part = surgeries.extract(model, index, operators).model
        except EditError:
            return
        assert bytes_of(model) == self.states[-1]
        assert_sound(part)

    @rule(count=st.integers(1, 3))
    def undo_and_redo(self, count: int) -> None:
        end = self.document.history.position
        for position in range(end - 1, max(end - count, 0) - 1, -1):
            self.document.undo()
            assert bytes_of(self.document.model) == self.states[position]
        self.document.go_to(end)

    @invariant()
    def everything_names_something(self) -> None:
        if not hasattr(self, "document"):
            return
        model = self.document.model
        assert bytes_of(model) == self.states[-1]
        assert_sound(model)

    def teardown(self) -> None:
        if hasattr(self, "document"):
            self.document.go_to(0)
            assert bytes_of(self.document.model) == self.states[0]


def assert_sound(model: Model) -> None:
    """Every index names something, and the bytes can be read."""
    read_flatbuffer(bytes_of(model))
    for space in (Space.BUFFERS, Space.OPERATOR_CODES, Space.SUBGRAPHS):
        assert_names(model, space, len(getattr(model, space.value) or []), None)
    for index, subgraph in enumerate(model.subgraphs or []):
        assert_names(model, Space.TENSORS, len(subgraph.tensors or []), index)


def assert_names(model: Model, space: Space, count: int, subgraph: int | None) -> None:
    for reference in references(model, space, subgraph):
        for index in reference.indices:
            is_left_out = index == -1 and reference.field.may_be_none
            assert is_left_out or 0 <= index < count, format_address(reference.address)


Changes.TestCase.settings = settings(
    max_examples=examples(6), stateful_step_count=8, deadline=None
)
TestChanges = Changes.TestCase
