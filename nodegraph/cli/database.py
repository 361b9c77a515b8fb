"""`nodegraph db`: copies of the job database."""

from __future__ import annotations

from pathlib import Path

import click

from nodegraph.engine import default_data_dir
from nodegraph.jobs import backup

NAME = "jobs.sqlite"


def back_up(target: Path, data_dir: Path | None) -> None:
    """Copy the database. InputError: the target is there already. DatabaseError: the database is damaged."""
    backup.backup(_path(data_dir), target)
    click.echo(str(target))


def check_database(data_dir: Path | None) -> None:
    """Read all of it. DatabaseError tells what is damaged, and how to go on."""
    backup.check(_path(data_dir))
    click.echo(f"{_path(data_dir)} is sound.")


def restore_database(copy: Path, data_dir: Path | None) -> None:
    """Put a copy in its place. DatabaseError: the copy is damaged."""
    kept = backup.restore(_path(data_dir), copy)
    click.echo(str(_path(data_dir)))
    if kept is not None:
        click.echo(f"What was there is kept as {kept}.", err=True)


def _path(data_dir: Path | None) -> Path:
    return (data_dir or default_data_dir()) / NAME
