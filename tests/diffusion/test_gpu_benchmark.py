"""The GPU benchmark runs: small networks on the CPU take the way of the large ones."""

from __future__ import annotations

import importlib
import re

import pytest
import torch

from benchmarks import gpu
from benchmarks.__main__ import NOT_MEASURED, main
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


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("way", ["diffusers", "off", "channels-last", "compile"])
def test_it_measures(name: str, way: str) -> None:
    figures = gpu.measure(SMALL[name], way, CPU, steps=2, backend="eager")
    assert figures["steps"] > 0


@pytest.mark.parametrize("way", ["graphs", "compile,graphs"])
def test_what_ran_another_way_is_not_shown_as_captured(way: str) -> None:
    with pytest.raises(RuntimeError, match=f"'{way}' was not measured.*CUDA devices only"):
        gpu.measure(SMALL["sd15"], way, CPU, steps=1, backend="eager")


def test_the_whole_table_of_a_small_network(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gpu, "SMALL", {"sd35": SMALL["sd35"]})
    monkeypatch.setattr(gpu, "TITLES", {"diffusers": "diffusers", "off": "nodegraph"})
    assert gpu.run(large=False, small=True)
    assert re.search(r"small SD 3\.5 +\d+\.\d\d/s 0\.\d GB +\d+\.\d\d/s 0\.\d GB", capsys.readouterr().out)


def test_a_way_that_dies_is_said_to_have_failed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gpu, "SMALL", {"sd0": SMALL["sd15"]})  # the other process knows no such case
    monkeypatch.setattr(gpu, "TITLES", {"diffusers": "diffusers", "off": "nodegraph"})
    assert not gpu.run(large=False, small=True)
    shown = capsys.readouterr().out
    assert "sd0, off: KeyError: 'sd0'" in shown
    assert shown.splitlines()[-1].split() == ["small", "SD", "1.5", "failed", "failed"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA GPU")
def test_without_a_gpu_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["benchmarks", "gpu"])
    assert main() == NOT_MEASURED
    assert "nothing was measured: this needs a CUDA GPU, and there is none" in capsys.readouterr().err


def test_every_benchmark_that_is_offered_can_be_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["benchmarks", "gpu_models"])
    with pytest.raises(SystemExit):
        main()
    offered = capsys.readouterr().err.split("there is: ")[1].strip().split(", ")
    assert "gpu" in offered
    for name in offered:
        assert callable(importlib.import_module(f"benchmarks.{name}").run)


@pytest.mark.gpu
@pytest.mark.parametrize("way", gpu.TITLES)
def test_it_measures_a_gpu(way: str) -> None:
    figures = gpu.measure(SMALL["sd15"], way, torch.device("cuda"), steps=2)
    assert figures["memory"] > 0
