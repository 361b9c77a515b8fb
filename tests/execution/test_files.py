"""Saving: whole or not at all, never over another file, never out of the folder."""

from __future__ import annotations

import errno
import json
import os
import stat
import threading
from pathlib import Path

import pytest

from nodegraph.errors import InputError
from nodegraph.execution.files import write_numbered, write_whole
from nodegraph.execution.saved import SavedFiles
from nodegraph.runtime import Artifact


def text(content: str) -> object:
    return lambda path: path.write_text(content)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def save(folder: Path, prefix: str = "a", content: str = "x") -> Path:
    return write_numbered(folder, prefix, ".txt", lambda path: _write(path, content))


def _write(path: Path, content: str) -> None:
    path.write_text(content)


def _fail_half_way(path: Path) -> None:
    path.write_text("half")
    raise OSError(errno.ENOSPC, "No space left on device")


def _raise(path: Path) -> None:
    path.write_text("half")
    raise ValueError("not a picture")


def test_numbers_go_on_from_the_highest(tmp_path: Path) -> None:
    assert [save(tmp_path).name for _ in range(2)] == ["a_00001.txt", "a_00002.txt"]
    (tmp_path / "a_00041.txt").touch()
    (tmp_path / "a_later.txt").touch()
    (tmp_path / "a_²³.txt").touch()
    (tmp_path / "ab_00099.txt").touch()
    assert save(tmp_path).name == "a_00042.txt"
    assert save(tmp_path, "b").name == "b_00001.txt"


def test_more_than_99999_files_are_no_problem(tmp_path: Path) -> None:
    (tmp_path / "a_99999.txt").touch()
    assert [save(tmp_path).name for _ in range(2)] == ["a_100000.txt", "a_100001.txt"]


@pytest.mark.parametrize("prefix", ["[a]", "*", "a?", "[!x]", "ü", "with space", ".hidden"])
def test_strange_prefixes_are_plain_names(tmp_path: Path, prefix: str) -> None:
    assert [save(tmp_path, prefix).name for _ in range(2)] == [f"{prefix}_00001.txt", f"{prefix}_00002.txt"]


def test_a_prefix_may_name_a_folder_inside(tmp_path: Path) -> None:
    assert save(tmp_path, "today/a") == tmp_path / "today" / "a_00001.txt"


@pytest.mark.parametrize("prefix", ["", ".", "..", "../a", "sub/..", "/etc/a", "a/../../b", "a\0b"])
def test_a_prefix_never_leads_out_of_the_folder(tmp_path: Path, prefix: str) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(InputError) as caught:
        save(folder, prefix)
    assert caught.value.problem.code == "bad_path"
    assert names(tmp_path) == ["out"]
    assert names(folder) == []


def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="leads out"):
        save(tmp_path / "out", "link/a")
    assert names(tmp_path / "elsewhere") == []


def test_the_output_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "real")
    save(tmp_path / "out")
    assert names(tmp_path / "real") == ["a_00001.txt"]


def test_concurrent_savers_get_a_number_each(tmp_path: Path) -> None:
    start = threading.Barrier(8)
    paths: list[Path] = []

    def work(worker: int) -> None:
        start.wait(30)
        for index in range(10):
            path = save(tmp_path, content=f"{worker}.{index}")
            assert path.read_text() == f"{worker}.{index}"
            paths.append(path)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names(tmp_path) == [f"a_{number:05d}.txt" for number in range(1, 81)]
    assert len({path.read_text() for path in paths}) == 80


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
def test_an_existing_file_is_never_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    """The other file comes while ours is being written, so that its number was thought free."""
    if not links:
        monkeypatch.setattr(os, "link", _no_links)

    def write(path: Path) -> None:
        (tmp_path / "a_00001.txt").write_text("theirs")
        (tmp_path / "a_00002.txt").write_text("theirs")
        path.write_text("ours")

    assert write_numbered(tmp_path, "a", ".txt", write).read_text() == "ours"
    assert names(tmp_path) == ["a_00001.txt", "a_00002.txt", "a_00003.txt"]
    assert (tmp_path / "a_00002.txt").read_text() == "theirs"


def _no_links(source: Path, target: Path) -> None:
    raise OSError(errno.EPERM, "Operation not permitted")


@pytest.mark.parametrize(("write", "error"), [(_fail_half_way, InputError), (_raise, ValueError)])
def test_a_failure_leaves_no_half_file(tmp_path: Path, write: object, error: type[Exception]) -> None:
    (tmp_path / "whole.txt").write_text("before")
    with pytest.raises(error):
        write_numbered(tmp_path, "a", ".txt", write)  # type: ignore[arg-type]
    with pytest.raises(error):
        write_whole(tmp_path / "whole.txt", write)  # type: ignore[arg-type]
    assert names(tmp_path) == ["whole.txt"]
    assert (tmp_path / "whole.txt").read_text() == "before"


def test_a_full_disk_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written: No space left on device"):
        write_whole(tmp_path / "a.txt", _fail_half_way)


