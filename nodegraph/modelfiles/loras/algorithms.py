"""The algorithms of LoRA files by the shapes of their tensors: what each needs, and what it makes.

The arithmetic is in `nodegraph.diffusion.loras`; here only headers are looked at, without torch. Every
function takes the shapes of one layer's tensors by role.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

Shape = tuple[int, ...]
RoleShapes = Mapping[str, Shape]


class Algorithm(NamedTuple):
    """One way to write a change of a weight.

    needs: sets of roles, of each of which one must be there whole; rank: what alpha is divided by, 0 where
    alpha has no part in it; fits: whether the tensors make a change of the given shape.
    """

    name: str
    needs: tuple[tuple[frozenset[str], ...], ...]
    rank: Callable[[RoleShapes], int]
    fits: Callable[[RoleShapes, Shape], bool]

    def missing(self, roles: RoleShapes) -> str:
        """What is not there, in words; empty if the tensors are complete."""
        lacking = [
            " and no ".join(sorted(choices[0] - roles.keys()))
            for choices in self.needs
            if not any(choice <= roles.keys() for choice in choices)
        ]
        return " and no ".join(lacking)


def algorithms_of(roles: RoleShapes) -> Iterator[Algorithm]:
    """The algorithms that a layer's tensors belong to: usually one."""
    for algorithm in ALGORITHMS:
        used = {role for choices in algorithm.needs for choice in choices for role in choice}
        if used & roles.keys():
            yield algorithm


def _all(*roles: str) -> tuple[tuple[frozenset[str], ...], ...]:
    return tuple((frozenset((role,)),) for role in roles)


def _product_fits(left: Shape, right: Shape, shape: Shape) -> bool:
    """Whether left [out, r] · right [r, in…] has as many rows and columns as the shape."""
    return (
        len(left) >= 2
        and len(right) >= 2
        and left[0] == shape[0]
        and math.prod(left[1:]) == right[0] > 0
        and math.prod(right[1:]) == math.prod(shape[1:])
    )


def _core_fits(left: Shape, core: Shape, right: Shape, shape: Shape) -> bool:
    """Whether left [r, out], core [r, s, k…], right [s, in] make the shape [out, in, k…]."""
    return (
        len(left) == len(right) == 2
        and core[:2] == (left[0], right[0])
        and (left[1], right[1], *core[2:]) == shape
    )


def _lora_fits(roles: RoleShapes, shape: Shape) -> bool:
    up, down, mid = roles["up"], roles["down"], roles.get("mid")
    if mid is None:
        return _product_fits(up, down, shape)
    rank = math.prod(up[1:])
    made = (up[0], math.prod(down[1:]), *mid[2:])
    return len(up) >= 2 and len(down) >= 2 and mid[:2] == (rank, down[0]) and made == shape


def _loha_fits(roles: RoleShapes, shape: Shape) -> bool:
    for factor in "12":
        left, right = roles[f"hada_w{factor}_a"], roles[f"hada_w{factor}_b"]
        core = roles.get(f"hada_t{factor}")
        fits = _product_fits(left, right, shape) if core is None else _core_fits(left, core, right, shape)
        if not fits:
            return False
    return True


def _lokr_fits(roles: RoleShapes, shape: Shape) -> bool:
    first, second = lokr_factor(roles, "1"), lokr_factor(roles, "2")
    return (
        len(first) == 2
        and len(second) >= 2
        and first[0] * second[0] == shape[0]
        and first[1] * math.prod(second[1:]) == math.prod(shape[1:])
    )


def lokr_factor(roles: RoleShapes, factor: str) -> Shape:
    """The shape of the first ("1") or second factor; empty where its parts do not fit together."""
    whole = roles.get(f"lokr_w{factor}")
    if whole is not None:
        return whole
    left, right = roles[f"lokr_w{factor}_a"], roles[f"lokr_w{factor}_b"]
    core = roles.get("lokr_t2") if factor == "2" else None
    if len(left) != 2 or len(right) < 2:
        return ()
    if core is not None:
        return (left[1], right[1], *core[2:]) if core[:2] == (left[0], right[0]) else ()
    return (left[0], *right[1:]) if left[1] == right[0] else ()


def _lokr_rank(roles: RoleShapes) -> int:
    """Alpha counts only where a factor is a product; the second decides where both are."""
    right = roles.get("lokr_w2_b") or roles.get("lokr_w1_b")
    return right[0] if right else 0


def _glora_fits(roles: RoleShapes, shape: Shape) -> bool:
    matrices = [_matrix(roles[role]) for role in ("a1", "a2", "b1", "b2")]
    return len(shape) > 1 and glora_form(matrices, shape) != ""


def glora_form(matrices: Sequence[Shape], shape: Shape) -> str:
    """How GLoRA's matrices (a1, a2, b1, b2) make a change of the shape; empty if they do not.

    "usual": A = a2 · a1 and B = b2 · b1, as linear layers in a row; "transposed": A = a1 · a2, B = b1 · b2.
    """
    a1, a2, b1, b2 = matrices
    rows, inputs, columns = shape[0], shape[1], math.prod(shape[1:])
    if (a2[0], a1[1], b2[0], b1[1]) == (inputs, inputs, rows, columns) and (a1[0], b1[0]) == (a2[1], b2[1]):
        return "usual"
    if (a1[0], a2[1], b1[0], b2[1]) == (inputs, inputs, rows, columns) and (a1[1], b1[1]) == (a2[0], b2[0]):
        return "transposed"
    return ""


def _matrix(shape: Shape) -> Shape:
    return (shape[0], math.prod(shape[1:])) if shape else (0, 0)


def _diff_fits(roles: RoleShapes, shape: Shape) -> bool:
    given = roles["diff"]
    return given[:1] == shape[:1] and math.prod(given) == math.prod(shape)


def _glora_rank(roles: RoleShapes) -> int:
    a1 = _matrix(roles["a1"])
    return min(a1)  # [r,in] or [in,r]


def scales_fit(roles: RoleShapes, shape: Shape) -> bool:
    """Whether the scales of DoRA, where there are some, are one for every row (or column) of the shape."""
    for role in ("dora", "magnitude"):
        sides = shape[:1] if role == "magnitude" else shape[:2]
        if role in roles and math.prod(roles[role]) not in sides:
            return False
    return True


ALGORITHMS = (
    Algorithm("lora", _all("up", "down"), lambda roles: roles["down"][0], _lora_fits),
    Algorithm(
        "loha",
        _all("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"),
        lambda roles: roles["hada_w1_b"][0],
        _loha_fits,
    ),
    Algorithm(
        "lokr",
        tuple(
            (frozenset((f"lokr_w{n}",)), frozenset((f"lokr_w{n}_a", f"lokr_w{n}_b"))) for n in "12"
        ),
        _lokr_rank,
        _lokr_fits,
    ),
    Algorithm("glora", _all("a1", "a2", "b1", "b2"), _glora_rank, _glora_fits),
    Algorithm("diff", _all("diff"), lambda _roles: 0, _diff_fits),
)  # fmt: skip
"""Every algorithm, by the name of its function in `nodegraph.diffusion.loras`."""
