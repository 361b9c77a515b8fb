"""CLIP's text encoder, through transformers, shaped by the checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel

from nodegraph.diffusion.text.chunks import Token
from nodegraph.diffusion.text.prompt import parse_prompt
from nodegraph.diffusion.text.tokenizer import TextTokenizer
from nodegraph.diffusion.text.weighting import weigh
from nodegraph.diffusion.weights import assign
from nodegraph.errors import InputError
from nodegraph.modelfiles.configs import ClipTextConfig
from nodegraph.modelfiles.safetensors_header import Header
from nodegraph.values import ConditioningEntry

PREFIX = "text_model."


def build_clip(config: ClipTextConfig, layers_skipped: int = 0) -> CLIPTextModel:
    """An empty CLIP text model on the current default device, without its last `layers_skipped` layers.

    What "clip skip" takes is the output of an earlier layer followed by the final normalisation: exactly
    what a shorter encoder gives, and cheaper. InputError where nothing would be left.
    """
    if not 0 <= layers_skipped < config.layers:
        raise InputError(
            "the text encoder has not that many layers",
            input="layers_skipped",
            expected=f"0 to {config.layers - 1}",
            found=str(layers_skipped),
        )
    shape = replace(config, layers=config.layers - layers_skipped)
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=shape.vocabulary,
            hidden_size=shape.width,
            intermediate_size=shape.hidden,
            num_hidden_layers=shape.layers,
            num_attention_heads=config.heads,
            max_position_embeddings=shape.positions,
            hidden_act="quick_gelu",
            projection_dim=shape.width,
            # The class pools at the end token and rejects ids beyond the vocabulary; nothing here uses that.
            bos_token_id=shape.vocabulary - 2,
            eos_token_id=shape.vocabulary - 1,
            pad_token_id=shape.vocabulary - 1,
        )
    )


def load_clip(
    config: ClipTextConfig, tensors: Mapping[str, Tensor], header: Header, layers_skipped: int = 0
) -> CLIPTextModel:
    """A CLIP text model whose parameters are the tensors (`text_model.…`) themselves, not copies.

    ModelFileError where tensors are missing or have other shapes; those of skipped layers are left out.
    """
    with torch.device("meta"):
        model = build_clip(config, layers_skipped)
    if not any(name.startswith(PREFIX) for name in model.state_dict()):  # depends on transformers' version
        tensors = {name.removeprefix(PREFIX): tensor for name, tensor in tensors.items()}
    assign(model, tensors, header)
    device = next(model.parameters()).device
    for module in model.modules():
        buffer = module._buffers.get("position_ids")
        if buffer is not None:  # 0, 1, 2 …: a buffer that files need not hold, still on the meta device
            positions = torch.arange(buffer.shape[-1], device=device)[None]
            module.register_buffer("position_ids", positions, persistent=False)
    return model


class ClipTextEncoder:
    """A CLIP text model with its tokenizer: satisfies `nodegraph.runtime.LiveTextEncoder`."""

    def __init__(self, model: CLIPTextModel, tokenizer: TextTokenizer) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.frame = tokenizer.frame()

    def encode(self, text: str) -> ConditioningEntry:
        """The prompt's tokens [1, 77 n, D], float32 on the CPU: last hidden state, normalised.

        The text is read by the grammar of `prompt`. A long one is encoded in n chunks of 77 that are
        joined. On the CPU because values on edges are kept in caches, which must not hold a GPU's memory.
        """
        groups = [
            [Token(token, weight) for token in self.tokenizer.ids(stretch)]
            for stretch, weight in parse_prompt(text)
        ]
        return ConditioningEntry(self.encode_chunks(self.frame.chunks(groups)))

    @torch.no_grad()
    def encode_chunks(self, chunks: Sequence[Sequence[Token]]) -> Tensor:
        """Chunks, each 77 long -> [1, 77 n, D], weighted against the empty prompt."""
        if all(token.weight == 1.0 for chunk in chunks for token in chunk):
            return self._hidden(chunks).flatten(0, 1)[None]
        *hidden, empty = self._hidden([*chunks, self.frame.empty()])
        return torch.cat([weigh(tokens, empty, chunk) for tokens, chunk in zip(hidden, chunks, strict=True)])[
            None
        ]

    def _hidden(self, chunks: Sequence[Sequence[Token]]) -> Tensor:
        """[n, 77, D], float32 on the CPU."""
        ids = torch.tensor([[token.id for token in chunk] for chunk in chunks], device=self.model.device)
        hidden: Tensor = self.model(input_ids=ids).last_hidden_state
        return hidden.float().cpu()
