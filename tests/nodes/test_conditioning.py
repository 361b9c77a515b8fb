"""Conditioning nodes called as functions."""

from __future__ import annotations

import pytest
import torch

from nodegraph import Conditioning, Mask
from nodegraph.errors import InputError
from nodegraph.values import Area, ConditioningEntry
from nodegraph_nodes import nodes


def prompt(value: float, length: int = 4, width: int = 3, *, pooled: bool = True) -> Conditioning:
    tokens = torch.full((1, length, width), value)
    return Conditioning((ConditioningEntry(tokens, torch.full((1, 2), value) if pooled else None),))


def only(conditioning: Conditioning) -> ConditioningEntry:
    (entry,) = conditioning.entries
    return entry


def test_combined_prompts_are_entries_in_order() -> None:
    one, two = prompt(1), prompt(2)
    assert nodes.conditioning_combine(one, two).entries == (*one.entries, *two.entries)


def test_concatenated_tokens_stand_in_a_row() -> None:
    entry = only(nodes.conditioning_concat(prompt(1), prompt(2, length=2)))
    assert entry.tokens[0, :, 0].tolist() == [1, 1, 1, 1, 2, 2]
    assert entry.pooled is not None
    assert entry.pooled.tolist() == [[1, 1]]


def test_an_average_cuts_or_fills_the_second() -> None:
    entry = only(nodes.conditioning_average(prompt(1), prompt(3, length=6), 0.25))
    assert entry.tokens[0, :, 0].tolist() == [2.5] * 4
    assert entry.pooled is not None
    assert entry.pooled.tolist() == [[2.5, 2.5]]
    entry = only(nodes.conditioning_average(prompt(1, pooled=False), prompt(3, length=2), 0.25))
    assert entry.tokens[0, :, 0].tolist() == [2.5, 2.5, 0.25, 0.25]
    assert entry.pooled is not None
    assert entry.pooled.tolist() == [[3, 3]]


def test_prompts_that_do_not_fit_are_explained() -> None:
    two = nodes.conditioning_combine(prompt(1), prompt(2))
    for join in (nodes.conditioning_concat, nodes.conditioning_average):
        with pytest.raises(InputError, match="different text encoders"):
            join(prompt(1), prompt(2, width=5))
        with pytest.raises(InputError, match="single prompt"):
            join(prompt(1), two)


def test_zeroed_conditioning_keeps_its_shape() -> None:
    entry = only(nodes.conditioning_zero_out(prompt(3)))
    assert entry.tokens.shape == (1, 4, 3)
    assert not entry.tokens.any()
    assert entry.pooled is not None
    assert not entry.pooled.any()


def test_limits_are_told_to_every_entry_and_leave_the_given_one() -> None:
    given = nodes.conditioning_combine(prompt(1), prompt(2))
    limited = nodes.conditioning_set_area(given, 64, 128, x=8, y=16, strength=2.0)
    limited = nodes.conditioning_set_time_range(limited, 0.25, 0.75)
    for entry in limited.entries:
        assert entry.area == Area(64, 128, 8, 16)
        assert (entry.strength, entry.start, entry.end) == (2.0, 0.25, 0.75)
    assert all(entry.area is None and entry.start == 0 for entry in given.entries)
    fraction = only(nodes.conditioning_set_area_fraction(prompt(1), 0.5, 1.0, x=0.5))
    assert fraction.area == Area(0.5, 1.0, 0.5, 0.0, "fraction")


def test_the_bounds_of_a_mask_are_its_area() -> None:
    mask = torch.zeros(1, 16, 32)
    mask[0, 4:8, 8:24] = 0.5
    entry = only(nodes.conditioning_set_mask(prompt(1), Mask(mask), 3.0, "mask bounds"))
    assert entry.area == Area(0.5, 0.25, 0.25, 0.25, "fraction")
    assert entry.mask_strength == 3.0
    assert only(nodes.conditioning_set_mask(prompt(1), Mask(mask))).area is None
    with pytest.raises(InputError, match="empty"):
        nodes.conditioning_set_mask(prompt(1), Mask(mask * 0), 1.0, "mask bounds")
