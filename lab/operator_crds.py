"""
Takes the definitions of the Prometheus Operator's custom resources from its module, for `PrometheusOperator`.

`python -m lab.operator_crds` writes them anew; so does `make lock`. Descriptions go, as in upstream's
`stripped-down-crds.yaml`: with them, the state of a stack would have some megabytes more for each cluster.
"""

import gzip
import json
from typing import Any

import yaml

from settings.operator import DEFINITIONS, HONOURED

from .binaries import BINARIES
from .build import fetch


class Definitions(yaml.CSafeLoader):
    """Takes `=` for the text that it is; YAML 1.1 has a type of its own for it."""


Definitions.add_constructor("tag:yaml.org,2002:value", Definitions.construct_yaml_str)


def without_descriptions(node: Any) -> Any:
    """A schema without texts for people; a field that is called `description` stays."""
    if isinstance(node, dict):
        kept = {key: value for key, value in node.items() if not (key == "description" and isinstance(value, str))}
        return {key: without_descriptions(value) for key, value in kept.items()}
    return [without_descriptions(item) for item in node] if isinstance(node, list) else node


def lock() -> None:
    """Write the definitions of the kinds that the operator acts on here, in the order of their names."""
    [operator] = [binary for binary in BINARIES if binary.name == "operator"]
    folder = fetch(operator.module, operator.version) / "example" / "prometheus-operator-crd"
    texts = [(folder / f"monitoring.coreos.com_{plural}.yaml").read_text() for plural in HONOURED]
    found = [without_descriptions(yaml.load(text, Definitions)) for text in texts]  # noqa: S506 — it is a safe one
    text = json.dumps(found, separators=(",", ":"), sort_keys=True)
    DEFINITIONS.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


if __name__ == "__main__":
    lock()
