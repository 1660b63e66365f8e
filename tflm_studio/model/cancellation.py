# SPDX-License-Identifier: Apache-2.0
"""Long work that a person may end halfway: it asks now and then whether it is still wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from tflm_studio.model.errors import StudioError


class CancelledError(StudioError):
    """The person did not want to wait; nothing has changed."""


_is_unwanted: ContextVar[Callable[[], bool] | None] = ContextVar("is_unwanted", default=None)


@contextmanager
def cancellable(is_unwanted: Callable[[], bool]) -> Iterator[None]:
    """Lets reading and writing in this thread end as soon as the function says so."""
    token = _is_unwanted.set(is_unwanted)
    try:
        yield
    finally:
        _is_unwanted.reset(token)


def check_cancelled() -> None:
    """Ends work that is no longer wanted; long loops call it for each piece they do.

    Raises:
        CancelledError: The work is not wanted any more.
    """
    is_unwanted = _is_unwanted.get()
    if is_unwanted is not None and is_unwanted():
        raise CancelledError("Cancelled; nothing has changed.")
