# SPDX-License-Identifier: Apache-2.0
"""The errors a user can cause: each says what is wrong, where, and what to do about it."""


class StudioError(Exception):
    """Root of every error that is the user's to mend, never a bug of ours."""


class ReadError(StudioError, ValueError):
    """A file cannot be read as a model; the message names the file and the place in it."""


class WriteError(StudioError):
    """A model cannot be written; nothing on disk has changed."""


class NoRoomError(WriteError):
    """A model does not fit into its place in a file."""


class FileChangedError(WriteError):
    """A file was changed by another program since it was read or written last."""


class EditError(StudioError, ValueError):
    """An edit was refused; the model is as it was."""
