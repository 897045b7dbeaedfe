"""Stacks that are deployed by the mocks of the unit tests, for programs that run what was rendered."""

from pathlib import Path
from typing import Any

import pytest

from settings import Fleet
from stacks import deploy
from tests.unit.conftest import Engine, write_kubeconfig


def deployed(said: dict[str, Any], folder: Path) -> Engine:
    """Deploy a stack with clusters "hub" and "eu1"; their kubeconfig is written into a folder."""
    write_kubeconfig(folder / "config", "hub", "eu1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBECONFIG", str(folder / "config"))
        engine = Engine()
        engine.stand_in()
        return engine.deploy(lambda: deploy(Fleet.model_validate(said)))
