"""`nodegraph models pull`: a model file from the hub or a URL, into the folder of its kind."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

import click
import filelock

from nodegraph.cli.models import byte_bars, updating
from nodegraph.engine import Engine
from nodegraph.errors import InputError
from nodegraph.modelfiles.describing import describe
from nodegraph.modelfiles.kinds import PICKLES, belongs
from nodegraph.modelfiles.pulling import pull
from nodegraph.modelfiles.references import resolve


def pull_model(
    source: str, kind: str, name: str | None, sha256: str | None, revision: str | None, allow_pickle: bool,
    data_dir: Path | None,
) -> None:  # fmt: skip
    """Pull a file and print where it lies. InputError or PullError say why it cannot be."""
    if sha256 is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", sha256):
        raise InputError(f"'{sha256}' is no sha256", expected="64 hexadecimal digits")
    reference = resolve(source, revision)
    name = name or reference.name
    _check_name(name, kind, allow_pickle=allow_pickle)
    with Engine(data_dir) as engine:
        target = engine.data_dir / "models" / kind / name
        here = engine.files.find_hash(kind, sha256.lower()) if sha256 is not None else None
        if here is not None:
            click.echo(f"it is here already, as '{here}'", err=True)
            click.echo(engine.files.find(kind, here))
            return
        with _alone(engine.data_dir, target), byte_bars() as bars:
            bar = bars.add_task(name, total=None)
            pulled = pull(reference, target, sha256, updating(bars, bar))
        engine.files.learn(pulled.path, pulled.sha256, source)
    described = describe(pulled.path)
    click.echo(f"{described.family}, sha256 {pulled.sha256}", err=True)
    click.echo(pulled.path.absolute())


def _check_name(name: str, kind: str, *, allow_pickle: bool) -> None:
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or name.startswith("/") or "\0" in name or "\\" in name:
        raise InputError(
            f"'{name}' is no name inside the folder", code="bad_path", remedy="Use a plain --name."
        )
    if name.lower().endswith(PICKLES) and not allow_pickle:
        raise InputError(
            f"'{name}' is a pickle, which can run code when it is opened", code="pickle_refused",
            remedy="Pull the .safetensors version, or say --allow-pickle if you trust who made it.",
        )  # fmt: skip
    if not belongs(kind, name):
        raise InputError(
            f"'{name}' would not be found among {kind}", code="bad_path",
            remedy="Give it a name that ends in .safetensors with --name.",
        )  # fmt: skip


def _alone(data_dir: Path, target: Path) -> filelock.BaseFileLock:
    """Held while a file is pulled. InputError for a second process that pulls the same one."""
    folder = data_dir / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(
        folder / (re.sub(r"[^\w.-]", "_", f"{target.parent.name}-{target.name}") + ".lock")
    )
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise InputError(f"another process is pulling '{target}'", code="busy") from None
    return lock
