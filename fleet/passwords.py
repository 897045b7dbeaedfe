"""bcrypt hashes of passwords in a web configuration of Prometheus' exporter toolkit."""

from pathlib import Path

import yaml

ROUNDS = 10
"""Cost of a hash. Servers keep the outcome of a comparison, and compute it once for each password."""


def known_hash(web: Path, user: str, password: bytes) -> str | None:
    """Return the hash that a file has for a user, if it is the password's."""
    import bcrypt  # noqa: PLC0415 — only whoever has a password needs it

    try:
        hashed = yaml.safe_load(web.read_text(encoding="utf-8"))["basic_auth_users"][user]
        return hashed if bcrypt.checkpw(password, hashed.encode()) else None
    except (OSError, ValueError, LookupError, TypeError, AttributeError, yaml.YAMLError):
        return None  # there is none, or somebody edited it


def new_hash(password: bytes) -> str:
    """Return a hash with a salt of its own."""
    import bcrypt  # noqa: PLC0415 — as above

    return bcrypt.hashpw(password, bcrypt.gensalt(ROUNDS)).decode()
