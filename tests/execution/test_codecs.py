"""Codecs: every value comes back equal from (JSON, tensors), and nothing foreign gets through."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nodegraph import values
from nodegraph.codecs import Codecs, builtin_codecs, describe_value, tensors_in
from nodegraph.errors import DeclarationError
from tests.toy import Box

TENSOR = torch.arange(12.0).reshape(1, 2, 2, 3)
FILE = values.ModelFile("00ff", "a.safetensors")
PATCH = values.Patch.of("lora", file="00ff", strength=0.5)
LIMITED = values.ConditioningEntry(
    TENSOR[0], area=values.Area(0.5, 1, 0.5, 0, "fraction"), mask=values.Mask(TENSOR[..., 0]), end=0.75
)
VALUES: list[Any] = [
    values.Image(TENSOR),
    values.Mask(TENSOR[..., 0]),
    values.Latent(TENSOR, noise_mask=values.Mask(TENSOR[..., 0]), batch_index=(3,)),
    values.Conditioning(
        (values.ConditioningEntry(TENSOR[0]), values.ConditioningEntry(TENSOR[0], TENSOR[0, 0]))
    ),
    values.Sigmas(torch.tensor([1.0, 0.0])),
    values.Model(FILE, "sd1", (PATCH,), prediction="v"),
    values.TextEncoder(FILE, "sd1", layers_skipped=1),
    values.Vae(FILE, "sd1"),
    values.Noise(2**64 - 1, initial=False),
    values.Sampler.of("euler_ancestral", eta=0.5),
    values.Guider(
        values.Model(FILE, "sd1", (PATCH,)),
        "cfg",
        (("positive", values.Conditioning((LIMITED,))), ("negative", values.Conditioning((LIMITED,)))),
        (("cfg", 4.0),),
    ),
]


def test_every_registered_class_is_tried() -> None:
    tried = json.dumps([builtin_codecs().encode(value).meta for value in VALUES])
    missing = [
        name
        for name in sorted(cls.__name__ for cls in builtin_codecs().classes().values())
        if f'"$": "{name}"' not in tried
    ]
    assert missing == ["Recipe"]  # the base class of Model, TextEncoder and Vae


def pieces(value: object) -> Any:
    """A value in a form that can be compared: JSON as it is written, tensors as lists."""
    encoded = builtin_codecs().encode(value)
    return json.dumps(encoded.meta), [tensor.tolist() for tensor in encoded.tensors.values()]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_every_value_class_comes_back(value: object) -> None:
    codecs = builtin_codecs()
    encoded = codecs.encode(value)
    back = codecs.decode(type(encoded)(json.loads(json.dumps(encoded.meta)), encoded.tensors))
    assert type(back) is type(value)
    assert pieces(back) == pieces(value)


def test_recipes_come_back_equal() -> None:
    codecs = builtin_codecs()
    model = VALUES[5]
    assert codecs.decode(codecs.encode(model)) == model
    assert hash(codecs.decode(codecs.encode(model))) == hash(model)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(PLAIN)
def test_plain_data_comes_back_whatever_its_names_are(data: Any) -> None:
    codecs = builtin_codecs()
    encoded = codecs.encode(data)
    back = codecs.decode(type(encoded)(json.loads(json.dumps(encoded.meta)), encoded.tensors))
    assert (back, repr(back)) == (data, repr(data))


def test_names_that_look_like_marks_are_plain_names() -> None:
    codecs = builtin_codecs()
    data = {"$": "Image", "$tensor": "0", "$tuple": []}
    assert codecs.decode(codecs.encode(data)) == data


def test_a_class_without_a_codec_is_named() -> None:
    with pytest.raises(DeclarationError, match=r"class Box cannot cross an edge.*register_values"):
        builtin_codecs().encode([Box(1.0)])


def test_a_registered_class_crosses_and_its_copy_grows_alone() -> None:
    codecs = builtin_codecs()
    more = codecs.copy()
    more.register(Box)
    assert more.decode(more.encode(Box(1.0))).number == 1.0
    with pytest.raises(DeclarationError):
        codecs.encode(Box(1.0))


def test_a_class_of_the_same_name_is_another_class() -> None:
    @dataclass(frozen=True)
    class Image:
        pixels: int

    codecs = builtin_codecs()
    with pytest.raises(DeclarationError, match="two value classes are named Image"):
        codecs.register(Image)
    with pytest.raises(DeclarationError, match="class Image cannot cross"):
        codecs.encode(Image(3))


def test_only_frozen_dataclasses_are_values() -> None:
    @dataclass
    class Thawed:
        number: int

    for cls in (Thawed, int):
        with pytest.raises(DeclarationError, match="must be a frozen dataclass"):
            Codecs([cls])


def test_an_unknown_tag_is_refused() -> None:
    encoded = builtin_codecs().encode(1)
    with pytest.raises(DeclarationError, match="no value class is named 'Popen'"):
        builtin_codecs().decode(type(encoded)({"$": "Popen", "args": ["true"]}, {}))


def test_tensors_are_found_in_reading_order() -> None:
    first, second = torch.zeros(1), torch.zeros(2)
    assert [t.numel() for t in tensors_in({"a": [first, 5], "b": (values.Sigmas(second), None)})] == [1, 2]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (values.Image(TENSOR), "Image [1, 2, 2, 3]"),
        (5, "5"),
        ("x" * 100, "'" + "x" * 56 + "..."),
        ([1, 2], "list of 2"),
        (list(range(10_000)), "list of 10000"),
        ({"a": 1}, "dict of 1"),
        (10**5000, "a number too long to write"),
        ("x" * 10_000_000, "'" + "x" * 56 + "..."),
        ((values.Image(TENSOR),) * 100, "tuple of 100" + " [1, 2, 2, 3]" * 8 + " ..."),
        (FILE, "ModelFile"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_are_described_by_shape_not_data(value: object, words: str) -> None:
    assert describe_value(value) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (values.Image(TENSOR), "<Image [1, 2, 2, 3] float32>"),
        (values.Mask(TENSOR[..., 0]), "<Mask [1, 2, 2] float32>"),
        (values.Latent(TENSOR), "<Latent [1, 2, 2, 3] float32, format sd1>"),
        (
            values.Latent(TENSOR.half(), noise_mask=values.Mask(TENSOR[..., 0]), batch_index=(4,)),
            "<Latent [1, 2, 2, 3] float16, format sd1, noise mask [1, 2, 2] float32, batch index [4]>",
        ),
        (
            values.Conditioning((values.ConditioningEntry(TENSOR[0]), values.ConditioningEntry(TENSOR[0]))),
            "<Conditioning of [2, 2, 3] float32, [2, 2, 3] float32>",
        ),
        (
            values.ConditioningEntry(TENSOR[0], TENSOR[0, 0]),
            "<ConditioningEntry [2, 2, 3] float32, pooled [2, 3] float32>",
        ),
        (values.Sigmas(TENSOR[0, 0, 0]), "<Sigmas [3] float32>"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_say_their_form_and_not_their_data(value: object, words: str) -> None:
    assert repr(value) == words
