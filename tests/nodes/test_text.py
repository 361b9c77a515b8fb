"""Nodes of text: weights, clip skip, and encoders in files of their own, with the embedded model."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from nodegraph import Conditioning, Engine
from nodegraph.errors import RunFailedError
from nodegraph.graph.builder import Graph
from nodegraph_nodes.nodes import (
    load_checkpoint,
    load_embedding,
    load_text_encoders,
    text_clip_skip,
    text_encode,
    value_text,
)

TINY = "tiny.safetensors"


def tokens(engine: Engine, graph: Graph) -> torch.Tensor:
    result = engine.run_sync(graph.document()).outputs["result"]
    assert isinstance(result, Conditioning)
    return result.entries[0].tokens


def encoded(engine: Engine, text: str, skip: int | None = None) -> torch.Tensor:
    g = Graph()
    encoder = g(load_checkpoint)(file=TINY).text_encoder
    if skip is not None:
        encoder = g(text_clip_skip)(encoder=encoder, layers_skipped=skip)
    g.output("result", g(text_encode)(encoder=encoder, text=text))
    return tokens(engine, g)


def test_a_weight_moves_its_words_and_no_others(engine: Engine) -> None:
    plain, weighted = encoded(engine, "a red circle"), encoded(engine, "a (red:1.5) circle")
    moved = (plain != weighted).any(dim=-1)[0]
    assert moved.nonzero().flatten().tolist() == [2]


def test_clip_skip_zero_is_the_last_layer_and_one_another(engine: Engine) -> None:
    plain = encoded(engine, "a red circle")
    assert torch.equal(encoded(engine, "a red circle", skip=0), plain)
    assert not torch.allclose(encoded(engine, "a red circle", skip=1), plain, atol=1e-2)


def test_a_text_encoder_of_another_file_is_used(engine: Engine) -> None:
    checkpoint = engine.files.path(engine.files.get("checkpoints", TINY))
    g = Graph()
    encoder = g(load_text_encoders)(family="sd1", file=str(checkpoint))
    g.output("result", g(text_encode)(encoder=encoder, text="a red circle"))
    assert torch.equal(tokens(engine, g), encoded(engine, "a red circle"))
    g = Graph()
    encoder = g(load_text_encoders)(family="sd2", file=str(checkpoint))
    g.output("result", g(text_encode)(encoder=encoder, text="a red circle"))
    with pytest.raises(RunFailedError, match="has no text encoder of sd2"):
        engine.run_sync(g.document())


def test_a_prompt_names_an_embedding_by_its_file(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "dream.safetensors"
    save_file({"emb_params": torch.ones(1, 128)}, path)

    def run() -> torch.Tensor:
        g = Graph()
        encoder = g(load_embedding)(text_encoder=g(load_checkpoint)(file=TINY).text_encoder, file=str(path))
        g.output("result", g(text_encode)(encoder=encoder, text="a embedding:dream circle"))
        return tokens(engine, g)

    first = run()
    assert first.shape == encoded(engine, "a red circle").shape
    save_file({"emb_params": torch.full((1, 128), -1.0)}, path)
    assert not torch.equal(run(), first)  # another content under the same name is another result


FORMS: dict[str, object] = {
    "A1111": {
        "string_to_token": {"*": 265},
        "string_to_param": {"*": torch.ones(1, 128)},
        "name": "x",
        "step": 9,
    },
    "diffusers": {"<dream>": torch.ones(1, 128)},
    "bare": torch.ones(1, 128),
}


@pytest.mark.parametrize("form", FORMS)
def test_no_workflow_opens_a_pickle_and_a_converted_one_is_an_embedding(
    engine: Engine, tmp_path: Path, form: str
) -> None:
    folder = tmp_path / "data" / "models" / "embeddings" / "of mine"
    folder.mkdir(parents=True)
    torch.save(FORMS[form], folder / "dream.pt")
    torch.save(FORMS[form], folder.parent / "dream.pt")
    command = f"nodegraph models convert '{folder / 'dream.pt'}'"
    by_node = Graph()
    plain = by_node(load_checkpoint)(file=TINY).text_encoder
    taught = by_node(load_embedding)(text_encoder=plain, file="of mine/dream.pt")
    by_node.output("result", by_node(text_encode)(encoder=taught, text="a embedding:dream circle"))
    with pytest.raises(RunFailedError) as caught:
        tokens(engine, by_node)
    assert (caught.value.failures[0].problem.remedy or "").endswith(command)
    for word in ("dream", "dream.pt"):
        with pytest.raises(RunFailedError) as caught:
            encoded(engine, f"a embedding:{word} circle")
        told = caught.value.failures[0].problem.remedy or ""
        assert told.endswith(f"nodegraph models convert {folder.parent / 'dream.pt'}")
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(told[told.index("nodegraph models") :])],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == str(folder.parent / "dream.safetensors")
    for word in ("dream", "dream.pt"):  # what was made of a pickle stands for it
        assert encoded(engine, f"a embedding:{word} circle").shape == (1, 77, 128)


def test_a_missing_embedding_has_near_names_and_a_linked_one_a_remedy(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "models" / "embeddings"
    folder.mkdir(parents=True)
    save_file({"emb_params": torch.ones(1, 128)}, folder / "watercolour.safetensors")
    with pytest.raises(RunFailedError) as caught:
        encoded(engine, "a embedding:watercolor circle")
    problem = caught.value.failures[0].problem
    assert problem.code == "embedding_missing"
    assert "watercolour.safetensors" in (problem.remedy or "")
    g = Graph()
    plain = g(load_checkpoint)(file=TINY).text_encoder
    taught = g(load_embedding)(text_encoder=plain, file="watercolour.safetensors", name="paint")
    g.output("result", g(text_encode)(encoder=taught, text="a embedding:pain circle"))
    with pytest.raises(RunFailedError, match="there is no embedding 'pain'") as caught:
        tokens(engine, g)
    assert "paint" in (caught.value.failures[0].problem.expected or "")
    g = Graph()
    text = g(value_text)(value="a embedding:watercolour circle")
    encoder = g(load_checkpoint)(file=TINY).text_encoder
    g.output("result", g(text_encode)(encoder=encoder, text=text))
    with pytest.raises(RunFailedError) as caught:
        tokens(engine, g)
    problem = caught.value.failures[0].problem
    assert problem.code == "embedding_linked"
    assert "load.embedding" in (problem.remedy or "")


def test_an_older_document_loses_its_consent(engine: Engine) -> None:
    nodes = {"n": {"type": "load.embedding", "version": 1, "inputs": {"file": "x.pt", "allow_pickle": True}}}
    document = engine.load({"nodegraph": 1, "nodes": nodes})
    assert dict(document.nodes["n"].inputs) == {"file": "x.pt"}


def test_an_embedding_in_its_folder_is_there_for_every_prompt(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "models" / "embeddings" / "moods"
    folder.mkdir(parents=True)
    path = folder / "dream.safetensors"
    save_file({"emb_params": torch.ones(1, 128)}, path)
    by_node = Graph()
    plain = by_node(load_checkpoint)(file=TINY).text_encoder
    taught = by_node(load_embedding)(text_encoder=plain, file="moods/dream.safetensors", name="d")
    by_node.output("result", by_node(text_encode)(encoder=taught, text="a (embedding:d:1.3) circle"))
    wanted = tokens(engine, by_node)
    for name in ("moods/dream", "moods/dream.safetensors"):
        assert torch.equal(encoded(engine, f"a (embedding:{name}:1.3) circle"), wanted)
    save_file({"emb_params": torch.full((1, 128), -1.0)}, path)
    assert not torch.equal(encoded(engine, "a (embedding:moods/dream:1.3) circle"), wanted)
    with pytest.raises(RunFailedError, match="there is no embedding 'moods/dreem'"):
        encoded(engine, "a embedding:moods/dreem circle")


def test_a_pickle_in_the_folder_is_not_opened_by_a_prompt(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "models" / "embeddings"
    folder.mkdir(parents=True)
    torch.save({"string_to_param": {"*": torch.ones(1, 128)}}, folder / "dream.pt")
    with pytest.raises(RunFailedError, match=r"is a pickle.*models convert"):
        encoded(engine, "a embedding:dream circle")
