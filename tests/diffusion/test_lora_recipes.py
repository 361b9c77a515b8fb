"""LoRAs as patches of recipes: each text encoder, each strength, several at once, streamed blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from torch import Tensor

from nodegraph.diffusion import patching
from nodegraph.diffusion.guidance import guided
from nodegraph.diffusion.nets.flux import Flux
from nodegraph.diffusion.patching import Bench, PatchKind
from nodegraph.diffusion.store import Store
from nodegraph.errors import ModelFileError
from nodegraph.modelfiles.families import inspect
from nodegraph.modelfiles.safetensors_header import read_header
from nodegraph.values import ConditioningEntry, Model, ModelFile, Patch, TextEncoder
from tests.diffusion.small_models import Folder, randomise, tokenizer_metadata
from tests.diffusion.test_text_encoders import SMALL_G, SMALL_L, clip_config
from tests.diffusion.test_transformer_families import prompt
from tests.diffusion.test_transformers import FLUXES, drawn

THEIRS: Any = transformers
PROMPT = "a red circle"
PREFIXES = {
    "sdxl": {"clip_l": "conditioner.embedders.0.transformer.", "clip_g": "conditioner.embedders.1.model."},
    "sd3": {"clip_l": "text_encoders.clip_l.transformer.", "clip_g": "text_encoders.clip_g.transformer."},
}
LAYER = "text_model.encoder.layers.1.self_attn.q_proj"
WIDTHS = {"clip_l": 32, "clip_g": 64}
KOHYA = {"clip_l": "lora_te1_", "clip_g": "lora_te2_"}
DIFFUSERS = {"clip_l": "text_encoder.", "clip_g": "text_encoder_2."}


def encoders() -> dict[str, Tensor]:
    """The tensors of a small CLIP-L and a small bigG: component / name."""
    tensors: dict[str, Tensor] = {}
    for seed, (part, config, projection) in enumerate((("clip_l", SMALL_L, 32), ("clip_g", SMALL_G, 48))):
        model = THEIRS.CLIPTextModelWithProjection(clip_config(config, projection))
        randomise(model, seed)
        tensors |= {f"{part}/{name}": value.clone() for name, value in model.state_dict().items()}
    return tensors


def text_file(
    folder: Folder, tmp_path: Path, family: str, tensors: Mapping[str, Tensor], name: str
) -> ModelFile:
    path = tmp_path / name
    stored = {}
    for key, value in tensors.items():
        part, _, rest = key.partition("/")
        if family != "sdxl" or part != "clip_l" or "projection" not in rest:
            stored[PREFIXES[family][part] + rest] = value
    save_file(stored, path, tokenizer_metadata())
    return folder.add(path)


def pair(stem: str, width: int, ends: tuple[str, str]) -> dict[str, Tensor]:
    return {stem + ends[0]: drawn(1, 2, width), stem + ends[1]: drawn(2, width, 2)}


def text_lora(part: str, spelling: str) -> dict[str, Tensor]:
    if spelling == "kohya":
        stem = KOHYA[part] + LAYER.replace(".", "_")
        return pair(stem, WIDTHS[part], (".lora_down.weight", ".lora_up.weight"))
    return pair(DIFFUSERS[part] + LAYER, WIDTHS[part], (".lora_A.weight", ".lora_B.weight"))


def written(
    folder: Folder, tmp_path: Path, tensors: dict[str, Tensor], name: str = "lora.safetensors"
) -> ModelFile:
    save_file(tensors, tmp_path / name)
    return folder.add(tmp_path / name)


def encoded(store: Store, recipe: TextEncoder) -> ConditioningEntry:
    with store.use(recipe) as live:
        return live.encode(PROMPT)


@pytest.mark.parametrize("spelling", ["kohya", "diffusers"])
@pytest.mark.parametrize("part", ["clip_l", "clip_g"])
@pytest.mark.parametrize("family", ["sdxl", "sd3"])
def test_each_text_encoder_gets_its_part_and_the_other_none(
    family: str, part: str, spelling: str, folder: Folder, tmp_path: Path
) -> None:
    """What is encoded is what encoders give that hold the changed weight from the start."""
    tensors, store = encoders(), Store(folder, "cpu")
    plain = TextEncoder(text_file(folder, tmp_path, family, tensors, "plain.safetensors"), family)
    lora = written(folder, tmp_path, text_lora(part, spelling))
    found = encoded(store, plain.patched(Patch.of("lora", file=lora.hash, strength=0.5)))

    down, up = drawn(1, 2, WIDTHS[part]).double(), drawn(2, WIDTHS[part], 2).double()
    key = f"{part}/{LAYER}.weight"
    tensors[key] = (tensors[key].double() + 0.5 * up @ down).float()
    merged = encoded(
        store, TextEncoder(text_file(folder, tmp_path, family, tensors, "merged.safetensors"), family)
    )
    assert torch.allclose(found.tokens, merged.tokens, atol=1e-4)
    assert found.pooled is not None
    assert merged.pooled is not None
    assert torch.allclose(found.pooled, merged.pooled, atol=1e-4)

    before = encoded(store, plain)
    theirs = slice(0, 32) if part == "clip_l" else slice(32, 96)
    others = slice(32, 96) if part == "clip_l" else slice(0, 32)
    assert torch.equal(found.tokens[..., others], before.tokens[..., others])
    assert not torch.allclose(found.tokens[..., theirs], before.tokens[..., theirs], atol=1e-2)


def test_encoders_that_a_lora_leaves_alone_are_shared(folder: Folder, tmp_path: Path) -> None:
    store = Store(folder, "cpu")
    plain = TextEncoder(text_file(folder, tmp_path, "sdxl", encoders(), "plain.safetensors"), "sdxl")
    lora = written(folder, tmp_path, text_lora("clip_l", "kohya"))
    encoded(store, plain)
    builds = store.counters()["builds"]
    encoded(store, plain.patched(Patch.of("lora", file=lora.hash, strength=1.0)))
    assert store.counters()["builds"] == builds + 1
    assert store.counters()["patched_tensors"] == 1


def test_encoders_in_files_of_their_own_are_reached(folder: Folder, tmp_path: Path) -> None:
    tensors, store = encoders(), Store(folder, "cpu")
    whole = TextEncoder(text_file(folder, tmp_path, "sd3", tensors, "whole.safetensors"), "sd3")
    files = []
    for part in ("clip_g", "clip_l"):
        path = tmp_path / f"{part}.safetensors"
        own = {key.partition("/")[2]: value for key, value in tensors.items() if key.startswith(part)}
        save_file(own, path, tokenizer_metadata())
        files.append(folder.add(path))
    split = TextEncoder(files[0], "sd3", others=(files[1],))
    for part in ("clip_l", "clip_g"):
        lora = written(folder, tmp_path, text_lora(part, "kohya"), f"lora for {part}.safetensors")
        patch = Patch.of("lora", file=lora.hash, strength=1.0)
        found, expected = encoded(store, split.patched(patch)), encoded(store, whole.patched(patch))
        assert torch.equal(found.tokens, expected.tokens)
        assert not torch.equal(found.tokens, encoded(store, split).tokens)


def test_a_lora_for_nothing_in_any_of_the_files_is_refused(folder: Folder, tmp_path: Path) -> None:
    plain = TextEncoder(text_file(folder, tmp_path, "sdxl", encoders(), "plain.safetensors"), "sdxl")
    lora = written(folder, tmp_path, pair("lora_unet_x", 8, (".lora_down.weight", ".lora_up.weight")))
    with pytest.raises(ModelFileError, match="fits nothing") as caught:
        encoded(Store(folder, "cpu"), plain.patched(Patch.of("lora", file=lora.hash, strength=1.0)))
    assert caught.value.problem.code == "patch_matches_nothing"


@pytest.fixture
def flux(folder: Folder, tmp_path: Path) -> Model:
    net = Flux(FLUXES["schnell"])
    randomise(net, 1)
    path = tmp_path / "flux.safetensors"
    save_file({f"model.diffusion_model.{key}": value for key, value in net.state_dict().items()}, path)
    found = inspect(read_header(path))
    return Model(
        folder.add(path), found.family, prediction=found.prediction, latent_format=found.latent_format,
        schedule=found.schedule,
    )  # fmt: skip


LINEAR1 = "single_blocks.0.linear1.weight"
HALVES = "final_layer.adaLN_modulation.1.weight"


@pytest.fixture
def lora(folder: Folder, tmp_path: Path) -> Callable[[int], ModelFile]:
    """A LoRA for two rows of a fused matrix, a LoHa beside it, and a layer of swapped halves."""

    def write(seed: int) -> ModelFile:
        place = "transformer.single_transformer_blocks.0."
        tensors = {
            f"{place}attn.to_v.lora_A.weight": drawn(seed, 3, 64),
            f"{place}attn.to_v.lora_B.weight": drawn(seed + 1, 64, 3),
            "transformer.norm_out.linear.diff": drawn(seed + 2, 128, 64),
        }
        for number, name in enumerate(("w1_a", "w1_b", "w2_a", "w2_b")):
            shape = (256, 2) if name.endswith("a") else (2, 64)
            tensors[f"{place}proj_mlp.hada_{name}"] = drawn(seed + 3 + number, *shape)
        return written(folder, tmp_path, tensors, f"lora {seed}.safetensors")

    return write


def weights_of(store: Store, recipe: Model) -> dict[str, Tensor]:
    with store.use(recipe) as live:
        network: torch.nn.Module = live.network  # type: ignore[attr-defined] # of FLUX.1's denoiser
        return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def on(recipe: Model, *loras: tuple[ModelFile, float]) -> Model:
    for file, strength in loras:
        recipe = recipe.patched(Patch.of("lora", file=file.hash, strength=strength))
    return recipe


def test_two_loras_add_up_in_any_order(flux: Model, lora: Callable[[int], ModelFile], folder: Folder) -> None:
    store, one, two = Store(folder, "cpu"), lora(10), lora(20)
    base = weights_of(store, flux)
    first, second = weights_of(store, on(flux, (one, 0.75))), weights_of(store, on(flux, (two, -0.5)))
    both = weights_of(store, on(flux, (one, 0.75), (two, -0.5)))
    turned = weights_of(store, on(flux, (two, -0.5), (one, 0.75)))
    changed = {name for name in base if not torch.equal(base[name], both[name])}
    assert changed == {LINEAR1, HALVES}
    for name in changed:
        total = base[name] + (first[name] - base[name]) + (second[name] - base[name])
        assert torch.allclose(both[name], total, atol=1e-5)
        assert torch.allclose(turned[name], total, atol=1e-5)


def test_the_strength_scales_what_the_file_says(
    flux: Model, lora: Callable[[int], ModelFile], folder: Folder
) -> None:
    """Rows of value and feed forward of linear1, and the halves of the last modulation, in closed form."""
    store, file = Store(folder, "cpu"), lora(10)
    base, tensors = weights_of(store, flux), load_file(folder.path(file))
    place = "transformer.single_transformer_blocks.0."
    loha = [tensors[f"{place}proj_mlp.hada_{name}"].double() for name in ("w1_a", "w1_b", "w2_a", "w2_b")]
    v = (
        tensors[f"{place}attn.to_v.lora_B.weight"].double()
        @ tensors[f"{place}attn.to_v.lora_A.weight"].double()
    )
    rows = torch.cat([torch.zeros(128, 64), v, (loha[0] @ loha[1]) * (loha[2] @ loha[3])])
    halves = tensors["transformer.norm_out.linear.diff"].double()
    swapped = torch.cat([halves[64:], halves[:64]])
    for strength in (1.0, -0.3, 0.0):
        found = weights_of(store, on(flux, (file, strength)))
        assert torch.allclose(found[LINEAR1].double(), base[LINEAR1] + strength * rows, atol=1e-5)
        assert torch.allclose(found[HALVES].double(), base[HALVES] + strength * swapped, atol=1e-5)
        if strength == 0:
            assert all(torch.equal(found[name], base[name]) for name in base)
    assert all(torch.equal(base[name], after) for name, after in weights_of(store, flux).items())


def test_streamed_blocks_are_changed_the_same(
    flux: Model, lora: Callable[[int], ModelFile], folder: Folder
) -> None:
    recipe, x = on(flux, (lora(10), 0.1)), drawn(3, 1, 16, 8, 6)

    def estimate(recipe: Model, budget: int | None) -> tuple[Tensor, int]:
        store = Store(folder, "cpu", "float32", budget)
        with store.use(recipe) as denoiser:
            x0 = guided(denoiser, prompt(1), prompt(1), 1.0, x)(x, torch.tensor(0.5))
        return x0, store.counters()["streamed_blocks"]

    whole, streamed = estimate(recipe, None)
    assert streamed == 0
    size = sum(info.end - info.begin for info in read_header(folder.path(flux.base)).tensors.values())
    tight, streamed = estimate(recipe, size * 3 // 4)
    assert streamed > 0
    assert torch.equal(whole, tight)
    assert not torch.allclose(whole, estimate(replace(recipe, patches=()), None)[0], atol=1e-3)


def test_weights_are_changed_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than a portion is there in float32 at once, and every patch sees what the earlier ones left."""
    monkeypatch.setattr(patching, "PORTION", 64)
    base = {f"w{n}": torch.full((16,), float(n), dtype=torch.float16) for n in range(5)} | {
        "large": torch.ones(100, dtype=torch.float16)
    }
    seen: list[tuple[str, ...]] = []

    def double(patch: Patch, bench: Bench) -> dict[str, Tensor]:
        seen.append(tuple(bench.weights))
        return {name: weight.float() * 2 for name, weight in bench.weights.items()}

    def bench(weights: Mapping[str, Tensor], wanted: Callable[[str], bool]) -> Bench:
        return Bench(weights, {}, lambda _hash: pytest.fail("no file is asked for"), wanted)

    kinds = {"double": PatchKind(denoiser=double)}
    twice = (Patch.of("double"), Patch.of("double"))
    found = patching.overlay(base, twice, "denoiser", kinds, bench)
    assert found.keys() == base.keys()
    assert all(torch.equal(found[name], base[name] * 4) for name in base)
    portions = [("w0", "w1"), ("w2", "w3"), ("w4",), ("large",)]
    assert [set(names) for names in seen] == [set(names) for names in portions for _ in twice]
