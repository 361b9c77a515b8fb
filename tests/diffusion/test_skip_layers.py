"""Skipped layers of the real transformers: SD 3's against diffusers', FLUX.1's one by one."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from nodegraph.diffusion.guidance.patches import chosen_blocks
from nodegraph.diffusion.guidance.weaken import skipped
from nodegraph.diffusion.nets.flux import Flux
from nodegraph.errors import InputError
from tests.diffusion.small_models import randomise
from tests.diffusion.test_transformers import (
    MMDITS,
    SMALL_FLUX,
    TOLERANCE,
    drawn,
    relative_error,
    small_mmdit,
)


@pytest.mark.parametrize("layers", ["1", "0, 1"])
@pytest.mark.parametrize("name", MMDITS)
def test_sd3_without_layers_is_that_of_diffusers(name: str, layers: str) -> None:
    ours, theirs = small_mmdit(MMDITS[name])
    x, tokens, pooled = drawn(1, 2, 16, 8, 8), drawn(2, 2, 5, 48), drawn(3, 2, 40)
    times = torch.tensor([300.0, 700.0])
    with torch.no_grad():
        expected = theirs(
            x, tokens, pooled, times,
            skip_layers=[int(layer) for layer in layers.split(",")], return_dict=False,
        )[0]  # fmt: skip
        whole = ours(x, times, tokens, pooled)
        with skipped(chosen_blocks(ours, layers)):
            made = ours(x, times, tokens, pooled)
        assert torch.equal(ours(x, times, tokens, pooled), whole)
    assert relative_error(made, expected) <= TOLERANCE
    assert relative_error(made, whole) > 0.01


def test_flux_without_all_its_layers_is_its_ends() -> None:
    """Without any block the output depends on nothing but the patch itself, the time and the pooled text."""
    network = Flux(SMALL_FLUX).eval()
    randomise(network, 4)
    x, pooled = drawn(1, 1, 16, 4, 4), drawn(3, 1, 40)
    time, scale = torch.tensor([0.5]), torch.tensor([3.5])

    def run(tokens: Tensor) -> Tensor:
        with torch.no_grad():
            made: Tensor = network(x, time, tokens, pooled, scale)
        return made

    one, two = drawn(5, 1, 6, 48), drawn(6, 1, 6, 48)
    assert not torch.allclose(run(one), run(two))
    with skipped(chosen_blocks(network, "0, 1", "0, 1")):
        assert torch.allclose(run(one), run(two))
    with skipped(chosen_blocks(network, "1", "0")):
        assert not torch.allclose(run(one), run(two))
    with pytest.raises(InputError, match="0 to 1"):
        chosen_blocks(network, "", "2")
