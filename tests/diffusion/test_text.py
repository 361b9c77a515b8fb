"""Tokens equal those of transformers' tokenizer, vectors those of its CLIP text model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import CLIPTextModel, CLIPTokenizer

from nodegraph.diffusion.text.chunks import Frame, Token
from nodegraph.diffusion.text.clip import CLIP_L, ClipPart, build_clip, load_clip
from nodegraph.diffusion.text.parts import PromptEncoder
from nodegraph.diffusion.text.prompt import parse_prompt
from nodegraph.diffusion.text.tokenizer import ClipTokenizer, parse_tokenizer, tokenizer_from_metadata
from nodegraph.errors import InputError, ModelFileError
from nodegraph.modelfiles.configs import ClipTextConfig
from nodegraph.modelfiles.safetensors_header import Header
from tests.diffusion.small_models import TEXT, byte_vocabulary, randomise, tokenizer_metadata

VOCABULARY, MERGES = byte_vocabulary()
NOWHERE = Header(Path("small.safetensors"), {})


@pytest.fixture(scope="module")
def tokenizer() -> ClipTokenizer:
    return ClipTokenizer(VOCABULARY, MERGES)


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> CLIPTokenizer:
    folder = tmp_path_factory.mktemp("tokenizer")
    metadata = tokenizer_metadata()
    (folder / "vocab.json").write_text(metadata["tokenizer.vocab"])
    (folder / "merges.txt").write_text(metadata["tokenizer.merges"])
    return CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))


@pytest.fixture(scope="module")
def model() -> CLIPTextModel:
    network: CLIPTextModel = build_clip(TEXT)
    network.train(False)
    randomise(network, 4)
    return network


def encoder_of(model: CLIPTextModel, tokenizer: ClipTokenizer, skipped: int = 0) -> PromptEncoder:
    loaded = load_clip(TEXT, prefixed(model), NOWHERE, skipped)
    return PromptEncoder([CLIP_L], {"clip_l": ClipPart(loaded, tokenizer)})


def ids_of(tokenizer: ClipTokenizer, prompt: str) -> list[list[int]]:
    groups = [[Token(token) for token in tokenizer.ids(text)] for text, _ in parse_prompt(prompt)]
    return [[token.id for token in chunk] for chunk in tokenizer.frame().chunks(groups)]


def prefixed(model: CLIPTextModel) -> dict[str, torch.Tensor]:
    return {
        f"text_model.{name.removeprefix('text_model.')}": value for name, value in model.state_dict().items()
    }


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=25))
def test_tokens_equal_transformers(tokenizer: ClipTokenizer, theirs: CLIPTokenizer, text: str) -> None:
    if "<|" in text:
        return  # the other tokenizer reads special tokens out of prompts; here they are plain text
    expected = theirs(text, add_special_tokens=False)["input_ids"]
    assert tokenizer.ids(text) == expected


@pytest.mark.parametrize(
    "text", ["a red circle", "RED  Blue's\tcafé", "", "don't 42 stop!!", "ﬁ 𝔸 日本 🙂", "à à"]
)
def test_tokens_of_chosen_texts_equal_transformers(
    tokenizer: ClipTokenizer, theirs: CLIPTokenizer, text: str
) -> None:
    expected = theirs(text, padding="max_length", max_length=77)["input_ids"]
    assert ids_of(tokenizer, text) == [expected]


def test_special_tokens_in_a_prompt_are_plain_text(tokenizer: ClipTokenizer) -> None:
    assert tokenizer.end not in tokenizer.ids("<|endoftext|>")


def test_a_long_text_fills_chunks_to_the_end(tokenizer: ClipTokenizer) -> None:
    text = " ".join(["red blue"] * 40)  # 80 tokens
    chunks = ids_of(tokenizer, text)
    assert [len(chunk) for chunk in chunks] == [77, 77]
    assert all(chunk[0] == tokenizer.start and chunk[-1] == tokenizer.end for chunk in chunks)
    red, blue = tokenizer.ids("red blue")
    assert chunks[0][1:76] == [*([red, blue] * 37), red]
    assert chunks[1][1:6] == [blue, red, blue, red, blue]


def test_a_short_stretch_moves_to_the_next_chunk_and_a_long_one_is_cut(tokenizer: ClipTokenizer) -> None:
    fill = " ".join(["red"] * 70)
    short = ids_of(tokenizer, f"{fill} (abcdefg:1.2)")  # seven tokens
    assert short[0][71:] == [tokenizer.end] * 6
    assert short[1][1:9] == [*tokenizer.ids("abcdefg"), tokenizer.end]
    long = ids_of(tokenizer, f"{fill} (abcdefgh:1.2)")  # eight
    assert long[0][71:76] == tokenizer.ids("abcdefgh")[:5]
    assert long[1][1:5] == [*tokenizer.ids("abcdefgh")[5:], tokenizer.end]


@given(st.lists(st.lists(st.integers(10, 99), max_size=30), max_size=12))
def test_chunks_hold_every_token_once_and_in_order(groups: list[list[int]]) -> None:
    frame = Frame(start=1, end=2, pad=0, length=20)
    chunks = [[token.id for token in chunk] for chunk in frame.chunks([[*map(Token, ids)] for ids in groups])]
    assert [token for chunk in chunks for token in chunk if token > 2] == [i for ids in groups for i in ids]
    for chunk in chunks:
        assert (len(chunk), chunk[0], chunk.count(2)) == (20, 1, 1)
        assert set(chunk[chunk.index(2) + 1 :]) <= {0}


def test_clip_equals_transformers_with_the_full_names(model: CLIPTextModel, tokenizer: ClipTokenizer) -> None:
    encoder = PromptEncoder(
        [CLIP_L], {"clip_l": ClipPart(load_clip(TEXT, prefixed(model), NOWHERE), tokenizer)}
    )
    ids = torch.tensor(ids_of(tokenizer, "a red circle"))
    with torch.no_grad():
        expected = model(input_ids=ids).last_hidden_state
    tokens = encoder.encode("a red circle").tokens
    assert tokens.shape == (1, 77, TEXT.width)
    assert float((tokens - expected).norm() / expected.norm()) <= 1e-4


@pytest.mark.parametrize("skipped", [1, 2])
def test_clip_skip_is_an_earlier_hidden_state_then_the_final_norm(
    model: CLIPTextModel, tokenizer: ClipTokenizer, skipped: int
) -> None:
    encoder = PromptEncoder(
        [CLIP_L], {"clip_l": ClipPart(load_clip(TEXT, prefixed(model), NOWHERE, skipped), tokenizer)}
    )
    ids = torch.tensor(ids_of(tokenizer, "a red circle"))
    norm = next(module for name, module in model.named_modules() if name.endswith("final_layer_norm"))
    with torch.no_grad():
        states = model(input_ids=ids, output_hidden_states=True).hidden_states
        expected = norm(states[TEXT.layers - skipped])
    tokens = encoder.encode("a red circle").tokens
    assert float((tokens - expected).norm() / expected.norm()) <= 1e-4


def test_a_long_prompt_is_encoded_chunk_by_chunk_and_joined(
    model: CLIPTextModel, tokenizer: ClipTokenizer
) -> None:
    encoder = PromptEncoder(
        [CLIP_L], {"clip_l": ClipPart(load_clip(TEXT, prefixed(model), NOWHERE), tokenizer)}
    )
    both = encoder.encode(" ".join(["red"] * 75 + ["blue"])).tokens
    ends = [encoder.encode(text).tokens for text in (" ".join(["red"] * 75), "blue")]
    assert both.shape == (1, 154, TEXT.width)
    assert torch.allclose(both, torch.cat(ends, dim=1), atol=1e-5)


def test_weights_move_vectors_away_from_those_of_the_empty_prompt(
    model: CLIPTextModel, tokenizer: ClipTokenizer
) -> None:
    encoder = PromptEncoder(
        [CLIP_L], {"clip_l": ClipPart(load_clip(TEXT, prefixed(model), NOWHERE), tokenizer)}
    )
    plain, empty, weighted = (
        encoder.encode(text).tokens for text in ("red red blue red", "", "red (red:1.5) (blue:0.5) red")
    )
    expected = plain.clone()
    for position, weight in ((2, 1.5), (3, 0.5)):  # 0 is the start token
        expected[:, position] = empty[:, position] + weight * (plain[:, position] - empty[:, position])
    assert torch.allclose(weighted, expected, atol=1e-5)
    assert not torch.allclose(weighted[:, 2], plain[:, 2], atol=1e-2)


def test_a_weight_in_a_later_chunk_is_taken_against_the_empty_chunk(
    model: CLIPTextModel, tokenizer: ClipTokenizer
) -> None:
    encoder = PromptEncoder(
        [CLIP_L], {"clip_l": ClipPart(load_clip(TEXT, prefixed(model), NOWHERE), tokenizer)}
    )
    long = encoder.encode(" ".join(["red"] * 75) + " (blue:2)").tokens
    assert torch.allclose(long[:, 77:], encoder.encode("(blue:2)").tokens, atol=1e-5)
    assert torch.allclose(long[:, :77], encoder.encode(" ".join(["red"] * 75)).tokens, atol=1e-5)


@pytest.mark.parametrize("skipped", [-1, 3])
def test_skipping_more_layers_than_there_are_is_an_error(skipped: int) -> None:
    with pytest.raises(InputError) as caught:
        build_clip(TEXT, skipped)
    assert caught.value.problem.input == "layers_skipped"


def test_full_size_clip_has_the_known_parameter_count() -> None:
    with torch.device("meta"):
        model = build_clip(ClipTextConfig())
    assert sum(parameter.numel() for parameter in model.parameters()) == 123_060_480


@pytest.mark.parametrize(("width", "heads"), [(768, 12), (1024, 16), (128, 4), (32, 4)])
def test_heads_follow_the_documented_rule(width: int, heads: int) -> None:
    assert ClipTextConfig(width=width).heads == heads


def test_a_file_without_a_tokenizer_says_what_to_do() -> None:
    with pytest.raises(ModelFileError, match=r"tokenizer\.vocab") as caught:
        tokenizer_from_metadata({}, Path("x.safetensors"))
    assert caught.value.problem.code == "tokenizer_missing"


@pytest.mark.parametrize(
    "changes",
    [
        {"tokenizer.vocab": "{"},
        {"tokenizer.vocab": "[]"},
        {"tokenizer.vocab": '{"a": -1}'},
        {"tokenizer.vocab": '{"a": 1}'},
        {"tokenizer.merges": "#version: 0.2\na b c"},
        {"tokenizer.merges": "not there"},
        {"tokenizer.merges": "lonely"},
    ],
)
def test_a_damaged_tokenizer_is_an_error(changes: dict[str, str]) -> None:
    with pytest.raises(ModelFileError) as caught:
        tokenizer_from_metadata(tokenizer_metadata() | changes, Path("x.safetensors"))
    assert caught.value.problem.code == "tokenizer_damaged"


def test_vocabulary_and_merges_are_read_as_clip_writes_them() -> None:
    vocabulary, merges = parse_tokenizer(json.dumps({"a": 0, "b": 1}), "#version: 0.2\na b\n\nb a\n")
    assert vocabulary == {"a": 0, "b": 1}
    assert merges == [("a", "b"), ("b", "a")]
