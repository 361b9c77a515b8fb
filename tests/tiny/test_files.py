"""The files that the trainer writes are files that the product reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open

from nodegraph.diffusion.nets.unet import UNet
from nodegraph.modelfiles.families import inspect
from nodegraph.modelfiles.loras import match_lora
from nodegraph.modelfiles.safetensors_header import read_header
from nodegraph_nodes.tiny import __main__ as command
from nodegraph_nodes.tiny import edits, lora, sheet, weights
from nodegraph_nodes.tiny.nets import TinyModel, smoke_unet, text_vae_unet
from nodegraph_nodes.tiny.paint import Painter, Settings
from nodegraph_nodes.tiny.render import render
from nodegraph_nodes.tiny.scenes import sample_scene
from nodegraph_nodes.tiny.tokenizer import train_vocabulary, training_captions

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def model() -> TinyModel:
    torch.manual_seed(0)
    return TinyModel(train_vocabulary(training_captions(500)), *text_vae_unet(smoke_unet()))


@pytest.fixture(scope="module")
def path(model: TinyModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    weights.save_model(model, path, step=12)
    return path


def test_a_model_survives_its_file_up_to_float16(model: TinyModel, path: Path) -> None:
    loaded = weights.load_model(path)
    assert loaded.vocabulary == model.vocabulary
    assert loaded.unet.config == model.unet.config
    written, read = weights.tensors_of(model), weights.tensors_of(loaded)
    assert written.keys() == read.keys()
    for name, tensor in written.items():
        assert torch.equal(read[name], tensor.half().float() if tensor.is_floating_point() else tensor), name
    assert weights.step_of(path) == 12


def test_the_file_has_the_original_layout_and_says_what_it_predicts(path: Path) -> None:
    with safe_open(path, "pt") as file:
        names, metadata = set(file.keys()), file.metadata()
    assert "v_pred" in names
    assert metadata["prediction_type"] == "v"
    prefixes = ("model.diffusion_model.", "first_stage_model.", "cond_stage_model.transformer.text_model.")
    assert all(name.startswith(prefixes) for name in names - {"v_pred"})
    assert "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight" in names
    assert {"tokenizer.vocab", "tokenizer.merges", "card", "modelspec.title"} <= metadata.keys()


def test_the_product_recognises_the_file(path: Path) -> None:
    found = inspect(read_header(path))
    assert found.prediction == "v"
    assert found.nets["denoiser"] == smoke_unet()


def test_weights_that_float16_cannot_hold_are_refused(model: TinyModel, tmp_path: Path) -> None:
    bias = model.vae.quant_conv.bias
    assert bias is not None
    kept = bias.detach().clone()
    with torch.no_grad():
        bias[0] = 1e6
    with pytest.raises(ValueError, match=r"quant_conv\.bias"):
        weights.save_model(model, tmp_path / "broken.safetensors", step=0)
    with torch.no_grad():
        bias.copy_(kept)


def test_every_lora_tensor_finds_its_weight(model: TinyModel, path: Path, tmp_path: Path) -> None:
    unet = UNet(smoke_unet())
    unet.load_state_dict(model.unet.state_dict())
    layers = lora.attach(unet)
    target = tmp_path / "style.safetensors"
    lora.save(layers, unet, target, "neon")
    assert target.stat().st_size < 1_000_000
    match = match_lora(read_header(target), {"denoiser": _shapes(model.unet)})
    assert len(match.layers) == len(layers)
    assert not match.unmatched
    assert any(layer.weight.endswith("attn2.to_k.weight") for layer in match.layers)
    assert any(layer.weight.endswith("in_layers.2.weight") for layer in match.layers)


def test_a_lora_changes_nothing_at_first_and_comes_back_from_its_file(tmp_path: Path) -> None:
    torch.manual_seed(1)
    plain = UNet(smoke_unet())
    with torch.no_grad():
        for parameter in plain.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    adapted = UNet(smoke_unet())
    adapted.load_state_dict(plain.state_dict())
    layers = lora.attach(adapted)
    x, t, context = torch.randn(1, 4, 16, 16), torch.tensor([300.0]), torch.randn(1, 77, 128)
    with torch.no_grad():
        base = plain(x, t, context)
        assert torch.equal(adapted(x, t, context), base)
        for layer in layers.values():
            layer.up.weight.normal_(std=0.2)
        styled = adapted(x, t, context)
        assert not torch.allclose(styled, base, atol=1e-3)
        lora.save(layers, adapted, tmp_path / "style.safetensors", "neon")
        lora.set_strength(layers, 0.0)
        assert torch.allclose(adapted(x, t, context), base, atol=1e-6)
        again = UNet(smoke_unet())
        again.load_state_dict(plain.state_dict())
        lora.load(lora.attach(again), again, tmp_path / "style.safetensors")
        assert torch.allclose(again(x, t, context), styled, atol=2e-3)
    trained = {name for name, parameter in adapted.named_parameters() if parameter.requires_grad}
    assert trained
    assert all(".up." in name or ".down." in name for name in trained)


def test_a_painter_repeats_its_pictures(model: TinyModel) -> None:
    painter = Painter(model, Settings(steps=2))
    first = painter.paint("a red circle", 5)
    assert first.shape == (128, 128, 3)
    assert (first == painter.paint("a red circle", 5)).all()
    assert painter.seconds > 0


def test_edits_start_from_a_picture_and_keep_what_the_mask_keeps(model: TinyModel, tmp_path: Path) -> None:
    painter = Painter(model, Settings(steps=2))
    edits.draw_edits(painter, tmp_path)
    with Image.open(tmp_path / "image-to-image.png") as changed:
        assert changed.size == (6 * 130 - 2, 4 * 130 - 2)
    with Image.open(tmp_path / "inpainting.png") as painted:
        assert painted.size == (3 * 130 - 2, 4 * 130 - 2)
        row = np.asarray(painted)[130:258]
    assert (row[:, 130:194] == row[:, :64]).all()  # the left half of the second picture is no hole
    assert (row[:, 200:258] == 128).all()


def test_a_contact_sheet_keeps_every_picture(tmp_path: Path) -> None:
    pictures = [render(sample_scene(seed), side=32) for seed in range(5)]
    whole = sheet.contact_sheet(pictures, 3)
    assert whole.shape == (66, 100, 3)
    assert (whole[34:66, 34:66] == pictures[4]).all()
    sheet.save(whole, tmp_path / "sheets" / "sheet.png")
    assert (tmp_path / "sheets" / "sheet.png").read_bytes().startswith(b"\x89PNG")


def test_help_tells_the_whole_recipe(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([]) == 0
    text = capsys.readouterr().out
    assert all(stage in text for stage in (*command.ALL, *command.OTHERS, "--init", "--smoke"))


def test_an_unknown_stage_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["unett"])
    assert "unknown stage 'unett'" in capsys.readouterr().err


def _shapes(unet: UNet) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in unet.state_dict().items()}


@pytest.mark.full
def test_a_smoke_run_goes_through_every_stage(tmp_path: Path) -> None:
    assert command.main(["all", "--smoke", "--folder", str(tmp_path), "--processes", "2"]) == 0
    for name in ("tiny.safetensors", "tiny-neon.safetensors", "score.txt", "sheets/lora.png"):
        assert (tmp_path / name).stat().st_size > 0
    resumed = ["unpack", "latents", "unet", "export", "--smoke", "--folder", str(tmp_path / "more")]
    assert command.main([*resumed, "--init", str(tmp_path / "tiny.safetensors"), "--processes", "1"]) == 0
    assert weights.step_of(tmp_path / "more" / "tiny.safetensors") > weights.step_of(
        tmp_path / "tiny.safetensors"
    )
