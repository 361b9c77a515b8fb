"""Both tiers together: what goes to disk, and what another engine over the same folder finds there."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from nodegraph.errors import InputError
from nodegraph.execution import events
from nodegraph.execution.results import RunResult
from nodegraph.execution.tiers import worth_a_file
from tests.execution.conftest import NewEngine
from tests.execution.work import Work
from tests.toy import shown, workflow

CHAIN = workflow(
    {
        "first": ("work.double", {"number": 3}),
        "second": ("work.double", {"number": "@first"}),
        "sum": ("toy.add", {"a": "@second"}),
    },
    name="chain",
    **shown("sum"),
)


def outcomes(result: RunResult) -> dict[str, str]:
    return {id_: finished.outcome for id_, finished in result.nodes.items()}


def test_another_engine_finds_what_is_worth_a_file(new_engine: NewEngine, work: Work) -> None:
    assert outcomes(new_engine().run_sync(CHAIN)) == {"first": "ran", "second": "ran", "sum": "ran"}
    engine = new_engine()
    planned = engine.plan(CHAIN)
    assert [(entry.action, entry.reason) for entry in planned.entries.values()] == [
        ("not needed", "no wanted result needs it"),
        ("disk", "unchanged"),
        ("run", "not kept in the cache"),
    ]
    log: list[events.Event] = []
    result = engine.run_sync(CHAIN, on_event=log.append)
    assert outcomes(result) == {"second": "disk", "sum": "ran"}
    assert log[0] == events.RunStarted(to_run=1, reused=1)
    assert result.outputs == {"result": 13.0}
    assert work.calls["double"] == 2
    assert outcomes(engine.run_sync(CHAIN)) == {"sum": "memory"}  # what was read is in memory now


def test_a_run_returns_when_everything_is_written(new_engine: NewEngine) -> None:
    engine = new_engine()
    result = engine.run_sync(CHAIN)
    assert engine.disk is not None
    assert [result.key(node) in engine.disk for node in ("first", "second", "sum")] == [True, True, False]


def test_results_that_come_faster_than_the_disk_are_waited_for(
    new_engine: NewEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nodegraph.execution.tiers._BACKLOG", 0)
    nodes = {f"n{index}": ("work.double", {"number": index}) for index in range(20)}
    engine = new_engine()
    engine.run_sync(workflow(nodes), targets=list(nodes))
    assert engine.disk is not None
    assert len(engine.disk.entries()) == 20


def test_what_follows_a_volatile_node_stays_in_memory(new_engine: NewEngine) -> None:
    flow = workflow(
        {
            "dice": ("work.dice", {}),
            "after": ("work.double", {"number": "@dice"}),
            "far": ("work.double", {"number": "@after"}),
            "aside": ("work.double", {"number": 5}),
            "sum": ("toy.total", {"a": "@far", "b": "@aside"}),
        },
        **shown("sum"),
    )
    engine = new_engine()
    result = engine.run_sync(flow)
    assert engine.disk is not None
    assert [entry.key for entry in engine.disk.entries()] == [result.key("aside")]
    assert {id_ for id_, entry in result.plan.entries.items() if not entry.lasting} == {
        "dice", "after", "far", "sum",
    }  # fmt: skip


def test_a_damaged_entry_is_made_again(new_engine: NewEngine, work: Work) -> None:
    engine = new_engine()
    engine.run_sync(CHAIN)
    assert engine.disk is not None
    for path in engine.disk.folder.glob("*.safetensors"):
        path.write_bytes(path.read_bytes()[:-1])
    assert new_engine().run_sync(CHAIN).outputs == {"result": 13.0}
    assert work.calls["double"] == 4
    assert outcomes(new_engine().run_sync(CHAIN)) == {"second": "disk", "sum": "ran"}


def test_no_disk_cache_means_no_files(new_engine: NewEngine, tmp_path: Path) -> None:
    engine = new_engine(disk_cache_bytes=0)
    engine.run_sync(CHAIN)
    assert engine.disk is None
    assert not (tmp_path / "data" / "cache").exists()


def test_a_forbidden_disk_costs_one_warning_before_the_work(
    new_engine: NewEngine, work: Work, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "cache").write_text("a file where the folder should be")
    engine = new_engine()
    seen: list[int] = []
    flow = workflow(
        {"hold": ("work.hold", {"number": 3}), "double": ("work.double", {"number": "@hold"})},
        **shown("double"),
    )
    work.meanwhile = lambda: seen.append(len(caplog.records))
    with caplog.at_level(logging.WARNING, "nodegraph"):
        assert engine.run_sync(flow).outputs == {"result": 6.0}
        assert engine.run_sync(CHAIN).outputs == {"result": 13.0}
    (message,) = [record.getMessage() for record in caplog.records]
    assert message.startswith("nothing is kept on disk for later runs: ")
    assert "'" + str(tmp_path / "data" / "cache") + "' is not a folder" in message
    assert "--data-dir" in message
    assert seen == [1]


def test_a_disk_that_fails_in_the_run_costs_a_warning(
    new_engine: NewEngine, work: Work, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    flow = workflow(
        {"hold": ("work.hold", {"number": 3}), "double": ("work.double", {"number": "@hold"})},
        **shown("double"),
    )
    engine = new_engine()
    work.meanwhile = lambda: (tmp_path / "data").write_text("a file where the folder should be")
    with caplog.at_level(logging.WARNING, "nodegraph"):
        assert engine.run_sync(flow).outputs == {"result": 6.0}
    messages = [record.getMessage() for record in caplog.records]
    assert any(message.startswith("a result of work.double is not kept on disk") for message in messages)


def test_another_engine_says_what_changed(new_engine: NewEngine) -> None:
    new_engine().run_sync(CHAIN)
    changed = {**CHAIN, "nodes": {**CHAIN["nodes"], "sum": {**CHAIN["nodes"]["sum"]}}}
    changed["nodes"]["first"] = {"type": "work.double", "inputs": {"number": 4}}
    planned = new_engine().plan(changed)
    assert {id_: entry.reason for id_, entry in planned.entries.items()} == {
        "first": "changed: number", "second": "changed: number", "sum": "changed: a",
    }  # fmt: skip


def test_what_was_not_needed_is_remembered_from_the_run_before(new_engine: NewEngine) -> None:
    new_engine().run_sync(CHAIN)
    new_engine().run_sync(CHAIN)  # `first` is not needed
    engine = new_engine()
    assert engine.disk is not None
    engine.disk.clear()
    assert engine.plan(CHAIN).entries["first"].reason == "not kept in the cache"


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"format": 0}', '{"format": 1, "nodes": {"sum": 1}}'])
def test_a_damaged_memory_of_runs_costs_a_reason(new_engine: NewEngine, tmp_path: Path, damage: str) -> None:
    new_engine().run_sync(CHAIN)
    (path,) = (tmp_path / "data" / "cache" / "runs").glob("*.json")
    path.write_text(damage)
    assert new_engine().plan(CHAIN).entries["sum"].reason == "first run"


def test_explaining_and_clearing(new_engine: NewEngine) -> None:
    engine = new_engine()
    result = engine.run_sync(CHAIN)
    kept = engine.explain_cache()
    assert sorted((entry.tier, entry.node) for entry in kept) == [
        ("disk", "work.double"), ("disk", "work.double"),
        ("memory", "toy.add"), ("memory", "work.double"), ("memory", "work.double"),
    ]  # fmt: skip
    assert all(entry.size > 0 and entry.worth > 0 for entry in kept)
    in_memory = [entry.worth for entry in kept if entry.tier == "memory"]
    assert in_memory == sorted(in_memory, reverse=True)
    engine.pin(result.key("sum"))
    assert [entry.key for entry in engine.explain_cache() if entry.pinned] == [result.key("sum")]
    count, size = engine.clear_cache()
    assert (count, size > 0) == (2, True)
    assert engine.explain_cache() == []
    assert outcomes(engine.run_sync(CHAIN)) == {"first": "ran", "second": "ran", "sum": "ran"}


def test_keys_are_asked_for_by_node(new_engine: NewEngine) -> None:
    result = new_engine().run_sync(CHAIN)
    with pytest.raises(InputError, match="Did you mean 'second'"):
        result.key("secnd")


def test_only_what_is_dearer_than_reading_is_worth_a_file(new_engine: NewEngine) -> None:
    types = new_engine().registry.nodes
    device, cpu = types["work.double"], types["toy.add_on_cpu"]
    assert worth_a_file(device, 0.0, 10**9)
    assert not worth_a_file(cpu, 0.01, 100)
    assert worth_a_file(cpu, 0.1, 100)
    assert not worth_a_file(cpu, 0.1, 10**9)
    assert worth_a_file(cpu, 10.0, 10**9)
