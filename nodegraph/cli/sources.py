"""What a command line names: workflows and the values of their inputs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nodegraph.engine import Engine
from nodegraph.errors import InputError
from nodegraph.graph.document import Document
from nodegraph.graph.embedding import holds_picture, read_record
from nodegraph.graph.inputs import input_specs, parse_text
from nodegraph.graph.sweep import Sweep, sweep_of
from nodegraph.registry import suggest


def find_workflow(workflow: str, extra: Sequence[str]) -> tuple[str, list[str]]:
    """WORKFLOW and the words after it, where options for named inputs may come first (each has a value)."""
    words = [workflow, *extra]
    index = 0
    while index < len(words) and words[index].startswith("--"):
        index += 1 if "=" in words[index] else 2
    if index >= len(words):
        raise InputError(
            f"no workflow is named beside '{' '.join(words)}'", code="no_workflow",
            remedy="Name it first: nodegraph run WORKFLOW --prompt 'a red circle'.",
        )  # fmt: skip
    return words[index], words[:index] + words[index + 1 :]


def load_workflow(engine: Engine, name: str) -> Document:
    """A document by template name, from a JSON file, or from inside a picture."""
    return engine.load(name if name.startswith("template:") else Path(name))


def stored_sweep(name: str) -> Sweep | None:
    """The sweep behind a contact sheet; None for workflows that are no contact sheets."""
    path = Path(name)
    if name.startswith("template:") or not holds_picture(path):
        return None
    return sweep_of(read_record(path).get("run"))


def input_values(
    engine: Engine, document: Document, pairs: Sequence[str], extra: Sequence[str]
) -> dict[str, Any]:
    """Values of named inputs from `--input name=value` and `--name value`. Later ones win."""
    texts = pairs_of(pairs) | _options(extra, document)
    specs = input_specs(document, engine.registry)
    return {
        name: parse_text(specs[name], text) if name in specs else guessed(text)
        for name, text in texts.items()
    }


def guessed(text: str) -> Any:
    """A value of an input whose type is not known here: JSON where it is some, else text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def pairs_of(pairs: Sequence[str]) -> dict[str, str]:
    """The texts of `--input name=value`. InputError where one is none."""
    texts: dict[str, str] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise InputError(
                f"'--input {pair}' is not NAME=VALUE", remedy="Write --input prompt='a red circle'."
            )
        texts[name] = text
    return texts


def _options(extra: Sequence[str], document: Document) -> dict[str, str]:
    """`--name value` and `--name=value`. A word that is no option, or no named input, is an error."""
    found: dict[str, str] = {}
    words = list(extra)
    while words:
        word = words.pop(0)
        if not word.startswith("--"):
            raise InputError(f"'{word}' is not an option", remedy="Quote a value that holds spaces.")
        name, equals, text = word.removeprefix("--").partition("=")
        if name not in document.inputs and name.replace("-", "_") in document.inputs:
            name = name.replace("-", "_")
        if name not in document.inputs:
            remedy = suggest(name, document.inputs) or "The workflow has no named inputs."
            raise InputError(
                f"there is no option or named input '--{name}'", code="unknown_input", remedy=remedy
            )
        if not equals and not words:
            raise InputError(f"'--{name}' has no value", input=name)
        found[name] = text if equals else words.pop(0)
    return found
