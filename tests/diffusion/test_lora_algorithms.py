"""Every algorithm of LoRA files: PEFT's layers where it has them, else the formula in float64."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from peft.utils import get_peft_model_state_dict
from safetensors.torch import save_file
from torch import Tensor, nn

from nodegraph.diffusion.loras import lora_delta
from nodegraph.errors import ModelFileError
from nodegraph.modelfiles.loras import match_lora
from nodegraph.modelfiles.safetensors_header import read_header

THEIRS: Any = peft  # it publishes no types for what is used here
TOLERANCE = 1e-5
STEM = "lora_te_x"
LINEAR, CONV, POINT = (12, 8), (12, 8, 3, 3), (12, 8, 1, 1)
SHAPES = [LINEAR, CONV, POINT]


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def delta_of(folder: Path, tensors: dict[str, Tensor], weight: Tensor) -> Tensor:
    """What the file with these tensors adds to the weight, through the header as for any file."""
    stored = {f"{STEM}.{name}": value.float().contiguous() for name, value in tensors.items()}
    path = folder / "l.safetensors"
    save_file(stored, path)
    match = match_lora(read_header(path), {"clip_l": {"x.weight": tuple(weight.shape)}}, family="sd1")
    assert match.unmatched == ()
    (layer,) = match.layers
    return lora_delta(layer, stored, weight.float())


def close(found: Tensor, expected: Tensor) -> None:
    assert found.shape == expected.shape
    error = (found.double() - expected.double()).norm() / expected.double().norm()
    assert float(error) <= TOLERANCE


def adapted(shape: tuple[int, ...], config: Any) -> tuple[nn.Module, dict[str, Tensor], Tensor, Tensor]:
    """One layer with a random adapter of PEFT's: merged, the file, the weight before and after."""
    torch.manual_seed(3)
    kernel = shape[2:]
    layer = nn.Conv2d(shape[1], shape[0], kernel[0]) if kernel else nn.Linear(shape[1], shape[0])
    model = THEIRS.get_peft_model(nn.Sequential(layer), config)
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            draw = torch.randn_like(parameter) * 0.3
            parameter.data = draw.abs() + 0.5 if "magnitude" in name else draw
    base = "base_model.model.0."
    state = {name.removeprefix(base): value for name, value in get_peft_model_state_dict(model).items()}
    before = layer.weight.detach().clone()
    merged = model.merge_and_unload()[0]
    return merged, state, before, merged.weight.detach()


