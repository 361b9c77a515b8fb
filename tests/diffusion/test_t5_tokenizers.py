"""T5's tokenizer from both of its files, and where it is looked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from nodegraph.diffusion.text.hub import OFFLINE, cached_t5_folder, download_t5_folder
from nodegraph.diffusion.text.t5_tokenizer import T5Tokenizer, read_t5_tokenizer
from nodegraph.diffusion.text.tokenizer_files import t5_tokenizer_source
from nodegraph.errors import ModelFileError
from nodegraph.modelfiles.safetensors_header import Header

TEXT = "a red circle on a blue background, above two green squares; très joli, über 42 (1.5 x) rings"
WORDS = TEXT.split(" ")
SPECIAL = ["<pad>", "</s>", "<unk>"]


def number_at(message: bytes, place: int) -> tuple[int, int]:
    """A number as protobuf writes it, seven bits a byte, and the place behind it."""
    found, shift = 0, 0
    while message[place] & 128:
        found |= (message[place] & 127) << shift
        place, shift = place + 1, shift + 7
    return found | message[place] << shift, place + 1


def fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """The texts and messages in a protobuf message, with their field numbers."""
    place = 0
    while place < len(message):
        key, place = number_at(message, place)
        size = {5: 4, 1: 8}.get(key & 7, 0)
        if key & 7 == 0:
            _, place = number_at(message, place)
        elif key & 7 == 2:
            size, place = number_at(message, place)
            yield key >> 3, message[place : place + size]
        place += size


def character_map(pieces: Path) -> bytes:
    """How the model normalises text: `normalizer_spec.precompiled_charsmap` of its file."""
    spec = dict(fields(pieces.read_bytes()))[3]
    return dict(fields(spec))[2]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `spiece.model` and `tokenizer.json` of one small unigram model, special ids as T5's."""
    folder = tmp_path_factory.mktemp("t5")
    corpus = folder / "corpus.txt"
    corpus.write_text("\n".join(" ".join(WORDS[start:] + WORDS[:start]) for start in range(len(WORDS))) * 20)
    sentencepiece.SentencePieceTrainer.train(
        input=str(corpus), model_prefix=str(folder / "spiece"), vocab_size=50, model_type="unigram",
        pad_id=0, eos_id=1, unk_id=2, bos_id=-1, pad_piece="<pad>", eos_piece="</s>", unk_piece="<unk>",
        normalization_rule_name="nmt_nfkc", minloglevel=2,
    )  # fmt: skip
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "spiece.model"))
    scored = [(pieces.id_to_piece(id_), pieces.get_score(id_)) for id_ in range(pieces.get_piece_size())]
    tokenizer = Tokenizer(models.Unigram(scored, unk_id=2, byte_fallback=False))
    tokenizer.normalizer = normalizers.Precompiled(character_map(folder / "spiece.model"))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    )
    tokenizer.add_special_tokens(SPECIAL)
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
        st.lists(st.sampled_from([*WORDS, *SPECIAL]), max_size=30).map(" ".join),
        st.lists(st.sampled_from(["red", " ", "<", "</s", *SPECIAL]), max_size=9).map("".join),
        st.text(alphabet="abcdre ,.;()42é\t\n\r\u00a0\u3000\uff52", max_size=40),
    )
)
def test_both_files_give_the_same_ids_uncut_and_unpadded(pair: Path, text: str) -> None:
    assert read(pair / "tokenizer.json").ids(text) == read(pair / "spiece.model").ids(text)


@pytest.mark.parametrize("text", ["red", " ".join(WORDS * 4), "\N{SNOWMAN} red", "red\N{SNOWMAN}\N{COMET}"])
def test_special_cases(pair: Path, text: str) -> None:
    ids = read(pair / "spiece.model").ids(text)
    assert ids == read(pair / "tokenizer.json").ids(text)
    assert ids
    assert 1 not in ids
    if "\N{SNOWMAN}" in text:
        assert 2 in ids  # what has no piece


@pytest.mark.parametrize("text", ["", " ", "\t\n  \u3000"])
def test_no_words_are_no_ids(pair: Path, text: str) -> None:
    assert read(pair / "spiece.model").ids(text) == read(pair / "tokenizer.json").ids(text) == []


def test_blanks_around_and_between_words_count_once(pair: Path) -> None:
    for name in ("spiece.model", "tokenizer.json"):
        tokenizer = read(pair / name)
        assert (
            tokenizer.ids("  a \t red\n\ncircle ") == tokenizer.ids("a red circle") != tokenizer.ids("ared")
        )


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


def test_a_named_one_that_is_not_there_is_an_error_whatever_else_is(pair: Path, tmp_path: Path) -> None:
    put(tmp_path / "tokenizer_3", pair / "spiece.model")
    header = Header(tmp_path / "text_encoder_3" / "model.safetensors", {})
    with pytest.raises(ModelFileError, match="NODEGRAPH_T5_TOKENIZER") as caught:
        source(named=tmp_path / "nowhere")(header)
    assert (caught.value.problem.code, caught.value.problem.found) == ("tokenizer_missing", "no such file")


def test_the_environment_names_it(pair: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NODEGRAPH_T5_TOKENIZER", str(pair))
    find = t5_tokenizer_source([], cached=lambda: None, download=lambda: None)
    assert find(Header(tmp_path / "model.safetensors", {})).ids("red") == read(pair / "spiece.model").ids(
        "red"
    )


def test_the_pieces_are_found_in_the_cache_of_the_hub(
    pair: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    held = tmp_path / "models--stabilityai--stable-diffusion-3.5-large"
    put(held / "snapshots" / "1" / "tokenizer_3", pair / "spiece.model")
    (held / "refs").mkdir()
    (held / "refs" / "main").write_text("1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert cached_t5_folder() == held / "snapshots" / "1" / "tokenizer_3"


def test_offline_nothing_is_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def fetch(*names: str, **_: object) -> str:
        asked.append(names)
        return __file__

    monkeypatch.setattr("huggingface_hub.hf_hub_download", fetch)
    monkeypatch.setenv("NODEGRAPH_OFFLINE", "1")
    assert download_t5_folder() is None
    assert asked == []
    for name in OFFLINE:
        monkeypatch.delenv(name, raising=False)
    assert download_t5_folder() == Path(__file__).parent
    assert asked == [("google/t5-v1_1-xxl", "spiece.model")]
