"""Folders of models: our own layout, ComfyUI's and its extra paths, A1111's, and where they are named."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from nodegraph import Engine
from nodegraph.errors import InputError
from nodegraph.modelfiles.config import ModelFolders, model_folders
from nodegraph.modelfiles.extra_paths import read_extra_paths
from nodegraph.modelfiles.kinds import MODEL_KINDS


def make(root: Path, *folders: str) -> Path:
    for folder in folders:
        (root / folder).mkdir(parents=True)
    return root


def configured(data: Path, text: str, environment: dict[str, str] | None = None) -> ModelFolders:
    data.mkdir(exist_ok=True)
    (data / "nodegraph.toml").write_text(text)
    return model_folders(data, environment or {})


def test_without_a_configuration_every_kind_has_its_folder_in_the_data_directory(tmp_path: Path) -> None:
    found = model_folders(tmp_path, {})
    assert found.folders == {kind: [tmp_path / "models" / kind] for kind in MODEL_KINDS}
    assert found.notes == []


def test_comfyuis_folders_old_names_too(tmp_path: Path) -> None:
    comfy = make(
        tmp_path / "ComfyUI",
        "models/checkpoints", "models/unet", "models/diffusion_models", "models/clip", "models/vae",
    )  # fmt: skip
    found = configured(tmp_path / "data", f'[models]\ncomfyui = ["{comfy}"]\n')
    models, own = comfy / "models", tmp_path / "data" / "models"
    assert found.folders["checkpoints"] == [own / "checkpoints", models / "checkpoints"]
    assert found.folders["diffusion_models"] == [
        own / "diffusion_models", models / "diffusion_models", models / "unet"
    ]  # fmt: skip
    assert found.folders["text_encoders"] == [own / "text_encoders", models / "clip"]
    assert found.folders["loras"] == [own / "loras"]


def test_a1111s_folders(tmp_path: Path) -> None:
    webui = make(tmp_path / "webui", "models/Stable-diffusion", "models/Lora", "models/VAE", "embeddings")
    found = configured(tmp_path / "data", '[models]\na1111 = ["../webui"]\n')
    for kind, place in [
        ("checkpoints", "models/Stable-diffusion"),
        ("loras", "models/Lora"),
        ("vae", "models/VAE"),
        ("embeddings", "embeddings"),
    ]:
        assert found.folders[kind][1:] == [tmp_path / "data" / ".." / "webui" / place]
        assert found.folders[kind][1].resolve() == webui / place


EXTRA = """
# a comment
comfyui:
    base_path: {base}
    is_default: true
    checkpoints: models/checkpoints/
    loras: |
        models/loras
        {base}/more loras

    unet: models/unet   # an older name
    custom_nodes: custom_nodes/
    clip_vision:
other:
    vae: vae
    ipadapter: adapters
    controlnet: models/ControlNet
