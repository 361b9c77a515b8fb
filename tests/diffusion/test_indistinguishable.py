"""The models that have the same tensors: all pairs, what is taken for granted, and what tells them apart.

A file of such a model is taken for its family's default and the plan says so; its metadata (or a marker, or
the values of one tensor) tell better; and who says it at the loader is believed whatever the file says.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from nodegraph.modelfiles.families import FAMILIES, inspect
from nodegraph.modelfiles.safetensors_header import read_header
from nodegraph.values import ModelFile
from nodegraph_nodes.loaders.recipes import assumed, model_of
from tests.diffusion.test_families import whole
from tests.diffusion.test_transformer_families import FULL, native

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Pair:
    """Two models with the same tensors: the one that is assumed, and the other one.

    field: what differs, `variant` or `prediction`; told: metadata by which the other one is known; marker:
    the name of an empty tensor that tells it.
    """

    first: str
    second: str
    field: str
    shapes: Callable[[], Shapes]
    assumed: str
    other: str
    told: Mapping[str, str]
    marker: str = ""


PAIRS = [
    Pair("SDXL", "SDXL Turbo", "variant", lambda: whole("sdxl"), "", "turbo",
         {"modelspec.title": "SDXL Turbo"}),
    Pair("SDXL", "SDXL Lightning", "variant", lambda: whole("sdxl"), "", "lightning",
         {"modelspec.title": "SDXL-Lightning 4 step"}),
    Pair("SDXL", "SDXL with v prediction", "prediction", lambda: whole("sdxl"), "eps", "v",
         {"modelspec.prediction_type": "v"}, "v_pred"),
    Pair("SDXL refiner", "refiner with v prediction", "prediction", lambda: whole("sdxl_refiner"), "eps", "v",
         {"prediction_type": "v_prediction"}, "v_pred"),
    Pair("SD 1.5", "SD 1.x with v prediction", "prediction", lambda: whole("sd1"), "eps", "v",
         {"prediction_type": "v_prediction"}, "v_pred"),
    Pair("SD 2.1", "SD Turbo", "variant", lambda: whole("sd2"), "", "turbo",
         {"modelspec.title": "SD Turbo"}),
    Pair("SD 2.0 base", "SD 2.1", "prediction", lambda: whole("sd2"), "eps", "v",
         {"modelspec.prediction_type": "v"}, "v_pred"),
    Pair("SD 3.5 large", "SD 3.5 large turbo", "variant", lambda: native(FULL["SD 3.5 large"]), "", "turbo",
         {"modelspec.title": "Stable Diffusion 3.5 Large Turbo"}),
    Pair("FLUX.1 dev", "FLUX.1 Kontext", "variant", lambda: native(FULL["dev and Kontext"]), "", "kontext",
         {"modelspec.title": "FLUX.1 Kontext [dev]"}),
    Pair("FLUX.1 control", "FLUX.1 canny", "variant", lambda: native(FULL["canny and depth"]), "", "canny",
         {"modelspec.title": "FLUX.1-Canny-dev"}),
    Pair("FLUX.1 control", "FLUX.1 depth", "variant", lambda: native(FULL["canny and depth"]), "", "depth",
         {"modelspec.title": "FLUX.1-Depth-dev"}),
]  # fmt: skip
EACH = pytest.mark.parametrize("pair", PAIRS, ids=[f"{pair.first} and {pair.second}" for pair in PAIRS])


def write(path: Path, shapes: Shapes, metadata: Mapping[str, str] | None = None) -> Path:
    """A file with these names and shapes whose values, gigabytes of zeros, take no room."""
    header: dict[str, object] = {"__metadata__": dict(metadata or {})}
    end = 0
    for name, shape in shapes.items():
        size = 2
        for side in shape:
            size *= side
        header[name] = {"dtype": "F16", "shape": list(shape), "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + end)
    return path


def found_in(path: Path) -> tuple[str, str]:
    found = inspect(read_header(path))
    return found.variant, found.prediction


def value_of(path: Path, field: str) -> str:
    variant, prediction = found_in(path)
    return variant if field == "variant" else prediction


@EACH
def test_the_default_is_assumed_and_the_plan_says_so(tmp_path: Path, pair: Pair) -> None:
    path = write(tmp_path / "model.safetensors", pair.shapes())
    assert value_of(path, pair.field) == pair.assumed
    params = {"file": path.name, "variant": "auto", "prediction": "auto"}
    notes = assumed("checkpoints")(params, lambda _kind, _name: path)
    assert any(f"'{pair.field}'" in note for note in notes), notes
    silenced = assumed("checkpoints")({**params, pair.field: pair.other}, lambda _kind, _name: path)
    assert not any(f"'{pair.field}'" in note for note in silenced)


@EACH
def test_metadata_or_a_marker_tell_the_other_one(tmp_path: Path, pair: Pair) -> None:
    told = write(tmp_path / "told.safetensors", pair.shapes(), pair.told)
    assert value_of(told, pair.field) == pair.other
    if pair.marker:
        marked = write(tmp_path / "marked.safetensors", {**pair.shapes(), pair.marker: (0,)})
        assert value_of(marked, pair.field) == pair.other


def test_no_pair_is_left_out(tmp_path: Path) -> None:
    listed = set()
    for pair in PAIRS:
        found = inspect(read_header(write(tmp_path / "model.safetensors", pair.shapes())))
        listed.add((found.family, pair.field, pair.other))
    variants = {
        (family.name, "variant", one.name) for family in FAMILIES for one in family.variants if one.words
    }
    predictions = {(family.name, "prediction", one) for family in FAMILIES for one in family.predictions[1:]}
    assert listed == variants | predictions


@pytest.mark.parametrize("name", ["sd1", "sd2", "sdxl", "sdxl_refiner"])
@pytest.mark.parametrize("said", ["epsilon", "v_prediction"])
def test_a_file_that_says_its_prediction_type_is_not_noted(tmp_path: Path, name: str, said: str) -> None:
    path = write(tmp_path / "model.safetensors", whole(name), {"prediction_type": said})
    params = {"file": path.name, "variant": "auto", "prediction": "auto"}
    notes = assumed("checkpoints")(params, lambda _kind, _name: path)
    assert not any("'prediction'" in note for note in notes)


@EACH
def test_who_says_it_is_believed(tmp_path: Path, pair: Pair) -> None:
    for name, metadata in (("silent", None), ("told", pair.told)):
        found = inspect(read_header(write(tmp_path / f"{name}.safetensors", pair.shapes(), metadata)))
        file = ModelFile("0" * 64, name)
        for wanted in filter(None, (pair.assumed, pair.other)):
            variant = wanted if pair.field == "variant" else "auto"
            prediction = wanted if pair.field == "prediction" else "auto"
            model = model_of(file, found, prediction, variant)
            assert getattr(model, pair.field) == wanted
