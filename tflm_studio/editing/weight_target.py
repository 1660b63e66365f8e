# SPDX-License-Identifier: Apache-2.0
"""The numbers that an operation on weights changes: all of a tensor, or chosen ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.analysis.compressed_tensors import find_compression
from tflm_studio.analysis.stored_contents import contents_at
from tflm_studio.model.address import Address, format_address, parse_address, resolve
from tflm_studio.model.cancellation import check_cancelled
from tflm_studio.model.errors import EditError
from tflm_studio.model.place_names import at_start, name_thing
from tflm_studio.model.quantization import AffineQuantization
from tflm_studio.model.tensor_types import Array, ElementType
from tflm_studio.schema.tables import Model, Tensor

PIECE = 1 << 18  # elements that are looked at at once; a whole number of bytes of any type
WIDE = 64  # bits of whole numbers that a float64 cannot tell apart
Flags = NDArray[np.bool_]
Where = Any  # a mask of the tensor's shape, or flat indices


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """Numbers of a tensor or buffer, in the form in which an operation works on them.

    Attributes:
        model: The model.
        contents: The bytes and how to read them.
        name: What people call it.
        is_real: Whether the numbers are the reals that stored integers stand for.
        where: Flat indices of the chosen ones, ascending; None for all.
    """

    model: Model
    contents: BufferContents
    name: str
    is_real: bool
    where: NDArray[np.int64] | None = None

    @property
    def kind(self) -> ElementType:
        """What one element is."""
        return self.contents.kind

    @property
    def count(self) -> int:
        """How many numbers are chosen."""
        return self.contents.count if self.where is None else len(self.where)

    def pieces(self) -> Iterator[Piece]:
        """The chosen numbers, so many at once that they take little memory."""
        for start in range(0, self.count, PIECE):
            check_cancelled()
            stop = min(start + PIECE, self.count)
            chosen = None if self.where is None else self.where[start:stop]
            yield Piece(self, start, stop, chosen)

    def numbers(self) -> Array:
        """All chosen numbers at once, flat."""
        found = [piece.numbers() for piece in self.pieces()]
        return np.concatenate(found) if found else np.zeros(0)


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Some of the chosen numbers.

    Attributes:
        weights: What they are chosen of.
        start: The first, counted among the chosen ones.
        stop: Behind the last.
        chosen: Their flat indices; None if all are chosen.
    """

    weights: Weights
    start: int
    stop: int
    chosen: NDArray[np.int64] | None

    @property
    def flat(self) -> NDArray[np.int64]:
        """Flat indices in the tensor."""
        return np.arange(self.start, self.stop) if self.chosen is None else self.chosen

    def raw(self) -> Array:
        """What is stored: bits as the type has them, packed ones as single numbers."""
        contents, kind = self.weights.contents, self.weights.kind
        if kind.is_packed:
            if self.chosen is None:
                return contents.values(self.start, self.stop - self.start)
            return contents.values_at(self.chosen)
        stored = np.frombuffer(contents.data or b"", kind.storage, contents.count)
        chosen: Array = stored[
            slice(self.start, self.stop) if self.chosen is None else self.chosen
        ]
        return chosen

    def numbers(self) -> Array:
        """The numbers to work on."""
        return self.meaning(self.raw())

    def meaning(self, raw: Array) -> Array:
        """Stored numbers as the numbers to work on: float64, or objects if those are wide."""
        kind, quantization = self.weights.kind, self.weights.contents.quantization
        if self.weights.is_real and quantization is not None:
            scale, zero = self._affine(quantization)
            reals: Array = (raw.astype(np.float64) - zero) * scale
            return reals
        if kind.kind == "integer" and kind.bits == WIDE:
            wide: Array = raw.astype(object)
            return wide
        if kind.kind == "bool":
            raw = raw != 0
        with np.errstate(invalid="ignore"):  # a NaN may be one that signals
            plain: Array = raw.astype(np.float64)
        return plain

    def to_raw(self, numbers: Array) -> tuple[Array, Flags]:
        """Numbers as they are stored, and which lie beyond what the type can hold.

        Raises:
            EditError: A whole number would have to be NaN or infinite.
        """
        kind, quantization = self.weights.kind, self.weights.contents.quantization
        if kind.kind == "float":
            return _to_float(numbers, kind)
        self._check_finite(numbers)
        if self.weights.is_real and quantization is not None:
            scale, zero = self._affine(quantization)
            with np.errstate(over="ignore"):
                numbers = half_away(numbers / scale) + zero
        if kind.kind == "integer" and kind.bits == WIDE:
            return _to_wide(numbers, kind)
        rounded = half_away(numbers.astype(np.float64))
        beyond = (rounded < kind.low) | (rounded > kind.high)
        whole = np.clip(rounded, kind.low, kind.high)
        narrow = np.int8 if kind.is_packed and kind.low < 0 else kind.storage
        return whole.astype(narrow), beyond

    def _affine(self, quantization: AffineQuantization) -> tuple[Any, Any]:
        if not quantization.inner:
            return quantization.scale[0], quantization.zero_point[0]
        channel = quantization.channel(self.flat)
        return quantization.scale[channel], quantization.zero_point[channel]

    def _check_finite(self, numbers: Array) -> None:
        if numbers.dtype == object:
            finite = np.array([isinstance(n, int) or isfinite(n) for n in numbers.tolist()])
        else:
            finite = np.isfinite(numbers)
        bad = np.flatnonzero(~finite)
        if bad.size:
            raise EditError(
                f"{self.weights.name}: element {int(self.flat[bad[0]])} would become "
                f"{float(numbers[bad[0]])}, which {self.weights.kind.name} cannot hold."
            )


