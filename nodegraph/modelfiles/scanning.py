"""Scanning a folder tree again without reading again what has not changed.

A folder whose modification time is unchanged holds the same names, so only changed folders are listed; the
files themselves get one `stat` each. A folder changed within the last two seconds is not trusted yet: file
systems store times in steps (FAT: 2 s), and a later change could carry the same time.

Links are followed. Every real folder is visited once, by its own name before any link's, so that a loop of
links ends and a tree costs what it holds.
"""

from __future__ import annotations

import os
import stat
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from nodegraph.modelfiles.hashing import Stamp, stamp_of

_STEP = 2_000_000_000  # nanoseconds


class Entry(NamedTuple):
    """One name in a folder, as listing gives it without a `stat`."""

    name: str
    is_link: bool
    is_folder: bool


class Folder(NamedTuple):
    """What a folder held when it was listed. stamp: (device, inode, mtime, ctime); None: not trusted."""

    stamp: tuple[int, int, int, int] | None
    files: tuple[str, ...]
    folders: tuple[str, ...]
    links: tuple[str, ...]


ListFolder = Callable[[str], list[Entry]]


@dataclass
class Scan:
    """What a scan found: folders and files by their path from the root, and what it took.

    listed: folders whose names were read; checked: files and links that got a `stat`.
    """

    folders: dict[str, Folder] = field(default_factory=dict)
    files: dict[str, Stamp] = field(default_factory=dict)
    listed: int = 0
    checked: int = 0


def list_folder(path: str) -> list[Entry]:
    """The names in a folder. OSError if it cannot be read."""
    with os.scandir(path) as entries:
        return [
            Entry(entry.name, entry.is_symlink(), entry.is_dir(follow_symlinks=False)) for entry in entries
        ]


def scan(
    root: Path,
    wanted: Callable[[str], bool],
    earlier: Mapping[str, Folder],
    *,
    closed: bool = False,
    lister: ListFolder = list_folder,
) -> Scan:
    """The files under a root whose names are wanted. Hidden names, and what cannot be read, are left out.

    A closed scan follows no link out of the root.
    """
    return _Scanner(str(root), wanted, earlier, str(root.resolve()) if closed else None, lister).run()


class _Scanner:
    def __init__(
        self,
        root: str,
        wanted: Callable[[str], bool],
        earlier: Mapping[str, Folder],
        fence: str | None,
        lister: ListFolder,
    ) -> None:
        self._root, self._wanted, self._earlier = root, wanted, earlier
        self._fence, self._lister = fence, lister
        self._trusted = time.time_ns() - _STEP
        self._found = Scan()
        self._seen: set[tuple[int, int]] = set()

    def run(self) -> Scan:
        waiting, links = deque([""]), deque[str]()
        while waiting or links:
            if not waiting:
                self._follow(links.popleft(), waiting)
                continue
            place = waiting.popleft()
            folder = self._visit(place)
            if folder is not None:
                waiting.extend(_under(place, folder.folders))
                links.extend(_under(place, folder.links))
                for name in filter(self._wanted, _under(place, folder.files)):
                    self._check(name)
        return self._found

    def _visit(self, place: str) -> Folder | None:
        """A folder's names, from the earlier scan if it has not changed. None if it is done or unreadable."""
        path = self._path(place)
        try:
            status = os.stat(path)  # noqa: PTH116 - thousands of times: a Path each would cost more than this
        except OSError:
            return None
        if not stat.S_ISDIR(status.st_mode) or (status.st_dev, status.st_ino) in self._seen:
            return None
        self._seen.add((status.st_dev, status.st_ino))
        now = status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns
        folder = self._earlier.get(place)
        if folder is None or folder.stamp != now:
            try:
                folder = _folder(now if status.st_mtime_ns < self._trusted else None, self._lister(path))
            except OSError:
                return None
            self._found.listed += 1
        self._found.folders[place] = folder
        return folder

    def _follow(self, place: str, waiting: deque[str]) -> None:
        """Look where a link leads: to a folder that waits for its visit, or to a file."""
        if self._fence is not None:
            target = os.path.realpath(self._path(place))
            if os.path.commonpath([target, self._fence]) != self._fence:
                return
        status = self._stat(place)
        if status is not None and stat.S_ISDIR(status.st_mode):
            waiting.append(place)
        elif status is not None and stat.S_ISREG(status.st_mode) and self._wanted(place):
            self._found.files[place] = stamp_of(status)

    def _check(self, place: str) -> None:
        status = self._stat(place)
        if status is not None and stat.S_ISREG(status.st_mode):
            self._found.files[place] = stamp_of(status)

    def _stat(self, place: str) -> os.stat_result | None:
        self._found.checked += 1
        with suppress(OSError):  # a link to nowhere, or a file that went away
            return os.stat(self._path(place))  # noqa: PTH116 - as above
        return None

    def _path(self, place: str) -> str:
        return f"{self._root}/{place}" if place else self._root


def _under(place: str, names: tuple[str, ...]) -> Iterator[str]:
    return (f"{place}/{name}" if place else name for name in names)


def _folder(stamp: tuple[int, int, int, int] | None, entries: list[Entry]) -> Folder:
    shown = sorted(entry for entry in entries if not entry.name.startswith("."))
    return Folder(
        stamp,
        tuple(entry.name for entry in shown if not entry.is_link and not entry.is_folder),
        tuple(entry.name for entry in shown if entry.is_folder and not entry.is_link),
        tuple(entry.name for entry in shown if entry.is_link),
    )
