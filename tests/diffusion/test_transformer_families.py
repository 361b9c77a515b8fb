"""SD 3, SD 3.5 and FLUX.1 are told from names and shapes, and become live denoisers through the store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from nodegraph.diffusion.guidance import guided
from nodegraph.diffusion.guidance.patches import chosen_blocks
from nodegraph.diffusion.guidance.weaken import skipped
from nodegraph.diffusion.nets.flux import Flux
from nodegraph.diffusion.nets.mmdit import MMDiT
from nodegraph.diffusion.nets.vae import AutoencoderKL
from nodegraph.diffusion.samplers import SAMPLERS
from nodegraph.diffusion.sampling import sample
from nodegraph.diffusion.schedulers import SCHEDULERS
from nodegraph.diffusion.store import Store
from nodegraph.diffusion.transformers import FluxDenoiser, flow_noising, folded
from nodegraph.errors import InputError, ModelFileError
from nodegraph.modelfiles.configs import VaeConfig
from nodegraph.modelfiles.families import Checkpoint, component_names, inspect
from nodegraph.modelfiles.families.flux import FLUX_LATENT
from nodegraph.modelfiles.families.sd3 import SD3_LATENT
from nodegraph.modelfiles.layouts.transformers import transformer
from nodegraph.modelfiles.safetensors_header import Header, TensorInfo, read_header
from nodegraph.modelfiles.transformer_configs import FluxConfig, MMDiTConfig
from nodegraph.values import Conditioning, ConditioningEntry, Latent, Mask, Model, NoiseSchedule
from tests.diffusion.small_models import Folder, randomise
from tests.diffusion.test_transformers import (
    FLUXES,
    FULL_FLUXES,
    FULL_MMDITS,
    MMDITS,
    drawn,
    made,
    shapes_of,
    their_flux,
    their_mmdit,
)

FAMILY_OF = {
    "SD 3 medium": "sd3",
    "SD 3.5 medium": "sd35_medium",
    "SD 3.5 large": "sd35_large",
    "dev and Kontext": "flux_dev",
    "schnell": "flux_schnell",
    "canny and depth": "flux_control",
    "Fill": "flux_fill",
}
FULL: dict[str, MMDiTConfig | FluxConfig] = {**FULL_MMDITS, **FULL_FLUXES}


def header_of(shapes: dict[str, tuple[int, ...]], metadata: dict[str, str] | None = None) -> Header:
    tensors = {name: TensorInfo("BF16", shape, 0, 0) for name, shape in shapes.items()}
    return Header(Path("file.safetensors"), tensors, metadata or {})


def native(config: MMDiTConfig | FluxConfig) -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        return shapes_of(MMDiT(config) if isinstance(config, MMDiTConfig) else Flux(config))


def of_diffusers(config: MMDiTConfig | FluxConfig) -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        return shapes_of(their_mmdit(config) if isinstance(config, MMDiTConfig) else their_flux(config))


def under(prefix: str, shapes: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    return {prefix + name: shape for name, shape in shapes.items()}


@pytest.mark.parametrize("name", FULL)
def test_full_size_files_are_told_in_every_layout(name: str) -> None:
    config = FULL[name]
    shapes = native(config)
    for file in (shapes, under("model.diffusion_model.", shapes), of_diffusers(config)):
        found = inspect(header_of(file))
        assert (found.family, found.prediction) == (FAMILY_OF[name], "flow")
        assert found.nets == {"denoiser": config}
        assert found.latent_format == (SD3_LATENT if isinstance(config, MMDiTConfig) else FLUX_LATENT)


@pytest.mark.parametrize("vae_prefix", ["vae.", "first_stage_model."])
def test_an_autoencoder_in_the_file_is_told_too(vae_prefix: str) -> None:
    vae = VaeConfig(latent_channels=16, quant=False)
    with torch.device("meta"):
        shapes = under(vae_prefix, shapes_of(AutoencoderKL(vae)))
    found = inspect(header_of(shapes | under("model.diffusion_model.", native(FULL_FLUXES["schnell"]))))
    assert found.nets == {"denoiser": FULL_FLUXES["schnell"], "vae": vae}


def variant(name: str, title: str = "") -> Checkpoint:
    return inspect(header_of(native(FULL[name]), {"modelspec.title": title} if title else {}))


# Pairs with the same tensors: only what the metadata say can tell them apart.
TWINS = [
    ("SD 3.5 large", "Stable Diffusion 3.5 Large Turbo", "turbo", (4, 1.0, None)),
    ("dev and Kontext", "FLUX.1 Kontext [dev]", "kontext", (20, 1.0, 2.5)),
    ("canny and depth", "FLUX.1-Canny-dev", "canny", (20, 1.0, 30.0)),
    ("canny and depth", "FLUX.1-Depth-dev", "depth", (20, 1.0, 10.0)),
]


@pytest.mark.parametrize(("name", "title", "wanted", "defaults"), TWINS)
def test_twins_are_told_by_metadata_alone(
    name: str, title: str, wanted: str, defaults: tuple[int, float, float | None]
) -> None:
    silent, told = variant(name), variant(name, title)
    assert (silent.variant, told.variant) == ("", wanted)
    assert replace(told, variant="", defaults=silent.defaults) == silent
    assert (told.defaults.steps, told.defaults.cfg, told.defaults.guidance) == defaults


def test_schedules_are_those_of_the_families() -> None:
    assert variant("SD 3.5 large").schedule == NoiseSchedule("flow", shift=3.0)
    assert variant("schnell").schedule == NoiseSchedule("flow", shift=1.0)
    dev = flow_noising(variant("dev and Kontext").schedule)
    half = 1 / (1 + 2.718281828**-1.15)  # e^mu / (e^mu + 1/t - 1) at t = 1/2
    assert float(dev.sigma_of(torch.tensor(0.5))) == pytest.approx(half, rel=1e-5)
    with pytest.raises(InputError, match="schedule"):
        flow_noising(NoiseSchedule())


LOOKALIKES: dict[str, tuple[Callable[[], dict[str, tuple[int, ...]]], str]] = {
    "Chroma": (
        lambda: (
            without(native(FULL_FLUXES["schnell"]), "vector_in.")
            | {"distilled_guidance_layer.in_proj.weight": (5120, 64)}
        ),
        "Chroma",
    ),
    "another input": (
        lambda: native(FULL_FLUXES["schnell"]) | {"img_in.weight": (3072, 96)},
        "unknown kind",
    ),
    "LoRA for FLUX": (
        lambda: {
            "double_blocks.0.img_attn.norm.key_norm.scale": (128,),
            "img_in.lora_A.weight": (128, 128),
            "img_in.lora_B.weight": (3072, 128),
        },
        "LoRA",
    ),
}


def without(shapes: dict[str, tuple[int, ...]], prefix: str) -> dict[str, tuple[int, ...]]:
    return {name: shape for name, shape in shapes.items() if not name.startswith(prefix)}


@pytest.mark.parametrize("name", LOOKALIKES)
def test_lookalikes_are_refused_by_name(name: str) -> None:
    make, word = LOOKALIKES[name]
    with pytest.raises(ModelFileError, match=word):
        inspect(header_of(make()))


def test_a_network_with_a_hole_is_said_to_be_incomplete() -> None:
    shapes = native(FULL_MMDITS["SD 3 medium"])
    del shapes["y_embedder.mlp.0.weight"]
    with pytest.raises(ModelFileError, match=r"y_embedder\.mlp\.0\.weight"):
        inspect(header_of(shapes))


SMALL: dict[str, MMDiTConfig | FluxConfig] = {**MMDITS, **FLUXES}


@pytest.fixture
def saved(tmp_path: Path, folder: Folder) -> Callable[..., Model]:
    """Writes a small file and gives the recipe of its denoiser."""

    def write(name: str, *, diffusers: bool = False) -> Model:
        config = SMALL[name]
        theirs = their_mmdit(config) if isinstance(config, MMDiTConfig) else their_flux(config)
        randomise(theirs, 1)
        tensors = theirs.state_dict()
        if not diffusers:
            sources = transformer({key: tuple(value.shape) for key, value in tensors.items()})
            tensors = {f"model.diffusion_model.{key}": value for key, value in made(sources, tensors).items()}
        path = tmp_path / f"{name} {diffusers}.safetensors"
        save_file({key: value.contiguous() for key, value in tensors.items()}, path)
        file = folder.add(path)
        found = inspect(read_header(path))
        return Model(
            file, found.family, prediction=found.prediction, latent_format=found.latent_format,
            schedule=found.schedule, variant=found.variant,
        )  # fmt: skip

    return write


def prompt(
    seed: int,
    *,
    pooled: int = 40,
    guidance: float | None = None,
    beside: Latent | None = None,
    references: tuple[Latent, ...] = (),
) -> Conditioning:
    tokens, pooling = drawn(seed, 1, 7, 48), drawn(seed + 1, 1, pooled)
    entry = ConditioningEntry(tokens, pooling, guidance=guidance, beside=beside, references=references)
    return Conditioning((entry,))


def beside(name: str) -> Latent | None:
    """The picture that a prompt must bring for the network of that name."""
    picture = Latent(drawn(9, 1, 16, 8, 6), FLUX_LATENT)
    if name == "Fill":
        return replace(picture, noise_mask=Mask(torch.ones(1, 64, 48)))
    return picture if name == "canny and depth" else None


@pytest.mark.parametrize("name", SMALL)
def test_a_file_samples_through_the_store_in_both_layouts(
    name: str, saved: Callable[..., Model], folder: Folder
) -> None:
    results: list[Tensor] = []
    for diffusers in (False, True):
        model = saved(name, diffusers=diffusers)
        store = Store(folder, "cpu", "float32", 1 << 30)
        with store.use(model) as denoiser:
            result = sample(
                denoiser, prompt(1, beside=beside(name)), prompt(5, beside=beside(name)),
                Latent(torch.zeros(1, 16, 8, 6), model.latent_format), seed=7, steps=3, cfg=2.0,
                sampler=SAMPLERS["euler"], scheduler=SCHEDULERS["simple"],
            )  # fmt: skip
        assert result.samples.shape == (1, 16, 8, 6)
        assert torch.isfinite(result.samples).all()
        results.append(result.samples)
    assert results[0].std() > 0
    assert torch.equal(*results)


def test_factors_of_scaled_weights_are_found_in_diffusers_layout_too() -> None:
    """Query, key and value have a factor each, and become one tensor."""
    shapes = of_diffusers(FLUXES["schnell"])
    block = "transformer_blocks.0.attn."
    scales = {f"{block}{part}.scale_weight": () for part in ("to_q", "to_k", "to_v")}
    names = component_names({**shapes, **scales})["denoiser"]
    assert names["double_blocks.0.img_attn.qkv.weight"].scales == tuple(scales)
    assert not any(names["img_in.weight"].scales)


@pytest.mark.parametrize("name", SMALL)
def test_blocks_that_do_not_fit_are_streamed_to_the_same_bits(
    name: str, saved: Callable[..., Model], folder: Folder
) -> None:
    model = saved(name)
    x, tokens = drawn(3, 1, 16, 8, 6), prompt(1, beside=beside(name))

    def estimate(budget: int | None) -> tuple[Tensor, int]:
        store = Store(folder, "cpu", "float32", budget)
        with store.use(model) as denoiser:
            x0 = guided(denoiser, tokens, tokens, 1.0, x)(x, torch.tensor(0.5))
        return x0, store.counters()["streamed_blocks"]

    whole, streamed = estimate(None)
    assert streamed == 0
    size = sum(info.end - info.begin for info in read_header(folder.path(model.base)).tensors.values())
    tight, streamed = estimate(size * 3 // 4)
    assert streamed > 0
    assert torch.equal(whole, tight)


@pytest.mark.parametrize("name", ["SD 3.5 medium", "schnell"])
def test_blocks_can_be_left_out(name: str) -> None:
    """Skip-layer guidance takes blocks by number: image and text pass them unchanged."""
    config = SMALL[name]
    net: MMDiT | Flux = MMDiT(config) if isinstance(config, MMDiTConfig) else Flux(config)
    randomise(net.eval(), 1)
    blocks = net.joint_blocks if isinstance(net, MMDiT) else net.double_blocks
    given = (drawn(3, 1, 16, 8, 6), torch.tensor([0.5]), drawn(1, 1, 7, 48), drawn(2, 1, 40))
    with torch.no_grad():
        usual = net(*given)
        with skipped(chosen_blocks(net, "0")):
            left_out = net(*given)
        del blocks[0]
        shorter = net(*given)
    assert torch.equal(left_out, shorter)
    assert not torch.allclose(usual, left_out, atol=1e-3)


def flux_of(name: str, guidance: float | None = 3.5) -> FluxDenoiser:
    net = Flux(FLUXES[name]).eval()
    randomise(net, 1)
    return FluxDenoiser(net, flow_noising(NoiseSchedule("flux", shift=3.0)), FLUX_LATENT, guidance)


def predicted(denoiser: FluxDenoiser, positive: Conditioning, x: Tensor) -> Tensor:
    return guided(denoiser, positive, positive, 1.0, x)(x, torch.tensor(0.5))


def test_the_prompts_guidance_wins_over_the_familys() -> None:
    x = drawn(3, 1, 16, 8, 6)
    usual = predicted(flux_of("dev and Kontext"), prompt(1), x)
    assert torch.equal(usual, predicted(flux_of("dev and Kontext", 1.0), prompt(1, guidance=3.5), x))
    assert not torch.allclose(usual, predicted(flux_of("dev and Kontext"), prompt(1, guidance=1.0), x))


def test_the_recipes_variant_sets_the_usual_guidance(saved: Callable[..., Model], folder: Folder) -> None:
    model, store = saved("dev and Kontext"), Store(folder, "cpu", "float32")
    for variant, usual in (("", 3.5), ("kontext", 2.5)):
        with store.use(replace(model, variant=variant)) as denoiser:
            assert isinstance(denoiser, FluxDenoiser)
            assert denoiser.guidance == usual


def test_pictures_are_given_in_the_scale_of_the_model() -> None:
    """The denoiser is the network on scaled pictures, and x0 = x - sigma * v."""
    denoiser = flux_of("Fill")
    x, picture = drawn(3, 1, 16, 8, 6), beside("Fill")
    assert picture is not None
    conditioning = prompt(1, beside=picture)
    entry = conditioning.entries[0]
    assert entry.pooled is not None
    seen = torch.cat([x, (picture.samples - 0.1159) * 0.3611, torch.ones(1, 64, 8, 6)], dim=1)
    sigma = torch.tensor([0.5])
    with torch.no_grad():
        velocity = denoiser.network(seen, sigma, entry.tokens, entry.pooled, torch.tensor([3.5]))
    assert torch.allclose(predicted(denoiser, conditioning, x), x - 0.5 * velocity, atol=1e-6)


def test_references_reach_the_network() -> None:
    denoiser, x = flux_of("dev and Kontext"), drawn(3, 1, 16, 8, 6)
    reference = Latent(drawn(4, 1, 16, 4, 4), FLUX_LATENT)
    alone = predicted(denoiser, prompt(1), x)
    assert not torch.allclose(alone, predicted(denoiser, prompt(1, references=(reference,)), x), atol=1e-3)


def test_a_mask_is_folded_pixel_by_pixel() -> None:
    mask = torch.zeros(1, 16, 24)
    mask[0, 8 + 3, 16 + 5] = 1  # cell (1, 2), pixel (3, 5)
    channels = folded(mask, 2, 3)
    assert channels.shape == (1, 64, 2, 3)
    assert channels[0, 8 * 3 + 5, 1, 2] == 1
    assert channels.sum() == 1


PICTURE = Latent(torch.zeros(1, 16, 8, 6), FLUX_LATENT)
MISFITS: dict[str, tuple[str, Conditioning, str]] = {
    "no control picture": ("canny and depth", prompt(1), "a control picture"),
    "no mask": ("Fill", prompt(1, beside=PICTURE), "its mask"),
    "a picture too many": ("dev and Kontext", prompt(1, beside=PICTURE), "sees none"),
    "a picture of another size": (
        "canny and depth",
        prompt(1, beside=Latent(torch.zeros(1, 16, 8, 8), FLUX_LATENT)),
        "another size",
    ),
    "another pooling": ("schnell", prompt(1, pooled=41), "another family"),
    "no pooling": ("schnell", Conditioning((ConditioningEntry(torch.zeros(1, 7, 48)),)), "another family"),
    "other tokens": (
        "schnell",
        Conditioning((ConditioningEntry(torch.zeros(1, 7, 47), torch.zeros(1, 40)),)),
        "another family",
    ),
}


@pytest.mark.parametrize("name", MISFITS)
def test_what_does_not_fit_is_refused(name: str) -> None:
    network, conditioning, word = MISFITS[name]
    with pytest.raises(InputError) as refused:
        predicted(flux_of(network), conditioning, drawn(3, 1, 16, 8, 6))
    assert word in refused.value.describe()


def test_a_latent_of_another_family_is_refused() -> None:
    with pytest.raises(InputError, match="latent"):
        predicted(flux_of("schnell"), prompt(1), drawn(3, 1, 4, 8, 6))
