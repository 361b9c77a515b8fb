"""The built-in pack: nodes, samplers, schedulers, devices and models, through the door that every pack uses.

Importing it loads no torch: node bodies reach `nodegraph.diffusion` when they run.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from nodegraph.hookspecs import ChoiceEntry, Exporter, NodeMigration, Resources, ResourceSettings, hookimpl
from nodegraph.runtime import Files

_HERE = Path(__file__).parent


@hookimpl
def register_nodes() -> Sequence[object]:
    from nodegraph_nodes.catalogue import NODES

    return NODES


@hookimpl
def register_migrations() -> Sequence[NodeMigration]:
    from nodegraph_nodes.catalogue import MIGRATIONS

    return MIGRATIONS


@hookimpl
def register_choices() -> Sequence[ChoiceEntry]:
    from nodegraph_nodes.sampling.choices import CHOICES

    return CHOICES


@hookimpl
def register_exporters() -> Sequence[Exporter]:
    from nodegraph_nodes.image.files import EXPORTERS
    from nodegraph_nodes.plain import EXPORTERS as PLAIN

    return [*EXPORTERS, *PLAIN]


@hookimpl
def register_folders() -> Mapping[str, Sequence[Path]]:
    models = _HERE / "models"
    return {
        "checkpoints": [models / "checkpoints"],
        "loras": [models / "loras"],
        "images": [_HERE / "images"],
    }


@hookimpl
def register_templates() -> Sequence[Path]:
    return sorted((_HERE / "workflows").glob("*.json"))


@hookimpl
def make_resources(settings: ResourceSettings, files: Files) -> Resources:
    # Before torch is loaded: its threads must sleep, not spin, while they wait. Spinning threads next to any
    # other busy process on the same cores made small networks up to fifty times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from nodegraph_nodes.resources import DiffusionResources

    return DiffusionResources(settings, files)


@hookimpl
def make_contact_sheet(values: Sequence[object], labels: Sequence[str], columns: int) -> object | None:
    from nodegraph import Image

    images = [value for value in values if isinstance(value, Image)]
    if not images or len(images) < len(values):
        return None
    from nodegraph_nodes.image.sheet import contact_sheet

    return contact_sheet(images, labels, columns)
