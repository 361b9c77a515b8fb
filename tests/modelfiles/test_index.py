"""The file index: what a file is called, where it lies, and its content's hash, computed once."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from nodegraph.errors import InputError
from nodegraph.modelfiles.index import FileIndex
from nodegraph.values import ModelFile


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "loras"
    (folder / "style").mkdir(parents=True)
    (folder / "one.safetensors").write_bytes(b"one")
    (folder / "style" / "two.safetensors").write_bytes(b"two")
    (folder / "notes.txt").write_text("not a model")
    return folder


def opened(folder: Path, memory: Path | None = None, **options: Any) -> FileIndex:
    return FileIndex({"loras": [folder]}, memory, **options)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_names_are_relative_sorted_and_of_the_right_kind(folder: Path) -> None:
    index = opened(folder)
    assert index.names("loras") == ["one.safetensors", "style/two.safetensors"]
    assert index.names("checkpoints") == []


def test_a_kind_without_known_suffixes_lists_everything(folder: Path) -> None:
    index = FileIndex({"fonts": [folder]})
    assert "notes.txt" in index.names("fonts")


def test_the_first_folder_wins(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "shipped"
    other.mkdir()
    (other / "one.safetensors").write_bytes(b"shipped")
    index = FileIndex({"loras": [folder, other, tmp_path / "missing"]})
    assert index.find("loras", "one.safetensors") == folder / "one.safetensors"


def test_a_hash_is_computed_once_and_leads_to_the_file(folder: Path) -> None:
    index = opened(folder)
    file = index.get("loras", "one.safetensors")
    assert file == ModelFile(digest(b"one"))
    assert file.name == "one.safetensors"
    assert index.get("loras", "one.safetensors") == file
    assert index.hashed == 1
    assert index.path(file).read_bytes() == b"one"


def test_progress_counts_bytes_to_the_end(folder: Path) -> None:
    told: list[tuple[int, int]] = []
    opened(folder).ensure("loras", "one.safetensors", lambda done, total: told.append((done, total)))
    assert told == [(3, 3)]


def test_hashes_are_remembered_between_processes(folder: Path, tmp_path: Path) -> None:
    memory = tmp_path / "memory.json"
    opened(folder, memory).get("loras", "one.safetensors")
    later = opened(folder, memory)
    assert later.known("loras", "one.safetensors") == digest(b"one")
    assert later.get("loras", "one.safetensors") == ModelFile(digest(b"one"))
    assert later.hashed == 0
    assert later.path(ModelFile(digest(b"one"))) == folder / "one.safetensors"


def test_a_renamed_file_is_known_and_a_changed_one_is_hashed_again(folder: Path, tmp_path: Path) -> None:
    index = opened(folder, tmp_path / "memory.json")
    index.get("loras", "one.safetensors")
    (folder / "one.safetensors").rename(folder / "new.safetensors")
    (folder / "new.safetensors").write_bytes(b"eno")
    os.utime(folder / "new.safetensors", ns=(0, 0))  # even with the clock turned back
    assert index.known("loras", "new.safetensors") is None
    assert index.get("loras", "new.safetensors").hash == digest(b"eno")
    assert index.hashed == 2


def test_equal_files_have_one_hash(folder: Path) -> None:
    (folder / "copy.safetensors").write_bytes(b"one")
    index = opened(folder)
    assert index.get("loras", "copy.safetensors") == index.get("loras", "one.safetensors")


def test_a_snapshot_holds_what_is_known_now(folder: Path) -> None:
    index = opened(folder)
    index.get("loras", "one.safetensors")
    wanted = [("loras", "one.safetensors"), ("loras", "style/two.safetensors"), ("loras", "none")]
    assert index.snapshot(wanted) == {("loras", "one.safetensors"): digest(b"one")}


def test_missing_files_are_named(folder: Path) -> None:
    index = opened(folder)
    with pytest.raises(InputError, match=r"no file 'three.safetensors' in loras"):
        index.get("loras", "three.safetensors")
    file = index.get("loras", "one.safetensors")
    (folder / "one.safetensors").unlink()
    with pytest.raises(InputError, match=r"'one.safetensors' is not here any more"):
        index.path(file)
    with pytest.raises(InputError, match="is not here any more"):
        index.path(ModelFile("0" * 64))


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("name", ["", ".", "..", "\0", "n" * 5000, "style", "none/../.."])
def test_what_names_no_file_is_not_there(folder: Path, name: str, closed: bool) -> None:
    assert not opened(folder, allow_paths=not closed).has("loras", name)


@pytest.fixture
def secret(folder: Path, tmp_path: Path) -> Path:
    """A file outside, and a link to it inside."""
    path = tmp_path / "secret.safetensors"
    path.write_bytes(b"secret")
    (folder / "link.safetensors").symlink_to(path)
    (folder / "style" / "away").symlink_to(tmp_path)
    return path


@pytest.mark.parametrize(
    "name",
    [
        "../secret.safetensors",
        "style/../../secret.safetensors",
        "link.safetensors",
        "style/away/secret.safetensors",
    ],
)
def test_a_closed_index_never_leaves_its_folders(folder: Path, secret: Path, name: str) -> None:
    index = opened(folder, allow_paths=False)
    assert not index.has("loras", name)
    assert not index.has("loras", str(secret))
    assert index.names("loras") == ["one.safetensors", "style/two.safetensors"]
    with pytest.raises(InputError):
        index.get("loras", name)


def test_links_inside_the_folder_are_files_of_a_closed_index(folder: Path) -> None:
    (folder / "alias.safetensors").symlink_to(folder / "one.safetensors")
    assert opened(folder, allow_paths=False).get("loras", "alias.safetensors").hash == digest(b"one")


def test_an_open_index_follows_links_and_takes_paths(folder: Path, secret: Path) -> None:
    """A user's own folder often links to a larger disk."""
    index = opened(folder)
    assert "link.safetensors" in index.names("loras")
    assert index.get("loras", "link.safetensors").hash == digest(b"secret")
    assert index.get("loras", str(secret)).hash == digest(b"secret")
    assert index.find("loras", "../secret.safetensors") is None


