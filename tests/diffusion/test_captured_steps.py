"""The parts of captured steps that know no device: signatures, held arguments, and what is kept where."""

from __future__ import annotations

from collections.abc import Callable, Collection

import pytest
import torch
from torch import Tensor, nn

from nodegraph.diffusion.acceleration.arguments import fill, held_copies, signature_of
from nodegraph.diffusion.acceleration.captured import CapturedStep, Recording
from nodegraph.diffusion.acceleration.shelf import StepShelf, Wanted
from nodegraph.diffusion.placement import Budgets, ModelMemoryError
from nodegraph.diffusion.residency import Residency, Room

X = torch.arange(24.0).view(2, 3, 4)


def test_equal_signatures_for_equal_layouts_alone() -> None:
    usual = signature_of((X, None, [X]))
    assert signature_of((X + 1, None, [X * 2])) == usual
    others = [
        (X.half(), None, [X]),
        (X[:1], None, [X]),
        (X.transpose(1, 2).contiguous().transpose(1, 2), None, [X]),
        (X, X, [X]),
        (X, None, [X, X]),
        (X, None, []),
        (X.to("meta"), None, [X]),
    ]
    assert usual not in [signature_of(other) for other in others]


def test_an_argument_that_is_no_tensor_is_refused() -> None:
    with pytest.raises(TypeError, match="given a str"):
        signature_of((X, "text"))


def test_held_arguments_have_the_layout_and_memory_of_their_own() -> None:
    given = (X.transpose(0, 2), None, (X[:, :1],))
    held = held_copies(given)
    assert signature_of(held) == signature_of(given)
    assert held[0].data_ptr() != X.data_ptr()
    fill(held, (X.transpose(0, 2) + 1, None, (X[:, :1] + 2,)))
    assert torch.equal(held[0], X.transpose(0, 2) + 1)
    assert torch.equal(held[2][0], X[:, :1] + 2)


def test_an_argument_that_repeats_its_numbers_is_held_whole() -> None:
    repeated = torch.arange(3.0).expand(4, 3)
    held = held_copies((repeated,))
    fill(held, (repeated + 1,))
    assert torch.equal(held[0], repeated + 1)
    assert signature_of((repeated,)) == signature_of((torch.arange(5.0)[:3].expand(4, 3),))


class Again:
    """A recording of some bytes."""

    def __init__(self, work: Callable[[], Tensor], size: int) -> None:
        self._work, self.result, self.bytes = work, work().clone(), size

    def replay(self) -> None:
        self.result.copy_(self._work())


class Recorder:
    def __init__(self, size: int = 0) -> None:
        self.size = size

    def record(self, work: Callable[[], Tensor]) -> Recording:
        return Again(work, self.size)


def network(scale: float) -> nn.Linear:
    made = nn.Linear(4, 4)
    with torch.no_grad():
        made.weight.fill_(scale)
        made.bias.fill_(1.0)
    return made.requires_grad_(False)


def test_a_step_takes_the_weights_of_whoever_calls_and_writes_none_of_theirs() -> None:
    one, two = network(1.0), network(2.0)
    two.bias = one.bias  # a base that both share
    step = CapturedStep(one, ["weight"], (X,), Recorder(), lambda module: module)
    owners = object(), object()
    for owner, caller in zip(owners * 2, (one, two) * 2, strict=True):
        assert torch.equal(step(owner, caller, (X,)), caller(X))
    assert torch.equal(one.weight, torch.full((4, 4), 1.0))
    assert torch.equal(two.weight, torch.full((4, 4), 2.0))
    assert step.bytes == X.nbytes + one.weight.nbytes


def test_results_stay_when_the_step_goes_on() -> None:
    one = network(1.0)
    step = CapturedStep(one, [], (X,), Recorder(), lambda module: module)
    first = step(one, one, (X,))
    kept = first.clone()
    step(one, one, (X + 1,))
    assert torch.equal(first, kept)


class Steps:
    """A shelf over a residency with a budget, whose steps take 10 bytes and one for each copied weight."""

    def __init__(self, budget: int | None = None) -> None:
        self.residency = Residency(Budgets(budget))
        self.shelf = StepShelf(self.residency)
        self.built: list[str] = []
        self._module = nn.Module()

    def use(self, names: str, signature: str = "a", ground: str = "base") -> None:
        def build(own: Collection[str]) -> CapturedStep:
            self.built.append("".join(sorted(own)))
            step = CapturedStep(nn.Identity(), [], (), Recorder(), lambda _: lambda: X)
            step.bytes = 10 + len(own)
            return step

        def base(room: Room) -> tuple[str, int]:
            return ground, 5

        wanted = Wanted(signature, frozenset(names), len, build)
        with (
            self.residency.hold(ground, base, what=ground, owner="test", expected_bytes=5),
            self.shelf.hold(wanted, ground, "test") as step,
        ):
            assert step.bytes >= 10


def test_a_step_grows_to_serve_all_recipes_and_is_the_only_one() -> None:
    steps = Steps()
    for names in ("", "ab", "a", "", "bc", "ab", "c", "abc", ""):
        steps.use(names)
    assert steps.built == ["", "ab", "abc"]
    assert steps.residency.used_bytes() == 5 + 13


def test_signatures_and_models_have_steps_of_their_own() -> None:
    steps = Steps()
    for _ in range(2):
        for signature in "ab":
            for ground in ("one", "two"):
                steps.use("", signature, ground)
    assert len(steps.built) == 4


def test_a_step_goes_with_its_ground_and_starts_anew() -> None:
    steps = Steps()
    steps.use("ab")
    steps.residency.drop("base")
    assert steps.residency.used_bytes() == 0
    steps.use("c")
    assert steps.built == ["ab", "c"]


def test_a_step_without_room_is_made_once_and_then_refused() -> None:
    steps = Steps(budget=12)
    steps.use("")  # 15 bytes, which nobody knew
    assert steps.residency.used_bytes() <= 12
    for _ in range(3):
        with pytest.raises(ModelMemoryError):
            steps.use("")
    assert steps.built == [""]


def test_copies_of_weights_without_room_are_refused_before_anything_is_captured() -> None:
    steps = Steps(budget=7)
    with pytest.raises(ModelMemoryError):
        steps.use("abc")
    assert steps.built == []


def test_what_is_in_use_is_not_dropped() -> None:
    residency = Residency(Budgets(None))

    def build(room: Room) -> tuple[str, int]:
        return "x", 1

    with residency.hold("x", build, what="x", owner="test"):
        residency.drop("x")
        assert residency.has("x")
    residency.drop("x")
    residency.drop("never there")
    assert not residency.has("x")
