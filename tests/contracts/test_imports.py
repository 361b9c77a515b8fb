"""What importing costs: the heavy libraries come in when something computes with them, not before."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {"torch", "transformers", "aiohttp", "networkx", "numpy", "PIL", "scipy", "safetensors", "diffusers"}
COMPUTING = {"torch", "transformers", "aiohttp", "diffusers"}
_REPORT = "\nimport json, sys\nprint('\\n' + json.dumps(sorted(m for m in sys.modules)))"
_RUN = """
import runpy, sys
sys.argv = ["nodegraph", *{arguments!r}]
try:
    runpy.run_module("nodegraph", run_name="__main__")
except SystemExit as exit:
    assert not exit.code, exit.code
"""


def loaded(code: str) -> set[str]:
    """The modules that are loaded after running some code in a fresh interpreter."""
    done = subprocess.run([sys.executable, "-c", code + _REPORT], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    ("code", "forbidden"),
    [
        ("import nodegraph", HEAVY | {"pydantic", "pluggy"}),
        ("from nodegraph import *", HEAVY),
        ("import nodegraph.engine", HEAVY),
        ("import nodegraph.cli", HEAVY),
        ("import nodegraph_nodes", HEAVY),
        (_RUN.format(arguments=["--help"]), HEAVY | {"pydantic", "pluggy", "yarl"}),
        (_RUN.format(arguments=["submit", "--help"]), HEAVY | {"pydantic", "pluggy", "yarl"}),
        ("import nodegraph.client, nodegraph.client.errors", HEAVY | {"pydantic", "pluggy", "yarl"}),
        (_RUN.format(arguments=["nodes"]), COMPUTING),
        (_RUN.format(arguments=["templates"]), COMPUTING),
        (_RUN.format(arguments=["check", "template:text-to-image"]), COMPUTING),
        (_RUN.format(arguments=["models", "list"]), COMPUTING),
        ("from nodegraph.packs import load_packs\nassert not load_packs().failures", COMPUTING),
        ("import nodegraph.diffusion", COMPUTING),
        ("import nodegraph.modelfiles", COMPUTING),
    ],
    ids=lambda value: (
        value.strip().splitlines()[1 if "argv" in value else 0] if isinstance(value, str) else ""
    ),
)
def test_heavy_libraries_stay_out(code: str, forbidden: set[str]) -> None:
    modules = loaded(code)
    assert not {module for module in modules if module.partition(".")[0] in forbidden}
    assert not {module for module in modules if module.partition(".")[0] == "nodes"}


def test_every_public_name_is_there_and_documented() -> None:
    import nodegraph

    assert list(nodegraph.__all__) == sorted(nodegraph.__all__)
    assert {*nodegraph.__all__, "__version__"} == set(dir(nodegraph))
    for name in nodegraph.__all__:
        assert getattr(nodegraph, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Spaceship'"):
        _ = nodegraph.Spaceship


def test_every_installed_node_has_help_and_a_json_schema() -> None:
    from nodegraph.packs import load_packs

    packs = load_packs()
    assert not packs.failures
    for type_ in packs.registry.nodes.values():
        assert type_.help, type_.id
        assert type_.title, type_.id
        assert type_.category, type_.id
        assert json.loads(json.dumps(type_.to_json()))["id"] == type_.id
