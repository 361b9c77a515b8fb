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
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from nodegraph.codecs import describe_value
from nodegraph.declare import InputSpec
from nodegraph.errors import CancelledError, NodeFailedError
from nodegraph.execution import events
from nodegraph.execution.board import Board, Slot
from nodegraph.execution.cache import size_of
from nodegraph.execution.calling import arguments_of, outputs_of, problem_of
from nodegraph.execution.collector import Hold
from nodegraph.execution.context import NodeContext, Surroundings
from nodegraph.execution.debug import Origin
from nodegraph.execution.demand import Askers, LazyValue, ReadyValue, UpstreamError
from nodegraph.execution.inflight import Flight, Flights
from nodegraph.execution.lanes import Lanes
from nodegraph.execution.plan import Plan, PlanEntry, has_effect
from nodegraph.execution.saved import SavedFiles
from nodegraph.execution.shortage import too_little
from nodegraph.execution.tiers import Tiers
from nodegraph.graph import literals
from nodegraph.runtime import Artifact

_YIELD_EVERY = 0.005  # seconds of inline work between two chances for everybody else
_TO_RUN = frozenset({"run", "maybe"})
_CACHED: frozenset[events.Outcome] = frozenset({"memory", "disk"})
Outputs = Mapping[str, Any]


@dataclass
class RunState:
    """What a run has come to: wanted outputs by node, failures, artifacts, and each node's outcome."""

    outputs: dict[str, Outputs] = field(default_factory=dict)
    failures: list[NodeFailedError] = field(default_factory=list)
    artifacts: list[Artifact] = field(default_factory=list)
    finished: dict[str, events.NodeFinished] = field(default_factory=dict)
    cancelled: bool = False
    shown: bool = False
    """Whether an effect left no file: it is not done by finding files again."""


