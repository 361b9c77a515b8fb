"""Declaring a node: a typed function is the whole declaration.

`@node` reads the signature once and leaves a frozen `NodeType` on the function, which stays an ordinary
function. The decorator marks and registers nothing: a pack's `register_nodes` hook returns the list.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, TypeAdapter

from nodegraph import sockets
from nodegraph.annotations import is_record, literal_part, socket_type
from nodegraph.errors import DeclarationError
from nodegraph.marks import Added, Body, SeedMark
from nodegraph.runtime import Context, Lazy

Lane = Literal["inline", "cpu", "io", "device"]
Growing = Literal["list", "named"]
F = TypeVar("F", bound=Callable[..., Any])
Fingerprint = Callable[[Mapping[str, Any]], str]
_MARK = "__nodegraph_node__"
_PLAIN = (bool, int, str)
_CLASS_OF: Mapping[sockets.SocketType, type] = {
    sockets.Scalar("bool"): bool,
    sockets.Scalar("int"): int,
    sockets.Scalar("float"): float,
    sockets.Scalar("text"): str,
}
_BOUNDS = {
    "minimum": "of at least {}",
    "maximum": "of at most {}",
    "exclusiveMinimum": "above {}",
    "exclusiveMaximum": "below {}",
    "multipleOf": "in steps of {}",
    "minLength": "of at least {} characters",
    "maxLength": "of at most {} characters",
    "minItems": "of at least {} items",
    "maxItems": "of at most {} items",
}
_GROWING: dict[object, Growing] = {
    inspect.Parameter.VAR_POSITIONAL: "list",
    inspect.Parameter.VAR_KEYWORD: "named",
}


@dataclass(frozen=True)
class InputSpec:
    """One input of a node type. `default` is meaningless where `required`."""

    name: str
    type: sockets.SocketType
    annotation: Any = field(compare=False, repr=False)
    required: bool
    default: Any = field(default=None, compare=False)
    is_seed: bool = False
    lazy: bool = False
    added: bool = False
    """Whether it does not count in keys at its default."""
    growing: Growing | None = None
    """Set for `*name` and `**name`: the document holds a list or an object, and type is that of one value."""
    plain: object = field(init=False, compare=False, repr=False)
    """The class whose every value is a literal of this input as it stands: the declaration adds no range.

    There is none for numbers with a fraction: NaN and infinities are refused.
    """

    def __post_init__(self) -> None:
        plain = self.annotation if self.growing is None and self.annotation in _PLAIN else None
        object.__setattr__(self, "plain", plain)  # an attribute, for every literal of every graph asks for it

    @cached_property
    def wraps(self) -> bool:
        """Whether a single value is taken as a list of one."""
        inner = self.type.item if isinstance(self.type, sockets.OptionalType) else self.type
        return isinstance(inner, sockets.ListType) and inner.wraps

    @cached_property
    def has_records(self) -> bool:
        """Whether a literal is, or holds, a record: a pydantic model."""
        return bool(sockets.records_in(self.type))

    @cached_property
    def adapter(self) -> TypeAdapter[Any]:
        """Validates and coerces a literal (pydantic, strict: nothing is guessed, no NaN, no infinity)."""
        # A record brings its own configuration; pydantic refuses another one.
        config = None if is_record(self.annotation) else ConfigDict(allow_inf_nan=False)
        return TypeAdapter(literal_part(self.annotation), config=config)

    @cached_property
    def schema(self) -> dict[str, Any]:
        """JSON schema of a literal; for a value class its socket type. Of a growing input: of all values."""
        schema = dict(self.adapter.json_schema()) if self.type.has_literal else {}
        schema["x-socket"] = self.type.to_json()
        if self.growing is not None:
            # References start at the root, and help is about all values.
            hoisted = [name for name in ("$defs", "description") if name in schema]
            shared: dict[str, Any] = {name: schema.pop(name) for name in hoisted}
            place, kind = ("items", "array") if self.growing == "list" else ("additionalProperties", "object")
            return {"type": kind, place: schema, "x-growing": self.growing, **shared}
        if self.type.has_literal and not self.required:
            schema["default"] = self.json_default
        return schema

    @cached_property
    def json_default(self) -> Any:
        """The default as JSON data, if the type has literals."""
        if self.growing is not None or not self.type.has_literal or self.default is None:
            return self.default
        return self.adapter.dump_python(self.default, mode="json")


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """One output of a node type."""

    name: str
    type: sockets.SocketType


FindFile = Callable[[str, str], Path | None]
"""(kind, name) -> where the file lies, or None."""
Notes = Callable[[Mapping[str, Any], FindFile], Sequence[str]]
Mentions = Callable[[Mapping[str, Any]], Sequence[Sequence[tuple[str, str]]]]
"""Literals -> for every file that they mention, the (kind, name) pairs that may be meant, likeliest first."""


@dataclass(frozen=True)
class NodeType:
    """Everything the engine knows about a node, derived from its function."""

    id: str
    function: Callable[..., Any] = field(compare=False, repr=False)
    inputs: Mapping[str, InputSpec] = field(compare=False)
    outputs: Mapping[str, OutputSpec] = field(compare=False)
    context_parameter: str | None = None
    version: int = 1
    category: str = ""
    title: str = ""
    help: str = ""
    cache: Literal["pure", "volatile"] | Fingerprint = field(default="pure", compare=False)
    lane: Lane = "cpu"
    output: bool = False
    deprecated: str | None = None
    experimental: bool = False
    pack: str = ""
    code: str = ""
    """The digest of a third-party pack's sources. It counts in keys: authors may forget `version`."""
    notes: Notes | None = field(default=None, compare=False)
    """Says in words what its owner should know before it runs, from its literals."""
    mentions: Mentions | None = field(default=None, compare=False)
    """Files that literals speak of without being file inputs: their content counts in the key."""

    # Derived, and asked for at every node of every graph: attributes are found faster than properties.
    defaults: Mapping[str, Any] = field(init=False, compare=False, repr=False)
    """The defaults of the inputs that have one."""
    required_inputs: tuple[str, ...] = field(init=False, compare=False, repr=False)
    """The inputs without a default."""
    lazy_inputs: frozenset[str] = field(init=False, compare=False, repr=False)
    """The inputs whose branches run only when the node asks for them."""
    is_generic: bool = field(init=False, compare=False, repr=False)
    """Whether its types are only known in a graph: it has type variables, or runs subgraphs."""
    known_output: OutputSpec | None = field(init=False, compare=False, repr=False)
    """The only output, where its type is also the same in every graph."""
    plain_output: type | None = field(init=False, compare=False, repr=False)
    """The class of a single output that is a plain value."""
    runs_at_once: bool = field(init=False, compare=False, repr=False)
    """Whether it runs in the scheduler's own loop, which waits for it: microseconds of work."""
    depends_on_inputs_alone: bool = field(init=False, compare=False, repr=False)
    """Whether nothing but its literals and links can change its result."""
    _added: Mapping[str, Any] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        inputs, single = self.inputs, self.single_output
        types = [spec.type for spec in inputs.values()] + [spec.type for spec in self.outputs.values()]
        generic = any(map(sockets.is_generic, types))
        named = self.file_inputs or self.body_inputs or self.choice_inputs or self.mentions
        derived = {
            "defaults": {name: spec.default for name, spec in inputs.items() if not spec.required},
            "required_inputs": tuple(name for name, spec in inputs.items() if spec.required),
            "lazy_inputs": frozenset(name for name, spec in inputs.items() if spec.lazy),
            "is_generic": generic,
            "known_output": None if generic else single,
            "plain_output": _CLASS_OF.get(single.type) if single is not None else None,
            "runs_at_once": self.lane == "inline" and not self.is_async,
            "depends_on_inputs_alone": not (named or self.code) and self.lane != "device"
            and self.cache == "pure",
            "_added": {name: spec.default for name, spec in inputs.items() if spec.added},
        }  # fmt: skip
        for name, value in derived.items():
            object.__setattr__(self, name, value)

    @cached_property
    def is_async(self) -> bool:
        """Whether the function is `async def`: it runs in the scheduler's loop and holds no lane slot."""
        return inspect.iscoroutinefunction(self.function)

    @cached_property
    def file_inputs(self) -> Mapping[str, str]:
        """The kind of every input that names a file."""
        plain = {
            name: spec.type.item if isinstance(spec.type, sockets.OptionalType) else spec.type
            for name, spec in self.inputs.items()
        }
        return {name: type_.kind for name, type_ in plain.items() if isinstance(type_, sockets.FileType)}

    @cached_property
    def choice_inputs(self) -> Mapping[str, tuple[str, ...]]:
        """The open registries of every input that takes names from some."""
        found = {name: sockets.choices_in(spec.type) for name, spec in self.inputs.items()}
        return {name: registries for name, registries in found.items() if registries}

    @cached_property
    def grows(self) -> bool:
        """Whether it has an input `*name` or `**name`."""
        return any(spec.growing is not None for spec in self.inputs.values())

    @cached_property
    def body_inputs(self) -> Mapping[str, sockets.SubgraphType]:
        """The inputs that name a subgraph to run."""
        named = ((name, spec.type) for name, spec in self.inputs.items())
        return {name: type_ for name, type_ in named if isinstance(type_, sockets.SubgraphType)}

    def counting(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters that count in a key: all but those that were added later and have their default."""
        if not self._added:
            return dict(params)
        added = self._added
        return {name: value for name, value in params.items() if name not in added or value != added[name]}

    @cached_property
    def single_output(self) -> OutputSpec | None:
        """The only output, where there is exactly one."""
        return next(iter(self.outputs.values())) if len(self.outputs) == 1 else None

    def to_json(self) -> dict[str, Any]:
        """The node for a catalogue: id, help, inputs with JSON schemas, outputs."""
        return {
            "id": self.id, "version": self.version, "category": self.category, "title": self.title,
            "help": self.help, "output": self.output, "deprecated": self.deprecated,
            "experimental": self.experimental, "pack": self.pack,
            "inputs": {
                spec.name: {"required": spec.required, "schema": spec.schema} for spec in self.inputs.values()
            },
            "outputs": {spec.name: spec.type.to_json() for spec in self.outputs.values()},
        }  # fmt: skip


def node(
    id: str,
    *,
    version: int = 1,
    category: str = "",
    title: str = "",
    cache: Literal["pure", "volatile"] | Fingerprint = "pure",
    lane: Lane = "cpu",
    output: bool = False,
    deprecated: str | None = None,
    experimental: bool = False,
    notes: Notes | None = None,
    mentions: Mentions | None = None,
) -> Callable[[F], F]:
    """Declare the decorated function as a node type with this dotted id.

    version is raised when results change; cache says whether equal inputs give equal results; lane is
    where it runs (`inline` for microseconds); output marks a node that is run for its effect; notes, given
    the literals and what finds files by kind and name, says what was assumed, for the plan; mentions says
    which files the literals speak of. Raises DeclarationError naming the function and the parameter when the
    signature cannot be read.
    """

    def mark(function: F) -> F:
        _check_id(id, function)
        _check_options(id, version, cache, lane)
        inputs, context_parameter = _read_inputs(id, function)
        setattr(
            function,
            _MARK,
            NodeType(
                id=id, function=function, inputs=inputs,
                outputs=_read_outputs(id, function), context_parameter=context_parameter, version=version,
                category=category, title=title or _title_from(id), help=inspect.getdoc(function) or "",
                cache=cache, lane=lane, output=output, deprecated=deprecated, experimental=experimental,
                notes=notes, mentions=mentions,
            ),
        )  # fmt: skip
        return function

    return mark


def node_type(marked: object) -> NodeType:
    """The `NodeType` of a decorated function. DeclarationError if it is not one."""
    if isinstance(marked, NodeType):
        return marked
    found = getattr(marked, _MARK, None)
    if not isinstance(found, NodeType):
        name = getattr(marked, "__name__", repr(marked))
        raise DeclarationError(f"{name} is not a node", remedy="Decorate it with @node(...).")
    return found


def _check_id(id_: str, function: Callable[..., Any]) -> None:
    parts = id_.split(".")
    if not all(part.isidentifier() and part == part.lower() for part in parts):
        raise DeclarationError(
            f"{function.__name__}: '{id_}' is not a node id",
            expected="lower-case names joined by dots, such as 'image.blur'",
        )


def _check_options(id_: str, version: int, cache: object, lane: str) -> None:
    if lane not in get_args(Lane):
        raise DeclarationError(
            f"node '{id_}': there is no lane '{lane}'", expected=" or ".join(get_args(Lane))
        )
    if cache not in ("pure", "volatile") and not callable(cache):
        raise DeclarationError(
            f"node '{id_}': cache={cache!r} says nothing", expected="'pure', 'volatile' or a function"
        )
    if version < 1:
        raise DeclarationError(f"node '{id_}': its version is {version}", expected="1 or more")


def _title_from(id_: str) -> str:
    return id_.replace(".", " ").replace("_", " ").capitalize()


def _hints(id_: str, function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(function, include_extras=True)
    except (NameError, TypeError, AttributeError) as error:
        raise DeclarationError(
            f"node '{id_}': an annotation cannot be resolved: {error}",
            remedy="Import the name at module level, not only for type checkers.",
        ) from error


def _read_inputs(id_: str, function: Callable[..., Any]) -> tuple[dict[str, InputSpec], str | None]:
    hints = _hints(id_, function)
    inputs: dict[str, InputSpec] = {}
    context_parameter: str | None = None
    parameters = inspect.signature(function).parameters
    # Type checkers tell `**values` from a context only if that is positional: `ctx: Context, /, **values`.
    named = any(one.kind is one.VAR_KEYWORD for one in parameters.values())
    for name, parameter in parameters.items():
        if name not in hints:
            raise DeclarationError(f"node '{id_}': parameter '{name}' has no annotation")
        if hints[name] is Context and (parameter.kind is not parameter.POSITIONAL_ONLY or named):
            context_parameter = name
            continue
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise DeclarationError(
                f"node '{id_}': parameter '{name}' has no name for its caller",
                remedy="Inputs are given by name: remove the '/'.",
            )
        growing = _GROWING.get(parameter.kind)
        inputs[name] = _input_spec(id_, name, hints[name], parameter.default, growing)
    return inputs, context_parameter


def _input_spec(
    id_: str, name: str, annotation: Any, default: Any, growing: Growing | None = None
) -> InputSpec:
    if growing is not None:
        default = [] if growing == "list" else {}
    lazily = _lazy_part(annotation)
    lazy = lazily is not None
    annotation = lazily if lazy else annotation
    if _is_marked(annotation, Body):  # whatever type checkers may follow, a document names it
        annotation = Annotated[(str, *annotation.__metadata__)]
    spec = InputSpec(
        name=name,
        type=socket_type(annotation, f"node '{id_}', parameter '{name}'"),
        annotation=annotation,
        required=default is inspect.Parameter.empty,
        default=None if default is inspect.Parameter.empty else default,
        is_seed=_is_marked(annotation, SeedMark),
        added=_is_marked(annotation, Added),
        lazy=lazy,
        growing=growing,
    )
    if not spec.required and spec.type.has_literal and spec.default is not None and growing is None:
        try:
            checked = spec.adapter.validate_python(spec.default, strict=True)
        except ValueError as error:
            raise DeclarationError(
                f"node '{id_}', parameter '{name}': the default {spec.default!r} breaks its own declaration"
            ) from error
        object.__setattr__(spec, "default", checked)
    return spec


def _is_marked(annotation: Any, mark: type) -> bool:
    return any(isinstance(extra, mark) for extra in getattr(annotation, "__metadata__", ()))


def _lazy_part(annotation: Any) -> Any:
    """T of `Lazy[T]` and of `Lazy[T] | None`; None for what is not lazy."""
    if get_origin(annotation) in (Union, types.UnionType):
        rest = [arg for arg in get_args(annotation) if arg is not type(None)]
        annotation = rest[0] if len(rest) == 1 else annotation
    return get_args(annotation)[0] if get_origin(annotation) is Lazy else None


def _read_outputs(id_: str, function: Callable[..., Any]) -> dict[str, OutputSpec]:
    returned = _hints(id_, function).get("return", inspect.Parameter.empty)
    if returned is inspect.Parameter.empty:
        raise DeclarationError(f"node '{id_}' has no return annotation", remedy="Use '-> None' for none.")
    if returned is type(None):
        return {}
    named = get_origin(returned) or returned  # a tuple may be generic: `Pairs[T, U]`
    if isinstance(named, type) and issubclass(named, tuple) and hasattr(named, "_fields"):
        hints = _hints(id_, named)
        known = dict(zip(getattr(named, "__parameters__", ()), get_args(returned), strict=False))
        return {
            name: OutputSpec(name, socket_type(_filled(hints[name], known), f"node '{id_}', output '{name}'"))
            for name in named._fields
        }
    type_ = socket_type(returned, f"node '{id_}', its return type")
    name = type_.name if isinstance(type_, sockets.ValueType) else "value"
    return {name: OutputSpec(name, type_)}


def _filled(annotation: Any, known: Mapping[Any, Any]) -> Any:
    """An annotation with the type variables of a generic class replaced by what they are."""
    if isinstance(annotation, TypeVar):
        return known.get(annotation, annotation)
    variables = getattr(annotation, "__parameters__", ())
    return annotation[tuple(known.get(one, one) for one in variables)] if variables else annotation


def describe_range(spec: InputSpec) -> str:
    """What a literal of an input may be, in words: type and range."""
    if spec.growing is not None:
        count = "any number of" if spec.growing == "list" else "any number, by name, of"
        return f"{count}: {describe_range(replace(spec, growing=None))}"
    schema = spec.adapter.json_schema() if spec.type.has_literal else {}
    bounds = [words.format(schema[name]) for name, words in _BOUNDS.items() if name in schema]
    if "minimum" in schema and "maximum" in schema:
        bounds[:2] = [f"from {schema['minimum']} to {schema['maximum']}"]
    words = f"a {spec.type.words} {', '.join(bounds)}" if bounds else spec.type.words
    return f'{words}, or "random"' if spec.is_seed else words
