"""`nodegraph models`: what model files there are, what each of them is, and whether it is still whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from nodegraph.engine import Engine
from nodegraph.errors import InputError, NodegraphError
from nodegraph.modelfiles.describing import Description, describe
from nodegraph.modelfiles.hashing import hash_file
from nodegraph.modelfiles.index import FileIndex, IndexedFile
from nodegraph.modelfiles.kinds import MODEL_KINDS
from nodegraph.modelfiles.manifests import is_manifest
from nodegraph.registry import suggest

_LONGEST = 200  # characters of one metadata entry


def list_models(
    words: Sequence[str], kind: str | None, family: str | None, as_json: bool, data_dir: Path | None
) -> None:
    """Print every model file whose name holds all words: kind, size, family, first digits of the hash."""
    with Engine(data_dir) as engine:
        rows = [
            (entry, described)
            for entry in _matching(engine.files, words, kind)
            for described in [describe(entry.path)]
            if family is None or family.lower() in described.family.lower()
        ]
    if as_json:
        click.echo(json.dumps([_listed(entry, described) for entry, described in rows], indent=2))
        return
    table = Table(box=None, pad_edge=False)
    for column in ("kind", "name", "size", "family", "dtype", "hash"):
        table.add_column(column, overflow="fold", justify="right" if column == "size" else "left")
    for entry, described in rows:
        short = entry.hash[:12] if entry.hash else ""
        table.add_row(entry.kind, entry.name, decimal(entry.size), _family(described), described.dtype, short)
    if rows:
        Console(markup=False).print(table)
    count, size = len(rows), sum(entry.size for entry, _ in rows)
    click.echo(f"{count} model file{'' if count == 1 else 's'}, {decimal(size)}")


def show_model(name: str, kind: str | None, as_json: bool, data_dir: Path | None) -> None:
    """Print everything about one model file. Only its header is read."""
    with Engine(data_dir) as engine:
        entry = find_model(engine.files, name, kind)
    described = describe(entry.path)
    if as_json:
        data = asdict(described) | {"preview": str(described.preview) if described.preview else None}
        click.echo(json.dumps({**_listed(entry, described), **data}, indent=2, ensure_ascii=False))
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column(overflow="fold")
    dtypes = ", ".join(f"{dtype} ({decimal(size)})" for dtype, size in described.dtypes.items())
    for label, value in (
        ("name", entry.name), ("kind", entry.kind), ("path", str(entry.path)), ("size", decimal(entry.size)),
        ("sha256", entry.hash or "not known yet: nodegraph models hash"), ("family", _family(described)),
        ("prediction", described.prediction), ("parts", ", ".join(described.parts)), ("dtype", dtypes),
        ("tensors", str(described.tensors)), ("preview", str(described.preview or "")),
        ("note", described.note),
    ):  # fmt: skip
        if value:
            table.add_row(label, value)
    for key, value in sorted(described.metadata.items()):
        text = " ".join(value.split())
        shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(value)} characters)"
        table.add_row(f"metadata {key}", shown)
    Console(highlight=False, markup=False).print(table)


def hash_models(names: Sequence[str], kind: str | None, data_dir: Path | None) -> None:
    """Hash the named model files, or all that have no hash yet, and print the hashes as sha256sum does."""
    with Engine(data_dir) as engine:
        entries = [find_model(engine.files, name, kind) for name in names]
        wanted = entries or [entry for entry in _matching(engine.files, (), kind) if entry.hash is None]
        with byte_bars() as bars:
            for entry in wanted:
                bar = bars.add_task(entry.name, total=entry.size)
                digest = engine.files.ensure(entry.kind, entry.name, updating(bars, bar))
                bars.remove_task(bar)
                click.echo(f"{digest}  {entry.name}")


def verify_models(names: Sequence[str], kind: str | None, data_dir: Path | None) -> None:
    """Read model files again and compare them with their recorded hashes. Files that differ are an error."""
    damaged: list[str] = []
    with Engine(data_dir) as engine, byte_bars() as bars:
        entries = [find_model(engine.files, name, kind) for name in names]
        for entry in entries or _matching(engine.files, (), kind):
            if entry.hash is None:
                click.echo(f"no hash yet  {entry.kind}/{entry.name}")
                continue
            bar = bars.add_task(entry.name, total=entry.size)
            found = _read_again(engine.files, entry, bars, bar)
            bars.remove_task(bar)
            click.echo(f"{'whole' if found == entry.hash else 'DAMAGED'}  {entry.kind}/{entry.name}")
            if found != entry.hash:
                damaged.append(f"{entry.kind}/{entry.name}")
    if damaged:
        raise NodegraphError(
            f"{len(damaged)} of the files are not what was hashed: {', '.join(damaged)}", code="damaged",
            remedy="Get them from another source: nodegraph models pull.",
        )  # fmt: skip


def find_model(files: FileIndex, name: str, kind: str | None = None) -> IndexedFile:
    """The model file of that name, path, or beginning of a hash (8 digits or more). InputError if unclear."""
    kinds = [kind] if kind else MODEL_KINDS
    found = [one for one in kinds if files.has(one, name)]
    if len(found) > 1 and not Path(name).is_absolute() and not Path(name).is_file():
        raise InputError(f"'{name}' is in {' and '.join(found)}", remedy="Say which with --kind.")
    if found:
        path = files.find(found[0], name)
        if path is not None:
            return IndexedFile(found[0], name, path, path.stat().st_size, files.known(found[0], name))
    entries = list(_matching(files, (), kind))
    by_hash = [entry for entry in entries if entry.hash and len(name) >= 8 and entry.hash.startswith(name)]
    if by_hash:
        return by_hash[0]
    remedy = (
        suggest(name, (entry.name for entry in entries)) or "`nodegraph models list` lists what is there."
    )
    raise InputError(f"there is no model file '{name}'", code="unknown_file", remedy=remedy)


def _matching(files: FileIndex, words: Sequence[str], kind: str | None) -> Iterator[IndexedFile]:
    files.refresh()
    for one in [kind] if kind else MODEL_KINDS:
        for entry in files.entries(one):
            if all(word.lower() in entry.name.lower() for word in words):
                yield entry


def _listed(entry: IndexedFile, described: Description) -> dict[str, Any]:
    return {
        "kind": entry.kind, "name": entry.name, "path": str(entry.path), "size": entry.size,
        "sha256": entry.hash, "family": described.family, "variant": described.variant,
        "dtype": described.dtype,
    }  # fmt: skip


def _family(described: Description) -> str:
    return f"{described.family} ({described.variant})" if described.variant else described.family


def _read_again(files: FileIndex, entry: IndexedFile, bars: Progress, bar: TaskID) -> str:
    try:
        if is_manifest(entry.path.name):
            return files.ensure(entry.kind, entry.name, updating(bars, bar), again=True)
        return hash_file(entry.path, updating(bars, bar))[1]
    except OSError as error:
        return f"unreadable: {error.strerror}"
    except NodegraphError as error:
        return f"unreadable: {error}"


def updating(bars: Progress, bar: TaskID) -> Callable[[int, int | None], None]:
    """What takes (bytes done, bytes in all) and shows them on a bar."""
    return lambda done, total: bars.update(bar, completed=done, total=total)


def byte_bars() -> Progress:
    """Bars of bytes on stderr, for people only."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn(),
        console=console, transient=True, disable=not console.is_terminal,
    )  # fmt: skip
