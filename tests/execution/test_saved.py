"""The memory of saved files stays small, whoever writes to it and whenever one of them is killed."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

from nodegraph.execution.saved import SavedFiles
from nodegraph.runtime import Artifact

SMALL = 8
WRITER = """
import sys
from pathlib import Path
from nodegraph.execution.saved import SavedFiles
from nodegraph.runtime import Artifact

folder = Path(sys.argv[1])
saved = SavedFiles(folder / "memory", small=2)
gone = folder / "gone"
index = 0
while True:
    gone.write_text("x")
    saved.put(f"gone{index}", [Artifact(gone, "text/plain", 1)])
    gone.unlink()
    print(index, flush=True)
    index += 1
"""


def artifact(path: Path, content: str = "x") -> Artifact:
    path.write_text(content)
    return Artifact(path, "text/plain", len(content))


def lines_of(memory: Path) -> list[str]:
    return [line for line in memory.read_text().splitlines() if line]


def test_a_memory_that_is_no_longer_true_is_forgotten(tmp_path: Path) -> None:
    memory = tmp_path / "memory"
    saved = SavedFiles(memory, SMALL)
    kept = artifact(tmp_path / "kept")
    saved.put("kept", [kept])
    for index in range(100):
        passing = artifact(tmp_path / "passing", "x" * index)
        saved.put(f"passing{index}", [passing])  # the next one overwrites it
    assert len(lines_of(memory)) <= SMALL
    assert SavedFiles(memory, SMALL).get("kept") == [kept]
    assert "kept" in saved
    assert {path.name for path in tmp_path.iterdir()} - {".memory.lock"} == {"kept", "memory", "passing"}


def test_one_key_again_and_again_is_one_line(tmp_path: Path) -> None:
    memory = tmp_path / "memory"
    saved = SavedFiles(memory, SMALL)
    for index in range(100):
        saved.put("key", [artifact(tmp_path / "a", f"{index}")])
    assert len(lines_of(memory)) <= SMALL
    assert "key" in SavedFiles(memory, SMALL)


def test_a_memory_of_files_that_are_all_there_is_written_anew_only_when_it_has_doubled(
    tmp_path: Path,
) -> None:
    memory = tmp_path / "memory"
    inodes: list[int] = []
    for index in range(64):  # as many processes, one after the other
        SavedFiles(memory, SMALL).put(f"{index}", [artifact(tmp_path / f"file{index}")])
        if memory.stat().st_ino not in inodes[-1:]:
            inodes.append(memory.stat().st_ino)
    assert len(inodes) == 1 + 4  # at 8, 16, 32 and 64 lines
    assert len(lines_of(memory)) == 1 + 64
    later = SavedFiles(memory, SMALL)
    assert all(f"{index}" in later for index in range(64))


def test_a_process_that_read_the_long_log_adds_to_the_short_one(tmp_path: Path) -> None:
    memory = tmp_path / "memory"
    first = SavedFiles(memory, SMALL)
    for index in range(SMALL - 1):
        first.put("key", [artifact(tmp_path / "a", f"{index}")])
    second = SavedFiles(memory, SMALL)
    first.put("key", [artifact(tmp_path / "a", "last")])  # the log is written anew
    second.put("other", [artifact(tmp_path / "b")])
    found = SavedFiles(memory, SMALL)
    assert "key" in found
    assert "other" in found


def _save_many(folder: Path, worker: int, count: int) -> None:
    saved = SavedFiles(folder / "memory", small=4)
    for index in range(count):
        saved.put(f"{worker}.{index}", [artifact(folder / f"{worker}.{index}")])
        saved.put(f"{worker}.again", [artifact(folder / f"{worker}.again", f"{index}")])


def test_processes_that_write_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_save_many, args=(tmp_path, number, 40)) for number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    found = SavedFiles(tmp_path / "memory")
    assert all(f"{worker}.{index}" in found for worker in range(3) for index in range(40))
    assert all(f"{worker}.again" in found for worker in range(3))
    assert len(lines_of(tmp_path / "memory")) < 3 * 2 * 40
    assert all(json.loads(line) for line in lines_of(tmp_path / "memory"))


def test_a_killed_process_costs_nothing(tmp_path: Path) -> None:
    """A process that rewrites the log at every other line is killed again and again, wherever it is."""
    kept = artifact(tmp_path / "kept")
    SavedFiles(tmp_path / "memory").put("kept", [kept])
    for lines in range(1, 8):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, env=dict(os.environ)
        )
        assert process.stdout is not None
        for _ in range(lines):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert "kept" in SavedFiles(tmp_path / "memory")
        SavedFiles(tmp_path / "memory", 2).put("mine", [artifact(tmp_path / "mine")])
        assert "mine" in SavedFiles(tmp_path / "memory")
    assert len(lines_of(tmp_path / "memory")) <= 10
