"""Settings of who signs the tokens of a cluster's pods, and of the public keys that verify them."""

import base64
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field

from .errors import Problem
from .section import Many, Section
from .types import HttpsUrl, Line, Namespace, Text

_PRINTED = "Write what `fleet issuer --context …` prints for the cluster."
_PRIVATE = (
    "is of a private key",
    "Remove it and replace the key of the cluster: who has it can write as any pod. Write public keys only.",
)
_DIGIT = "[A-Za-z0-9_-]"
Number = Annotated[
    str,
    Text(
        rf"(?=.{{2,1400}}$)(?:{_DIGIT}{{4}})*{_DIGIT}{{2,4}}",
        "is not a number in base64url without padding",
        _PRINTED,
    ),
]
"""A number of a public key, as JSON Web Keys have it (RFC 7518, 6)."""
_NUMBERS: Mapping[str, tuple[str, ...]] = {"RSA": ("n", "e"), "EC": ("crv", "x", "y")}
_ALGORITHMS = {"RS256": "RSA", "RS384": "RSA", "RS512": "RSA", "ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
"""Algorithm -> the kind or curve of its keys."""
_FEWEST_BITS = 1024
"""Of a modulus; anybody can factor a smaller one."""
LARGEST_SET = 2**13
"""
Bytes of keys at a URL, of which clouds have a quarter.

Envoy would read 32 MiB, and try every key whose name a token has: who publishes keys could stop it for all clusters.
"""
MOST_KEYS = 16
"""Keys of one cluster, which has one or two for each API server; all clusters' are in one ConfigMap of 1 MiB."""


class Key(Section):
    """A public key as a JSON Web Key (RFC 7517)."""

    kty: Literal["RSA", "EC"]
    """Kind of key."""
    kid: Line
    """Name of the key, which each token has in its header."""
    use: Literal["sig"] | None = None
    """What it is for: signatures."""
    alg: Literal["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"] | None = None
    """How it signs."""
    n: Number | None = None
    """Modulus of a key of kind RSA."""
    e: Number | None = None
    """Exponent of a key of kind RSA."""
    crv: Literal["P-256", "P-384", "P-521"] | None = None
    """Curve of a key of kind EC."""
    x: Number | None = None
    """First coordinate of a key of kind EC."""
    y: Number | None = None
    """Second coordinate of a key of kind EC."""

    moved: ClassVar[Mapping[str, tuple[str, str]]] = dict.fromkeys(
        ("d", "p", "q", "dp", "dq", "qi", "oth", "k"), _PRIVATE
    )

    def problems(self) -> Iterator[Problem]:
        """It has the numbers of its kind, and they are those of a key: Envoy uses no file with a set of others."""
        missing = [name for name in _NUMBERS[self.kty] if getattr(self, name) is None]
        for name in missing:
            yield Problem((name,), f"is missing in a key of kind {self.kty}", _PRINTED)
        if self.alg and _ALGORITHMS[self.alg] != self._kind:
            yield Problem(("alg",), f"is not an algorithm of a key of kind {self._kind}", _PRINTED, self.alg)
        if not missing and not self._is_one:
            yield Problem((), "is not a public key: its numbers fit none", _PRINTED)

    @property
    def mark(self) -> str:
        """What only this key and its private one have in common, however it is spelt: modulus, or first coordinate."""
        return f"{self._kind} {_number((self.n if self.kty == 'RSA' else self.x) or '')}"

    @property
    def _kind(self) -> str | None:
        return self.kty if self.kty == "RSA" else self.crv

    @property
    def _is_one(self) -> bool:
        if self.kty == "RSA":
            modulus, exponent = _number(self.n or ""), _number(self.e or "")
            return modulus.bit_length() >= _FEWEST_BITS and modulus % 2 == exponent % 2 == 1 and 2 < exponent < 2**32
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 — only keys on a curve need it

        curve = {"P-256": ec.SECP256R1, "P-384": ec.SECP384R1, "P-521": ec.SECP521R1}[self.crv or "P-256"]()
        try:
            ec.EllipticCurvePublicNumbers(_number(self.x or ""), _number(self.y or ""), curve).public_key()
        except ValueError:
            return False
        return True


def _number(written: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(f"{written}{'=' * (-len(written) % 4)}"), "big")


class KeySet(Section):
    """Public keys as a JSON Web Key Set."""

    keys: Annotated[Many[Key], Field(min_length=1, max_length=MOST_KEYS)]
    """The keys; while a cluster changes its key, the former and the next one."""

    def problems(self) -> Iterator[Problem]:
        """Each has a name of its own: all of one name would be tried for each token."""
        names = [key.kid for key in self.keys]
        for number, name in enumerate(names):
            if name in names[:number]:
                yield Problem(("keys", number, "kid"), "is the name of another key too", _PRINTED, name)


class Issuer(Section):
    """The API server of a cluster as an issuer of tokens: its name, and where its public keys are."""

    url: Line
    """The claim `iss` of its tokens."""
    jwks: KeySet | None = None
    """Its public keys; exactly one of this and `jwksUri`."""
    jwks_uri: HttpsUrl | None = None
    """An HTTPS URL of its public keys that the hub reaches without a credential, as GKE, EKS and AKS have them."""
    namespace: Namespace | None = None
    """Namespace of the agent in its cluster; that of this stack if left out."""

    def problems(self) -> Iterator[Problem]:
        """Its keys are known in one way."""
        if self.jwks and self.jwks_uri:
            yield Problem((), "has both jwks and jwksUri", "Write exactly one of them.")
        if not self.jwks and not self.jwks_uri:
            yield Problem((), "has neither jwks nor jwksUri", _PRINTED)

    @property
    def marks(self) -> frozenset[str]:
        """What no other issuer has: its keys, or their URL."""
        if self.jwks_uri:
            url = urlsplit(self.jwks_uri)
            return frozenset({f"{url.hostname}:{url.port or 443}{url.path}"})
        return frozenset(key.mark for key in self.jwks.keys) if self.jwks else frozenset()

    @property
    def key_set(self) -> dict[str, Any] | None:
        """Its keys as a JSON Web Key Set, if they are written."""
        return self.jwks.model_dump(exclude_none=True) if self.jwks else None
