# SPDX-License-Identifier: Apache-2.0
"""The inspector's pages for the model and for what stands in its lists."""

from __future__ import annotations

from html import escape
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QPlainTextEdit, QPushButton

from tflm_studio.analysis.opening import opening_notes
from tflm_studio.editing import metadata_entries, signatures
from tflm_studio.editing.associated_files import PLACE as FILES
from tflm_studio.editing.edits import Edit
from tflm_studio.editing.graph_ends import set_inputs, set_outputs
from tflm_studio.editing.proposal import Proposal
from tflm_studio.formats.flatbuffer_reader import Origin
from tflm_studio.formats.tail import kept_behind
from tflm_studio.model.address import Address
from tflm_studio.model.calls import callers_of
from tflm_studio.model.excerpts import excerpt
from tflm_studio.model.graph import data_bytes
from tflm_studio.model.operators import find_knowledge
from tflm_studio.model.outside import PLACEHOLDER, is_outside
from tflm_studio.model.place_names import name_thing, plural
from tflm_studio.model.schema import (
    Buffer,
    Field,
    Metadata,
    Model,
    OperatorCode,
    SignatureDef,
    SubGraph,
)
from tflm_studio.ui.models.metadata_tables import metadata_bytes
from tflm_studio.ui.views.associated_file_page import (
    SHOWN_BYTES,
    SHOWN_LINES,
    as_text,
    hexadecimal,
)
from tflm_studio.ui.views.inspector_page import FactList, InspectorPage
from tflm_studio.ui.views.links import MOST_LINKS, link, link_list
from tflm_studio.ui.views.metadata_dialog import ask_metadata
from tflm_studio.ui.views.shared_line import others_of

LONGEST_ALIAS = 40


class ModelPage(InspectorPage):
    """Version and description, and how much there is of everything."""

    USUAL = ("version", "description", "signature_defs", "operator_codes", "metadata")
    HIDDEN = frozenset(("subgraphs", "buffers", "associated_files"))

    def build(self) -> None:
        self.add_fields()
        self.facts = FactList(self.session)
        self.add_section("contents", self.facts)

    def refresh(self) -> None:
        model = self.session.document.model
        self.set_heading(self.session.document.name, "the model")
        with self.facts.anew():
            facts = self.facts.set_fact
            for index, subgraph in enumerate(model.subgraphs or []):
                count = len(subgraph.operators or [])
                name = link(("subgraphs", index), f"{count:,} operators")
                facts(f"subgraph {index}", f"{name}, {len(subgraph.tensors or []):,} tensors")
            sizes = [data_bytes(buffer.data) for buffer in model.buffers or []]
            facts("buffers", f"{len(sizes):,}, {sum(map(bool, sizes)):,} with data")
            facts("weights", f"{sum(sizes):,} bytes")
            facts("operator codes", f"{len(model.operator_codes or []):,}")
            files = model.associated_files or []
            if files:
                size = sum(data_bytes(file.data) for file in files)
                listed = link(FILES, plural(len(files), "file"))
                facts("associated files", f"{listed}, {size:,} bytes")
            origin = model.extra
            if isinstance(origin, Origin):
                facts("file as opened", f"{len(origin.data):,} bytes")
                behind = kept_behind(origin)
                if behind:
                    facts("behind the model", f"{behind:,} bytes, kept as they are")
                notes = opening_notes(model)
                if notes:
                    facts("notes", escape(" ".join(notes)))


class SubGraphPage(InspectorPage):
    """Name, inputs and outputs of a subgraph."""

    USUAL = ("name", "inputs", "outputs")
    HIDDEN = frozenset(("tensors", "operators"))

    def edits_for(self, row: Field, value: Any) -> Proposal | list[Edit]:
        model, index = self.session.document.model, int(self.address[-1])
        match row.name:
            case "inputs":
                return set_inputs(model, index, value or [])
            case "outputs":
                return set_outputs(model, index, value or [])
        return super().edits_for(row, value)

    def build(self) -> None:
        self.add_fields()
        self.facts = FactList(self.session)
        self.add_section("contents", self.facts)

    def refresh(self) -> None:
        subgraph = self.thing
        assert isinstance(subgraph, SubGraph)
        self.set_heading(subgraph.name or "unnamed", f"subgraph {self.address[-1]}")
        self.facts.set_fact("operators", f"{len(subgraph.operators or []):,}")
        self.facts.set_fact("tensors", f"{len(subgraph.tensors or []):,}")
        model, index = self.session.document.model, int(self.address[-1])

        def links(places: list[Address], nothing: str) -> str:
            return link_list(places, lambda place: name_thing(model, place), nothing)

        caller = "nothing" if index else "the model's caller"
        self.facts.set_fact("called by", links(callers_of(model, index), caller))
        entries = enumerate(model.signature_defs or [])
        signatures: list[Address] = [
            ("signature_defs", k) for k, entry in entries if entry.subgraph_index == index
        ]
        self.facts.set_fact("signatures", links(signatures, "none"))


class BufferPage(InspectorPage):
    """Size, place in the file, and who uses a buffer."""

    USUAL = ("data",)
    HIDDEN = frozenset(("offset", "size"))  # saving decides about them

    def build(self) -> None:
        self.add_fields()
        self.facts = FactList(self.session)
        self.column.addWidget(self.facts)

    def refresh(self) -> None:
        buffer, model = self.thing, self.session.document.model
        assert isinstance(buffer, Buffer)
        index = int(self.address[1])
        self.set_heading(f"Buffer {index}", "the sentinel: empty by rule" if not index else "")
        size = data_bytes(buffer.data)
        with self.facts.anew():
            self.facts.set_fact("size", f"{size:,} bytes" if size else "empty")
            self.facts.set_fact("place", _file_place(model, buffer))
            users = self.session.buffer_users(index)
            links = link_list(users, lambda place: name_thing(model, place), "nothing")
            self.facts.set_fact("used by", links)
            if is_outside(buffer):
                self.facts.set_fact("in TFLM", "not read: it stands behind the flatbuffer")
            elif buffer.offset > PLACEHOLDER and buffer.data is None:
                stop = buffer.offset + buffer.size
                self.facts.set_fact(
                    "missing", f"bytes {buffer.offset:,} to {stop:,} of the file"
                )


