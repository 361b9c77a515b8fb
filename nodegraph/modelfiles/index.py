"""The file index: files by kind and name, and their content hashes, remembered between runs.

A hash is known for (device, inode, size, mtime, ctime); a file that changed in any of them is hashed
again. Names are relative to the folders of their kind; a path to a file elsewhere is a name too, unless
the index is closed (`allow_paths=False`).
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from nodegraph.errors import InputError
from nodegraph.values import ModelFile

log = logging.getLogger(__name__)
Stamp = tuple[int, int, int, int, int]
SUFFIXES: Mapping[str, tuple[str, ...]] = {
    "checkpoints": (".safetensors",),
    "loras": (".safetensors",),
    "images": (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"),
}
_CHUNK = 8 * 2**20


class FileIndex:
    """Files by kind. Earlier folders of a kind win where two hold the same name. Thread-safe."""

    def __init__(
        self, folders: Mapping[str, Sequence[Path]], memory: Path | None = None, *, allow_paths: bool = True
    ) -> None:
        self._folders = {kind: list(paths) for kind, paths in folders.items()}
        self._memory = memory
        self._allow_paths = allow_paths
        self._lock = threading.Lock()
        self._hashes: dict[Stamp, str] = _read_memory(memory)
        self._paths: dict[str, Path] = {}
        self.hashed = 0
        """How many files were hashed by this index: a counter for tests and reports."""

    def names(self, kind: str) -> Sequence[str]:
        """The names of all files of a kind, sorted."""
        suffixes = SUFFIXES.get(kind)
        found: set[str] = set()
        for folder in self._folders.get(kind, []):
            for path in folder.rglob("*") if folder.is_dir() else ():
                name = path.relative_to(folder).as_posix()
                if (suffixes is None or path.suffix.lower() in suffixes) and self._in_folder(folder, name):
                    found.add(name)
        return sorted(found)

    def has(self, kind: str, name: str) -> bool:
        """Whether there is a file of that kind and name."""
        return self.find(kind, name) is not None

    def find(self, kind: str, name: str) -> Path | None:
        """Where the file lies, or None. A name never leads out of its folder."""
        for folder in self._folders.get(kind, []):
            path = self._in_folder(folder, name)
            if path is not None:
                return path
        if self._allow_paths and _is_file(Path(name)):
            return Path(name).absolute()
        return None

    def _in_folder(self, folder: Path, name: str) -> Path | None:
        """The file of that name in a folder. Links out of the folder are followed by an open index only."""
        path = folder / name
        if not _is_file(path):
            return None
        place = _normal if self._allow_paths else Path.resolve
        return path if place(path).is_relative_to(place(folder)) else None

    def get(self, kind: str, name: str) -> ModelFile:
        """The file with its content hash, hashing it if needed. InputError if there is none."""
        return ModelFile(self.ensure(kind, name), name)

    def known(self, kind: str, name: str) -> str | None:
        """The content hash, if the index knows it already."""
        path = self.find(kind, name)
        if path is None:
            return None
        try:
            digest = self._hashes.get(_stamp(path))
        except FileNotFoundError:
            return None  # it went away since
        if digest is not None:
            self._paths[digest] = path
        return digest

    def ensure(self, kind: str, name: str, progress: Callable[[int, int], None] | None = None) -> str:
        """The content hash (sha256), computed now if it is not known. progress gets (bytes done, all)."""
        known = self.known(kind, name)
        if known is not None:
            return known
        path = self.find(kind, name)
        if path is None:
            raise InputError(f"there is no file '{name}' in {kind}", code="unknown_file")
        try:
            stamp = _stamp(path)
            digest = _hash(path, progress)
        except OSError as error:
            raise InputError(f"'{path}' cannot be read: {error.strerror}", code="unreadable") from None
        with self._lock:
            self.hashed += 1
            self._hashes[stamp] = digest
            self._paths[digest] = path
            self._remember()
        return digest

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

    def _remember(self) -> None:
        if self._memory is None:
            return
        text = json.dumps([[*stamp, digest] for stamp, digest in self._hashes.items()])
        temporary = self._memory.with_name(f".{secrets.token_hex(8)}.part")
        try:
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(text)
            temporary.replace(self._memory)
        except OSError as error:
            log.warning("hashes cannot be remembered: %s", error)
            with suppress(OSError):
                temporary.unlink()


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long for any file
        return False


def _normal(path: Path) -> Path:
    return Path(os.path.normpath(path))


def _stamp(path: Path) -> Stamp:
    status = path.stat()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _hash(path: Path, progress: Callable[[int, int], None] | None) -> str:
    digest = hashlib.sha256()
    total = path.stat().st_size
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            if progress is not None:
                progress(min(file.tell(), total), total)
    return digest.hexdigest()


def _read_memory(memory: Path | None) -> dict[Stamp, str]:
    """Hashes from earlier runs. A damaged memory costs time, never correctness: it is read as empty."""
    if memory is None or not memory.is_file() or not os.access(memory, os.R_OK):
        return {}
    try:
        rows = json.loads(memory.read_text())
        return {(int(a), int(b), int(c), int(d), int(e)): str(digest) for a, b, c, d, e, digest in rows}
    except (ValueError, TypeError):
        return {}
