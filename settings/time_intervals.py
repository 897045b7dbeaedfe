"""What is inside of Alertmanager's `time_intervals`, as its timeinterval/timeinterval.go reads it."""

import calendar
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from zoneinfo import available_timezones

from .errors import Path, Problem, nearest

_CLOCK = re.compile("([01][0-9]|2[0-3]):[0-5][0-9]|24:00")
_WEEK = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_YEAR = tuple(name.lower() for name in calendar.month_name if name)


class _Range(NamedTuple):
    """What the two ends of a range are."""

    position: Callable[[str], int | None]
    """The place of an end in the order of all; None of what is none."""
    instead: str
    first: str = ""
    last: str = ""
    """Of those that begin again, such as months; no range reaches over their end."""


def _weekday(text: str) -> int | None:
    return _WEEK.index(text) if text in _WEEK else None


def _month(text: str) -> int | None:
    return _YEAR.index(text) + 1 if text in _YEAR else _number(text, 1, 12)


def _day(text: str) -> int | None:
    """Days from the end of a month are negative; Alertmanager compares them as in the shortest month."""
    found = _number(text, -31, 31)
    return found + 28 if found is not None and found < 0 else found or None


def _number(text: str, least: int, most: int) -> int | None:
    return int(text) if re.fullmatch("-?[0-9]{1,4}", text) and least <= int(text) <= most else None


_RANGES = {
    "weekdays": _Range(_weekday, "Write [monday:friday].", "sunday", "saturday"),
    "days_of_month": _Range(_day, 'Write ["1:15"], or ["-3:-1"] for the last three days, in quotes.'),
    "months": _Range(_month, 'Write [january, "3:5"], in quotes.', "january", "december"),
    "years": _Range(lambda text: _number(text, 0, 9999), 'Write ["2026:2028"], in quotes.'),
}


def unreadable(intervals: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    """Every time, range and location that Alertmanager would refuse, and with it the whole configuration."""
    for index, named in enumerate(intervals):
        for inner, interval in enumerate(named["time_intervals"]):
            for problem in _of_interval(interval):
                yield problem.under((index, "time_intervals", inner))


def _of_interval(interval: Mapping[str, Any]) -> Iterator[Problem]:
    for index, times in enumerate(interval.get("times", ())):
        for problem in _of_times(times):
            yield problem.under(("times", index))
    for key, form in _RANGES.items():
        for index, written in enumerate(interval.get(key, ())):
            yield from _of_range(str(written).lower(), form, (key, index))
    location = interval.get("location")
    # A machine without the database knows no zone; Alertmanager has its own.
    if location not in (None, "", "Local") and (known := available_timezones()) and location not in known:
        yield Problem(("location",), "is no time zone", nearest(location, known, "Write Europe/Berlin."), location)


def _of_times(times: Mapping[str, str]) -> Iterator[Problem]:
    ends = [times.get(key, "") for key in ("start_time", "end_time")]
    for key, end in zip(("start_time", "end_time"), ends, strict=True):
        if not _CLOCK.fullmatch(end):
            rule = "is no time of the day" if end else "is missing"
            yield Problem((key,), rule, 'Write "09:00", up to "24:00", in quotes.', end)
            return
    start, end = ends
    if start >= end:
        split = f'{{start_time: "{start}", end_time: "24:00"}}'
        if end != "00:00":
            split += f' and {{start_time: "00:00", end_time: "{end}"}}'
        yield Problem(("end_time",), f"is not after the start, {start}", f"Write {split}.", end)


def _of_range(written: str, form: _Range, path: Path) -> Iterator[Problem]:
    begin, colon, end = written.partition(":")
    first, last = form.position(begin), form.position(end if colon else begin)
    if first is None or last is None:
        yield Problem(path, "is none that Alertmanager reads", form.instead, written)
    elif first > last:
        instead = "Write the earlier one first."
        if form.first:
            parts = [f"{begin}:{form.last}", f"{form.first}:{end}" if end != form.first else end]
            instead = f"Write [{', '.join(parts)}]: the first is {form.first}."
        yield Problem(path, "ends before it begins", instead, written)
