"""PEM certificates as text in a stack file."""

import base64
import binascii
import re
from typing import Annotated

from pydantic import AfterValidator

from .types import refused

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\s+([A-Za-z0-9+/=\s]+?)\s+-----END CERTIFICATE-----")
_ASN1_SEQUENCE = 0x30


def _certificates(pem: str) -> str:
    if "PRIVATE KEY" in pem:
        raise refused("contains a private key", "Remove it and replace the key: a stack file is committed and shared.")
    blocks = _CERTIFICATE.findall(pem)
    if not blocks or len(blocks) != pem.count("-----BEGIN") or not all(map(_is_der, blocks)):
        instead = "Write the text from BEGIN CERTIFICATE to END CERTIFICATE as a block after `ca: |`."
        raise refused("is not a PEM certificate", instead)
    return pem


def _is_der(block: str) -> bool:
    try:
        return base64.b64decode("".join(block.split()), validate=True)[0] == _ASN1_SEQUENCE
    except (binascii.Error, IndexError):
        return False


Certificates = Annotated[str, AfterValidator(_certificates)]
"""One or more PEM certificates, and no private key."""
