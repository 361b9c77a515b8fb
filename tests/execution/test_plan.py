"""The plan: what runs, what is reused and why; nothing upstream of a hit is looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph.engine import Engine
from nodegraph.errors import RunFailedError, WorkflowError
from nodegraph.execution.plan import Plan, Snapshot, plan, resolve_targets
from nodegraph.execution.results import RunResult
from tests.conftest import MakeEngine
from tests.execution.dags import Rows, descendants, document, rows
from tests.toy import Toy, shown, workflow


def chain(value: float = 1, b: float = 1, **fields: Any) -> dict[str, Any]:
    nodes = {
        "one": ("toy.number", {"value": value}),
        "two": ("toy.add", {"a": "@one"}),
        "three": ("toy.add", {"a": "@two", "b": b}),
        "aside": ("toy.add", {"a": "@one", "b": 5}),
    }
    return workflow(nodes, **{**shown("three"), **fields})


def saving(number: float = 1, **fields: Any) -> dict[str, Any]:
    return workflow({"sum": ("toy.add", {"a": number}), "save": ("toy.save", {"number": "@sum"})}, **fields)


def actions(planned: Plan) -> dict[str, tuple[str, str]]:
    return {id_: (entry.action, entry.reason) for id_, entry in planned.entries.items()}


def outcomes(result: RunResult) -> dict[str, str]:
    return {id_: finished.outcome for id_, finished in result.nodes.items()}


def test_a_first_plan_runs_what_is_needed_and_says_why(engine: Engine) -> None:
    assert actions(engine.plan(chain())) == {
        "one": ("run", "first run"),
        "two": ("run", "first run"),
        "three": ("run", "first run"),
        "aside": ("not needed", "no wanted result needs it"),
    }


def test_nothing_upstream_of_a_hit_is_needed(engine: Engine) -> None:
    engine.run_sync(chain())
    assert actions(engine.plan(chain())) == {
        "one": ("not needed", "no wanted result needs it"),
        "two": ("not needed", "no wanted result needs it"),
        "three": ("memory", "unchanged"),
        "aside": ("not needed", "no wanted result needs it"),
    }


def test_the_field_that_changed_is_named(engine: Engine) -> None:
    engine.run_sync(chain())
    assert actions(engine.plan(chain(b=3)))["three"] == ("run", "changed: b")
    assert actions(engine.plan(chain(b=3)))["two"] == ("memory", "unchanged")
    changed = actions(engine.plan(chain(value=9)))
    assert [changed[name][1] for name in ("one", "two", "three")] == [
        "changed: value", "changed: a", "changed: a",
    ]  # fmt: skip


def test_going_back_to_earlier_settings_runs_nothing(engine: Engine) -> None:
    engine.run_sync(chain())
    engine.run_sync(chain(b=3))
    assert actions(engine.plan(chain()))["three"] == ("memory", "unchanged")


def failing(value: float, message: str = "no luck", b: float = 1) -> dict[str, Any]:
    """`two` fails, and `three` reads from it; `aside` runs beside them."""
    nodes = {
        "one": ("toy.number", {"value": value}),
        "two": ("toy.fail", {"number": "@one", "message": message}),
        "three": ("toy.add", {"a": "@two", "b": b}),
        "aside": ("toy.add", {"a": "@one", "b": 5}),
    }
    return workflow(nodes, outputs={"three": {"from": "three"}, "aside": {"from": "aside"}})


def test_after_a_failed_run_reasons_name_what_changed_since_there_was_a_result(engine: Engine) -> None:
    """`two` and `three` have results of the first run, `one` and `aside` of the failed one as well."""
    engine.run_sync(chain(), targets=["three", "aside"])
    with pytest.raises(RunFailedError):
        engine.run_sync(failing(7, b=2))
    planned = actions(engine.plan(chain(b=3), targets=["three", "aside"]))
    assert planned["three"] == ("run", "changed: b")  # not a as well, which it had in the failed run
    assert planned["two"] == ("memory", "unchanged")
    changed = actions(engine.plan(chain(value=8, b=3), targets=["three", "aside"]))
    assert [changed[id_][1] for id_ in ("one", "two", "three", "aside")] == [
        "changed: value", "changed: a", "changed: b, a", "changed: a",
    ]  # fmt: skip


def test_a_node_that_never_had_a_result_stays_at_its_first_run(engine: Engine) -> None:
    for _ in range(2):
        with pytest.raises(RunFailedError):
            engine.run_sync(failing(1))
    planned = actions(engine.plan(failing(1, "other luck")))
    assert [planned[id_] for id_ in ("one", "two", "three", "aside")] == [
        ("memory", "unchanged"), ("run", "first run"), ("run", "first run"), ("memory", "unchanged"),
    ]  # fmt: skip


def test_a_result_that_was_not_kept_says_so(make_engine: MakeEngine) -> None:
    engine = make_engine(cache_bytes=0)
    engine.run_sync(chain())
    assert actions(engine.plan(chain()))["three"] == ("run", "not kept in the cache")


def test_an_effect_whose_file_is_gone_says_so(engine: Engine) -> None:
    (artifact,) = engine.run_sync(saving()).artifacts
    assert actions(engine.plan(saving()))["save"] == ("saved", "already saved")
    artifact.path.unlink()
    why = "an effect: no file of it lies there as it would be now"
    assert actions(engine.plan(saving()))["save"] == ("run", why)


def test_planning_runs_nothing_and_writes_nothing(engine: Engine, toy: Toy, tmp_path: Path) -> None:
    engine.plan(saving())
    assert not toy.calls
    assert not list(tmp_path.rglob("*.*"))


def test_only_the_wanted_targets_are_planned(engine: Engine) -> None:
    planned = engine.plan(chain(), targets=["aside"])
    assert planned.by_action("run") == ["one", "aside"]
    assert planned.targets == ("aside",)
    assert engine.plan(chain(), targets=["result", "three"]).targets == ("three",)


def test_effects_and_named_outputs_are_what_a_workflow_runs_for(engine: Engine) -> None:
    graph = engine.bind(saving(outputs={"sum": {"from": "sum"}}))
    assert resolve_targets(graph) == ("save", "sum")


def test_a_second_run_finds_its_file(engine: Engine, toy: Toy) -> None:
    first = engine.run_sync(saving())
    second = engine.run_sync(saving())
    assert outcomes(second) == {"save": "saved"}
    assert second.artifacts == first.artifacts
    assert toy.calls == {"add": 1, "save": 1}
    (artifact,) = first.artifacts
    assert (artifact.path.read_text(), artifact.media_type, artifact.size) == ("2.0", "text/plain", 3)


def test_a_file_is_found_by_the_next_process(make_engine: MakeEngine, toy: Toy) -> None:
    first = make_engine().run_sync(saving())
    second = make_engine().run_sync(saving())
    assert outcomes(second) == {"save": "saved"}
    assert second.artifacts == first.artifacts
    assert toy.calls == {"add": 1, "save": 1}


@pytest.mark.parametrize("change", [Path.unlink, lambda path: path.write_text("edited")])
def test_a_deleted_or_edited_file_is_saved_again(engine: Engine, change: Any) -> None:
    (artifact,) = engine.run_sync(saving()).artifacts
    change(artifact.path)
    again = engine.run_sync(saving())
    assert outcomes(again) == {"sum": "memory", "save": "ran"}
    assert again.artifacts[0].path.read_text() == "2.0"


def test_an_edited_file_is_never_written_over(engine: Engine) -> None:
    (artifact,) = engine.run_sync(saving()).artifacts
    artifact.path.write_text("edited")
    (again,) = engine.run_sync(saving()).artifacts
    assert again.path != artifact.path
    assert artifact.path.read_text() == "edited"


def test_a_changed_document_is_saved_again_because_it_travels_in_the_file(engine: Engine) -> None:
    engine.run_sync(saving())
    assert outcomes(engine.run_sync(saving(name="renamed"))) == {"sum": "memory", "save": "ran"}
    assert outcomes(engine.run_sync(saving(name="renamed", view={"zoom": 2}))) == {"save": "saved"}


def test_an_effect_without_a_file_runs_every_time(engine: Engine, toy: Toy) -> None:
    flow = workflow({"show": ("toy.show", {"number": 1})})
    engine.run_sync(flow)
    engine.run_sync(flow)
    assert toy.calls["show"] == 2


@pytest.mark.parametrize("fields", [{}, shown("pass")])
def test_a_save_node_whose_output_is_read_runs_again(
    engine: Engine, toy: Toy, fields: dict[str, Any]
) -> None:
    """A file on disk does not give the node's outputs."""
    nodes: dict[str, Any] = {"pass": ("toy.save_and_pass", {"number": 4})}
    if not fields:
        nodes["show"] = ("toy.show", {"number": "@pass"})
    engine.run_sync(workflow(nodes, **fields))
    again = engine.run_sync(workflow(nodes, **fields))
    assert again.nodes["pass"].outcome == "ran"
    assert toy.calls["show"] == (0 if fields else 2)
    assert again.outputs == ({"result": 4.0} if fields else {})


