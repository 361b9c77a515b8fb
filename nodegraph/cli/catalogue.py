"""`nodegraph nodes` and `nodegraph templates`: what there is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from nodegraph.declare import NodeType, describe_range
from nodegraph.engine import Engine
from nodegraph.errors import InputError
from nodegraph.graph.loading import load_document
from nodegraph.registry import suggest
from nodegraph.sockets import records_in


def show_nodes(node_id: str | None, as_json: bool, data_dir: Path | None) -> None:
    """Print all node types, or everything about one."""
    with Engine(data_dir) as engine:
        types = engine.registry.nodes
        for failure in engine.packs.failures:
            click.echo(f"the pack '{failure.pack.name}' is left out: {failure.reason}", err=True)
        if node_id is not None and node_id not in types:
            message = f"no node type is called '{node_id}'"
            raise InputError(message, code="unknown_type", remedy=suggest(node_id, types))
        shown = [types[node_id]] if node_id is not None else sorted(types.values(), key=_place)
        if as_json:
            click.echo(json.dumps([type_.to_json() for type_ in shown], indent=2, ensure_ascii=False))
        elif node_id is not None:
            show_node(types[node_id], engine)
        else:
            _show_all(shown)


def show_templates(data_dir: Path | None) -> None:
    """Print the packaged workflows and their named inputs."""
    table = Table(box=None, pad_edge=False)
    for column in ("template", "name", "inputs"):
        table.add_column(column, overflow="fold")
    with Engine(data_dir) as engine:
        for name, path in sorted(engine.registry.templates.items()):
            document = load_document(path)
            table.add_row(
                f"template:{name}", document.name, " ".join(f"--{item}" for item in document.inputs)
            )
    Console().print(table)


def _place(type_: NodeType) -> tuple[str, str]:
    return type_.category, type_.id


def _show_all(types: list[NodeType]) -> None:
    table = Table(box=None, pad_edge=False)
    for column in ("node", "category", "what it does"):
        table.add_column(column, overflow="fold")
    for type_ in types:
        table.add_row(type_.id, type_.category, _first_line(type_.help))
    Console().print(table)


def show_node(type_: NodeType, engine: Engine) -> None:
    """Print everything about one node type."""
    console = Console(highlight=False)
    console.print(f"{type_.id} (version {type_.version}, pack {type_.pack})\n\n{type_.help}\n", markup=False)
    table = Table(box=None, pad_edge=False, title="inputs", title_justify="left")
    for column in ("name", "takes", "default", "help"):
        table.add_column(column, overflow="fold")
    for spec in type_.inputs.values():
        default = "required" if spec.required else json.dumps(spec.json_default, ensure_ascii=False)
        table.add_row(spec.name, describe_range(spec), default, str(spec.schema.get("description", "")))
    console.print(table)
    for name, output in type_.outputs.items():
        console.print(f"output {name}: {output.type.words}", markup=False)
    for spec in type_.inputs.values():
        kind = spec.type.to_json()
        if kind["type"] == "choice":
            console.print(f"\n{kind['registry']}:", markup=False)
            for entry in engine.registry.choices(kind["registry"]).values():
                console.print(f"  {entry.name}: {entry.help}", markup=False)
    for line in _records(type_):
        console.print(line, markup=False)


def _records(type_: NodeType) -> Iterator[str]:
    """The fields of every record that the node's inputs take."""
    options = (option for spec in type_.inputs.values() for option in records_in(spec.type))
    for option in dict.fromkeys(options):
        schema = option.model_json_schema()
        yield f"\n{option.__name__}: {_first_line(schema.get('description', ''))}"
        for name, field in schema.get("properties", {}).items():
            kind = json.dumps(field["const"]) if "const" in field else field.get("type", "record")
            default = f" = {json.dumps(field['default'])}" if "default" in field else ""
            yield f"  {name}: {kind}{'' if 'const' in field else default}"


def _first_line(text: str) -> str:
    return text.splitlines()[0] if text else ""
