"""What each family takes of its text encoders equals what diffusers' pipelines take, on small random ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
import transformers
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers
from torch import Tensor

from nodegraph.diffusion.store import Store
from nodegraph.diffusion.text.clip import ClipPart, load_clip
from nodegraph.diffusion.text.parts import Part, PromptEncoder
from nodegraph.diffusion.text.prompt import parse_prompt
from nodegraph.diffusion.text.t5 import T5Part, load_t5
from nodegraph.diffusion.text.t5_tokenizer import T5Tokenizer, read_t5_tokenizer
from nodegraph.diffusion.text.tokenizer import ClipTokenizer
from nodegraph.errors import InputError, ModelFileError
from nodegraph.modelfiles.configs import ClipTextConfig, T5Config
from nodegraph.modelfiles.families.family import Encoder
from nodegraph.modelfiles.families.flux import ENCODERS as FLUX
from nodegraph.modelfiles.families.sd3 import ENCODERS as SD3
from nodegraph.modelfiles.safetensors_header import Header
from nodegraph.modelfiles.shapes import t5_config
from nodegraph.values import ConditioningEntry, TextEncoder
from tests.diffusion.small_models import Folder, byte_vocabulary, randomise, tokenizer_metadata

THEIRS: Any = transformers  # neither library is typed throughout
PIPELINES: Any = diffusers
TOLERANCE = 1e-4
PROMPT = "a red circle on a blue background, red's edge"
NOWHERE = Header(Path("small.safetensors"), {})
VOCABULARY, MERGES = byte_vocabulary()
OURS = ClipTokenizer(VOCABULARY, MERGES)
SMALL_L = ClipTextConfig(vocabulary=520, width=32, layers=3, hidden=64)
SMALL_G = ClipTextConfig(
    vocabulary=520, width=64, layers=25, hidden=64, activation="gelu"
)  # more than 24 layers: told as bigG
SMALL_T5 = T5Config(vocabulary=64, width=128, layers=2, heads=4, head_width=8, hidden=96)


def clip_config(config: ClipTextConfig, projection: int) -> Any:
    return THEIRS.CLIPTextConfig(
        vocab_size=config.vocabulary, hidden_size=config.width, intermediate_size=config.hidden,
        num_hidden_layers=config.layers, num_attention_heads=4, hidden_act=config.activation,
        projection_dim=projection, bos_token_id=518, eos_token_id=519, pad_token_id=519,
    )  # fmt: skip


@pytest.fixture(scope="module")
def clip_l() -> Any:
    model = THEIRS.CLIPTextModelWithProjection(clip_config(SMALL_L, 32)).eval()
    randomise(model, 1)
    with torch.no_grad():
        model.text_projection.weight.copy_(torch.eye(32))  # as in files of SD 3
    return model


@pytest.fixture(scope="module")
def clip_g() -> Any:
    model = THEIRS.CLIPTextModelWithProjection(clip_config(SMALL_G, 48)).eval()
    randomise(model, 2)
    return model


@pytest.fixture(scope="module")
def t5() -> Any:
    config = THEIRS.T5Config(
        vocab_size=64, d_model=128, d_kv=8, d_ff=96, num_layers=2, num_heads=4, feed_forward_proj="gated-gelu"
    )
    model = THEIRS.T5EncoderModel(config).eval()
    randomise(model, 3)
    return model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CLIP's and T5's tokenizers on the disk."""
    place = tmp_path_factory.mktemp("tokenizers")
    metadata = tokenizer_metadata()
    (place / "vocab.json").write_text(metadata["tokenizer.vocab"])
    (place / "merges.txt").write_text(metadata["tokenizer.merges"])
    pieces = ["<pad>", "</s>", "<unk>", "▁", *"abcdefghijklmnopqrstuvwxyz,'.", "▁red", "▁a", "cir"]
    unigram = Tokenizer(models.Unigram([(piece, -1.0 - n / 99) for n, piece in enumerate(pieces)], 2, False))
    unigram.pre_tokenizer = pre_tokenizers.Metaspace()
    unigram.save(str(place / "tokenizer.json"))
    return place


