# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QImage

import tflm_studio as ts
from tests.conftest import SAMPLES, every, readable_models
from tests.editing.weight_models import holding
from tflm_studio.__main__ import main
from tflm_studio.analysis.array_summary import summarize_array
from tflm_studio.editing.weight_arrays import (
    export_weights,
    import_weights,
    room_for_weights,
    weight_places,
)
from tflm_studio.formats.array_files import write_npy, write_npz
from tflm_studio.formats.array_reader import read_npz
from tflm_studio.schema.tables import Model

SAMPLE = SAMPLES / "shapes_int8.tflite"


def constant(model: Model) -> str:
    """The address of a constant with more than one dimension."""
    for address in weight_places(model).values():
        if len(ts.values(model, address).shape) == 4:
            return f"subgraphs[{address[1]}].tensors[{address[3]}]"
    raise AssertionError


def test_statistics_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    model = ts.load_model_from_file(SAMPLE)
    address = constant(model)
    for options, real in ([], False), (["--real"], True):
        assert main(["buffer", str(SAMPLE), address, *options, "--stats", "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        array = ts.values(model, address, real=real)
        assert found["dtype"] == str(array.dtype)
        assert found["shape"] == list(array.shape)
        assert found["count"] == array.size
        assert (found["min"], found["max"]) == (array.min(), array.max())
        assert found["mean"] == pytest.approx(array.mean())
        assert found["std"] == pytest.approx(array.std())
        assert found["zeros"] == (array == 0).sum()
        assert found["unique"] == len(np.unique(array))
        assert len(found["histogram"]["edges"]) == len(found["histogram"]["counts"]) + 1
        assert sum(found["histogram"]["counts"]) == array.size


def test_values_go_to_files(tmp_path: Path) -> None:
    model = ts.load_model_from_file(SAMPLE)
    address = constant(model)
    for suffix in (".npy", ".csv", ".png"):
        output = tmp_path / f"values{suffix}"
        assert main(["buffer", str(SAMPLE), address, "--real", "-o", str(output)]) == 0
    reals = ts.values(model, address, real=True)
    np.testing.assert_array_equal(np.load(tmp_path / "values.npy", allow_pickle=False), reals)
    read = np.loadtxt(tmp_path / "values.csv", delimiter=",")
    np.testing.assert_array_equal(read.reshape(reals.shape), reals)
    picture = QImage(str(tmp_path / "values.png"))
    rows, columns = reals.reshape(-1, reals.shape[-1]).shape
    assert picture.width() * rows == picture.height() * columns
    assert picture.width() >= columns


def test_floats_read_back_from_csv(tmp_path: Path) -> None:
    sample, output = SAMPLES / "sine_float.tflite", tmp_path / "w.csv"
    model = ts.load_model_from_file(sample)
    name = next(iter(weight_places(model).values()))
    address = f"subgraphs[0].tensors[{name[3]}]"
    assert main(["buffer", str(sample), address, "-o", str(output)]) == 0
    read = np.loadtxt(output, delimiter=",", dtype=np.float32, ndmin=1)
    assert read.tobytes() == ts.values(model, address).tobytes()


def test_what_is_wrong_is_said_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments, reason in [
        ([str(SAMPLE), "subgraphs[0].tensors[999]"], "out of range"),
        ([str(SAMPLE), "buffers[0]"], "nothing is stored"),
        ([str(SAMPLE), "buffers[1]", "--dtype", "int5"], "no element type 'int5'"),
        ([str(SAMPLE), "buffers[1]", "-o", "x.jpg"], "use one of .npy .npz .csv"),
    ]:
        assert main(["buffer", *arguments]) == 2
        error = capsys.readouterr().err
        assert reason in error
        assert error.count("\n") == 1
    copy = tmp_path / "same.npy"
    copy.write_bytes(SAMPLE.read_bytes())
    assert main(["buffer", str(copy), "buffers[1]", "-o", str(copy)]) == 2
    assert copy.read_bytes() == SAMPLE.read_bytes()


def test_weights_go_out_and_come_back(tmp_path: Path) -> None:
    arrays, model = str(tmp_path / "w.npz"), str(tmp_path / "new.tflite")
    assert main(["weights", str(SAMPLE), "-o", arrays]) == 0
    assert main(["weights", str(SAMPLE), "--import", arrays, "-o", model]) == 0
    assert Path(model).read_bytes() == SAMPLE.read_bytes()
    with np.load(arrays, allow_pickle=False) as held:
        weights = dict(held)
    name = next(name for name, array in weights.items() if array.ndim == 4)
    weights[name] = weights[name] // 2
    np.savez(tmp_path / "changed.npz", **weights)
    changed = str(tmp_path / "changed.npz")
    assert main(["weights", str(SAMPLE), "--import", changed, "-o", model]) == 0
    made = ts.load_model_from_file(model)
    np.testing.assert_array_equal(ts.values(made, weight_places(made)[name]), weights[name])
    assert len(Path(model).read_bytes()) == len(SAMPLE.read_bytes())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda array: array[:1], "they must agree"),
        (lambda array: array.astype(np.int32) + 1000, "int8 holds -128 to 127"),
        (lambda array: array.astype(np.float64) + 0.5, "holds float64"),
    ],
)
def test_unfit_weights_are_refused(
    change: object, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arrays, _ = export_weights(ts.load_model_from_file(SAMPLE))
    name = next(name for name, array in arrays.items() if array.ndim == 4)
    np.savez(tmp_path / "w.npz", **{name: change(arrays[name])})  # type: ignore[operator]
    output = tmp_path / "new.tflite"
    source = str(tmp_path / "w.npz")
    assert main(["weights", str(SAMPLE), "--import", source, "-o", str(output)]) == 2
    assert reason in capsys.readouterr().err
    assert not output.exists()


def test_code_in_arrays_does_not_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arrays, _ = export_weights(ts.load_model_from_file(SAMPLE))
    name = next(iter(arrays))
    np.savez(tmp_path / "w.npz", **{name: np.array([{}], object)})
    source, output = str(tmp_path / "w.npz"), str(tmp_path / "new.tflite")
    assert main(["weights", str(SAMPLE), "--import", source, "-o", output]) == 2
    assert "it holds object, not plain values" in capsys.readouterr().err
    (tmp_path / "w.npz").write_bytes(b"no archive")
    assert main(["weights", str(SAMPLE), "--import", source, "-o", output]) == 2
    np.savez(tmp_path / "w.npz", **{name: np.zeros(10**7, np.int8)})
    assert main(["weights", str(SAMPLE), "--import", source, "-o", output]) == 2
    assert "the model has" in capsys.readouterr().err


def test_shared_buffers_take_one_set_of_values() -> None:
    model = ts.load_model_from_file(SAMPLE)
    arrays, _ = export_weights(model)
    name = next(name for name, array in arrays.items() if array.ndim == 4)
    place = weight_places(model)[name]
    made = ts.tensors.duplicate(model, 0, [int(place[3])], with_data=False)
    document = ts.Document(model)
    document.do(made)
    arrays, _ = export_weights(model)
    shared = [n for n, a in arrays.items() if a.tobytes() == arrays[name].tobytes()]
    if len(shared) < 2:
        document.do(ts.buffers.share_identical(model))
    document.do(import_weights(model, {name: arrays[name] // 2}))
    assert ts.values(model, place).tobytes() == (arrays[name] // 2).tobytes()


def test_weights_of_real_models_come_back(models_folder: Path, tmp_path: Path) -> None:
    for path in every(12, readable_models(models_folder)):
        if path.stat().st_size > 1_000_000:
            continue
        model = ts.load_model_from_file(path)
        arrays, _ = export_weights(model)
        assert not import_weights(model, arrays).edits, path


def test_one_buffer_goes_out_in_every_form_and_comes_back(tmp_path: Path) -> None:
    model = ts.load_model_from_file(SAMPLE)
    tensors = model.subgraphs[0].tensors  # type: ignore[index]
    number = next(
        k
        for k, tensor in enumerate(tensors or [])
        if tensor.type == 9 and model.buffers[tensor.buffer].data  # type: ignore[index]
    )
    place = f"subgraphs[0].tensors[{number}]"
    before = ts.values(model, place)
    for suffix in (".npz", ".txt", ".bin", ".c", ".h"):
        assert main(["buffer", str(SAMPLE), place, "-o", str(tmp_path / f"w{suffix}")]) == 0
        assert (tmp_path / f"w{suffix}").stat().st_size
    assert (tmp_path / "w.bin").read_bytes() == before.tobytes()
    np.save(tmp_path / "w.npy", -np.clip(before, -127, 127))
    out = str(tmp_path / "new.tflite")
    source = ["buffer", str(SAMPLE), place, "--import"]
    assert main([*source, str(tmp_path / "w.npy"), "-o", out]) == 0
    found = ts.values(ts.load_model_from_file(out), place)
    np.testing.assert_array_equal(found, -np.clip(before, -127, 127))
    assert main([*source, str(tmp_path / "w.bin"), "-o", out]) == 0
    assert Path(out).read_bytes() == SAMPLE.read_bytes()
    assert main([*source, str(tmp_path / "w.bin")]) == 2


@pytest.mark.parametrize("suffix", [".npy", ".bin", ".csv", ".npz"])
def test_a_buffer_is_bytes_on_both_ways(tmp_path: Path, suffix: str) -> None:
    model = ts.load_model_from_file(SAMPLE)
    index = max(range(len(model.buffers)), key=lambda b: len(model.buffers[b].data or b""))
    output, back = tmp_path / f"w{suffix}", tmp_path / "back.tflite"
    address = f"buffers[{index}]"
    assert main(["buffer", str(SAMPLE), address, "-o", str(output)]) == 0
    if suffix == ".bin":
        assert output.read_bytes() == bytes(model.buffers[index].data)
    assert (
        main(["buffer", str(SAMPLE), address, "--import", str(output), "-o", str(back)]) == 0
    )
    assert back.read_bytes() == SAMPLE.read_bytes()


@pytest.mark.parametrize("suffix", [".csv", ".txt"])
def test_lines_of_four_dimensions_read_back(tmp_path: Path, suffix: str) -> None:
    model = ts.load_model_from_file(SAMPLE)
    address, output, back = constant(model), tmp_path / f"w{suffix}", tmp_path / "back.tflite"
    assert main(["buffer", str(SAMPLE), address, "-o", str(output)]) == 0
    arguments = ["buffer", str(SAMPLE), address, "--import", str(output), "-o", str(back)]
    assert main(arguments) == 0
    assert back.read_bytes() == SAMPLE.read_bytes()


@pytest.mark.parametrize(
    "array",
    [
        np.array([0, 2**64 - 1], np.uint64),
        np.array([-(2**63), 2**63 - 1]),
        np.array([1e308, -1e308, 1e308]),
        np.array([5e-324, 0]),
    ],
)
def test_statistics_of_the_widest_numbers(array: np.ndarray) -> None:
    found = summarize_array(array)
    assert sum(found["histogram"]["counts"]) == array.size
    assert (found["min"], found["max"]) == (array.min(), array.max())
    json.dumps(found, allow_nan=False)
    wide = array.astype(np.longdouble)
    near = 1e-9 * float(abs(wide).max())
    assert found["mean"] == pytest.approx(float(wide.mean()), abs=near)
    assert found["std"] == pytest.approx(float(wide.std()))


@pytest.mark.parametrize("shape", [(), (1,), (0, 3), (2, 1, 2)])
def test_every_shape_comes_back_from_an_archive(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    model = holding(np.ones(shape, "f4"))
    arrays, _ = export_weights(model)
    write_npz(tmp_path / "w.npz", arrays)
    read = read_npz(tmp_path / "w.npz", room_for_weights(model))
    assert {name: array.shape for name, array in read.items()} == dict.fromkeys(arrays, shape)
    assert not import_weights(model, read).edits
    write_npy(tmp_path / "w.npy", np.ones(shape, "f4"))
    assert np.load(tmp_path / "w.npy").shape == shape
