# SPDX-License-Identifier: Apache-2.0
"""Weights by a formula such as `where(abs(x) < 0.02, 0, x)`.

The formula is looked at before it is evaluated: it may hold numbers, the known names and
functions, and arithmetic, nothing else. Then `simpleeval` evaluates it, never Python itself.
"""

from __future__ import annotations

import ast
import math
import warnings
from typing import Any

import numpy as np

from tflm_studio.editing.changed_values import changed
from tflm_studio.editing.formula_functions import CONSTANTS, FUNCTIONS, OPERATORS
from tflm_studio.editing.value_effects import ValueProposal
from tflm_studio.editing.weight_target import Piece, Weights, Where, weights_at
from tflm_studio.model.address import Address
from tflm_studio.model.errors import EditError
from tflm_studio.model.excerpts import excerpt
from tflm_studio.model.place_names import plural
from tflm_studio.model.tensor_types import Array
from tflm_studio.schema.tables import Model

LONGEST_FORMULA = 1000  # characters
MOST_PARTS = 300
LARGEST_EXACT = 2**53  # whole numbers beyond have no float64 of their own
LABEL_LENGTH = 40


_PARTS = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call, ast.Name, ast.Constant)


def formula(
    model: Model,
    address: Address | str,
    text: str,
    *,
    real: bool = True,
    where: Where = None,
) -> ValueProposal:
    """Gives values what a formula makes of them.

    Args:
        model: The model.
        address: The tensor, as in `weight_values`.
        text: Of `x` (the values), `scale` and `zero_point`, `i` (flat index), `i0`, `i1`...
            (index along each dimension), `pi`, `e`, numbers, arithmetic, comparisons joined by
            & and |, and `FUNCTIONS`. Its result is a number for each value, or one for all.
        real: Whether `x` holds the reals that quantised numbers stand for.
        where: The values that change; `x` holds those only.

    Raises:
        EditError: The values cannot be changed, or the formula cannot be understood, which
            is told with the place in it.
    """
    made = _Formula(text)
    weights = weights_at(model, address, real=real, where=where)
    made.check_names(weights)
    _check_exact(weights)
    if weights.count:
        made.reduce(weights)
    label = f"{excerpt(made.text, LABEL_LENGTH)} for {weights.name[:1].lower()}"
    label += weights.name[1:]
    return changed(weights, made.evaluated, label, by_value=made.is_by_value)


def _check_exact(weights: Weights) -> None:
    for piece in weights.pieces():
        numbers = piece.numbers()
        if numbers.dtype != object:
            return
        large = max((abs(n) for n in numbers.tolist()), default=0)
        if large > LARGEST_EXACT:
            raise EditError(
                f"{weights.name} holds {large}; a formula computes with float64, which has "
                f"not all whole numbers beyond {LARGEST_EXACT}. Use scale, offset or fill."
            )