def test_volatile_nodes_and_what_reads_them_run_every_time(engine: Engine) -> None:
    flow = workflow(
        {
            "dice": ("toy.dice", {}),
            "sum": ("toy.add", {"a": "@dice"}),
            "calm": ("toy.add", {"a": 1}),
            "total": ("toy.total", {"a": "@sum", "b": "@calm"}),
        },
        **shown("total"),
    )
    engine.run_sync(flow)
    planned = actions(engine.plan(flow))
    assert planned["dice"] == ("run", "changed: @nonce")
    assert planned["sum"][0] == planned["total"][0] == "run"
    assert planned["calm"] == ("memory", "unchanged")


def test_a_fingerprint_decides_what_runs_again(engine: Engine, toy: Toy) -> None:
    flow = workflow({"watch": ("toy.watch", {"number": 2})}, **shown("watch"))
    engine.run_sync(flow)
    assert actions(engine.plan(flow))["watch"] == ("memory", "unchanged")
    toy.fingerprint = "2"
    assert actions(engine.plan(flow))["watch"] == ("run", "changed: @fingerprint")


def test_a_broken_fingerprint_is_a_problem_of_its_node(engine: Engine) -> None:
    with pytest.raises(WorkflowError, match=r"node 'blind'.*fingerprint.*KeyError: 'missing'"):
        engine.plan(workflow({"blind": ("toy.blind", {})}, **shown("blind")))


