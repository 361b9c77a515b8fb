"""The file index: files by kind and name, and their content hashes, remembered between runs.

A hash is known for (device, inode, size, mtime, ctime); a file that changed in any of them is hashed
again. Names are relative to the folders of their kind; a path to a file elsewhere is a name too, unless
the index is closed (`allow_paths=False`).

Whether one file is there is always asked of the file system. What files there are is a listing that a
background thread keeps: nobody waits for it longer than `patience`, so that a slow disk delays no plan.
"""

from __future__ import annotations

import copy
import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from nodegraph.errors import InputError, ModelFileError
from nodegraph.modelfiles.background import Background
from nodegraph.modelfiles.hashing import Progress, Stamp, hash_file, stamp_of
from nodegraph.modelfiles.kinds import MODEL_KINDS, belongs
from nodegraph.modelfiles.manifests import WHOLE, content_of, is_manifest, members, parts_of
from nodegraph.modelfiles.memory import Memory
from nodegraph.modelfiles.scanning import Folder, ListFolder, list_folder, scan
from nodegraph.values import ModelFile

log = logging.getLogger(__name__)


@dataclass
class Counters:
    """What an index did, for tests and reports.

    scans of all folders; folders whose names were listed; files that a scan looked at; files hashed.
    """

    scans: int = 0
    listed: int = 0
    checked: int = 0
    hashed: int = 0


@dataclass(frozen=True, slots=True)
class IndexedFile:
    """One file of a kind as the last scan saw it: its size in bytes, and its sha256 if that is known."""

    kind: str
    name: str
    path: Path
    size: int
    hash: str | None


