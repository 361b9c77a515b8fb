"""From a denoiser and prompts to what a sampler asks: a denoiser of (x, sigma) that follows them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from torch import Tensor

from nodegraph.diffusion.guidance.predict import Predictor
from nodegraph.diffusion.guidance.rules import cfg, dual_cfg, nested_cfg
from nodegraph.diffusion.guidance.steps import Adjust, Combine, Step, Weaken
from nodegraph.diffusion.guidance.weaken import network_of
from nodegraph.errors import InputError
from nodegraph.runtime import LiveDenoiser
from nodegraph.values import Conditioning


class Rule(NamedTuple):
    """How the predictions of one step become one.

    combine: from x0 by prompt name to the guided x0; needs: the prompts that it reads.
    """

    combine: Combine
    needs: Sequence[str]


def basic_rule() -> Rule:
    """The positive prompt alone."""
    return Rule(lambda made: made["positive"], ("positive",))


def cfg_rule(scale: float) -> Rule:
    """`rules.cfg` of positive and negative. At scale 1 the negative has no effect and is not asked for."""
    if math.isclose(scale, 1.0):
        return basic_rule()
    return Rule(lambda made: cfg(made["positive"], made["negative"], scale), ("positive", "negative"))


def dual_cfg_rule(scale: float, second_scale: float, *, nested: bool = False) -> Rule:
    """`rules.dual_cfg` (or `nested_cfg`) of positive, second and negative."""
    formula = nested_cfg if nested else dual_cfg

    def combine(made: Mapping[str, Tensor]) -> Tensor:
        return formula(made["positive"], made["second"], made["negative"], scale, second_scale)

    return Rule(combine, ("positive", "second", "negative"))


class Guided:
    """A `Denoise`, and `WithNegative` where there is a negative prompt.

    Every prediction of a step is made in one batch where sizes allow it; `adjust` then changes the result
    in order.
    """

    def __init__(
        self,
        denoiser: LiveDenoiser,
        prompts: Mapping[str, Conditioning],
        rule: Rule,
        like: Tensor,
        *,
        down: int = 8,
        sigmas: Sequence[float] = (),
        adjust: Sequence[Adjust] = (),
        options: Mapping[str, Any] | None = None,
    ) -> None:
        """like: latents [B,C,h,w] on the device; sigmas: levels of the run; options: those of the rule."""
        self._ask = partial(Predictor, denoiser, like=like, down=down)
        self._predictor = self._ask({name: prompts[name] for name in rule.needs})
        self._denoiser = denoiser
        self._prompts = prompts
        self._rule = rule
        self._levels = list(sigmas)
        self._adjust = adjust
        self._options = options or {}

    def __call__(self, x: Tensor, sigma: Tensor) -> Tensor:
        return self._step(x, sigma, self._rule.needs).guided

    def with_negative(self, x: Tensor, sigma: Tensor) -> tuple[Tensor, Tensor]:
        """The guided x0 and that of the negative prompt. InputError where there is none."""
        if "negative" not in self._prompts:
            raise InputError(
                "this sampler needs the estimate of the negative prompt",
                input="sampler",
                expected="guidance with a negative prompt",
                remedy="Guide with a positive and a negative prompt, or choose a sampler without cfg_pp.",
            )
        names = tuple(dict.fromkeys((*self._rule.needs, "negative")))
        if not self._predictor.knows(names):
            self._predictor = self._ask({name: self._prompts[name] for name in names})
        step = self._step(x, sigma, names)
        return step.guided, step.predictions["negative"]

    def _step(self, x: Tensor, sigma: Tensor, names: Sequence[str]) -> Step:
        made = self._predictor(x, sigma, names)
        level = float(sigma)

        def again(name: str, weaken: Weaken) -> Tensor:
            with weaken(network_of(self._denoiser)):
                return self._predictor(x, sigma, (name,))[name]

        combine = self._rule.combine
        above = sum(one > level for one in self._levels)
        noising = self._denoiser.noising
        step = Step(x, sigma, above, noising, made, combine(made), self._options, combine, again)
        for adjust in self._adjust:
            step = adjust(step)
        return step


def guided(
    denoiser: LiveDenoiser, positive: Conditioning, negative: Conditioning, scale: float, like: Tensor
) -> Guided:
    """Classifier-free guidance by `scale` for latents like [B,C,h,w]."""
    prompts = {"positive": positive, "negative": negative}
    return Guided(denoiser, prompts, cfg_rule(scale), like, options={"cfg": scale})