def reading(name: str = "in.png") -> dict[str, Any]:
    return workflow({"read": ("toy.read", {"file": name})}, **shown("read"))


def test_a_file_counts_by_its_content_not_its_name(engine: Engine) -> None:
    folder = engine.data_dir / "inputs"
    folder.mkdir(parents=True)
    for name, text in (("in.png", "same"), ("copy.png", "same"), ("other.png", "other")):
        (folder / name).write_text(text)
    assert engine.run_sync(reading()).outputs == {"result": "same"}
    assert actions(engine.plan(reading("copy.png")))["read"] == ("memory", "unchanged")
    assert actions(engine.plan(reading("other.png")))["read"] == ("run", "changed: file")
    (folder / "in.png").write_text("changed")
    assert engine.run_sync(reading()).outputs == {"result": "changed"}


def test_without_a_hash_the_plan_waits_and_says_for_what(engine: Engine) -> None:
    folder = engine.data_dir / "inputs"
    folder.mkdir(parents=True)
    (folder / "in.png").write_text("text")
    flow = workflow(
        {
            "read": ("toy.read", {"file": "in.png"}),
            "sum": ("toy.add", {"a": 1}),
            "show": ("toy.show", {"number": "@sum"}),
        },
        **shown("read"),
    )
    graph = engine.bind(flow)
    planned = plan(graph, ("read", "show"), Snapshot())
    assert (planned.entries["read"].key, planned.entries["read"].reason) == (
        None,
        "waiting for the hash of 'in.png'",
    )
    assert planned.entries["sum"].key is not None


def test_a_plan_is_a_pure_function_of_its_snapshot(engine: Engine) -> None:
    graph = engine.bind(chain())
    keys = {id_: entry.key for id_, entry in engine.plan(chain()).entries.items()}
    snapshot = Snapshot(cached={keys["two"]}, document="d")
    assert plan(graph, ("three",), snapshot) == plan(graph, ("three",), snapshot)
    assert plan(graph, ("three",), snapshot).by_action("memory") == ["two"]


@given(rows(), st.data())
def test_one_changed_parameter_runs_exactly_its_descendants(
    make_engine: MakeEngine, rows: Rows, data: st.DataObject
) -> None:
    engine = make_engine()
    changed = data.draw(st.integers(0, len(rows) - 1))
    rows = [{**row, "a": ("number", 1000.0 + index)} for index, row in enumerate(rows)]  # all differ
    engine.run_sync(document(rows))
    rows[changed] = {**rows[changed], "a": ("number", -1.0)}
    assert set(engine.run_sync(document(rows)).outcomes("ran")) == descendants(rows, changed)
    assert engine.run_sync(document(rows)).outcomes("ran") == []
