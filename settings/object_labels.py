"""Labels of this program's objects, by which Services, NetworkPolicies, scrape jobs and commands find them."""

from collections.abc import Mapping

NAME, INSTANCE, VERSION = (f"app.kubernetes.io/{label}" for label in ("name", "instance", "version"))
PART_OF: Mapping[str, str] = {"app.kubernetes.io/part-of": "promfleet"}
"""The label of all of them."""
