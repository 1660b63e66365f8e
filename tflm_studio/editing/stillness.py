# SPDX-License-Identifier: Apache-2.0
"""Whether models keep still, for a thread that reads one while the window changes it.

A lock would make the window wait for the thread. Instead the thread looks whether anything
has moved while it read, and reads again if so: also what a `Draft` only tries out moves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TypeVar

from tflm_studio.model.errors import StudioError

Result = TypeVar("Result")


class RestlessError(StudioError):
    """A model was changed while a thread read it; what was read counts for nothing."""


class _Moves:
    """Changes that are being made, and how many were begun or ended so far."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.open = 0
        self.count = 0

    def note(self, step: int) -> None:
        with self.lock:
            self.open += step
            self.count += 1

    def moment(self) -> int | None:
        """A number that no later moment has; None while something is being changed."""
        with self.lock:
            return None if self.open else self.count


_moves = _Moves()


@contextmanager
def moving() -> Iterator[None]:
    """A model is changed, or changed on trial, for as long as this is open."""
    _moves.note(1)
    try:
        yield
    finally:
        _moves.note(-1)


def read_still(read: Callable[[], Result]) -> Result:
    """What is read from a model that nothing changes meanwhile.

    Args:
        read: Reads it; its errors count only if the model kept still.

    Raises:
        RestlessError: A model was changed; try again later.
    """
    begin = _moves.moment()
    if begin is None:
        raise RestlessError("The model is being changed; try again.")
    try:
        result = read()
    except Exception as error:
        if _moves.moment() != begin:
            raise RestlessError("The model was changed meanwhile; try again.") from error
        raise
    if _moves.moment() != begin:
        raise RestlessError("The model was changed meanwhile; try again.")
    return result
