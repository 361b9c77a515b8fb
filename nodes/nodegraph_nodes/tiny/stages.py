"""The stages of the training, from nothing to a scored file; each reads and writes files of one folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from nodegraph.diffusion.nets.unet import UNet
from nodegraph.diffusion.nets.vae import AutoencoderKL
from nodegraph_nodes.tiny import (
    checkpoint,
    folding,
    latents,
    lora,
    stage_text,
    stage_unet,
    stage_vae,
    weights,
)
from nodegraph_nodes.tiny.heldout import training_scenes
from nodegraph_nodes.tiny.initial import grown, start_unet, start_vae
from nodegraph_nodes.tiny.latents import LatentSet
from nodegraph_nodes.tiny.loop import Recipe, train
from nodegraph_nodes.tiny.neon import TRIGGER, render_neon
from nodegraph_nodes.tiny.nets import LATENT_SCALE, UNET, VAE, TextEncoder, TinyModel, smoke_unet
from nodegraph_nodes.tiny.parallel import Worker
from nodegraph_nodes.tiny.scenes import Mixture
from nodegraph_nodes.tiny.tokenizer import CaptionTokenizer, Vocabulary, train_vocabulary, training_captions

LORA_RECIPE = Recipe(minutes=4, learning_rate=3e-3, warm_up=20, average=0.99, weight_decay=0.0)
LORA_MIXTURE = Mixture(two_objects=0.15, patterned=0.0, sizes=(0.2, 0.45, 0.35))
LORA_FIRST_SEED = 60_000_000

#: Fresh weights are drawn with this seed, so that all processes of a run start from the same ones.
SEED = 0


@dataclass(frozen=True, slots=True)
class Options:
    """What a run of the trainer was asked for. ``minutes`` replaces a stage's own budget."""

    folder: Path
    init: Path | None = None
    minutes: float | None = None
    scenes: int = 24_000
    batch: int = 16
    device: str = "cpu"
    smoke: bool = False

    def recipe(self, recipe: Recipe) -> Recipe:
        """A stage's recipe with this run's budget; a smoke run takes a few seconds per stage."""
        if self.smoke:
            return replace(recipe, minutes=0.12, warm_up=5, report_every=5)
        return recipe if self.minutes is None else replace(recipe, minutes=self.minutes)

    def file(self, name: str) -> Path:
        """A file of the run's folder."""
        return self.folder / name

    @property
    def model(self) -> Path:
        """The exported model."""
        return self.file("tiny.safetensors")

    @property
    def lora(self) -> Path:
        """The exported LoRA."""
        return self.file("tiny-neon.safetensors")


def vocabulary(options: Options) -> Vocabulary:
    """The run's vocabulary."""
    vocab = options.file("vocab.json").read_text(encoding="utf-8")
    return Vocabulary.parse(vocab, options.file("merges.txt").read_text(encoding="utf-8"))


def text_encoder(options: Options) -> TextEncoder:
    """The run's pretrained text encoder."""
    encoder = TextEncoder()
    weights.load_text_state(encoder, checkpoint.read(options.file("text.safetensors")))
    return encoder.to(options.device)


def autoencoder(options: Options) -> AutoencoderKL:
    """The run's finished autoencoder."""
    vae = AutoencoderKL(VAE)
    vae.load_state_dict(checkpoint.read(options.file("vae.safetensors")))
    return vae.to(options.device).eval()


def tokenizer(_: Worker, options: Options) -> None:
    """Learn the vocabulary from captions, or take that of ``init``."""
    if options.init is not None:
        learned = weights.load_model(options.init).vocabulary
    else:
        learned = train_vocabulary(training_captions(2000 if options.smoke else 20_000))
    options.folder.mkdir(parents=True, exist_ok=True)
    options.file("vocab.json").write_text(learned.vocab_json(), encoding="utf-8")
    options.file("merges.txt").write_text(learned.merges_text(), encoding="utf-8")
    print(f"tokenizer: {len(learned.merges)} merges")


def text(worker: Worker, options: Options) -> None:
    """Pretrain the text encoder; with ``init``, so that the older UNet still understands it."""
    torch.manual_seed(SEED)
    encoder = TextEncoder().to(options.device)
    words = CaptionTokenizer(vocabulary(options))
    teacher = None
    if options.init is not None:
        older = weights.load_model(options.init)
        teacher = (older.tokenizer, older.text.to(options.device))
    stage = stage_text.TextStage(encoder, words, teacher)
    stage.module.to(options.device)
    recipe = options.recipe(stage_text.RECIPE)
    trained = train(stage, recipe, worker, options.file("text.checkpoint.safetensors"), "text")
    if worker.first:
        finished = trained.get_submodule("encoder")
        if not isinstance(finished, TextEncoder):
            raise TypeError(f"the text stage trained a {type(finished).__name__}")
        checkpoint.write(options.file("text.safetensors"), weights.text_state(finished), {})


