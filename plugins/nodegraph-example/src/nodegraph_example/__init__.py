"""The smallest useful pack: eight lines for its first node, four for each further one."""

from nodegraph import Image, hookimpl, node


@node("example.mirror", category="Image/Example")
def mirror(image: Image) -> Image:
    """Mirror an image from left to right."""
    return image.map(lambda pixels: pixels.flip(2))


@node("example.brighten", category="Image/Example")
def brighten(image: Image, amount: float = 0.2) -> Image:
    """Add light: 0 changes nothing, 1 makes everything white."""
    return image.map(lambda pixels: (pixels + amount).clamp(0, 1))


@hookimpl
def register_nodes() -> list[object]:
    return [mirror, brighten]
