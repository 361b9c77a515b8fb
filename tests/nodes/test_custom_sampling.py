"""Sampling from typed parts with the embedded model: the same pictures as `sample`, stage by stage."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from nodegraph import Engine, Graph, Image, Latent
from nodegraph.errors import RunFailedError
from nodegraph.values import Noise, Sampler, Sigmas
from nodegraph_nodes import nodes

PLAIN: dict[str, Any] = {"prompt": "a red circle on a blue background", "seed": 5, "steps": 6}


def picture(engine: Engine, template: str, **inputs: Any) -> torch.Tensor:
    image = engine.run_sync(f"template:{template}", **inputs).outputs["image"]
    assert isinstance(image, Image)
    return image.pixels


@pytest.mark.parametrize("sampler", ["euler", "dpmpp_2m_sde"])
def test_parts_put_together_are_the_sample_node(engine: Engine, sampler: str) -> None:
    common = {**PLAIN, "sampler": sampler, "scheduler": "karras"}
    whole = picture(engine, "text-to-image", **common)
    assert torch.equal(picture(engine, "custom-sampling", **common), whole)


def test_two_stages_are_one_run(engine: Engine) -> None:
    common = {**PLAIN, "sampler": "euler", "scheduler": "karras"}
    whole = picture(engine, "text-to-image", **common)
    for change in (1, 3, 5):
        made = picture(engine, "two-stages", **common, change=change)
        torch.testing.assert_close(made, whole, rtol=0, atol=1e-4)


def test_areas_have_their_own_prompts(engine: Engine) -> None:
    made = picture(engine, "areas", steps=12, seed=3)[0]
    assert made.shape == (128, 256, 3)
    yellow, blue = made[4:12, 4:12].mean((0, 1)), made[4:12, -12:-4].mean((0, 1))
    assert float(yellow[:2].min()) > 0.6, f"the left background is not yellow: {yellow}"
    assert float(yellow[2]) < 0.45, f"the left background is not yellow: {yellow}"
    assert float(blue[2]) > 1.3 * float(blue[0]), f"the right background is not blue: {blue}"


def run(engine: Engine, patch: Any = None, **options: Any) -> Latent:
    """A latent of four steps, by a model with a patch."""
    g = Graph()
    loaded = g(nodes.load_checkpoint)("tiny.safetensors")
    model = loaded.model if patch is None else patch(g, loaded.model)
    positive = g(nodes.text_encode)(loaded.text_encoder, "a red circle on a blue background")
    negative = g(nodes.text_encode)(loaded.text_encoder, "")
    empty = g(nodes.latent_empty)(width=64, height=64)
    made = g(nodes.sample)(model, positive, negative, empty, seed=1, steps=4, **options)
    g.output("made", made)
    latent = engine.run_sync(g.document()).outputs["made"]
    assert isinstance(latent, Latent)
    return latent


@pytest.mark.parametrize(
    "patch",
    [
        lambda g, model: g(nodes.model_freeu)(model),
        lambda g, model: g(nodes.model_rescale_cfg)(model),
        lambda g, model: g(nodes.model_perturbed_attention)(model),
        lambda g, model: g(nodes.model_cfg_zero_star)(model),
        lambda g, model: g(nodes.model_limit_norm)(model),
    ],
    ids=["freeu", "rescale_cfg", "perturbed_attention", "cfg_zero_star", "limit_norm"],
)
def test_a_patch_changes_the_picture_and_loads_nothing(engine: Engine, patch: Any) -> None:
    plain = run(engine)
    before = dict(engine.resources.models.counters())
    made = run(engine, patch)
    after = engine.resources.models.counters()
    assert not torch.allclose(made.samples, plain.samples)
    assert [after[name] - before[name] for name in ("file_reads", "builds")] == [0, 0]


def test_a_neutral_patch_changes_nothing(engine: Engine) -> None:
    plain = run(engine)
    made = run(engine, lambda g, model: g(nodes.model_perturbed_attention)(model, scale=0.0))
    assert torch.equal(made.samples, plain.samples)


def test_skipping_layers_of_a_unet_is_an_error_with_a_name(engine: Engine) -> None:
    with pytest.raises(RunFailedError, match="layer 7"):
        run(engine, lambda g, model: g(nodes.model_skip_layers)(model, start=0.0, end=1.0))


def levels(*values: float) -> Sigmas:
    return Sigmas(torch.tensor(values, dtype=torch.float32))


def test_sigmas_are_cut_with_a_shared_level() -> None:
    whole = levels(8, 4, 2, 1, 0)
    high, low = nodes.sigmas_split(whole, 2)
    assert high.values.tolist() == [8, 4, 2]
    assert low.values.tolist() == [2, 1, 0]
    high, low = nodes.sigmas_split_denoise(whole, 0.25)
    assert high.values.tolist() == [8, 4, 2, 1]
    assert low.values.tolist() == [1, 0]
    high, low = nodes.sigmas_split_denoise(whole, 0.0)
    assert (high.values.tolist(), low.values.tolist()) == ([8, 4, 2, 1, 0], [0])
    high, low = nodes.sigmas_split(whole, 99)
    assert (high.values.tolist(), low.values.tolist()) == ([8, 4, 2, 1, 0], [0])


def test_sigmas_are_flipped_and_read() -> None:
    assert nodes.sigmas_flip(levels(2, 1, 0)).values.tolist() == pytest.approx([0.0001, 1, 2])
    assert nodes.sigmas_from_text("14.5, 1e-1; [0]").values.tolist() == pytest.approx([14.5, 0.1, 0])
    assert nodes.sigmas_from_list([2.0, 0.0]).values.tolist() == [2, 0]


@pytest.mark.parametrize("text", ["", "1, two", "1, -1", "1, inf"])
def test_text_that_is_no_schedule_is_explained(text: str) -> None:
    with pytest.raises(Exception, match=r"number|negative"):
        nodes.sigmas_from_text(text)


def test_a_plot_is_a_picture_with_a_falling_line() -> None:
    pixels = nodes.sigmas_plot(levels(8, 4, 2, 1, 0), 200, 120).pixels
    assert pixels.shape == (1, 120, 200, 3)
    red = (pixels[0, ..., 0] > 0.6) & (pixels[0, ..., 1] < 0.4)
    rows = [float(red[:, column].nonzero().float().mean()) for column in (40, 80, 120, 160)]
    assert rows == sorted(rows), "higher levels are not drawn higher"


def test_values_of_sockets() -> None:
    assert nodes.noise_random(7) == Noise(7)
    assert nodes.noise_none() == Noise(0, initial=False)
    assert Sampler.of("euler", b=1, a=2) == Sampler("euler", (("a", 2), ("b", 1)))


def custom(engine: Engine, guide: Any, *, split: int | None = None) -> torch.Tensor:
    """A latent of four Euler steps with a guider made by `guide(g, model, positive, negative)`."""
    g = Graph()
    loaded = g(nodes.load_checkpoint)("tiny.safetensors")
    prompts = [g(nodes.text_encode)(loaded.text_encoder, text) for text in ("a blue star", "a red circle")]
    guider = guide(g, loaded.model, *prompts)
    sampler = g(nodes.sampler_select)("euler")
    sigmas = g(nodes.sigmas_schedule)(loaded.model, "karras", 4)
    made = g(nodes.latent_empty)(width=64, height=64)
    if split is None:
        made = g(nodes.sample_custom)(g(nodes.noise_random)(3), guider, sampler, sigmas, made).latent
    else:
        halves = g(nodes.sigmas_split)(sigmas, split)
        made = g(nodes.sample_custom)(g(nodes.noise_random)(3), guider, sampler, halves.high, made).latent
        made = g(nodes.sample_custom)(g(nodes.noise_none)(), guider, sampler, halves.low, made).latent
    g.output("made", made)
    latent = engine.run_sync(g.document()).outputs["made"]
    assert isinstance(latent, Latent)
    return latent.samples


def cfg(g: Graph, model: Any, positive: Any, negative: Any) -> Any:
    return g(nodes.guider_cfg)(model, positive, negative, 4.0)


def test_guiders_meet_where_their_formulas_do(engine: Engine) -> None:
    """Dual CFG with the negative as its second is CFG; CFG at scale 1 is the basic guider."""
    single = custom(engine, cfg)
    dual = custom(engine, lambda g, m, p, n: g(nodes.guider_dual_cfg)(m, p, n, n, 4.0, 9.0))
    torch.testing.assert_close(dual, single, rtol=1e-3, atol=1e-3)
    basic = custom(engine, lambda g, m, p, _: g(nodes.guider_basic)(m, p))
    one = custom(engine, lambda g, m, p, n: g(nodes.guider_cfg)(m, p, n, 1.0))
    assert torch.equal(one, basic)
    assert not torch.allclose(single, basic, atol=0.1)


def test_split_sigmas_and_no_noise_go_on_where_the_first_part_ended(engine: Engine) -> None:
    torch.testing.assert_close(custom(engine, cfg, split=2), custom(engine, cfg), rtol=1e-4, atol=1e-4)


def test_an_option_that_a_sampler_does_not_have_is_named(engine: Engine) -> None:
    g = Graph()
    g.output("sampler", g(nodes.sampler_select)("euler_ancestral", eto=0.5))
    with pytest.raises(RunFailedError, match="eto"):
        engine.run_sync(g.document())
