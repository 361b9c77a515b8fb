"""The policy of the queue: priority, turns between users, places within a user's jobs."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from nodegraph.jobs.queue import Queue
from nodegraph.jobs.records import Job


def job(number: int, user: str = "a", priority: int = 0, state: str = "queued") -> Job:
    return Job(
        id=str(number), number=number, user=user, state=state, title="", priority=priority,  # type: ignore[arg-type] # one of the states
        position=float(number), key=None, group=None, document=b"", inputs=b"", options=b"", created=0.0,
        started=None, finished=None, worker=None, attempts=0, deaths=0, result=None, problems=None,
        hidden=False, shown=None,
    )  # fmt: skip


def filled(*jobs: Job) -> Queue:
    queue = Queue()
    for one in jobs:
        queue.add(one)
    return queue


def drained(queue: Queue) -> list[str]:
    found = []
    while (following := queue.next()) is not None:
        queue.serve(following)
        found.append(following.id)
    return found


def test_users_take_turns_and_each_keeps_its_order() -> None:
    queue = filled(*(job(number, "a") for number in range(1, 5)), job(5, "b"), job(6, "b"), job(7, "c"))
    assert drained(queue) == ["1", "5", "7", "2", "6", "3", "4"]


def test_a_higher_priority_goes_first_and_a_held_job_waits() -> None:
    queue = filled(job(1), job(2, priority=5), job(3, "b", priority=5), job(4, state="held"))
    assert drained(queue) == ["2", "3", "1"]
    assert [one.id for one in queue.order()] == ["4"]


def test_a_job_is_moved_among_its_users_jobs() -> None:
    queue = filled(*(job(number) for number in range(1, 5)), job(5, "b"))
    moves: list[tuple[str, dict[str, str], str]] = [
        ("4", {"before": "2"}, "1 4 2 3"),
        ("4", {"after": "3"}, "1 2 3 4"),
        ("3", {"before": ""}, "3 1 2 4"),
        ("3", {}, "1 2 4 3"),
    ]
    for id_, where, wanted in moves:
        position = queue.position_for(id_, **where)
        assert position is not None
        known = queue.get(id_)
        assert known is not None
        queue.add(replace(known, position=position))
        assert [one.id for one in queue.order() if one.user == "a"] == wanted.split()
    assert queue.position_for("1", before="5") is None  # another user's
    assert queue.position_for("9") is None


JOBS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(-2, 2), st.booleans()), min_size=1, max_size=30)


@given(JOBS)
def test_the_foreseen_order_is_the_order_and_nobody_is_overtaken_unfairly(
    entries: list[tuple[str, int, bool]],
) -> None:
    jobs = [
        job(number, user, priority, "held" if held else "queued")
        for number, (user, priority, held) in enumerate(entries, 1)
    ]
    foreseen = [one.id for one in filled(*jobs).order() if one.state == "queued"]
    queue = filled(*jobs)
    served = drained(queue)
    assert served == foreseen
    assert sorted(served) == sorted(one.id for one in jobs if one.state == "queued")
    by_id = {one.id: one for one in jobs}
    order = [by_id[id_] for id_ in served]
    assert [one.priority for one in order] == sorted((one.priority for one in order), reverse=True)
    lanes: dict[tuple[str, int], list[int]] = defaultdict(list)
    for one in order:
        lanes[one.user, one.priority].append(one.number)
    assert all(numbers == sorted(numbers) for numbers in lanes.values())


@given(JOBS, st.data())
def test_what_is_added_again_counts_as_it_is_now(
    entries: list[tuple[str, int, bool]], data: st.DataObject
) -> None:
    jobs = {str(number): job(number, user, priority) for number, (user, priority, _) in enumerate(entries, 1)}
    queue = filled(*jobs.values())
    for id_ in data.draw(st.lists(st.sampled_from(sorted(jobs)))):
        jobs[id_] = replace(jobs[id_], priority=data.draw(st.integers(-2, 2)))
        queue.add(jobs[id_])
    gone = data.draw(st.sets(st.sampled_from(sorted(jobs))))
    for id_ in gone:
        queue.remove(id_)
    left = [one for id_, one in jobs.items() if id_ not in gone]
    assert drained(queue) == [one.id for one in filled(*left).order()]


def test_places_are_those_of_the_order_after_every_change() -> None:
    queue = filled(*(job(number, user="ab"[number % 2], priority=number % 3) for number in range(6)))
    for _ in range(6):
        order = queue.order()
        assert [queue.place(one.id) for one in order] == list(range(len(order)))
        queue.serve(order[0])
        assert queue.place(order[0].id) is None