def test_a_whole_file_replaces_what_was_there(tmp_path: Path) -> None:
    for content in ("one", "two"):
        write_whole(tmp_path / "deep" / "a.txt", lambda path, content=content: _write(path, content))  # type: ignore[misc]
    assert (tmp_path / "deep" / "a.txt").read_text() == "two"
    assert names(tmp_path / "deep") == ["a.txt"]


def test_the_temporary_file_has_the_suffix_that_writers_go_by(tmp_path: Path) -> None:
    seen: list[str] = []

    def write(path: Path) -> None:
        seen.append(path.suffix)
        path.touch()

    write_whole(tmp_path / "a.png", write)
    write_numbered(tmp_path, "b", ".webp", write)
    assert seen == [".png", ".webp"]


def test_saved_files_have_the_permissions_of_new_files(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write_whole(tmp_path / "whole", lambda path: _write(path, "x"))
    modes = {
        stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "plain", tmp_path / "whole", save(tmp_path))
    }
    assert len(modes) == 1


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for write in (lambda: save(tmp_path / "file"), lambda: write_whole(tmp_path / "file" / "a", _raise)):
        with pytest.raises(InputError) as caught:
            write()
        assert caught.value.problem.code == "unwritable"
        assert str(tmp_path / "file") in caught.value.describe()
    with pytest.raises(InputError, match="cannot be written"):
        save(tmp_path, "n" * 300)
    assert names(tmp_path) == ["file"]


def _artifact(path: Path, content: str = "x") -> Artifact:
    path.write_text(content)
    return Artifact(path, "text/plain", len(content))


def test_saved_files_are_remembered_by_the_next_process(tmp_path: Path) -> None:
    memory = tmp_path / "memory"
    artifact = _artifact(tmp_path / "a")
    SavedFiles(memory).put("key", [artifact])
    later = SavedFiles(memory)
    assert "key" in later
    assert later.get("key") == [artifact]
    assert "other" not in later
    assert later.get("other") == []


def test_two_processes_share_one_memory(tmp_path: Path) -> None:
    memory = tmp_path / "memory"
    first, second = SavedFiles(memory), SavedFiles(memory)
    first.put("one", [_artifact(tmp_path / "a")])
    second.put("two", [_artifact(tmp_path / "b")])
    both = SavedFiles(memory)
    assert "one" in both
    assert "two" in both


def test_the_last_word_on_a_key_counts(tmp_path: Path) -> None:
    saved = SavedFiles(tmp_path / "memory")
    saved.put("key", [_artifact(tmp_path / "a")])
    newer = _artifact(tmp_path / "b")
    saved.put("key", [newer])
    assert SavedFiles(tmp_path / "memory").get("key") == [newer]


def test_one_missing_file_of_several_is_enough_to_save_again(tmp_path: Path) -> None:
    saved = SavedFiles()
    saved.put("key", [_artifact(tmp_path / "a"), _artifact(tmp_path / "b")])
    assert "key" in saved
    (tmp_path / "b").unlink()
    assert "key" not in saved


def test_a_file_that_went_away_at_once_is_not_remembered(tmp_path: Path) -> None:
    saved = SavedFiles(tmp_path / "memory")
    saved.put("key", [Artifact(tmp_path / "gone", "text/plain", 1)])
    assert "key" not in saved


@pytest.mark.parametrize(
    "damage",
    [
        "", "{", "[]", "5", "null", '["key", 5]', '["key", [[1]]]', '["key", [["a", "b", "c", "d"]]]',
        '[5, []]', '{"key": []}', "\0\0\0", "[" * 100, "\udcff",
    ],
)  # fmt: skip
def test_a_damaged_line_costs_only_itself(tmp_path: Path, damage: str) -> None:
    memory = tmp_path / "memory"
    before, after = _artifact(tmp_path / "a"), _artifact(tmp_path / "b")
    SavedFiles(memory).put("before", [before])
    with memory.open("ab") as file:
        file.write(b"\n" + damage.encode("utf-8", "surrogateescape"))
    SavedFiles(memory).put("after", [after])
    found = SavedFiles(memory)
    assert found.get("before") == [before]
    assert found.get("after") == [after]
    assert found.get("key") == []


def test_a_torn_line_costs_only_itself(tmp_path: Path) -> None:
    memory = tmp_path / "memory"
    SavedFiles(memory).put("torn", [_artifact(tmp_path / "a")])
    memory.write_text(memory.read_text()[:-20])
    SavedFiles(memory).put("whole", [_artifact(tmp_path / "b")])
    found = SavedFiles(memory)
    assert "torn" not in found
    assert "whole" in found


def test_a_memory_that_cannot_be_written_is_no_failure(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    saved = SavedFiles(tmp_path / "file" / "memory")
    saved.put("key", [_artifact(tmp_path / "a")])
    assert "key" in saved
    assert "cannot be remembered" in caplog.text


def test_every_line_is_json_by_itself(tmp_path: Path) -> None:
    saved = SavedFiles(tmp_path / "memory")
    saved.put("key", [_artifact(tmp_path / "line\nbreak")])
    (row,) = [json.loads(line) for line in (tmp_path / "memory").read_text().splitlines() if line]
    assert row[0] == "key"
