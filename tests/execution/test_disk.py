"""The disk tier: whole entries or none, within the limit, whatever happens to files and processes."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nodegraph import Latent
from nodegraph.codecs import builtin_codecs
from nodegraph.errors import DeclarationError, InputError
from nodegraph.execution.disk import DiskCache
from nodegraph_nodes.tensors import SafetensorsStore

KEYS = [f"{number:040x}" for number in range(8)]


def disk(folder: Path, limit: int = 10**6) -> DiskCache:
    return DiskCache(folder, limit, builtin_codecs(), SafetensorsStore)


def tensors() -> Mapping[str, Any]:
    latent = Latent(torch.arange(8.0).reshape(1, 2, 2, 2), batch_index=(3,))
    return {"latent": latent, "half": [torch.ones(3).bfloat16(), torch.zeros(0, 2)], "text": "a \ud800 é"}


def plain() -> Mapping[str, Any]:
    return {"number": 1.5, "list": [1, None, True, (2, "x")]}


def age(folder: Path, *keys: str) -> None:
    """Let the files have been used in this order."""
    for index, key in enumerate(keys):
        os.utime(folder / f"{key}.safetensors", (index, index))


def test_tensors_come_back_as_they_were(tmp_path: Path) -> None:
    made = tensors()
    disk(tmp_path).put(KEYS[0], made, 2.5, "sample")
    found = disk(tmp_path).get(KEYS[0])
    assert found is not None
    outputs, seconds = found
    assert seconds == 2.5
    assert torch.equal(outputs["latent"].samples, made["latent"].samples)
    assert outputs["latent"].batch_index == (3,)
    assert [tensor.dtype for tensor in outputs["half"]] == [torch.bfloat16, torch.float32]
    assert [list(tensor.shape) for tensor in outputs["half"]] == [[3], [0, 2]]
    assert outputs["text"] == made["text"]


def test_tensors_that_share_bytes_are_kept_each(tmp_path: Path) -> None:
    whole = torch.arange(12.0).reshape(3, 4)
    made = {
        "whole": whole,
        "turned": whole.t(),
        "row": whole[1],
        "again": whole,
        "every_other": whole[:, ::2],
    }
    disk(tmp_path).put(KEYS[0], made, 1.0, "x")
    found = disk(tmp_path).get(KEYS[0])
    assert found is not None
    assert all(torch.equal(found[0][name], made[name]) for name in made)


def test_plain_results_need_no_tensor_library(tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from nodegraph.codecs import builtin_codecs
from nodegraph.execution.disk import DiskCache
cache = DiskCache(Path({str(tmp_path)!r}), 10**6, builtin_codecs(), lambda: 1 / 0)
cache.put({KEYS[0]!r}, {plain()!r}, 1.0, "x")
assert cache.get({KEYS[0]!r}) == ({plain()!r}, 1.0)
assert len(cache.entries()) == 1
assert "torch" not in sys.modules and "safetensors" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    assert SafetensorsStore().read(tmp_path / f"{KEYS[0]}.safetensors")[0] == {}


@pytest.mark.parametrize("outputs", [tensors, plain])
@given(data=st.data())
@settings(max_examples=150)
def test_a_damaged_entry_is_a_miss(
    tmp_path: Path, outputs: Callable[[], Mapping[str, Any]], data: st.DataObject
) -> None:
    disk(tmp_path).put(KEYS[0], outputs(), 1.0, "x")
    path = tmp_path / f"{KEYS[0]}.safetensors"
    whole = bytearray(path.read_bytes())
    how = data.draw(st.sampled_from(["cut", "flip", "add", "zero"]))
    at = data.draw(st.integers(0, len(whole) - 1))
    if how == "cut":
        del whole[at:]
    elif how == "flip":
        whole[at] ^= 1 << data.draw(st.integers(0, 7))
    elif how == "add":
        whole += data.draw(st.binary(min_size=1, max_size=40))
    elif any(whole[at:]):
        whole[at:] = bytes(len(whole) - at)  # as after a power cut: the length is there, the bytes are not
    else:
        return
    path.write_bytes(whole)
    cache = disk(tmp_path)
    assert cache.get(KEYS[0]) is None
    assert KEYS[0] not in cache, "it would be planned for again"
    assert len(cache.entries()) == 1
    cache.put(KEYS[0], outputs(), 1.0, "x")
    assert KEYS[0] in cache
    assert cache.get(KEYS[0]) is not None


def test_foreign_files_are_misses(tmp_path: Path) -> None:
    header = b'{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'
    (tmp_path / f"{KEYS[0]}.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + b"!")
    (tmp_path / f"{KEYS[1]}.safetensors").write_bytes(b"")
    (tmp_path / f"{KEYS[2]}.safetensors").mkdir()
    cache = disk(tmp_path)
    disk(tmp_path).put(KEYS[3], plain(), 1.0, "x")
    (tmp_path / f"{KEYS[3]}.safetensors").rename(tmp_path / f"{KEYS[4]}.safetensors")  # another key's
    assert [cache.get(key) for key in KEYS] == [None] * 8
    assert [entry.readable for entry in cache.entries() if entry.key != KEYS[4]] == [False] * 2


def test_an_entry_of_another_format_is_a_miss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nodegraph.execution.disk.FORMAT", 0)
    disk(tmp_path).put(KEYS[0], plain(), 1.0, "x")
    assert disk(tmp_path).get(KEYS[0]) == (plain(), 1.0)
    monkeypatch.undo()
    assert disk(tmp_path).get(KEYS[0]) is None


def test_an_entry_of_a_class_that_is_gone_is_a_miss(tmp_path: Path) -> None:
    disk(tmp_path).put(KEYS[0], tensors(), 1.0, "x")
    cache = disk(tmp_path)
    cache._codecs = type(cache._codecs)([])
    assert cache.get(KEYS[0]) is None


def test_the_longest_unused_go_first(tmp_path: Path) -> None:
    disk(tmp_path).put(KEYS[0], plain(), 1.0, "x")
    size = disk(tmp_path).used
    cache = disk(tmp_path, 3 * size + size // 5)
    for key in KEYS[1:3]:
        cache.put(key, plain(), 1.0, "x")
    age(tmp_path, KEYS[2], KEYS[0], KEYS[1])
    assert cache.get(KEYS[2]) is not None  # now it is the youngest
    cache.put(KEYS[3], plain(), 1.0, "x")
    assert [key in cache for key in KEYS[:4]] == [False, True, True, True]
    assert cache.used <= cache.limit
    assert {entry.key for entry in cache.entries()} == set(KEYS[1:4])


def test_what_is_larger_than_the_limit_is_not_kept_and_evicts_nothing(tmp_path: Path) -> None:
    cache = disk(tmp_path, 600)
    cache.put(KEYS[0], plain(), 1.0, "x")
    cache.put(KEYS[1], {"text": "x" * 1000}, 1.0, "x")
    assert [key in cache for key in KEYS[:2]] == [True, False]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", ".turn", f"{KEYS[0]}.safetensors"]


def test_what_has_no_codec_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match="cannot cross an edge"):
        disk(tmp_path).put(KEYS[0], {"thing": object()}, 1.0, "x")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_is_an_error_to_writers_alone(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    cache = disk(tmp_path / "cache")
    assert cache.get(KEYS[0]) is None
    assert KEYS[0] not in cache
    with pytest.raises(InputError, match="cannot be written"):
        cache.put(KEYS[0], plain(), 1.0, "x")


def test_clearing_takes_entries_and_leaves_other_files(tmp_path: Path) -> None:
    cache = disk(tmp_path)
    assert disk(tmp_path / "nowhere").clear() == (0, 0)
    cache.put(KEYS[0], plain(), 1.0, "x")
    (tmp_path / "notes.txt").write_text("mine")
    size = cache.used
    assert cache.clear() == (1, size)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", ".turn", "notes.txt"]


KILLED = """
import os, signal, sys
from pathlib import Path
import torch
from nodegraph.codecs import builtin_codecs
from nodegraph.execution.disk import DiskCache
from nodegraph_nodes.tensors import SafetensorsStore

