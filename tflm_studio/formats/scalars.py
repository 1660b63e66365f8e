# SPDX-License-Identifier: Apache-2.0
"""The schema's number types as numpy dtypes and ranges."""

from __future__ import annotations

import numpy as np

DTYPES: dict[str, np.dtype[np.generic]] = {
    "bool": np.dtype("u1"),
    "utype": np.dtype("u1"),
    "byte": np.dtype("i1"),
    "ubyte": np.dtype("u1"),
    "short": np.dtype("<i2"),
    "ushort": np.dtype("<u2"),
    "int": np.dtype("<i4"),
    "uint": np.dtype("<u4"),
    "long": np.dtype("<i8"),
    "ulong": np.dtype("<u8"),
    "float": np.dtype("<f4"),
    "double": np.dtype("<f8"),
}
