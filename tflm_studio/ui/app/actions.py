# SPDX-License-Identifier: Apache-2.0
"""Every command of the window, declared once; menus and toolbar are made from this."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QKeySequence

Keys = QKeySequence.StandardKey


@dataclass(frozen=True, slots=True)
class ActionRow:
    """One command.

    Attributes:
        id: Object name of its QAction; the method that carries it out is named after it.
        text: What menus call it.
        menu: In which menu or submenu it stands; "" for none.
        keys: Its shortcuts, the one that menus show first.
        tip: One sentence for the status bar and the toolbar.
        toolbar: Short text in the toolbar; "" if it is not there.
        enabled_by: Name of a fact of the window that enables it; "" if always possible.
        separated: Whether a line stands before it.
        checkable: Whether it is a choice that is on or off.
    """

    id: str
    text: str
    menu: str
    keys: tuple[Keys | str, ...] = ()
    tip: str = ""
    toolbar: str = ""
    enabled_by: str = ""
    separated: bool = False
    checkable: bool = False


FILES_MENU = "Associated files"
ACTIONS = (
    ActionRow("file.open", "Open…", "File", (Keys.Open,), "Open a model in a window", "Open"),
    ActionRow(
        "file.open_sample",
        "Open a sample model",
        "File",
        (),
        "Open the bundled int8 sine model",
    ),
    ActionRow(
        "file.save",
        "Save",
        "File",
        (Keys.Save,),
        "Write the model to its file",
        "Save",
        separated=True,
    ),
    ActionRow(
        "file.save_as", "Save as…", "File", (Keys.SaveAs,), "Write the model to another file"
    ),
    ActionRow(
        "file.keep_backups",
        "Keep a backup when saving",
        "File",
        (),
        "Saving keeps what the file held before, with .bak behind its name",
        checkable=True,
    ),
    ActionRow(
        "file.export_c",
        "Export as C array…",
        "File",
        ("Ctrl+Shift+E",),
        "Write a C source and a header for the firmware",
        "Export C array",
    ),
    ActionRow(
        "file.close", "Close", "File", (Keys.Close,), "Close this window", separated=True
    ),
    ActionRow("file.quit", "Quit", "File", (Keys.Quit,), "Close all windows"),
    ActionRow(
        "edit.undo",
        "Undo",
        "Edit",
        (Keys.Undo,),
        "Take the last step back",
        "Undo",
        "can_undo",
    ),
    ActionRow(
        "edit.redo",
        "Redo",
        "Edit",
        (Keys.Redo, "Ctrl+Y"),
        "Do the step again",
        "Redo",
        "can_redo",
    ),
    ActionRow("edit.copy", "Copy rows", "Edit", (), "Copy the selected rows", separated=True),
    ActionRow(
        "edit.find", "Find…", "Edit", (Keys.Find,), "Show only rows that contain a text"
    ),
    ActionRow(
        "edit.put_inside",
        "Put all data inside the flatbuffer",
        "Edit",
        (),
        "Bring weights that stand behind the flatbuffer into it, where TFLM reads them",
        "",
        "has_outside",
        separated=True,
    ),
    ActionRow(
        "archive.add",
        "Add file…",
        FILES_MENU,
        (),
        "Put a file into the archive behind the model",
        enabled_by="can_add_file",
    ),
    ActionRow(
        "archive.replace",
        "Replace…",
        FILES_MENU,
        (),
        "Give the selected associated file other contents",
        enabled_by="has_file",
    ),
    ActionRow(
        "archive.extract",
        "Extract…",
        FILES_MENU,
        (),
        "Write the selected associated file to a disk",
        enabled_by="has_file",
    ),
    ActionRow(
        "archive.extract_all",
        "Extract all…",
        FILES_MENU,
        (),
        "Write all associated files into a folder",
        enabled_by="has_files",
    ),
    ActionRow(
        "archive.remove",
        "Remove",
        FILES_MENU,
        (),
        "Take the selected file out of the archive",
        enabled_by="has_file",
        separated=True,
    ),
    ActionRow(
        "go.back",
        "Back",
        "Go",
        ("Alt+Left",),
        "Select what was selected before",
        "",
        "can_go_back",
    ),
    ActionRow(
        "go.forward", "Forward", "Go", ("Alt+Right",), "Undo going back", "", "can_go_forward"
    ),
    ActionRow(
        "go.operators", "Operators", "Go", ("Ctrl+1",), "Show the operators", separated=True
    ),
    ActionRow("go.tensors", "Tensors", "Go", ("Ctrl+2",), "Show the tensors"),
    ActionRow("go.buffers", "Buffers", "Go", ("Ctrl+3",), "Show the buffers"),
    ActionRow("go.metadata", "Metadata", "Go", ("Ctrl+4",), "Show the metadata"),
    ActionRow("view.system", "System theme", "View", (), "Follow the desktop", checkable=True),
    ActionRow("view.light", "Light theme", "View", (), "Dark on light", checkable=True),
    ActionRow("view.dark", "Dark theme", "View", (), "Light on dark", checkable=True),
    ActionRow(
        "view.reset_layout",
        "Reset the layout",
        "View",
        (),
        "Put all panels back",
        separated=True,
    ),
    ActionRow("help.about", "About TFLM Studio", "Help", (), "Version and licence"),
)
SUBMENUS = {FILES_MENU: "Edit"}  # and the menus they stand in
MENUS = {"File": "&File", "Edit": "&Edit", "Go": "&Go", "View": "&View", "Help": "&Help"}
