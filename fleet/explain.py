"""`fleet explain`: what a stack file says, with the files that it includes."""

import json

import typer

from settings.errors import spelt
from settings.loading.load import merged_file

from .exits import problems_reported
from .stack import AnyStack, stack_file


@problems_reported()
def explain(
    stack: AnyStack,
) -> None:
    """
    Show every setting of a stack, and the included file that it comes from.

    It shows what is written, and not defaults. `fleet check` says whether it is right.
    """
    merged = merged_file(stack_file(stack))
    for path, value, origin in merged.lines():
        text = json.dumps(value, ensure_ascii=False, default=str)
        typer.echo(f"{spelt(path)}: {text}" + (f"  # {origin}" if origin else ""))
