"""A toy pack without torch: arithmetic nodes of every kind, with counters that tests read.

Each `Toy` makes its own node functions, so that the counters of two tests never meet.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from nodegraph import Choice, Context, File, Seed, hookimpl, node
from nodegraph.codecs import TensorStore
from nodegraph.hookspecs import ChoiceEntry, Exporter, Resources, ResourceSettings
from nodegraph.packs import Packs, load_packs
from nodegraph.runtime import Files, ModelStore, RunRecord, Shortage

Small = Annotated[float, Field(ge=0, le=10)]


@dataclass(frozen=True, eq=False)
class Box:
    """A value that may travel on edges; unlike a number it can be weakly referenced."""

    number: float


class UnspeakableError(Exception):
    """Its message raises."""

    def __str__(self) -> str:
        raise ValueError("no words")


class Halves(NamedTuple):
    """Two named outputs."""

    whole: int
    rest: int


class NoModels:
    """Resources of a pack that computes with nothing but numbers; counts the nodes that it guards."""

    def __init__(self) -> None:
        self.guarded = 0

    @property
    def models(self) -> ModelStore:
        raise NotImplementedError("the toy pack has no models")

    @property
    def tensors(self) -> TensorStore:
        raise NotImplementedError("the toy pack has no tensors")

    def profile(self) -> str:
        return "toy"

    def guard(self) -> AbstractContextManager[object]:
        self.guarded += 1
        return nullcontext()

    def explain(self) -> Sequence[Mapping[str, Any]]:
        return []

    def is_well(self) -> bool:
        return True

    def relieve(self, error: BaseException) -> Shortage | None:
        return Shortage("main memory", 1000, 10, 0) if isinstance(error, MemoryError) else None


class Toy:
    """The pack as an object. `calls` counts by node name; `gates` are barriers by name, for overlap."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.gates: dict[str, threading.Barrier] = {}
        self.entered: dict[str, threading.Event] = {}
        self.observers: dict[str, Callable[..., object]] = {}
        self.fingerprint = "1"
        self.resources_made = 0
        self._lock = threading.Lock()

    def count(self, name: str) -> None:
        """Note one call."""
        with self._lock:
            self.calls[name] += 1

    def signal(self, name: str) -> threading.Event:
        """An event that a node sets when it is entered."""
        return self.entered.setdefault(name, threading.Event())

    def observe(self, name: str, *values: object) -> None:
        """Tell the test that asked to be told."""
        if name in self.observers:
            self.observers[name](*values)

    @hookimpl
    def register_nodes(self) -> Sequence[object]:
        groups = (_arithmetic, _boxes, _scheduling, _failing, _effects, _inputs)
        return [item for group in groups for item in group(self)]

    @hookimpl
    def register_values(self) -> Sequence[type]:
        return [Box]

    @hookimpl
    def register_choices(self) -> Sequence[ChoiceEntry]:
        return [
            ChoiceEntry("operations", "double", "twice the number", lambda: lambda number: 2 * number),
            ChoiceEntry("operations", "square", "the number by itself", lambda: lambda number: number**2),
        ]

    @hookimpl
    def register_exporters(self) -> Sequence[Exporter]:
        return [Exporter(Box, (".txt",), _write_box)]

    @hookimpl
    def make_resources(self, settings: ResourceSettings, files: Files) -> Resources:
        self.resources_made += 1
        return NoModels()


def _write_box(box: Box, path: Path, record: RunRecord) -> None:
    path.write_text(f"{box.number}")


def toy_packs(toy: Toy, *others: tuple[str, object]) -> Packs:
    """The toy pack and others, without any installed one."""
    return load_packs(extra=[("toy", toy), *others], installed=False)


