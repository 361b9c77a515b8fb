"""What bad options and bad files get: a sentence, exit code 2 or 1, no traceback, nothing written."""

from __future__ import annotations

import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from tests.cli.conftest import TEMPLATE, Cli, text_to_image, write

MODEL = Path(__file__).parents[2] / "nodes/nodegraph_nodes/models/checkpoints/tiny.safetensors"
QUICK = ("--steps", "2")

OPTIONS: list[tuple[str, list[str], list[str]]] = [
    ("no such file", ["run", "nope.json"], ["'nope.json' cannot be read", "Check the path"]),
    ("a folder", ["run", "."], ["cannot be read"]),
    ("a template without its prefix", ["run", "text-to-image"], ["'template:text-to-image'"]),
    ("no such template", ["run", "template:nope"], ["no template 'nope'", "text-to-image"]),
    ("no workflow", ["run"], ["Missing argument", "WORKFLOW"]),
    ("no such command", ["runn"], ["No such command", "run"]),
    ("a misspelt input", ["run", TEMPLATE, "--promt", "x"], ["'--promt'", "Did you mean 'prompt'"]),
    ("an input without a value", ["run", TEMPLATE, "--seed"], ["'--seed' has no value"]),
    ("a stray word", ["run", TEMPLATE, "red"], ["'red' is not an option", "Quote"]),
    ("a pair without =", ["run", TEMPLATE, "-i", "prompt"], ["is not NAME=VALUE"]),
    ("an unknown pair", ["run", TEMPLATE, "-i", "promt=x"], ["no input 'promt'", "'prompt'"]),
    ("an input of the wrong type", ["run", TEMPLATE, "--cfg", "high"], ["'cfg'", "wrong type", "'high'"]),
    ("an input out of range", ["run", TEMPLATE, "--steps", "0"], ["'steps'", "out of range"]),
    ("a seed that is no number", ["run", TEMPLATE, "--seed", "foo"], ["'seed'", "'foo'", 'or "random"']),
    ("options alone", ["run", "--prompt", "x"], ["no workflow is named", "nodegraph run WORKFLOW"]),
    ("an option before no workflow", ["run", "--seed", TEMPLATE], ["no workflow is named"]),
    ("a seed too large", ["run", TEMPLATE, "--seed", str(2**64)], ["'seed'", "out of range"]),
    ("an unknown sampler", ["run", TEMPLATE, "--sampler", "eular"], ["'euler'"]),
    ("a missing checkpoint", ["run", TEMPLATE, "--checkpoint", "sd15.ckpt"], ["no file 'sd15.ckpt'"]),
    ("no folder for the output", ["run", TEMPLATE, "-o", "no/out.png"], ["no folder", "no"]),
    ("a folder as output", ["run", TEMPLATE, "-o", "folder.png"], ["it is a folder"]),
    ("an output without a suffix", ["run", TEMPLATE, "-o", "out"], ["no suffix", ".png"]),
    ("an output of another kind", ["run", TEMPLATE, "-o", "out.mp4"], [".png", "found .mp4"]),
    ("an unknown output name", ["run", TEMPLATE, "-o", "o.png", "--name", "x"], ["no output 'x'", "image"]),
    ("an unknown device", ["run", TEMPLATE, "--device", "tpu"], ["device is unknown", "cuda:N"]),
    ("an unknown dtype", ["run", TEMPLATE, "--dtype", "float8"], ["dtype is unknown", "bfloat16"]),
    ("an unknown node", ["nodes", "smple"], ["no node type is called 'smple'", "'sample'"]),
    (
        "a missing image",
        ["run", "template:image-to-image", "--image", "x.png"],
        ["no file 'x.png' in images"],
    ),
    ("a name too long for a file", ["run", "x" * 300], ["xxx", "name too long"]),
    ("an output too long for a file", ["run", TEMPLATE, "-o", f"{'x' * 300}.png"], ["name too long"]),
    ("a disk cache without end", ["run", TEMPLATE, "--disk-cache", "inf"], ["needs a limit", "inf"]),
    ("a sweep of astronomic numbers", ["run", TEMPLATE, "--sweep", f"seed=1..{'9' * 5000}"], ["'seed'"]),
    ("a missing LoRA", ["run", "template:lora", "--lora", "x.safetensors"], ["'x.safetensors' in loras"]),
]


