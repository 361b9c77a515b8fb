"""Undo and redo of everything: random edits by mouse and keyboard, back to the start and forth to the end."""

from __future__ import annotations

import random

from playwright.sync_api import expect

from tests.editor.editor import Editor

EDITS = 200
KEYS = ("Delete", "Control+d", "Control+m", "Control+b", "Shift+L")
# Where the pointer takes hold of things by their left end, and of nothing that lies over them.
HOLDS = """
selector => [...document.querySelectorAll(selector)].flatMap(one => {
  const { x, y, width, height } = one.getBoundingClientRect();
  const [left, top] = [x + Math.min(24, width / 2), y + height / 2];
  return one.contains(document.elementFromPoint(left, top)) ? [[left, top]] : [];
})
"""
TYPES = ("sample", "encode text", "save image", "empty latent")


class Restless:
    """Somebody who clicks about: the same way in every run."""

    def __init__(self, editor: Editor) -> None:
        self.editor = editor
        self.chance = random.Random(7)  # noqa: S311 - it has to be the same in every run
        self.nodes = editor.page.locator(".node")

    @property
    def steps(self) -> int:
        undo = self.editor.page.get_by_role("button", name="Undo")
        return int(undo.get_attribute("data-steps") or 0)

    def act(self) -> None:
        """Do something; now and then it changes nothing."""
        count = self.nodes.count()
        deed = self.chance.randrange(8)
        if count < 3 or (deed < 2 and count < 12):
            self.add()
        elif deed < 4:
            self.move()
        elif deed < 5:
            self.click(".node-fold")
        else:
            self.click(".node-head")
            self.editor.press("Delete" if count > 12 else self.chance.choice(KEYS))

    def add(self) -> None:
        self.editor.press("Space")
        self.editor.choose(self.chance.choice(TYPES))

    def move(self) -> None:
        if self.click(".node-head"):
            mouse = self.editor.page.mouse
            mouse.down()
            mouse.move(self.chance.randrange(200, 1000), self.chance.randrange(120, 600), steps=3)
            mouse.up()
            # The view may have moved between the click and the drag, which then began on something else.
            self.editor.press("Escape")

    def click(self, selector: str) -> bool:
        """Click on one of these that can be seen, and leave the keys to its node."""
        found = self.editor.page.evaluate(HOLDS, selector)
        holds = [(x, y) for x, y in found if 0 < x < 1100 and 60 < y < 680]
        if not holds:
            self.editor.press("f")
            self.editor.settled()
            return False
        self.editor.page.mouse.click(*self.chance.choice(holds))
        self.editor.press("Escape")
        return True


def test_random_edits_are_undone_to_the_start_and_redone_to_the_end(editor: Editor) -> None:
    editor.open_template("text-to-image")
    start = editor.document()
    user = Restless(editor)
    for _ in range(5 * EDITS):
        user.act()
        if user.steps >= EDITS:
            break
    assert user.steps >= EDITS
    end = editor.document()
    assert end != start
    made = user.steps  # one act may be several steps
    undo = editor.page.get_by_role("button", name="Undo")
    for left in range(made - 1, 0, -1):
        editor.press("Control+z")
        expect(undo).to_have_attribute("data-steps", str(left))
    editor.press("Control+z")
    expect(undo).to_be_disabled()
    assert user.steps == 0
    assert editor.document() == start
    redo = editor.page.get_by_role("button", name="Redo")
    for _ in range(made):
        editor.press("Control+Shift+Z")
    expect(redo).to_be_disabled()
    assert editor.document() == end
