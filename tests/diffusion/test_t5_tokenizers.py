"""T5's tokenizer from both of its files, and where it is looked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers

from nodegraph.diffusion.text.t5_tokenizer import T5Tokenizer, read_t5_tokenizer
from nodegraph.diffusion.text.tokenizer_files import t5_tokenizer_source
from nodegraph.errors import ModelFileError
from nodegraph.modelfiles.safetensors_header import Header

TEXT = "a red circle on a blue background, above two green squares; très joli, über 42 (1.5 x) rings"
WORDS = TEXT.split(" ")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `spiece.model` and `tokenizer.json` of one small unigram model, special ids as T5's."""
    folder = tmp_path_factory.mktemp("t5")
    corpus = folder / "corpus.txt"
    corpus.write_text("\n".join(" ".join(WORDS[start:] + WORDS[:start]) for start in range(len(WORDS))) * 20)
    sentencepiece.SentencePieceTrainer.train(
        input=str(corpus), model_prefix=str(folder / "spiece"), vocab_size=50, model_type="unigram",
        pad_id=0, eos_id=1, unk_id=2, bos_id=-1, pad_piece="<pad>", eos_piece="</s>", unk_piece="<unk>",
        normalization_rule_name="identity", minloglevel=2,
    )  # fmt: skip
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "spiece.model"))
    scored = [(pieces.id_to_piece(id_), pieces.get_score(id_)) for id_ in range(pieces.get_piece_size())]
    tokenizer = Tokenizer(models.Unigram(scored, unk_id=2, byte_fallback=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=9)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def read(path: Path) -> T5Tokenizer:
    found = read_t5_tokenizer(path)
    assert found is not None
    return found


@given(
    text=st.one_of(
        st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join),
        st.text(alphabet="abcdre ,.;()42é", max_size=40),
    )
)
def test_both_files_give_the_same_ids_uncut_and_unpadded(pair: Path, text: str) -> None:
    text = " ".join(text.split())  # runs of blanks are one to T5
    assert read(pair / "tokenizer.json").ids(text) == read(pair / "spiece.model").ids(text)


@pytest.mark.parametrize("text", ["", "red", " ".join(WORDS * 4), "\N{SNOWMAN} red"])
def test_special_cases(pair: Path, text: str) -> None:
    ids = read(pair / "spiece.model").ids(text)
    assert ids == read(pair / "tokenizer.json").ids(text)
    assert (ids == []) == (text == "")
    assert 1 not in ids
    if "\N{SNOWMAN}" in text:
        assert 2 in ids  # what has no piece


def source(named: Path | None = None, cached: Path | None = None) -> Callable[[Header], T5Tokenizer]:
    return t5_tokenizer_source([], named=lambda: named, cached=lambda: cached, download=lambda: None)


def put(path: Path, file: Path) -> None:
    path.mkdir(parents=True)
    (path / file.name).write_bytes(file.read_bytes())


def test_it_is_looked_for_in_order(pair: Path, tmp_path: Path) -> None:
    header = Header(tmp_path / "text_encoder_3" / "model.safetensors", {})
    with pytest.raises(ModelFileError) as caught:
        source()(header)
    told = caught.value.describe()
    for part in (
        "tokenizer.json",
        "spiece.model",
        "tokenizer_3",
        "NODEGRAPH_T5_TOKENIZER",
        "NODEGRAPH_OFFLINE",
    ):
        assert part in told
    assert source(cached=pair)(header).ids("a red")
    assert source(named=pair / "spiece.model")(header).ids("a red")
    put(tmp_path / "tokenizer_3", pair / "spiece.model")
    assert source()(header).ids("a red") == read(pair / "spiece.model").ids("a red")


def test_clips_tokenizer_is_not_taken_for_t5s(pair: Path, tmp_path: Path) -> None:
    """In a folder of SD 3 `tokenizer_2` is CLIP's."""
    clip = Tokenizer.from_str(json.dumps({
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
        "pre_tokenizer": None, "post_processor": None, "decoder": None,
        "model": {"type": "WordLevel", "vocab": {"<|startoftext|>": 0, "red": 1}, "unk_token": "red"},
    }))  # fmt: skip
    (tmp_path / "tokenizer_2").mkdir()
    clip.save(str(tmp_path / "tokenizer_2" / "tokenizer.json"))
    header = Header(tmp_path / "text_encoder_3" / "model.safetensors", {})
    with pytest.raises(ModelFileError, match="no tokenizer for T5"):
        source()(header)
    assert source(cached=pair)(header).ids("a red") == read(pair / "spiece.model").ids("a red")


@pytest.mark.parametrize("name", ["tokenizer.json", "spiece.model"])
def test_a_damaged_one_is_told_of(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"{")
    with pytest.raises(ModelFileError, match="cannot be used") as caught:
        source(named=tmp_path)(Header(tmp_path / "x.safetensors", {}))
    assert caught.value.problem.code == "tokenizer_damaged"
