"""`nodegraph users`: who may use the server."""

from __future__ import annotations

import time
from pathlib import Path

import click

from nodegraph.engine import default_data_dir
from nodegraph.server.tokens import Tokens


def list_users(data_dir: Path | None) -> None:
    """Print every user and since when there is one."""
    found = _tokens(data_dir).users()
    for user in found:
        click.echo(f"{user.name:<32} since {time.strftime('%Y-%m-%d %H:%M', time.localtime(user.created))}")
    if not found:
        click.echo("There is nobody but the owner. Add somebody: nodegraph users add NAME", err=True)


def add_user(name: str, data_dir: Path | None) -> None:
    """Print a new user's token. InputError: the name is taken, or no name."""
    _hand_over(name, _tokens(data_dir).add(name))


def renew_user(name: str, data_dir: Path | None) -> None:
    """Print a user's new token. InputError: there is no such user."""
    _hand_over(name, _tokens(data_dir).renew(name))


def remove_user(name: str, data_dir: Path | None) -> None:
    """Remove a user. InputError: there is no such user."""
    _tokens(data_dir).remove(name)
    click.echo(f"'{name}' is let in no more.", err=True)


def _hand_over(name: str, token: str) -> None:
    click.echo(token)
    click.echo(f"This is the token of '{name}'. It is shown once: hand it over now.", err=True)


def _tokens(data_dir: Path | None) -> Tokens:
    return Tokens(data_dir or default_data_dir())
