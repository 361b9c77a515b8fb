"""Every parameter of every full-size network is reached by a LoRA in each spelling, and by one key alone.

The names come from the classes of diffusers and transformers and from the original files' tables; the
spellings are written down here once more, as the trainers write them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from nodegraph.errors import ModelFileError
from nodegraph.modelfiles.families import FAMILIES
from nodegraph.modelfiles.layouts.text import text_encoder
from nodegraph.modelfiles.loras import LoraMatch, is_lora, match_lora
from nodegraph.modelfiles.safetensors_header import Header, TensorInfo
from nodegraph.modelfiles.shapes import Shapes
from nodegraph.modelfiles.sources import shapes_of as made_shapes
from tests.diffusion.test_families import CLIP_G, CLIP_H, CLIP_L, UNETS, open_clip_shapes, unet_shapes
from tests.diffusion.test_families import their_unet as their_full_unet
from tests.diffusion.test_transformer_families import FAMILY_OF, FULL, native, of_diffusers

RANK = 4
THEIRS: Any = transformers

Spell = Callable[[str], str]


def header(shapes: Shapes) -> Header:
    return Header(
        Path("lora.safetensors"), {name: TensorInfo("F16", shape, 0, 0) for name, shape in shapes.items()}
    )


def lora_of(
    shapes: Shapes, spell: Spell, ends: tuple[str, str] = (".lora_down.weight", ".lora_up.weight")
) -> Header:
    """A LoRA that changes every parameter of these names: products for matrices, differences for the rest."""
    tensors: dict[str, tuple[int, ...]] = {}
    for name, shape in shapes.items():
        if name.endswith(".bias"):
            tensors[f"{spell(name.removesuffix('.bias'))}.diff_b"] = shape
            continue
        stem = spell(name.removesuffix(".weight").removesuffix(".scale"))
        if len(shape) in (2, 4):
            tensors[stem + ends[0]] = (RANK, *shape[1:])
            tensors[stem + ends[1]] = (shape[0], RANK, *(1 for _ in shape[2:]))
        else:
            tensors[f"{stem}.diff"] = shape
    return header(tensors)


def check(match: LoraMatch, shapes: Shapes, component: str, layers: int) -> None:
    """Every row of every parameter is changed once."""
    assert match.unmatched == ()
    assert len(match.layers) == layers
    rows: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for layer in match.layers:
        assert layer.component == component
        rows[layer.weight].append(layer.rows or (0, shapes[layer.weight][0]))
    assert rows.keys() == shapes.keys()
    for name, parts in rows.items():
        ends = [0, *(end for _, end in sorted(parts))]
        assert [start for start, _ in sorted(parts)] == ends[:-1], name
        assert ends[-1] == shapes[name][0], name


def dotted(prefix: str) -> Spell:
    return lambda name: prefix + name


def flat(prefix: str) -> Spell:
    return lambda name: prefix + name.replace(".", "_")


PEFT = (".lora_A.weight", ".lora_B.weight")
NAMED = (".lora_A.default.weight", ".lora_B.default.weight")
KOHYA = (".lora_down.weight", ".lora_up.weight")
ORIGINAL_SPELLINGS: dict[str, tuple[Spell, tuple[str, str]]] = {
    "kohya": (flat("lora_unet_"), KOHYA),
    "LyCORIS": (flat("lycoris_"), KOHYA),
    "ComfyUI": (dotted("diffusion_model."), PEFT),
    "bare": (dotted(""), PEFT),
}
UNET_SPELLINGS: dict[str, tuple[Spell, tuple[str, str]]] = {
    "kohya": (flat("lora_unet_"), KOHYA),
    "LyCORIS": (flat("lycoris_"), KOHYA),
    "diffusers": (dotted("unet."), PEFT),
    "diffusers of old": (dotted("unet."), (".lora.down.weight", ".lora.up.weight")),
    "PEFT": (dotted("base_model.model."), NAMED),
    "bare": (dotted(""), PEFT),
}
TRANSFORMER_SPELLINGS: dict[str, tuple[Spell, tuple[str, str]]] = {
    "diffusers": (dotted("transformer."), PEFT),
    "kohya": (flat("lora_unet_"), KOHYA),
    "OneTrainer": (flat("lora_transformer_"), KOHYA),
    "SimpleTuner": (flat("lycoris_"), KOHYA),
    "PEFT": (dotted("base_model.model."), NAMED),
}


ours_at_full_size = cache(lambda name: native(FULL[name]))
theirs_at_full_size = cache(lambda name: of_diffusers(FULL[name]))


@cache
def their_unet_shapes(name: str) -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        model = their_full_unet(UNETS[name])
    return {key: tuple(value.shape) for key, value in model.state_dict().items()}


@pytest.mark.parametrize("spelling", ORIGINAL_SPELLINGS)
@pytest.mark.parametrize("name", UNETS)
def test_unets_by_original_names(name: str, spelling: str) -> None:
    shapes = unet_shapes(name)
    match = match_lora(lora_of(shapes, *ORIGINAL_SPELLINGS[spelling]), {"denoiser": shapes}, family=name)
    check(match, shapes, "denoiser", len(shapes))


@pytest.mark.parametrize("spelling", UNET_SPELLINGS)
@pytest.mark.parametrize("name", UNETS)
def test_unets_by_diffusers_names(name: str, spelling: str) -> None:
    shapes, theirs = unet_shapes(name), their_unet_shapes(name)
    match = match_lora(lora_of(theirs, *UNET_SPELLINGS[spelling]), {"denoiser": shapes}, family=name)
    check(match, shapes, "denoiser", len(theirs))


@pytest.mark.parametrize("spelling", ORIGINAL_SPELLINGS)
@pytest.mark.parametrize("name", FULL)
def test_transformers_by_original_names(name: str, spelling: str) -> None:
    shapes = ours_at_full_size(name)
    match = match_lora(
        lora_of(shapes, *ORIGINAL_SPELLINGS[spelling]), {"denoiser": shapes}, family=FAMILY_OF[name]
    )
    check(match, shapes, "denoiser", len(shapes))


@pytest.mark.parametrize("spelling", TRANSFORMER_SPELLINGS)
@pytest.mark.parametrize("name", FULL)
def test_transformers_by_diffusers_names(name: str, spelling: str) -> None:
    """All but the table of positions, which is no parameter there."""
    shapes, theirs = dict(ours_at_full_size(name)), dict(theirs_at_full_size(name))
    theirs.pop("pos_embed.pos_embed", None)
    match = match_lora(
        lora_of(theirs, *TRANSFORMER_SPELLINGS[spelling]), {"denoiser": shapes}, family=FAMILY_OF[name]
    )
    shapes.pop("pos_embed", None)
    check(match, shapes, "denoiser", len(theirs))


@cache
def text_shapes(component: str) -> Shapes:
    if component == "t5xxl":
        config = THEIRS.T5Config(
            vocab_size=32128, d_model=4096, d_kv=64, d_ff=10240, num_layers=24, num_heads=64,
            feed_forward_proj="gated-gelu",
        )  # fmt: skip
        with torch.device("meta"):
            state = THEIRS.T5EncoderModel(config).state_dict()
        return {k: tuple(v.shape) for k, v in state.items() if k != "encoder.embed_tokens.weight"}
    shapes = open_clip_shapes({"clip_l": CLIP_L, "clip_h": CLIP_H, "clip_g": CLIP_G}[component])
    if component == "clip_l":  # it has no projection
        shapes = {name: shape for name, shape in shapes.items() if name != "text_projection"}
    return made_shapes(text_encoder(shapes), shapes)


Counted = Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]
COUNTED: Mapping[str, Counted] = {
    # What kohya and diffusers call the encoders of a family.
    "sd1": {"clip_l": (("lora_te_", "lora_te1_"), ("text_encoder.",))},
    "sd2": {"clip_h": (("lora_te_",), ("text_encoder.",))},
    "sdxl": {
        "clip_l": (("lora_te1_",), ("text_encoder.",)),
        "clip_g": (("lora_te2_",), ("text_encoder_2.",)),
    },
    "sdxl_refiner": {"clip_g": (("lora_te_", "lora_te2_"), ("text_encoder.", "text_encoder_2."))},
    "sd35_large": {
        "clip_l": (("lora_te1_",), ("text_encoder.",)),
        "clip_g": (("lora_te2_",), ("text_encoder_2.",)),
        "t5xxl": (("lora_te3_",), ("text_encoder_3.",)),
    },
    "flux_dev": {
        "clip_l": (("lora_te1_",), ("text_encoder.",)),
        "t5xxl": (("lora_te2_", "lora_te3_"), ("text_encoder_2.",)),
    },
}
TEXTS = [(family, part) for family, parts in COUNTED.items() for part in parts]


@pytest.mark.parametrize(("family", "part"), TEXTS)
def test_text_encoders_are_counted_as_the_trainers_count_them(family: str, part: str) -> None:
    components = {name: text_shapes(name) for name in COUNTED[family]}
    underscored, named = COUNTED[family][part]
    spellings = [(flat(prefix), KOHYA) for prefix in underscored]
    spellings += [(dotted(prefix), PEFT) for prefix in (*named, f"text_encoders.{part}.transformer.")]
    for spelling in spellings:
        match = match_lora(lora_of(components[part], *spelling), components, family=family)
        check(match, components[part], part, len(components[part]))


def test_the_counts_are_those_of_the_families() -> None:
    for family in FAMILIES:
        if family.name in COUNTED:
            assert {encoder.component for encoder in family.encoders} == COUNTED[family.name].keys()


@pytest.mark.parametrize("part", ["clip_h", "clip_g"])
def test_fused_changes_of_open_clips_reach_query_key_and_value(part: str) -> None:
    """One in_proj of the file is three layers of ours: the rows of its upper matrix are shared out."""
    shapes = text_shapes(part)
    family = {"clip_h": "sd2", "clip_g": "sdxl"}[part]
    prefix = {"clip_h": "lora_te_", "clip_g": "lora_te2_"}[part]
    width = shapes["text_model.final_layer_norm.weight"][0]
    stem = f"{prefix}transformer_resblocks_3_attn_in_proj"
    given = {f"{stem}.lora_down.weight": (RANK, width), f"{stem}.lora_up.weight": (3 * width, RANK)}
    match = match_lora(header(given), {part: shapes}, family=family)
    found = {layer.weight.rsplit(".", 2)[-2]: (layer.part, layer.shape) for layer in match.layers}
    assert found == {f"{c}_proj": ((n, 3), (3 * width, width)) for n, c in enumerate("qkv")}


MADE_FOR: Mapping[str, tuple[Callable[[], Shapes], str]] = {
    "SD 1.x": (lambda: unet_shapes("sd1"), "lora_unet_"),
    "SD 2.x": (lambda: unet_shapes("sd2"), "lora_unet_"),
    "SDXL": (lambda: unet_shapes("sdxl"), "lora_unet_"),
    "the SDXL refiner": (lambda: unet_shapes("sdxl_refiner"), "lora_unet_"),
    "SD 3 medium or SD 3.5 medium": (lambda: native(FULL["SD 3 medium"]), "lora_unet_"),
    "SD 3.5 large": (lambda: native(FULL["SD 3.5 large"]), "lora_unet_"),
    "FLUX.1": (lambda: native(FULL["schnell"]), "lora_unet_"),
}


@pytest.mark.parametrize("name", MADE_FOR)
def test_the_error_names_the_family_of_the_file_and_that_of_the_model(name: str) -> None:
    make, prefix = MADE_FOR[name]
    lora = lora_of({key: shape for key, shape in make().items() if len(shape) > 1}, flat(prefix))
    assert is_lora(lora.tensors)
    other, title = ("sdxl", "SDXL") if name != "SDXL" else ("sd1", "SD 1.x")
    with pytest.raises(ModelFileError) as caught:
        match_lora(lora, {"denoiser": unet_shapes(other)}, family=other).require()
    problem = caught.value.problem
    assert problem.code in ("lora_matches_nothing", "lora_shape_mismatch")
    told = f"{problem.found} {problem.remedy}"
    assert f"for {name} " in told or f"for {name}:" in told
    assert title in str(problem.expected)


def test_a_control_lora_for_flux_is_told_what_it_needs() -> None:
    given = {"img_in.lora_A.weight": (128, 128), "img_in.lora_B.weight": (3072, 128)}
    with pytest.raises(ModelFileError, match="control"):
        match_lora(header(given), {"denoiser": native(FULL["dev and Kontext"])}, family="flux_dev")


def test_xlabs_names_reach_the_attention_and_the_rest_is_told() -> None:
    given: dict[str, tuple[int, ...]] = {}
    for stem, rows in {
        "double_blocks.0.processor.qkv_lora1": 9216, "double_blocks.0.processor.proj_lora2": 3072,
        "single_blocks.5.processor.qkv_lora": 9216, "single_blocks.5.processor.proj_lora": 3072,
    }.items():  # fmt: skip
        given |= {f"{stem}.down.weight": (RANK, 3072), f"{stem}.up.weight": (rows, RANK)}
    match = match_lora(header(given), {"denoiser": native(FULL["dev and Kontext"])}, family="flux_dev")
    assert {(layer.weight, layer.rows) for layer in match.layers} == {
        ("double_blocks.0.img_attn.qkv.weight", None),
        ("double_blocks.0.txt_attn.proj.weight", None),
        ("single_blocks.5.linear1.weight", (0, 9216)),
    }
    assert all("single_blocks.5.processor.proj_lora" in name for name in match.unmatched)
    assert len(match.unmatched) == 2


def test_keys_in_any_order_give_the_same_match() -> None:
    shapes = unet_shapes("sd1")
    forward = lora_of(shapes, flat("lora_unet_"))
    backward = Header(forward.path, dict(reversed(list(forward.tensors.items()))))
    found = [match_lora(each, {"denoiser": shapes}, family="sd1") for each in (forward, backward)]
    assert found[0] == found[1]