class _Done(Struct, frozen=True, gc=False):
    """A node that has finished in its lane, or was waited for: without outputs and error it is to be run."""

    slot: Slot
    outputs: Outputs | None
    error: BaseException | None
    seconds: float
    context: NodeContext | None
    outcome: events.Outcome = "ran"
    peak: int = 0


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
        self._board = Board(plan)
        self._done: asyncio.Queue[_Done | None] = asyncio.Queue()
        self._askers = Askers()
        self._running = 0
        self._tasks: set[asyncio.Task[_Done]] = set()
        self._claimed: set[str] = set()  # keys that other runs wait for us to make
        self._unheard: Exception | None = None  # what the listener raised at a thread's event
        self._interrupt_seen: KeyboardInterrupt | None = None

    async def run(self) -> RunState:
        """Run everything that the plan says, and tell what came of it."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        actions = self.plan.counts
        reused = actions["memory"] + actions["disk"] + actions["saved"]
        self.emit(events.RunStarted(actions["run"], reused))
        self._prepare()
        with self.around.cancel.calling(self._interrupt):
            try:
                # Nodes of microseconds leave no garbage worth a collection, which would walk the whole plan.
                with Hold() if self.plan.graph.is_trivial else nullcontext():
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
        if self._interrupt_seen is not None:
            raise self._interrupt_seen
        return self.state

    def _prepare(self) -> None:
        """Place what is reused, and count what each node waits for."""
        await_sources = self._board.await_sources
        for id_, slot in self._board.slots.items():  # in running order: what it reads was looked at before
            entry = slot.entry
            if entry.action in _TO_RUN:
                await_sources(slot)
            elif entry.action in _CACHED:
                slot.outputs, slot.done = self._reused[entry.key or ""], True
                self._finish(id_, entry.action, size=self.cache.memory.size(entry.key or ""))
            elif entry.action == "saved":
                artifacts = self.saved.get(entry.effect or "")
                self.state.artifacts.extend(artifacts)
                for artifact in artifacts:
                    self.emit(events.NodeSaved(id_, artifact))
                self._finish(id_, "saved")
        if self._reused:
            self._reused.clear()  # from here on the board alone keeps results alive
            self._board.drop_unread()

    async def _schedule(self) -> None:
        ready, cancel = self._board.ready, self.around.cancel
        while ready or self._running:
            if cancel.cancelled:
                ready.clear()
            if ready:
                self._start_ready()
            if ready:  # everybody else has a turn
                await asyncio.sleep(0)
                while not self._done.empty():
                    await self._collect()
            elif self._running:
                await self._collect()

    def _start_ready(self) -> None:
        """Start what is ready, for as long as nobody else has to wait for a turn."""
        ready, cancel = self._board.ready, self.around.cancel
        end = time.perf_counter() + _YIELD_EVERY
        while ready and not cancel.cancelled and time.perf_counter() < end:
            self._start(ready.popleft())

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
        if done is None:  # a node asked for a branch: there may be something to start; or a listener raised
            error, self._unheard = self._unheard, None
            if error is not None:
                raise error
            return
        self._running -= 1
        self._settle(done)
        if self.cache.crowded:  # results come faster than the disk takes them
            await self.cache.written()

    def _start(self, slot: Slot) -> None:
        """Run an inline node, or hand any other one to its lane."""
        entry = slot.entry
        type_ = entry.node.type
        context = None
        if type_.context_parameter is not None:
            context = NodeContext(entry, self.around, self._emit_from_any_thread)
        if type_.runs_at_once:
            self.emit(events.NodeStarted(entry.node.id))
            self._settle(self._call(slot, self._values_of(entry), context))
        elif self._join(slot):
            pass  # somebody is making it
        elif type_.is_async:
            self._running += 1
            task = self._loop.create_task(self._run_async(slot, context))
            self._tasks.add(task)
            task.add_done_callback(partial(self._async_done, slot))
        else:
            self._running += 1
            future = self._loop.run_in_executor(
                self.lanes.pool(type_.lane), self._run_guarded, slot, self._values_of(entry), context
            )
            future.add_done_callback(lambda future: self._done.put_nowait(future.result()))

    def _join(self, slot: Slot) -> bool:
        """Wait for a result that is being made already, by another run or in this one, if there is one."""
        entry = slot.entry
        node = entry.node
        if entry.key is None or node.type.cache == "volatile" or has_effect(self.plan.graph, node):
            return False
        flight = self.flights.claim(entry.key, self.cache.memory.get)
        if flight is None:
            self._claimed.add(entry.key)
            return False
        self._running += 1
        task = self._loop.create_task(self._await_flight(slot, flight))
        self._tasks.add(task)
        task.add_done_callback(partial(self._async_done, slot))
        return True

    async def _await_flight(self, slot: Slot, flight: Flight) -> _Done:
        outcome: events.Outcome = "memory" if flight.done() else "shared"
        try:
            outputs = await asyncio.wrap_future(flight)
        except asyncio.CancelledError:
            return _Done(slot, None, CancelledError("the run was cancelled"), 0.0, None, outcome)
        return _Done(slot, outputs, None, 0.0, None, outcome)

    def _async_done(self, slot: Slot, task: asyncio.Task[_Done]) -> None:
        self._tasks.discard(task)
        if task.cancelled():  # before it came to its first line, which would have caught it
            error = CancelledError("the run was cancelled")
            self._done.put_nowait(_Done(slot, None, error, 0.0, None))
        else:
            self._done.put_nowait(task.result())

    def _emit_from_any_thread(self, event: events.Event) -> None:
        if threading.get_ident() == self._thread:
            self.emit(event)
        else:
            self._loop.call_soon_threadsafe(self._emit_now, event)

    def _emit_now(self, event: events.Event) -> None:
        """Emit what a thread sent. What the listener raises goes to the run: the loop would only log it."""
        try:
            self.emit(event)
        except Exception as error:  # noqa: BLE001 - whatever it is, the run raises it
            self.emit = events.discard
            self._unheard = error
            self._done.put_nowait(None)

    def _values_of(self, entry: PlanEntry) -> dict[str, Any]:
        """What a node is given: its literals, and the values at the other ends of its links."""
        node, slots = entry.node, self._board.slots
        values = dict(node.params)
        lazy = node.type.lazy_inputs
        if not lazy:
            for name, (source, output) in node.links.items():
                values[name] = slots[source].outputs[output]
            return values
        for name, (source, output) in node.links.items():
            if name in lazy:
                values[name] = LazyValue(partial(self._demand, node.type.inputs[name], source, output))
            else:
                values[name] = slots[source].outputs[output]
        for name in lazy.difference(node.links):
            # One that may be left out (`Lazy[T] | None = None`) is None then, as in any call.
            if values[name] is not None or node.type.inputs[name].required:
                values[name] = ReadyValue(values[name])
        return values

    async def _demand(self, spec: InputSpec, source: str, output: str) -> Any:
        """The value of a lazy input, whose branch runs now unless it ran before."""
        slot = self._board.slots[source]
        if not slot.done:
            if slot.dead:
                raise UpstreamError(source)
            self._board.wake(slot)
            finished = self._askers.wait(source)
            self._done.put_nowait(None)
            await finished
        return literals.accept(spec, slot.outputs[output])

    def _run_guarded(self, slot: Slot, values: dict[str, Any], context: NodeContext | None) -> _Done:
        if self._stopping():
            return _Done(slot, None, CancelledError("the run was cancelled"), 0.0, context)
        self._emit_from_any_thread(events.NodeStarted(slot.entry.node.id))
        try:
            with self.around.guard.around(slot.entry.node.type) as peak:
                done = self._call(slot, values, context)
                if done.error is not None:
                    done = self._again(done, values, context)
                return replace(done, peak=found) if (found := peak()) else done
        except BaseException as error:  # noqa: BLE001 - devices may fail in any way; that is this node's error
            return _Done(slot, None, error, 0.0, context)

    def _again(self, failed: _Done, values: dict[str, Any], context: NodeContext | None) -> _Done:
        """What becomes of a node that failed: where its memory ran out it runs once more, taking less."""
        node, around = failed.slot.entry.node.id, self.around
        if failed.error is None or around.relief.after(failed.error, node) is None:
            return failed
        if context is not None:
            context.tight = True
        done = self._call(failed.slot, values, context)
        shortage = around.relief.after(done.error, node) if done.error is not None else None
        error = too_little(shortage) if shortage is not None else done.error
        return _Done(done.slot, done.outputs, error, failed.seconds + done.seconds, context)

    def _call(self, slot: Slot, values: dict[str, Any], context: NodeContext | None) -> _Done:
        entry = slot.entry
        type_ = entry.node.type
        start = time.perf_counter()
        try:
            arguments = arguments_of(entry.node, values, context)
            watch = self.around.watch
            if watch is None:
                outputs = outputs_of(type_, type_.function(**arguments))
            else:
                outputs = watch.run(entry, arguments, self._origins(entry), outputs_of)
        except BaseException as error:  # noqa: BLE001 - a node may raise anything (sys.exit too): it fails alone
            return _Done(slot, None, self._seen(error), time.perf_counter() - start, context)
        return _Done(slot, outputs, None, time.perf_counter() - start, context)

    async def _run_async(self, slot: Slot, context: NodeContext | None) -> _Done:
        entry = slot.entry
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
            return _Done(slot, None, found, time.perf_counter() - start, context)
        except BaseException as error:  # noqa: BLE001 - as above
            return _Done(slot, None, self._seen(error), time.perf_counter() - start, context)
        return _Done(slot, outputs, None, time.perf_counter() - start, context)

    def _seen(self, error: BaseException) -> BaseException:
        """What a node raised. Ctrl-C, which reaches no thread but the main one, cancels the whole run."""
        if isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread():
            self._interrupt_seen = error
            self.around.cancel.cancel()
            return CancelledError("the run was interrupted")
        return error

    def _origins(self, entry: PlanEntry) -> dict[str, tuple[Origin, Any]]:
        """Which result, by key and output, every linked input is, and its value."""
        found: dict[str, tuple[Origin, Any]] = {}
        for name, (source, output) in entry.node.links.items():
            key = self.plan.entries[source].key
            outputs = self._board.slots[source].outputs  # a lazy input may not have run
            if key is not None and outputs:
                found[name] = (key, output), outputs[output]
        return found

    def _settle(self, done: _Done) -> None:
        slot, outputs = done.slot, done.outputs
        entry = slot.entry
        id_ = entry.node.id
        loading = done.context.loading if done.context is not None else 0.0
        if outputs is not None:
            size = self._keep(done, outputs)
            self._finish(id_, done.outcome, done.seconds, loading, size, done.peak)
            self._askers.answer(id_)
            self._board.give(slot, outputs)
        elif done.error is None:  # whoever was making it failed
            self._board.ready.append(slot)
            return
        elif isinstance(done.error, CancelledError) and self._stopping():
            self._finish(id_, "cancelled", done.seconds, loading, peak=done.peak)
        elif isinstance(done.error, UpstreamError):
            self._finish(id_, "skipped", done.seconds, loading)
            self._bury(slot)
        else:
            self._fail(entry, done.error, done)
            self._bury(slot)
        if self._claimed and entry.key in self._claimed and done.outcome == "ran":
            self._claimed.discard(entry.key)
            self.flights.land(entry.key, outputs)
        self._board.release(slot)

    def _keep(self, done: _Done, outputs: Outputs) -> int:
        """Hand a fresh result to the cache; note what was saved. The bytes of the result."""
        entry, context = done.slot.entry, done.context
        artifacts = context.artifacts if context is not None else ()
        if artifacts:
            self.state.artifacts.extend(artifacts)
        if done.outcome != "ran":
            return self.cache.memory.size(entry.key or "")
        if entry.key is not None and entry.effect is None and entry.node.type.cache != "volatile":
            return self.cache.keep(entry, outputs, done.seconds)
        if entry.effect is not None:
            shown = not artifacts if entry.node.type.output else context is not None and context.shown
            self.state.shown |= shown
            if artifacts and not shown:
                self.saved.put(entry.effect, artifacts)
        return size_of(outputs)

    def _fail(self, entry: PlanEntry, error: BaseException, done: _Done) -> None:
        node = entry.node
        problem = problem_of(error).at(node.id, node.title)
        if isinstance(error, NodeFailedError):  # of a node inside a body: its cause and inputs say more
            failure = NodeFailedError(problem, error.cause, error.inputs)
        else:
            inputs = {name: describe_value(value) for name, value in self._values_of(entry).items()}
            failure = NodeFailedError(problem, error, inputs)
        self.state.failures.append(failure)
        self.emit(events.NodeFailed(node.id, problem))
        self._finish(node.id, "failed", done.seconds, peak=done.peak)

    def _bury(self, slot: Slot) -> None:
        """What is downstream of a node that failed does not run."""
        self._askers.disappoint(slot.entry.node.id)
        for reader in self._board.bury(slot):
            self._finish(reader.entry.node.id, "skipped")
            self._askers.disappoint(reader.entry.node.id)

    def _finish(
        self, id_: str, outcome: events.Outcome, seconds: float = 0.0, loading: float = 0.0, size: int = 0,
        peak: int = 0,
    ) -> None:  # fmt: skip
        event = events.NodeFinished(id_, outcome, seconds, loading, size, peak)
        self.state.finished[id_] = event
        self.emit(event)

    def _is_incomplete(self) -> bool:
        """Whether something that was to run did not, or was interrupted."""
        finished = self.state.finished
        interrupted = any(event.outcome == "cancelled" for event in finished.values())
        return interrupted or any(
            entry.action not in ("not needed", "maybe") and id_ not in finished
            for id_, entry in self.plan.entries.items()
        )

    def _finish_run(self) -> None:
        state = self.state
        state.cancelled = self._stopping() and self._is_incomplete()
        slots = self._board.slots
        state.outputs = {id_: slot.outputs for id_ in self.plan.targets if (slot := slots[id_]).done}
        status: events.Status = "cancelled" if state.cancelled else "failed" if state.failures else "done"
        self.emit(events.RunFinished(status))
