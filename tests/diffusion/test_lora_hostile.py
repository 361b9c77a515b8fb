"""Whatever a LoRA file holds: it is refused in words, or what matches can be applied."""

from __future__ import annotations

from pathlib import Path

import torch
from hypothesis import given
from hypothesis import strategies as st

from nodegraph.diffusion.loras import lora_delta
from nodegraph.errors import ModelFileError
from nodegraph.modelfiles.loras import match_lora
from nodegraph.modelfiles.safetensors_header import Header, TensorInfo

LAYER = "text_model.encoder.layers.0."
MODEL = {
    "clip_h": {
        f"{LAYER}self_attn.q_proj.weight": (4, 4), f"{LAYER}self_attn.k_proj.weight": (4, 4),
        f"{LAYER}self_attn.v_proj.weight": (4, 4),
        f"{LAYER}mlp.fc1.weight": (6, 4), f"{LAYER}mlp.fc1.bias": (6,),
        "conv.weight": (4, 4, 3, 3), "norm.weight": (4,), "number.weight": (),
    },
}  # fmt: skip
STEMS = ("lora_te_text_model_encoder_layers_0_mlp_fc1", "lora_te_transformer_resblocks_0_attn_in_proj",
         "lora_te_conv", "lora_te_norm", "lora_te_number", "lora_te_elsewhere")  # fmt: skip
SHAPES = ((), (1,), (2,), (4,), (6,), (0, 4), (2, 4), (2, 2), (3, 2), (4, 2), (6, 2), (12, 2), (4, 4), (6, 4),
          (2, 2, 3, 3), (2, 4, 3, 3), (4, 2, 1, 1), (1, 4), (6, 1), (4, 4, 3, 3))  # fmt: skip
GROUPS = (
    ("lora_up.weight", "lora_down.weight", "alpha"),
    ("lora_up.weight", "lora_down.weight", "lora_mid.weight", "dora_scale"),
    ("lora_A.weight", "lora_B.weight", "lora_B.bias", "lora_magnitude_vector"),
    ("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "hada_t1", "hada_t2", "alpha"),
    ("lokr_w1", "lokr_w2_a", "lokr_w2_b", "lokr_t2", "alpha"),
    ("lokr_w1_a", "lokr_w1_b", "lokr_w2"),
    ("a1.weight", "a2.weight", "b1.weight", "b2.weight", "alpha"),
    ("diff", "diff_b"),
)


@st.composite
def files(draw: st.DrawFn) -> dict[str, tuple[int, ...]]:
    """Mostly the tensors of one algorithm, with shapes that may or may not fit."""
    shapes: dict[str, tuple[int, ...]] = {}
    for stem in draw(st.lists(st.sampled_from(STEMS), min_size=1, max_size=3)):
        for end in draw(st.sampled_from(GROUPS)):
            if draw(st.integers(0, 9)):
                shape = () if end == "alpha" and draw(st.booleans()) else draw(st.sampled_from(SHAPES))
                shapes[f"{stem}.{end}"] = shape
    return shapes


@given(files())
def test_a_file_is_refused_in_words_or_can_be_applied(shapes: dict[str, tuple[int, ...]]) -> None:
    header = Header(Path("l.safetensors"), {name: TensorInfo("F32", s, 0, 0) for name, s in shapes.items()})
    try:
        match = match_lora(header, MODEL, family="sd2")
    except ModelFileError:
        return
    tensors = {name: torch.ones(shape) for name, shape in shapes.items()}
    used = {name for layer in match.layers for name in layer.parts.values()}
    used |= {layer.alpha for layer in match.layers if isinstance(layer.alpha, str)}
    assert used | set(match.unmatched) >= {name for name in shapes if not name.endswith("alpha")}
    assert not {name for layer in match.layers for name in layer.parts.values()} & set(match.unmatched)
    for layer in match.layers:
        shape = MODEL[layer.component][layer.weight]
        assert lora_delta(layer, tensors, torch.ones(shape)).shape == shape
