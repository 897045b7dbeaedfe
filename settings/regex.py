"""Regular expressions that Prometheus and Alertmanager read by the rules of RE2, as far as Python can judge them."""

import json
import re
import warnings

import promql_parser

_IN_RE2_TOO = (
    "missing )",
    "unbalanced parenthesis",
    "unterminated character set",
    "nothing to repeat",
    "bad character range",
)
_LOOKS_AROUND = re.compile(r"\(\?<?[=!]")


def mistake(pattern: str) -> str | None:
    """What is wrong with a regular expression, by the rules that Python's and RE2's have in common; None if nothing."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # sets such as [[:alpha:]]
            re.compile(pattern)
    except re.error as error:
        return error.msg if error.msg.startswith(_IN_RE2_TOO) else None
    if _LOOKS_AROUND.search(pattern) and not _is_without_lookaround(pattern):
        return "RE2 has neither lookahead nor lookbehind"
    return None


def _is_without_lookaround(pattern: str) -> bool:
    """Whether Rust reads it, which has no lookaround either; the characters may also be in a set."""
    try:
        promql_parser.parse(f"{{x=~{json.dumps(pattern)}, y='z'}}")
    except ValueError:
        return False
    return True
