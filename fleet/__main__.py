"""`python -m fleet`: the command where this package is not installed, as after `pulumi install`."""

from .cli import app

app()