def clip_tokenizer(folder: Path, pad: str) -> Any:
    return THEIRS.CLIPTokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt"), pad_token=pad, model_max_length=77
    )


def t5_tokenizer(folder: Path) -> Any:
    from tokenizers.processors import TemplateProcessing

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.post_processor = TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    special = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    return THEIRS.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special)


def part_of(model: Any, encoder: Encoder, config: ClipTextConfig) -> ClipPart:
    projected = encoder.pooled and encoder.component != "clip_l"
    loaded = load_clip(config, model.state_dict(), NOWHERE, projected=projected)
    return ClipPart(loaded, OURS, encoder, -1 - encoder.layer)


def of_t5(path: Path) -> T5Tokenizer:
    found = read_t5_tokenizer(path)
    assert found is not None
    return found


def t5_part(model: Any, folder: Path, length: int) -> T5Part:
    return T5Part(load_t5(SMALL_T5, model.state_dict(), NOWHERE), of_t5(folder / "tokenizer.json"), length)


def close(ours: Tensor | None, theirs: Tensor) -> None:
    assert ours is not None
    theirs = theirs.detach()
    assert ours.shape == theirs.shape
    assert float((ours - theirs).norm() / theirs.norm()) <= TOLERANCE


@pytest.fixture(autouse=True)
def _quiet() -> None:
    THEIRS.logging.set_verbosity_error()


def test_sd2_takes_the_layer_before_the_last_normalised_and_pads_with_zero(clip_g: Any, folder: Path) -> None:
    encoder = Encoder("clip_h", (), layer=-2, padding=0)
    entry = PromptEncoder([encoder], {"clip_h": part_of(clip_g, encoder, SMALL_G)}).encode(PROMPT)
    # diffusers keeps SD 2's encoder without its last layer and takes the normalised last state of that.
    shorter = THEIRS.CLIPTextModel(clip_config(replace(SMALL_G, layers=24), 48)).eval()
    shorter.load_state_dict(
        {name.removeprefix("text_model."): value for name, value in clip_g.state_dict().items()}, strict=False
    )
    padded = clip_tokenizer(folder, "!")(PROMPT, padding="max_length", max_length=77, return_tensors="pt")
    with torch.no_grad():
        close(entry.tokens, shorter(padded.input_ids).last_hidden_state)
    assert entry.pooled is None


def sdxl_pipeline(clip_l: Any, clip_g: Any, folder: Path) -> Any:
    plain = THEIRS.CLIPTextModel(clip_l.config).eval()
    bare = {
        name.removeprefix("text_model."): value
        for name, value in clip_l.state_dict().items()
        if "text_projection" not in name
    }
    plain.load_state_dict(bare)
    return PIPELINES.StableDiffusionXLPipeline(
        vae=None, text_encoder=plain, text_encoder_2=clip_g, unet=None, scheduler=None, add_watermarker=False,
        tokenizer=clip_tokenizer(folder, "<|endoftext|>"), tokenizer_2=clip_tokenizer(folder, "!"),
    )  # fmt: skip


def open_clip(model: Any) -> dict[str, Tensor]:
    """The tensors of a bigG under OpenCLIP's names: q, k and v in one, the projection transposed."""
    state = {name.removeprefix("text_model."): value for name, value in model.state_dict().items()}
    tensors = {
        "token_embedding.weight": state["embeddings.token_embedding.weight"],
        "positional_embedding": state["embeddings.position_embedding.weight"],
        "ln_final.weight": state["final_layer_norm.weight"],
        "ln_final.bias": state["final_layer_norm.bias"],
        "text_projection": state["text_projection.weight"].T,
        "logit_scale": torch.tensor(1.0),
    }
    names = {"ln_1": "layer_norm1", "ln_2": "layer_norm2", "mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2",
             "attn.out_proj": "self_attn.out_proj"}  # fmt: skip
    for layer in range(SMALL_G.layers):
        ours, theirs = f"transformer.resblocks.{layer}.", f"encoder.layers.{layer}."
        for kind in ("weight", "bias"):
            thirds = [state[f"{theirs}self_attn.{letter}_proj.{kind}"] for letter in "qkv"]
            tensors[f"{ours}attn.in_proj_{kind}"] = torch.cat(thirds)
            tensors |= {f"{ours}{a}.{kind}": state[f"{theirs}{b}.{kind}"] for a, b in names.items()}
    return tensors


