"""Stack files that somebody edited without care: right ones, and one to three things in them that are changed."""

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import yaml
from hypothesis import strategies as st

from settings.loading.load import KEY
from tests import ROOT

FILES = ROOT / "docs" / "examples"
"""The folder of the files that examples name."""
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
RIGHT: list[dict[str, Any]] = [
    yaml.safe_load(text)["config"][KEY]
    for text in (
        *(file.read_text(encoding="utf-8") for file in sorted(ROOT.glob("Pulumi.*.yaml"))),
        *(
            example
            for page in PAGES
            for example in re.findall(r"^```yaml\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)
            if KEY in example
        ),
    )
]
"""The fleets of every stack file and page of this repository."""
VALUES: list[Any] = [
    *(None, True, False, 0, 1, -1, 7, 1.5, 2**70, float("nan"), float("inf")),
    *("", " ", "a", "a b", "A", "é", "null", "x" * 300, "a\nb", "a\0b", "\ud800", "\u2028", "🦉"),
    *(
        "{{",
        "{{ .GroupLabels.team",
        "{{ end }}",
        "$1",
        "${HOME}",
        "$(POD_NAME)",
        "%zz",
        "a:b",
        "a,b",
        "#",
        "-",
        "*",
        "~",
    ),
    *("'", '"', "\\", "`", "[", "|", ".*", "a|b", "<", "&a", "!!x"),
    *("0s", "0d", "1s", "5m", "90m", "2h", "42d", "100y", "292y", "1000y", "999999999w", "1h30m"),
    *("1Mi", "1Gi", "999999999Ti", "50GB", "10.0.0.1", "999.1.1.1", "[::1]", "h.example", "h.internal", "h.example:1"),
    *(
        "https://h.example",
        "http://h.example/a?b=c",
        "https://h.example/{{",
        "https://h.example:port",
        "h.example:99999",
    ),
    *("a@h.example", "{{@h.example", "#channel", "@person", "g00gle", "192.168.5.4", "o/p/s", "eu1", "hub", "gke"),
    *(
        "2026-11-21T20:00Z",
        "2026-11-21T21:00+01:00",
        "2026-02-30T20:00Z",
        "critical",
        "none",
        "nginx",
        "gce",
        "ingress",
    ),
    *([], {}, [[]], [{}], {"": None}, {"a": 1}, ["eu1", "eu1"], ["a", None], [1]),
]
"""What may be written where something else belongs."""

Place = tuple[Any, Any]
"""A mapping or list of a document, and a key or index of it."""


def places(node: Any) -> Iterator[Place]:
    """Every place of a document."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield node, key
        yield from places(value)


WRITTEN = [(str(key), node[key]) for fleet in RIGHT for node, key in places(fleet) if isinstance(node, dict)]
"""Keys of right files, with what stands there."""
LIKE = {key: [value for other, value in WRITTEN if other == key] for key, _ in WRITTEN}
"""Key -> all that right files say of it."""


def remove(place: Place, draw: st.DrawFn) -> None:
    """What is needed is not there."""
    del place[0][place[1]]


def replace(place: Place, draw: st.DrawFn) -> None:
    """Something else stands there."""
    place[0][place[1]] = deepcopy(draw(st.sampled_from(VALUES)))


def exchange(place: Place, draw: st.DrawFn) -> None:
    """What another file says of the same key stands there."""
    place[0][place[1]] = deepcopy(draw(st.sampled_from(LIKE.get(str(place[1]), VALUES))))


def double(place: Place, draw: st.DrawFn) -> None:
    """It stands there twice: once more in a list, or under another name."""
    node, key = place
    if isinstance(node, list):
        node.append(deepcopy(node[key]))
    else:
        node[draw(st.sampled_from([*node, "eu1", "us1", "other"]))] = deepcopy(node[key])


def add(place: Place, draw: st.DrawFn) -> None:
    """What belongs elsewhere stands there too."""
    key, value = draw(st.sampled_from(WRITTEN))
    if isinstance(place[0], dict):
        place[0][key] = deepcopy(value)
    else:
        place[0].append(deepcopy(value))


def rename(place: Place, draw: st.DrawFn) -> None:
    """It stands there under another name."""
    node, key = place
    if isinstance(node, dict):
        node[draw(st.sampled_from([*LIKE, "", "é", "{{", "null", "\ud800", "[key]", "table", "names"]))] = node.pop(key)


MUTATIONS: tuple[Callable[[Place, st.DrawFn], None], ...] = (remove, replace, exchange, double, add, rename)


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """The fleet of a right file, changed in one to three places."""
    fleet = deepcopy(draw(st.sampled_from(RIGHT)))
    for _ in range(draw(st.integers(1, 3))):
        if found := list(places(fleet)):
            draw(st.sampled_from(MUTATIONS))(draw(st.sampled_from(found)), draw)
    return fleet