@pytest.mark.parametrize("damage", ["", "{", "5", "[[1, 2]]", '[["a", 1, 2, 3, 4, "b"]]', "\0", '{"a": 1}'])
def test_a_damaged_memory_costs_time_and_nothing_else(folder: Path, tmp_path: Path, damage: str) -> None:
    memory = tmp_path / "memory.json"
    memory.write_text(damage)
    index = opened(folder, memory)
    assert index.get("loras", "one.safetensors").hash == digest(b"one")
    assert opened(folder, memory).known("loras", "one.safetensors") == digest(b"one")


def test_a_memory_that_cannot_be_written_is_no_failure(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    index = opened(folder, tmp_path / "file" / "memory.json")
    assert index.get("loras", "one.safetensors").hash == digest(b"one")
    assert "cannot be remembered" in caplog.text


def test_the_memory_leaves_no_temporary_files(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    index = opened(folder, tmp_path / "data" / "memory.json")
    for name in index.names("loras"):
        index.ensure("loras", name)
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["memory.json"]


def test_many_threads_may_ask_at_once(folder: Path, tmp_path: Path) -> None:
    for number in range(20):
        (folder / f"n{number}.safetensors").write_bytes(f"{number}".encode())
    index = opened(folder, tmp_path / "memory.json")
    wrong: list[int] = []
    start = threading.Barrier(4)

    def work() -> None:
        start.wait(30)
        wrong.extend(
            number
            for number in range(20)
            if index.get("loras", f"n{number}.safetensors").hash != digest(f"{number}".encode())
        )

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert (
        len(
            opened(folder, tmp_path / "memory.json").snapshot(
                ("loras", f"n{i}.safetensors") for i in range(20)
            )
        )
        == 20
    )
