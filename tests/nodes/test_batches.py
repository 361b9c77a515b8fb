"""`image.join` and `image.batch`: order, alpha, and pictures that do not go together."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from nodegraph import Engine, Graph, Image
from nodegraph.errors import InputError
from nodegraph_nodes import nodes
from nodegraph_nodes.image.batch import batch, join


def plain(value: float, width: int = 4, height: int = 2, count: int = 1, channels: int = 3) -> Image:
    return Image(torch.full((count, height, width, channels), value))


def test_pictures_and_batches_are_joined_in_order() -> None:
    joined = join(plain(0.1), plain(0.2, count=2), plain(0.3))
    assert joined.pixels[:, 0, 0, 0].tolist() == pytest.approx([0.1, 0.2, 0.2, 0.3])
    torch.testing.assert_close(batch([plain(0.1), plain(0.2)]).pixels, join(plain(0.1), plain(0.2)).pixels)


def test_a_picture_without_alpha_is_opaque_beside_one_with_it() -> None:
    joined = join(plain(0.5), plain(0.25, channels=4))
    assert joined.pixels[:, 0, 0, 3].tolist() == [1.0, 0.25]


def test_a_size_that_differs_is_named_with_both_sizes() -> None:
    with pytest.raises(InputError) as caught:
        join(plain(0), plain(0), plain(0, width=6), plain(0, height=9))
    problem = caught.value.problem
    assert (problem.input, problem.expected, problem.found) == ("images[2]", "4×2", "6×2")
    with pytest.raises(InputError, match="4×2 and 6×2"):
        batch([plain(0, width=6), plain(0)])


@pytest.mark.parametrize("call", [join, lambda: batch([])])
def test_nothing_is_no_picture(call: Any) -> None:
    with pytest.raises(InputError, match="there are no pictures"):
        call()


def test_joining_in_a_workflow(engine: Engine) -> None:
    g = Graph()
    picture = g(nodes.image_load)(file="example.png").image
    g.output("both", g(nodes.image_join)(picture, g(nodes.image_invert)(picture)))
    pixels = engine.run_sync(g.document()).outputs["both"].pixels
    assert pixels.shape[0] == 2
    torch.testing.assert_close(pixels[1, ..., :3], 1 - pixels[0, ..., :3])
