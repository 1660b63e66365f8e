# SPDX-License-Identifier: Apache-2.0
"""TFLM Studio: look at, change and save TensorFlow Lite Micro models.

What runs interpreters and writes for firmware is imported when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tflm_studio.analysis.reach import reach_of
from tflm_studio.analysis.tensor_values import values
from tflm_studio.editing import (
    associated_files,
    buffers,
    detaching,
    edits,
    graph_ends,
    input_shapes,
    metadata_entries,
    offline_offsets,
    operations,
    operator_codes,
    operators,
    placement,
    previews,
    renumbering,
    signatures,
    subgraphs,
    surgeries,
    tensors,
    weights,
)
from tflm_studio.editing.document import Document
from tflm_studio.editing.proposal import Draft, Proposal
from tflm_studio.formats.loose_files import extract_all, extract_file
from tflm_studio.formats.model_file import load_model_from_file, save_model_to_file
from tflm_studio.model.errors import (
    EditError,
    FileChangedError,
    ReadError,
    StudioError,
    WriteError,
)

if TYPE_CHECKING:
    from tflm_studio.analysis.arena_size import estimate_arena
    from tflm_studio.analysis.memory_plan import plan_memory
    from tflm_studio.editing import offline_planning
    from tflm_studio.firmware.board_fit import check_fit
    from tflm_studio.firmware.boards import find_board, known_boards, load_boards
    from tflm_studio.firmware.bundle import BundleOptions, make_bundle
    from tflm_studio.firmware.bundle_folder import write_bundle
    from tflm_studio.firmware.resolver import resolver_source
    from tflm_studio.firmware.source_export import export_model
    from tflm_studio.firmware.source_options import SourceOptions
    from tflm_studio.formats.firmware_image import find_models, put_back, read_found
    from tflm_studio.runtime.arena_measurement import measure_arena

__all__ = [
    "BundleOptions",
    "Document",
    "Draft",
    "EditError",
    "FileChangedError",
    "Proposal",
    "ReadError",
    "SourceOptions",
    "StudioError",
    "WriteError",
    "associated_files",
    "buffers",
    "check_fit",
    "detaching",
    "edits",
    "estimate_arena",
    "export_model",
    "extract_all",
    "extract_file",
    "find_board",
    "find_models",
    "graph_ends",
    "input_shapes",
    "known_boards",
    "load_boards",
    "load_model_from_file",
    "make_bundle",
    "measure_arena",
    "metadata_entries",
    "offline_offsets",
    "offline_planning",
    "operations",
    "operator_codes",
    "operators",
    "placement",
    "plan_memory",
    "previews",
    "put_back",
    "reach_of",
    "read_found",
    "renumbering",
    "resolver_source",
    "save_model_to_file",
    "signatures",
    "subgraphs",
    "surgeries",
    "tensors",
    "values",
    "weights",
    "write_bundle",
]

_LATER = {
    "BundleOptions": "firmware.bundle",
    "SourceOptions": "firmware.source_options",
    "check_fit": "firmware.board_fit",
    "estimate_arena": "analysis.arena_size",
    "export_model": "firmware.source_export",
    "find_board": "firmware.boards",
    "find_models": "formats.firmware_image",
    "known_boards": "firmware.boards",
    "load_boards": "firmware.boards",
    "make_bundle": "firmware.bundle",
    "measure_arena": "runtime.arena_measurement",
    "plan_memory": "analysis.memory_plan",
    "put_back": "formats.firmware_image",
    "read_found": "formats.firmware_image",
    "resolver_source": "firmware.resolver",
    "write_bundle": "firmware.bundle_folder",
}
_LATER_MODULES = {"offline_planning": "editing.offline_planning"}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        found = getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    elif name in _LATER_MODULES:
        found = import_module(f"{__name__}.{_LATER_MODULES[name]}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__
