"""What the stack files of this repository make."""

from collections.abc import Iterable
from pathlib import Path

import pulumi
import pytest
import yaml

from settings import Fleet, from_file
from settings.issuer import Issuer
from settings.validation.issuers import unknown_issuers
from stacks import deploy
from tests import SHIPPED, name_of
from tests.unit.conftest import Engine, write_kubeconfig

OTHER_STACK = {
    "hub": {
        "writeUrl": "https://hub.example:8443/api/v1/write",
        "ca": "",
        "caConfigMap": "",
        "protocol": "2.0",
        "audiences": {"eu1": "https://hub.example"},
    },
    "writerTokens": {"eu1": "from-the-other-stack"},
}
"""What the hub's stack exports."""
OTHER_STACKS = {
    "organization/promfleet/hub": OTHER_STACK,
    "organization/promfleet/center": {"blocks": {"cluster": "center", "compacts": True}},
}
"""What each stack exports that a stack file refers to."""


def known(fleet: Fleet) -> Fleet:
    """Give a fleet an issuer of each cluster that an update would ask for it."""
    clusters = dict(fleet.clusters)
    for name in unknown_issuers(fleet.partial):
        issuer = Issuer(url=f"https://{name}.example", jwks_uri=f"https://{name}.example/keys")
        clusters[name] = clusters[name].model_copy(update={"issuer": issuer})
    return fleet.model_copy(update={"clusters": clusters})


def deploy_shipped(folder: Path, files: Iterable[Path] = SHIPPED) -> dict[str, Engine]:
    """Deploy each stack file into an engine of its own, with a kubeconfig in this folder; the result goes by names."""
    engines = {}
    for file in files:
        described = known(from_file(file))
        kubeconfig = folder / name_of(file).replace("/", "-")
        write_kubeconfig(kubeconfig, *(cluster.context for cluster in described.clusters.values()))
        engines[name_of(file)] = engine = Engine()
        engine.stacks |= OTHER_STACKS
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("KUBECONFIG", str(kubeconfig))
            secrets = [
                key
                for key, value in yaml.safe_load(file.read_text(encoding="utf-8"))["config"].items()
                if "secure" in value
            ]
            pulumi.runtime.set_all_config(dict.fromkeys(secrets, "made-up"), secrets)
            engine.deploy(lambda described=described: deploy(described))
            pulumi.runtime.set_all_config({})
    return engines