def _arithmetic(toy: Toy) -> list[object]:
    @node("toy.number", lane="inline")
    def number(value: float = 0.0) -> float:
        """Give a number."""
        toy.count("number")
        return value

    @node("toy.add", lane="inline")
    def add(a: float, b: float = 1.0) -> float:
        """Add two numbers."""
        toy.count("add")
        return a + b

    @node("toy.add_on_cpu")
    def add_on_cpu(a: float, b: float = 1.0) -> float:
        """Add two numbers in a thread."""
        toy.count("add_on_cpu")
        return a + b

    @node("toy.add_later")
    async def add_later(a: float, b: float = 1.0) -> float:
        """Add two numbers in the scheduler's loop."""
        toy.count("add_later")
        await asyncio.sleep(0)
        return a + b

    @node("toy.total", lane="inline")
    def total(a: float = 0.0, b: float = 0.0, c: float = 0.0) -> float:
        """Add up to three numbers."""
        toy.count("total")
        return a + b + c

    @node("toy.halve", lane="inline")
    def halve(number: int) -> Halves:
        """Divide by two, with a rest."""
        toy.count("halve")
        return Halves(*divmod(number, 2))

    @node("toy.count", lane="inline")
    def count(number: int = 0) -> int:
        """Give a whole number."""
        return number

    @node("toy.shrink", lane="inline")
    def shrink(size: Small = 1.0) -> float:
        """Take a number from 0 to 10."""
        return size / 10

    return [number, add, add_on_cpu, add_later, total, halve, count, shrink]


def _boxes(toy: Toy) -> list[object]:
    @node("toy.box", lane="inline")
    def box(number: float = 0.0) -> Box:
        """Put a number into a box."""
        toy.count("box")
        made = Box(number)
        toy.observe("box", made)
        return made

    @node("toy.unbox", lane="inline")
    def unbox(box: Box, other: Box | None = None, after: float = 0.0) -> float:
        """Take the number out of a box."""
        toy.count("unbox")
        toy.observe("unbox")
        return box.number

    return [box, unbox]


def _scheduling(toy: Toy) -> list[object]:
    def meet(name: str, number: float) -> float:
        toy.gates[name].wait(timeout=30)
        return number

    @node("toy.meet_cpu", lane="cpu")
    def meet_cpu(gate: str, number: float = 0.0) -> float:
        """Wait at a barrier in the CPU lane."""
        return meet(gate, number)

    @node("toy.meet_io", lane="io")
    def meet_io(gate: str, number: float = 0.0) -> float:
        """Wait at a barrier in the I/O lane."""
        return meet(gate, number)

    @node("toy.meet_device", lane="device")
    def meet_device(gate: str, number: float = 0.0) -> float:
        """Wait at a barrier in the device lane."""
        toy.observe("meet_device")
        return meet(gate, number)

    @node("toy.steps")
    def steps(ctx: Context, count: int = 3, number: float = 0.0) -> float:
        """Count steps, telling a test when the first one is done."""
        toy.count("steps")
        for _ in ctx.steps(count):
            toy.count("step")
            toy.signal("steps").set()
            toy.observe("step")
        return number

    @node("toy.steps_inline", lane="inline")
    def steps_inline(ctx: Context, count: int = 3) -> float:
        """Count steps in the scheduler's own loop."""
        return float(sum(1 for _ in ctx.steps(count)))

    @node("toy.forever")
    async def forever(number: float = 0.0) -> float:
        """Wait for something that never comes."""
        toy.signal("forever").set()
        await asyncio.Event().wait()
        return number

    return [meet_cpu, meet_io, meet_device, steps, steps_inline, forever]


def _failing(toy: Toy) -> list[object]:
    @node("toy.fail", lane="inline")
    def fail(box: Box | None = None, number: float = 0.0, message: str = "no luck") -> float:
        """Raise a ValueError."""
        toy.count("fail")
        raise ValueError(message)

    @node("toy.leave")
    def leave(number: float = 0.0) -> float:
        """Try to end the program."""
        raise SystemExit(3)

    @node("toy.mumble", lane="inline")
    def mumble(number: float = 0.0) -> float:
        """Raise what cannot say what it is."""
        raise UnspeakableError

    @node("toy.interrupt")
    def interrupt(number: float = 0.0) -> float:
        """Raise in a thread what Ctrl-C raises in the main one."""
        raise KeyboardInterrupt

    @node("toy.interrupt_inline", lane="inline")
    def interrupt_inline(number: float = 0.0) -> float:
        """Raise what Ctrl-C raises in the scheduler's own loop."""
        raise KeyboardInterrupt

    @node("toy.interrupt_later")
    async def interrupt_later(number: float = 0.0) -> float:
        """As `interrupt_inline`, in a task."""
        await asyncio.sleep(0)
        raise KeyboardInterrupt

    @node("toy.lie", lane="inline")
    def lie(number: float = 0.0) -> float:
        """Return something else than declared."""
        return "text"  # type: ignore[return-value]

    return [fail, leave, mumble, interrupt, interrupt_inline, interrupt_later, lie]


