"""Formats numbers with Grafana's units."""

import math

_SHORT = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_BYTES = ((2.0**40, "TiB"), (2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"))
_TIME = ((86400, "d"), (3600, "h"), (60, "min"))


def formatted(value: float, unit: str) -> str:
    """A number with few digits and its unit; raises `KeyError` for a unit that is not implemented."""
    return _WRITERS[unit](value)


def counted(number: int, noun: str) -> str:
    """A number with a noun, which is given in the singular."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _scaled(value: float, steps: tuple[tuple[float, str], ...], rest: str) -> str:
    size, suffix = next((step for step in steps if abs(value) >= step[0]), (1, rest))
    return f"{_digits(value / size)} {suffix}".rstrip()


def _digits(value: float) -> str:
    if abs(value) >= 10 or math.isclose(value, round(value), abs_tol=1e-6):
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 1 else f"{value:.2g}"


_WRITERS = {
    "none": _digits,
    "short": lambda value: _scaled(value, _SHORT, ""),
    "cps": lambda value: f"{_scaled(value, _SHORT, '')}/s",
    "bytes": lambda value: _scaled(value, _BYTES, "B"),
    "s": lambda value: _scaled(value, _TIME, "s"),
    "percentunit": lambda value: f"{_digits(value * 100)} %",
    "bool_on_off": lambda value: "up" if value else "silent",
}