class FileIndex:
    """Files by kind. Earlier folders of a kind win where two hold the same name. Thread-safe.

    folders: kind -> folders, read only; memory: the file in which the index is kept; patience: how many
    seconds `names` waits for a scan; lister: how a folder's names are read.
    """

    def __init__(
        self,
        folders: Mapping[str, Sequence[Path]],
        memory: Path | None = None,
        *,
        allow_paths: bool = True,
        follow_links: bool | None = None,
        patience: float = 1.0,
        lister: ListFolder = list_folder,
    ) -> None:
        self.folders: Mapping[str, Sequence[Path]] = {kind: list(paths) for kind, paths in folders.items()}
        self.memory = Memory(memory)
        self.counters = Counters()
        self._allow_paths = allow_paths
        self._follow_links = allow_paths if follow_links is None else follow_links
        self._patience = patience
        self._lister = lister
        self._lock = threading.Lock()
        self._scanning = threading.Lock()
        self._hashes: dict[Stamp, str] = {}
        self._paths: dict[str, Path] = {}
        self._listing: dict[Path, Mapping[str, Stamp | None]] = {}
        self._folders: dict[Path, Mapping[str, Folder]] = {}
        self._unhashed: deque[tuple[Path, Stamp]] = deque()
        self._tried: set[Stamp] = set()
        self._gathered = 0
        self._background = Background(self.refresh, self._hash_next)

    def with_folders(self, kind: str, folders: Sequence[Path]) -> FileIndex:
        """The same index with other folders of one kind. What one of them learns, both know."""
        view = copy.copy(self)
        view.folders = {**self.folders, kind: list(folders)}
        self.folders = {**self.folders, f"{kind} of {folders[0]}": list(folders)}  # scanned with the others
        return view

    @property
    def hashed(self) -> int:
        """How many files were hashed by this index."""
        return self.counters.hashed

    @property
    def kinds(self) -> list[str]:
        """The kinds of files that there are."""
        return [kind for kind in self.folders if " of " not in kind]

    def names(self, kind: str) -> Sequence[str]:
        """The names of all files of a kind, sorted, as far as they are known after `patience` seconds."""
        self._background.wait(self._background.request(), self._patience)
        return sorted({name for _, name, _ in self._listed(kind)})

    def entries(self, kind: str) -> list[IndexedFile]:
        """All files of a kind as the last scan saw them, sorted by name. It asks for no scan itself."""
        found: dict[str, IndexedFile] = {}
        for folder, name, stamp in self._listed(kind):
            if name not in found and stamp is not None:
                found[name] = self._entry(kind, name, folder / name, stamp)
        return [found[name] for name in sorted(found)]

    def _entry(self, kind: str, name: str, path: Path, stamp: Stamp) -> IndexedFile:
        if not is_manifest(path.name):
            return IndexedFile(kind, name, path, stamp[2], self._hashes.get(stamp))
        try:
            size = sum(file.stat().st_size for file in members(path))
        except (ModelFileError, OSError):  # incomplete: whoever opens it is told why
            size = stamp[2]
        return IndexedFile(kind, name, path, size, self._known_together(path))

    def refresh(self) -> None:
        """Scan every folder now. Only folders that changed since the last scan are listed again."""
        with self._scanning:
            kinds: dict[Path, list[str]] = {}
            for kind, folders in self.folders.items():
                for folder in folders:
                    kinds.setdefault(folder, []).append(kind)
            for root, wanted in kinds.items():
                self._scan(root, wanted)
            with self._lock:
                self._hashes.update(self.memory.hashes())
                self.counters.scans += 1

    def watch(self, interval: float = 30.0) -> None:
        """From now on, scan every `interval` seconds and hash new model files, on a background thread."""
        self._background.repeat(interval)

    def close(self) -> None:
        """End the background thread, if there is one."""
        self._background.close()

    def has(self, kind: str, name: str) -> bool:
        """Whether there is a file of that kind and name."""
        return self.find(kind, name) is not None

    def find(self, kind: str, name: str) -> Path | None:
        """Where the file lies, or None. A name never leads out of its folder."""
        for folder in self.folders.get(kind, []):
            path = self._in_folder(folder, name)
            if path is not None:
                return path
        if self._allow_paths and _is_file(Path(name)):
            return Path(name).absolute()
        return None

    def find_hash(self, kind: str, digest: str, size: int | None = None) -> str | None:
        """The name of a file of the kind that has this content, whatever it is called. None if there is none.

        The folders are scanned; files whose hash is not known are read, but only those of the wanted size.
        """
        self.refresh()
        unknown = []
        for entry in self.entries(kind):
            if entry.hash == digest and self.known(kind, entry.name) == digest:
                return entry.name
            if entry.hash is None and entry.size == size:
                unknown.append(entry.name)
        for name in unknown:
            with suppress(InputError):  # one that cannot be read is not what is looked for
                if self.ensure(kind, name) == digest:
                    return name
        return None

    def get(self, kind: str, name: str) -> ModelFile:
        """The file with its content hash, hashing it if needed. InputError if there is none."""
        return ModelFile(self.ensure(kind, name), name)

    def known(self, kind: str, name: str) -> str | None:
        """The content hash, if it is known already: to this index, or to another process with its memory."""
        path = self.find(kind, name)
        if path is None:
            return None
        if is_manifest(path.name):
            return self._known_together(path)
        return self._known_at(path)

    def _known_together(self, path: Path) -> str | None:
        """The content hash of a model in several files, if those of all are known."""
        try:
            found = [self._known_at(file) for file in members(path)]
        except ModelFileError:
            return None  # `ensure` tells why
        hashes = [digest for digest in found if digest is not None]
        return self._together(path, hashes) if len(hashes) == len(found) else None

    def _together(self, path: Path, hashes: Sequence[str]) -> str:
        """The content hash of a model in several files. Its parts that are such models are known then too."""
        digest = content_of(hashes)
        with self._lock:
            self._paths[digest] = path
        for part in parts_of(path).values() if path.name == WHOLE else ():
            if is_manifest(part.name):
                self._known_together(part)
        return digest

    def _known_at(self, path: Path) -> str | None:
        try:
            stamp = stamp_of(path.stat())
        except OSError:
            return None  # it went away since
        digest = self._hashes.get(stamp) or self.memory.hashes([stamp]).get(stamp)
        if digest is not None:
            with self._lock:
                self._hashes[stamp] = digest
                self._paths[digest] = path
        return digest

    def ensure(self, kind: str, name: str, progress: Progress | None = None, *, again: bool = False) -> str:
        """The content hash (sha256), computed now if it is not known, or if it shall be read again."""
        known = None if again else self.known(kind, name)
        if known is not None:
            return known
        path = self.find(kind, name)
        if path is None:
            raise InputError(
                f"there is no file '{name}' in {kind}", code="unknown_file", remedy=self._near(kind, name)
            )
        return self._hash(path, progress, again=again)

    def _near(self, kind: str, name: str) -> str | None:
        """What may be meant by a name that is none."""
        near = get_close_matches(name, self.names(kind), n=3)
        return f"Did you mean {' or '.join(map(repr, near))}?" if near else None

    def learn(self, path: Path, digest: str, source: str = "") -> None:
        """Take the content hash of a file from who has just written it, and where that had it from."""
        stamp = stamp_of(path.stat())
        with self._lock:
            self._hashes[stamp] = digest
            self._paths[digest] = path
        self.memory.put_hash(stamp, digest)
        if source:
            self.memory.put_source(digest, source)

    def path(self, file: ModelFile) -> Path:
        """Where the content with that hash lies. InputError if the index has not seen it."""
        path = self._paths.get(file.hash)
        if path is None or not path.is_file():
            raise InputError(
                f"the file '{file.name or file.hash[:12]}' is not here any more", code="unknown_file"
            )
        return path

    def snapshot(self, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """The known hashes of (kind, name) pairs; what is missing still has to be hashed."""
        pairs = ((pair, self.known(*pair)) for pair in wanted)
        return {pair: digest for pair, digest in pairs if digest is not None}

    def _hash(self, path: Path, progress: Progress | None, *, again: bool = False) -> str:
        if not is_manifest(path.name):
            return self._hash_one(path, progress)
        hashes = []
        for file in members(path):
            known = None if again else self._known_at(file)
            hashes.append(known or self._hash_one(file, progress))
        return self._together(path, hashes)

    def _hash_one(self, path: Path, progress: Progress | None) -> str:
        try:
            stamp, digest = hash_file(path, progress)
        except OSError as error:
            raise InputError(f"'{path}' cannot be read: {error.strerror}", code="unreadable") from None
        with self._lock:
            self.counters.hashed += 1
            self._hashes[stamp] = digest
            self._paths[digest] = path
        self.memory.put_hash(stamp, digest)
        return digest

    def _hash_next(self, breathe: Callable[[], None]) -> bool:
        """Hash one model file of those that have no hash yet; False if there is none."""
        if not self._unhashed and self._gathered != self.counters.scans:
            self._gathered = self.counters.scans
            self._unhashed.extend(
                (folder / name, stamp)
                for kind in MODEL_KINDS
                for folder, name, stamp in self._listed(kind)
                if stamp is not None and stamp not in self._hashes and stamp not in self._tried
            )
        if not self._unhashed:
            return False
        path, stamp = self._unhashed.popleft()
        self._tried.add(stamp)  # one that cannot be read is not tried again until it changes
        try:
            if stamp not in self._hashes and stamp not in self.memory.hashes([stamp]):
                self._hash(path, lambda _done, _all: breathe())
        except InputError as error:
            log.warning("%s", error)
        return True

    def _scan(self, root: Path, kinds: Sequence[str]) -> None:
        earlier = self._folders.get(root)
        if earlier is None:
            earlier = self.memory.folders(root)
        found = scan(
            root,
            lambda name: any(belongs(kind, name) for kind in kinds),
            earlier,
            closed=not self._follow_links,
            lister=self._lister,
        )
        with self._lock:
            self._listing[root] = found.files
            self.counters.listed += found.listed
            self.counters.checked += found.checked
        changed = {place: folder for place, folder in found.folders.items() if earlier.get(place) != folder}
        if self.memory.put_folders(root, changed, earlier.keys() - found.folders.keys()):
            self._folders[root] = found.folders

    def _listed(self, kind: str) -> Iterator[tuple[Path, str, Stamp | None]]:
        """The (folder, name, stamp) of the files of a kind, folders that win first."""
        for folder in self.folders.get(kind, []):
            listing = self._listing.get(folder)
            for name, stamp in (listing if listing is not None else self._remembered(folder)).items():
                if belongs(kind, name):
                    yield folder, name, stamp

    def _remembered(self, root: Path) -> Mapping[str, Stamp | None]:
        """What the last scan of any process saw: it serves until ours is done."""
        names: dict[str, Stamp | None] = {
            f"{place}/{name}" if place else name: None
            for place, folder in self.memory.folders(root).items()
            for name in (*folder.files, *(folder.links if self._follow_links else ()))
        }
        with self._lock:
            return self._listing.setdefault(root, names)

    def _in_folder(self, folder: Path, name: str) -> Path | None:
        """The file of that name in a folder. Links out of it are followed only where that is allowed."""
        path = folder / name
        if not _is_file(path):
            return None
        place = _normal if self._follow_links else Path.resolve
        return path if place(path).is_relative_to(place(folder)) else None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long for any file
        return False


def _normal(path: Path) -> Path:
    return Path(os.path.normpath(path))
