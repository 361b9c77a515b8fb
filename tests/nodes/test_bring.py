"""Nodes that put guidance and pictures on a prompt, called as functions."""

from __future__ import annotations

import torch

from nodegraph import Conditioning, Latent, Mask
from nodegraph.values import ConditioningEntry
from nodegraph_nodes import nodes


def two_prompts() -> Conditioning:
    return Conditioning(tuple(ConditioningEntry(torch.full((1, 2, 3), value)) for value in (1.0, 2.0)))


def picture(value: float) -> Latent:
    return Latent(torch.full((1, 4, 2, 2), value))


def test_every_entry_is_told_the_guidance() -> None:
    before = two_prompts()
    after = nodes.conditioning_set_guidance(before, 2.5)
    assert [entry.guidance for entry in after.entries] == [2.5, 2.5]
    assert [entry.tokens for entry in after.entries] == [entry.tokens for entry in before.entries]
    assert [entry.guidance for entry in before.entries] == [None, None]


def test_references_stand_in_the_order_in_which_they_came() -> None:
    first, second = picture(1), picture(2)
    after = nodes.conditioning_add_reference(nodes.conditioning_add_reference(two_prompts(), first), second)
    assert [entry.references for entry in after.entries] == [(first, second)] * 2


def test_a_picture_beside_keeps_its_mask_or_takes_another() -> None:
    own, other = Mask(torch.ones(1, 2, 2)), Mask(torch.zeros(1, 2, 2))
    masked = Latent(torch.zeros(1, 4, 2, 2), noise_mask=own)
    kept = nodes.conditioning_set_picture(two_prompts(), masked).entries[0].beside
    taken = nodes.conditioning_set_picture(two_prompts(), masked, other).entries[0].beside
    assert kept is masked
    assert taken is not None
    assert (taken.samples, taken.noise_mask) == (masked.samples, other)
