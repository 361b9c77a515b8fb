"""Packs: a pack that breaks is left out whole, with its reason; everything else works."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from nodegraph import hookimpl, node
from nodegraph.engine import Engine
from nodegraph.errors import DeclarationError, InputError
from nodegraph.hookspecs import ChoiceEntry, Exporter, Hooks, NodeMigration, Resources, ResourceSettings
from nodegraph.modelfiles.families import Family
from nodegraph.packs import load_packs
from nodegraph.runtime import Files, RunRecord
from tests.toy import Box, NoModels, Toy, shown, toy_packs, workflow


@node("good.twice", lane="inline")
def twice(number: float = 1.0) -> float:
    """Twice the number."""
    return 2 * number


@node("toy.add", lane="inline")
def taken(a: float) -> float:
    """An id that the toy pack has."""
    return a


def not_a_node() -> None: ...


class Thawed: ...


class Nodes:
    """A pack with these nodes."""

    def __init__(self, *nodes: object) -> None:
        self.nodes = nodes

    @hookimpl
    def register_nodes(self) -> Sequence[object]:
        return self.nodes


class Raising(Nodes):
    """A pack that registers a node and then raises."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(twice)
        self.error = error

    @hookimpl
    def register_choices(self) -> Sequence[ChoiceEntry]:
        raise self.error


class Misspelt(Nodes):
    """A pack with a hook that does not exist."""

    @hookimpl
    def register_noodles(self) -> Sequence[object]:
        return []


class WrongParameters(Nodes):
    """A pack whose hook asks for what there is not."""

    @hookimpl
    def register_nodes(self, registry: object) -> Sequence[object]:  # type: ignore[override]
        return [registry]


class TakenChoice(Nodes):
    """A pack with a name that is taken in an open registry."""

    @hookimpl
    def register_choices(self) -> Sequence[ChoiceEntry]:
        return [ChoiceEntry("operations", "double", "again", object)]


class BadValue(Nodes):
    """A pack whose value class can change."""

    @hookimpl
    def register_values(self) -> Sequence[type]:
        return [Thawed]


BROKEN: list[tuple[object, str]] = [
    (Nodes(twice, not_a_node), "not_a_node is not a node"),
    (Nodes(twice, taken), "the node id 'toy.add' is declared by toy and by broken"),
    (Raising(KeyError("lost")), "KeyError: 'lost'"),
    (Raising(SystemExit(1)), "SystemExit: 1"),
    (Misspelt(twice), "register_noodles"),
    (WrongParameters(twice), "registry"),
    (TakenChoice(twice), "'double' is already in operations"),
    (BadValue(twice), "Thawed must be a frozen dataclass"),
]


@pytest.mark.parametrize(("broken", "reason"), BROKEN, ids=lambda value: str(value)[:30])
def test_a_broken_pack_is_left_out_whole_with_its_reason(
    broken: object, reason: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    packs = toy_packs(Toy(), ("broken", broken), ("late", Nodes()))
    (failure,) = packs.failures
    assert failure.pack.name == "broken"
    assert reason in failure.reason
    assert "Traceback" in failure.trace
    assert "the pack 'broken' is left out" in caplog.text
    assert [pack.name for pack in packs.loaded] == ["toy", "late"]
    assert "good.twice" not in packs.registry.nodes
    with Engine(tmp_path, packs=packs) as engine:
        assert engine.run_sync(workflow({"a": ("toy.add", {"a": 1})}, **shown("a"))).outputs == {
            "result": 2.0
        }


def test_a_pack_that_is_given_twice_counts_once() -> None:
    pack = Nodes(twice)
    packs = load_packs(extra=[("one", pack), ("two", pack)], installed=False)
    assert [loaded.name for loaded in packs.loaded] == ["one"]
    assert "already registered" in packs.failures[0].reason


def test_two_packs_may_share_a_node_function() -> None:
    packs = load_packs(extra=[("one", Nodes(twice)), ("two", Nodes(twice))], installed=False)
    assert not packs.failures


def test_a_node_knows_its_pack() -> None:
    packs = load_packs(extra=[("good", Nodes(twice))], installed=False)
    assert packs.registry.nodes["good.twice"].pack == "good"
    assert packs.registry.nodes["good.twice"].to_json()["pack"] == "good"


def _installed(folder: Path, name: str, source: str) -> None:
    """A distribution in a folder: a module and its entry point."""
    (folder / f"{name}_module.py").write_text(source)
    info = folder / f"{name}-1.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\n")
    (info / "entry_points.txt").write_text(f"[nodegraph]\n{name} = {name}_module\n")


