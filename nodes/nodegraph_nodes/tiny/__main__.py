"""Command line of the embedded model's training: ``python -m nodegraph_nodes.tiny --help``."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from pathlib import Path

RECIPE = """\
The embedded model is a Stable Diffusion 1.x in miniature, trained from nothing on drawn scenes with captions.
The stages, in order (minutes are wall time on two cores; all of them can be interrupted and run again):

  tokenizer   byte-level BPE with 1,024 tokens, learned from 20,000 captions                      (seconds)
  text        the text encoder learns to tell the whole scene at every padded token              (4 minutes)
  vae         the autoencoder learns to redraw scenes, edges above all; then the latent scale
              is folded into it, so that SD 1.x's 0.18215 is exact                              (22 minutes)
  latents     24,000 training scenes are encoded once                                            (4 minutes)
  unet        the UNet learns to predict the velocity, with the text encoder frozen             (90 minutes)
  export      one float16 safetensors file in the original key layout, tokenizer and card inside  (seconds)
  lora        a demo style on top of the exported model                                          (4 minutes)
  score       300 held-out prompts, one fixed seed each, judged without a network                (3 minutes)
  sheet       contact sheets, to look at
  all         everything above, in this order
  unpack      take tokenizer, text encoder and autoencoder of --init as they are

To go on from a finished file with more time:
  python -m nodegraph_nodes.tiny unpack latents unet export --init tiny.safetensors --minutes 60
"""

ALL = ("tokenizer", "text", "vae", "latents", "unet", "export", "lora", "score", "sheet")
OTHERS = ("unpack",)


def parser() -> argparse.ArgumentParser:
    """The command line's arguments."""
    result = argparse.ArgumentParser(
        prog="python -m nodegraph_nodes.tiny",
        description="Train, export and score the embedded model.",
        epilog=RECIPE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    result.add_argument("stages", nargs="*", metavar="STAGE", help="stages to run, in order; see below")
    result.add_argument("--folder", type=Path, default=Path("tiny-run"), help="where the run keeps its files")
    result.add_argument("--init", type=Path, help="a model file to go on from (weights, not the optimizer)")
    result.add_argument("--minutes", type=float, help="time budget of each training stage that is named")
    result.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="one-thread processes")
    result.add_argument("--device", default="cpu", help="cpu, or cuda for a single process on a GPU")
    result.add_argument("--scenes", type=int, default=24_000, help="training scenes to encode")
    result.add_argument("--batch", type=int, default=16, help="latents per step and process")
    result.add_argument("--cfg", type=float, default=4.0, help="guidance for scoring")
    result.add_argument("--smoke", action="store_true", help="every stage for seconds, with a narrow UNet")
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stages that the arguments name; returns the exit status."""
    command = parser()
    given = command.parse_args(arguments)
    names: list[str] = [name for stage in given.stages for name in (ALL if stage == "all" else (stage,))]
    if given.smoke and not names:
        names = list(ALL)
    unknown = [name for name in names if name not in ALL + OTHERS]
    if unknown:
        command.error(f"unknown stage {unknown[0]!r}; the stages are {', '.join((*ALL, 'all', *OTHERS))}")
    if not names:
        command.print_help()
        return 0

    # Only now, so that help needs no torch.
    from nodegraph_nodes.tiny import parallel, results, stages
    from nodegraph_nodes.tiny.paint import Settings

    options = stages.Options(
        folder=given.folder,
        init=given.init,
        minutes=given.minutes,
        scenes=given.scenes,
        batch=given.batch,
        device=given.device,
        smoke=given.smoke,
    )
    sheets = options.file("sheets")
    for name in names:
        began = time.monotonic()
        if name == "score":
            settings = Settings(steps=4 if given.smoke else 20, cfg=given.cfg)
            result = results.score_file(options.model, sheets, settings, 4 if given.smoke else None)
            options.file("score.txt").write_text(result.text() + "\n", encoding="utf-8")
        elif name == "sheet":
            results.draw_sheets(options.model, options.lora, sheets, 2 if given.smoke else None)
        else:
            processes = given.processes if name in stages.SHARED and given.device == "cpu" else 1
            parallel.run(processes, stages.STAGES[name], options)
        print(f"{name}: {(time.monotonic() - began) / 60:.1f} minutes", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
