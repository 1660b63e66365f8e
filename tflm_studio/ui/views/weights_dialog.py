# SPDX-License-Identifier: Apache-2.0
"""A dialog that changes the values of a tensor: operations, their numbers, a live preview."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from tflm_studio.analysis.buffer_contents import BufferContents, contents_at
from tflm_studio.editing.proposal import Proposal
from tflm_studio.editing.value_effects import Effect, ValueProposal
from tflm_studio.editing.weight_preview import (
    BeforeAfter,
    before_and_after,
    contents_after,
)
from tflm_studio.model.address import Address
from tflm_studio.model.cancellation import CancelledError, cancellable
from tflm_studio.model.errors import EditError
from tflm_studio.model.place_names import name_thing, plural
from tflm_studio.model.schema import Model
from tflm_studio.ui.models.tasks import LatestTask
from tflm_studio.ui.views.proposal_dialog import ProposalDialog
from tflm_studio.ui.views.weight_operations import (
    ONLY_ALL,
    OPERATIONS,
    Operation,
    Parameter,
    operation_named,
    read_parameter,
)
from tflm_studio.ui.views.wrapped_label import WrappedLabel

BACKGROUND_ELEMENTS = 1 << 18  # so many are looked at within 0.1 s
PLOT_PIXELS = 340, 220
FORM_PIXELS = 330
LOOKING = "Looking at what would happen…"
LABEL_MARGIN = 4
SHORT_TEXT = 40  # that is shown whole, and written over
NOTHING = "This would change nothing."
FIGURES = ("changed", "saturated", "largest change", "RMS change", "SQNR")


class Seen(NamedTuple):
    """What an operation would do.

    Attributes:
        proposal: The edits.
        counts: Histograms before and after.
    """

    proposal: Proposal
    counts: BeforeAfter | None


def look(model: Model, contents: BufferContents, make: Callable[[], Proposal]) -> Seen:
    """Has an operation look at the model, and compares the values."""
    proposal = make()
    after = contents_after(model, contents, proposal)
    counts = before_and_after(contents, after) if after is not None else None
    return Seen(proposal, counts)


class WeightsDialog(ProposalDialog):
    """Asks what shall be done to the values of a tensor or buffer.

    Args:
        model: The model.
        address: A tensor, or a buffer that no tensor uses.
        operation: The id of the operation that is chosen at first.
        where: Flat indices of values that are selected; None for none.
        parent: The window.

    Raises:
        EditError: Nothing is stored there.
    """

    DELAY_MS: ClassVar[int] = 120

    def __init__(
        self,
        model: Model,
        address: Address,
        operation: str = "scale",
        *,
        where: NDArray[np.int64] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        contents = contents_at(model, address)
        name = name_thing(model, address)
        if contents is None or not contents.count:
            raise EditError(f"There are no values in {name}.")
        super().__init__(f"Change the values of {name}", "weights_dialog", parent)
        self._model, self._address, self._contents = model, address, contents
        self._where = where
        self._fields: dict[str, QWidget] = {}
        self._typed: dict[tuple[str, str], str] = {}
        self._task = LatestTask(self)
        self._task.finished.connect(self._show)
        self._task.failed.connect(self._on_failed)
        self._operation = operation_named(operation)
        self._build()
        with QSignalBlocker(self.list):
            self.list.setCurrentRow(OPERATIONS.index(self._operation))
        self._fill_form()
        self.finish()
        first = next(iter(self._fields.values()), self.list)
        first.setFocus()
        if isinstance(first, QLineEdit) and len(first.text()) < SHORT_TEXT:
            first.selectAll()

    # ------------------------------------------------------------------ building

    def _build(self) -> None:
        from tflm_studio.ui.views.before_after_plot import BeforeAfterPlot  # loads pyqtgraph

        self.list = self._build_list()
        self.plot = BeforeAfterPlot()
        self.plot.setMinimumSize(*PLOT_PIXELS)
        self.column.removeItem(self.form)
        self.form.setParent(None)
        middle = QVBoxLayout()
        self.sentence = WrappedLabel()
        self.sentence.setObjectName("sentence")
        self.sentence.setMinimumWidth(FORM_PIXELS)
        self.sentence.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        middle.addWidget(self.sentence)
        middle.addLayout(self.form)
        middle.addSpacing(6)
        middle.addLayout(self._build_ticks())
        middle.addStretch(1)
        right = QVBoxLayout()
        right.addWidget(self._build_legend())
        right.addWidget(self.plot, 1)
        right.addLayout(self._build_figures())
        row = QHBoxLayout()
        row.setSpacing(14)
        row.addWidget(self.list)
        row.addLayout(middle)
        row.addLayout(right, 1)
        self.column.addLayout(row, 1)

    def _build_list(self) -> QListWidget:
        made = QListWidget()
        made.setObjectName("operations")
        made.setAccessibleName("What to do")
        for operation in OPERATIONS:
            item = QListWidgetItem(operation.title, made)
            item.setToolTip(operation.sentence)
            item.setData(Qt.ItemDataRole.UserRole, operation.id)
        made.setSpacing(1)
        made.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        made.setFixedWidth(made.sizeHintForColumn(0) + 2 * made.frameWidth() + 14)
        line = made.sizeHintForRow(0) + 2 * made.spacing()
        made.setMinimumHeight(line * len(OPERATIONS) + 2 * made.frameWidth() + 2)
        made.currentRowChanged.connect(self._on_operation_chosen)
        return made

    def _build_ticks(self) -> QVBoxLayout:
        ticks = QVBoxLayout()
        ticks.setSpacing(3)
        self.real = QCheckBox("Work on &real values")
        self.real.setObjectName("real")
        self.real.setToolTip("scale × (stored − zero point); on the stored numbers if not.")
        self.real.setChecked(True)
        self.selected = QCheckBox()
        self.selected.setObjectName("selected")
        if self._where is not None:
            self.selected.setText(f"&Only the {plural(len(self._where), 'selected value')}")
            self.selected.setChecked(True)
        for box in (self.real, self.selected):
            box.toggled.connect(self.check)
            ticks.addWidget(box)
        return ticks

    def _build_legend(self) -> QLabel:
        legend = QLabel()
        legend.setObjectName("legend")
        legend.setTextFormat(Qt.TextFormat.RichText)
        self._legend = legend
        self.plot.restyled.connect(self._fill_legend)
        self._fill_legend()
        return legend

    def _fill_legend(self) -> None:
        quiet, accent = (
            self.palette().color(QPalette.ColorGroup.Active, role).name()
            for role in (QPalette.ColorRole.PlaceholderText, QPalette.ColorRole.Accent)
        )
        self._legend.setText(
            f"<span style='color:{quiet}'>■</span> now &nbsp; "
            f"<span style='color:{accent}'>■</span> afterwards"
        )

    def _build_figures(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(2)
        self.figures: dict[str, QLabel] = {}
        for place, title in enumerate(FIGURES):
            label, figure = QLabel(title), QLabel("–")
            label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
            figure.setObjectName(title.replace(" ", "_"))
            row, column = divmod(place, 3)
            grid.addWidget(label, 2 * row, column)
            grid.addWidget(figure, 2 * row + 1, column)
            self.figures[title] = figure
        for column in range(3):
            grid.setColumnStretch(column, 1)
        return grid

    # ------------------------------------------------------------------ choosing

    def _on_operation_chosen(self, row: int) -> None:
        if row < 0:
            return
        self._remember()
        self._operation = OPERATIONS[row]
        self._fill_form()
        self.check()

    def _remember(self) -> None:
        """Keeps what was entered, for when the operation is chosen again."""
        for name in self._fields:
            self._typed[self._operation.id, name] = self._text_of(name)

    def _fill_form(self) -> None:
        operation = self._operation
        while self.form.rowCount():
            self.form.removeRow(0)
        self._fields.clear()
        self.sentence.setText(operation.sentence)
        made = operation.defaults(self._contents) if operation.defaults is not None else {}
        for parameter in operation.parameters:
            default = made.get(parameter.name, parameter.default)
            text = self._typed.get((operation.id, parameter.name), default)
            self._add_field(parameter, text)
        self._show_ticks(operation)

    def _show_ticks(self, operation: Operation) -> None:
        is_quantised = self._contents.quantization is not None
        self.real.setVisible(operation.is_elementwise and is_quantised)
        is_any = operation.is_elementwise and operation.id not in ONLY_ALL
        self.selected.setVisible(is_any and self._where is not None)

    def _add_field(self, parameter: Parameter, text: str) -> None:
        if parameter.kind == "tick":
            box = QCheckBox(parameter.title)
            box.setChecked(text == "1")
            box.toggled.connect(self.check)
            self._put(parameter, box, box)
        elif parameter.kind == "choice":
            choice = QComboBox()
            choice.addItems([*parameter.choices])
            choice.setCurrentText(text)
            choice.currentIndexChanged.connect(self.check)
            self._put(parameter, choice, choice)
        else:
            line = QLineEdit(text)
            line.setMaxLength(1 << 20)
            line.setPlaceholderText(parameter.hint)
            line.textChanged.connect(self.entered)
            line.setCursorPosition(0)
            is_file = parameter.kind == "file"
            self._put(parameter, line, self._with_button(line) if is_file else line)

    def _put(self, parameter: Parameter, field: QWidget, shown: QWidget) -> None:
        field.setObjectName(parameter.name)
        self._fields[parameter.name] = field
        if parameter.kind == "tick":
            self.form.addRow(shown)
            return
        label = QLabel(parameter.title)
        label.setBuddy(field)
        # Letters beside a marked one take more room than the label asks for.
        label.setMinimumWidth(label.sizeHint().width() + LABEL_MARGIN)
        self.form.addRow(label, shown)

    def _with_button(self, line: QLineEdit) -> QWidget:
        both, button = QWidget(), QPushButton("&Browse…")
        button.setObjectName("browse")
        button.setAutoDefault(False)
        row = QHBoxLayout(both)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(line, 1)
        row.addWidget(button)
        button.clicked.connect(lambda: self._browse(line))
        return both

    def _browse(self, line: QLineEdit) -> None:
        kinds = "Numbers (*.npy *.csv *.txt);;All files (*)"
        chosen, _ = QFileDialog.getOpenFileName(self, "Numbers from a file", "", kinds)
        if chosen:
            line.setText(chosen)

    def _text_of(self, name: str) -> str:
        field = self._fields[name]
        if isinstance(field, QCheckBox):
            return str(int(field.isChecked()))
        if isinstance(field, QComboBox):
            return field.currentText()
        assert isinstance(field, QLineEdit)
        return field.text()

    # ------------------------------------------------------------------ looking

    def propose(self) -> Proposal:
        return self._maker()()

    def _maker(self) -> Callable[[], Proposal]:
        """The operation with all that is entered; holds no widgets, so a thread may run it.

        Raises:
            EditError: Something entered cannot be read.
        """
        operation = self._operation
        arguments: dict[str, Any] = {
            parameter.name: read_parameter(parameter, self._text_of(parameter.name))
            for parameter in operation.parameters
        }
        if operation.is_elementwise:
            arguments["real"] = self.real.isChecked()
            is_part = self.selected.isVisibleTo(self) and self.selected.isChecked()
            if operation.id not in ONLY_ALL:
                arguments["where"] = self._where if is_part else None
        return partial(operation.make, self._model, self._address, **arguments)

    def check(self) -> None:
        """Looks at what is entered; many values are looked at in a thread."""
        self._timer.stop()
        self._task.cancel()
        try:
            make = self._maker()
            if self._contents.count > BACKGROUND_ELEMENTS:
                self._look_later(make)
            else:
                self._show(look(self._model, self._contents, make))
        except EditError as error:
            self._on_failed(error)

    def _look_later(self, make: Callable[[], Proposal]) -> None:
        self.ok.setEnabled(False)
        self.say(LOOKING)
        self._task.start(partial(_in_thread, self._model, self._contents, make))

    def _show(self, seen: Seen) -> None:
        self.proposal = seen.proposal
        self.plot.show_counts(seen.counts)
        effect = seen.proposal.effect if isinstance(seen.proposal, ValueProposal) else None
        self._show_figures(effect)
        self.say(" ".join(seen.proposal.notes) or ("" if seen.proposal.edits else NOTHING))
        self.ok.setEnabled(bool(seen.proposal.edits))

    def _show_figures(self, effect: Effect | None) -> None:
        texts = dict.fromkeys(FIGURES, "–") if effect is None else _figures(effect)
        for title, text in texts.items():
            self.figures[title].setText(text)

    def _on_failed(self, error: Exception) -> None:
        if isinstance(error, CancelledError):
            return
        if not isinstance(error, (EditError, MemoryError)):
            raise error
        self._show_figures(None)
        self._show_now()
        self.refuse(str(error) or "There is not enough memory for this.")

    def _show_now(self) -> None:
        """The values of now alone, unless it takes long to count them."""
        if self._contents.count > BACKGROUND_ELEMENTS:
            return
        found = before_and_after(self._contents, self._contents)
        self.plot.show_counts(found, is_done=False)

    def accept(self) -> None:
        """Closes the dialog with what has been looked at."""
        if self._timer.isActive():
            self.check()
        if self.ok.isEnabled():
            QDialog.accept(self)

    def done(self, result: int) -> None:
        self._task.cancel()
        super().done(result)


def _in_thread(
    model: Model,
    contents: BufferContents,
    make: Callable[[], Proposal],
    is_unwanted: Callable[[], bool],
) -> Seen:
    def run() -> Seen:
        with cancellable(is_unwanted):
            return look(model, contents, make)

    return contextvars.copy_context().run(run)


def _figures(effect: Effect) -> dict[str, str]:
    share = 100 * effect.changed / max(effect.count, 1)
    sqnr = f"{effect.sqnr:.1f} dB" if np.isfinite(effect.sqnr) else "–"
    texts = (
        f"{effect.changed:,} ({share:.3g} %)",
        f"{effect.saturated:,}",
        f"{effect.largest:.4g}",
        f"{effect.rms:.4g}",
        sqnr,
    )
    return dict(zip(FIGURES, texts, strict=True))
