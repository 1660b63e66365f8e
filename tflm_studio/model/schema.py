# SPDX-License-Identifier: Apache-2.0
"""The parts of the generated schema that the window works with; it imports them from here."""

from tflm_studio.schema.associated_file import AssociatedFile
from tflm_studio.schema.enums import VALUE_DOCS, TensorType
from tflm_studio.schema.structure import Field, Kind, OpaqueMember, Table
from tflm_studio.schema.tables import (
    Buffer,
    Metadata,
    Model,
    Operator,
    OperatorCode,
    QuantizationParameters,
    SignatureDef,
    SubGraph,
    Tensor,
    TensorMap,
)

__all__ = [
    "VALUE_DOCS",
    "AssociatedFile",
    "Buffer",
    "Field",
    "Kind",
    "Metadata",
    "Model",
    "OpaqueMember",
    "Operator",
    "OperatorCode",
    "QuantizationParameters",
    "SignatureDef",
    "SubGraph",
    "Table",
    "Tensor",
    "TensorMap",
    "TensorType",
]
