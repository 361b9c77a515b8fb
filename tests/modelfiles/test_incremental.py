"""The index stays true while files come, change and go, and reads again only what changed."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodegraph.modelfiles.index import FileIndex
from nodegraph.modelfiles.scanning import Entry, list_folder
from nodegraph.values import ModelFile

KIND = "loras"
LONG_AGO = 1_000_000_000 * 10**9


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def age(root: Path) -> None:
    """Make every folder old, as folders are that nobody touched for a while."""
    for folder, _, _ in os.walk(root):
        os.utime(folder, ns=(LONG_AGO, LONG_AGO))


def index_of(*roots: Path, memory: Path | None = None, **options: Any) -> FileIndex:
    return FileIndex({KIND: list(roots)}, memory, **options)


def write(root: Path, name: str, content: bytes) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def names(index: FileIndex) -> list[str]:
    index.refresh()
    return [entry.name for entry in index.entries(KIND)]


_places = st.sampled_from(
    [f"{folder}{name}.safetensors" for folder in ("", "a/", "a/b/", "c/") for name in "xyz"]
)
_kinds = st.sampled_from(["write", "remove", "move", "scan", "restart"])
_steps = st.lists(st.tuples(_kinds, _places, _places, st.binary(max_size=3)), max_size=25)


@settings(max_examples=25, deadline=None)
@given(_steps)
def test_after_any_changes_the_index_holds_what_is_there_and_hashes_each_state_once(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str, str, bytes]]
) -> None:
    root = tmp_path_factory.mktemp("root")
    memory = root.with_name(f"{root.name}.sqlite")
    index = index_of(root, memory=memory)
    hashed = 0
    stamps = set()
    for step, name, other, content in steps:
        path = root / name
        if step == "write":
            write(root, name, content)
        elif step == "remove":
            path.unlink(missing_ok=True)
        elif step == "move" and path.exists():
            (root / other).parent.mkdir(parents=True, exist_ok=True)
            path.replace(root / other)
        else:
            if step == "restart":
                hashed += index.hashed
                index = index_of(root, memory=memory)
            there = {str(file.relative_to(root)): file for file in root.rglob("*.safetensors")}
            assert names(index) == sorted(there)
            for name_, file in there.items():
                status = file.stat()
                stamps.add((status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns))
                assert index.ensure(KIND, name_) == digest(file.read_bytes())
    assert hashed + index.hashed == len(stamps)


def test_an_unchanged_tree_is_not_listed_again_and_a_changed_folder_alone_is(tmp_path: Path) -> None:
    root = tmp_path / "root"
    for folder in range(10):
        for file in range(3):
            write(root, f"d{folder}/{file}.safetensors", b"x")
    age(root)
    index = index_of(root, memory=tmp_path / "memory")
    assert len(names(index)) == 30
    assert index.counters.listed == 11
    assert len(names(index)) == 30
    assert index.counters.listed == 11
    write(root, "d3/new.safetensors", b"y")
    assert len(names(index)) == 31
    assert index.counters.listed == 12
    later = index_of(root, memory=tmp_path / "memory")
    assert len(names(later)) == 31
    assert later.counters.listed == 1  # d3 was changed a moment ago: it is not trusted yet


def test_an_index_that_keeps_nothing_is_incremental_too(tmp_path: Path) -> None:
    write(tmp_path, "a/one.safetensors", b"1")
    age(tmp_path)
    index = index_of(tmp_path)
    assert names(index) == names(index) == ["a/one.safetensors"]
    assert index.counters.listed == 2


def test_looking_makes_no_data_directory_and_a_later_one_gets_the_listing(tmp_path: Path) -> None:
    root, data = tmp_path / "root", tmp_path / "data"
    write(root, "one.safetensors", b"1")
    age(root)
    index = index_of(root, memory=data / "index")
    assert names(index) == ["one.safetensors"]
    assert not data.exists()
    data.mkdir()
    names(index)
    later = index_of(root, memory=data / "index")
    assert names(later) == ["one.safetensors"]
    assert later.counters.listed == 0


def test_a_folder_changed_a_moment_ago_is_not_trusted(tmp_path: Path) -> None:
    """A second change within one step of the file system's clock leaves the same time behind."""
    write(tmp_path, "one.safetensors", b"1")
    index = index_of(tmp_path)
    before = tmp_path.stat()
    assert names(index) == ["one.safetensors"]
    write(tmp_path, "two.safetensors", b"2")
    os.utime(tmp_path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert names(index) == ["one.safetensors", "two.safetensors"]


def test_loops_of_links_end_and_a_real_name_wins_over_a_link(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(root, "real/one.safetensors", b"1")
    (root / "a-link").symlink_to(root / "real")
    (root / "real" / "up").symlink_to(root)
    (root / "real" / "self").symlink_to(root / "real" / "self")
    index = index_of(root)
    assert names(index) == ["real/one.safetensors"]
    assert index.counters.listed == 2


def test_a_link_that_leads_nowhere_counts_when_its_target_comes(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "far.safetensors").symlink_to(tmp_path / "disk" / "far.safetensors")
    (root / "more").symlink_to(tmp_path / "disk" / "more")
    age(root)
    index = index_of(root)
    assert names(index) == []
    write(tmp_path / "disk", "far.safetensors", b"1")
    write(tmp_path / "disk", "more/deep.safetensors", b"2")
    assert names(index) == ["far.safetensors", "more/deep.safetensors"]


def test_equal_files_and_links_to_one_file_are_one_content(tmp_path: Path) -> None:
    write(tmp_path, "one.safetensors", b"same")
    (tmp_path / "link.safetensors").symlink_to(tmp_path / "one.safetensors")
    os.link(tmp_path / "one.safetensors", tmp_path / "hard.safetensors")
    index = index_of(tmp_path)
    for name in names(index):
        assert index.ensure(KIND, name) == digest(b"same")
    assert index.hashed == 1


def test_a_file_is_found_by_its_content_under_another_name_reading_only_files_of_its_size(
    tmp_path: Path,
) -> None:
    write(tmp_path, "moved/renamed.safetensors", b"content")
    write(tmp_path, "longer.safetensors", b"longer content")
    index = index_of(tmp_path)
    assert index.find_hash(KIND, digest(b"content"), 7) == "moved/renamed.safetensors"
    assert index.hashed == 1
    assert index.find_hash(KIND, digest(b"content")) == "moved/renamed.safetensors"
    assert index.find_hash(KIND, digest(b"something"), 9) is None
    assert index.hashed == 1


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where the system has such: some disks take a millisecond for each file."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder with a name of its own is made there
    usable = memory.is_dir() and os.access(memory, os.W_OK)
    with tempfile.TemporaryDirectory(dir=memory if usable else tmp_path) as folder:
        yield Path(folder)


def test_listing_20000_files_waits_for_no_disk(tmp_path: Path, quick: Path) -> None:
    root = quick / "root"
    for folder in range(20):
        (root / f"{folder}").mkdir(parents=True)
        for file in range(1000):
            (root / f"{folder}" / f"{file}.safetensors").touch()
    index = index_of(root, memory=tmp_path / "memory")
    index.refresh()
    assert (index.counters.listed, index.counters.checked) == (21, 20_000)
    gate = threading.Event()

    def slow(path: str) -> list[Entry]:
        gate.wait(60)
        return list_folder(path)

    later = index_of(root, memory=tmp_path / "memory", lister=slow, patience=0)
    assert len(later.names(KIND)) == 20_000
    assert later.has(KIND, "7/7.safetensors")
    assert (later.counters.scans, later.counters.hashed) == (0, 0)
    gate.set()
    later.close()


@pytest.fixture
def watched(tmp_path: Path) -> Callable[[], FileIndex]:
    return lambda: index_of(tmp_path / "root", memory=tmp_path / "memory")


def wait_until(true: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(3000):
        if true():
            return
        pause.wait(0.01)
    raise AssertionError("it never came")


def test_watching_finds_hashes_and_forgets_without_being_asked(
    tmp_path: Path, watched: Callable[[], FileIndex]
) -> None:
    root = tmp_path / "root"
    write(root, "one.safetensors", b"1")
    index = watched()
    index.watch(interval=0.02)
    wait_until(lambda: [entry.hash for entry in index.entries(KIND)] == [digest(b"1")])
    assert index.path(ModelFile(digest(b"1"))) == root / "one.safetensors"
    write(root, "one.safetensors", b"changed")
    write(root, "two.safetensors", b"2")
    wait_until(lambda: [entry.hash for entry in index.entries(KIND)] == [digest(b"changed"), digest(b"2")])
    (root / "one.safetensors").unlink()
    wait_until(lambda: [entry.name for entry in index.entries(KIND)] == ["two.safetensors"])
    index.close()
    assert index.hashed == 3
    again = watched()
    again.refresh()
    assert [entry.hash for entry in again.entries(KIND)] == [digest(b"2")]
    assert again.hashed == 0


def test_a_process_that_is_killed_leaves_what_it_knew(
    tmp_path: Path, watched: Callable[[], FileIndex]
) -> None:
    root = tmp_path / "root"
    for number in range(40):
        write(root, f"{number}.safetensors", b"%d" % number)
    code = (
        "import sys; from pathlib import Path; from nodegraph.modelfiles.index import FileIndex\n"
        "index = FileIndex({'loras': [Path(sys.argv[1])]}, Path(sys.argv[2]))\n"
        "for name in index.names('loras'): index.ensure('loras', name); print(name, flush=True)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(root), str(tmp_path / "memory")], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    said = [child.stdout.readline().strip() for _ in range(5)]
    child.send_signal(signal.SIGKILL)
    said += child.stdout.read().split()
    child.wait()
    child.stdout.close()
    index = watched()
    assert all(index.known(KIND, name) for name in said)
    assert index.hashed == 0
    assert len(index.names(KIND)) == 40
    index.close()


def test_what_one_process_hashes_another_knows_at_once(
    watched: Callable[[], FileIndex], tmp_path: Path
) -> None:
    write(tmp_path / "root", "one.safetensors", b"1")
    first, second = watched(), watched()
    assert second.known(KIND, "one.safetensors") is None
    first.ensure(KIND, "one.safetensors")
    assert second.known(KIND, "one.safetensors") == digest(b"1")
    assert second.hashed == 0


def test_a_root_is_only_read(tmp_path: Path, watched: Callable[[], FileIndex]) -> None:
    root = tmp_path / "root"
    path = write(root, "sub/one.safetensors", b"1")
    path.chmod(0o444)
    for folder in (path.parent, root):
        folder.chmod(0o555)
    before = sorted((str(p), p.lstat().st_ctime_ns) for p in root.rglob("*"))
    index = watched()
    index.refresh()
    index.ensure(KIND, "sub/one.safetensors")
    assert sorted((str(p), p.lstat().st_ctime_ns) for p in root.rglob("*")) == before
    for folder in (root, path.parent):
        folder.chmod(0o755)


def test_hidden_and_unfinished_files_are_no_models(tmp_path: Path) -> None:
    for name in (".cache/a.safetensors", ".b.safetensors", "c.safetensors.part", "d.txt", "e.SAFETENSORS"):
        write(tmp_path, name, b"x")
    assert names(index_of(tmp_path)) == ["e.SAFETENSORS"]
