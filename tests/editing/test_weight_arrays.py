# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from tests.editing.small_models import diamond, do
from tflm_studio.editing.weight_arrays import export_weights, import_weights
from tflm_studio.model.errors import EditError
from tflm_studio.schema.tables import Tensor


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
