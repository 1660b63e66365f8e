# SPDX-License-Identifier: Apache-2.0
"""Every command of the window, declared once; menus and toolbar are made from this."""

from __future__ import annotations

from tflm_studio.ui.app.action_row import ActionRow, Keys
from tflm_studio.ui.app.array_actions import ARRAY_ACTIONS, WEIGHT_FILE_ACTIONS
from tflm_studio.ui.app.associated_file_actions import ASSOCIATED_FILE_ACTIONS, FILES_MENU
from tflm_studio.ui.app.buffer_actions import BUFFER_ACTIONS, BUFFERS_MENU
from tflm_studio.ui.app.firmware_actions import FIRMWARE_ACTIONS
from tflm_studio.ui.app.model_actions import MODEL_ACTIONS, MODEL_SUBMENUS
from tflm_studio.ui.app.operator_actions import OPERATOR_ACTIONS
from tflm_studio.ui.app.surgery_actions import SURGERY_ACTIONS
from tflm_studio.ui.app.tensor_actions import TENSOR_ACTIONS, TENSOR_SUBMENUS
from tflm_studio.ui.app.weight_actions import VALUES_MENU, WEIGHT_ACTIONS

WINDOW_ACTIONS = (
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
        "Export for a firmware…",
        "File",
        ("Ctrl+Shift+E",),
        "Write the model as C source, header, assembler, hex file…, as a firmware takes it",
        "Export",
    ),
    *WEIGHT_FILE_ACTIONS,
    ActionRow(
        "compare.file",
        "Compare with file…",
        "File",
        (),
        "Show what differs from another model, or from the file as it is on disk",
        separated=True,
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
    ActionRow(
        "edit.copy",
        "Copy rows",
        "Edit",
        (Keys.Copy,),
        "Copy the selected rows",
        separated=True,
        answered_by_focus=True,
    ),
    ActionRow(
        "edit.copy_markdown",
        "Copy as Markdown",
        "Edit",
        (),
        "Copy the selected rows, or all that are shown, as a Markdown table",
    ),
    ActionRow(
        "edit.copy_text",
        "Copy as text",
        "Edit",
        (),
        "Copy the selected rows, or all that are shown, in aligned columns",
    ),
    ActionRow(
        "edit.paste",
        "Paste into cells",
        "Edit",
        (Keys.Paste,),
        "Write what was copied, from this cell on",
        answered_by_focus=True,
    ),
    ActionRow(
        "edit.find",
        "Find…",
        "Edit",
        (Keys.Find,),
        "Show only rows that fit words, sizes, types, indices or an error message",
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
        "go.to",
        "Go to…",
        "Go",
        ("Ctrl+G",),
        "Select an operator, tensor or buffer by number, name, address or error message",
    ),
    ActionRow("go.next_panel", "Next panel", "Go", ("F6",), "Move the focus on"),
    ActionRow(
        "go.previous_panel", "Previous panel", "Go", ("Shift+F6",), "Move the focus back"
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
    ActionRow(
        "help.keys", "Keyboard shortcuts", "Help", ("Ctrl+?",), "Say which keys do what"
    ),
    ActionRow("help.about", "About TFLM Studio", "Help", (), "Version and licence"),
)
ACTIONS = (
    *WINDOW_ACTIONS,
    *OPERATOR_ACTIONS,
    *TENSOR_ACTIONS,
    *BUFFER_ACTIONS,
    *WEIGHT_ACTIONS,
    *ARRAY_ACTIONS,
    *MODEL_ACTIONS,
    *ASSOCIATED_FILE_ACTIONS,
    *SURGERY_ACTIONS,
    *FIRMWARE_ACTIONS,
)
SUBMENUS = {  # and the menus they stand in
    FILES_MENU: "Model",
    BUFFERS_MENU: "Tensor",
    VALUES_MENU: "Tensor",
    **TENSOR_SUBMENUS,
    **MODEL_SUBMENUS,
}
MENUS = {
    "File": "&File",
    "Edit": "&Edit",
    "Operator": "&Operator",
    "Tensor": "&Tensor",
    "Model": "&Model",
    "Surgery": "&Surgery",
    "Firmware": "Fi&rmware",
    "Go": "&Go",
    "View": "&View",
    "Help": "&Help",
}