note: only text
"""


def test_extra_model_paths(tmp_path: Path) -> None:
    base = tmp_path / "base"
    path = tmp_path / "yaml" / "extra_model_paths.yaml"
    path.parent.mkdir()
    path.write_text(EXTRA.format(base=base))
    extra = read_extra_paths(path)
    assert extra.default == {
        "checkpoints": [base / "models" / "checkpoints"],
        "loras": [base / "models" / "loras", base / "more loras"],
        "diffusion_models": [base / "models" / "unet"],
    }
    assert extra.others == {
        "vae": [path.parent / "vae"],
        "controlnet": [path.parent / "models" / "ControlNet"],
    }
    assert [note.removeprefix(f"{path}: ") for note in extra.notes] == [
        "'other.ipadapter' is no known kind of models",
        "'note' is no section of folders",
    ]


def test_a_base_may_be_relative_or_in_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DISK", str(tmp_path / "disk"))
    path = tmp_path / "extra.yaml"
    path.write_text(
        "a: {base_path: up/there, vae: v}\n"
        "b: {base_path: ~/here, vae: v}\n"
        "c: {base_path: $DISK, vae: [v, w]}\n"
    )
    assert read_extra_paths(path).others["vae"] == [
        tmp_path / place for place in ("up/there/v", "home/here/v", "disk/v", "disk/w")
    ]


@pytest.mark.parametrize(
    "text", ["- a\n- b\n", "a: [", "a: !!python/object/apply:os.system [x]", "\0", "'text'"]
)
def test_a_yaml_that_is_no_table_of_folders_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "extra.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"extra\.yaml"):
        read_extra_paths(path)


def test_an_empty_yaml_names_nothing(tmp_path: Path) -> None:
    (tmp_path / "extra.yaml").write_text("# nothing\n")
    assert read_extra_paths(tmp_path / "extra.yaml") == ({}, {}, [])


def test_who_wins(tmp_path: Path) -> None:
    """Default sections, our own, folders, roots, environment, ComfyUI, A1111, other sections."""
    comfy = make(tmp_path / "comfy", "models/loras", "default", "other")
    (comfy / "extra_model_paths.yaml").write_text(
        "a: {loras: other}\nb: {is_default: true, loras: default}\n"
    )
    make(tmp_path, "webui/models/Lora", "root/loras", "env/loras", "named")
    text = """
    [models]
    roots = ["../root"]
    comfyui = ["../comfy"]
    a1111 = ["../webui"]
    folders = { loras = ["../named"] }
    """
    found = configured(tmp_path / "data", text, {"NODEGRAPH_MODELS": str(tmp_path / "env")})
    assert [path.resolve().relative_to(tmp_path).as_posix() for path in found.folders["loras"]] == [
        "comfy/default", "data/models/loras", "named", "root/loras", "env/loras", "comfy/models/loras",
        "webui/models/Lora", "comfy/other",
    ]  # fmt: skip
    assert found.notes == []


def test_what_is_named_and_not_there_is_said(tmp_path: Path) -> None:
    (tmp_path / "extra.yaml").write_text("a: {loras: gone, strange: x}\n")
    text = (
        '[models]\nroots = ["nowhere"]\nextra_model_paths = ["../extra.yaml"]\nfolders = {vae = ["none"]}\n'
    )
    notes = configured(tmp_path / "data", text, {"NODEGRAPH_MODELS": "/no/such/place"}).notes
    for word in ("nowhere", "gone", "strange", "none", "/no/such/place"):
        assert any(word in note for note in notes), word


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[models", "nodegraph.toml"),
        ("[model]\n", "model"),
        ("models = 3", "models"),
        ("[models]\ncomfy = []", "'models.comfy' means nothing"),
        ('[models]\nroots = "text"', "'models.roots' names no folders"),
        ("[models]\nfolders = []", "'models.folders' is no table"),
        ('[models.folders]\nlora = ["x"]', "'lora' is no kind of models"),
        ("[models.folders]\nloras = [1]", "'models.folders.loras' names no folders"),
    ],
)
def test_a_configuration_that_cannot_be_used_says_where_and_why(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InputError, match="cannot be") as caught:
        configured(tmp_path / "data", text)
    assert told in caught.value.describe()
    assert caught.value.problem.code == "bad_config"


def test_the_engine_finds_models_there_and_says_what_it_does_not_know(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    comfy = make(tmp_path / "comfy", "models/loras/style")
    (comfy / "models/loras/style/x.safetensors").write_bytes(b"x")
    (comfy / "extra_model_paths.yaml").write_text("a: {animatediff: motion}\n")
    configured(tmp_path / "data", f'[models]\ncomfyui = ["{comfy}"]\n')
    with caplog.at_level(logging.WARNING), Engine(tmp_path / "data") as engine:
        assert "style/x.safetensors" in engine.files.names("loras")
        assert "tiny-neon.safetensors" in engine.files.names("loras")
    assert "animatediff" in caplog.text
