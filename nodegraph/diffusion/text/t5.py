"""T5's encoder, through transformers, shaped by the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from transformers import T5Config as TransformersConfig
from transformers import T5EncoderModel

from nodegraph.diffusion.text.chunks import Token
from nodegraph.diffusion.text.embeddings import Embedding, pieces
from nodegraph.diffusion.text.parts import Encoded
from nodegraph.diffusion.text.prompt import Weighted
from nodegraph.diffusion.text.t5_tokenizer import END, PAD, T5Tokenizer
from nodegraph.diffusion.text.weighting import weigh
from nodegraph.diffusion.weights import assign
from nodegraph.modelfiles.configs import T5Config
from nodegraph.modelfiles.safetensors_header import Header

SHARED, TIED = "shared.weight", "encoder.embed_tokens.weight"


def load_t5(config: T5Config, tensors: Mapping[str, Tensor], header: Header) -> T5EncoderModel:
    """T5's encoder whose parameters are the tensors themselves, not copies.

    Version 1.1: gated GELU, no biases, relative positions of the first layer for all (Raffel et al. 2020;
    Shazeer 2020). ModelFileError where tensors are missing or have other shapes.
    """
    with torch.device("meta"):
        model = T5EncoderModel(
            TransformersConfig(
                vocab_size=config.vocabulary,
                d_model=config.width,
                d_kv=config.head_width,
                d_ff=config.hidden,
                num_layers=config.layers,
                num_heads=config.heads,
                feed_forward_proj="gated-gelu",
                pad_token_id=PAD,
                eos_token_id=END,
            )
        )
    words = tensors.get(SHARED, tensors.get(TIED))
    if words is not None:  # files hold one of them, or both
        tensors = {**tensors, SHARED: words, TIED: words}
    return assign(model, tensors, header)


class T5Part:
    """T5's encoder with its tokenizer: satisfies `nodegraph.diffusion.text.parts.Part`."""

    def __init__(self, model: T5EncoderModel, tokenizer: T5Tokenizer, length: int = 77) -> None:
        """length: what shorter prompts are padded to; longer ones stay as long as they are."""
        self.model = model
        self.tokenizer = tokenizer
        self.length = length

    @torch.no_grad()
    def encode(self, stretches: Sequence[Weighted], embeddings: Mapping[str, Embedding]) -> Encoded:
        """The last hidden state [1,T,D], with the closing norm; the padding is attended to.

        Embeddings are learned for CLIP: T5 does without their words.
        """
        tokens = [
            Token(token, stretch.weight)
            for stretch in stretches
            for text, _ in pieces(stretch.text, list(embeddings))
            for token in self.tokenizer.ids(text)
        ]
        prompt = self._padded(tokens, self.length)
        if all(token.weight == 1.0 for token in tokens):
            return Encoded(self._run([prompt]))
        vectors, empty = self._run([prompt, self._padded([], len(prompt))])
        return Encoded(weigh(vectors, empty, prompt)[None])

    def _padded(self, tokens: Sequence[Token], length: int) -> list[Token]:
        ended = [*tokens, Token(END)]
        return [*ended, *[Token(PAD)] * (length - len(ended))]

    def _run(self, rows: Sequence[Sequence[Token]]) -> Tensor:
        ids = torch.tensor([[token.id for token in row] for row in rows], device=self.model.device)
        hidden: Tensor = self.model(input_ids=ids).last_hidden_state
        return hidden.float().cpu()
