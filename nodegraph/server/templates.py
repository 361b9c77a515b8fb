"""Templates as a gallery shows them: a title, a sentence, and a picture that lies beside the workflow."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from nodegraph.graph.loading import load_document
from nodegraph.wire.workflows import TemplateItem


def template_of(name: str, path: Path) -> TemplateItem:
    """What is told of a template. Its sentence stands in the document's view, which changes no result."""
    document = load_document(path)
    about = document.view.get("about")
    return TemplateItem(
        name=name, title=document.name or name, about=about if isinstance(about, str) else "",
        picture=f"/api/v1/templates/{quote(name)}/picture" if picture_of(path) is not None else None,
    )  # fmt: skip


def picture_of(template: Path) -> Path | None:
    """The picture beside a template: `name.json` has `name.webp`."""
    picture = template.with_suffix(".webp")
    return picture if picture.is_file() else None
