"""CLIP's text encoders, through transformers, shaped by the checkpoint."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from nodegraph.diffusion.text.chunks import Token
from nodegraph.diffusion.text.embeddings import Embedding, pieces
from nodegraph.diffusion.text.parts import Encoded
from nodegraph.diffusion.text.prompt import Weighted
from nodegraph.diffusion.text.tokenizer import TextTokenizer
from nodegraph.diffusion.text.weighting import weigh
from nodegraph.diffusion.weights import assign
from nodegraph.errors import InputError
from nodegraph.modelfiles.configs import ClipTextConfig
from nodegraph.modelfiles.families.family import Encoder
from nodegraph.modelfiles.safetensors_header import Header

PREFIX = "text_model."
PROJECTION = "text_projection.weight"
CLIP_L = Encoder("clip_l", ())
"""What SD 1.x takes of CLIP-L: the last hidden state, normalised; padded with the end token."""


def build_clip(config: ClipTextConfig, layers_skipped: int = 0) -> CLIPTextModel:
    """An empty CLIP text model on the current default device, without its last `layers_skipped` layers.

    The output of an earlier layer is exactly what a shorter encoder gives, and cheaper. InputError where
    nothing would be left.
    """
    return CLIPTextModel(_configured(config, layers_skipped))


def load_clip(
    config: ClipTextConfig,
    tensors: Mapping[str, Tensor],
    header: Header,
    layers_skipped: int = 0,
    *,
    projected: bool = False,
) -> CLIPTextModel | CLIPTextModelWithProjection:
    """A CLIP text model whose parameters are the tensors (`text_model.…`) themselves, not copies.

    With `projected` also `text_projection.weight`. ModelFileError where tensors are missing or have other
    shapes; those of skipped layers are left out.
    """
    with torch.device("meta"):
        shape = _configured(config, layers_skipped)
        if projected and PROJECTION in tensors:
            shape.projection_dim = tensors[PROJECTION].shape[0]
        model = CLIPTextModelWithProjection(shape) if projected else CLIPTextModel(shape)
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


def _configured(config: ClipTextConfig, layers_skipped: int) -> CLIPTextConfig:
    check_skip(config, layers_skipped)
    shape = replace(config, layers=config.layers - layers_skipped)
    return CLIPTextConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.width,
        intermediate_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=config.heads,
        max_position_embeddings=shape.positions,
        hidden_act=config.activation,
        projection_dim=shape.width,
        # The class pools at the first end token and rejects ids beyond the vocabulary.
        bos_token_id=shape.vocabulary - 2,
        eos_token_id=shape.vocabulary - 1,
        pad_token_id=shape.vocabulary - 1,
    )


def check_skip(config: ClipTextConfig, layers_skipped: int) -> None:
    """InputError where an encoder has not so many layers that some would be left."""
    if not 0 <= layers_skipped < config.layers:
        raise InputError(
            "the text encoder has not that many layers",
            input="layers_skipped",
            expected=f"0 to {config.layers - 1}",
            found=str(layers_skipped),
        )


class ClipPart:
    """A CLIP text model with its tokenizer: satisfies `nodegraph.diffusion.text.parts.Part`."""

    def __init__(
        self,
        model: CLIPTextModel | CLIPTextModelWithProjection,
        tokenizer: TextTokenizer,
        encoder: Encoder = CLIP_L,
        layers_skipped: int = 0,
    ) -> None:
        """layers_skipped: of the layers that the model has, how many lie behind the hidden state to take."""
        self.model = model
        self.tokenizer = tokenizer
        self.encoder = encoder
        self.frame = tokenizer.frame(pad_with_end=encoder.padding is None)
        self._layer = -1 - layers_skipped
        self._lock = threading.Lock()  # while vectors stand in, nobody else may run the model

    def encode(self, stretches: Sequence[Weighted], embeddings: Mapping[str, Embedding]) -> Encoded:
        """Tokens [1, 77 n, D] and, if it is used, the pooled vector [1, P] of the first chunk."""
        groups = [
            self._group(text, name, stretch.weight, embeddings)
            for stretch in stretches
            for text, name in pieces(stretch.text, list(embeddings))
        ]
        return self.encode_chunks(self.frame.chunks(groups))

    def _group(
        self, text: str, name: str | None, weight: float, embeddings: Mapping[str, Embedding]
    ) -> list[Token]:
        if name is None:
            return [Token(token, weight) for token in self.tokenizer.ids(text)]
        width = self.model.config.hidden_size
        vectors = embeddings[name].vectors(self.encoder.component, width)
        return [Token(self.frame.start, weight, vector) for vector in vectors]

    @torch.no_grad()
    def encode_chunks(self, chunks: Sequence[Sequence[Token]]) -> Encoded:
        """Chunks, each 77 long, weighted against the empty prompt and joined."""
        weighted = any(token.weight != 1.0 for chunk in chunks for token in chunk)
        hidden, pooled = self._run([*chunks, self.frame.empty()] if weighted else chunks)
        if weighted:
            *vectors, empty = hidden
            moved = [weigh(tokens, empty, chunk) for tokens, chunk in zip(vectors, chunks, strict=True)]
            return Encoded(torch.cat(moved)[None], pooled)
        return Encoded(hidden.flatten(0, 1)[None], pooled)

    def _run(self, chunks: Sequence[Sequence[Token]]) -> tuple[Tensor, Tensor | None]:
        """[n, 77, D], float32 on the CPU, and the pooled vector of the first."""
        ids = torch.tensor([[token.id for token in chunk] for chunk in chunks], device=self.model.device)
        model = self.model
        text = model.text_model if isinstance(model, CLIPTextModelWithProjection) else model
        with self._lock, _standing_in(text.get_input_embeddings(), chunks):
            given = text(input_ids=ids, output_hidden_states=True)
        hidden: Tensor = given.hidden_states[self._layer]
        if self.encoder.final_norm:
            hidden = text.final_layer_norm(hidden)
        if not self.encoder.pooled:
            return hidden.float().cpu(), None
        pooled: Tensor = given.pooler_output[:1]
        if isinstance(model, CLIPTextModelWithProjection):
            pooled = model.text_projection(pooled)
        return hidden.float().cpu(), pooled.float().cpu()


@contextmanager
def _standing_in(words: nn.Module, chunks: Sequence[Sequence[Token]]) -> Iterator[None]:
    """Inside the `with`, vectors stand where the tokens of the chunks have them."""
    places = [
        (row, column, token.vector)
        for row, chunk in enumerate(chunks)
        for column, token in enumerate(chunk)
        if token.vector is not None
    ]
    if not places:
        yield
        return

    def replaced(_module: nn.Module, _ids: object, output: Tensor) -> Tensor:
        changed = output.clone()
        for row, column, vector in places:
            changed[row, column] = vector.to(output)
        return changed

    hook = words.register_forward_hook(replaced)
    try:
        yield
    finally:
        hook.remove()
