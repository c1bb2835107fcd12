"""Declared parameters: said once, used by validation, panels, ``--set``, tables and sweeps.

A section of the document or a system's ``Params`` is a frozen pydantic model whose fields are made
by `parameter`. `declared` reads the declarations back; nothing else in the workbench repeats a
range, a symbol or a default.
"""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from workbench.errors import InputError

LARGEST = 1e30  # of any number: what single precision still holds


@dataclass(frozen=True)
class Parameter:
    """What is declared about one parameter; everything a panel, a table or a sweep axis needs."""

    name: str
    type: Literal["float", "int", "bool", "choice", "text"]
    default: Any
    meaning: str
    label: str  # plain name, "Threshold"
    symbol: str = ""  # as the paper sets it, "λ"
    unit: str = ""
    equation: str = ""  # "(6)"
    low: float | None = None
    high: float | None = None
    low_open: bool = False  # True: low itself is not allowed
    choices: tuple[str, ...] = ()  # of a "choice", or the words allowed besides a number
    optional: bool = False  # None ("the natural choice") is allowed
    slider: tuple[float, float] | None = None  # the range worth exploring, inside low..high
    log: bool = False  # the slider is logarithmic
    restart: bool = False  # a change starts the run anew instead of acting on the next step
    advanced: bool = False  # folded away under "more"
    when: tuple[str, str] | None = None  # means something only where this field has this value
    nothing: str = "auto"  # what None is called in a panel

    def applies(self, values: Mapping[str, Any]) -> bool:
        """Whether it means anything beside the other values of its section."""
        return self.when is None or values.get(self.when[0]) == self.when[1]

    @property
    def allowed(self) -> str:
        """The legal values in words, "a number of at least 0"."""
        if self.type == "choice":
            words = "one of " + ", ".join(self.choices)
        elif self.type == "bool":
            words = "true or false"
        elif self.type == "text":
            words = "a text"
        else:
            words = "a whole number" if self.type == "int" else "a number"
            if self.low is not None and self.high is not None:
                words += f" {'above' if self.low_open else 'from'} {_plain(self.low)} "
                words += f"{'and at most' if self.low_open else 'to'} {_plain(self.high)}"
            elif self.low is not None:
                words += f" {'above' if self.low_open else 'of at least'} {_plain(self.low)}"
            elif self.high is not None:
                words += f" of at most {_plain(self.high)}"
            words += "".join(f' or "{choice}"' for choice in self.choices)
        return words + (" or null" if self.optional else "")


def _plain(bound: float) -> str:
    """A bound as people write it: 2147483647, 0.5, 1e-06."""
    return str(bound) if isinstance(bound, int) else f"{bound:g}"


def parameter(
    default: Any,
    meaning: str,
    *,
    label: str = "",
    symbol: str = "",
    unit: str = "",
    equation: str = "",
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    slider: tuple[float, float] | None = None,
    log: bool = False,
    restart: bool = False,
    advanced: bool = False,
    when: tuple[str, str] | None = None,
    nothing: str = "auto",
) -> Any:
    """Declare one field of a `Params` model; see `Parameter` for what each part means."""
    return Field(
        default,
        description=meaning,
        title=label or None,
        ge=ge,
        gt=gt,
        le=le,
        json_schema_extra={
            "symbol": symbol,
            "unit": unit,
            "equation": equation,
            "slider": slider,
            "log": log,
            "restart": restart,
            "advanced": advanced,
            "when": when,
            "nothing": nothing,
        },
    )


class Params(BaseModel):
    """Frozen, strictly checked parameters; unknown keys, NaN and infinities are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    @classmethod
    def parse(cls, values: Mapping[str, Any], where: str) -> Self:
        """Build from plain values.

        Raises:
            InputError: one line naming ``where.key``, the value that came and what is allowed.
        """
        try:
            found = cls.model_validate(dict(values))
        except ValidationError as error:
            raise InputError(_complaint(cls, error, where)) from None
        for name in cls.model_fields:
            value = getattr(found, name)
            if isinstance(value, float) and abs(value) > LARGEST:
                allowed = {p.name: p.allowed for p in declared(cls)}[name]
                place = f"{where}.{name}" if where else name
                raise InputError(f"{place} = {value!r}: must be {allowed}, and at most {LARGEST:g}")
        return found

    def changed(self, **values: Any) -> Self:
        """A checked copy with some values replaced."""
        return type(self).parse(self.model_dump() | values, type(self).__name__)


def declared(model: type[BaseModel]) -> tuple[Parameter, ...]:
    """The declarations of a model's fields, in order."""
    return tuple(_read(name, field) for name, field in model.model_fields.items())


def _read(name: str, field: FieldInfo) -> Parameter:
    members = _members(field.annotation)
    kinds = [t for t in members if t is not type(None) and get_origin(t) is not Literal]
    choices = tuple(str(c) for t in members if get_origin(t) is Literal for c in get_args(t))
    rules = [*field.metadata]
    if kinds and get_origin(kinds[0]) is Annotated:  # the range holds for the number only
        kinds[0], *more = get_args(kinds[0])
        rules += more
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    low = high = None
    low_open = False
    for rule in rules:
        if isinstance(rule, annotated_types.Ge):
            low = rule.ge
        elif isinstance(rule, annotated_types.Gt):
            low, low_open = rule.gt, True
        elif isinstance(rule, annotated_types.Le):
            high = rule.le
    return Parameter(
        name=name,
        type=_TYPES.get(kinds[0], "text") if kinds else "choice",
        default=field.default,
        meaning=field.description or "",
        label=field.title or name.replace("_", " ").capitalize(),
        low=low,
        high=high,
        low_open=low_open,
        choices=choices,
        optional=type(None) in members,
        **extra,
    )


_TYPES = {float: "float", int: "int", bool: "bool", str: "text"}


def _members(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) in (Union, types.UnionType):
        return get_args(annotation)
    return (annotation,)


def _complaint(model: type[BaseModel], error: ValidationError, where: str) -> str:
    """The first complaint of a validation as one line."""
    first = error.errors()[0]
    key = str(first["loc"][0]) if first["loc"] else ""
    place = f"{where}.{key}" if where else key
    if first["type"] == "extra_forbidden":
        return unknown_key(place, key, model.model_fields)
    allowed = {p.name: p.allowed for p in declared(model)}.get(key, first["msg"])
    if first["type"] == "missing":
        return f"{place} is missing; it must be {allowed}"
    return f"{place} = {first['input']!r}: must be {allowed}"


def unknown_key(place: str, key: str, known: Iterable[str]) -> str:
    """The line for a key that does not exist, with the nearest one that does."""
    known = list(known)
    near = difflib.get_close_matches(key, known, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"{place}: unknown key; {hint}known here: {', '.join(known)}"