GOOD = """
from nodegraph import hookimpl, node

@node("{name}.one", lane="inline")
def one() -> float:
    "One."
    return 1.0

@hookimpl
def register_nodes():
    return [one]
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Put distributions on the import path for one test."""
    monkeypatch.syspath_prepend(tmp_path)

    def install(name: str, source: str) -> None:
        _installed(tmp_path, name, source)
        importlib.invalidate_caches()
        monkeypatch.delitem(sys.modules, f"{name}_module", raising=False)

    return install


INSTALLED = ("builtin", "example")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise RuntimeError('no such library')", "RuntimeError: no such library"),
        ("import a_library_that_nobody_has", "ModuleNotFoundError"),
        ("def broken(:", "SyntaxError"),
        ("import sys; sys.exit('unsupported')", "SystemExit: unsupported"),
    ],
)
def test_an_installed_pack_that_cannot_be_imported_breaks_only_itself(
    install: Callable[[str, str], None], source: str, reason: str
) -> None:
    install("aaa_broken", source)
    install("zzz_good", GOOD.format(name="zzz_good"))
    packs = load_packs(blocked=INSTALLED)
    assert [(failure.pack.name, failure.pack.version) for failure in packs.failures] == [
        ("aaa_broken", "1.5")
    ]
    assert reason in packs.failures[0].reason
    assert [(pack.name, pack.distribution) for pack in packs.loaded] == [("zzz_good", "zzz_good")]
    assert "zzz_good.one" in packs.registry.nodes


def test_blocked_packs_are_not_even_imported(install: Callable[[str, str], None]) -> None:
    install("blocked_pack", "raise RuntimeError('imported')")
    packs = load_packs(blocked=[*INSTALLED, "blocked_pack"])
    assert not packs.failures
    assert "blocked_pack_module" not in sys.modules


def test_the_built_in_pack_comes_first_so_that_guests_are_left_out(
    install: Callable[[str, str], None],
) -> None:
    install("aaa_guest", GOOD.format(name="image.invert").replace("image.invert.one", "image.invert"))
    packs = load_packs()
    assert packs.loaded[0].name == "builtin"
    assert [failure.pack.name for failure in packs.failures] == ["aaa_guest"]
    assert packs.registry.nodes["image.invert"].pack == "builtin"


def test_two_engines_do_not_see_each_other(tmp_path: Path) -> None:
    with (
        Engine(tmp_path / "a", packs=toy_packs(Toy(), ("good", Nodes(twice)))) as rich,
        Engine(tmp_path / "b", packs=toy_packs(Toy())) as poor,
    ):
        assert "good.twice" in rich.registry.nodes
        assert "good.twice" not in poor.registry.nodes


def _write_box(box: Box, path: Path, record: RunRecord) -> None:
    path.write_text(f"{box.number}")