@pytest.mark.parametrize(
    ("arguments", "expected"), [case[1:] for case in OPTIONS], ids=[case[0] for case in OPTIONS]
)
def test_bad_option(cli: Cli, tmp_path: Path, arguments: list[str], expected: list[str]) -> None:
    (tmp_path / "folder.png").mkdir()
    done = cli(*arguments)
    assert done.code == 2, done.err
    for fragment in expected:
        assert fragment in done.err
    assert "Traceback" not in done.err
    assert done.out == ""
    assert list((tmp_path / "data").rglob("*.png")) == []


def test_no_gpu_is_said_clearly(cli: Cli) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU, so that asking for one is no mistake")
    done = cli("run", TEMPLATE, "--device", "cuda")
    assert done.code == 2
    assert "'cuda' is not available" in done.err
    assert "Use 'auto' or 'cpu'" in done.err


def _checkpoint_case(folder: Path, kind: str) -> Path:
    """A damaged or foreign file under the name of a checkpoint."""
    path = folder / f"{kind}.safetensors"
    whole = MODEL.read_bytes()
    match kind:
        case "empty":
            path.write_bytes(b"")
        case "truncated":
            path.write_bytes(whole[: len(whole) // 2])
        case "half a header":
            path.write_bytes(whole[:1000])
        case "text":
            path.write_text("<html>404 Not Found</html>" * 10)
        case "zip":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("archive/data.pkl", b"\x80\x02}q\x00.")
        case "pickle":
            path.write_bytes(b"\x80\x02}q\x00." + b"0" * 100)
        case "absurd header":
            path.write_bytes((2**62).to_bytes(8, "little") + b"{}" * 40)
        case "other tensors":
            save_file({"a.weight": torch.zeros(2, 2)}, path)
    return path


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("empty", "empty"),
        ("truncated", "Download"),
        ("half a header", "Download"),
        ("text", "HTML"),
        ("zip", "zip"),
        ("pickle", "pickle"),
        ("absurd header", "header"),
        ("other tensors", "no known model"),
    ],
)
def test_bad_checkpoint(cli: Cli, tmp_path: Path, kind: str, expected: str) -> None:
    path = _checkpoint_case(tmp_path, kind)
    done = cli("run", TEMPLATE, "--checkpoint", path, *QUICK, "-o", "out.png")
    assert done.code == 2, done.err
    assert "node 'loader'" in done.err
    assert expected.lower() in done.err.lower()
    assert not (tmp_path / "out.png").exists()


def test_lora_that_matches_nothing(cli: Cli, tmp_path: Path) -> None:
    lora = tmp_path / "flux.safetensors"
    name = "lora_unet_double_blocks_0_img_attn_qkv"
    save_file(
        {f"{name}.lora_down.weight": torch.zeros(4, 64), f"{name}.lora_up.weight": torch.zeros(64, 4)}, lora
    )
    done = cli("run", "template:lora", "--lora", lora, *QUICK, "-o", "out.png")
    assert done.code == 2
    assert "node 'lora'" in done.err
    assert "nothing in" in done.err
    assert not (tmp_path / "out.png").exists()


def test_lora_of_another_shape(cli: Cli, tmp_path: Path) -> None:
    lora = tmp_path / "wide.safetensors"
    name = "lora_te_text_model_encoder_layers_0_self_attn_q_proj"
    save_file(
        {f"{name}.lora_down.weight": torch.zeros(4, 768), f"{name}.lora_up.weight": torch.zeros(768, 4)}, lora
    )
    done = cli("run", "template:lora", "--lora", lora, *QUICK, "-o", "out.png")
    assert done.code == 2
    assert "made for a CLIP text encoder" in done.err


