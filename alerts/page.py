"""The list of all alerts for people; `python -m alerts.page` writes it anew into docs/alerts.md."""

import re
from collections.abc import Iterator
from pathlib import Path

from . import GROUPS
from .model import Alert, Threshold

FILE = Path(__file__).parents[1] / "docs" / "alerts.md"
MARK = "<!-- What follows is written by `python -m alerts.page`. -->\n"


def tables() -> str:
    """A section for each group, with a row per alert."""
    return "".join(f"{line}\n" for group in GROUPS for line in _section(group.name, group.alerts))


def _section(name: str, alerts: tuple[Alert, ...]) -> Iterator[str]:
    yield f"\n## {name}\n"
    yield "| alert | severity | after | threshold | summary |"
    yield "|---|---|---|---|---|"
    yield from (_row(name, alert) for alert in alerts)


def _row(page: str, alert: Alert) -> str:
    link = f"[{alert.name}](runbooks/{page}.md#{alert.name.lower()})"
    cells = (link, alert.severity, alert.for_, _said(alert.threshold), _plain(alert.summary))
    return f"| {' | '.join(cells)} |"


def _said(threshold: Threshold | None) -> str:
    """A threshold as the stack file writes it, with what it may be."""
    if threshold is None:
        return ""
    return f"{threshold.value:.12g} ({threshold.least:.12g} to {threshold.most:.12g}, {threshold.unit})"


def _plain(template: str) -> str:
    """A summary with the names of labels instead of Prometheus's templates."""
    return re.sub(r"\{\{ \$(?:labels\.)?(\w+).*?\}\}", r"*\1*", template)


def text(written: str) -> str:
    """The page with the tables of today."""
    return written.partition(MARK)[0] + MARK + tables()


if __name__ == "__main__":
    FILE.write_text(text(FILE.read_text(encoding="utf-8")), encoding="utf-8")
