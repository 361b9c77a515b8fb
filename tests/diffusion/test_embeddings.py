"""Learned words: every form of their files, with weights, and errors that say what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from nodegraph.diffusion.pickles import convert_pickle
from nodegraph.diffusion.store import Store
from nodegraph.diffusion.text.clip import CLIP_L, ClipPart, build_clip
from nodegraph.diffusion.text.embeddings import Embedding, pieces
from nodegraph.diffusion.text.parts import PromptEncoder
from nodegraph.diffusion.text.tokenizer import ClipTokenizer
from nodegraph.errors import InputError, ModelFileError
from nodegraph.values import Patch, TextEncoder
from tests.diffusion.small_models import TEXT, Folder, byte_vocabulary, randomise

TOKENIZER = ClipTokenizer(*byte_vocabulary())
WIDTH = TEXT.width


@pytest.fixture(scope="module")
def part() -> ClipPart:
    model = build_clip(TEXT).eval()  # type: ignore[no-untyped-call]  # transformers' own
    randomise(model, 4)
    return ClipPart(model, TOKENIZER)


def word_vectors(part: ClipPart, text: str) -> Tensor:
    """The vectors that the encoder itself has for the tokens of a text: an embedding that changes nothing."""
    table = part.model.get_input_embeddings().weight
    assert isinstance(table, Tensor)
    return table[torch.tensor(TOKENIZER.ids(text))].detach().clone()


def encode(part: ClipPart, prompt: str, *embeddings: Embedding) -> Tensor:
    with torch.no_grad():
        return PromptEncoder([CLIP_L], {"clip_l": part}, embeddings).encode(prompt).tokens


FORMS = {
    "emb_params": "emb_params",
    "converted pickle": "string_to_param.*",
    "bare": "anything",
    "sdxl": "clip_l",
    "bundled": "bundle_emb.word.string_to_param.*",
    "bundled sdxl": "bundle_emb.word.clip_l",
}


@pytest.mark.parametrize("key", FORMS.values(), ids=FORMS)
def test_every_form_gives_the_vectors(part: ClipPart, key: str) -> None:
    vectors = word_vectors(part, "red blue")
    tensors = {key: vectors}
    if "clip_l" in key:
        tensors[key.replace("clip_l", "clip_g")] = torch.zeros(2, 64)
    if "bundle" in key:
        tensors |= {key.replace(".word.", ".other."): vectors * 2, "lora_te_x.alpha": torch.tensor(1.0)}
    given = encode(part, "a embedding:word cat", Embedding("word", tensors))
    assert torch.allclose(given, encode(part, "a red blue cat"), atol=1e-6)


def test_weights_count_for_learned_words(part: ClipPart) -> None:
    word = Embedding("word", {"emb_params": word_vectors(part, "red blue")})
    assert torch.allclose(
        encode(part, "a (embedding:word:1.4) cat", word), encode(part, "a (red blue:1.4) cat"), atol=1e-5
    )


def test_a_vector_alone_is_one_word_and_leaves_no_trace(part: ClipPart) -> None:
    before = encode(part, "a red cat")
    word = Embedding("word", {"emb_params": word_vectors(part, "red")[0]})
    assert torch.allclose(encode(part, "a embedding:word cat", word), before, atol=1e-6)
    other = Embedding("word", {"emb_params": torch.ones(WIDTH)})
    assert not torch.allclose(encode(part, "a embedding:word cat", other), before, atol=1e-2)
    assert torch.equal(encode(part, "a red cat"), before)


def test_prompts_are_cut_at_the_names() -> None:
    known = ["a", "b.c", "d,"]
    assert pieces("embedding:a", known) == [("", "a")]
    assert pieces("x embedding:a, y", known) == [("x", None), ("", "a"), (", y", None)]
    assert pieces("x\nembedding:b.c embedding:d, z", known) == [
        ("x", None), ("", "b.c"), ("", "d,"), (" z", None),
    ]  # fmt: skip
    assert pieces("xembedding:a", known) == [("xembedding:a", None)]


def test_an_unknown_name_lists_those_that_are_known() -> None:
    with pytest.raises(InputError) as caught:
        pieces("a embedding:nowhere cat", ["here"])
    assert caught.value.problem.code == "embedding_missing"
    assert "here" in caught.value.describe()
    assert "load.embedding" in caught.value.describe()


@pytest.mark.parametrize(
    ("tensors", "told"),
    [
        ({"emb_params": torch.zeros(2, 768)}, "width 768"),
        ({"clip_g": torch.zeros(1, 1280)}, "clip_g"),
        ({"one": torch.zeros(1, WIDTH), "two": torch.zeros(1, WIDTH)}, "one, two"),
        ({}, "no tensors"),
    ],
)
def test_a_file_that_does_not_fit_is_an_error(tensors: dict[str, Tensor], told: str) -> None:
    with pytest.raises(InputError) as caught:
        Embedding("word", tensors).vectors("clip_l", WIDTH)
    assert caught.value.problem.code == "embedding_misfit"
    assert told in caught.value.describe()


def test_the_store_brings_the_word_and_shares_the_encoder(checkpoint: Path, tmp_path: Path) -> None:
    files = Folder()
    plain = TextEncoder(files.add(checkpoint), "sd1")
    path = tmp_path / "word.safetensors"
    save_file({"emb_params": torch.ones(2, WIDTH)}, path)
    taught = plain.patched(Patch.of("embedding", name="word", file=files.add(path).hash))
    store = Store(files, "cpu")
    with store.use(plain) as live:
        without = live.encode("a red cat").tokens
    with store.use(taught) as live:
        assert torch.equal(live.encode("a red cat").tokens, without)
        assert not torch.allclose(live.encode("a embedding:word cat").tokens, without, atol=1e-2)
    assert store.counters()["builds"] == 1


def test_a_pickle_is_read_as_tensors(tmp_path: Path) -> None:
    vectors = torch.rand(2, WIDTH)
    held = {"string_to_token": {"*": 265}, "string_to_param": {"*": vectors}, "name": "word", "step": 5}
    first = {**held, "string_to_param": torch.nn.ParameterDict({"*": torch.nn.Parameter(vectors)})}
    for number, content in enumerate((held, first, vectors, {"word": vectors}, {"clip_l": vectors})):
        path = tmp_path / f"{number}.pt"
        torch.save(content, path)
        assert torch.equal(
            Embedding("word", load_file(convert_pickle(path))).vectors("clip_l", WIDTH), vectors
        )


class _Trap:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("this must never run",)


def test_a_pickle_that_would_run_code_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "trap.pt"
    torch.save({"string_to_param": _Trap()}, path)
    with pytest.raises(ModelFileError) as caught:
        convert_pickle(path)
    assert caught.value.problem.code == "model_file_unsafe"
    hooked = torch.nn.ParameterDict({"*": torch.ones(1)})
    hooked.__dict__["update"] = _Trap()
    torch.save({"string_to_param": hooked}, path)
    with pytest.raises(ModelFileError, match="opened safely"):
        convert_pickle(path)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(ModelFileError):
        convert_pickle(path)
    assert "must never" not in capsys.readouterr().out
