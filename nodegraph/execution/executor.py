"""The executor: carries out a plan, emits events, and never recurses over the graph.

Nodes start as soon as what they read is there. Inline nodes run in the scheduler's own loop, which yields
now and then; the others run in their lane's threads (one for a device, several for CPU and I/O), so that
independent branches overlap. A failed node stops only what reads from it. Results are released at their
last reader unless the cache keeps them.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from nodegraph.codecs import describe_value
from nodegraph.declare import InputSpec
from nodegraph.errors import CancelledError, NodeFailedError
from nodegraph.execution import events
from nodegraph.execution.calling import arguments_of, outputs_of, problem_of
from nodegraph.execution.context import NodeContext, Surroundings
from nodegraph.execution.debug import Origin
from nodegraph.execution.demand import Dormant, LazyValue, ReadyValue, UpstreamError
from nodegraph.execution.inflight import Flight, Flights
from nodegraph.execution.lanes import Lanes
from nodegraph.execution.plan import Plan, PlanEntry, eager_sources, has_effect
from nodegraph.execution.saved import SavedFiles
from nodegraph.execution.tiers import Tiers
from nodegraph.graph import literals
from nodegraph.runtime import Artifact

_YIELD_EVERY = 0.005  # seconds of inline work between two chances for everybody else
Outputs = Mapping[str, Any]


@dataclass
class RunState:
    """What a run has come to: wanted outputs by node, failures, artifacts, and each node's outcome."""

    outputs: dict[str, Outputs] = field(default_factory=dict)
    failures: list[NodeFailedError] = field(default_factory=list)
    artifacts: list[Artifact] = field(default_factory=list)
    finished: dict[str, events.NodeFinished] = field(default_factory=dict)
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class _Done:
    """A node that has finished in its lane, or was waited for: without outputs and error it is to be run."""

    entry: PlanEntry
    outputs: Outputs | None
    error: BaseException | None
    seconds: float
    context: NodeContext | None
    outcome: events.Outcome = "ran"


