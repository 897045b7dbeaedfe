"""What every block of the stack file has in common."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainSerializer, model_validator
from pydantic.alias_generators import to_camel

from .errors import Problem, RulesError
from .types import refused

Key = TypeVar("Key")
Value = TypeVar("Value")


def _without_doubles(names: Sequence[str]) -> Sequence[str]:
    doubles = [f'"{name}"' for name, times in Counter(names).items() if times > 1]
    if doubles:
        raise refused(f"names {', '.join(doubles)} more than once", "Name each once.")
    return names


Table = Annotated[Mapping[Key, Value], AfterValidator(MappingProxyType), PlainSerializer(dict)]
"""A mapping that nobody can change once it is read."""
Many = Annotated[Sequence[Value], AfterValidator(tuple)]
"""A list that nobody can change once it is read."""
Distinct = Annotated[Many[Value], AfterValidator(_without_doubles)]
"""Such a list of texts, of which none stands twice."""


NAMES, TABLE = "[names]", "[table]"
"""Steps of pydantic's paths that no file has: which of two forms was read."""


def empty() -> Mapping[Any, Any]:
    """The default of a table."""
    return MappingProxyType({})


class Section(BaseModel):
    """A block of `Pulumi.<stack>.yaml`: closed, immutable, camelCase on disk."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        use_attribute_docstrings=True,
    )

    moved: ClassVar[Mapping[str, tuple[str, str]]] = {}
    """A key that it had -> what is said of it, and what to write instead."""

    def problems(self) -> Iterator[Problem]:
        """Every rule between this section's own fields that is broken; paths start at the section."""
        yield from ()

    @model_validator(mode="after")
    def _obeys_its_rules(self) -> Self:
        if problems := tuple(self.problems()):
            raise RulesError(problems)
        return self
