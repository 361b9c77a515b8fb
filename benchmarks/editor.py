"""The editor with big graphs in headless Chromium: opening one, and panning over it.

Copies of text-to-image in a grid. A graph is open when its nodes and links are painted and no frame takes
longer than 50 ms any more. While one pans, every frame is counted, and a trace tells what the main thread
worked in them: near, where nodes can be read, and from afar, with all of them in view. Headless Chromium
without a GPU paints on the processor.
"""

from __future__ import annotations

import itertools
import json
import statistics
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.chromium import QUIET, installed
from benchmarks.server import Running

COLUMN, ROW = 2200, 1000
DROP = """([text]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([text], "big.json", { type: "application/json" }));
  const before = performance.now();
  for (const kind of ["dragover", "drop"]) {
    document.querySelector(".app").dispatchEvent(
      new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }));
  }
  const has = (one) => document.querySelector(one) !== null;
  const isPainted = () => has(".react-flow__node") && (has(".react-flow__edge") || has(".far-picture"));
  return new Promise((resolve, reject) => {
    let first = 0;
    let last = before;
    let busy = before;
    const look = () => {
      const now = performance.now();
      const isThere = isPainted();
      if (isThere && first === 0) first = now;
      if (now - last > 50) busy = now;
      last = now;
      if (now - before > 60_000) reject(new Error("The graph is not open after a minute."));
      else if (first > 0 && now - busy > 500) resolve([first - before, Math.max(first, busy) - before]);
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
}"""
"""Drop a file: when the first nodes and links, or the picture of a large graph, are seen; when the last slow
frame was."""
FRAMES = """() => {
  window.frames_ = [];
  let last = performance.now();
  const count = (now) => {
    window.frames_.push(now - last);
    last = now;
    window.counting_ = requestAnimationFrame(count);
  };
  window.counting_ = requestAnimationFrame(count);
}"""
COUNTED = "() => { cancelAnimationFrame(window.counting_); return window.frames_; }"
SCRIPT = {"FunctionCall", "FireAnimationFrame", "EventDispatch", "TimerFire", "RunMicrotasks"}
RENDER = {"UpdateLayoutTree", "Layout", "PrePaint", "Paint", "Layerize", "Commit"}


def run(*, large: bool = False) -> int:
    """Print the table. 0: a graph of 1,000 nodes opens within 2 s and pans at 50 frames a second."""
    chromium = installed()
    if chromium is None:
        print("There is no Chromium on this system.")
        return 3
    sizes = (100, 1_000, 5_000) if large else (100, 1_000)
    print("| nodes | places | seen s | open s | near f/s | slowest ms | script | render | afar f/s |")
    print("|---|---|---|---|---|---|---|---|---|")
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        server = Running(Path(folder), "cpu=1")
        try:
            for size, placed in itertools.product(sizes, (True, False)):
                found[size, placed] = measure(server, chromium, big(size, placed=placed))
                print(line(size, placed=placed, figures=found[size, placed]), flush=True)
        finally:
            server.end()
    figures = found[1_000, True]
    return 0 if figures["open"] <= 2 and figures["pan"] >= 50 else 1


def big(size: int, *, placed: bool) -> str:
    """A workflow of about so many nodes: copies of text-to-image."""
    template = json.loads((Path(__file__).parents[1] / TEMPLATE).read_text(encoding="utf-8"))
    nodes, places = {}, {}
    order = list(template["nodes"])
    for copy in range(size // len(order)):
        column, row = copy % 12, copy // 12
        for index, (id_, entry) in enumerate(template["nodes"].items()):
            inputs = {name: _linked(value, copy) for name, value in entry["inputs"].items()}
            nodes[f"{id_}_{copy}"] = {**entry, "inputs": inputs}
            places[f"{id_}_{copy}"] = {
                "x": column * COLUMN + (index // 2) * 340, "y": row * ROW + (index % 2) * 460,
            }  # fmt: skip
    return json.dumps({"nodegraph": 1, "nodes": nodes, **({"view": {"nodes": places}} if placed else {})})


TEMPLATE = "nodes/nodegraph_nodes/workflows/text-to-image.json"


def _linked(value: Any, copy: int) -> Any:
    if not isinstance(value, dict) or set(value) != {"from"}:
        return value
    node, dot, output = value["from"].partition(".")
    return {"from": f"{node}_{copy}{dot}{output}"}


def measure(server: Running, chromium: str, text: str) -> Mapping[str, float]:
    """Open one, look at it from near and pan, then from far."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{server.url}/?token={server.headers['Authorization'].split()[1]}")
        page.wait_for_selector(".template")
        seen, calm = page.evaluate(DROP, [text])
        page.wait_for_timeout(1_500)
        page.locator(".react-flow__pane").click(position={"x": 8, "y": 8})
        far = pan(page)
        page.keyboard.press("1")
        page.wait_for_timeout(800)
        browser.start_tracing(page=page, categories=["devtools.timeline"])
        near = pan(page)
        trace = json.loads(browser.stop_tracing())
        browser.close()
    worked = _worked(trace, len(near))
    return {
        "seen": seen / 1_000, "open": calm / 1_000, "pan": 1_000 / statistics.mean(near),
        "slowest": max(near), "far": 1_000 / statistics.mean(far), **worked,
    }  # fmt: skip


def pan(page: Any) -> list[float]:
    """Drag the canvas about for some seconds; how long each frame took, in ms."""
    page.evaluate(FRAMES)
    page.mouse.move(700, 450)
    page.mouse.down(button="middle")
    for step in range(150):
        page.mouse.move(700 + (step % 50) * 10 - 250, 450 + (step % 25) * 8 - 100)
        page.wait_for_timeout(8)
    page.mouse.up(button="middle")
    frames: list[float] = page.evaluate(COUNTED)
    return frames[5:]


def _worked(trace: Mapping[str, Any], frames: int) -> Mapping[str, float]:
    """What the main thread did in a frame, by kind, in ms."""
    events = [event for event in trace["traceEvents"] if event.get("ph") == "X"]
    script = sum(event["dur"] for event in events if event["name"] in SCRIPT) / 1_000
    render = sum(event["dur"] for event in events if event["name"] in RENDER) / 1_000
    return {"script": script / max(frames, 1), "render": render / max(frames, 1)}


def line(size: int, *, placed: bool, figures: Mapping[str, float]) -> str:
    """A row of the table."""
    places = "kept" if placed else "laid out"
    return (
        f"| {size:,} | {places} | {figures['seen']:.2f} | {figures['open']:.2f} "
        f"| {figures['pan']:.0f} | {figures['slowest']:.0f} "
        f"| {figures['script']:.1f} | {figures['render']:.1f} | {figures['far']:.0f} |"
    )