def test_sdxl_from_a_file_equals_diffusers(clip_l: Any, clip_g: Any, folder: Path, tmp_path: Path) -> None:
    tensors = {
        f"conditioner.embedders.0.transformer.{name}": value
        for name, value in clip_l.state_dict().items()
        if "text_projection" not in name
    }
    tensors |= {f"conditioner.embedders.1.model.{name}": value for name, value in open_clip(clip_g).items()}
    path = tmp_path / "text.safetensors"
    save_file({name: value.contiguous() for name, value in tensors.items()}, path, tokenizer_metadata())
    files = Folder()
    store = Store(files, "cpu")
    with store.use(TextEncoder(files.add(path), "sdxl")) as live:
        entry = live.encode(PROMPT)
    tokens, _, pooled, _ = sdxl_pipeline(clip_l, clip_g, folder).encode_prompt(
        PROMPT, device="cpu", do_classifier_free_guidance=False
    )
    close(entry.tokens, tokens)
    close(entry.pooled, pooled)


def test_clip_skip_reaches_both_encoders_and_leaves_the_pooled_vector(
    clip_l: Any, clip_g: Any, folder: Path
) -> None:
    tokens, _, pooled, _ = sdxl_pipeline(clip_l, clip_g, folder).encode_prompt(
        PROMPT, device="cpu", do_classifier_free_guidance=False, clip_skip=1
    )
    left, right = Encoder("clip_l", (), final_norm=False), Encoder("clip_g", (), -1, False, True, 0)
    parts: dict[str, Part] = {
        "clip_l": ClipPart(load_clip(SMALL_L, clip_l.state_dict(), NOWHERE), OURS, left, 2),
        "clip_g": ClipPart(
            load_clip(SMALL_G, clip_g.state_dict(), NOWHERE, projected=True),
            OURS,
            right,
            2,
        ),
    }
    entry = PromptEncoder([left, right], parts).encode(PROMPT)
    close(entry.tokens, tokens)
    close(entry.pooled, pooled)


def sd3_entry(parts: dict[str, Part]) -> ConditioningEntry:
    return PromptEncoder(SD3, parts).encode(PROMPT)


@pytest.fixture
def sd3_parts(clip_l: Any, clip_g: Any, t5: Any, folder: Path) -> dict[str, Part]:
    return {
        "clip_l": part_of(clip_l, SD3[0], SMALL_L),
        "clip_g": part_of(clip_g, SD3[1], SMALL_G),
        "t5xxl": t5_part(t5, folder, SD3[2].length),
    }


def test_sd3_equals_diffusers(
    clip_l: Any, clip_g: Any, t5: Any, folder: Path, sd3_parts: dict[str, Part]
) -> None:
    pipeline = PIPELINES.StableDiffusion3Pipeline(
        transformer=None, scheduler=None, vae=None,
        text_encoder=clip_l, text_encoder_2=clip_g, text_encoder_3=t5,
        tokenizer=clip_tokenizer(folder, "<|endoftext|>"), tokenizer_2=clip_tokenizer(folder, "!"),
        tokenizer_3=t5_tokenizer(folder),
    )  # fmt: skip
    tokens, _, pooled, _ = pipeline.encode_prompt(
        PROMPT, None, None, do_classifier_free_guidance=False, device="cpu", max_sequence_length=77
    )
    entry = sd3_entry(sd3_parts)
    close(entry.tokens, tokens)
    close(entry.pooled, pooled)