def half_away(numbers: Array) -> Array:
    """Numbers rounded as the kernels do: halves away from zero."""
    found: Array = np.copysign(np.floor(np.abs(numbers) + 0.5), numbers)
    # What is a whole number already may be too large for the half to be added.
    return np.where(np.abs(numbers) >= 2.0**52, numbers, found)


def _to_float(numbers: Array, kind: ElementType) -> tuple[Array, Flags]:
    with np.errstate(over="ignore", invalid="ignore"):
        raw = numbers.astype(np.float64).astype(kind.storage)
        beyond = np.isfinite(numbers) & ~np.isfinite(raw.astype(np.float64))
    if beyond.any():
        most = float(ml_dtypes.finfo(kind.storage).max)  # type: ignore[no-untyped-call]
        raw[beyond] = np.copysign(most, numbers[beyond]).astype(kind.storage)
    return raw, beyond


def _to_wide(numbers: Array, kind: ElementType) -> tuple[Array, Flags]:
    whole = [n if isinstance(n, int) else _whole(n) for n in numbers.tolist()]
    kept = [min(max(n, kind.low), kind.high) for n in whole]
    beyond = [a != b for a, b in zip(whole, kept, strict=True)]
    return np.array(kept, kind.storage), np.array(beyond, bool)


def _whole(number: float) -> int:
    return int(number) if abs(number) >= 2.0**52 else int(abs(number) + 0.5) * _sign(number)


def _sign(number: float) -> int:
    return -1 if number < 0 else 1


# ------------------------------------------------------------------ finding them


def weights_at(
    model: Model, address: Address | str, *, real: bool = True, where: Where = None
) -> Weights:
    """The numbers at a place, if they can be changed.

    Args:
        model: The model.
        address: A tensor such as `subgraphs[0].tensors[3]`, or a buffer such as `buffers[7]`.
        real: Whether to work on the reals that quantised numbers stand for; on the stored
            numbers if not, or if there is no quantisation.
        where: A mask of the tensor's shape, or flat indices; all if None.

    Raises:
        EditError: There are no numbers, or they are stored in a form that cannot be written.
    """
    place = parse_address(address) if isinstance(address, str) else address
    contents = _contents(model, place)
    name = at_start(name_thing(model, place))
    if contents.tensor_address is not None:
        _check_tensor(model, contents.tensor_address, name, real=real)
    _check_kind(contents, name)
    return Weights(
        model, contents, name, _is_real(contents, name, real=real), _flat(contents, where)
    )


def _contents(model: Model, place: Address) -> BufferContents:
    match place:
        case ("subgraphs", int(), "tensors", int()) | ("buffers", int()):
            resolve(model, place)
        case _:
            raise EditError(
                f"'{format_address(place)}' is neither a tensor nor a buffer; name one such "
                "as subgraphs[0].tensors[3] or buffers[7]."
            )
    contents = contents_at(model, place)
    if contents is None or contents.data is None:
        name = at_start(name_thing(model, place))
        raise EditError(f"{name} stores no values, so there is nothing to change.")
    return contents


def _check_tensor(model: Model, place: Address, name: str, *, real: bool) -> None:
    tensor: Tensor = resolve(model, place)
    if tensor.sparsity is not None:
        raise EditError(f"{name} is stored sparse; its values cannot be changed so.")
    compression = find_compression(model)
    parts = compression.subgraphs if compression is not None else ()
    subgraph, index = int(place[1]), int(place[3])
    if subgraph < len(parts) and any(lut.tensor == index for lut in parts[subgraph]):
        raise EditError(f"{name} is compressed with a table; its values cannot be changed so.")
    if real and tensor.quantization is not None and tensor.quantization.details is not None:
        raise EditError(
            f"{name} is quantised by details that are more than a scale; change its stored "
            "numbers instead of the reals."
        )


def _check_kind(contents: BufferContents, name: str) -> None:
    kind = contents.kind
    if kind.kind in ("opaque", "complex"):
        raise EditError(f"{name} holds {kind.name}; only plain numbers can be changed so.")
    if contents.decoding is not None:
        raise EditError(f"{name} is stored in a coded form; its values cannot be changed so.")
    if contents.note and contents.tensor_address is not None:
        raise EditError(f"{name}: {contents.note.partition(': shown')[0]}; mend that first.")


def _is_real(contents: BufferContents, name: str, *, real: bool) -> bool:
    quantization = contents.quantization
    if not real or quantization is None:
        return False
    if not (np.isfinite(quantization.scale) & (quantization.scale != 0)).all():
        raise EditError(
            f"{name} has a scale of 0 or one that is no number; change its stored numbers "
            "instead of the reals."
        )
    return True


def _flat(contents: BufferContents, where: Where) -> NDArray[np.int64] | None:
    if where is None:
        return None
    chosen = np.asarray(where)
    if chosen.dtype == bool:
        if chosen.shape not in (contents.shape, (contents.count,)):
            raise EditError(
                f"The mask has the shape {chosen.shape}, the tensor {contents.shape}; they "
                "must agree."
            )
        return np.flatnonzero(chosen.reshape(-1))
    if chosen.size and chosen.dtype.kind not in "iu":
        raise EditError("Chosen elements are named by a mask or by flat indices.")
    flat = np.unique(chosen.astype(np.int64))
    if flat.size and not 0 <= flat[0] <= flat[-1] < contents.count:
        bad = flat[0] if flat[0] < 0 else flat[-1]
        raise EditError(f"There is no element {bad:,}; the last is {contents.count - 1:,}.")
    return flat
