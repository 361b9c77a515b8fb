"""Stable Diffusion 1.x and its fine-tunes, and the embedded model: the same network in miniature."""

from __future__ import annotations

from nodegraph.modelfiles.families.family import Encoder, Family
from nodegraph.modelfiles.families.telling import tell
from nodegraph.modelfiles.shapes import Shapes, unet_config
from nodegraph.values import SD1_LATENT


def is_sd1(denoiser: Shapes) -> bool:
    """A UNet without class labels whose transformers begin with a 1x1 convolution, whatever its widths."""
    if "input_blocks.0.0.weight" not in denoiser or "label_emb.0.0.weight" in denoiser:
        return False
    projections = [shape for name, shape in denoiser.items() if name.endswith("1.proj_in.weight")]
    return all(len(shape) != 2 for shape in projections)


SD1 = Family(
    name="sd1",
    title="SD 1.x",
    detect=is_sd1,
    config=unet_config,
    network="nodegraph.diffusion.nets.unet:UNet",
    encoders=(Encoder("clip_l", ("cond_stage_model.transformer.",)),),
    latent=SD1_LATENT,
    tell=tell,
)
