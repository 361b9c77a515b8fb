"""Pinned results stay, whatever else needs room, and the budget holds all the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nodegraph.execution.cache import MemoryCache, size_of
from tests.execution.conftest import NewEngine
from tests.toy import shown, workflow

SMALL = size_of({"value": 1})
KEYS = "abcdef"
Uses = list[tuple[str, str, int]]


@given(
    st.integers(0, 5 * SMALL),
    st.lists(
        st.tuples(
            st.sampled_from(["put", "get", "pin", "unpin", "discard", "clear"]),
            st.sampled_from(KEYS),
            st.integers(0, SMALL // 4),
        )
    ),
)
def test_any_use_keeps_the_budget_and_every_pinned_entry(budget: int, uses: Uses) -> None:
    cache = MemoryCache(budget)
    pinned: set[str] = set()
    sizes: dict[str, int] = {}
    for use, key, items in uses:
        held = {name for name in KEYS if name in cache}
        if use == "put":
            outputs = {"value": "x" * items}
            cache.put(key, outputs, items / 10)
            if key not in held:
                sizes[key] = size_of(outputs)
        elif use == "get":
            assert (cache.get(key) is not None) == (key in held)
        elif use == "pin":
            assert cache.pin(key) == (key in held)
            pinned.add(key)
        elif use == "unpin":
            cache.unpin(key)
            pinned.discard(key)
        elif use == "discard":
            cache.discard(key)
            assert key not in cache
        else:
            cache.clear()
        if use in ("put", "get", "pin", "unpin"):
            assert {name for name in held & pinned if name not in cache} == set()
        kept = cache.explain()
        assert {entry.key for entry in kept} == {name for name in KEYS if name in cache}
        assert {entry.key for entry in kept if entry.pinned} == {entry.key for entry in kept} & pinned
        assert cache.used == sum(sizes[entry.key] for entry in kept) <= budget
    for key in pinned:
        cache.unpin(key)
    cache.put("last", {"value": 1}, 1e9)
    assert ("last" in cache) == (budget >= SMALL), "what was pinned once can be evicted again"


def test_a_pinned_result_outlives_dearer_ones() -> None:
    cache = MemoryCache(2 * SMALL)
    cache.put("cheap", {"value": 1}, 0.001)
    assert cache.pin("cheap")
    for index in range(5):
        cache.put(f"dear{index}", {"value": 1}, 100.0)
    assert "cheap" in cache
    cache.unpin("cheap")
    cache.put("next", {"value": 1}, 100.0)
    assert "cheap" not in cache


def test_where_all_is_pinned_nothing_else_is_kept() -> None:
    cache = MemoryCache(SMALL)
    assert not cache.pin("later")  # from when it is made
    cache.put("later", {"value": 1}, 0.0)
    cache.put("other", {"value": 1}, 100.0)
    assert [key in cache for key in ("later", "other")] == [True, False]


def test_a_node_of_a_run_is_pinned_by_its_key(new_engine: NewEngine) -> None:
    engine = new_engine(cache_bytes=2 * SMALL, disk_cache_bytes=0)

    def number(value: float) -> dict[str, object]:
        return workflow({"number": ("toy.number", {"value": value})}, **shown("number"))

    assert engine.pin(engine.run_sync(number(0)).key("number"))
    for value in range(1, 6):
        engine.run_sync(number(value))
    assert engine.run_sync(number(0)).outcomes("memory") == ["number"]
    assert engine.run_sync(number(1)).outcomes("ran") == ["number"]
