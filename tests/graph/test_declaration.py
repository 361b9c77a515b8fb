"""Declaring nodes: the signature is the whole declaration, and what cannot work is named at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple

import pytest
from pydantic import Field

from nodegraph import Context, Image, Mask, Seed, node
from nodegraph.declare import NodeType, describe_range, node_type
from nodegraph.errors import DeclarationError
from nodegraph.marks import Choice, File
from nodegraph.sockets import ListType, OptionalType, Scalar, UnionType, ValueType

Radius = Annotated[float, Field(ge=0, le=64)]


class Pair(NamedTuple):
    image: Image
    mask: Mask


@dataclass
class Thawed:
    number: int


def declared(function: Callable[..., Any], **options: Any) -> NodeType:
    return node_type(node("test.node", **options)(function))


def test_the_function_stays_an_ordinary_function() -> None:
    @node("test.double")
    def double(number: float) -> float:
        """Twice the number."""
        return 2 * number

    assert double(4.0) == 8.0
    type_ = node_type(double)
    assert (type_.id, type_.title, type_.help) == ("test.double", "Test double", "Twice the number.")


def test_inputs_and_outputs_come_from_the_annotations() -> None:
    def many(
        ctx: Context, image: Image, radius: Radius = 8.0, mode: Literal["a", "b"] = "a",
        mask: Mask | None = None, either: Image | float = 1.0, sizes: list[int] = [1], seed: Seed = 0,  # noqa: B006 - it is never changed
    ) -> Pair:  # fmt: skip
        raise NotImplementedError

    type_ = declared(many)
    assert type_.context_parameter == "ctx"
    assert list(type_.inputs) == ["image", "radius", "mode", "mask", "either", "sizes", "seed"]
    assert [spec.required for spec in type_.inputs.values()] == [True] + [False] * 6
    assert type_.inputs["mask"].type == OptionalType(ValueType(Mask))
    assert type_.inputs["either"].type == UnionType((ValueType(Image), Scalar("float")))
    assert type_.inputs["sizes"].type == ListType(Scalar("int"))
    assert type_.inputs["seed"].is_seed
    assert {name: spec.type.words for name, spec in type_.outputs.items()} == {
        "image": "image",
        "mask": "mask",
    }
    assert type_.single_output is None


@pytest.mark.parametrize(
    ("returned", "names"), [(Image, ["image"]), (float, ["value"]), (None, []), (list[Image], ["value"])]
)
def test_a_single_output_is_named_by_its_class(returned: object, names: list[str]) -> None:
    def function() -> Any: ...

    function.__annotations__["return"] = returned
    assert list(declared(function).outputs) == names


def test_the_schema_of_every_kind_of_input_is_json() -> None:
    """Value classes hold tensors, which pydantic must never look at."""

    def function(
        image: Image, mask: Mask | None = None, either: Image | float | None = None, images: list[Image] = [],  # noqa: B006
        radius: Radius | None = None, name: Annotated[str, Choice("samplers")] = "euler",
    ) -> None: ...  # fmt: skip

    inputs = declared(function).to_json()["inputs"]
    assert inputs["image"] == {"required": True, "schema": {"x-socket": {"type": "image"}}}
    assert inputs["mask"]["schema"]["type"] == "null"
    assert inputs["either"]["schema"]["anyOf"] == [{"type": "number"}, {"type": "null"}]
    assert inputs["radius"]["schema"]["anyOf"][0] == {"maximum": 64, "minimum": 0, "type": "number"}
    assert inputs["name"]["schema"]["default"] == "euler"


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (Radius, "a number from 0 to 64"),
        (Annotated[int, Field(ge=1)], "a whole number of at least 1"),
        (Annotated[float, Field(lt=2)], "a number below 2"),
        (Annotated[float, Field(gt=0, le=1)], "a number of at most 1, above 0"),
        (Annotated[str, Field(max_length=3)], "a text of at most 3 characters"),
        (Literal["a", "b"], "one of a, b"),
        (Annotated[str, File("loras")], "the name of a file in loras"),
        (Image | None, "image or nothing"),
    ],
)
def test_ranges_are_said_in_words(annotation: object, words: str) -> None:
    def function(value: Any) -> None: ...

    function.__annotations__["value"] = annotation
    assert describe_range(declared(function).inputs["value"]) == words


def no_annotation(number) -> None: ...  # type: ignore[no-untyped-def]
def no_return(number: float): ...  # type: ignore[no-untyped-def]
def a_set(number: set[int]) -> None: ...
def bare_list(number: list) -> None: ...  # type: ignore[type-arg]
def thawed(number: Thawed) -> None: ...
def unresolved(number: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821
def nameless(number: float, /) -> None: ...
def nameless_context(ctx: Context, /, number: float) -> None: ...
def out_of_range(number: Radius = 65.0) -> None: ...
def not_a_number(number: float = float("nan")) -> None: ...
def wrong_default(number: int = "five") -> None: ...  # type: ignore[assignment]
def returns_a_set(number: float) -> set[int]:
    return {int(number)}


@pytest.mark.parametrize(
    ("function", "named"),
    [
        (no_annotation, "parameter 'number' has no annotation"),
        (no_return, "no return annotation"),
        (a_set, "parameter 'number': set[int] cannot be a socket"),
        (bare_list, "parameter 'number': <class 'list'> cannot be a socket"),
        (thawed, "parameter 'number'"),
        (unresolved, "name 'Nowhere' is not defined"),
        (nameless, "parameter 'number' has no name for its caller"),
        (nameless_context, "parameter 'ctx' has no name for its caller"),
        (out_of_range, "parameter 'number': the default 65.0 breaks its own declaration"),
        (not_a_number, "parameter 'number': the default nan"),
        (wrong_default, "parameter 'number': the default 'five'"),
        (returns_a_set, "its return type: set[int] cannot be a socket"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_bad_signature_names_node_and_parameter(function: Callable[..., Any], named: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        declared(function)
    assert "node 'test.node'" in caught.value.describe()
    assert named in caught.value.describe()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"lane": "gpu"}, "there is no lane 'gpu'"),
        ({"cache": "sometimes"}, "cache='sometimes'"),
        ({"version": 0}, "version is 0"),
    ],
)
def test_a_bad_option_is_named(options: dict[str, Any], named: str) -> None:
    def function() -> None: ...

    with pytest.raises(DeclarationError, match=named):
        declared(function, **options)


@pytest.mark.parametrize("id_", ["", "Image.blur", "image..blur", "image.blur!", "1mage.blur"])
def test_a_bad_id_is_named_with_the_function(id_: str) -> None:
    def blur() -> None: ...

    with pytest.raises(DeclarationError, match=r"blur: .* is not a node id"):
        node(id_)(blur)


def test_only_decorated_functions_are_nodes() -> None:
    with pytest.raises(DeclarationError, match="no_return is not a node"):
        node_type(no_return)
