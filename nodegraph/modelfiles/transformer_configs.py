"""The shapes of diffusion transformers, as their keys show them: frozen, hashable, free of torch."""

from __future__ import annotations

from dataclasses import dataclass

from nodegraph.modelfiles.shapes import Shapes, count

SD3_HEAD = 64
"""Channels per head of every SD 3 network; only the normed ones (SD 3.5) show it in a tensor's shape."""


@dataclass(frozen=True, slots=True)
class MMDiTConfig:
    """A multimodal diffusion transformer in the layout of SD 3. The defaults are those of SD 3 medium.

    positions: side of the square table of position embeddings, in patches; qk_norm: whether queries and
    keys are normed (SD 3.5); dual: blocks that attend over the image a second time (SD 3.5 medium).
    """

    in_channels: int = 16
    out_channels: int = 16
    patch: int = 2
    depth: int = 24
    width: int = 1536
    head_width: int = SD3_HEAD
    hidden: int = 6144
    context_dim: int = 4096
    pooled_dim: int = 2048
    frequencies: int = 256
    positions: int = 192
    qk_norm: bool = False
    dual: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.width % self.head_width:
            raise ValueError(f"a width of {self.width} is no multiple of {self.head_width} channels per head")

    @property
    def heads(self) -> int:
        """Attention heads of every block."""
        return self.width // self.head_width


@dataclass(frozen=True, slots=True)
class FluxConfig:
    """A FLUX.1 transformer. The defaults are those of FLUX.1 dev.

    in_features: of one token of 2x2 latent cells: 64 = 16 channels x 4; 128 with the latent of a control
    picture, 384 with a masked picture and its mask (Fill). guidance: whether it is told a guidance scale.
    """

    in_features: int = 64
    out_features: int = 64
    double_blocks: int = 19
    single_blocks: int = 38
    width: int = 3072
    head_width: int = 128
    hidden: int = 12288
    context_dim: int = 4096
    vector_dim: int = 768
    frequencies: int = 256
    guidance: bool = True
    theta: float = 10000.0

    def __post_init__(self) -> None:
        if self.width % self.head_width:
            raise ValueError(f"a width of {self.width} is no multiple of {self.head_width} channels per head")
        if self.head_width % 32:
            raise ValueError(f"{self.head_width} channels per head cannot be shared among three axes")
        if self.in_features % 4 or self.out_features % 4:
            raise ValueError(f"{self.in_features} and {self.out_features} features are not 2x2 latent cells")

    @property
    def heads(self) -> int:
        """Attention heads of every block."""
        return self.width // self.head_width

    @property
    def in_channels(self) -> int:
        """Latent channels that the network is given, those of control or Fill among them."""
        return self.in_features // 4

    @property
    def out_channels(self) -> int:
        """Latent channels of what is denoised."""
        return self.out_features // 4

    @property
    def axes(self) -> tuple[int, int, int]:
        """Channels of a head that tell reference, row and column: 16, 56 and 56 of 128."""
        eighth = self.head_width // 8
        side = (self.head_width - eighth) // 2
        return eighth, side, side


def mmdit_config(shapes: Shapes) -> MMDiTConfig:
    """The config of an SD 3 network by its original names (`joint_blocks.N`), without prefix.

    KeyError or ValueError where the names do not follow the layout.
    """
    width, in_channels, patch, _ = shapes["x_embedder.proj.weight"]
    depth = count(shapes, "joint_blocks.")
    cells = shapes["pos_embed"][1]
    side = round(cells**0.5)
    if side * side != cells:
        raise ValueError(f"{cells} position embeddings make no square")
    normed = "joint_blocks.0.x_block.attn.ln_q.weight"
    return MMDiTConfig(
        in_channels=in_channels,
        out_channels=shapes["final_layer.linear.weight"][0] // patch**2,
        patch=patch,
        depth=depth,
        width=width,
        head_width=shapes[normed][0] if normed in shapes else SD3_HEAD,
        hidden=shapes["joint_blocks.0.x_block.mlp.fc1.weight"][0],
        context_dim=shapes["context_embedder.weight"][1],
        pooled_dim=shapes["y_embedder.mlp.0.weight"][1],
        frequencies=shapes["t_embedder.mlp.0.weight"][1],
        positions=side,
        qk_norm=normed in shapes,
        dual=tuple(
            block for block in range(depth) if f"joint_blocks.{block}.x_block.attn2.qkv.weight" in shapes
        ),
    )


def flux_config(shapes: Shapes) -> FluxConfig:
    """The config of a FLUX.1 network by its original names (`double_blocks.N`), without prefix.

    KeyError or ValueError where the names do not follow the layout.
    """
    width, in_features = shapes["img_in.weight"]
    return FluxConfig(
        in_features=in_features,
        out_features=shapes["final_layer.linear.weight"][0],
        double_blocks=count(shapes, "double_blocks."),
        single_blocks=count(shapes, "single_blocks."),
        width=width,
        head_width=shapes["double_blocks.0.img_attn.norm.key_norm.scale"][0],
        hidden=shapes["double_blocks.0.img_mlp.0.weight"][0],
        context_dim=shapes["txt_in.weight"][1],
        vector_dim=shapes["vector_in.in_layer.weight"][1],
        frequencies=shapes["time_in.in_layer.weight"][1],
        guidance="guidance_in.in_layer.weight" in shapes,
    )
