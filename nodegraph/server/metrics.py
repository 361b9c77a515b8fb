"""Figures for Prometheus, collected when they are asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from nodegraph.server.state import Services


Values = Iterable[tuple[tuple[str, ...], int]]
"""Figures with the values of their labels."""


class Counts:
    """What happened since the server started."""

    def __init__(self) -> None:
        self.submitted = 0
        self.ended: Counter[str] = Counter()
        self.requests: Counter[tuple[str, str, int]] = Counter()


class _Collected(Collector):
    def __init__(self, services: Services, jobs: dict[str, int]) -> None:
        self._services = services
        self._jobs = jobs

    def collect(self) -> Iterator[Metric]:
        services, counts = self._services, self._services.counts
        yield _counter("nodegraph_jobs_submitted", "Jobs accepted.", [((), counts.submitted)])
        ended = [((state,), count) for state, count in counts.ended.items()]
        yield _counter("nodegraph_jobs_ended", "Jobs that are over, by how.", ended, "state")
        stored = [((state,), count) for state, count in self._jobs.items()]
        yield _gauge("nodegraph_jobs", "Jobs in the database.", stored, "state")
        yield _gauge("nodegraph_queue_length", "Jobs that wait.", [((), len(services.dispatcher.queue))])
        workers = Counter(worker.state for worker in services.pool.workers.values())
        yield _gauge(
            "nodegraph_workers",
            "Workers by what they do.",
            [((state,), count) for state, count in workers.items()],
            "state",
        )
        restarts = [((worker.id,), max(0, worker.restarts)) for worker in services.pool.workers.values()]
        yield _counter("nodegraph_worker_restarts", "Processes that were replaced.", restarts, "worker")
        requests = [((m, route, str(status)), n) for (m, route, status), n in counts.requests.items()]
        yield _counter("nodegraph_http_requests", "Requests answered.", requests, "method", "route", "status")
        yield _gauge("nodegraph_listeners", "Clients that follow.", [((), services.hub.listeners)])
        commits = [((), services.database.commits)]
        yield _counter("nodegraph_database_commits", "Transactions on the disk.", commits)
        yield _counter("nodegraph_webhooks", "Webhooks delivered.", [((), services.webhooks.delivered)])


async def exposition(services: Services) -> bytes:
    """All figures in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Collected(services, await services.store.counts()))
    return generate_latest(registry)


def _counter(name: str, help_: str, values: Values, *labels: str) -> Metric:
    family = CounterMetricFamily(name, help_, labels=labels)
    for label, value in values:
        family.add_metric(label, value)
    return family


def _gauge(name: str, help_: str, values: Values, *labels: str) -> Metric:
    family = GaugeMetricFamily(name, help_, labels=labels)
    for label, value in values:
        family.add_metric(label, value)
    return family
