"""The Prometheus Operator's admission webhook, which judges PrometheusRules before the API server stores them."""

import base64
from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from settings.operator import GROUP

from .k8s.certificate import certificate
from .k8s.labels import labels, metadata_of, selector
from .k8s.network_policy import network_policy
from .k8s.probes import http_probes
from .k8s.security import POD_RESTRICTED, RESTRICTED
from .k8s.service_account import service_account
from .k8s.timeouts import timeouts
from .k8s.workload import budget, deployment, pod_defaults, resources, spread

APP = "admission-webhook"
PORT = 10250
"""A port of kubelets: the firewalls between a control plane and its nodes, as GKE makes them, let it through."""
TIMEOUT = 5
"""Seconds that the API server waits for an answer; a rule file of a megabyte takes less than one."""
_CERTIFICATE = "/etc/tls/private"


class AdmissionWebhookArgs(TypedDict):
    namespace: pulumi.Input[str]
    """Namespace of the Deployment."""
    prefix: str
    """Begins the names of its cluster-wide objects."""
    host: str
    """Name by which the API server calls it, which its certificate has: `admission-webhook.<namespace>.svc`."""
    tls_secret: NotRequired[pulumi.Input[str]]
    """Secret of type kubernetes.io/tls with its certificate."""
    tls_issuer: NotRequired[str]
    """cert-manager ClusterIssuer that signs it instead."""
    ca: NotRequired[str]
    """PEM certificates of the CA that signs it; if left out, cert-manager writes those of its issuer."""
    failure_policy: Literal["Ignore", "Fail"]
    """What the API server does with a rule when no pod answers: store it, or refuse it."""
    selectors: Mapping[str, Any]
    """`namespace_selector` and `object_selector`: which PrometheusRules are judged."""
    replicas: int
    """Number of pods."""
    image: str
    """Image of the webhook."""
    rollout_timeout: int
    """Seconds until a Deployment that does not become ready fails the update."""


class AdmissionWebhook(pulumi.ComponentResource):
    """Has the API server refuse PrometheusRules that the operator would leave out."""

    def __init__(self, name: str, args: AdmissionWebhookArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("promfleet:index:AdmissionWebhook", name, {}, opts)
        child_opts = ResourceOptions(parent=self)
        await_opts = ResourceOptions(parent=self, custom_timeouts=timeouts(args))
        metadata = metadata_of(APP, args["namespace"], args["image"])
        account = service_account(f"{name}-account", metadata, child_opts)
        tls_secret = args.get("tls_secret")
        if issuer := args.get("tls_issuer"):
            tls_secret = certificate(name, metadata, [args["host"]], issuer, child_opts)
        if tls_secret is None:
            raise ValueError("an admission webhook needs tls_secret or tls_issuer")
        # Nobody knows the addresses that the API server calls from.
        network_policy(name, metadata, APP, [{"ports": [{"port": PORT, "protocol": "TCP"}]}], child_opts)
        budget(name, metadata, APP, child_opts)
        server = pod(args["image"], account.metadata.name, tls_secret)
        running = deployment(name, APP, metadata, server, await_opts, args["replicas"])
        service = k8s.core.v1.Service(
            f"{name}-service",
            metadata=metadata,
            spec={
                "selector": selector(APP, APP),
                "ports": [{"name": "https", "port": 443, "target_port": "https"}],
            },
            opts=await_opts,
        )
        answering = ResourceOptions(parent=self, depends_on=[running, service])
        register(name, args, service.metadata.name, answering)
        self.register_outputs({})


def register(name: str, args: AdmissionWebhookArgs, service: pulumi.Input[str], opts: ResourceOptions) -> None:
    """
    Tell the API server of the webhook, once it answers.

    Without `ca`, the field `caBundle` is left to cert-manager's injector: whoever applies a field owns it, so that what
    the injector writes is no change of this stack.
    """
    metadata: k8s.meta.v1.ObjectMetaArgsDict = {
        "name": f"{args['prefix']}-{APP}",
        "labels": labels(APP, APP, args["image"]),
    }
    called: k8s.admissionregistration.v1.WebhookClientConfigArgsDict = {
        "service": {
            "name": service,
            "namespace": args["namespace"],
            "path": "/admission-prometheusrules/validate",
            "port": 443,
        }
    }
    if ca := args.get("ca"):
        called["ca_bundle"] = base64.b64encode(ca.encode()).decode()
    else:
        source = pulumi.Output.concat(args["namespace"], "/", APP)
        metadata["annotations"] = {"cert-manager.io/inject-ca-from": source}
    k8s.admissionregistration.v1.ValidatingWebhookConfiguration(
        f"{name}-webhooks",
        metadata=metadata,
        webhooks=[
            {
                "name": f"prometheusrules.{GROUP}",
                "admission_review_versions": ["v1"],
                "side_effects": "None",
                "client_config": called,
                "failure_policy": args["failure_policy"],
                "timeout_seconds": TIMEOUT,
                "rules": [
                    {
                        "api_groups": [GROUP],
                        "api_versions": ["v1"],
                        "operations": ["CREATE", "UPDATE"],
                        "resources": ["prometheusrules"],
                        "scope": "Namespaced",
                    }
                ],
                **args["selectors"],
            }
        ],
        opts=opts,
    )


def flags(folder: str, listen: str) -> list[str]:
    """Return its command line; `folder` has tls.crt and tls.key, which it reads anew every minute."""
    return [
        f"--web.listen-address={listen}",
        "--web.enable-tls=true",
        f"--web.cert-file={folder}/tls.crt",
        f"--web.key-file={folder}/tls.key",
        "--web.client-ca-file=",
    ]


def pod(image: str, account: pulumi.Input[str], tls_secret: pulumi.Input[str]) -> k8s.core.v1.PodSpecArgsDict:
    """One container, which has no token: it asks nobody."""
    return {
        **pod_defaults(account, POD_RESTRICTED),
        "topology_spread_constraints": spread(APP),
        "containers": [
            {
                "name": APP,
                "image": image,
                "args": flags(_CERTIFICATE, f":{PORT}"),
                "ports": [{"name": "https", "container_port": PORT}],
                **http_probes("/healthz", "https", https=True),
                "resources": resources("10m", "32Mi", "128Mi"),
                "security_context": RESTRICTED,
                "volume_mounts": [{"name": "tls", "mount_path": _CERTIFICATE, "read_only": True}],
            }
        ],
        "volumes": [{"name": "tls", "secret": {"secret_name": tls_secret}}],
    }
