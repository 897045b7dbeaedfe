from pathlib import Path

import pytest
import yaml

from alerts.owners import OWNER

from .promtool import Promtool


@pytest.mark.render
def test_every_pod_is_its_workloads(promtool: Promtool, tmp_path: Path) -> None:
    """
    A pod belongs to the Deployment of its ReplicaSet, or to what owns it, in its own cluster; a pod alone to nobody.
    """
    rules = [{"record": OWNER.name, "expr": OWNER.expr}]
    (tmp_path / "owners.yml").write_text(yaml.safe_dump({"groups": [{"name": "owners", "rules": rules}]}))
    web = 'namespace="shop", pod="web-abc-1"'
    cart = 'cluster="eu1", namespace="shop", pod="cart-0"'
    series = {
        f'kube_pod_owner{{cluster="eu1", {web}, owner_kind="ReplicaSet", owner_name="web-abc"}}': "1x5",
        f'kube_pod_owner{{cluster="us1", {web}, owner_kind="ReplicaSet", owner_name="web-abc"}}': "1x5",
        **{
            f'kube_replicaset_owner{{cluster="{cluster}", namespace="shop", replicaset="web-abc",'
            f' owner_kind="Deployment", owner_name="{name}"}}': "1x5"
            for cluster, name in (("eu1", "web"), ("us1", "front"))
        },
        f'kube_pod_owner{{{cart}, owner_kind="StatefulSet", owner_name="cart"}}': "1x5",
        'kube_pod_owner{cluster="eu1", namespace="shop", pod="alone", owner_kind="", owner_name=""}': "1x5",
    }
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
