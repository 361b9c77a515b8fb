"""The model store: what is read and built how often, what is shared, and what has to go."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from nodegraph.diffusion.autoencoder import LiveAutoencoder
from nodegraph.diffusion.nets.vae import AutoencoderKL
from nodegraph.diffusion.patching import Bench, PatchKind
from nodegraph.diffusion.placement import ModelMemoryError
from nodegraph.diffusion.samplers import SAMPLERS
from nodegraph.diffusion.sampling import sample
from nodegraph.diffusion.schedulers import SCHEDULERS
from nodegraph.diffusion.store import PATCH_KINDS, Store
from nodegraph.diffusion.unet_denoiser import UNetDenoiser
from nodegraph.errors import InputError, ModelFileError
from nodegraph.runtime import ModelStore
from nodegraph.values import Conditioning, Latent, Model, Patch, TextEncoder, Vae
from tests.diffusion.small_models import VAE, Folder, randomise, tokenizer_metadata

WriteLora = Callable[..., Path]
STEM = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q"


def counts(store: Store, *names: str) -> tuple[int, ...]:
    counters = store.counters()
    return tuple(counters[name] for name in names)


def storages(live: object) -> set[int]:
    assert isinstance(live, UNetDenoiser)
    return {parameter.untyped_storage().data_ptr() for parameter in live.network.parameters()}


def test_a_component_is_read_and_built_once(checkpoint: Path, folder: Folder) -> None:
    store: ModelStore = Store(folder, "cpu")
    base = folder.add(checkpoint)
    for _ in range(3):
        with store.use(Model(base, "sd1")), store.use(Vae(base, "sd1")), store.use(TextEncoder(base, "sd1")):
            pass
    assert store.counters()["file_reads"] == 3
    assert store.counters()["builds"] == 3


def test_from_a_prompt_to_a_picture_and_a_new_seed_loads_nothing(checkpoint: Path, folder: Folder) -> None:
    store, base = Store(folder, "cpu"), folder.add(checkpoint)

    def picture(seed: int) -> torch.Tensor:
        with store.use(TextEncoder(base, "sd1")) as encoder:
            positive, negative = (Conditioning((encoder.encode(text),)) for text in ("a red circle", ""))
        with store.use(Model(base, "sd1")) as denoiser:
            latent = sample(
                denoiser, positive, negative, Latent(torch.zeros(1, 4, 4, 4)), seed=seed, steps=2, cfg=4.0,
                sampler=SAMPLERS["dpmpp_2m"], scheduler=SCHEDULERS["karras"],
            )  # fmt: skip
        with store.use(Vae(base, "sd1")) as vae:
            return vae.decode(latent.samples)

    first = picture(1)
    assert first.shape == (1, 32, 32, 3)
    before = store.counters()
    assert not torch.equal(first, picture(2))
    assert torch.equal(first, picture(1))
    assert store.counters() == before


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
def test_a_gpu_computes_what_the_cpu_computes(checkpoint: Path, folder: Folder) -> None:
    base = folder.add(checkpoint)
    x, sigma, tokens = torch.randn(2, 4, 8, 8), torch.tensor([0.5, 9.0]), torch.randn(2, 77, 32)
    with Store(folder, "cpu").use(Model(base, "sd1")) as live:
        expected = live.denoise(x, sigma, tokens)
    for dtype, tolerance in (("float32", 1e-3), ("auto", 2e-2), ("bfloat16", 5e-2)):
        with Store(folder, "cuda", dtype).use(Model(base, "sd1")) as live:
            found = live.denoise(x.cuda(), sigma.cuda(), tokens.cuda()).cpu()
        assert float((found - expected).norm() / expected.norm()) <= tolerance


def test_recipes_that_differ_in_patches_share_all_but_the_patched_tensors(
    checkpoint: Path, folder: Folder, write_lora: WriteLora
) -> None:
    store, base = Store(folder, "cpu"), folder.add(checkpoint)
    lora = folder.add(write_lora({STEM: (64, 64, None)}))
    model = Model(base, "sd1")
    patched = model.patched(Patch.of("lora", file=lora.hash, strength=1.0))
    with store.use(model) as plain, store.use(patched) as changed:
        own = storages(changed) - storages(plain)
        assert len(own) == 1
        assert len(storages(plain) & storages(changed)) == len(storages(plain)) - 1
    resident = {entry.what: entry for entry in store.explain()}
    assert resident["denoiser with 1 patch"].bytes == 64 * 64 * 4
    assert resident["denoiser"].bytes == 0
    reads = counts(store, "file_reads")
    with store.use(model.patched(Patch.of("lora", file=lora.hash, strength=0.5))):
        assert counts(store, "file_reads", "patched_tensors") == (*reads, 2)


def test_the_eps_and_v_denoisers_of_one_file_share_its_tensors(checkpoint: Path, folder: Folder) -> None:
    store, base = Store(folder, "cpu"), folder.add(checkpoint)
    with store.use(Model(base, "sd1")) as eps, store.use(Model(base, "sd1", prediction="v")) as velocity:
        assert storages(eps) == storages(velocity)
    assert counts(store, "file_reads", "builds") == (1, 2)


def test_explain_accounts_for_every_byte(checkpoint: Path, folder: Folder) -> None:
    store, base = Store(folder, "cpu"), folder.add(checkpoint)
    with store.use(Model(base, "sd1")) as live:
        entries = store.explain()
        assert sum(entry.bytes for entry in entries) == counts(store, "resident_bytes")[0]
        assert isinstance(live, UNetDenoiser)
        assert entries[0].bytes == sum(parameter.nbytes for parameter in live.network.parameters())
        assert {entry.owner for entry in entries} == {checkpoint.name}
        assert all(entry.reason == "in use by 1" for entry in entries)
    assert {entry.reason for entry in store.explain()} == {
        "shared by 1 loaded model",
        "kept for the next run",
    }


def test_the_budget_is_held_by_evicting_what_is_idle(checkpoint: Path, folder: Folder) -> None:
    base = folder.add(checkpoint)
    recipes: list[Any] = [
        Model(base, "sd1"),
        Vae(base, "sd1"),
        TextEncoder(base, "sd1"),
    ]  # `use` is overloaded
    measure = Store(folder, "cpu")
    sizes = []
    for recipe in recipes:
        before = counts(measure, "resident_bytes")[0]
        with measure.use(recipe):
            sizes.append(counts(measure, "resident_bytes")[0] - before)
    budget = max(sizes) + min(sizes) // 2
    store = Store(folder, "cpu", budget_bytes=budget)
    for recipe in (*recipes, *recipes):
        with store.use(recipe):
            assert counts(store, "resident_bytes")[0] <= budget
    assert counts(store, "evictions")[0] > 0


def test_what_is_in_use_or_pinned_is_never_evicted(checkpoint: Path, folder: Folder) -> None:
    base = folder.add(checkpoint)
    measure = Store(folder, "cpu")
    with measure.use(Model(base, "sd1")):
        size = counts(measure, "resident_bytes")[0]
    store = Store(folder, "cpu", budget_bytes=size)
    with store.use(Model(base, "sd1")) as live:
        with pytest.raises(ModelMemoryError) as caught, store.use(Vae(base, "sd1")):
            pass
        assert caught.value.available == 0 < caught.value.needed
        with store.use(Model(base, "sd1")) as again:
            assert again is live
        live.denoise(torch.zeros(1, 4, 8, 8), torch.ones(1), torch.zeros(1, 3, 32))
    store.pin(Model(base, "sd1"))
    with pytest.raises(ModelMemoryError, match="pinned"), store.use(Vae(base, "sd1")):
        pass
    assert [entry.reason for entry in store.explain() if not entry.bytes] == ["pinned"]
    store.unpin(Model(base, "sd1"))
    with store.use(Vae(base, "sd1")):
        assert counts(store, "resident_bytes")[0] <= size
    with store.use(Model(base, "sd1")) as rebuilt:
        assert rebuilt is not live


def test_threads_that_ask_at_once_build_once(checkpoint: Path, folder: Folder) -> None:
    store, base = Store(folder, "cpu"), folder.add(checkpoint)
    seen: list[object] = []
    barrier = threading.Barrier(8)

    def ask() -> None:
        barrier.wait()
        with store.use(Model(base, "sd1")) as live:
            seen.append(live)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(live) for live in seen}) == 1
    assert counts(store, "file_reads", "builds") == (1, 1)


def test_threads_under_a_small_budget_always_get_a_working_model(checkpoint: Path, folder: Folder) -> None:
    base = folder.add(checkpoint)
    store = Store(folder, "cpu", budget_bytes=1_000_000)
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(6):
                if (number + turn) % 2:
                    with store.use(Vae(base, "sd1")) as vae:
                        assert vae.decode(torch.zeros(1, 4, 1, 1)).shape == (1, 8, 8, 3)
                else:
                    with store.use(Model(base, "sd1")) as model:
                        model.denoise(torch.zeros(1, 4, 4, 4), torch.ones(1), torch.zeros(1, 3, 32))
        except BaseException as error:  # noqa: BLE001 - handed to the test, which fails on any
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_a_failed_build_reaches_everyone_who_waits_and_leaves_nothing(
    checkpoint: Path, folder: Folder
) -> None:
    started = threading.Event()

    def fail(patch: Patch, bench: Bench) -> dict[str, torch.Tensor]:
        started.set()
        time.sleep(0.05)
        raise InputError("on purpose")

    store = Store(folder, "cpu", patch_kinds={"fail": PatchKind(denoiser=fail)})
    recipe = Model(folder.add(checkpoint), "sd1").patched(Patch.of("fail"))
    errors: list[str] = []

    def ask() -> None:
        try:
            with store.use(recipe):
                pass
        except InputError as error:
            errors.append(error.describe())

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == ["on purpose."] * 3
    assert all(entry.users == 0 for entry in store.explain())
    assert [entry.what for entry in store.explain()] == ["denoiser weights, float32"]


def test_a_plugin_adds_a_patch_kind_through_the_table(checkpoint: Path, folder: Folder) -> None:
    def negate(patch: Patch, bench: Bench) -> dict[str, torch.Tensor]:
        return {name: -bench.weights[name] for name in bench.weights if name.startswith("out.2")}

    store = Store(folder, "cpu", patch_kinds={**PATCH_KINDS, "negate": PatchKind(denoiser=negate)})
    model = Model(folder.add(checkpoint), "sd1")
    with store.use(model) as plain, store.use(model.patched(Patch.of("negate"))) as negated:
        assert isinstance(plain, UNetDenoiser)
        assert isinstance(negated, UNetDenoiser)
        x, t, tokens = torch.randn(1, 4, 8, 8), torch.tensor([5.0]), torch.randn(1, 3, 32)
        assert torch.allclose(plain.network(x, t, tokens), -negated.network(x, t, tokens))
    with (
        pytest.raises(InputError, match="text encoder"),
        store.use(TextEncoder(model.base, "sd1").patched(Patch.of("negate"))),
    ):
        pass


def test_a_lora_on_an_autoencoder_is_an_error(checkpoint: Path, folder: Folder) -> None:
    recipe = Vae(folder.add(checkpoint), "sd1", (Patch.of("lora", file="x", strength=1.0),))
    with pytest.raises(InputError, match="autoencoder") as caught, Store(folder, "cpu").use(recipe):
        pass
    assert caught.value.problem.code == "patch_target"


def test_an_unknown_patch_kind_is_named(checkpoint: Path, folder: Folder) -> None:
    store = Store(folder, "cpu")
    recipe = Model(folder.add(checkpoint), "sd1").patched(Patch.of("hypertile", size=4))
    with pytest.raises(InputError, match="hypertile") as caught, store.use(recipe):
        pass
    assert caught.value.problem.code == "unknown_patch"


def test_a_file_that_lacks_the_component_or_the_family_is_an_error(
    checkpoint: Path, folder: Folder, tmp_path: Path
) -> None:
    tensors = {name: value for name, value in load_file(checkpoint).items() if name.startswith("first_stage")}
    save_file(tensors, tmp_path / "vae.safetensors")
    store, vae = Store(folder, "cpu"), folder.add(tmp_path / "vae.safetensors")
    with store.use(Vae(vae, "sd1")):
        pass
    with pytest.raises(ModelFileError, match="no denoiser"), store.use(Model(vae, "sd1")):
        pass
    with pytest.raises(ModelFileError, match="sdxl"), store.use(Vae(folder.add(checkpoint), "sdxl")):
        pass


def test_a_checkpoint_that_lacks_a_tensor_names_it(checkpoint: Path, folder: Folder, tmp_path: Path) -> None:
    tensors = load_file(checkpoint)
    del tensors["model.diffusion_model.middle_block.0.out_layers.3.bias"]
    save_file(tensors, tmp_path / "torn.safetensors", tokenizer_metadata())
    store = Store(folder, "cpu")
    with (
        pytest.raises(ModelFileError, match=r"middle_block\.0\.out_layers\.3\.bias"),
        store.use(Model(folder.add(tmp_path / "torn.safetensors"), "sd1")),
    ):
        pass


def test_half_precision_files_compute_in_the_chosen_dtype(
    checkpoint: Path, folder: Folder, tmp_path: Path
) -> None:
    save_file(
        {name: value.half() for name, value in load_file(checkpoint).items()}, tmp_path / "half.safetensors"
    )
    base = folder.add(tmp_path / "half.safetensors")
    x, sigma, tokens = torch.randn(1, 4, 8, 8), torch.ones(1), torch.randn(1, 3, 32)
    results = {}
    for dtype, expected in (("auto", torch.float32), ("bfloat16", torch.bfloat16)):
        with Store(folder, "cpu", dtype).use(Model(base, "sd1")) as live:
            assert isinstance(live, UNetDenoiser)
            assert {parameter.dtype for parameter in live.network.parameters()} == {expected}
            results[dtype] = live.denoise(x, sigma, tokens)
            assert results[dtype].dtype == torch.float32
    error = (results["auto"] - results["bfloat16"]).norm() / results["auto"].norm()
    assert float(error) < 0.05


def test_deleting_the_file_does_not_disturb_what_is_loaded(
    checkpoint: Path, folder: Folder, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(checkpoint.read_bytes())
    store, base = Store(folder, "cpu"), folder.add(copy)
    with store.use(Vae(base, "sd1")) as vae:
        before = vae.decode(torch.ones(1, 4, 2, 2))
        copy.write_bytes(b"")
        assert torch.equal(vae.decode(torch.ones(1, 4, 2, 2)), before)


def test_the_autoencoder_takes_and_gives_pictures(checkpoint: Path, folder: Folder) -> None:
    store = Store(folder, "cpu")
    pixels = torch.rand(2, 16, 24, 3)
    with store.use(Vae(folder.add(checkpoint), "sd1")) as vae:
        samples = vae.encode(pixels)
        assert samples.shape == (2, 4, 2, 3)
        decoded = vae.decode(samples)
        assert decoded.shape == pixels.shape
        assert 0 <= float(decoded.min()) <= float(decoded.max()) <= 1
        for bad in (torch.rand(1, 15, 24, 3), torch.rand(1, 16, 24, 4)):
            with pytest.raises(InputError):
                vae.encode(bad)
        with pytest.raises(InputError, match="channels"):
            vae.decode(torch.zeros(1, 16, 2, 2))


def test_the_autoencoder_scales_pixels_to_the_range_of_the_network() -> None:
    network = AutoencoderKL(VAE).eval()
    randomise(network, 2)
    live = LiveAutoencoder(network)
    pixels = torch.rand(1, 8, 8, 3)
    with torch.no_grad():
        mean = network.encode(pixels.permute(0, 3, 1, 2) * 2 - 1).mean
        picture = network.decode(mean)
    assert torch.equal(live.encode(pixels), mean)
    assert torch.allclose(live.decode(mean), ((picture + 1) / 2).clamp(0, 1).permute(0, 2, 3, 1))
