"""Base class of every section of the stack file, and types of tables and lists."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    PlainSerializer,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, core_schema

from .errors import Problem, RulesError
from .types import ObjectLabel, ObjectLabelValue, refused

Key = TypeVar("Key")
Value = TypeVar("Value")


def _without_doubles(names: Sequence[str]) -> Sequence[str]:
    doubles = [f'"{name}"' for name, times in Counter(names).items() if times > 1]
    if doubles:
        raise refused(f"names {', '.join(doubles)} more than once", "Name each once.")
    return names


Table = Annotated[Mapping[Key, Value], AfterValidator(MappingProxyType), PlainSerializer(dict)]
"""An immutable mapping."""
Many = Annotated[Sequence[Value], AfterValidator(tuple)]
"""An immutable list."""


def _are_labels(written: object) -> object:
    if isinstance(written, Mapping) and written.keys() & {"matchLabels", "matchExpressions"}:
        raise refused("is a selector of Kubernetes", "Write the labels themselves, each with its value: {app: shop}.")
    return written


Selected = Annotated[Table[ObjectLabel, ObjectLabelValue], BeforeValidator(_are_labels)]
"""Labels that all must be there, each with its value."""
Distinct = Annotated[Many[Value], AfterValidator(_without_doubles)]
"""Such a list of strings without repetition."""


@dataclass(frozen=True, slots=True)
class OrNames:
    """A table that may be written as a list of its keys, where every value is the default."""

    key: Any
    """The type of its keys."""
    value: Callable[[], Any]
    """Makes the value of a key that is written without one."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        table, names = handler(source), handler.generate_schema(Distinct[self.key])
        forms: dict[Hashable, CoreSchema] = {"table": table, "names": names}
        either = core_schema.tagged_union_schema(
            forms, lambda written: "table" if isinstance(written, Mapping) else "names"
        )
        return core_schema.no_info_after_validator_function(self._as_table, either)

    def _as_table(self, written: Mapping[str, Any] | Sequence[str]) -> Mapping[str, Any]:
        if isinstance(written, Mapping):
            return written
        return MappingProxyType({name: self.value() for name in written})


def empty() -> Mapping[Any, Any]:
    """The default of a table."""
    return MappingProxyType({})


def renamed(names: Mapping[str, str]) -> Mapping[str, tuple[str, str]]:
    """Return what is said of keys that another program has under other names: its key -> what to write here."""
    return {name: ("unknown key", f"Write {ours}, as it is called here.") for name, ours in names.items()}


def not_offered(*names: str, instead: str = "Remove it.") -> Mapping[str, tuple[str, str]]:
    """Return what is said of keys of another program that have no counterpart here."""
    return dict.fromkeys(names, ("is not offered", instead))


class Section(BaseModel):
    """A section of `Pulumi.<stack>.yaml`: closed, immutable, camelCase on disk."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        defer_build=True,  # most are only parts of others; to build each one by itself took a fifth of the import
    )

    moved: ClassVar[Mapping[str, tuple[str, str]]] = {}
    """A key of an older release, or of other tools -> the rule that it breaks, and what to write instead."""

    def problems(self) -> Iterator[Problem]:
        """Every rule between this section's own fields that is broken; paths start at the section."""
        yield from ()

    @model_validator(mode="after")
    def _obeys_its_rules(self) -> Self:
        if problems := tuple(self.problems()):
            raise RulesError(problems)
        return self
