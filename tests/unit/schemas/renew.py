"""
Takes the schemas of the custom resources that this program makes from the modules that publish them.

`python -m tests.unit.schemas.renew` writes them anew. Descriptions go; unknown fields are refused, which the API server
would drop without a word.
"""

import json
from pathlib import Path
from typing import Any

import yaml

from lab.build import fetch

HERE = Path(__file__).parent
GATEWAY_API = ("sigs.k8s.io/gateway-api", "v1.5.1", "config/crd/standard")
CONTOUR = ("github.com/projectcontour/contour", "v1.33.0", "examples/contour/01-crds.yaml")
GKE = ("github.com/GoogleCloudPlatform/gke-gateway-api", "v1.4.0", "config/crd")
TRAEFIK = (
    "github.com/traefik/traefik/v3",
    "v3.7.9",
    "docs/content/reference/dynamic-configuration/traefik.io_serverstransports.yaml",
)
CERT_MANAGER = ("github.com/cert-manager/cert-manager", "v1.20.2", "deploy/crds")
KINDS = {
    "HTTPRoute": GATEWAY_API,
    "TLSRoute": GATEWAY_API,
    "BackendTLSPolicy": GATEWAY_API,
    "HTTPProxy": CONTOUR,
    "HealthCheckPolicy": GKE,
    "GCPBackendPolicy": GKE,
    "ServersTransport": TRAEFIK,
    "Certificate": CERT_MANAGER,
}
"""
Kind -> module, version and where in it the definition stands.

GKE's controller makes the definition of BackendConfig itself: BackendConfig.json has the types of
k8s.io/ingress-gce, pkg/apis/backendconfig/v1/types.go.
"""
_KEPT = ("type", "required", "enum", "pattern", "minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum")


def schema(kind: str) -> dict[str, Any]:
    """The closed schema of a kind's `spec`, of the version that is stored."""
    module, version, place = KINDS[kind]
    found = fetch(module, version) / place
    files = sorted(found.glob("*.yaml")) if found.is_dir() else [found]
    definitions = [d for file in files for d in yaml.safe_load_all(file.read_text()) if d]
    [definition] = [d for d in definitions if d["kind"] == "CustomResourceDefinition" and _names(d) == kind]
    [stored] = [v for v in definition["spec"]["versions"] if v["storage"]]
    spec = closed(stored["schema"]["openAPIV3Schema"]["properties"]["spec"])
    return {
        "apiVersion": f"{definition['spec']['group']}/{stored['name']}",
        "source": f"{module}@{version}",
        "spec": spec,
    }


def _names(definition: dict[str, Any]) -> str:
    return definition["spec"]["names"]["kind"]


def closed(node: dict[str, Any]) -> dict[str, Any]:
    """A structural schema as JSON Schema that knows its fields and no others."""
    if node.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    made = {key: node[key] for key in _KEPT if key in node}
    if "properties" in node:
        made["properties"] = {name: closed(value) for name, value in node["properties"].items()}
        made["additionalProperties"] = False
    elif isinstance(node.get("additionalProperties"), dict):
        made["additionalProperties"] = closed(node["additionalProperties"])
    if "items" in node:
        made["items"] = closed(node["items"])
    return made


if __name__ == "__main__":
    for kind in KINDS:
        (HERE / f"{kind}.json").write_text(json.dumps(schema(kind), separators=(",", ":"), sort_keys=True) + "\n")
