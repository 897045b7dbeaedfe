"""The roles of Thanos as whole stacks: what stands where, who may do what, and what each is told."""

import kubernetes_validate
import pytest
import yaml

from settings import Fleet
from stacks import deploy
from tests.unit.conftest import Engine, plain

TLS = {"secret": "hub-tls"}
GCS = {"gcs": {"project": "acme-monitoring", "bucket": "acme-long-term"}}


def fleet(thanos, **sections):
    hub = {"cluster": "hub", "replicas": 2, "expose": {"host": "hub.example", "tls": TLS}}
    clusters = {name: {"context": name} for name in ("hub", *sections.get("agents", {}))}
    return Fleet.model_validate({"clusters": clusters, "hub": hub, "thanos": thanos} | sections)


@pytest.fixture
def kubeconfig(tmp_path, monkeypatch):
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump({"contexts": [{"name": name} for name in ("hub", "eu1", "us1")]}))
    monkeypatch.setenv("KUBECONFIG", str(file))


@pytest.fixture
def deployed(engine, kubeconfig):
    return lambda thanos, **sections: engine.deploy(lambda: deploy(fleet(thanos, **sections)))


FULL = {
    "storage": GCS,
    "queryFrontend": {},
    "store": {"shards": 2, "splitAt": "30d"},
    "ruler": {"bucket": "acme-rules"},
    "receive": {"expose": {"host": "receive.example"}, "seriesLimits": {"eu1": 100000}},
    "bucketWeb": {},
}
SECTIONS = {
    "agents": {"eu1": {}, "us1": {}},
    "alertmanager": {"receivers": {"nobody-yet": {}}, "default": "nobody-yet"},
}


def workloads(engine: Engine):
    return {
        r.inputs["metadata"]["name"]: r.inputs["spec"]
        for r in engine.resources
        if r.typ.rpartition(":")[2] in ("Deployment", "StatefulSet") and "::hub::" in r.provider
    }


class TestWhole:
    def test_everything_is_what_kubernetes_expects(self, deployed):
        """
        No object has a field that its published schema does not know, or lacks one that it asks for.
        """
        engine = deployed(FULL, **SECTIONS)

        objects = [plain(r.inputs) for r in engine.resources if r.typ.startswith("kubernetes:")]
        assert len(objects) > 100
        for item in objects:
            kubernetes_validate.validate(item, "1.36", strict=True)
