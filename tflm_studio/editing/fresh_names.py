# SPDX-License-Identifier: Apache-2.0
"""Names that are not taken yet."""

from __future__ import annotations

from collections.abc import Collection


def fresh_name(wanted: str, taken: Collection[str | None]) -> str:
    """The wanted name, with the first free number behind it if it is taken."""
    name, number = wanted, 0
    while name in taken:
        number += 1
        name = f"{wanted}_{number}"
    return name
