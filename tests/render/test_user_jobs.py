from typing import Any

import pytest

from fleet.validators import PROMTOOL, findings
from settings import Fleet

from .promtool import Promtool

pytestmark = pytest.mark.render

SECRET = {"secret": {"name": "etcd", "key": "tls.key"}}
TARGETS = {"static_configs": [{"targets": ["10.0.0.9:2379"], "labels": {"cluster": "x", "team": "db"}}]}
JOBS: dict[str, dict[str, Any]] = {
    "TLS": {**TARGETS, "scheme": "https", "tls_config": {"ca_file": SECRET, "cert": SECRET, "key": SECRET}},
    "a bearer token": {**TARGETS, "authorization": {"credentials": SECRET}},
    "a password": {**TARGETS, "basic_auth": {"username": "a", "password": SECRET}},
    "OAuth": {
        **TARGETS,
        "oauth2": {"client_id": "a", "client_secret": SECRET, "token_url": "https://a.example", "scopes": ["b"]},
    },
    "a header": {**TARGETS, "http_headers": {"X-Token": {"secrets": [SECRET]}}},
    "files": {"file_sd_configs": [{"files": [{"configMap": {"name": "a", "key": "targets.json"}}]}]},
    "pods": {"kubernetes_sd_configs": [{"role": "pod", "namespaces": {"own_namespace": True}}]},
    "another cluster": {"kubernetes_sd_configs": [{"role": "node", "kubeconfig_file": SECRET}]},
    "names": {"dns_sd_configs": [{"names": ["_metrics._tcp.shop.example"], "type": "SRV", "refresh_interval": "1m"}]},
    "Consul": {
        "consul_sd_configs": [
            {
                "server": "consul.example:8501",
                "scheme": "https",
                "authorization": {"credentials": SECRET},
                "services": ["shop"],
                "filter": 'NodeMeta.env == "prod"',
                "tls_config": {"ca_file": SECRET},
            }
        ]
    },
    "PuppetDB": {
        "puppetdb_sd_configs": [
            {"url": "https://puppetdb.example", "query": 'resources { type = "Class" }', "include_parameters": True}
        ]
    },
    "every other field": {
        **TARGETS,
        "honor_labels": True,
        "honor_timestamps": False,
        "track_timestamps_staleness": True,
        "params": {"match[]": ["up"]},
        "scrape_interval": "10m",
        "scrape_timeout": "1m30s",
        "scrape_protocols": ["PrometheusText0.0.4"],
        "fallback_scrape_protocol": "PrometheusText0.0.4",
        "scrape_native_histograms": True,
        "always_scrape_classic_histograms": True,
        "convert_classic_histograms_to_nhcb": True,
        "metrics_path": "/federate",
        "scheme": "http",
        "enable_compression": False,
        "body_size_limit": "16MiB",
        "sample_limit": 100,
        "target_limit": 10,
        "label_limit": 30,
        "label_name_length_limit": 100,
        "label_value_length_limit": 100,
        "native_histogram_bucket_limit": 100,
        "native_histogram_min_bucket_factor": 1.1,
        "keep_dropped_targets": 3,
        "metric_name_validation_scheme": "utf8",
        "metric_name_escaping_scheme": "allow-utf-8",
        "extra_scrape_metrics": True,
        "follow_redirects": True,
        "enable_http2": False,
        "proxy_url": "http://proxy.example:3128",
        "no_proxy": "10.0.0.0/8",
        "relabel_configs": [{"source_labels": ["__address__"], "target_label": "instance"}],
        "metric_relabel_configs": [{"source_labels": ["__name__"], "regex": "go_.+", "action": "drop"}],
    },
}


def fleet(**job: Any) -> Fleet:
    clusters = {name: {"context": name} for name in ("hub", "eu1")}
    hub = {"cluster": "hub", "storage": "500Gi", "expose": {"host": "hub.example", "tls": {"secret": "tls"}}}
    scrape = {"jobs": [{"job_name": "theirs", **job}]}
    return Fleet.model_validate({"clusters": clusters, "hub": hub, "agents": {"eu1": {}}, "scrape": scrape})


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_prometheus_takes_peoples_own_jobs(job: dict[str, Any], promtool: Promtool) -> None:
    """
    Promtool accepts what is made of them, with what is added.
    """
    assert findings(PROMTOOL, promtool.command, [fleet(**job)]) == [[]]


def test_what_promtool_refuses_is_said_of_the_job(promtool: Promtool) -> None:
    """
    It knows what is inside of each field, and whoever wrote the job can correct it.
    """
    [[problem]] = findings(PROMTOOL, promtool.command, [fleet(kubernetes_sd_configs=[{"role": "Pod"}])])

    assert str(problem).startswith("scrape.jobs[0]: is rendered to a file that promtool refuses: ")
    assert 'unknown Kubernetes SD role "Pod"' in str(problem)
    assert str(problem).endswith("Correct it as the documentation of scrape_config says.")
