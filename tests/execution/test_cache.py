"""The memory cache: never over its budget, never wrong, and the cheapest to rebuild goes first."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph.execution.cache import MemoryCache, size_of

SMALL = size_of({"value": 1})


def outputs(items: int = 0) -> dict[str, Any]:
    """A result of a known size: eight bytes an item over a small one."""
    return {"value": "x" * items}


@given(
    st.integers(0, 6 * SMALL),
    st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, SMALL), st.floats(0, 10), st.booleans())),
)
def test_any_use_keeps_the_budget_and_gives_back_what_was_put(
    budget: int, uses: list[tuple[str, int, float, bool]]
) -> None:
    cache = MemoryCache(budget)
    model: dict[str, Any] = {}
    for key, items, seconds, reading in uses:
        found = cache.get(key)
        assert (found is not None) == (key in cache)
        if found is not None:
            assert found is model[key]
        if not reading:
            if key not in cache:
                model[key] = outputs(items)
            cache.put(key, model[key], seconds)
        kept = [name for name in "abcdefgh" if name in cache]
        assert cache.used == sum(size_of(model[name]) for name in kept) <= budget
        assert len(cache) == len(kept)


def test_what_is_larger_than_the_budget_is_not_kept_and_evicts_nothing() -> None:
    cache = MemoryCache(3 * SMALL)
    cache.put("small", outputs(), 1.0)
    cache.put("large", outputs(SMALL), 1.0)
    assert "small" in cache
    assert "large" not in cache


def test_the_cheapest_to_rebuild_goes_first() -> None:
    cache = MemoryCache(2 * SMALL + 16)
    cache.put("slow", outputs(), 10.0)
    cache.put("fast", outputs(), 0.1)
    cache.put("new", outputs(), 5.0)
    assert [key in cache for key in ("slow", "fast", "new")] == [True, False, True]
    assert cache.evictions == 1


def test_of_equal_cost_the_larger_goes_first() -> None:
    cache = MemoryCache(SMALL * 4)
    cache.put("large", outputs(SMALL // 8), 1.0)
    cache.put("small", outputs(), 1.0)
    cache.put("new", outputs(SMALL // 8), 1.0)
    assert [key in cache for key in ("large", "small", "new")] == [False, True, True]


def test_what_is_not_used_ages_whatever_it_cost() -> None:
    cache = MemoryCache(2 * SMALL)
    cache.put("precious", outputs(), 5.0)
    for index in range(20):
        cache.put(f"passing{index}", outputs(), 1.0)
    assert "precious" not in cache


def test_use_keeps_an_entry_young() -> None:
    cache = MemoryCache(2 * SMALL)
    cache.put("used", outputs(), 1.5)
    for index in range(20):
        cache.put(f"passing{index}", outputs(), 1.0)
        assert cache.get("used") is not None


def test_holding_is_all_or_nothing() -> None:
    cache = MemoryCache(10 * SMALL)
    kept = outputs()
    cache.put("a", kept, 1.0)
    assert cache.hold(["a"]) == {"a": kept}
    assert cache.hold(["a", "b"]) is None
    assert cache.hold([]) == {}


def test_clearing_forgets_everything() -> None:
    cache = MemoryCache(10 * SMALL)
    cache.put("a", outputs(), 1.0)
    cache.clear()
    assert (len(cache), cache.used, "a" in cache) == (0, 0, False)
    cache.put("a", outputs(), 1.0)
    assert len(cache) == 1


def test_shared_storage_is_counted_once() -> None:
    torch = pytest.importorskip("torch")
    tensor = torch.zeros(1000)
    assert size_of({"a": tensor}) - SMALL == pytest.approx(4000, abs=64)
    assert size_of({"a": tensor, "b": [tensor, tensor.view(10, 100)]}) - size_of({"a": tensor}) == 16
    assert size_of({"a": tensor[:10]}) == size_of({"a": tensor})


def test_many_threads_agree_on_what_is_kept() -> None:
    cache = MemoryCache(8 * SMALL)
    start = threading.Barrier(4)
    failures: list[str] = []

    def work(offset: int) -> None:
        start.wait(30)
        for index in range(2000):
            key = str((index * 7 + offset) % 24)
            found = cache.get(key)
            if found is not None and found["value"] != key:
                failures.append(key)
            cache.put(key, {"value": key}, (index % 5) / 10)

    threads = [threading.Thread(target=work, args=(offset,)) for offset in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    kept = [str(key) for key in range(24) if str(key) in cache]
    assert len(cache) == len(kept)
    assert cache.used == sum(size_of({"value": key}) for key in kept) <= cache.budget
