# SPDX-License-Identifier: Apache-2.0
"""TFLM Studio: look at, change and save TensorFlow Lite Micro models.

Each part is imported when it is first asked for: who reads a model does not wait for the rest.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tflm_studio.analysis.arena_size import estimate_arena
    from tflm_studio.analysis.memory_plan import plan_memory
    from tflm_studio.analysis.model_difference import differences
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
        offline_planning,
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
    from tflm_studio.firmware.board_fit import check_fit
    from tflm_studio.firmware.boards import find_board, known_boards, load_boards
    from tflm_studio.firmware.bundle import BundleOptions, make_bundle
    from tflm_studio.firmware.bundle_folder import write_bundle
    from tflm_studio.firmware.resolver import resolver_source
    from tflm_studio.firmware.source_export import export_model
    from tflm_studio.firmware.source_options import SourceOptions
    from tflm_studio.formats.firmware_image import find_models, put_back, read_found
    from tflm_studio.formats.loose_files import extract_all, extract_file
    from tflm_studio.formats.model_file import load_model_from_file, save_model_to_file
    from tflm_studio.model.errors import (
        EditError,
        FileChangedError,
        ReadError,
        StudioError,
        WriteError,
    )
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
    "differences",
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

_HOMES = {
    "BundleOptions": "firmware.bundle",
    "Document": "editing.document",
    "Draft": "editing.proposal",
    "EditError": "model.errors",
    "FileChangedError": "model.errors",
    "Proposal": "editing.proposal",
    "ReadError": "model.errors",
    "SourceOptions": "firmware.source_options",
    "StudioError": "model.errors",
    "WriteError": "model.errors",
    "associated_files": "editing.associated_files",
    "buffers": "editing.buffers",
    "check_fit": "firmware.board_fit",
    "detaching": "editing.detaching",
    "differences": "analysis.model_difference",
    "edits": "editing.edits",
    "estimate_arena": "analysis.arena_size",
    "export_model": "firmware.source_export",
    "extract_all": "formats.loose_files",
    "extract_file": "formats.loose_files",
    "find_board": "firmware.boards",
    "find_models": "formats.firmware_image",
    "graph_ends": "editing.graph_ends",
    "input_shapes": "editing.input_shapes",
    "known_boards": "firmware.boards",
    "load_boards": "firmware.boards",
    "load_model_from_file": "formats.model_file",
    "make_bundle": "firmware.bundle",
    "measure_arena": "runtime.arena_measurement",
    "metadata_entries": "editing.metadata_entries",
    "offline_offsets": "editing.offline_offsets",
    "offline_planning": "editing.offline_planning",
    "operations": "editing.operations",
    "operator_codes": "editing.operator_codes",
    "operators": "editing.operators",
    "placement": "editing.placement",
    "plan_memory": "analysis.memory_plan",
    "previews": "editing.previews",
    "put_back": "formats.firmware_image",
    "reach_of": "analysis.reach",
    "read_found": "formats.firmware_image",
    "renumbering": "editing.renumbering",
    "resolver_source": "firmware.resolver",
    "save_model_to_file": "formats.model_file",
    "signatures": "editing.signatures",
    "subgraphs": "editing.subgraphs",
    "surgeries": "editing.surgeries",
    "tensors": "editing.tensors",
    "values": "analysis.tensor_values",
    "weights": "editing.weights",
    "write_bundle": "firmware.bundle_folder",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"{__name__}.{home}")
    found = module if home.endswith(f".{name}") else getattr(module, name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__