def _file_place(model: Model, buffer: Buffer) -> str:
    origin = model.extra if isinstance(model.extra, Origin) else None
    offset = origin.offset_of(buffer.data) if origin else None
    if offset is None:
        return "set when the model is saved, 16-byte aligned" if buffer.data else "none"
    fit = (
        "16-byte aligned" if offset % 16 == 0 else f"{offset % 16} bytes off 16-byte alignment"
    )
    return f"byte {offset:,} of the file as opened, {fit}"


class MetadataPage(InspectorPage):
    """Name, buffer and content of a metadata entry."""

    USUAL = ("name", "buffer")

    def build(self) -> None:
        self.add_fields()
        self.facts = FactList(self.session)
        self.add_section("content", self.facts)
        self.text = QPlainTextEdit()
        self.text.setObjectName("metadata_text")
        self.text.setAccessibleName("Content of the entry")
        self.text.setReadOnly(True)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.column.addWidget(self.text)
        button = QPushButton("Edit…")
        button.setObjectName("edit_metadata")
        button.clicked.connect(self._edit)
        self.column.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)

    def _show(self, text: str) -> None:
        self.text.setVisible(bool(text))
        if self.text.toPlainText() != text:
            self.text.setPlainText(text)
            lines = min(self.text.blockCount(), SHOWN_LINES) + 1
            self.text.setFixedHeight(lines * self.text.fontMetrics().lineSpacing())

    def _edit(self) -> None:
        ask_metadata(self.session, int(self.address[-1]), self.window())

    def edits_for(self, row: Field, value: Any) -> Proposal | list[Edit]:
        if row.name != "name":
            return super().edits_for(row, value)
        model = self.session.document.model
        return metadata_entries.rename(model, int(self.address[-1]), value or "")

    def refresh(self) -> None:
        entry = self.thing
        assert isinstance(entry, Metadata)
        data = metadata_bytes(self.session.document.model, entry)
        self.set_heading(entry.name or "unnamed", f"metadata {self.address[-1]}")
        place = link(("buffers", entry.buffer), f"buffer {entry.buffer}")
        self.facts.set_fact("size", f"{len(data):,} bytes in {place}")
        with self.facts.anew("also used by"):
            others = others_of(self.session, entry.buffer, self.address)
            if others:
                self.facts.set_fact("also used by", others)
        self._show(_as_read(data))


def _as_read(data: memoryview) -> str:
    """Bytes as text, if they are any but for zeros behind it; else in hexadecimal."""
    text = as_text(memoryview(bytes(data[:SHOWN_BYTES]).rstrip(b"\0")))
    return hexadecimal(data) if text is None else text


class OperatorCodePage(InspectorPage):
    """Which operator an entry of the operator codes means, and who uses it."""

    USUAL = ("builtin_code", "custom_code", "version", "deprecated_builtin_code")

    def build(self) -> None:
        self.add_fields()
        self.facts = FactList(self.session)
        self.column.addWidget(self.facts)

    def refresh(self) -> None:
        code, index = self.thing, int(self.address[-1])
        assert isinstance(code, OperatorCode)
        self.set_heading(find_knowledge(code).name, f"operator code {index}")
        model = self.session.document.model
        users: list[Address] = [
            ("subgraphs", s, "operators", k)
            for s, subgraph in enumerate(model.subgraphs or [])
            for k, operator in enumerate(subgraph.operators or [])
            if operator.opcode_index == index
        ]
        links = link_list(users, lambda place: name_thing(model, place), "no operator")
        self.facts.set_fact("used by", links)


class SignaturePage(InspectorPage):
    """The key of a signature, and the names its inputs and outputs have for callers."""

    USUAL = ("signature_key", "subgraph_index", "inputs", "outputs")

    def edits_for(self, row: Field, value: Any) -> Proposal | list[Edit]:
        if row.name != "signature_key":
            return super().edits_for(row, value)
        model = self.session.document.model
        return signatures.rename(model, int(self.address[-1]), value or "")

    def build(self) -> None:
        self.add_fields()
        self.facts = FactList(self.session)
        self.column.addWidget(self.facts)

    def refresh(self) -> None:
        signature = self.thing
        assert isinstance(signature, SignatureDef)
        self.set_heading(signature.signature_key or "unnamed", f"signature {self.address[-1]}")
        place: Address = ("subgraphs", signature.subgraph_index)
        self.facts.set_fact("runs", link(place, f"subgraph {signature.subgraph_index}"))
        model = self.session.document.model
        for title, maps in (("given", signature.inputs), ("gives", signature.outputs)):
            shown = [
                f"{escape(excerpt(entry.name or 'unnamed', LONGEST_ALIAS))}: "
                + link(tensor, name_thing(model, tensor))
                for entry in (maps or [])[:MOST_LINKS]
                for tensor in [(*place, "tensors", entry.tensor_index)]
            ]
            more = len(maps or []) - len(shown)
            rest = [f"and {more:,} more"] if more > 0 else []
            self.facts.set_fact(title, "<br>".join([*shown, *rest]) or "nothing")


class TablePage(InspectorPage):
    """Any other table of the model."""

    def refresh(self) -> None:
        self.set_heading(type(self.thing).__name__, f"{self.address[0]} {self.address[-1]}")
