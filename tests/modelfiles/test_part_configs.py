"""Settings beside weights: those of the published models are agreed with, and each field can contradict."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nodegraph.errors import ModelFileError
from nodegraph.modelfiles.configs import ClipTextConfig, T5Config, UNetConfig, VaeConfig
from nodegraph.modelfiles.families.flux import FLUX_LATENT
from nodegraph.modelfiles.part_configs import check_part
from nodegraph.modelfiles.transformer_configs import FluxConfig, MMDiTConfig
from nodegraph.values import SD1_LATENT, SDXL_LATENT, LatentFormat

Settings = dict[str, object]
PUBLISHED: dict[str, tuple[object, Settings]] = {
    "SD 1.5 unet": (UNetConfig(), {
        "in_channels": 4, "out_channels": 4, "block_out_channels": [320, 640, 1280, 1280],
        "cross_attention_dim": 768, "layers_per_block": 2,
    }),
    "SD 1.5 vae": (VaeConfig(), {
        "in_channels": 3, "latent_channels": 4, "block_out_channels": [128, 256, 512, 512],
        "layers_per_block": 2,
    }),
    "SD 3 medium transformer": (MMDiTConfig(), {
        "in_channels": 16, "num_layers": 24, "num_attention_heads": 24, "joint_attention_dim": 4096,
        "pooled_projection_dim": 2048, "patch_size": 2, "pos_embed_max_size": 192,
    }),
    "FLUX.1 dev transformer": (FluxConfig(), {
        "in_channels": 64, "num_layers": 19, "num_single_layers": 38, "num_attention_heads": 24,
        "joint_attention_dim": 4096, "pooled_projection_dim": 768, "guidance_embeds": True,
    }),
    "CLIP-L": (ClipTextConfig(), {
        "vocab_size": 49408, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12,
        "intermediate_size": 3072,
    }),
    "T5-XXL": (T5Config(), {
        "vocab_size": 32128, "d_model": 4096, "num_layers": 24, "num_heads": 64, "d_kv": 64, "d_ff": 10240,
    }),
}  # fmt: skip
EACH_FIELD = [(name, field) for name, (_, settings) in PUBLISHED.items() for field in settings]


def beside(folder: Path, settings: object) -> Path:
    """Weights with these settings beside them."""
    (folder / "config.json").write_text(json.dumps(settings))
    return folder / "model.safetensors"


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_settings_agree(tmp_path: Path, name: str) -> None:
    net, settings = PUBLISHED[name]
    check_part(tmp_path / "model.safetensors", net)  # there need be none
    check_part(beside(tmp_path, {**settings, "unheard_of": 1}), net)
    check_part(beside(tmp_path, dict.fromkeys(settings)), net)  # null says nothing
    with pytest.raises(ModelFileError, match="no JSON object"):
        check_part(beside(tmp_path, []), net)


@pytest.mark.parametrize(("name", "field"), EACH_FIELD)
def test_each_field_can_contradict(tmp_path: Path, name: str, field: str) -> None:
    net, settings = PUBLISHED[name]
    value = settings[field]
    other = [*value, 7] if isinstance(value, list) else value is False or 12345
    with pytest.raises(ModelFileError, match=f"config.json.*'{field}'") as caught:
        check_part(beside(tmp_path, {**settings, field: other}), net)
    problem = caught.value.problem
    assert str(other) in (problem.expected or "")
    assert str(value) in (problem.found or "")


@pytest.mark.parametrize(
    ("latent", "settings", "field"),
    [
        (SD1_LATENT, {"scaling_factor": 0.18215}, None),
        (SD1_LATENT, {"scaling_factor": 0.13025}, "scaling_factor"),
        (SDXL_LATENT, {"scaling_factor": 0.13025, "shift_factor": None}, None),
        (SDXL_LATENT, {"scaling_factor": 0.13025, "shift_factor": 0.1}, "shift_factor"),
        (FLUX_LATENT, {"scaling_factor": 0.3611, "shift_factor": 0.1159}, None),
        (FLUX_LATENT, {"scaling_factor": 1.5305, "shift_factor": 0.0609}, "scaling_factor"),
        (None, {"scaling_factor": 7}, None),
    ],
)
def test_scale_and_shift_are_those_of_the_family(
    tmp_path: Path, latent: LatentFormat | None, settings: Settings, field: str | None
) -> None:
    weights = beside(tmp_path, settings)
    if field is None:
        check_part(weights, VaeConfig(), latent)
        return
    with pytest.raises(ModelFileError, match=field):
        check_part(weights, VaeConfig(), latent)
