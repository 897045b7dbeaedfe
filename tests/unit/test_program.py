"""`__main__.py`, as Pulumi runs it."""

import atexit
import gc
import json
import runpy
import sys
from typing import Any

import pulumi
import pytest

import stacks
from tests import ROOT
from tests.unit.conftest import Engine
from tests.unit.kinds import STACK

FLEET = {
    "clusters": {"hub": {"context": "hub"}},
    "hub": {"cluster": "hub", "expose": {"host": "hub.example", "via": "nodePort", "tls": {"secret": "hub-tls"}}},
}


@pytest.fixture
def program(engine: Engine, kubeconfig: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run it; the collector of garbage goes on in the tests."""
    monkeypatch.setattr(gc, "disable", lambda: None)
    monkeypatch.setattr(atexit, "register", lambda function: function)

    def run() -> None:
        pulumi.runtime.set_all_config({"promfleet:fleet": json.dumps(FLEET)})
        engine.deploy(lambda: runpy.run_path(str(ROOT / "__main__.py")))

    return run


class TestProgram:
    def test_pulumi_knows_who_made_each_resource(self, engine, program, monkeypatch):
        """
        The state and reports of policies name the line of this repository, and its callers.
        """
        register, made = engine.monitor.RegisterResource, dict[str, list[str]]()

        def remembered(request: Any) -> Any:
            if request.type != STACK and not request.type.startswith("pulumi:providers:"):  # the SDK makes those
                frames = [frame.pc.uri for frame in request.stackTrace.frames]
                made[f"{request.type} {request.name}"] = frames
                assert request.sourcePosition.uri == frames[0]
            return register(request)

        monkeypatch.setattr(engine.monitor, "RegisterResource", remembered)
        program()

        assert len(made) > 30
        assert [name for name, frames in made.items() if not frames[0].startswith(f"{ROOT.as_uri()}/")] == []
        assert [name for name, frames in made.items() if not any("/stacks/" in frame for frame in frames)] == []

    def test_an_error_has_its_whole_traceback(self, program, monkeypatch):
        """
        What is left out of resources' call stacks is in every report of a mistake.
        """
        monkeypatch.setattr(stacks, "deploy", lambda _: {}["missing"])

        with pytest.raises(KeyError):
            program()

        assert not hasattr(sys, "tracebacklimit")
