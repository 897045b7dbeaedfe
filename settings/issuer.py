"""Settings of who signs the tokens of a cluster's pods, and of the public keys that verify them."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from .errors import Problem
from .section import Many, Section
from .types import HttpsUrl, Line, Namespace, Text

_PRINTED = "Write what `fleet issuer --context …` prints for the cluster."
_PRIVATE = (
    "is of a private key",
    "Remove it and replace the key of the cluster: who has it can write as any pod. Write public keys only.",
)
Number = Annotated[str, Text(r"[A-Za-z0-9_-]{2,1400}", "is not a number in base64url without padding", _PRINTED)]
"""A number of a public key, as JSON Web Keys have it (RFC 7518, 6)."""
_NUMBERS: Mapping[str, tuple[str, ...]] = {"RSA": ("n", "e"), "EC": ("crv", "x", "y")}


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
        """It has the numbers of its kind."""
        for name in _NUMBERS[self.kty]:
            if getattr(self, name) is None:
                yield Problem((name,), f"is missing in a key of kind {self.kty}", _PRINTED)


class KeySet(Section):
    """Public keys as a JSON Web Key Set."""

    keys: Annotated[Many[Key], Field(min_length=1)]
    """The keys; while a cluster changes its key, the former and the next one."""


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
            return frozenset({self.jwks_uri})
        return frozenset(key.n or f"{key.x} {key.y}" for key in self.jwks.keys) if self.jwks else frozenset()

    @property
    def key_set(self) -> dict[str, Any] | None:
        """Its keys as a JSON Web Key Set, if they are written."""
        return self.jwks.model_dump(exclude_none=True) if self.jwks else None
