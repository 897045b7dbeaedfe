"""Settings of Grafana."""

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from .dashboard_file import DashboardFile
from .dashboard_folders import DashboardFolders
from .expose import ExposedHost
from .secret_key import SecretKey
from .section import Section, empty
from .types import DnsName, Quantity


class Grafana(Section):
    """Grafana with the dashboards; the initial password of `admin` is the secret `promfleet:grafanaAdmin`."""

    moved: ClassVar[Mapping[str, tuple[str, str]]] = dict.fromkeys(
        ("dashboardFiles", "dashboardProviders", "dashboardsConfigMaps", "sidecar"),
        ("is not what dashboards of your own are called here", "Write dashboards: {Shop: [dashboards/*.json]}."),
    )

    storage: Quantity = "1Gi"
    """Size of the volume, which holds users and dashboards that they save."""
    storage_class: DnsName | None = None
    """StorageClass of the volume; the cluster's default if left out."""
    secret: SecretKey | None = None
    """Kubernetes Secret that holds the password; the stack's secret if left out."""
    expose: ExposedHost | None = None
    dashboards: Annotated[Mapping[str, Sequence[DashboardFile]], DashboardFolders()] = Field(default_factory=empty)
    """
    Dashboards of your own: the title of a folder in Grafana -> paths of files as Grafana exports them, `*` allowed.

    `{Shop: [dashboards/shop/*.json]}`
    """
