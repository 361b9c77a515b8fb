"""A checkpoint without a tokenizer finds one beside it or in the data folder, or says where it looked."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph.diffusion.text.hub import KNOWN, OFFLINE, cached_folder, download_folder
from nodegraph.diffusion.text.instant import InstantTokenizer, installed_tokenizer
from nodegraph.diffusion.text.tokenizer import END, START, ClipTokenizer, TextTokenizer
from nodegraph.diffusion.text.tokenizer_files import tokenizer_source
from nodegraph.errors import ModelFileError
from nodegraph.modelfiles.safetensors_header import Header
from tests.diffusion.small_models import byte_vocabulary, tokenizer_metadata


def write_tokenizer(folder: Path, metadata: Mapping[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(metadata["tokenizer.vocab"])
    (folder / "merges.txt").write_text(metadata["tokenizer.merges"])


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=25)


def nothing(*_: object) -> None:
    return None


def offline(*folders: Path) -> Callable[[Header, int], TextTokenizer]:
    return tokenizer_source(folders, cached=nothing, installed=nothing, download=nothing)


def clip_ordered(merges: list[tuple[str, str]]) -> dict[str, int]:
    """A vocabulary in the order of OpenAI's file: bytes, bytes at a word's end, merges, start, end."""
    visible = [*range(33, 127), *range(161, 173), *range(174, 256)]  # as themselves, the others from 256 on
    letters = [*map(chr, visible), *(chr(256 + number) for number in range(256 - len(visible)))]
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), *map("".join, merges), START, END]
    return {token: number for number, token in enumerate(tokens)}


def test_metadata_then_neighbour_then_folders_agree(tmp_path: Path) -> None:
    metadata = tokenizer_metadata()
    source = offline(tmp_path / "shared")
    write_tokenizer(tmp_path / "beside", metadata)
    write_tokenizer(tmp_path / "shared", metadata)
    write_tokenizer(tmp_path / "pipeline" / "tokenizer", metadata)
    places = ["a", "beside", "pipeline", "pipeline/text_encoder"]
    files = [Header(tmp_path / place / "m.safetensors", {}) for place in places]
    files.append(Header(tmp_path / "a" / "m.safetensors", {}, metadata))
    ids = [source(header, 77).ids("a photo of a red cat, 4k") for header in files]
    assert all(found == ids[0] for found in ids)


def test_the_cache_of_the_hub_comes_before_the_package_and_the_package_before_the_network(
    tmp_path: Path,
) -> None:
    header = Header(tmp_path / "m.safetensors", {})
    write_tokenizer(tmp_path / "cache", tokenizer_metadata())
    asked: list[str] = []

    def download() -> Path:
        asked.append("network")
        return tmp_path / "cache"

    package = installed_tokenizer()
    assert package is not None
    cached = tokenizer_source([], cached=lambda: tmp_path / "cache", installed=lambda _: package)
    assert cached(header, 77).vocabulary_size < 1000
    assert tokenizer_source([], cached=nothing, installed=lambda _: package)(header, 77) is package
    assert asked == []
    fetched = tokenizer_source([], cached=nothing, installed=nothing, download=download)
    assert fetched(header, 77).ids("red blue") == cached(header, 77).ids("red blue")
    assert asked == ["network"]


@pytest.mark.parametrize("folder", ["", "tokenizer"])
def test_the_cache_of_the_hub_is_read_without_the_network(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert cached_folder() is None
    repository = next(name for name, inside in KNOWN if inside == folder)
    root = tmp_path / f"models--{repository.replace('/', '--')}"
    write_tokenizer(root / "snapshots" / "abc" / folder, tokenizer_metadata())
    (root / "refs").mkdir()
    (root / "refs" / "main").write_text("abc")
    assert cached_folder() == root / "snapshots" / "abc" / folder


@pytest.mark.parametrize("name", OFFLINE)
def test_nothing_is_fetched_where_that_is_switched_off(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "1")
    assert download_folder() is None


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[ClipTokenizer, InstantTokenizer]:
    """One vocabulary through both ways."""
    from instant_clip_tokenizer import Tokenizer

    _, merges = byte_vocabulary()
    vocabulary = clip_ordered(merges)
    file = tmp_path_factory.mktemp("bpe") / "merges.txt"
    file.write_text("#version\n" + "".join(f"{first} {second}\n" for first, second in merges), "utf-8")
    theirs = Tokenizer.load(str(file), len(vocabulary))
    return ClipTokenizer(vocabulary, merges), InstantTokenizer(theirs, len(vocabulary))


@given(text=TEXTS)
def test_the_package_gives_the_same_tokens_as_the_files(
    pair: tuple[ClipTokenizer, InstantTokenizer], text: str
) -> None:
    ours, theirs = pair
    assert theirs.ids(text) == ours.ids(text)


@pytest.mark.parametrize("text", ["a RED circle", "Red's blue, 42!", "café", "don't  stop\n", "日本 🙂 ﬁ"])
def test_the_package_gives_the_same_tokens_for_chosen_texts(
    pair: tuple[ClipTokenizer, InstantTokenizer], text: str
) -> None:
    ours, theirs = pair
    assert theirs.ids(text) == ours.ids(text)
    assert (theirs.frame(), theirs.frame(pad_with_end=False)) == (
        ours.frame(),
        ours.frame(pad_with_end=False),
    )


def test_the_package_knows_clips_vocabulary() -> None:
    tokenizer = installed_tokenizer()
    assert tokenizer is not None
    assert (tokenizer.start, tokenizer.end) == (49406, 49407)
    assert tokenizer.ids("a photo of a cat") == [320, 1125, 539, 320, 2368]  # published with CLIP


def test_none_anywhere_names_every_place_and_says_what_to_do(tmp_path: Path) -> None:
    source = offline(tmp_path / "shared")
    with pytest.raises(ModelFileError) as caught:
        source(Header(tmp_path / "a" / "m.safetensors", {}), 77)
    told = caught.value.describe()
    for part in (tmp_path / "a", tmp_path / "shared", "diffusers", "pip install 'nodegraph[clip-tokenizer]'"):
        assert str(part) in told


def test_damaged_files_are_named(tmp_path: Path) -> None:
    write_tokenizer(tmp_path, {"tokenizer.vocab": json.dumps({"a": 1}), "tokenizer.merges": ""})
    with pytest.raises(ModelFileError, match="cannot be used"):
        offline()(Header(tmp_path / "m.safetensors", {}), 77)
