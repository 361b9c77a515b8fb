"""The three networks of the tiny model: a Stable Diffusion 1.x in miniature, in the original key layout.

Only the widths differ from SD 1.x. Text is 77 tokens, attention has 8 heads in the UNet at every level, and
latents have 4 channels at an eighth of the picture's side.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from nodegraph.diffusion.nets.unet import UNet
from nodegraph.diffusion.nets.vae import AutoencoderKL
from nodegraph.modelfiles.configs import ClipTextConfig, UNetConfig, VaeConfig
from nodegraph_nodes.tiny.tokenizer import CONTEXT_LENGTH, VOCABULARY_SIZE, CaptionTokenizer, Vocabulary

if TYPE_CHECKING:
    from transformers import CLIPTextModel

#: SD 1.x multiplies latents by this constant; training folds the latents' own scale into the autoencoder so
#: that the same constant gives them unit variance.
LATENT_SCALE = 0.18215

#: Side of a latent in cells: a 128-pixel picture through an autoencoder that halves three times.
LATENT_SIDE = 16

TEXT = ClipTextConfig(vocabulary=VOCABULARY_SIZE, positions=CONTEXT_LENGTH, width=128, layers=3, hidden=512)
VAE = VaeConfig(base_channels=16, channels=(16, 32, 64, 128), res_blocks=1)
UNET = UNetConfig(
    model_channels=128,
    channels=(128, 128, 128),
    res_blocks=1,
    depths=(0, 1, 1),
    context_dim=TEXT.width,
    time_dim=512,
)


class TextEncoder(nn.Module):
    """CLIP's text transformer from ``transformers``; its state dict has the keys of an SD 1.x file."""

    def __init__(self, config: ClipTextConfig = TEXT) -> None:
        from transformers import CLIPTextConfig, CLIPTextModel

        super().__init__()
        self.config = config
        self.transformer: CLIPTextModel = CLIPTextModel(
            CLIPTextConfig(
                vocab_size=config.vocabulary,
                hidden_size=config.width,
                intermediate_size=config.hidden,
                num_hidden_layers=config.layers,
                num_attention_heads=config.heads,
                max_position_embeddings=config.positions,
                hidden_act="quick_gelu",
                projection_dim=config.width,
                bos_token_id=config.vocabulary - 2,
                eos_token_id=config.vocabulary - 1,
                pad_token_id=config.vocabulary - 1,
            )
        )

    def forward(self, ids: Tensor) -> Tensor:
        """ids [B,T] -> the last layer's normalised states [B,T,width]."""
        states: Tensor = self.transformer(input_ids=ids).last_hidden_state
        return states


@dataclass(slots=True)
class TinyModel:
    """A loaded model, ready to train or to sample from."""

    vocabulary: Vocabulary
    text: TextEncoder
    vae: AutoencoderKL
    unet: UNet

    @property
    def tokenizer(self) -> CaptionTokenizer:
        """A tokenizer of the model's own vocabulary."""
        return CaptionTokenizer(self.vocabulary)


def text_vae_unet(unet: UNetConfig = UNET) -> tuple[TextEncoder, AutoencoderKL, UNet]:
    """Untrained networks."""
    return TextEncoder(), AutoencoderKL(VAE), UNet(unet)


def smoke_unet() -> UNetConfig:
    """A UNet narrow enough for a smoke run."""
    return replace(UNET, model_channels=32, channels=(32, 64, 64), time_dim=128)


def tokens(tokenizer: CaptionTokenizer, texts: list[str]) -> Tensor:
    """Padded ids of texts: int64 [B,77]."""
    return torch.tensor([tokenizer(text) for text in texts], dtype=torch.int64)
