# SPDX-License-Identifier: Apache-2.0
"""The functions, operators and constants that a formula may name."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np


class Function(NamedTuple):
    """A function of formulas.

    Attributes:
        call: What it does to arrays or numbers.
        arity: How many it takes.
        is_whole: Whether it looks at all values at once.
    """

    call: Callable[..., Any]
    arity: int = 1
    is_whole: bool = False


_ONE = (
    "abs sqrt exp log log2 log10 sin cos tan arcsin arccos arctan sinh cosh tanh round floor"
)
_ONE += " ceil trunc sign square isnan isfinite"
_TWO = "minimum maximum hypot arctan2"
_WHOLE = "mean std var min max sum median"

FUNCTIONS: dict[str, Function] = {
    **{name: Function(getattr(np, name)) for name in _ONE.split()},
    **{name: Function(getattr(np, name), 2) for name in _TWO.split()},
    **{name: Function(getattr(np, name), 1, True) for name in _WHOLE.split()},
    "clip": Function(np.clip, 3),
    "where": Function(np.where, 3),
}
CONSTANTS = {"pi": math.pi, "e": math.e, "nan": math.nan, "inf": math.inf}


def _logical(call: Callable[..., Any], sign: str, *operands: Any) -> Any:
    if any(np.asarray(each).dtype != bool for each in operands):
        how = "stands before a comparison, such as ~(x > 0)"
        if len(operands) > 1:
            how = f"joins comparisons, such as (x > 0) {sign} (x < 1)"
        raise TypeError(f"{sign} {how}")
    return call(*operands)


OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.true_divide,
    ast.FloorDiv: np.floor_divide,
    ast.Mod: np.mod,
    ast.Pow: np.power,
    ast.USub: np.negative,
    ast.UAdd: np.positive,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.BitAnd: partial(_logical, np.logical_and, "&"),
    ast.BitOr: partial(_logical, np.logical_or, "|"),
    ast.Invert: partial(_logical, np.logical_not, "~"),
}
