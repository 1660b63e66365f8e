# SPDX-License-Identifier: Apache-2.0
"""The command line and the library calls that the README promises."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tflm_studio as ts
from tests.conftest import SAMPLES, every, readable_models
from tests.formats.archives import two_files
from tflm_studio.__main__ import VERBS, WITHOUT_A_SCREEN, main
from tflm_studio.analysis.summary import describe_model, summarize

SAMPLE = SAMPLES / "shapes_int8.tflite"


def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    unset = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"} - set(environment)
    kept = {key: value for key, value in os.environ.items() if key not in unset}
    return subprocess.run(
        [sys.executable, "-m", "tflm_studio", *arguments],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_info_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(SAMPLE), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert set(facts) == {
        "version",
        "description",
        "file_size",
        "subgraphs",
        "buffers",
        "metadata",
        "associated_files",
        "signatures",
    }
    assert facts["file_size"] == SAMPLE.stat().st_size
    subgraph = facts["subgraphs"][0]
    assert set(subgraph) == {"name", "inputs", "outputs", "operators", "tensors"}
    first = subgraph["operators"][0]
    assert (first["index"], first["name"], first["args"]) == (0, "Conv2D", "3x3 s2 SAME RELU")
    assert first["inputs"] == [0]
    assert len(first["weights"]) == 2
    tensor = subgraph["tensors"][first["weights"][0]]
    assert set(tensor) == {"index", "name", "shape", "type", "buffer", "scale", "zero_point"}
    assert (tensor["shape"], tensor["type"], len(tensor["scale"])) == ([8, 3, 3, 1], "int8", 8)
    data = SAMPLE.read_bytes()
    model = ts.load_model_from_file(SAMPLE)
    for buffer, known in zip(facts["buffers"], model.buffers or [], strict=True):
        assert set(buffer) == {"index", "size", "offset", "aligned"}
        if buffer["size"]:
            assert buffer["aligned"] is True
            end = buffer["offset"] + buffer["size"]
            assert data[buffer["offset"] : end] == bytes(known.data or b"")
        else:
            assert (buffer["offset"], buffer["aligned"]) == (None, None)
    assert {entry["name"] for entry in facts["metadata"]} == {"min_runtime_version"}
    assert facts["signatures"][0]["inputs"] == [{"name": "picture", "tensor": 0}]


def test_info_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(SAMPLE)]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"shapes_int8.tflite: {SAMPLE.stat().st_size:,} bytes")
    assert "Conv2D" in text
    assert "3x3 s2 SAME RELU" in text
    assert "min_runtime_version, 16 bytes" in text


def test_every_real_model_is_summarised(models_folder: Path) -> None:
    for path in every(4, readable_models(models_folder)):
        try:
            model = ts.load_model_from_file(path)
        except ts.ReadError:
            continue
        json.dumps(summarize(model), allow_nan=False)
        assert list(describe_model(model, path.name))


def test_files_behind_a_model_are_listed_and_extracted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, folder = tmp_path / "m.tflite", tmp_path / "out"
    path.write_bytes(two_files())
    assert main(["info", str(path)]) == 0
    assert "file         labels.txt, 140 bytes" in capsys.readouterr().out
    assert main(["info", "--json", str(path)]) == 0
    assert json.loads(capsys.readouterr().out)["associated_files"] == [
        {"name": "labels.txt", "size": 140},
        {"name": "vocabulary.txt", "size": 5},
    ]
    assert main(["files", str(path)]) == 0
    assert capsys.readouterr().out.split() == ["140", "labels.txt", "5", "vocabulary.txt"]
    assert main(["files", str(path), "--extract", str(folder)]) == 0
    assert (folder / "vocabulary.txt").read_bytes() == b"a b c"
    capsys.readouterr()
    assert main(["files", str(path), "--extract", str(folder)]) == 2
    assert "labels.txt: this file exists already" in capsys.readouterr().err
    assert main(["files", str(path), "--extract", str(folder), "--overwrite"]) == 0
    path.write_bytes(two_files() + b"?")
    capsys.readouterr()
    assert main(["files", str(path)]) == 2
    assert "because other bytes follow it" in capsys.readouterr().err
    assert main(["info", str(path)]) == 0
    assert "cannot be taken apart: other bytes follow it" in capsys.readouterr().out


def test_names_that_are_no_text_are_printed(tmp_path: Path) -> None:
    model = ts.load_model_from_file(SAMPLE)
    tensor = ((model.subgraphs or [])[0].tensors or [])[0]
    tensor.name = "na\udcffme"
    ts.save_model_to_file(model, tmp_path / "odd.tflite")
    done = run("info", str(tmp_path / "odd.tflite"), PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "na\\udcffme" in done.stdout
    done = run("info", "--json", str(tmp_path / "odd.tflite"))
    assert json.loads(done.stdout)["subgraphs"][0]["tensors"][0]["name"] == "na\udcffme"


def test_convert_there_and_back(tmp_path: Path) -> None:
    source, back = tmp_path / "net.cc", tmp_path / "back.tflite"
    assert main(["convert", str(SAMPLE), str(source), "--name", "my_net"]) == 0
    assert "const unsigned char my_net[] = {" in source.read_text()
    assert "my_net_len" in (tmp_path / "net.h").read_text()
    assert main(["convert", str(source), str(back)]) == 0
    assert back.read_bytes() == SAMPLE.read_bytes()


def test_convert_does_not_write_over_what_it_reads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "hand.cc"
    values = ", ".join(map(str, SAMPLE.read_bytes()))
    source.write_text(f"// by hand\nconst unsigned char mine[] = {{{values}}};\n")
    before = source.read_text()
    for output in ("hand.h", "hand.cc"):
        assert main(["convert", str(source), str(tmp_path / output)]) == 2
        assert "would be replaced" in capsys.readouterr().err
        assert source.read_text() == before
    assert not (tmp_path / "hand.h").exists()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["info", "nothing.tflite"], "no such file"),
        (["info", "."], "folder"),
        (["info", "empty.tflite"], "empty"),
        (["info", "text.txt"], "neither a TFLite model"),
        (["info", "pointer.tflite"], "git lfs pull"),
        (["info", "cut.tflite"], "byte"),
        (["info", "declared.h"], "only declared"),
        (["info", "open.cc"], "never closed|not closed|closing|unclosed"),
        (["info"], "required"),
        (["info", "a", "b", "--what"], "unrecognized"),
        (["convert", "text.txt", "out.tflite"], "neither"),
        (["convert", str(SAMPLE), "out.xyz"], "suffix"),
        (["convert", str(SAMPLE), "nowhere/out.cc"], "folder does not exist"),
        (["convert", str(SAMPLE), "out.cc", "--name", "9x"], "digit"),
        (["screenshot", str(SAMPLE), "out.jpg"], ".png"),
        (["screenshot", str(SAMPLE), "out.png", "--size", "huge"], "1440x900"),
        (["screenshot", str(SAMPLE), "out.png", "--select", "subgraphs[9]"], "out of range"),
        (["screenshot", str(SAMPLE), "out.png", "--theme", "pink"], "invalid choice"),
        (["nothing.tflite"], "no such file"),
    ],
    ids=" ".join,
)
def test_what_a_person_can_cause_is_said_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    reason: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("QT_QPA_PLATFORM")  # the same answers without a display
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "empty.tflite").touch()
    (tmp_path / "text.txt").write_text("hello\n")
    (tmp_path / "pointer.tflite").write_text("version https://git-lfs.github.com/spec/v1\n")
    (tmp_path / "cut.tflite").write_bytes(SAMPLE.read_bytes()[:1000])
    (tmp_path / "declared.h").write_text("extern const unsigned char g_model[];\n")
    (tmp_path / "open.cc").write_text("const unsigned char g_model[] = {28, 0, 0, 0, 84;\n")
    try:
        code = main(arguments)
    except SystemExit as left:
        code = int(left.code or 0)
    lines = capsys.readouterr().err.strip().splitlines()
    assert code == 2
    assert len(lines) == 1, lines
    assert any(word in lines[0] for word in reason.split("|")), lines[0]
    assert not (tmp_path / "out.cc").exists()


def test_refusals_reach_the_shell() -> None:
    done = run("info", "nothing.tflite")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == ["tflm-studio: nothing.tflite: there is no such file."]


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "secret.tflite"
    path.write_bytes(SAMPLE.read_bytes())
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    assert main(["info", str(path)]) == 2


def test_a_target_that_is_read_only(tmp_path: Path) -> None:
    path = tmp_path / "fixed.tflite"
    path.write_bytes(b"old")
    path.chmod(stat.S_IRUSR)
    if os.access(path, os.W_OK):
        pytest.skip("this user may write everything")
    assert main(["convert", str(SAMPLE), str(path)]) == 2
    assert path.read_bytes() == b"old"


def test_without_a_display_the_model_is_printed() -> None:
    for arguments in ([str(SAMPLE)], []):
        done = run(*arguments)
        assert done.returncode == 0
        assert len(done.stderr.splitlines()) == 1
        assert "no window" in done.stderr
        assert "screenshot" in done.stderr
        assert "operators" in done.stdout


def test_a_display_that_does_not_answer_is_no_display() -> None:
    done = run(str(SAMPLE), DISPLAY=":4711")
    assert done.returncode == 0
    assert ":4711 does not answer" in done.stderr
    assert "Conv2D" in done.stdout


@pytest.mark.parametrize("theme", every(2, ["dark", "light"]))
def test_screenshot_draws_the_window(tmp_path: Path, theme: str) -> None:
    picture = tmp_path / "out.png"
    place = "subgraphs[0].operators[1]"
    done = run(
        *("screenshot", str(SAMPLE), str(picture)),
        *("--theme", theme, "--size", "1200x800", "--select", place),
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    from PySide6.QtGui import QImage

    image = QImage(str(picture))
    assert (image.width(), image.height()) == (1200, 800)
    corner = image.pixelColor(5, 5).lightness()
    assert corner > 200 if theme == "light" else corner < 80
    colours = {image.pixel(x, y) for x in range(0, 1200, 13) for y in range(0, 800, 7)}
    assert len(colours) > 10


def test_output_may_be_cut_short() -> None:
    command = f"{sys.executable} -m tflm_studio info {SAMPLE} --json | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_the_example_of_the_slide(tmp_path: Path) -> None:
    model = ts.load_model_from_file(SAMPLES / "sine_float.tflite")
    for buffer in model.buffers or []:
        if buffer.data is not None and len(buffer.data) > 1000:
            w = np.frombuffer(buffer.data, dtype=np.float32)
            buffer.data = (np.round(w * (1 / 0.02)) * 0.02).astype(np.float32).tobytes()
    ts.save_model_to_file(model, tmp_path / "out.tflite")
    again = ts.load_model_from_file(tmp_path / "out.tflite")
    changed = [
        np.frombuffer(buffer.data, np.float32)
        for buffer in again.buffers or []
        if buffer.data is not None and len(buffer.data) > 1000
    ]
    assert len(changed) == 1
    assert np.allclose(changed[0] / 0.02, np.round(changed[0] / 0.02), atol=1e-3)


def test_the_calls_of_the_readme(tmp_path: Path) -> None:
    doc = ts.Document.open(SAMPLE)
    place = "subgraphs[0].operators[0].builtin_options.stride_w"
    doc.do(ts.edits.Set(place, 1), label="No stride")
    assert doc.modified
    doc.undo()
    assert not doc.modified
    doc.redo()
    doc.save(tmp_path / "out.tflite")
    model = ts.load_model_from_file(tmp_path / "out.tflite")
    options = ((model.subgraphs or [])[0].operators or [])[0].builtin_options
    assert options.stride_w == 1  # type: ignore[union-attr]


def test_the_library_and_the_verbs_need_no_qt() -> None:
    code = (
        "import sys; sys.modules['PySide6'] = None; sys.modules['pyqtgraph'] = None\n"
        "import tflm_studio; from tflm_studio.__main__ import main\n"
        f"sys.exit(main(['info', {str(SAMPLE)!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_the_help_names_every_verb() -> None:
    named = [line.split()[1] for line in WITHOUT_A_SCREEN.splitlines()[1:]]
    assert sorted(named) == sorted(VERBS)


@pytest.mark.parametrize(
    ("word", "meant"), [("areba", "did you mean arena?"), ("qqq", "the verbs are info, ")]
)
def test_a_slip_in_a_verb_opens_no_window(
    word: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([word, str(SAMPLE)]) == 2
    assert meant in capsys.readouterr().err
