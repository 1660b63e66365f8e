# SPDX-License-Identifier: Apache-2.0
"""A walk through every panel of the window, over models however senseless.

`python -m tests.ui.walk [--mutants 500] [--random 500] [--seed 1] [--minutes 60]` walks over
all models of the collection, all crafted ones, and as many mutants that the reader accepts. It
names what raised, what Qt warned of, what took the window longer than a second, and what was
not saved as it was.
"""

import argparse
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from random import Random
from types import TracebackType

from PySide6.QtCore import QEvent, QMessageLogContext, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from tests.conftest import MODELS, readable_models
from tests.formats.fuzz import all_mutants
from tests.formats.senseless import CRAFTED, random_models
from tests.ui.visits import Visits
from tflm_studio.editing.document import Document
from tflm_studio.formats.flatbuffer_reader import read_flatbuffer
from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.model.errors import ReadError, WriteError
from tflm_studio.ui.app.settings import Settings
from tflm_studio.ui.app.theme import apply_theme
from tflm_studio.ui.app.windows import Windows

SLOW = 1.0  # seconds, for a file of a megabyte or less
# Offscreen there is no window manager to tell.
HARMLESS = ("This plugin does not support",)
Named = tuple[str, bytes]


@dataclass(slots=True)
class Findings:
    """What came of many walks.

    Attributes:
        walked: How many models.
        faults: What went wrong, by the model it went wrong with.
        slowest: Seconds of the slowest step, and which.
    """

    walked: int = 0
    faults: list[str] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")


@contextmanager
def alarms(heard: list[str]) -> Iterator[None]:
    """Collects what Qt warns of and what is raised where nobody can catch it."""

    def on_message(kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
        if kind is not QtMsgType.QtDebugMsg and not text.startswith(HARMLESS):
            heard.append(f"Qt: {text}")

    def on_exception(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        heard.append(describe(error))

    before_message, before_hook = qInstallMessageHandler(on_message), sys.excepthook
    sys.excepthook = on_exception
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            yield
    finally:
        qInstallMessageHandler(before_message)
        sys.excepthook = before_hook


def describe(error: BaseException) -> str:
    """An exception with the two innermost places it came through, in a line."""
    places, trace = [], error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{Path(code.co_filename).name}:{trace.tb_lineno}")
        trace = trace.tb_next
    cause = error.__cause__ or error.__context__
    behind = f" [after {describe(cause)}]" if cause is not None else ""
    return (
        f"{type(error).__name__} at {' < '.join(places[:-4:-1])}: {str(error)[:200]}{behind}"
    )


class Walker:
    """Opens models in windows of their own and visits every panel.

    Args:
        folder: Where models are saved.
        thoroughness: How many things of each kind are visited.
    """

    def __init__(self, folder: Path, thoroughness: int) -> None:
        self.folder = folder
        self.thoroughness = thoroughness
        self.findings = Findings()
        self.windows = Windows(Settings(folder / "settings.ini"))

    def walk(self, name: str, data: bytes, *, edits: int = 0) -> None:
        """Visits every panel of a model; edits it, takes that back, and saves it."""
        heard: list[str] = []
        with alarms(heard):
            try:
                self._walk(name, data, edits)
            except Exception as error:
                heard.append(describe(error))
            self._close_all()
        self.findings.walked += 1
        self.findings.faults += [f"{name}: {text}" for text in dict.fromkeys(heard)]

    def _walk(self, name: str, data: bytes, edits: int) -> None:
        path = self.folder / "model.tflite"
        path.write_bytes(data)
        start = time.thread_time()
        document = Document.open(path)
        window = self.windows.show_document(document)
        QApplication.processEvents()
        visits = Visits(window, Random(name), self.thoroughness)
        visits.times.append((time.thread_time() - start, "open"))
        try:
            visits.panels()
            if edits:
                visits.edits(edits, self.folder / "saved.tflite", data)
        finally:
            slowest, step = max(visits.times)
            self.findings.slowest = max(self.findings.slowest, (slowest, f"{name}: {step}"))
            self.findings.faults += [
                f"{name}: {step} took {seconds:.2f} s"
                for seconds, step in visits.times
                if seconds > SLOW * max(1, len(data) / 1_000_000)
            ]

    def _close_all(self) -> None:
        for window in tuple(self.windows.open_windows):
            window.document.history.mark_clean()
            window.close()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QApplication.processEvents()


def collection() -> Iterator[Named]:
    """The real models, if they are at hand."""
    if (MODELS / "manifest.csv").exists():
        for path in readable_models(MODELS):
            yield f"{path.parent.name}/{path.name}", path.read_bytes()


def crafted() -> Iterator[Named]:
    """The senseless models that were made by hand."""
    for name, make in CRAFTED.items():
        yield name, lay_out(make()).tobytes()


def random_ones(count: int, seed: int) -> Iterator[Named]:
    """Senseless models that were made by chance."""
    for name, model in random_models(count, seed):
        with suppress(WriteError):  # such as bytes outside that the file does not have
            yield name, lay_out(model).tobytes()


def accepted_mutants(count: int, seed: int, largest: int = 20_000) -> Iterator[Named]:
    """Mutants of files that the reader accepts."""
    return islice(filter(_is_accepted, all_mutants(seed, largest)), count)


def _is_accepted(named: Named) -> bool:
    try:
        read_flatbuffer(named[1])
    except ReadError:
        return False
    return True


def all_models(arguments: argparse.Namespace) -> Iterator[Named]:
    """What the command walks over."""
    kinds = [
        crafted(),
        random_ones(arguments.random, arguments.seed),
        accepted_mutants(arguments.mutants, arguments.seed),
        collection(),
    ]
    # In turn, so that a walk that is ended early has seen some of each kind.
    while kinds:
        for kind in tuple(kinds):
            found = next(kind, None)
            if found is None:
                kinds.remove(kind)
            else:
                yield found


def main() -> int:
    """Walks over everything that is asked for, and says what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mutants", type=int, default=500)
    parser.add_argument("--random", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=60, help="stop after so long")
    parser.add_argument("--things", type=int, default=3, help="visited of each kind")
    parser.add_argument("--only", default="", help="text in the names of those to walk over")
    arguments = parser.parse_args()
    application = QApplication.instance() or QApplication([])
    assert isinstance(application, QApplication)
    apply_theme(application, "light")
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        walker = Walker(Path(folder), arguments.things)
        for name, data in all_models(arguments):
            if arguments.only in name:
                told = len(walker.findings.faults)
                walker.walk(name, data, edits=5)
                sys.stdout.writelines(f"{t}\n" for t in walker.findings.faults[told:])
                sys.stdout.flush()
            if time.monotonic() - start > 60 * arguments.minutes:
                break
    return _report(walker.findings, time.monotonic() - start)


def _report(findings: Findings, seconds: float) -> int:
    slowest, step = findings.slowest
    sys.stdout.write(
        f"{findings.walked:,} models in {seconds:.0f} s, {len(findings.faults):,} faults, "
        f"the slowest step {slowest:.2f} s ({step})\n"
    )
    return 1 if findings.faults else 0


if __name__ == "__main__":
    sys.exit(main())
