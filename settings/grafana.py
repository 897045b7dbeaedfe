"""Settings of Grafana."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from .dashboard_file import DashboardFile
from .dashboard_folders import DashboardFolders
from .errors import Path, Problem
from .expose import ExposedHost
from .grafana_config import FreeSettings, GrafanaConfig, SignIn
from .grafana_datasources import Datasources, GrafanaDatasources
from .scrape_credentials import MountedFile
from .secret_reference import SecretKey
from .section import Distinct, Section, empty
from .types import DnsName, Quantity, Text

Plugin = Annotated[
    str,
    Text(
        r"[a-z0-9]+(?:-[a-z0-9]+)*@[0-9]+\.[0-9]+\.[0-9]+[^\s,@]*(?:@https://[^\s,@]+)?",
        "is not a plugin with its version",
        "Write id@1.2.3 as on grafana.com, or id@1.2.3@https://… for another place of its ZIP file.",
    ),
]
"""A plugin of Grafana's catalogue, or one from a URL."""


class Grafana(Section):
    """Grafana with the dashboards; the initial password of `admin` is the secret `promfleet:grafanaAdmin`."""

    moved: ClassVar[Mapping[str, tuple[str, str]]] = {
        **dict.fromkeys(
            ("dashboardFiles", "dashboardProviders", "dashboardsConfigMaps", "sidecar"),
            ("is not what dashboards of your own are called here", "Write dashboards: {Shop: [dashboards/*.json]}."),
        ),
        **dict.fromkeys(
            ("auth", "ldap", "oauth", "oidc", "sso"),
            ("is not what single sign-on is called here", "Write signIn: {generic_oauth: …}, or another provider."),
        ),
        **dict.fromkeys(
            ("config", "env", "envFromSecret", "grafana.ini", "ini"),
            ("is not what settings of Grafana are called here", "Write settings: {section: {key: value}}."),
        ),
        "additionalDataSources": (
            "is not what further datasources are called here",
            "Write datasources: [{name: …, type: …}].",
        ),
        **dict.fromkeys(
            ("adminPassword", "adminUser", "admin"),
            ("is not what the login of admin is called here", "Write secret: {name: …, key: …}, with the password."),
        ),
    }

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
    sign_in: Annotated[GrafanaConfig, SignIn()] = GrafanaConfig()
    """
    Login by OIDC, OAuth or LDAP: `azuread`, `generic_oauth`, `github`, `gitlab`, `google`, `ldap` or `okta` -> the
    settings of Grafana's section `auth.<name>`.

    `{github: {client_id: grafana, client_secret: {secret: {name: github, key: secret}}, allowed_organizations: acme}}`
    """
    settings: Annotated[GrafanaConfig, FreeSettings()] = GrafanaConfig()
    """
    Further settings of Grafana: section -> key -> value, as in grafana.ini; credentials are references to Secrets.

    `{smtp: {enabled: true, host: "mail.acme.example:587", password: {secret: {name: smtp, key: password}}}}`
    """

    datasources: Annotated[GrafanaDatasources, Datasources()] = GrafanaDatasources()
    """
    Further datasources, as entries of Grafana's provisioning files, with references to Secrets in `secureJsonData`.

    `[{name: Loki, uid: loki, type: loki, url: "https://loki.acme.example"}]`
    """

    plugins: Distinct[Plugin] = ()
    """Plugins that Grafana fetches before it starts: `[grafana-clock-panel@2.1.8]`."""

    @property
    def mounted(self) -> tuple[tuple[Path, MountedFile], ...]:
        """What its settings refer to, with their paths in the section."""
        parts = {"signIn": self.sign_in, "settings": self.settings, "datasources": self.datasources}
        return tuple(((name, *path), file) for name, part in parts.items() for path, file in part.mounted)

    def problems(self) -> Iterator[Problem]:
        """People who log in elsewhere are sent back to a host, and a plugin has one version."""
        if self.sign_in.needs_browser and not self.expose:
            rule = "sends people's browsers back to Grafana, which has no host"
            yield Problem(("signIn",), rule, "Add expose: {host: grafana.acme.example} to grafana.")
        versions: dict[str, str] = {}
        for index, plugin in enumerate(self.plugins):
            first = versions.setdefault(plugin.partition("@")[0], plugin)
            if first != plugin:
                yield Problem(("plugins", index), f"is {first} in another version", "Keep one of the two.", plugin)
