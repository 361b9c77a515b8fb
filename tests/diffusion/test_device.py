"""Device and dtype by name, the execution profile, and previews."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from nodegraph import diffusion
from nodegraph.diffusion.device import choose_device, choose_precision, execution_profile
from nodegraph.diffusion.previews import fit_preview
from nodegraph.diffusion.store import Store
from nodegraph.errors import InputError
from nodegraph.values import SD1_LATENT
from tests.diffusion.small_models import Folder

CPU = torch.device("cpu")


def test_auto_takes_the_gpu_where_there_is_one() -> None:
    expected = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    assert choose_device("auto").type == expected
    assert choose_device("cpu") == CPU


@pytest.mark.parametrize("name", ["", "gpu", "cuda:", "cuda:x", "cuda:-1", "CPU", "cuda:99999"])
def test_an_unknown_device_is_named(name: str) -> None:
    with pytest.raises(InputError) as caught:
        choose_device(name)
    assert caught.value.problem.input == "device"


@pytest.mark.skipif(torch.cuda.is_available(), reason="asks for a GPU that is not there")
@pytest.mark.parametrize("name", ["cuda", "cuda:0", "cuda:7"])
def test_asking_for_a_gpu_that_is_not_there_is_an_error_not_a_fallback(name: str) -> None:
    with pytest.raises(InputError, match="CUDA") as caught:
        choose_device(name)
    assert caught.value.problem.code == "device_unavailable"


def test_dtypes() -> None:
    gpu = torch.device("cuda", 0)
    assert choose_precision("auto", CPU).denoiser is torch.float32
    assert choose_precision("auto", gpu).denoiser is torch.float16
    assert choose_precision("auto", gpu).vae is torch.float32
    assert choose_precision("float16", gpu).vae is torch.float32
    assert choose_precision("bfloat16", CPU).vae is torch.bfloat16
    with pytest.raises(InputError, match="float8"):
        choose_precision("float8", CPU)


def test_the_profile_names_what_decides_the_bits(folder: Folder) -> None:
    version = ".".join(torch.__version__.split(".")[:2])
    expected = f"cpu float32 float32 float32 sdpa torch{version}"
    assert execution_profile(CPU, choose_precision("auto", CPU)) == expected
    assert Store(folder, "cpu", "auto").profile == expected
    assert Store(folder, "cpu", "bfloat16").profile != expected


class LinearVae:
    """An autoencoder without a network: each latent cell is a square of one colour, linear in the cell."""

    factors = torch.tensor([[0.03, -0.02, 0.01], [0.0, 0.02, 0.02], [-0.01, 0.01, 0.03], [0.02, 0.02, 0.0]])
    bias = torch.tensor([0.5, 0.4, 0.6])

    def decode(self, samples: Tensor) -> Tensor:
        colours = torch.einsum("bchw,ck->bhwk", samples, self.factors) + self.bias
        return colours.repeat_interleave(8, dim=1).repeat_interleave(8, dim=2)

    def encode(self, pixels: Tensor) -> Tensor:
        inverse = torch.linalg.pinv(self.factors)
        return torch.einsum("bhwk,kc->bchw", pixels[:, ::8, ::8] - self.bias, inverse)


def test_the_preview_of_a_linear_autoencoder_is_exact() -> None:
    preview = fit_preview(LinearVae(), SD1_LATENT)
    assert torch.allclose(preview.factors, LinearVae.factors, atol=1e-4)
    assert torch.allclose(preview.bias, LinearVae.bias, atol=1e-4)
    samples = torch.randn(2, 4, 6, 5) * 3
    picture = preview(samples)
    assert picture.size == (5, 6)
    assert torch.allclose(picture.pixels, LinearVae().decode(samples)[:, ::8, ::8].clamp(0, 1), atol=1e-3)


def test_public_names_are_all_there() -> None:
    assert all(hasattr(diffusion, name) for name in diffusion.__all__)
    assert dir(diffusion) == sorted(diffusion.__all__)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = diffusion.nonsense
