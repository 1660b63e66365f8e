# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from tests.editing.small_models import diamond, do
from tests.editing.weight_models import holding
from tflm_studio.editing.weight_arrays import export_weights, import_weights
from tflm_studio.model.errors import EditError
from tflm_studio.schema.tables import Buffer, Tensor


def test_tied_weights_take_the_same_values_and_no_others() -> None:
    model = diamond()
    model.subgraphs[0].tensors.append(Tensor([1, 4], name="tied", buffer=1))
    arrays, _ = export_weights(model)
    twice = {name: values * 2 for name, values in arrays.items()}
    do(model, import_weights(model, twice))
    now, _ = export_weights(model)
    assert np.array_equal(now["tied"], twice["tied"])
    with pytest.raises(EditError, match="'tied' and 't0' share buffer 1"):
        import_weights(model, {"t0": twice["t0"] + 1, "tied": twice["tied"] + 2})


def test_a_tensor_called_like_the_place_of_another_keeps_neither_out() -> None:
    model = holding(np.float32([1, 2]))
    model.subgraphs[0].tensors += [Tensor([2], name="subgraphs[0].tensors[0]", buffer=2)]  # type: ignore[index,operator]
    model.subgraphs[0].tensors[0].name = ""  # type: ignore[index]
    model.buffers += [Buffer(data=np.float32([3, 4]).tobytes())]  # type: ignore[operator]
    arrays, _ = export_weights(model)
    assert sorted(array.tolist() for array in arrays.values()) == [[1, 2], [3, 4]]


def test_a_type_without_infinities_takes_none() -> None:
    model = holding(np.ones(3), "float8_e4m3fn")
    for value in (np.inf, 1e9):
        with pytest.raises(EditError, match="do not fit float8_e4m3fn"):
            import_weights(model, {"weights": np.full(3, value)})
    do(model, import_weights(model, {"weights": np.full(3, np.nan)}))