class _Formula:
    """A formula that has been looked at."""

    def __init__(self, text: str) -> None:
        self.text = " ".join(text.split())
        self._tree = self._parsed()
        nodes = list(ast.walk(self._tree))
        if len(nodes) > MOST_PARTS:
            raise EditError(f"The formula has more than {MOST_PARTS} parts.")
        calls = [node for node in nodes if isinstance(node, ast.Call)]
        for node in nodes:
            self._check(node)
        called = [call.func for call in calls]
        names = [node for node in nodes if isinstance(node, ast.Name)]
        self._names = [node for node in names if node not in called]
        self.is_whole = any(FUNCTIONS[n.id].is_whole for n in names if n in called)

    @property
    def is_by_value(self) -> bool:
        """Whether equal values become equal ones."""
        return not self.is_whole and all(node.id in ("x", *CONSTANTS) for node in self._names)

    def _parsed(self) -> ast.expr:
        if not self.text:
            raise EditError("The formula is empty; write one such as round(x / 0.02) * 0.02.")
        if len(self.text) > LONGEST_FORMULA:
            raise EditError(f"The formula is longer than {LONGEST_FORMULA:,} characters.")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what is odd is refused below
                return ast.parse(self.text, mode="eval").body
        except SyntaxError as error:
            at = error.offset or 0
            inside = 0 < at <= len(self.text)
            place = f"character {at}, '{excerpt(self.text[at - 1 :], 12)}'"
            raise EditError(
                f"The formula cannot be read at {place if inside else 'its end'}: {error.msg}."
            ) from None
        except (ValueError, RecursionError, MemoryError):
            raise EditError("The formula cannot be read; it is too deep or no text.") from None

    def _check(self, node: ast.AST) -> None:
        if isinstance(node, ast.expr):
            self._check_part(node)
        elif isinstance(node, (ast.operator, ast.unaryop, ast.cmpop)):
            if type(node) not in OPERATORS:
                raise EditError(
                    f"A formula has no operator '{type(node).__name__}'; use + - * / // % **, "
                    "comparisons, and & | ~ between them."
                )
        elif not isinstance(node, ast.expr_context):
            raise EditError("A formula takes no arguments by name.")

    def _check_part(self, node: ast.expr) -> None:
        if not isinstance(node, _PARTS):
            raise self._refusal(node, _WORDS.get(type(node), "this is no arithmetic"))
        if isinstance(node, ast.Constant) and type(node.value) not in (int, float):
            raise self._refusal(node, "only plain numbers are possible")
        if isinstance(node, ast.Constant) and _is_huge(node):
            raise self._refusal(node, "the number is too large")
        if isinstance(node, ast.Compare) and len(node.ops) > 1:
            raise self._refusal(node, "compare two at a time, as in (0 < x) & (x < 1)")
        if isinstance(node, ast.Call):
            self._check_call(node)

    def _check_call(self, node: ast.Call) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        known = FUNCTIONS.get(name)
        if known is None:
            names = ", ".join(FUNCTIONS)
            raise self._refusal(node, f"there is no such function; there are {names}")
        if node.keywords or len(node.args) != known.arity:
            raise self._refusal(node, f"{name} takes {plural(known.arity, 'argument')}")

    def _refusal(self, node: ast.expr, reason: str) -> EditError:
        start, end = node.col_offset, node.end_col_offset
        raw = self.text.encode()  # places are told in bytes
        at = len(raw[:start].decode(errors="ignore")) + 1
        part = excerpt(raw[start:end].decode(errors="ignore"), 24)
        return EditError(f"The formula, character {at}, '{part}': {reason}.")

    def check_names(self, weights: Weights) -> None:
        """Refuses names that mean nothing here."""
        known = {"x", "i", *CONSTANTS, *(f"i{k}" for k in range(len(weights.contents.shape)))}
        if weights.contents.quantization is not None:
            known |= {"scale", "zero_point"}
        for node in self._names:
            if node.id in ("scale", "zero_point") and node.id not in known:
                raise self._refusal(node, f"{weights.name} is not quantised")
            if node.id in FUNCTIONS:
                raise self._refusal(node, f"write {node.id}(x)")
            if node.id not in known:
                names = ", ".join(sorted(known))
                raise self._refusal(node, f"there is no such name; there are {names}")

    def reduce(self, weights: Weights) -> None:
        """Puts numbers in place of the functions that look at all values at once.

        Raises:
            EditError: What they look at cannot be evaluated.
        """
        if self.is_whole:
            self._tree = _Reduction(self, weights).visit(self._tree)

    def evaluated(self, x: Array, piece: Piece, tree: ast.expr | None = None) -> Array:
        """What the formula makes of some values: as many numbers, or one.

        Args:
            x: The values.
            piece: Where they are.
            tree: A part of the formula; all of it if None.

        Raises:
            EditError: It cannot be evaluated, or makes something else.
        """
        from simpleeval import InvalidExpression, SimpleEval  # not everybody writes formulas

        functions = {name: function.call for name, function in FUNCTIONS.items()}
        names = self._values(x, piece)
        evaluator = SimpleEval(operators=OPERATORS, functions=functions, names=names)
        evaluator.nodes[ast.Constant] = lambda node: np.float64(node.value)
        try:
            with np.errstate(all="ignore"):
                found = np.asarray(
                    evaluator.eval(self.text, previously_parsed=tree or self._tree)
                )
        except (InvalidExpression, ArithmeticError, TypeError, ValueError) as error:
            raise EditError(f"The formula cannot be evaluated: {error}.") from None
        if found.dtype.kind not in "biuf" or found.shape not in ((), names["x"].shape):
            raise EditError(
                f"The formula makes {found.shape} values of {found.dtype}, not a number for "
                "each value."
            )
        return found.astype(np.float64)

    def _values(self, x: Array, piece: Piece) -> dict[str, Any]:
        wanted = {node.id for node in self._names}
        found: dict[str, Any] = {**CONSTANTS, "x": x.astype(np.float64)}
        contents = piece.weights.contents
        if wanted & {"scale", "zero_point"} and contents.quantization is not None:
            channel = contents.quantization.channel(piece.flat)
            found["scale"] = contents.quantization.scale[channel]
            found["zero_point"] = contents.quantization.zero_point[channel].astype(np.float64)
        if "i" in wanted:
            found["i"] = piece.flat.astype(np.float64)
        for axis, size in enumerate(contents.shape):
            if f"i{axis}" in wanted:
                inner = math.prod(contents.shape[axis + 1 :])
                found[f"i{axis}"] = (piece.flat // inner % size).astype(np.float64)
        return found


class _Reduction(ast.NodeTransformer):
    """Reduces all values to a number, wherever a formula says so, the innermost first.

    What is reduced is the one array of all values that is ever made.
    """

    def __init__(self, formula: _Formula, weights: Weights) -> None:
        self._formula, self._weights = formula, weights

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        assert isinstance(node.func, ast.Name)
        function = FUNCTIONS[node.func.id]
        if not function.is_whole:
            return node
        values = np.empty(self._weights.count)
        for piece in self._weights.pieces():
            found = self._formula.evaluated(piece.numbers(), piece, node.args[0])
            values[piece.start : piece.stop] = found
            if found.ndim == 0:  # a number for all
                values = values[:1]
                break
        with np.errstate(all="ignore"):
            return ast.Constant(float(function.call(values)))


_WORDS: dict[type[ast.expr], str] = {
    ast.Attribute: "a formula has no attributes",
    ast.Subscript: "a formula has no indices; i, i0, i1... tell where a value is",
    ast.BoolOp: "write & and | between comparisons in brackets",
    ast.IfExp: "write where(condition, this, that)",
}


def _is_huge(node: ast.Constant) -> bool:
    try:
        return math.isinf(float(str(node.value)))
    except ValueError:  # a whole number of thousands of digits cannot be written
        return True
