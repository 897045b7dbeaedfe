"""How a Prometheus reaches a cluster: from inside it, or from a machine outside, by addresses or by its API server."""

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from settings.types import PORT_OF

from ..tokens import API, API_TOKEN
from .job import ScrapeJob
from .relabel import NAMESPACE, NODE, POD, Rule, constant, keep

_UNREADABLE = "/not-a-path"
_ADDRESS, _PATH, _SCHEME = "__address__", "__metrics_path__", "__scheme__"


@dataclass(frozen=True, kw_only=True)
class Connection:
    """What a Prometheus shows to a cluster, and where; by default it runs in the cluster."""

    token_file: str = API_TOKEN
    ca_file: str = f"{API}/ca.crt"
    """Of the cluster's authority, which signs for its API server and kubelets."""
    api_server: str = ""
    """URL of the API server; empty inside of the cluster."""
    proxies: bool = False
    """Whether every target is asked through the API server."""

    @property
    def authority(self) -> str:
        """Host and port of the API server."""
        return urlsplit(self.api_server).netloc

    @property
    def prefix(self) -> str:
        """Path before those of the API server, where something else answers for several of them; most have none."""
        return urlsplit(self.api_server).path.rstrip("/")

    def credentials(self, *, insecure: bool = False, **tls: Any) -> dict[str, Any]:
        """Return what Kubernetes' own endpoints are shown, and by what they are verified."""
        skipped = {"insecure_skip_verify": True} if insecure else {}
        return {"scheme": "https", **self._identity(**skipped, **tls)}

    def reach(self, job: ScrapeJob) -> ScrapeJob:
        """Return the job as this Prometheus discovers and asks its targets; each series keeps its labels."""
        if not self.api_server:
            return job
        known = {"api_server": self.api_server, **self._identity()}
        discovered = replace(job, discovery=[{**entry, **known} for entry in job.discovery])
        return self._through_api_server(discovered) if self.proxies and job.discovery else discovered

    def _identity(self, **tls: Any) -> dict[str, Any]:
        return {
            "authorization": {"type": "Bearer", "credentials_file": self.token_file},
            "tls_config": {"ca_file": self.ca_file, **tls},
        }

    def _through_api_server(self, job: ScrapeJob) -> ScrapeJob:
        if all(entry["role"] == "node" for entry in job.discovery):
            proxied = [_node_path(self.prefix)]
        else:
            proxied = [*_pod_paths(self.prefix), keep([_PATH], f"{self.prefix}/api/v1/namespaces/.+")]
        return replace(
            job,
            options={**job.options, **self.credentials()},
            relabel=[
                constant(_SCHEME, job.options.get("scheme", "http")),
                *job.relabel,
                *_instance(),
                *proxied,
                constant(_SCHEME, "https"),
                constant(_ADDRESS, self.authority),
            ],
        )


IN_CLUSTER = Connection()


def _instance() -> list[Rule]:
    """Keep what the target would be called where it is asked itself: its address, with the scheme's port."""
    return [
        *(
            {
                "source_labels": [_SCHEME, _ADDRESS],
                "regex": rf"{scheme};([^:]+|\[.+\])",
                "target_label": _ADDRESS,
                "replacement": f"$1:{port}",
            }
            for scheme, port in PORT_OF.items()
        ),
        {"source_labels": ["instance", _ADDRESS], "regex": ";(.+)", "target_label": "instance"},
    ]


def _node_path(prefix: str) -> Rule:
    return {
        "source_labels": [f"{NODE}_name", _PATH],
        "regex": "(.+);(.+)",
        "target_label": _PATH,
        "replacement": f"{prefix}/api/v1/nodes/$1/proxy$2",
    }


def _pod_paths(prefix: str) -> list[Rule]:
    """
    One pod's own path, never a Service's, which answers for one of its pods; what is behind no pod has none.

    A pod's annotation chooses the end of the path: it must not lead out of what the API server passes on.
    """
    return [
        {"source_labels": [_PATH], "regex": r".*/\.\.?(/.*)?", "target_label": _PATH, "replacement": _UNREADABLE},
        *(
            {
                "source_labels": [_SCHEME, NAMESPACE, f"{POD}_name", _ADDRESS, _PATH],
                "regex": f"{scheme};(.+);(.+);.*:([^:]+);(.+)",
                "target_label": _PATH,
                "replacement": f"{prefix}/api/v1/namespaces/$1/pods/{named}$2:$3/proxy$4",
            }
            for scheme, named in {"http": "", "https": "https:"}.items()
        ),
    ]