class Everything(Nodes):
    """A pack that uses every hook."""

    def __init__(self, folder: Path) -> None:
        super().__init__(twice)
        self.folder = folder

    @hookimpl
    def register_values(self) -> Sequence[type]:
        return [Box]

    @hookimpl
    def register_choices(self) -> Sequence[ChoiceEntry]:
        return [ChoiceEntry("operations", "halve", "half the number", lambda: lambda number: number / 2)]

    @hookimpl
    def register_model_families(self) -> Sequence[Family]:
        return []  # what a family is for is tested where files are told apart

    @hookimpl
    def register_exporters(self) -> Sequence[Exporter]:
        return [Exporter(Box, (".box",), _write_box)]

    @hookimpl
    def register_folders(self) -> Mapping[str, Sequence[Path]]:
        return {"images": [self.folder], "fonts": [self.folder]}

    @hookimpl
    def register_templates(self) -> Sequence[Path]:
        return [self.folder / "mine.json"]

    @hookimpl
    def register_migrations(self) -> Sequence[NodeMigration]:
        return [NodeMigration("good.double", 1, becomes="good.twice")]

    @hookimpl
    def make_contact_sheet(self, values: Sequence[object], labels: Sequence[str], columns: int) -> None:
        return None  # another pack may

    @hookimpl
    def make_resources(self, settings: ResourceSettings, files: Files) -> None:
        return None  # another pack may


def test_a_pack_may_add_to_everything(tmp_path: Path) -> None:
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    (shipped / "shipped.png").write_text("shipped text")
    (shipped / "mine.json").write_text(
        '{"nodegraph": 1, "nodes": {"n": {"type": "good.twice"}}, "outputs": {"o": {"from": "n"}}}'
    )
    with Engine(tmp_path / "data", packs=toy_packs(Toy(), ("all", Everything(shipped)))) as engine:
        assert not engine.packs.failures
        assert engine.run_sync("template:mine").outputs == {"o": 2.0}
        old = workflow({"n": ("good.double", {"number": 3})}, **shown("n"))
        assert engine.run_sync(old).outputs == {"result": 6.0}
        flow = workflow(
            {
                "text": ("toy.read", {"file": "shipped.png"}),
                "half": ("toy.apply", {"number": 5, "operation": "halve"}),
                "box": ("toy.box", {}),
            },
            outputs={name: {"from": name} for name in ("text", "half", "box")},
        )
        result = engine.run_sync(flow)
        assert (result.outputs["text"], result.outputs["half"]) == ("shipped text", 2.5)
        assert engine.files.names("fonts") == ["mine.json", "shipped.png"]
        engine.export(result.outputs["box"], tmp_path / "a.box", result.record)
        assert (tmp_path / "a.box").read_text() == "0.0"
        with pytest.raises(InputError, match=r"expected \.box or \.txt, found \.png"):
            engine.export(result.outputs["box"], tmp_path / "a.png", result.record)
        with pytest.raises(InputError, match="cannot be written to a file"):
            engine.export(5.0, tmp_path / "a.txt", result.record)


def test_every_hook_is_documented_and_used_here() -> None:
    hooks = [name for name in vars(Hooks) if not name.startswith("_")]
    assert hooks
    for name in hooks:
        assert getattr(Hooks, name).__doc__, name
        assert name in vars(Everything) or name in vars(Nodes), name


class Devices:
    """A pack with devices of its own."""

    def __init__(self) -> None:
        self.settings: list[ResourceSettings] = []

    @hookimpl
    def make_resources(self, settings: ResourceSettings, files: Files) -> Resources:
        self.settings.append(settings)
        return NoModels()


def test_a_guest_may_bring_the_devices(tmp_path: Path) -> None:
    toy, guest = Toy(), Devices()
    with Engine(tmp_path, packs=toy_packs(toy, ("guest", guest)), device="cpu", dtype="float32") as engine:
        assert engine.resources.profile() == "toy"
    assert [(settings.device, settings.dtype) for settings in guest.settings] == [("cpu", "float32")]
    assert toy.resources_made == 0


def test_without_a_pack_there_are_no_devices(tmp_path: Path) -> None:
    with (
        Engine(tmp_path, packs=load_packs(installed=False)) as engine,
        pytest.raises(DeclarationError, match="Install nodegraph with its built-in nodes"),
    ):
        _ = engine.resources
