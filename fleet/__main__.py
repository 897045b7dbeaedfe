"""`python -m fleet`: the command without an installation of this package, as after `pulumi install`."""

from .cli import app

app()
