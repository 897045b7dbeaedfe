import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.pki import authority, issue
from render.thanos.objstore import AUTHORITY, objstore
from settings import Storage
from tests.http_server import Handler, HttpServer

from .tools import tool

pytestmark = pytest.mark.render

S3 = {"bucket": "blocks", "endpoint": "localhost:1", "region": "eu-central-1"}
AZURE = {"account": "acmemetrics", "container": "blocks", "endpoint": "localhost"}
PLACE = {"name": "a", "key": "b"}
UNCONFIGURED = ("create S3 client", "create AZURE client", "create bucket client")
"""In what Thanos says of a configuration that it doesn't take; it does so before any request."""


def listed(config: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Have the deployed Thanos list a bucket, with this and no other identity."""
    told = {"AWS_EC2_METADATA_DISABLED": "true", "PATH": os.environ["PATH"], **environment}
    command = [tool("thanos"), "tools", "bucket", "ls", "--timeout=3s", f"--objstore.config={config}"]
    return subprocess.run(command, env=told, capture_output=True, text=True, check=False, timeout=120)


def opened(storage: dict[str, Any], **environment: str) -> str:
    """What Thanos says of a bucket that nobody serves."""
    config = objstore(Storage.model_validate(storage)).replace("$$(", "$(")  # as Kubernetes passes it on
    done = listed(config, **environment)
    assert done.returncode
    return done.stderr


class Empty(Handler):
    """An S3 API with one bucket, which has nothing."""

    def do_GET(self) -> None:
        self.answer(200, b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>", "application/xml")


@pytest.fixture
def ceph(tmp_path: Path) -> Iterator[str]:
    """Host and port of an object store whose certificate nobody knows but `ca.crt`."""
    signer = authority("ceph")
    signer.write(tmp_path, "ca")
    issue(signer, "ceph", hosts=["localhost"]).write(tmp_path, "tls")
    with HttpServer(Empty, "localhost", (tmp_path / "tls.crt", tmp_path / "tls.key")) as server:
        yield f"localhost:{server.server_port}"


class TestThanos:
    """The release that is deployed reads the configuration of each object store."""

    @pytest.mark.parametrize(
        "storage",
        [
            {"s3": {**S3, "accessKey": PLACE, "secretKey": PLACE}},
            {"s3": {**S3, "accessKey": PLACE, "secretKey": PLACE, "insecure": True}},
            {"s3": {**S3, "role": "arn:aws:iam::123456789012:role/thanos"}},
            {"s3": {**S3, "podIdentity": True}},
        ],
        ids=["keys", "insecure", "role", "podIdentity"],
    )
    def test_takes_s3(self, storage):
        """
        It knows every field, and goes on to ask for the bucket.
        """
        said = opened(storage, AWS_ACCESS_KEY_ID="id", AWS_SECRET_ACCESS_KEY="secret")

        assert not any(one in said for one in UNCONFIGURED)

    @pytest.mark.parametrize("known", [True, False])
    def test_verifies_s3_with_the_authorities_of_a_config_map(self, ceph, tmp_path, known):
        """
        A store with a certificate of its own is opened if they are given, and not otherwise.
        """
        keys = {"accessKey": PLACE, "secretKey": PLACE}
        s3 = {**S3, **keys, "endpoint": ceph, **({"caConfigMap": "ceph"} if known else {})}
        config = objstore(Storage.model_validate({"s3": s3})).replace(AUTHORITY, str(tmp_path / "ca.crt"))

        done = listed(config, AWS_ACCESS_KEY_ID="id", AWS_SECRET_ACCESS_KEY="secret")

        assert (done.returncode == 0) == known, done.stderr

    def test_acts_as_a_managed_identity_of_azure(self, tmp_path):
        """
        By the variables and the token that the webhook gives pods: without a credential in its configuration.
        """
        token = tmp_path / "token"
        token.write_text("token")
        identity = {
            "AZURE_CLIENT_ID": "01234567-89ab-cdef-0123-456789abcdef",
            "AZURE_TENANT_ID": "01234567-89ab-cdef-0123-456789abcdef",
            "AZURE_AUTHORITY_HOST": "https://localhost:1/",
            "AZURE_FEDERATED_TOKEN_FILE": str(token),
        }

        said = opened({"azure": {**AZURE, "clientId": identity["AZURE_CLIENT_ID"]}}, **identity)

        assert not any(one in said for one in UNCONFIGURED)

    @pytest.mark.parametrize(
        ("storage", "refused"),
        [
            ({**AZURE, "key": PLACE}, "decode account key"),
            ({"account": "acmemetrics", "container": "blocks", "connectionString": PLACE}, "connection string"),
        ],
        ids=["key", "connectionString"],
    )
    def test_reads_credentials_of_azure_from_the_environment(self, storage, refused):
        """
        What the Secret holds is what it takes for the credential, here one that can't be.
        """
        assert refused in opened({"azure": storage}, AZURE_STORAGE_CREDENTIAL="none!")
