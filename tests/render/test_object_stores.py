import os
import subprocess
from typing import Any

import pytest

from render.thanos.objstore import objstore
from settings import Storage

from .tools import tool

pytestmark = pytest.mark.render

S3 = {"bucket": "blocks", "endpoint": "localhost:1", "region": "eu-central-1"}
AZURE = {"account": "acmemetrics", "container": "blocks", "endpoint": "localhost"}
PLACE = {"name": "a", "key": "b"}
UNCONFIGURED = ("create S3 client", "create AZURE client", "create bucket client")
"""In what Thanos says of a configuration that it doesn't take; it does so before any request."""


def opened(storage: dict[str, Any], **environment: str) -> str:
    """What the deployed Thanos says when it lists a bucket that nobody serves, with this and no other identity."""
    config = objstore(Storage.model_validate(storage)).replace("$$(", "$(")  # as Kubernetes passes it on
    told = {"AWS_EC2_METADATA_DISABLED": "true", "PATH": os.environ["PATH"], **environment}
    command = [tool("thanos"), "tools", "bucket", "ls", "--timeout=3s", f"--objstore.config={config}"]
    done = subprocess.run(command, env=told, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode
    return done.stderr


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
