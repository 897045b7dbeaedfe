"""The VM of a watcher in Google Cloud: its disk, addresses, service account, firewall rules and secrets."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp
from pulumi import ResourceOptions

from render.instance import DATA_DEVICE, cluster_secret, machine_secret

IAP_RANGES = ("35.235.240.0/20",)
"""Where Identity-Aware Proxy connects from: https://cloud.google.com/iap/docs/using-tcp-forwarding."""
SECRET_READER = "roles/secretmanager.secretAccessor"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
"""The only scope with which Secret Manager is read; IAM limits what the account may do."""
LABELS = {"part-of": "promfleet"}


class WatcherInstanceArgs(TypedDict):
    name: str
    """Name of the VM and of its service account, 6 to 30 characters; the names of all others begin with it."""
    project: str
    """Project of all resources, except for firewall rules of another project's network."""
    zone: str
    """Zone of the VM and of the disk; all others are in its region or global."""
    machine_type: str
    """Machine type."""
    image: str
    """Image of the boot disk: project/family."""
    disk_type: str
    """Type of both disks."""
    storage: int
    """Size in GiB of the disk for samples; growing it keeps the disk, shrinking would replace it."""
    network: str
    """Network for firewall rules: a name, or projects/<project>/global/networks/<name>."""
    subnetwork: str
    """Subnetwork of the VM: a name, or projects/<project>/regions/<region>/subnetworks/<name>."""
    startup_script: str
    """What the VM runs at every boot; everybody who may see the VM can read it."""
    clusters: Sequence[str]
    """Watched clusters; each has a secret."""
    port: NotRequired[int]
    """Port of Prometheus, if clients are admitted."""
    source_ranges: NotRequired[Sequence[str]]
    """Ranges of IPv4 addresses that are admitted to the port."""
    public_address: bool
    """Whether it has a public IPv4 address."""
    ssh: bool
    """Whether SSH through Identity-Aware Proxy is admitted."""
    protect: bool
    """Whether `pulumi destroy` refuses to delete the disk for samples."""


