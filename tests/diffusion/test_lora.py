"""LoRA: names of every scheme, the closed form of the change, and diffusers' own loading."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import UNet2DConditionModel
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file, save_file
from torch import Tensor

from nodegraph.diffusion.loras import lora_delta
from nodegraph.diffusion.nets.unet import UNet
from nodegraph.diffusion.store import Store
from nodegraph.diffusion.unet_denoiser import UNetDenoiser
from nodegraph.errors import ModelFileError
from nodegraph.modelfiles.configs import UNetConfig
from nodegraph.modelfiles.families import component_shapes
from nodegraph.modelfiles.loras import LoraMatch, match_lora
from nodegraph.modelfiles.safetensors_header import read_header
from nodegraph.modelfiles.sd1_names import diffusers_prefixes, to_diffusers
from nodegraph.modelfiles.shapes import Shapes
from nodegraph.values import Model, Patch, TextEncoder
from tests.diffusion.small_models import Folder, randomise

WriteLora = Callable[..., Path]

TO_Q = "input_blocks.3.1.transformer_blocks.0.attn1.to_q.weight"
TO_OUT = "input_blocks.3.1.transformer_blocks.0.attn2.to_out.0.weight"
TEXT_Q = "text_model.encoder.layers.1.self_attn.q_proj.weight"
PLACE = "down_blocks.1.attentions.0.transformer_blocks.0"
UNDERSCORED = PLACE.replace(".", "_")


@pytest.fixture(scope="module")
def components(checkpoint: Path) -> dict[str, Shapes]:
    return component_shapes(read_header(checkpoint).shapes)


def pair(stem: str, suffixes: tuple[str, str], rows: int = 64, columns: int = 64) -> dict[str, Tensor]:
    return {stem + suffixes[0]: torch.ones(4, columns), stem + suffixes[1]: torch.ones(rows, 4)}


KOHYA = (".lora_down.weight", ".lora_up.weight")
PEFT = (".lora_A.weight", ".lora_B.weight")
NAMED = (".lora_A.default.weight", ".lora_B.default.weight")
OLD = (".lora.down.weight", ".lora.up.weight")
LINEAR = (".lora_linear_layer.down.weight", ".lora_linear_layer.up.weight")
PROCESSOR = ("_lora.down.weight", "_lora.up.weight")


@pytest.mark.parametrize(
    ("stem", "suffixes", "weight"),
    [
        (f"lora_unet_{UNDERSCORED}_attn1_to_q", KOHYA, TO_Q),
        (f"lora_unet_{UNDERSCORED}_attn2_to_out_0", KOHYA, TO_OUT),
        ("lora_unet_input_blocks_3_1_transformer_blocks_0_attn1_to_q", KOHYA, TO_Q),
        ("diffusion_model.input_blocks.3.1.transformer_blocks.0.attn1.to_q", KOHYA, TO_Q),
        (f"unet.{PLACE}.attn1.to_q", PEFT, TO_Q),
        (f"unet.{PLACE}.attn1.to_q", NAMED, TO_Q),
        (f"unet.{PLACE}.attn1.to_q", OLD, TO_Q),
        (f"unet.{PLACE}.attn1.to_q", LINEAR, TO_Q),
        (f"{PLACE}.attn1.to_q", PEFT, TO_Q),
        (f"base_model.model.{PLACE}.attn1.to_q", PEFT, TO_Q),
        (f"unet.{PLACE}.attn1.processor.to_q", PROCESSOR, TO_Q),
        (f"{PLACE}.attn2.processor.to_out", PROCESSOR, TO_OUT),
        ("lora_te_text_model_encoder_layers_1_self_attn_q_proj", KOHYA, TEXT_Q),
        ("text_encoder.text_model.encoder.layers.1.self_attn.q_proj", PEFT, TEXT_Q),
        ("text_encoder.encoder.layers.1.self_attn.q_proj", PEFT, TEXT_Q),
        ("text_encoder.text_model.encoder.layers.1.self_attn.q_proj", LINEAR, TEXT_Q),
    ],
)
def test_every_naming_scheme_finds_its_weight(
    components: dict[str, Shapes], tmp_path: Path, stem: str, suffixes: tuple[str, str], weight: str
) -> None:
    width = 32 if weight == TEXT_Q else 64
    save_file(pair(stem, suffixes, width, width), tmp_path / "l.safetensors")
    match = match_lora(read_header(tmp_path / "l.safetensors"), components)
    assert [layer.weight for layer in match.layers] == [weight]
    assert match.unmatched == ()


def test_leftovers_are_reported_by_name(components: dict[str, Shapes], tmp_path: Path) -> None:
    tensors = pair(f"lora_unet_{UNDERSCORED}_attn1_to_q", KOHYA) | pair("lora_unet_elsewhere", KOHYA)
    save_file(tensors | {"stray": torch.ones(1)}, tmp_path / "l.safetensors")
    match: LoraMatch = match_lora(read_header(tmp_path / "l.safetensors"), components)
    assert len(match.of("denoiser")) == 1
    assert match.of("clip_l") == ()
    assert match.unmatched == (
        "lora_unet_elsewhere.lora_down.weight",
        "lora_unet_elsewhere.lora_up.weight",
        "stray",
    )


@pytest.mark.parametrize(
    ("tensors", "code", "word"),
    [
        (pair("lora_unet_double_blocks_0_img_attn_qkv", KOHYA), "lora_matches_nothing", "FLUX"),
        (pair("lora_te2_text_model_x", KOHYA), "lora_matches_nothing", "SDXL"),
        (pair("transformer.joint_blocks.0.x", PEFT), "lora_matches_nothing", "SD 3"),
        (pair("nonsense", KOHYA), "lora_matches_nothing", "unknown naming scheme"),
        ({"model.weight": torch.ones(1)}, "lora_matches_nothing", "no LoRA: model.weight"),
        ({"x.oft_blocks": torch.ones(1)}, "lora_unsupported", "oft_blocks"),
        ({"x.reshape_weight": torch.ones(1)}, "lora_unsupported", "reshape_weight"),
        (
            {f"lora_unet_{UNDERSCORED}_attn1_to_q.lora_down.weight": torch.ones(4, 64)},
            "model_file_damaged",
            "no up",
        ),
        (pair(f"lora_unet_{UNDERSCORED}_attn2_to_k", KOHYA, 64, 768), "lora_shape_mismatch", "64, 32"),
        (pair(f"lora_unet_{UNDERSCORED}_attn1_to_q", KOHYA, 320, 64), "lora_shape_mismatch", "320, 4"),
    ],
)
def test_a_lora_that_does_not_fit_is_an_error_that_says_why(
    components: dict[str, Shapes], tmp_path: Path, tensors: dict[str, Tensor], code: str, word: str
) -> None:
    save_file(tensors, tmp_path / "l.safetensors")
    with pytest.raises(ModelFileError, match=word) as caught:
        match_lora(read_header(tmp_path / "l.safetensors"), components, family="sd1").require()
    assert caught.value.problem.code == code


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        ("linear", (6, 5)),
        ("conv 1x1", (6, 5, 1, 1)),
        ("conv 3x3", (6, 5, 3, 3)),
        ("conv 3x3 CP", (6, 5, 3, 3)),
    ],
)
@pytest.mark.parametrize("alpha", [None, 2.0])
def test_the_change_is_the_product_in_closed_form(
    tmp_path: Path, kind: str, shape: tuple[int, ...], alpha: float | None
) -> None:
    generator = torch.Generator().manual_seed(1)
    rank, kernel = 4, shape[2:]
    down = torch.randn(rank, shape[1], *kernel, generator=generator)
    tensors = {"lora_te_x.lora_up.weight": torch.randn(6, rank, *[1] * len(kernel), generator=generator)}
    expected = torch.einsum("or,r...->o...", tensors["lora_te_x.lora_up.weight"].flatten(1), down)
    if kind == "conv 3x3 CP":
        down = torch.randn(rank, shape[1], 1, 1, generator=generator)
        mid = tensors["lora_te_x.lora_mid.weight"] = torch.randn(rank, rank, 3, 3, generator=generator)
        # The same three convolutions in a row, told by their response to every single input element.
        probe = torch.eye(5 * 9).view(45, 5, 3, 3).flip(2, 3)
        through = torch.nn.functional.conv2d(torch.nn.functional.conv2d(probe, down), mid)
        through = torch.nn.functional.conv2d(through, tensors["lora_te_x.lora_up.weight"])
        expected = through[:, :, 0, 0].T.reshape(6, 5, 3, 3).flip(2, 3)
    tensors["lora_te_x.lora_down.weight"] = down
    if alpha is not None:
        tensors["lora_te_x.alpha"] = torch.tensor(alpha)
    save_file(tensors, tmp_path / "l.safetensors")
    match = match_lora(read_header(tmp_path / "l.safetensors"), {"clip_l": {"x.weight": shape}})
    delta = lora_delta(match.layers[0], tensors, torch.zeros(shape))
    assert torch.allclose(delta, expected * (1.0 if alpha is None else alpha / rank), rtol=1e-4, atol=1e-5)


def weights_of(store: Store, recipe: Model) -> dict[str, Tensor]:
    with store.use(recipe) as live:
        assert isinstance(live, UNetDenoiser)
        return {name: tensor.clone() for name, tensor in live.network.state_dict().items()}


def test_strength_zero_and_removal_are_bit_equal_to_the_base(
    checkpoint: Path, folder: Folder, write_lora: WriteLora
) -> None:
    store, base = Store(folder, "cpu"), folder.add(checkpoint)
    lora = folder.add(write_lora({f"lora_unet_{UNDERSCORED}_attn1_to_q": (64, 64, 2.0)}))
    model = Model(base, "sd1")
    before = weights_of(store, model)
    none = weights_of(store, model.patched(Patch.of("lora", file=lora.hash, strength=0.0)))
    full = weights_of(store, model.patched(Patch.of("lora", file=lora.hash, strength=1.0)))
    after = weights_of(store, model)
    assert all(torch.equal(before[name], none[name]) for name in before)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert [name for name in before if not torch.equal(before[name], full[name])] == [TO_Q]


def test_patches_add_up_in_order(checkpoint: Path, folder: Folder, write_lora: WriteLora) -> None:
    store, base = Store(folder, "cpu"), folder.add(checkpoint)
    path = write_lora({f"lora_unet_{UNDERSCORED}_attn1_to_q": (64, 64, 2.0)})
    lora, tensors = folder.add(path), load_file(path)
    stem = f"lora_unet_{UNDERSCORED}_attn1_to_q"
    product = tensors[f"{stem}.lora_up.weight"] @ tensors[f"{stem}.lora_down.weight"] * (2.0 / 4)
    model = Model(base, "sd1")
    twice = model
    for strength in (0.75, -0.25):
        twice = twice.patched(Patch.of("lora", file=lora.hash, strength=strength))
    expected = weights_of(store, model)[TO_Q] + 0.5 * product
    assert torch.allclose(weights_of(store, twice)[TO_Q], expected, rtol=1e-4, atol=1e-5)


def test_a_lora_for_the_unet_leaves_the_text_encoder_alone_and_the_other_way_round(
    checkpoint: Path, folder: Folder, write_lora: WriteLora
) -> None:
    store, base = Store(folder, "cpu"), folder.add(checkpoint)
    of_unet = folder.add(write_lora({f"lora_unet_{UNDERSCORED}_attn1_to_q": (64, 64, None)}, "u.safetensors"))
    of_text = folder.add(
        write_lora({"lora_te_text_model_encoder_layers_1_self_attn_q_proj": (32, 32, None)}, "t.safetensors")
    )
    encoder = TextEncoder(base, "sd1")
    tokens = []
    for recipe in (encoder, *(encoder.patched(Patch.of("lora", file=lora.hash, strength=1.0))
                              for lora in (of_unet, of_text))):  # fmt: skip
        with store.use(recipe) as live:
            tokens.append(live.encode("a red circle").tokens)
    assert torch.equal(tokens[0], tokens[1])
    assert not torch.allclose(tokens[0], tokens[2], atol=1e-3)


@pytest.mark.parametrize("rank_stabilised", [False, True])
def test_a_peft_lora_saved_by_diffusers_gives_the_picture_that_diffusers_gives(
    tmp_path: Path, rank_stabilised: bool
) -> None:
    """Rank 4, alpha 8 (kept in the metadata, as diffusers saves it), on linear layers and convolutions."""
    config = UNetConfig(
        model_channels=128, channels=(128, 128), res_blocks=1, depths=(0, 1), context_dim=32, time_dim=512
    )
    ours = UNet(config).eval()
    randomise(ours, 1)
    oracle: Any = UNet2DConditionModel  # diffusers publishes no types
    theirs = oracle(
        block_out_channels=config.channels, layers_per_block=1, cross_attention_dim=32,
        down_block_types=["DownBlock2D", "CrossAttnDownBlock2D"], attention_head_dim=8,
        up_block_types=["CrossAttnUpBlock2D", "UpBlock2D"],
    ).eval()  # fmt: skip
    prefixes = diffusers_prefixes(config)
    theirs.load_state_dict({to_diffusers(name, prefixes): value for name, value in ours.state_dict().items()})
    theirs.add_adapter(
        LoraConfig(
            r=4,
            lora_alpha=8,
            use_rslora=rank_stabilised,
            target_modules=["to_q", "to_v", "to_out.0", "conv1", "proj_in"],
        )
    )
    for name, parameter in theirs.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    state = {f"unet.{name}": value for name, value in get_peft_model_state_dict(theirs).items()}
    path = tmp_path / "l.safetensors"
    told = {"unet.r": 4, "unet.lora_alpha": 8, "unet.use_rslora": rank_stabilised}
    save_file(state, path, {"lora_adapter_metadata": json.dumps(told)})

    base = dict(ours.state_dict())
    match = match_lora(
        read_header(path), {"denoiser": {name: tuple(value.shape) for name, value in base.items()}}
    )
    assert match.unmatched == ()
    assert len(match.layers) == len(state) // 2
    for layer in match.layers:
        base[layer.weight] = base[layer.weight] + lora_delta(layer, state, base[layer.weight])
    ours.load_state_dict(base)

    x, t, context = torch.randn(1, 4, 8, 8), torch.tensor([500.0]), torch.randn(1, 7, 32)
    with torch.no_grad():
        expected = theirs(x, t, context).sample
        assert float((ours(x, t, context) - expected).norm() / expected.norm()) <= 1e-4
