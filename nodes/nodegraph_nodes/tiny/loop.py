"""The training loop that every stage shares: time-based schedule, averaged weights, checkpoints, progress.

The schedule is a function of elapsed training time over the budget, so a slow or busy machine makes fewer
steps but still ends with a small learning rate.
"""

from __future__ import annotations

import copy
import math
import random
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from nodegraph_nodes.tiny import checkpoint
from nodegraph_nodes.tiny.checkpoint import Progress
from nodegraph_nodes.tiny.parallel import Worker


class Loss(NamedTuple):
    """A loss to minimise, and numbers worth printing."""

    value: Tensor
    shown: dict[str, float]


class Stage(Protocol):
    """What one stage of the training learns."""

    module: nn.Module
    rng: random.Random

    def loss(self, step: int, progress: float) -> Loss:
        """The loss on a fresh batch; ``progress`` is the share of the time budget that is spent."""
        ...


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a stage is trained: AdamW, warm-up, constant for ``hold`` of the time, then cosine to ``floor``.

    ``average`` is the decay of the exponential average of the weights, which is what a stage hands on.
    """

    minutes: float
    learning_rate: float
    warm_up: int = 100
    hold: float = 0.0
    floor: float = 0.02
    average: float = 0.998
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.01
    clip: float = 1.0
    report_every: int = 100
    save_every: int = 500

    def rate(self, step: int, progress: float) -> float:
        """The learning rate at a step of this run and a share of its time."""
        warm = min(1.0, (step + 1) / self.warm_up)
        if progress < self.hold:
            return self.learning_rate * warm
        fall = 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - self.hold) / (1 - self.hold))))
        return self.learning_rate * warm * (self.floor + (1 - self.floor) * fall)


def adamw(module: nn.Module, recipe: Recipe) -> torch.optim.AdamW:
    """AdamW that decays matrices and kernels only: biases and norms have no scale to keep small."""
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    groups: list[dict[str, Any]] = [
        {"params": [parameter for parameter in parameters if parameter.ndim > 1]},
        {"params": [parameter for parameter in parameters if parameter.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        groups, recipe.learning_rate, betas=recipe.betas, weight_decay=recipe.weight_decay, fused=True
    )


@dataclass(slots=True)
class Report:
    """Means of what the steps showed since the last line."""

    title: str
    started: float = field(default_factory=time.monotonic)
    sums: dict[str, float] = field(default_factory=dict)
    count: int = 0

    def add(self, loss: Loss) -> None:
        """Take one step's numbers in."""
        for name, value in {"loss": loss.value.item(), **loss.shown}.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        self.count += 1

    def line(self, now: Progress, recipe: Recipe, rate: float) -> str:
        """The line to print; starts the next mean."""
        speed = self.count / (time.monotonic() - self.started)
        means = " ".join(f"{name} {value / self.count:.4f}" for name, value in self.sums.items())
        self.sums, self.count, self.started = {}, 0, time.monotonic()
        left = max(0.0, recipe.minutes - now.seconds / 60)
        head = f"{self.title}: step {now.step}, {left:.1f} min left"
        return f"{head}, {speed:.1f} steps/s, rate {rate:.1e}, {means}"


@dataclass(slots=True)
class Run:
    """A stage's weights, their average and its optimizer, saved together."""

    module: nn.Module
    average: nn.Module
    optimizer: torch.optim.AdamW
    progress: Progress

    def save(self, path: Path) -> None:
        """Write everything needed to go on."""
        tensors = {f"weights.{name}": tensor for name, tensor in self.module.state_dict().items()}
        tensors |= {f"average.{name}": tensor for name, tensor in self.average.state_dict().items()}
        tensors |= checkpoint.optimizer_tensors(self.optimizer)
        metadata = {"step": str(self.progress.step), "seconds": str(self.progress.seconds)}
        checkpoint.write(path, tensors, metadata)

    def resume(self, path: Path) -> None:
        """Go on from a saved run."""
        metadata = checkpoint.read_metadata(path)
        tensors = checkpoint.read(path)
        self.module.load_state_dict(checkpoint.read(path, "weights."))
        self.average.load_state_dict(checkpoint.read(path, "average."))
        checkpoint.restore_optimizer(self.optimizer, tensors)
        self.progress = Progress(int(metadata["step"]), float(metadata["seconds"]))


def train(
    stage: Stage, recipe: Recipe, worker: Worker, path: Path, title: str, *, anew: bool = False
) -> nn.Module:
    """Train a stage to the end of its time and return the averaged module.

    ``path`` holds the checkpoint: if it exists and ``anew`` is false, the run goes on from there.
    """
    module = stage.module
    average = copy.deepcopy(module)
    run = Run(module, average, adamw(module, recipe), Progress())
    if path.exists() and not anew:
        run.resume(path)
    parameters: list[Tensor] = [each for each in module.parameters() if each.requires_grad]
    averaged: list[Tensor] = [each for each in average.parameters() if each.requires_grad]
    # Every process draws other scenes and other noise, and a resumed run others than before.
    stage.rng.seed(f"{title} {worker.rank} {run.progress.step}")
    torch.manual_seed(stage.rng.randrange(2**40))
    report = Report(title)
    first, before, began = run.progress.step, run.progress.seconds, time.monotonic()
    while (seconds := worker.agree(before + time.monotonic() - began)) < 60 * recipe.minutes:
        step, share = run.progress.step, seconds / (60 * recipe.minutes)
        rate = recipe.rate(step - first, share)
        for group in run.optimizer.param_groups:
            group["lr"] = rate
        loss = stage.loss(step, share)
        run.optimizer.zero_grad(set_to_none=True)
        loss.value.backward()  # type: ignore[no-untyped-call]
        worker.average_gradients(parameters)
        nn.utils.clip_grad_norm_(parameters, recipe.clip)
        run.optimizer.step()
        # A young average would remember its random start for long: it forgets faster at first.
        decay = min(recipe.average, (1 + step - first) / (10 + step - first))
        with torch.no_grad():
            torch._foreach_lerp_(averaged, parameters, 1 - decay)
        run.progress = Progress(step + 1, seconds)
        report.add(loss)
        if worker.first and run.progress.step % recipe.report_every == 0:
            print(report.line(run.progress, recipe, rate), flush=True)
        if worker.first and run.progress.step % recipe.save_every == 0:
            run.save(path)
    run.progress = Progress(run.progress.step, seconds)
    if worker.first:
        run.save(path)
    return average