KINDS: dict[str, Any] = {
    "LoHa": THEIRS.LoHaConfig(r=3, alpha=6, target_modules=["0"]),
    "LoHa, Tucker": THEIRS.LoHaConfig(r=3, alpha=6, target_modules=["0"], use_effective_conv2d=True),
    # PEFT scales by alpha / rank also where both factors are whole, LyCORIS does not: here it is 1.
    "LoKr": THEIRS.LoKrConfig(r=2, alpha=2, target_modules=["0"]),
    "LoKr, first factor decomposed": THEIRS.LoKrConfig(
        r=1, alpha=5, target_modules=["0"], decompose_both=True
    ),
    "LoKr, other factor": THEIRS.LoKrConfig(r=1, alpha=5, target_modules=["0"], decompose_factor=4),
    "LoKr, Tucker": THEIRS.LoKrConfig(r=1, alpha=5, target_modules=["0"], use_effective_conv2d=True),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", KINDS)
def test_hadamard_and_kronecker_products_are_pefts(tmp_path: Path, kind: str, shape: tuple[int, ...]) -> None:
    config = KINDS[kind]
    _, state, before, after = adapted(shape, config)
    close(delta_of(tmp_path, {**state, "alpha": torch.tensor(float(config.alpha))}, before), after - before)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dora", [False, True])
def test_lora_and_dora_are_pefts(tmp_path: Path, shape: tuple[int, ...], dora: bool) -> None:
    config = THEIRS.LoraConfig(r=3, lora_alpha=6, target_modules=["0"], use_dora=dora)
    _, state, before, after = adapted(shape, config)
    close(delta_of(tmp_path, {**state, "alpha": torch.tensor(6.0)}, before), after - before)


@pytest.mark.filterwarnings("ignore:Adapter:UserWarning")  # PEFT finds its own bias strange when it saves it
def test_a_bias_of_the_upper_matrix_goes_to_the_bias(tmp_path: Path) -> None:
    torch.manual_seed(3)
    config = THEIRS.LoraConfig(r=3, lora_alpha=6, target_modules=["0"], lora_bias=True)
    model = THEIRS.get_peft_model(nn.Sequential(nn.Linear(8, 12)), config)
    for parameter in model.parameters():
        parameter.data = torch.randn_like(parameter)
    base = "base_model.model.0."
    state = {name.removeprefix(base): value for name, value in get_peft_model_state_dict(model).items()}
    stored = {f"{STEM}.{name}": value.contiguous() for name, value in state.items()}
    stored[f"{STEM}.alpha"] = torch.tensor(6.0)
    save_file(stored, tmp_path / "l.safetensors")
    before = model.base_model.model[0].base_layer.bias.detach().clone()
    shapes = {"x.weight": LINEAR, "x.bias": (12,)}
    match = match_lora(read_header(tmp_path / "l.safetensors"), {"clip_l": shapes}, family="sd1")
    assert match.unmatched == ()
    (layer,) = (layer for layer in match.layers if layer.weight == "x.bias")
    after = model.merge_and_unload()[0].bias.detach()
    close(lora_delta(layer, stored, before), after - before)


@pytest.mark.parametrize("alpha", [None, 2.0])
def test_lora_in_tucker_form(tmp_path: Path, alpha: float | None) -> None:
    up, mid, down = drawn(1, 12, 4, 1, 1), drawn(2, 4, 4, 3, 3), drawn(3, 4, 8, 1, 1)
    tensors = {"lora_up.weight": up, "lora_mid.weight": mid, "lora_down.weight": down}
    if alpha is not None:
        tensors["alpha"] = torch.tensor(alpha)
    expected = torch.zeros(CONV, dtype=torch.float64)
    for row in range(3):
        for column in range(3):
            expected[..., row, column] = up[..., 0, 0] @ mid[..., row, column] @ down[..., 0, 0]
    close(delta_of(tmp_path, tensors, drawn(4, *CONV)), expected * (1.0 if alpha is None else alpha / 4))


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("second", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_kronecker_factors_whole_or_decomposed(
    tmp_path: Path, shape: tuple[int, ...], first: bool, second: bool
) -> None:
    """alpha / rank counts only where a factor is a product."""
    kernel = shape[2:]
    size = 9 if kernel == (3, 3) else 1
    w1, w2 = drawn(1, 3, 2), drawn(2, 4, 4, *kernel)
    tensors: dict[str, Tensor] = {"alpha": torch.tensor(6.0)}
    if first:
        tensors["lokr_w1"] = w1
    else:
        tensors |= {"lokr_w1_a": drawn(3, 3, 2), "lokr_w1_b": drawn(4, 2, 2)}
        w1 = tensors["lokr_w1_a"] @ tensors["lokr_w1_b"]
    if second:
        tensors["lokr_w2"] = w2
    else:
        tensors |= {"lokr_w2_a": drawn(5, 4, 2), "lokr_w2_b": drawn(6, 2, 4 * size)}
        w2 = (tensors["lokr_w2_a"] @ tensors["lokr_w2_b"]).reshape(w2.shape)
    scale = 1.0 if first and second else 6.0 / 2
    expected = torch.kron(w1.reshape(3, 2, *(1 for _ in kernel)), w2)
    close(delta_of(tmp_path, tensors, drawn(7, *shape)), scale * expected)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("transposed", [False, True])
def test_glora_mixes_the_inputs(tmp_path: Path, shape: tuple[int, ...], transposed: bool) -> None:
    """W·A + B, at every place of the kernel."""
    weight, rank = drawn(1, *shape), 3
    inputs = weight[0].numel()
    a = drawn(2, shape[1], rank), drawn(3, rank, shape[1])
    b = drawn(4, shape[0], rank), drawn(5, rank, inputs)
    names = ("a1", "a2", "b1", "b2") if transposed else ("a2", "a1", "b2", "b1")
    tensors = dict(zip((f"{name}.weight" for name in names), (*a, *b), strict=True))
    found = delta_of(tmp_path, {**tensors, "alpha": torch.tensor(1.5)}, weight)
    places = weight.flatten(2) if shape[2:] else weight[..., None]
    mixed = [places[..., index] @ (a[0] @ a[1]) for index in range(places.shape[2])]
    expected = torch.stack(mixed, dim=2).reshape(shape)
    expected += (b[0] @ b[1]).reshape(shape)
    close(found, 0.5 * expected)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("by_row", [True, False])
def test_dora_of_lycoris_has_lengths_of_rows_or_of_columns(
    tmp_path: Path, shape: tuple[int, ...], by_row: bool
) -> None:
    weight, up, down = drawn(1, *shape), drawn(2, 12, 3), drawn(3, 3, 8, *shape[2:])
    kernel = [1 for _ in shape[2:]]
    scale = drawn(4, 12, 1, *kernel).abs() if by_row else drawn(4, 1, 8, *kernel).abs()
    tensors = {
        "lora_up.weight": up.reshape(12, 3, *kernel),
        "lora_down.weight": down,
        "alpha": torch.tensor(6.0),
        "dora_scale": scale,
    }
    turned = weight + 2.0 * (up @ down.flatten(1)).reshape(shape)
    expected = turned.clone()
    for index in range(12 if by_row else 8):
        part = turned[index] if by_row else turned[:, index]
        length = part.flatten().norm()
        if by_row:
            expected[index] = part / length * scale.flatten()[index]
        else:
            expected[:, index] = part / length * scale.flatten()[index]
    close(delta_of(tmp_path, tensors, weight), expected - weight)


def test_a_square_weight_does_not_hide_what_dora_scales(tmp_path: Path) -> None:
    weight, up, down = drawn(1, 8, 8), drawn(2, 8, 2), drawn(3, 2, 8)
    scale = drawn(4, 8).abs()
    turned = weight + up @ down
    for shape, dim in (((8, 1), 1), ((1, 8), 0)):
        tensors = {"lora_up.weight": up, "lora_down.weight": down, "dora_scale": scale.reshape(shape)}
        expected = turned / turned.norm(dim=dim, keepdim=True) * scale.reshape(shape)
        close(delta_of(tmp_path, tensors, weight), expected - weight)


@pytest.mark.parametrize("shape", [*SHAPES, (12,)])
def test_whole_differences(tmp_path: Path, shape: tuple[int, ...]) -> None:
    difference = drawn(1, *shape)
    for name in ("diff", "w_norm"):
        close(delta_of(tmp_path, {name: difference}, drawn(2, *shape)), difference)


BROKEN: dict[str, tuple[dict[str, tuple[int, ...]], str, str]] = {
    "LoHa in part": ({"hada_w1_a": (12, 2), "hada_w1_b": (2, 8)}, "model_file_damaged", "hada_w2_a"),
    "LoKr in part": ({"lokr_w1": (3, 2)}, "model_file_damaged", "lokr_w2"),
    "LoKr of other factors": ({"lokr_w1": (3, 2), "lokr_w2": (4, 5)}, "lora_shape_mismatch", "4, 5"),
    "ranks that differ": (
        {"lora_up.weight": (12, 3), "lora_down.weight": (2, 8)},
        "lora_shape_mismatch",
        "12, 3",
    ),
    "a difference of another size": ({"diff": (12, 9)}, "lora_shape_mismatch", "12, 9"),
    "a scale of another size": (
        {"lora_up.weight": (12, 2), "lora_down.weight": (2, 8), "dora_scale": (5, 1)},
        "lora_shape_mismatch",
        "5, 1",
    ),
    "no dimensions": ({"lora_up.weight": (), "lora_down.weight": ()}, "lora_shape_mismatch", "up"),
    "GLoRA of one rank short": (
        {"a1.weight": (2, 8), "a2.weight": (8, 3), "b1.weight": (2, 8), "b2.weight": (12, 2)},
        "lora_shape_mismatch",
        "8, 3",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_makes_no_change_of_the_weight_is_named(tmp_path: Path, name: str) -> None:
    shapes, code, word = BROKEN[name]
    save_file(
        {f"{STEM}.{key}": torch.ones(shape) for key, shape in shapes.items()}, tmp_path / "l.safetensors"
    )
    with pytest.raises(ModelFileError, match=word) as caught:
        match_lora(read_header(tmp_path / "l.safetensors"), {"clip_l": {"x.weight": LINEAR}}, family="sd1")
    assert caught.value.problem.code == code
