# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from tests.editing.tensor_models import B, W, X, Y, Z, dense_model, done, refused
from tflm_studio.editing.tensor_names import (
    Renaming,
    preview_rename,
    rename,
    rename_by_pattern,
)
from tflm_studio.schema.tables import SignatureDef, TensorMap


def test_rename_and_the_aliases_of_signatures() -> None:
    model = dense_model()
    made = rename(model, 0, {X: "image:0", Z: "score", W: "w"})
    assert made.label == "Rename 2 tensors"
    assert made.notes == (
        "signature 0: the alias 'x' becomes 'image'.",
        "signature 0: the alias 'z' becomes 'score'.",
    )
    done(model, made)
    assert [tensor.name for tensor in model.subgraphs[0].tensors] == [
        *("image:0", "w", "b", "y", "score")
    ]
    signature = model.signature_defs[0]
    assert (signature.inputs[0].name, signature.outputs[0].name) == ("image", "score")


def test_aliases_that_were_other_names_stay() -> None:
    model = dense_model()
    model.signature_defs[0].inputs[0].name = "picture"
    model.signature_defs.append(SignatureDef([TensorMap("x", X)], subgraph_index=1))
    made = rename(model, 0, {X: "image:0"})
    assert not made.notes
    assert len(made.edits) == 1


def test_an_alias_that_is_taken_stays() -> None:
    model = dense_model()
    model.signature_defs[0].inputs.append(TensorMap("image", B))
    made = rename(model, 0, {X: "image:0"})
    assert made.notes == ("signature 0: the alias 'x' stays, because 'image' is taken.",)


def test_names_can_be_exchanged_and_left_out() -> None:
    model = done(model := dense_model(), rename(model, 0, {W: "b", B: "w"}))
    assert [tensor.name for tensor in model.subgraphs[0].tensors[1:3]] == ["b", "w"]
    done(model, rename(model, 0, {W: "", B: ""}))  # no name is no collision
    model.subgraphs[0].tensors[Y].name = "z"  # those that do not change are left alone
    done(model, rename(model, 0, {W: "n"}))


def test_rename_is_refused() -> None:
    model = dense_model()
    with refused(model, "Tensors 1 and 2 would both be called 'b'"):
        rename(model, 0, {W: "b"})
    with refused(model, "Tensors 1 and 2 would both be called 'n'"):
        rename(model, 0, {W: "n", B: "n"})
    with refused(model, "no tensor 9"):
        rename(model, 0, {9: "n"})


def test_by_pattern() -> None:
    model = dense_model()
    preview = preview_rename(model, 0, range(5), ":0", "")
    assert preview.renamings == [Renaming(X, "x:0", "x")]
    assert not preview.collisions
    done(model, rename_by_pattern(model, 0, range(5), r"^(.)$", r"net/\1", is_regex=True))
    names = [tensor.name for tensor in model.subgraphs[0].tensors]
    assert names == ["x:0", "net/w", "net/b", "net/y", "net/z"]


def test_by_pattern_collides() -> None:
    model = dense_model()
    preview = preview_rename(model, 0, [W, B, Y], "[wby]", "n", is_regex=True)
    assert len(preview.renamings) == 3
    assert preview.collisions == ["Tensors 1 and 2 would both be called 'n'."]
    with refused(model, "would both be called 'n'"):
        rename_by_pattern(model, 0, [W, B], "[wb]", "n", is_regex=True)


@pytest.mark.parametrize(("pattern", "replacement"), [("(", ""), ("w", r"\7"), ("w", "\\")])
def test_patterns_that_cannot_be_used(pattern: str, replacement: str) -> None:
    model = dense_model()
    with refused(model, "cannot be used|is wrong"):
        rename_by_pattern(model, 0, [W], pattern, replacement, is_regex=True)


def test_an_empty_pattern() -> None:
    model = dense_model()
    with refused(model, "pattern is empty"):
        rename_by_pattern(model, 0, [W], "", "n")


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+b",
        "(a|a)*b",
        "(a|aa)+b",
        "a*a*a*a*a*a*b",
        "(a?){40}a{40}",
        "(?:a+)++b",
        "a?" * 40,
    ],
)
def test_patterns_that_would_not_come_to_an_end(pattern: str) -> None:
    model = dense_model()
    model.subgraphs[0].tensors[0].name = "a" * 100
    with refused(model, "too long on a text of 100"):
        rename_by_pattern(model, 0, [0], pattern, "", is_regex=True)


@pytest.mark.parametrize(
    "pattern",
    [r"^model/(.*)/(.*)$", r"(/\w++)++", r"conv\d+(?:_\d+)?", "(a|bc)x*", r".*?(\d+)$"],
)
def test_patterns_that_people_write(pattern: str) -> None:
    model = dense_model()
    model.subgraphs[0].tensors[0].name = "a" * 300
    preview_rename(model, 0, [0, 1], pattern, "", is_regex=True)


def test_names_that_would_fill_the_memory() -> None:
    model = dense_model()
    model.subgraphs[0].tensors[0].name = "a" * 100_000
    with refused(model, "too long"):
        rename_by_pattern(model, 0, [0], "a", "b" * 100_000)
    assert not rename_by_pattern(model, 0, [1], "x", "\\1").edits
    made = rename_by_pattern(model, 0, [1], "w", "\\1")
    assert made.edits[0].value == "\\1"