def test_sd3_without_an_encoder_has_zeros_in_its_place(sd3_parts: dict[str, Part]) -> None:
    whole = sd3_entry(sd3_parts)
    without_t5 = sd3_entry({name: part for name, part in sd3_parts.items() if name != "t5xxl"})
    assert without_t5.tokens.shape == (1, 154, 4096)
    assert torch.equal(without_t5.tokens[:, :77, :96], whole.tokens[:, :77, :96])
    assert not without_t5.tokens[:, 77:].any()
    only_t5 = sd3_entry({"t5xxl": sd3_parts["t5xxl"]})
    assert only_t5.pooled is not None
    assert only_t5.pooled.shape == (1, 2048)
    assert not only_t5.pooled.any()
    assert not only_t5.tokens[:, :77].any()
    assert torch.equal(only_t5.tokens[:, 77:, :128], whole.tokens[:, 77:])


def test_flux_equals_diffusers(clip_l: Any, t5: Any, folder: Path) -> None:
    plain = sdxl_pipeline(clip_l, None, folder).text_encoder
    pipeline = PIPELINES.FluxPipeline(
        scheduler=None, vae=None, text_encoder=plain, tokenizer=clip_tokenizer(folder, "<|endoftext|>"),
        text_encoder_2=t5, tokenizer_2=t5_tokenizer(folder), transformer=None,
    )  # fmt: skip
    tokens, pooled, _ = pipeline.encode_prompt(PROMPT, None, device="cpu", max_sequence_length=256)
    parts: dict[str, Part] = {
        "clip_l": part_of(clip_l, FLUX[0], SMALL_L),
        "t5xxl": t5_part(t5, folder, FLUX[1].length),
    }
    entry = PromptEncoder(FLUX, parts).encode(PROMPT)
    close(entry.tokens, tokens)
    close(entry.pooled, pooled)


def test_weights_move_t5s_vectors_too(t5: Any, folder: Path) -> None:
    part = t5_part(t5, folder, 77)
    plain, empty, weighted = (part.encode(parse_prompt(text), {}).tokens for text in ("red", "", "(red:2)"))
    assert torch.allclose(weighted[:, 0], 2 * plain[:, 0] - empty[:, 0], atol=1e-4)
    assert torch.allclose(weighted[:, 5:], plain[:, 5:])


def test_t5s_shape_is_read_from_its_tensors(t5: Any) -> None:
    shapes = {name: tuple(tensor.shape) for name, tensor in t5.state_dict().items()}
    assert t5_config(shapes) == SMALL_T5


def test_full_size_t5_has_the_known_parameter_count() -> None:
    config = T5Config()
    per_layer = 4 * 4096 * 64 * 64 + 3 * 4096 * 10240 + 2 * 4096
    assert config.vocabulary * 4096 + config.layers * per_layer + 32 * 64 + 4096 == 4_762_310_656


def test_an_unknown_family_is_named(checkpoint: Path) -> None:
    files = Folder()
    with (
        pytest.raises(InputError, match="unknown"),
        Store(files, "cpu").use(TextEncoder(files.add(checkpoint), "sd99")),
    ):
        pass


def test_encoders_in_files_of_their_own_are_used_together(
    clip_l: Any, clip_g: Any, t5: Any, tmp_path: Path
) -> None:
    """Text encoders of SD 3, one a file, under bare Hugging Face names, in any order."""
    files = Folder()
    paths = []
    for name, model in (("t5", t5), ("l", clip_l), ("g", clip_g)):
        path = tmp_path / f"{name}.safetensors"
        tensors = {
            key: value.clone() for key, value in model.state_dict().items() if "embed_tokens" not in key
        }
        save_file(tensors, path, tokenizer_metadata())
        paths.append(files.add(path))
    recipe = TextEncoder(paths[1], "sd3", others=(paths[2],))
    with Store(files, "cpu").use(recipe) as live:
        entry = live.encode(PROMPT)
    parts: dict[str, Part] = {
        "clip_l": part_of(clip_l, SD3[0], SMALL_L),
        "clip_g": part_of(clip_g, SD3[1], SMALL_G),
    }
    expected = sd3_entry(parts)
    assert entry.pooled is not None
    assert expected.pooled is not None
    assert torch.equal(entry.tokens, expected.tokens)
    assert torch.equal(entry.pooled, expected.pooled)
    with pytest.raises(ModelFileError) as caught, Store(files, "cpu").use(TextEncoder(paths[0], "sdxl")):
        pass
    assert caught.value.problem.code == "model_component_missing"
