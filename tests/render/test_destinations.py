import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleet.validators import PROMTOOL, findings
from settings import Fleet

from .promtool import Promtool

pytestmark = pytest.mark.render

PAGE = Path(__file__).parents[2] / "docs" / "destinations.md"
EXAMPLES = [
    Fleet.model_validate(yaml.safe_load(text)["config"]["promfleet:fleet"], by_alias=True, by_name=False)
    for text in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
]
SECRET = {"secret": {"name": "a", "key": "b"}}
DESTINATIONS: dict[str, dict[str, Any]] = {
    "a role of Google": {"google_iam": {"credentials_file": SECRET}},
    "a managed identity": {"azuread": {"managed_identity": {"client_id": "00000000-0000-0000-0000-000000000000"}}},
    "a certificate of Azure": {
        "azuread": {
            "certificate": {
                "client_id": "00000000-0000-0000-0000-000000000000",
                "tenant_id": "00000000-a12b-3cd4-e56f-000000000000",
                "certificate_path": SECRET,
            }
        }
    },
    "a profile of AWS": {
        "sigv4": {
            "region": "eu-west-1",
            "profile": "a",
            "role_arn": "b",
            "external_id": "c",
            "session_name": "promfleet",
            "service_name": "aps",
            "tags": {"team": "sre"},
            "use_fips_sts_endpoint": True,
        }
    },
    "every other field": {
        "remote_timeout": "1m30s",
        "headers": {"X-Scope-OrgID": "acme"},
        "http_headers": {"X-Api-Key": {"secrets": [SECRET]}},
        "write_relabel_configs": [{"source_labels": ["cluster"], "target_label": "site"}],
        "send_exemplars": True,
        "send_native_histograms": True,
        "round_robin_dns": True,
        "failed_request_logging": True,
        "protobuf_message": "io.prometheus.write.v2.Request",
        "tls_config": {"ca": SECRET, "cert": SECRET, "key": SECRET, "server_name": "a", "min_version": "TLS13"},
        "proxy_url": "http://proxy.example:3128",
        "no_proxy": "10.0.0.0/8",
        "follow_redirects": True,
        "enable_http2": False,
        "queue_config": {
            "capacity": 2500,
            "min_shards": 20,
            "max_samples_per_send": 500,
            "batch_send_deadline": "10s",
            "min_backoff": "30ms",
            "max_backoff": "10s",
            "retry_on_http_429": False,
        },
        "metadata_config": {"send": True, "send_interval": "2m", "max_samples_per_send": 500},
    },
}


def fleet(**destination: Any) -> Fleet:
    destinations = {"theirs": {"url": "https://a.example/w", **destination}}
    return Fleet.model_validate(
        {"clusters": {"eu1": {"context": "eu1"}}, "agents": {"eu1": {"destinations": destinations}}}
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_prometheus_takes_what_the_page_shows(example: Fleet, promtool: Promtool) -> None:
    """
    Promtool accepts every example of the documentation.
    """
    assert [*example.partial.destinations]
    assert findings(PROMTOOL, promtool.command, [example]) == [[]]


@pytest.mark.parametrize("destination", DESTINATIONS.values(), ids=DESTINATIONS)
def test_prometheus_takes_peoples_destinations(destination: dict[str, Any], promtool: Promtool) -> None:
    """
    Promtool accepts every field that is known here.
    """
    assert findings(PROMTOOL, promtool.command, [fleet(**destination)]) == [[]]


def test_what_promtool_refuses_is_said_of_the_destination(promtool: Promtool) -> None:
    """
    What only Prometheus knows is reported where it was written.
    """
    rule = {"action": "labeldrop", "regex": "a", "replacement": "b"}

    [[problem]] = findings(PROMTOOL, promtool.command, [fleet(write_relabel_configs=[rule])])

    assert problem.path == ("agents", "eu1", "destinations", "theirs")
    assert "labeldrop action requires only 'regex'" in problem.rule
    assert problem.instead == "Correct it as the documentation of remote_write says."
