"""The built-in pack says of itself what is true."""

from __future__ import annotations

import json

import pytest

from nodegraph import Engine
from nodegraph.declare import NodeType, node_type
from nodegraph.diffusion.samplers import SAMPLERS
from nodegraph.diffusion.schedulers import SCHEDULERS
from nodegraph.graph.loading import load_document
from nodegraph_nodes.catalogue import NODES

TYPES = [node_type(marked) for marked in NODES]


@pytest.mark.parametrize("type_", TYPES, ids=[type_.id for type_ in TYPES])
def test_node_is_documented(type_: NodeType) -> None:
    assert len(type_.help) > 20
    assert type_.category
    assert json.dumps(type_.to_json())


def test_choices_are_those_of_the_library(engine: Engine) -> None:
    assert list(engine.registry.choices("samplers")) == list(SAMPLERS)
    assert list(engine.registry.choices("schedulers")) == list(SCHEDULERS)
    for name, sampler in SAMPLERS.items():
        assert engine.registry.choice("samplers", name) is sampler


def test_templates_are_canonical_and_without_problems(engine: Engine) -> None:
    assert set(engine.registry.templates) == {
        "text-to-image", "image-to-image", "inpaint", "lora", "custom-sampling", "two-stages", "areas",
    }  # fmt: skip
    for path in engine.registry.templates.values():
        document = load_document(path)
        assert document.to_text() == path.read_text()
        assert engine.check(document) == []


def test_every_builtin_node_is_in_a_template_or_tested_alone(engine: Engine) -> None:
    used = {
        entry.type
        for path in engine.registry.templates.values()
        for entry in load_document(path).nodes.values()
    }
    sampling = {
        type_.id for type_ in TYPES if type_.category.startswith(("Sampling/", "Model", "Conditioning"))
    }
    alone = {
        "image.invert", "image.preview", "latent.from_batch", "mask.from_image", "mask.invert",
        "vae.decode_tiled", "vae.encode_tiled", "load.denoiser", "load.vae", "load.text_encoders",
        "text.clip_skip", "load.embedding", "load.diffusers", "load.model_lora",
    }  # fmt: skip
    fed_to_loops = {type_.id for type_ in TYPES if type_.category in ("List", "Logic", "Value")} | {
        "image.batch", "image.join",
    }  # fmt: skip
    assert {type_.id for type_ in TYPES} == used | alone | fed_to_loops | sampling