class Executor:
    """Carries out one plan. Use once.

    `reused` are the outputs of the nodes that the plan takes from the cache, by key; `emit` is called in the
    loop that runs the executor, whatever thread a node lives in.
    """

    def __init__(
        self, plan: Plan, reused: Mapping[str, Outputs], lanes: Lanes, cache: Tiers, flights: Flights,
        saved: SavedFiles, around: Surroundings, emit: events.Emit,
    ) -> None:  # fmt: skip
        self.plan = plan
        self.lanes = lanes
        self.cache = cache
        self.flights = flights
        self.saved = saved
        self.around = around
        self.emit = emit
        self.state = RunState()
        self._reused = dict(reused)
        self._values: dict[str, Outputs] = {}
        self._unread: dict[str, int] = {}
        self._waiting: dict[str, int] = {}
        self._sources: dict[str, set[str]] = {}
        self._readers: dict[str, list[str]] = {}
        self._ready: deque[str] = deque()
        self._done: asyncio.Queue[_Done | None] = asyncio.Queue()
        self._dormant = Dormant()
        self._running = 0
        self._tasks: set[asyncio.Task[_Done]] = set()
        self._claimed: set[str] = set()  # keys that other runs wait for us to make

    async def run(self) -> RunState:
        """Run everything that the plan says, and tell what came of it."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        actions = Counter(entry.action for entry in self.plan.entries.values())
        reused = actions["memory"] + actions["disk"] + actions["saved"]
        self.emit(events.RunStarted(actions["run"], reused))
        self._prepare()
        with self.around.cancel.calling(self._interrupt):
            try:
                await self._schedule()
            except BaseException as error:
                # The caller's task was cancelled, or a listener raised (it is told no more): let running
                # nodes see it and stop before giving way.
                if not isinstance(error, asyncio.CancelledError):
                    self.emit = events.discard
                self.around.cancel.cancel()
                while self._running:
                    await self._collect()
                self._finish_run()
                raise
            finally:
                for key in self._claimed:
                    self.flights.land(key, None)
        self._finish_run()
        return self.state

    def _prepare(self) -> None:
        """Count what each node waits for, and place what is reused."""
        wanted = set(self.plan.targets)
        for id_, entry in self.plan.entries.items():
            self._unread[id_] = 1 if id_ in wanted else 0
            if entry.action in ("memory", "disk"):
                self._values[id_] = self._reused[entry.key or ""]
                self._finish(id_, entry.action)
            elif entry.action == "saved":
                artifacts = self.saved.get(entry.effect or "")
                self.state.artifacts.extend(artifacts)
                self._finish(id_, "saved")
            elif entry.action in ("run", "maybe"):
                self._await_sources(entry)
        self._reused.clear()  # from here on `_values` alone keeps results alive
        for id_ in [id_ for id_ in self._values if self._unread[id_] == 0]:
            del self._values[id_]

    def _await_sources(self, entry: PlanEntry) -> None:
        """Count what a node reads. A lazy input is read later, if at all, but is kept for the node."""
        node = entry.node
        sources = {source for source, _ in node.links.values()}
        eager = eager_sources(node) if node.type.lazy_inputs else sources
        self._sources[node.id] = sources
        for source in sources:
            self._unread[source] += 1
        for source in eager:
            self._readers.setdefault(source, []).append(node.id)
        self._waiting[node.id] = sum(source not in self._values for source in eager)
        if entry.action == "maybe":
            self._dormant.nodes.add(node.id)
        elif self._waiting[node.id] == 0:
            self._ready.append(node.id)

    async def _schedule(self) -> None:
        slice_end = time.perf_counter() + _YIELD_EVERY
        while self._ready or self._running:
            while self._ready and not self._stopping():
                self._start(self._ready.popleft())
                if time.perf_counter() > slice_end:
                    await asyncio.sleep(0)
                    while not self._done.empty():
                        await self._collect()
                    slice_end = time.perf_counter() + _YIELD_EVERY
            if self._stopping():
                self._ready.clear()
            if self._running:
                await self._collect()

    def _stopping(self) -> bool:
        return self.around.cancel.cancelled

    def _interrupt(self) -> None:
        """Somebody cancelled, on any thread: async nodes, which may wait for anything, are cancelled too."""
        self._loop.call_soon_threadsafe(self._cancel_tasks)

    def _cancel_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _collect(self) -> None:
        done = await self._done.get()
        if done is None:  # a node asked for a branch: there may be something to start
            return
        self._running -= 1
        self._settle(done)
        if self.cache.crowded:  # results come faster than the disk takes them
            await self.cache.written()

    def _start(self, id_: str) -> None:
        """Run an inline node, or hand any other one to its lane."""
        entry = self.plan.entries[id_]
        type_ = entry.node.type
        if (type_.is_async or type_.lane != "inline") and self._join(entry):
            return
        context = (
            NodeContext(entry, self.around, self._emit_from_any_thread) if type_.context_parameter else None
        )
        if type_.is_async:
            self._running += 1
            task = self._loop.create_task(self._run_async(entry, context))
            self._tasks.add(task)
            task.add_done_callback(partial(self._async_done, entry))
        elif type_.lane == "inline":
            self._settle(self._run_here(entry, self._values_of(entry), context))
        else:
            self._running += 1
            future = self._loop.run_in_executor(
                self.lanes.pool(type_.lane), self._run_guarded, entry, self._values_of(entry), context
            )
            future.add_done_callback(lambda future: self._done.put_nowait(future.result()))

    def _join(self, entry: PlanEntry) -> bool:
        """Wait for a result that is being made already, by another run or in this one, if there is one."""
        node = entry.node
        if entry.key is None or node.type.cache == "volatile" or has_effect(self.plan.graph, node):
            return False
        flight = self.flights.claim(entry.key, self.cache.memory.get)
        if flight is None:
            self._claimed.add(entry.key)
            return False
        self._running += 1
        task = self._loop.create_task(self._await_flight(entry, flight))
        self._tasks.add(task)
        task.add_done_callback(partial(self._async_done, entry))
        return True

    async def _await_flight(self, entry: PlanEntry, flight: Flight) -> _Done:
        outcome: events.Outcome = "memory" if flight.done() else "shared"
        try:
            outputs = await asyncio.wrap_future(flight)
        except asyncio.CancelledError:
            return _Done(entry, None, CancelledError("the run was cancelled"), 0.0, None, outcome)
        return _Done(entry, outputs, None, 0.0, None, outcome)

    def _async_done(self, entry: PlanEntry, task: asyncio.Task[_Done]) -> None:
        self._tasks.discard(task)
        if task.cancelled():  # before it came to its first line, which would have caught it
            error = CancelledError("the run was cancelled")
            self._done.put_nowait(_Done(entry, None, error, 0.0, None))
        else:
            self._done.put_nowait(task.result())

    def _emit_from_any_thread(self, event: events.Event) -> None:
        if threading.get_ident() == self._thread:
            self.emit(event)
        else:
            self._loop.call_soon_threadsafe(self._emit_now, event)

    def _emit_now(self, event: events.Event) -> None:
        self.emit(event)

    def _values_of(self, entry: PlanEntry) -> dict[str, Any]:
        """What a node is given: its literals, and the values at the other ends of its links."""
        node = entry.node
        values = dict(node.params)
        lazy = node.type.lazy_inputs
        for name in lazy & values.keys():
            # One that may be left out (`Lazy[T] | None = None`) is None then, as in any call.
            if values[name] is not None or node.type.inputs[name].required:
                values[name] = ReadyValue(values[name])
        for name, (source, output) in node.links.items():
            if name in lazy:
                values[name] = LazyValue(partial(self._demand, node.type.inputs[name], source, output))
            else:
                values[name] = self._values[source][output]
        return values

    async def _demand(self, spec: InputSpec, source: str, output: str) -> Any:
        """The value of a lazy input, whose branch runs now unless it ran before."""
        if source not in self._values:
            if source in self._dormant.dead:
                raise UpstreamError(source)
            self._wake(source)
            finished = self._dormant.wait(source)
            self._done.put_nowait(None)
            await finished
        return literals.accept(spec, self._values[source][output])

    def _wake(self, id_: str) -> None:
        """Let a dormant node start, and those that it reads."""
        stack = [id_]
        while stack:
            node = stack.pop()
            if node in self._dormant.nodes:
                self._dormant.nodes.discard(node)
                if self._waiting[node] == 0:
                    self._ready.append(node)
                stack.extend(eager_sources(self.plan.entries[node].node))

    def _run_guarded(self, entry: PlanEntry, values: dict[str, Any], context: NodeContext | None) -> _Done:
        if self._stopping():
            return _Done(entry, None, CancelledError("the run was cancelled"), 0.0, context)
        try:
            with self.around.guard():
                return self._run_here(entry, values, context)
        except Exception as error:  # noqa: BLE001 - devices may fail in any way; that is this node's error
            return _Done(entry, None, error, 0.0, context)

    def _run_here(self, entry: PlanEntry, values: dict[str, Any], context: NodeContext | None) -> _Done:
        self._emit_from_any_thread(events.NodeStarted(entry.node.id))
        start = time.perf_counter()
        try:
            arguments = arguments_of(entry.node, values, context)
            watch = self.around.watch
            if watch is None:
                outputs = outputs_of(entry.node.type, entry.node.type.function(**arguments))
            else:
                outputs = watch.run(entry, arguments, self._origins(entry), outputs_of)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - a node may raise anything (sys.exit too): it fails alone
            return _Done(entry, None, error, time.perf_counter() - start, context)
        return _Done(entry, outputs, None, time.perf_counter() - start, context)

    async def _run_async(self, entry: PlanEntry, context: NodeContext | None) -> _Done:
        self.emit(events.NodeStarted(entry.node.id))
        start = time.perf_counter()
        try:
            arguments = arguments_of(entry.node, self._values_of(entry), context)
            watch = self.around.watch
            if watch is None:
                outputs = outputs_of(entry.node.type, await entry.node.type.function(**arguments))
            else:
                outputs = await watch.run_async(entry, arguments, self._origins(entry), outputs_of)
        except asyncio.CancelledError as error:
            found = CancelledError("the run was cancelled") if self._stopping() else error
            return _Done(entry, None, found, time.perf_counter() - start, context)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - as above
            return _Done(entry, None, error, time.perf_counter() - start, context)
        return _Done(entry, outputs, None, time.perf_counter() - start, context)

    def _origins(self, entry: PlanEntry) -> dict[str, tuple[Origin, Any]]:
        """Which result, by key and output, every linked input is, and its value."""
        found: dict[str, tuple[Origin, Any]] = {}
        for name, (source, output) in entry.node.links.items():
            key = self.plan.entries[source].key
            if key is not None and source in self._values:  # a lazy input may not have run
                found[name] = (key, output), self._values[source][output]
        return found

    def _settle(self, done: _Done) -> None:
        id_ = done.entry.node.id
        loading = done.context.loading if done.context else 0.0
        if isinstance(done.error, CancelledError) and self._stopping():
            self._finish(id_, "cancelled", done.seconds, loading)
        elif isinstance(done.error, UpstreamError):
            self._finish(id_, "skipped", done.seconds, loading)
            self._skip_readers(id_)
        elif done.error is not None:
            self._fail(done.entry, done.error, done.seconds)
        elif done.outputs is None:  # whoever was making it failed
            self._ready.append(id_)
            return
        else:
            self._keep(done)
            self._finish(id_, done.outcome, done.seconds, loading)
            self._dormant.finished(id_)
            self._wake_readers(id_)
        if done.outcome == "ran" and done.entry.key in self._claimed:
            self._claimed.discard(done.entry.key)
            self.flights.land(done.entry.key, done.outputs)
        self._release_sources(id_)

    def _keep(self, done: _Done) -> None:
        """Hold a fresh result for its readers and the cache; note what was saved."""
        entry, outputs = done.entry, done.outputs
        assert outputs is not None  # noqa: S101 - a _Done has outputs or an error
        if self._unread[entry.node.id]:
            self._values[entry.node.id] = outputs
        artifacts = done.context.artifacts if done.context else []
        self.state.artifacts.extend(artifacts)
        if entry.key is None or done.outcome != "ran":
            return
        if entry.effect is not None:
            if artifacts:
                self.saved.put(entry.effect, artifacts)
        elif entry.node.type.cache != "volatile":
            self.cache.keep(entry, outputs, done.seconds)

    def _wake_readers(self, id_: str) -> None:
        for reader in self._readers.get(id_, ()):
            self._waiting[reader] -= 1
            if self._waiting[reader] == 0 and reader not in self._dormant.nodes:
                self._ready.append(reader)

    def _release_sources(self, id_: str) -> None:
        """Let go of what a node read, and retire dormant nodes that nobody can ask for any more."""
        stack = [id_]
        while stack:
            for source in self._sources[stack.pop()]:
                self._unread[source] -= 1
                if self._unread[source] == 0:
                    self._values.pop(source, None)
                    if source in self._dormant.nodes:
                        self._dormant.nodes.discard(source)
                        stack.append(source)

    def _fail(self, entry: PlanEntry, error: BaseException, seconds: float) -> None:
        node = entry.node
        inputs = {name: describe_value(value) for name, value in self._values_of(entry).items()}
        problem = problem_of(error).at(node.id, node.title)
        self.state.failures.append(NodeFailedError(problem, error, inputs))
        self.emit(events.NodeFailed(node.id, problem))
        self._finish(node.id, "failed", seconds)
        self._skip_readers(node.id)

    def _skip_readers(self, id_: str) -> None:
        """What is downstream of a node that failed does not run."""
        self._dormant.died(id_)
        stack = list(self._readers.get(id_, ()))
        while stack:
            reader = stack.pop()
            if reader in self.state.finished or reader in self._dormant.dead:
                continue
            if reader in self._dormant.nodes:
                self._dormant.nodes.discard(reader)
            else:
                self._finish(reader, "skipped")
            self._dormant.died(reader)
            self._release_sources(reader)
            stack.extend(self._readers.get(reader, ()))

    def _finish(self, id_: str, outcome: events.Outcome, seconds: float = 0.0, loading: float = 0.0) -> None:
        event = events.NodeFinished(id_, outcome, seconds, loading)
        self.state.finished[id_] = event
        self.emit(event)

    def _finish_run(self) -> None:
        state = self.state
        unfinished = any(
            entry.action not in ("not needed", "maybe") and id_ not in state.finished
            for id_, entry in self.plan.entries.items()
        )
        interrupted = any(event.outcome == "cancelled" for event in state.finished.values())
        state.cancelled = self._stopping() and (unfinished or interrupted)
        state.outputs = {id_: self._values[id_] for id_ in self.plan.targets if id_ in self._values}
        status: events.Status = "cancelled" if state.cancelled else "failed" if state.failures else "done"
        self.emit(events.RunFinished(status))
