"""`nodegraph doctor`: whether everything is in place, and what to do where it is not."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

import click

from nodegraph.engine import Engine, default_data_dir
from nodegraph.errors import NodegraphError
from nodegraph.execution.files import why_unwritable
from nodegraph.jobs import backup

LITTLE = 5 * 2**30
"""Bytes of free disk below which models and results will soon not fit."""
_MARKS = {"fine": "ok", "look": "--", "mend": "!!"}


@dataclass(frozen=True)
class Finding:
    """What was looked at, how it is, and what to do. "look": works, but may surprise."""

    what: str
    state: Literal["fine", "look", "mend"]
    told: str
    remedy: str = ""


def examine(device: str, data_dir: Path | None) -> None:
    """Print every finding; exit code 1 if something has to be mended."""
    place = data_dir or default_data_dir()
    found = []
    for look in (_python, lambda: _folder(place), lambda: _engine(device, place), lambda: _server(place)):
        for finding in _safely(look):
            found.append(finding)
            click.echo(f"{_MARKS[finding.state]}  {finding.what:<10} {finding.told}")
            if finding.remedy:
                click.echo(f"    {'':<10} {finding.remedy}")
    if any(finding.state == "mend" for finding in found):
        raise SystemExit(1)


def _safely(look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """The findings; a look that fails is one too."""
    try:
        yield from look()
    except NodegraphError as error:
        yield Finding("error", "mend", error.problem.message, error.problem.remedy or "")


def _python() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    sound = sys.version_info >= (3, 11)
    yield Finding(
        "python", "fine" if sound else "mend", version, "" if sound else "Install Python 3.11 or newer."
    )
    for name in ("nodegraph", "torch", "transformers"):
        try:
            yield Finding(name, "fine", metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Finding(name, "mend", "is not installed", "Install nodegraph again: pip install nodegraph")


def _folder(place: Path) -> Iterator[Finding]:
    reason = why_unwritable(place)
    if reason:
        yield Finding(
            "data", "mend", f"{place}: {reason}", "Free its permissions, or name another --data-dir."
        )
        return
    free = shutil.disk_usage(next(one for one in (place, *place.parents) if one.exists())).free
    told = f"{place}, {free / 2**30:.1f} GiB free"
    if free < LITTLE:
        yield Finding("data", "look", told, "Free some disk: models and results need room.")
    else:
        yield Finding("data", "fine", told)


def _engine(device: str, place: Path) -> Iterator[Finding]:
    with Engine(place, device=device) as engine:
        yield Finding("device", "fine", engine.resources.profile())
        for pack in engine.packs.loaded:
            yield Finding("pack", "fine", f"{pack.name} {pack.version}".strip())
        for failure in engine.packs.failures:
            yield Finding("pack", "look", f"{failure.pack.name}: {failure.reason}", "Its nodes are missing.")
        engine.files.refresh()
        kinds = {kind: len(engine.files.entries(kind)) for kind in engine.files.folders}
        told = ", ".join(f"{count} {kind}" for kind, count in kinds.items() if count and "/" not in kind)
        yield Finding("models", "fine", told or "none yet")


def _server(place: Path) -> Iterator[Finding]:
    database = place / "jobs.sqlite"
    if database.is_file():
        backup.check(database)
        yield Finding("database", "fine", f"{database.stat().st_size / 2**20:.1f} MiB, sound")
    else:
        yield Finding("database", "fine", "no server has run here yet")
    token = place / "token"
    if token.is_file() and stat.S_IMODE(token.stat().st_mode) & 0o077:
        yield Finding("token", "mend", f"{token} can be read by others", f"chmod 600 {token}")
    if any(os.environ.get(name) for name in ("NODEGRAPH_OFFLINE", "HF_HUB_OFFLINE")):
        yield Finding("network", "look", "switched off by the environment", "Models are not pulled.")