def die():
    os.kill(os.getpid(), signal.SIGKILL)

class Store(SafetensorsStore):
    def write(self, path, tensors, meta):
        super().write(path, tensors, meta)
        if sys.argv[2] == "half":
            with path.open("r+b") as file:
                file.truncate(path.stat().st_size // 2)
        if sys.argv[2] != "sealed":
            die()

class Cache(DiskCache):
    def _make_room(self, size):
        super()._make_room(size)
        die()  # sealed, and not yet renamed

Cache(Path(sys.argv[1]), 10**6, builtin_codecs(), Store).put("%s", {"x": torch.ones(1000)}, 1.0, "x")
"""


@pytest.mark.parametrize("moment", ["half", "unsealed", "sealed"])
def test_a_writer_that_is_killed_leaves_nothing_to_trip_over(tmp_path: Path, moment: str) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED % KEYS[0], tmp_path, moment], check=False)
    assert done.returncode == -signal.SIGKILL
    assert [path.name for path in tmp_path.glob(".*.part.safetensors")] != [], "it was killed too late"
    cache = disk(tmp_path)
    assert cache.get(KEYS[0]) is None
    assert cache.entries() == []
    cache.put(KEYS[0], plain(), 1.0, "x")  # the lock died with its holder
    assert cache.get(KEYS[0]) == (plain(), 1.0)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", ".turn", f"{KEYS[0]}.safetensors"]


WRITER = """
import sys
from pathlib import Path
from nodegraph.codecs import builtin_codecs
from nodegraph.execution.disk import DiskCache
cache = DiskCache(Path(sys.argv[1]), 4000, builtin_codecs(), lambda: 1 / 0)
for number in range(60):
    key = f"{number % 12:040x}"
    found = cache.get(key)
    assert found is None or found == ({"key": key, "fill": "x" * (number % 12 * 50)}, 1.0), found
    cache.put(key, {"key": key, "fill": "x" * (number % 12 * 50)}, 1.0, "x")
    assert cache.used <= 4000
"""


def test_processes_share_a_folder(tmp_path: Path) -> None:
    start = partial(
        subprocess.Popen, [sys.executable, "-c", WRITER, str(tmp_path)], stderr=subprocess.PIPE, text=True
    )
    for process in [start(), start(), start()]:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    cache = disk(tmp_path, 4000)
    assert all(cache.get(entry.key) is not None for entry in cache.entries())
