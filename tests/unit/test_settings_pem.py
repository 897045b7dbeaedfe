from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import TypeAdapter, ValidationError

from settings.pem import Certificates

KEY = ec.generate_private_key(ec.SECP256R1())
KEY_PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
).decode()


def certificate() -> str:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hub")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, KEY.public_key(), x509.random_serial_number())
    dated = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1))
    signed = dated.sign(KEY, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


CERTIFICATE = certificate()


class TestCertificates:
    @pytest.mark.parametrize(
        "pem",
        [CERTIFICATE, f"# hub\n{CERTIFICATE}# its successor\n{CERTIFICATE}", CERTIFICATE.strip(), f"\r\n{CERTIFICATE}"],
        ids=["one", "two with comments", "no line end", "a line before"],
    )
    def test_bundles(self, pem):
        """
        One certificate or several, with the comments that bundles carry, are taken as they are.
        """
        assert TypeAdapter(Certificates).validate_python(pem) == pem

    @pytest.mark.parametrize(
        ("pem", "rule"),
        [
            (CERTIFICATE + KEY_PEM, "contains a private key"),
            (KEY_PEM, "contains a private key"),
            ("", "is not a PEM certificate"),
            ("ca.crt", "is not a PEM certificate"),
            (CERTIFICATE.replace("\n", ""), "is not a PEM certificate"),
            (CERTIFICATE.replace("-----END", "----END"), "is not a PEM certificate"),
            (CERTIFICATE.replace("BEGIN CERTIFICATE", "BEGIN PUBLIC KEY"), "is not a PEM certificate"),
            (CERTIFICATE.replace("MII", "QUF", 1), "is not a PEM certificate"),
        ],
        ids=["with a key", "a key", "nothing", "a path", "one line", "cut", "a public key", "other bytes"],
    )
    def test_anything_else(self, pem, rule):
        """
        What agents could not verify the hub by is refused, and a private key in any case.
        """
        with pytest.raises(ValidationError, match=rule):
            TypeAdapter(Certificates).validate_python(pem)
