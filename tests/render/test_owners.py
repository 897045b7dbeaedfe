from pathlib import Path

import pytest
import yaml

from alerts.owners import OWNER

from .promtool import Promtool


@pytest.mark.render
def test_every_pod_is_its_workloads(promtool: Promtool, tmp_path: Path) -> None:
    """
    A pod belongs to the Deployment of its ReplicaSet, or to what controls it, each in its own cluster.

    Each is told of twice; dashboards join it, so that a pod has one series whatever else is told of it.
    """
    rules = [{"record": OWNER.name, "expr": OWNER.expr}]
    (tmp_path / "owners.yml").write_text(yaml.safe_dump({"groups": [{"name": "owners", "rules": rules}]}))
    web = 'namespace="shop", pod="web-abc-1"'
    cart = 'cluster="eu1", namespace="shop", pod="cart-0"'
    controls, owns = (
        f'job="kube-state-metrics", owner_is_controller="{said}", owner_kind' for said in ("true", "false")
    )
    forged = 'job="services", owner_is_controller="true", owner_kind'
    told = [
        f'kube_pod_owner{{cluster="eu1", {web}, {controls}="ReplicaSet", owner_name="web-abc"}}',
        f'kube_pod_owner{{cluster="us1", {web}, {controls}="ReplicaSet", owner_name="web-abc"}}',
        *(
            f'kube_replicaset_owner{{cluster="{cluster}", namespace="shop", replicaset="web-abc",'
            f' {kind}="Deployment", owner_name="{name}"}}'
            for cluster, kind, name in (
                ("eu1", controls, "web"),
                ("us1", controls, "front"),
                ("eu1", owns, "other"),
                ("eu1", forged, "another"),
            )
        ),
        f'kube_pod_owner{{{cart}, {controls}="StatefulSet", owner_name="cart"}}',
        f'kube_pod_owner{{{cart}, {owns}="Job", owner_name="backup"}}',
        f'kube_pod_owner{{{cart}, {forged}="DaemonSet", owner_name="another"}}',
        f'kube_pod_owner{{cluster="eu1", namespace="shop", pod="alone", {owns}="", owner_name=""}}',
    ]
    series = {f'{one[:-1]}, instance="{replica}"}}': "1x5" for one in told for replica in ("a", "b")}
    wanted = [
        f'{OWNER.name}{{cluster="eu1", {web}, workload="web", workload_type="Deployment"}}',
        f'{OWNER.name}{{cluster="us1", {web}, workload="front", workload_type="Deployment"}}',
        f'{OWNER.name}{{{cart}, workload="cart", workload_type="StatefulSet"}}',
    ]
    samples = [{"labels": labels, "value": 1} for labels in wanted]
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [{"expr": OWNER.name, "eval_time": "3m", "exp_samples": samples}],
    }
    (tmp_path / "test.yml").write_text(yaml.safe_dump({"rule_files": ["owners.yml"], "tests": [test]}))

    promtool.accepts("test", "rules", tmp_path / "test.yml")