def _effects(toy: Toy) -> list[object]:
    @node("toy.save", lane="io", output=True)
    def save(ctx: Context, number: float, prefix: str = "number") -> None:
        """Save a number as a text file."""
        toy.count("save")
        ctx.save(prefix, ".txt", "text/plain", lambda path: _write(path, f"{number}"))

    @node("toy.save_and_pass", lane="io", output=True)
    def save_and_pass(ctx: Context, number: float) -> float:
        """Save a number as a text file, and pass it on."""
        toy.count("save_and_pass")
        ctx.save("passed", ".txt", "text/plain", lambda path: _write(path, f"{number}"))
        return number

    @node("toy.show", lane="inline", output=True)
    def show(number: float) -> None:
        """Show a number: an effect that leaves no file."""
        toy.count("show")

    return [save, save_and_pass, show]


def _write(path: Path, text: str) -> None:
    path.write_text(text)


def _inputs(toy: Toy) -> list[object]:
    @node("toy.apply", lane="inline")
    def apply(
        ctx: Context, number: float, operation: Annotated[str, Choice("operations")] = "double"
    ) -> float:
        """Apply an operation that packs may add to."""
        toy.count("apply")
        result: float = ctx.choice("operations", operation)(number)
        return result

    @node("toy.read", lane="io")
    def read(ctx: Context, file: Annotated[str, File("images")]) -> str:
        """Read a file's text."""
        toy.count("read")
        return ctx.files.path(ctx.files.get("images", file)).read_text()

    @node("toy.draw", lane="inline")
    def draw(seed: Seed = 0) -> int:
        """Give the seed."""
        toy.count("draw")
        return seed

    @node("toy.pick", lane="inline")
    def pick(mode: Literal["first", "second"] = "first", times: int = 1) -> str:
        """Pick from a menu."""
        return mode * times

    @node("toy.sum_list", lane="inline")
    def sum_list(numbers: list[float]) -> float:
        """Add a list of numbers."""
        return sum(numbers)

    @node("toy.dice", lane="inline", cache="volatile")
    def dice(number: float = 0.0) -> float:
        """A number that is new in every run."""
        toy.count("dice")
        return number + toy.calls["dice"]

    @node("toy.watch", lane="inline", cache=lambda inputs: f"{toy.fingerprint}{inputs['number']}")
    def watch(number: float = 0.0) -> float:
        """Depends on something outside, by a fingerprint."""
        toy.count("watch")
        return number

    @node("toy.blind", lane="inline", cache=lambda inputs: str(inputs["missing"]))
    def blind(number: float = 0.0) -> float:
        """Its fingerprint function is broken."""
        return number

    return [apply, read, draw, pick, sum_list, dice, watch, blind]


def workflow(nodes: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    """A document with these nodes, written briefly: `{"sum": ("toy.add", {"a": "@one", "b": 2})}`.

    A text that starts with `@` is a link.
    """
    written = {}
    for name, (type_, inputs) in nodes.items():
        written[name] = {"type": type_, "inputs": {key: link(value) for key, value in inputs.items()}}
    return {"nodegraph": 1, "nodes": written, **fields}


def link(value: Any) -> Any:
    """`"@node.output"` as a link; everything else as it is."""
    return {"from": value[1:]} if isinstance(value, str) and value.startswith("@") else value


def shown(node: str) -> dict[str, Any]:
    """A named output `result` that shows a node."""
    return {"outputs": {"result": {"from": node}}}
