"""The commands that look after a server: users, the database, and the doctor."""

from __future__ import annotations

from pathlib import Path

import click

from nodegraph.cli.options import DATA_DIR, DEVICE


@click.group()
def users() -> None:
    """Users of the server besides its owner: each has a token, and jobs, files and workflows of their own."""


@users.command("list")
@DATA_DIR
def users_list(data_dir: Path | None) -> None:
    """List the users."""
    from nodegraph.cli.users import list_users

    list_users(data_dir)


@users.command("add")
@click.argument("name")
@DATA_DIR
def users_add(name: str, data_dir: Path | None) -> None:
    """Make a user and print the token, which is not kept: only its owner has it then."""
    from nodegraph.cli.users import add_user

    add_user(name, data_dir)


@users.command("renew")
@click.argument("name")
@DATA_DIR
def users_renew(name: str, data_dir: Path | None) -> None:
    """Print a new token for a user; the old one ends at once."""
    from nodegraph.cli.users import renew_user

    renew_user(name, data_dir)


@users.command("remove")
@click.argument("name")
@DATA_DIR
def users_remove(name: str, data_dir: Path | None) -> None:
    """Let a user in no more. Jobs, files and workflows stay."""
    from nodegraph.cli.users import remove_user

    remove_user(name, data_dir)


@click.group()
def db() -> None:
    """The database of jobs and workflows: copy it, check it, put a copy back."""


@db.command("backup")
@click.argument("target", type=click.Path(path_type=Path))
@DATA_DIR
def db_backup(target: Path, data_dir: Path | None) -> None:
    """Copy the database to a new file, also while a server uses it."""
    from nodegraph.cli.database import back_up

    back_up(target, data_dir)


@db.command("check")
@DATA_DIR
def db_check(data_dir: Path | None) -> None:
    """Read the whole database; exit code 1 if something in it is damaged."""
    from nodegraph.cli.database import check_database

    check_database(data_dir)


@db.command("restore")
@click.argument("copy", type=click.Path(path_type=Path))
@DATA_DIR
def db_restore(copy: Path, data_dir: Path | None) -> None:
    """Put a copy in the place of the database, which is kept beside it. No server may run meanwhile."""
    from nodegraph.cli.database import restore_database

    restore_database(copy, data_dir)


@click.command()
@DEVICE
@DATA_DIR
def doctor(device: str, data_dir: Path | None) -> None:
    """Look whether everything is in place: Python, torch, device, disk, packs, models, database.

    Exit code 1 if something has to be mended; what and how is said.
    """
    from nodegraph.cli.doctor import examine

    examine(device, data_dir)


COMMANDS: tuple[click.Command, ...] = (users, db, doctor)
