"""The GPU benchmark runs: small networks on the CPU take the way of the large ones."""

from __future__ import annotations

import pytest
import torch

from benchmarks import gpu
from benchmarks.gpu_models import CASES, SMALL, our_network, their_step

CPU = torch.device("cpu")


@pytest.mark.parametrize("name", SMALL)
def test_both_networks_of_a_case_make_a_step_of_one_shape(name: str) -> None:
    case = SMALL[name]
    network, arguments = our_network(case, CPU)
    with torch.no_grad():
        ours, theirs = network(*arguments), their_step(case, CPU)()
    assert ours.numel() == theirs.numel()
    assert ours.dtype == theirs.dtype == torch.float32


@pytest.mark.parametrize("name", CASES)
def test_the_full_size_networks_are_as_large_as_diffusers(name: str) -> None:
    case = CASES[name]
    ours = our_network(case, torch.device("meta"))[0]
    sizes = {"sd15": 859_520_964, "sdxl": 2_567_463_684, "sd35": 8_056_627_520, "flux": 11_901_408_320}
    assert sum(parameter.numel() for parameter in ours.parameters()) == sizes[name]


@pytest.mark.parametrize("way", ["diffusers", "off"])
def test_it_measures(way: str) -> None:
    figures = gpu.measure(SMALL["sd15"], way, CPU, steps=2)
    assert figures["steps"] > 0


def test_what_ran_eagerly_is_not_shown_as_accelerated() -> None:
    with pytest.raises(RuntimeError, match="'graphs' was not measured"):
        gpu.measure(SMALL["sd15"], "graphs", CPU, steps=1)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA GPU")
def test_without_a_gpu_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert gpu.run(large=False)
    assert "needs a CUDA GPU" in capsys.readouterr().out
