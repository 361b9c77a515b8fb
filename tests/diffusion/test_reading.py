"""Reading: peak memory near the size of what is read, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from nodegraph.diffusion.weights import MAPPED_BYTES, read_tensors
from nodegraph.modelfiles.safetensors_header import read_header
from nodegraph.modelfiles.sources import renamed

READ = """
import re, sys
from pathlib import Path
import torch
from nodegraph.diffusion.weights import read_tensors
from nodegraph.modelfiles.safetensors_header import read_header
from nodegraph.modelfiles.sources import renamed

def most() -> int:
    return int(re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024

small, large = (read_header(Path(path)) for path in sys.argv[1:3])
dtype = getattr(torch, sys.argv[3])
read_tensors(small, renamed({name: name for name in small.tensors}), torch.device("cpu"), dtype)
before = most()
tensors = read_tensors(large, renamed({name: name for name in large.tensors}), torch.device("cpu"), dtype)
print(most() - before, sum(tensor.nbytes for tensor in tensors.values()))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak from /proc")
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_reading_takes_hardly_more_memory_than_the_result(tmp_path: Path, dtype: str) -> None:
    tensors = {f"block.{index}": torch.ones(8 * 2**20, dtype=torch.float16) for index in range(20)}
    save_file(tensors, tmp_path / "large.safetensors")  # 320 MiB
    save_file({"a": torch.ones(4)}, tmp_path / "small.safetensors")
    paths = [str(tmp_path / name) for name in ("small.safetensors", "large.safetensors")]
    done = subprocess.run(
        [sys.executable, "-c", READ, *paths, dtype], capture_output=True, text=True, check=True
    )
    peak, size = map(int, done.stdout.split())
    assert size == sum(tensor.numel() for tensor in tensors.values()) * (2 if dtype == "float16" else 4)
    assert peak <= size + MAPPED_BYTES + 24 * 2**20


def test_parts_of_a_file_come_back_as_they_were_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nodegraph.diffusion.weights.MAPPED_BYTES", 100)  # many maps
    tensors = {f"t{index}": torch.randn(index + 1, 7) for index in range(12)}
    save_file(tensors, tmp_path / "file.safetensors")
    header = read_header(tmp_path / "file.safetensors")
    read = read_tensors(header, renamed({f"new {name}": name for name in tensors}), torch.device("cpu"))
    assert all(torch.equal(read[f"new {name}"], tensor) for name, tensor in tensors.items())
    assert len(read) == len(tensors)
