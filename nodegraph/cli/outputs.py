"""Named outputs on the terminal: what they are, and which file they can be written to."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from nodegraph.codecs import describe_value, json_text
from nodegraph.engine import Engine
from nodegraph.errors import InputError
from nodegraph.graph.binding import BoundGraph
from nodegraph.sockets import ListType, SocketType, ValueType, is_generic, is_plain


def show_outputs(engine: Engine, outputs: Mapping[str, Any], *, quiet: bool) -> None:
    """Print numbers, text, booleans and lists; say of any other value what it is and how to keep it.

    With `quiet` plain values are printed alone, without their names, and others not at all.
    """
    for name, value in outputs.items():
        text = plain_text(value)
        if text is not None:
            click.echo(text if quiet else f"{name}: {text}")
        elif not quiet:
            suffixes = engine.registry.suffixes(type(value))
            keep = f"write it with -o FILE{suffixes[0]}" if suffixes else "no pack writes this to a file"
            click.echo(f"{name}: {describe_value(value)}; {keep}")


def plain_text(value: object) -> str | None:
    """A text as it is, any other plain data as JSON; None for what is no plain data."""
    return value if isinstance(value, str) else json_text(value)


def plain_outputs(graph: BoundGraph) -> list[str]:
    """The named outputs that are printed rather than written: numbers, text, booleans and lists."""
    return [name for name, type_ in graph.output_types.items() if is_plain(type_)]


def check_output(
    engine: Engine, graph: BoundGraph, target: str, output: Path, *, swept: bool = False
) -> None:
    """Fail before minutes of sampling, not after. InputError where the file could not be written.

    With `swept` the file is to hold the results of all cells.
    """
    type_ = graph.output_types[target]
    _check_suffix(engine, target, ListType(type_) if swept and is_plain(type_) else type_, output)
    check_place(output)


def check_place(output: Path) -> None:
    """InputError where no file of that name could be written."""
    parent = output.absolute().parent
    reason = ""
    if output.is_dir():
        reason = "it is a folder"
    elif not parent.is_dir():
        reason = f"there is no folder '{parent}'"
    elif not os.access(parent, os.W_OK):
        reason = f"the folder '{parent}' may not be written"
    if reason:
        raise InputError(
            f"'{output}' cannot be written: {reason}", code="unwritable", remedy="Choose another place."
        )


def _check_suffix(engine: Engine, target: str, type_: SocketType, output: Path) -> None:
    if is_generic(type_):
        return  # what it is is only known when it is there, and is checked then
    if isinstance(type_, ValueType):
        cls: type = type_.cls
    elif is_plain(type_):
        cls = list if isinstance(type_, ListType) else str
    else:
        cls = object
    if not engine.registry.suffixes(cls):
        raise InputError(
            f"the output '{target}' is of type {type_.words}, which no pack writes to a file",
            code="cannot_export", remedy="Turn it into a picture, a number, text or a list first.",
        )  # fmt: skip
    engine.registry.exporter(cls, output)
