"""What prompts bring besides tokens reaches the network in rows, or is refused."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from nodegraph.diffusion.extras import conditioned, extras_of, signature
from nodegraph.diffusion.guidance import guided
from nodegraph.diffusion.prediction import Flow, Noising
from nodegraph.diffusion.schedules import FlowSchedule
from nodegraph.errors import InputError
from nodegraph.runtime import Extras, LiveDenoiser, TakesExtras
from nodegraph.runtime import Noising as LevelsOf
from nodegraph.values import Conditioning, ConditioningEntry, Latent, Mask

TOKENS = torch.zeros(1, 2, 3)


class Plain:
    """A denoiser of tokens alone: x0 is their mean."""

    device = torch.device("cpu")
    noising: LevelsOf = Noising(Flow(), FlowSchedule())
    sigmas = noising.table

    def denoise(self, x: Tensor, sigma: Tensor, tokens: Tensor) -> Tensor:
        return tokens.mean((1, 2)).view(-1, 1, 1, 1).expand(x.shape)


class Told(Plain):
    """A denoiser whose x0 is the guidance that it is told; it remembers what it was given."""

    def __init__(self) -> None:
        self.extras: list[Extras] = []

    def given(self, extras: Extras) -> Told:
        self.extras.append(extras)
        bound = Told()
        bound.extras = [extras]
        return bound

    def denoise(self, x: Tensor, sigma: Tensor, tokens: Tensor) -> Tensor:
        guidance = self.extras[0].guidance
        told = torch.zeros(len(x)) if guidance is None else guidance
        return told.view(-1, 1, 1, 1).expand(x.shape)


def picture(value: float, size: int = 4, *, masked: bool = False) -> Latent:
    mask = Mask(torch.ones(1, 8, 8)) if masked else None
    return Latent(torch.full((1, 4, size, size), value), noise_mask=mask)


def test_entries_are_rows_in_their_order_once_for_every_image() -> None:
    entries = [
        ConditioningEntry(TOKENS, torch.full((1, 5), float(index)), guidance=index + 1.0,
                          beside=picture(index, masked=True), references=(picture(index), picture(9, size=2)))
        for index in range(2)
    ]  # fmt: skip
    extras = extras_of(entries, 3, torch.device("cpu"))
    assert extras.pooled is not None
    assert extras.guidance is not None
    assert extras.beside is not None
    assert extras.mask is not None
    assert extras.pooled[:, 0].tolist() == [0, 0, 0, 1, 1, 1]
    assert extras.guidance.tolist() == [1, 1, 1, 2, 2, 2]
    assert extras.beside[:, 0, 0, 0].tolist() == [0, 0, 0, 1, 1, 1]
    assert extras.mask.shape == (6, 8, 8)
    assert [tuple(reference.shape) for reference in extras.references] == [(6, 4, 4, 4), (6, 4, 2, 2)]
    assert extras_of([ConditioningEntry(TOKENS)], 2, torch.device("cpu")).pooled is None


def test_entries_with_other_extras_do_not_share_a_batch() -> None:
    plain = ConditioningEntry(TOKENS)
    others = [
        ConditioningEntry(TOKENS, torch.zeros(1, 5)),
        ConditioningEntry(TOKENS, guidance=3.5),
        ConditioningEntry(TOKENS, beside=picture(0)),
        ConditioningEntry(TOKENS, beside=picture(0, masked=True)),
        ConditioningEntry(TOKENS, references=(picture(0),)),
        ConditioningEntry(TOKENS, references=(picture(0, size=2),)),
    ]
    assert len({signature(entry) for entry in [plain, *others]}) == 7
    assert signature(others[1]) == signature(ConditioningEntry(TOKENS, guidance=1.0))


def test_every_prompt_is_asked_with_its_own_extras() -> None:
    denoiser = Told()
    assert isinstance(denoiser, TakesExtras)
    positive = Conditioning((ConditioningEntry(TOKENS, guidance=3.0), ConditioningEntry(TOKENS)))
    negative = Conditioning((ConditioningEntry(TOKENS, guidance=2.0),))
    x = torch.zeros(2, 4, 2, 2)
    x0 = guided(denoiser, positive, negative, 4.0, x)(x, torch.tensor(1.0))
    assert torch.equal(x0, torch.full((2, 4, 2, 2), 2.0 + 4.0 * (1.5 - 2.0)))
    assert len(denoiser.extras) == 2  # two with guidance together, one without


def test_a_denoiser_of_tokens_alone_refuses_pictures_and_ignores_the_rest() -> None:
    denoiser: LiveDenoiser = Plain()
    assert conditioned(denoiser, [ConditioningEntry(TOKENS, torch.zeros(1, 5), guidance=2.0)], 1) is denoiser
    for entry in (
        ConditioningEntry(TOKENS, beside=picture(0)),
        ConditioningEntry(TOKENS, references=(picture(0),)),
    ):
        with pytest.raises(InputError, match="takes none"):
            conditioned(denoiser, [entry], 1)


def test_extras_for_another_number_of_images_are_refused() -> None:
    with pytest.raises(InputError) as refused:
        extras_of([ConditioningEntry(TOKENS, torch.zeros(2, 5))], 3, torch.device("cpu"))
    assert (refused.value.problem.expected, refused.value.problem.found) == ("1 or 3", "2")
