"""T5's encoder, through transformers, shaped by the file; its tokenizer from a file that the user names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers import T5Config as TransformersConfig
from transformers import T5EncoderModel

from nodegraph.diffusion.text.chunks import Token
from nodegraph.diffusion.text.embeddings import Embedding, pieces
from nodegraph.diffusion.text.parts import Encoded
from nodegraph.diffusion.text.prompt import Weighted
from nodegraph.diffusion.text.weighting import weigh
from nodegraph.diffusion.weights import assign
from nodegraph.errors import ModelFileError
from nodegraph.modelfiles.configs import T5Config
from nodegraph.modelfiles.safetensors_header import Header

PAD, END = 0, 1
SHARED, TIED = "shared.weight", "encoder.embed_tokens.weight"
TOKENIZER_FILE = "tokenizer.json"


class T5Tokenizer:
    """Text to T5's ids, by a `tokenizer.json`. ModelFileError where that file cannot be used."""

    def __init__(self, path: Path) -> None:
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises nothing narrower
            raise ModelFileError(
                f"the tokenizer '{path}' cannot be used: {error}",
                code="tokenizer_damaged",
                remedy=f"Copy {TOKENIZER_FILE} again.",
            ) from error

    def ids(self, text: str) -> list[int]:
        """The ids of a text, without the end token."""
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids


def find_t5_tokenizer(header: Header, folders: Sequence[Path]) -> T5Tokenizer:
    """The `tokenizer.json` beside the file, in a diffusers folder around it, or in one of the folders.

    ModelFileError where there is none: it lists where it looked and says what to do.
    """
    here = header.path.parent
    names = ("tokenizer_2", "tokenizer_3")  # FLUX.1 and SD 3 in diffusers' layout
    places = [here, *(root / name for root in (here, here.parent) for name in names), *folders]
    for place in places:
        path = place / TOKENIZER_FILE
        if path.is_file():
            return T5Tokenizer(path)
    raise ModelFileError(
        f"{header.path} has no tokenizer for T5",
        code="tokenizer_missing",
        expected=f"T5's {TOKENIZER_FILE} in " + " or ".join(f"'{place}'" for place in places),
        remedy=f"Copy {TOKENIZER_FILE} from 'tokenizer_2' of a FLUX.1 or 'tokenizer_3' of an SD 3 download "
        f"in diffusers' layout to '{places[-1]}'.",
    )


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