class WatcherInstance(pulumi.ComponentResource):
    """A VM that reads its secrets and nothing else of Google Cloud; nobody reaches it unless a rule admits them."""

    address: pulumi.Output[str]
    """Its internal address, which a replaced VM has too."""
    public_address: pulumi.Output[str] | None
    """Its public address, if it has one."""

    def __init__(self, name: str, args: WatcherInstanceArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("promfleet:index:WatcherInstance", name, {}, opts)
        child_opts = ResourceOptions(parent=self)
        account = gcp.serviceaccount.Account(
            f"{name}-account",
            account_id=args["name"],
            display_name=f"VM {args['name']}",
            project=args["project"],
            opts=child_opts,
        )
        readable = self._secrets(name, args, account.email, child_opts)
        disk = gcp.compute.Disk(
            f"{name}-data",
            name=f"{args['name']}-data",
            project=args["project"],
            zone=args["zone"],
            type=args["disk_type"],
            size=args["storage"],
            labels=LABELS,
            opts=ResourceOptions(parent=self, protect=args["protect"]),
        )
        self.address = self._address(name, args, "internal", child_opts)
        self.public_address = self._address(name, args, "public", child_opts) if args["public_address"] else None
        gcp.compute.Instance(
            f"{name}-instance",
            instance_args(args, account.email, disk.self_link, self.address, self.public_address),
            # Two VMs can't have one name, address and disk.
            opts=ResourceOptions(parent=self, delete_before_replace=True, depends_on=readable),
        )
        self._admit(name, args, account.email, child_opts)
        self.register_outputs({"address": self.address, "public_address": self.public_address})

    def _secrets(
        self, name: str, args: WatcherInstanceArgs, email: pulumi.Output[str], child_opts: ResourceOptions
    ) -> list[pulumi.Resource]:
        """Make the secrets without any content, and let the VM read each."""
        replica = gcp.secretmanager.SecretReplicationUserManagedReplicaArgs(location=region(args))
        replication = gcp.secretmanager.SecretReplicationArgs(
            user_managed=gcp.secretmanager.SecretReplicationUserManagedArgs(replicas=[replica])
        )
        secrets = {
            "machine": machine_secret(args["name"]),
            **{f"cluster-{cluster}": cluster_secret(args["name"], cluster) for cluster in args["clusters"]},
        }
        members: list[pulumi.Resource] = []
        for suffix, secret_id in secrets.items():
            secret = gcp.secretmanager.Secret(
                f"{name}-{suffix}",
                secret_id=secret_id,
                project=args["project"],
                replication=replication,
                labels=LABELS,
                opts=child_opts,
            )
            member = gcp.secretmanager.SecretIamMember(
                f"{name}-{suffix}-reader",
                project=args["project"],
                secret_id=secret.secret_id,
                role=SECRET_READER,
                member=email.apply(lambda found: f"serviceAccount:{found}"),
                opts=child_opts,
            )
            members.append(member)
        return members

    def _address(
        self, name: str, args: WatcherInstanceArgs, kind: str, child_opts: ResourceOptions
    ) -> pulumi.Output[str]:
        """Reserve an address, `internal` or `public`."""
        is_internal = kind == "internal"
        return gcp.compute.Address(
            f"{name}-{kind}",
            name=f"{args['name']}-{kind}",
            project=args["project"],
            region=region(args),
            address_type="INTERNAL" if is_internal else "EXTERNAL",
            purpose="GCE_ENDPOINT" if is_internal else None,
            subnetwork=subnetwork(args) if is_internal else None,
            opts=child_opts,
        ).address

    def _admit(
        self, name: str, args: WatcherInstanceArgs, email: pulumi.Output[str], child_opts: ResourceOptions
    ) -> None:
        """Make the firewall rules; they hold for whatever runs as the VM's account."""
        admitted = {
            **({"clients": (args["port"], args.get("source_ranges", ()))} if "port" in args else {}),
            **({"ssh": (22, IAP_RANGES)} if args["ssh"] else {}),
        }
        network = args["network"]
        for who, (port, ranges) in admitted.items():
            gcp.compute.Firewall(
                f"{name}-{who}",
                name=f"{args['name']}-{who}",
                project=network.split("/")[1] if "/" in network else args["project"],
                network=network if "/" in network else f"projects/{args['project']}/global/networks/{network}",
                direction="INGRESS",
                allows=[gcp.compute.FirewallAllowArgs(protocol="tcp", ports=[str(port)])],
                source_ranges=[*ranges],
                target_service_accounts=[email],
                opts=child_opts,
            )


def region(args: WatcherInstanceArgs) -> str:
    """Return the region of the zone."""
    return args["zone"].rpartition("-")[0]


def subnetwork(args: WatcherInstanceArgs) -> str:
    """Return the full name of the subnetwork."""
    name = args["subnetwork"]
    return name if "/" in name else f"projects/{args['project']}/regions/{region(args)}/subnetworks/{name}"


def instance_args(
    args: WatcherInstanceArgs,
    email: pulumi.Input[str],
    disk: pulumi.Input[str],
    address: pulumi.Input[str],
    public_address: pulumi.Input[str] | None,
) -> gcp.compute.InstanceArgs:
    """Return the arguments of the VM, whose metadata has no secret."""
    public = (
        [] if public_address is None else [gcp.compute.InstanceNetworkInterfaceAccessConfigArgs(nat_ip=public_address)]
    )
    return gcp.compute.InstanceArgs(
        name=args["name"],
        project=args["project"],
        zone=args["zone"],
        machine_type=args["machine_type"],
        allow_stopping_for_update=True,
        boot_disk=gcp.compute.InstanceBootDiskArgs(
            initialize_params=gcp.compute.InstanceBootDiskInitializeParamsArgs(
                image=args["image"], type=args["disk_type"]
            )
        ),
        attached_disks=[gcp.compute.InstanceAttachedDiskArgs(source=disk, device_name=DATA_DEVICE)],
        network_interfaces=[
            gcp.compute.InstanceNetworkInterfaceArgs(
                subnetwork=subnetwork(args), network_ip=address, access_configs=public
            )
        ],
        service_account=gcp.compute.InstanceServiceAccountArgs(email=email, scopes=[SCOPE]),
        shielded_instance_config=gcp.compute.InstanceShieldedInstanceConfigArgs(
            enable_secure_boot=True, enable_vtpm=True, enable_integrity_monitoring=True
        ),
        metadata={
            "block-project-ssh-keys": "TRUE",
            "enable-oslogin": "TRUE",
            "serial-port-enable": "FALSE",
            "startup-script": args["startup_script"],
        },
        labels=LABELS,
    )