def vae(worker: Worker, options: Options) -> None:
    """Train the autoencoder and fold the latent scale in; with ``init``, go on from its autoencoder."""
    torch.manual_seed(SEED)
    older = None if options.init is None else weights.load_model(options.init).vae
    network = AutoencoderKL(VAE)
    if older is None:
        start_vae(network)
    else:
        network.load_state_dict(older.state_dict())
        folding.unfold(network)
    network.to(options.device)
    recipe = options.recipe(stage_vae.RECIPE)
    trained = train(
        stage_vae.VaeStage(network), recipe, worker, options.file("vae.checkpoint.safetensors"), "vae"
    )
    if worker.first and isinstance(trained, AutoencoderKL):
        finished = trained.cpu().eval()
        unexplained = latents.finish_vae(finished, latents.scenes_of(97, 48 if options.smoke else 200), older)
        print(f"vae: {100 * unexplained:.1f} % of the older latents' variance is not explained")
        checkpoint.write(options.file("vae.safetensors"), finished.state_dict(), {})


def encoding(worker: Worker, options: Options) -> None:
    """Encode the training scenes."""
    count = (64 if options.smoke else options.scenes) // worker.count
    latents.build(autoencoder(options), worker, count, options.file("latents.safetensors"))


def unet(worker: Worker, options: Options) -> None:
    """Train the UNet with the text encoder frozen; with ``init``, from its UNet, grown if it is narrower."""
    torch.manual_seed(SEED)
    network = UNet(smoke_unet() if options.smoke else UNET)
    start_unet(network)
    if options.init is not None:
        network = grown(weights.load_model(options.init).unet, network.config)
    data = LatentSet.load(options.file("latents.safetensors"))
    words = CaptionTokenizer(vocabulary(options))
    stage = stage_unet.UNetStage(
        network.to(options.device), text_encoder(options), words, data, batch=options.batch
    )
    recipe = options.recipe(stage_unet.RECIPE)
    train(stage, recipe, worker, options.file("unet.checkpoint.safetensors"), "unet")


def export(_: Worker, options: Options) -> None:
    """Put the averaged UNet, the autoencoder, the text encoder and the tokenizer into one file."""
    path = options.file("unet.checkpoint.safetensors")
    network = UNet(smoke_unet() if options.smoke else UNET)
    network.load_state_dict(checkpoint.read(path, "average."))
    model = TinyModel(vocabulary(options), text_encoder(options), autoencoder(options), network)
    before = 0 if options.init is None else weights.step_of(options.init)
    step = before + int(checkpoint.read_metadata(path)["step"])
    weights.save_model(model, options.model, step)
    print(f"export: {options.model}, {options.model.stat().st_size / 1e6:.1f} MB, step {step}")


def style(worker: Worker, options: Options) -> None:
    """Train the demo LoRA on the exported model."""
    torch.manual_seed(SEED)
    model = weights.load_model(options.model)
    lora.attach(model.unet)
    source = training_scenes(LORA_FIRST_SEED, LORA_MIXTURE)
    scenes = tuple(next(source) for _ in range(16 if options.smoke else 600))
    codes = latents.encode(model.vae, scenes, draw=render_neon) * LATENT_SCALE
    stage = stage_unet.UNetStage(
        model.unet.to(options.device),
        model.text.to(options.device),
        model.tokenizer,
        LatentSet(scenes, codes),
        batch=options.batch,
        prefix=f"{TRIGGER} ",
    )
    recipe = options.recipe(LORA_RECIPE)
    trained = train(stage, recipe, worker, options.file("lora.checkpoint.safetensors"), "lora")
    if worker.first and isinstance(trained, UNet):
        lora.save(lora.attached(trained), trained, options.lora, TRIGGER)
        print(f"lora: {options.lora}, {options.lora.stat().st_size / 1e3:.0f} kB")


def unpack(_: Worker, options: Options) -> None:
    """Take tokenizer, text encoder and autoencoder of ``init`` as they are, to go on with its UNet alone."""
    if options.init is None:
        raise ValueError("unpack needs --init FILE")
    model = weights.load_model(options.init)
    tokenizer(Worker(), options)
    checkpoint.write(options.file("text.safetensors"), weights.text_state(model.text), {})
    checkpoint.write(options.file("vae.safetensors"), model.vae.state_dict(), {})


STAGES: dict[str, Callable[[Worker, Options], None]] = {
    "tokenizer": tokenizer,
    "text": text,
    "vae": vae,
    "latents": encoding,
    "unet": unet,
    "export": export,
    "lora": style,
    "unpack": unpack,
}

#: Stages whose work several processes share.
SHARED = frozenset({"text", "vae", "latents", "unet", "lora"})