@pytest.mark.parametrize("data", [b"", b"GIF89a broken", b"\x89PNG\r\n\x1a\n" + b"0" * 50, b"<svg/>"])
def test_unreadable_image(cli: Cli, tmp_path: Path, data: bytes) -> None:
    picture = tmp_path / "bad.png"
    picture.write_bytes(data)
    done = cli("run", "template:image-to-image", "--image", picture, *QUICK, "-o", "out.png")
    assert done.code == 2
    assert "node 'picture'" in done.err
    assert "is not a picture that can be read" in done.err
    assert not (tmp_path / "out.png").exists()


def test_picture_without_a_workflow(cli: Cli, tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (8, 8)).save(tmp_path / "plain.png")
    done = cli("run", "plain.png")
    assert done.code == 2
    assert "holds no workflow" in done.err


def test_bad_input_inside_a_loop_is_bad_input(cli: Cli, tmp_path: Path) -> None:
    """Exit code 2, as outside of one; 1 is for runs that failed for other reasons."""
    calculate = {"type": "math.calculate", "inputs": {"a": 1, "b": {"input": "item"}, "how": "÷"}}
    document = {
        "nodegraph": 1,
        "nodes": {"loop": {"type": "logic.for_each", "inputs": {"body": "#body", "items": [1, 0]}}},
        "outputs": {"out": {"from": "loop"}},
        "subgraphs": {
            "body": {
                "inputs": {"item": {"type": "float"}},
                "outputs": {"result": {"type": "float", "from": "divided"}},
                "nodes": {"divided": calculate},
            }
        },
    }
    done = cli("run", write(tmp_path / "loop.json", document))
    assert done.code == 2
    assert "node 'loop/1/divided' (divided), input 'b': division by zero" in done.err


def test_output_folder_that_cannot_be_made(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "outputs").write_text("a file where the folder should be")
    done = cli("run", write(tmp_path / "ok.json", text_to_image()))
    assert done.code == 2
    assert "node 'save'" in done.err
    assert "cannot be written" in done.err
    assert "sample" not in done.err  # it is said before the work
    assert "Traceback" not in done.err


@pytest.mark.parametrize("word", ["--prompt", "--prompt=a red circle"])
def test_options_may_come_before_the_workflow(cli: Cli, tmp_path: Path, word: str) -> None:
    words = [word] if "=" in word else [word, "a red circle"]
    before = ["--seed", "3", *words, "-i", "cfg=4"]
    plan = cli("run", *before, TEMPLATE, "--dry-run")
    assert plan.code == 0, plan.err
    assert plan.out == cli("run", TEMPLATE, *before, "--dry-run").out
    assert cli("check", *before, TEMPLATE).code == 0
    assert cli("cache", "explain", *before, TEMPLATE).code == 0


def test_a_prefix_never_leads_out_of_the_output_folder(cli: Cli, tmp_path: Path) -> None:
    document = text_to_image()
    document["nodes"]["save"]["inputs"]["prefix"] = "../../escaped"
    done = cli("run", write(tmp_path / "escape.json", document))
    assert done.code == 2
    assert "output folder" in done.err
    assert list(tmp_path.rglob("escaped*")) == []


@pytest.mark.parametrize("arguments", [["run", "nope.json"], ["nodes", "smple"], ["run", TEMPLATE, "--seed"]])
def test_the_installed_command_shows_no_traceback(command: Cli, arguments: list[str]) -> None:
    done = command(*arguments)
    assert done.code == 2
    assert done.err.startswith("error: ")
    assert "Traceback" not in done.err


def test_ctrl_c_ends_sampling_cleanly(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "nodegraph", "run", TEMPLATE, "--steps", "10000", "-o", "out.png"],
        cwd=tmp_path, env={"PATH": "/usr/bin:/bin", "NODEGRAPH_DATA": str(tmp_path / "data")},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:  # the last node before sampling has reported: sampling is under way
        if line.startswith(("negative", "positive")) and "encode" in line:
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert "cancelled" in err
    assert "Traceback" not in err
    assert [path.name for path in tmp_path.rglob("*.png*")] == []
