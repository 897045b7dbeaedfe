import json
import sys
from pathlib import Path

import pytest

from lab import toolchains, web_ui
from lab.toolchains import BuildError


@pytest.fixture
def wheel(monkeypatch, tmp_path):
    """Give a lock file, and install a wheel by it into a new cache: a file of this text, or half of it and an error."""
    monkeypatch.setattr(toolchains, "CACHE", tmp_path / "cache")
    lock = tmp_path / "requirements.txt"
    lock.write_text("thing==1.0 --hash=sha256:00\n")

    def install(text, *, fails=False):
        def run(folder, command, environment):
            assert "--require-hashes" in command
            assert command[-2:] == ["--requirement", str(lock)]
            target = tmp_path / command[command.index("--target") + 1]
            target.mkdir()
            (target / "file").write_text(text)
            if fails:
                raise BuildError("no network")

        monkeypatch.setattr(toolchains, "run", run)
        return toolchains._installed(lock)

    return install


class TestToolchain:
    def test_is_installed_once(self, wheel):
        """
        The cache has it under its release; what it has is not fetched again.
        """
        assert wheel("first").name == "thing==1.0"
        assert (wheel("second") / "file").read_text() == "first"

    def test_is_installed_as_a_whole(self, wheel, tmp_path):
        """
        What was begun when the network failed is not taken for a toolchain.
        """
        with pytest.raises(BuildError):
            wheel("half", fails=True)

        assert list((tmp_path / "cache").iterdir()) == []
        assert (wheel("whole") / "file").read_text() == "whole"

    def test_that_fails_says_what_it_said(self, tmp_path):
        """
        On whichever stream: npm and what it starts use both.
        """
        for stream in ("stdout", "stderr"):
            script = f"import sys; print('no such package', file=sys.{stream}); sys.exit(1)"
            with pytest.raises(BuildError, match=r"`python.* failed in .*:\nno such package"):
                toolchains.run(tmp_path, [sys.executable, "-c", script], {})


class TestWebUi:
    @pytest.fixture
    def asked(self, monkeypatch, tmp_path):
        """What is run to build the pages, where, and with which variables; nothing of it is."""
        asked = []
        monkeypatch.setattr(web_ui, "run", lambda *words: asked.append(words))
        monkeypatch.setattr(web_ui, "node", lambda: tmp_path / "node")
        web_ui.embed(tmp_path / "module", tmp_path / "work")
        return asked

    def test_takes_what_the_lock_files_have(self, asked, tmp_path):
        """
        Pnpm by ours, all else by the module's; neither is changed by what the registry has today.
        """
        commands = [(folder.relative_to(tmp_path), command) for folder, command, _ in asked]

        assert [(str(folder), command[-1]) for folder, command in commands] == [
            ("work/pnpm", "ci"),
            ("module/web/ui", "--frozen-lockfile"),
            ("module/web/ui", "build:mantine-ui"),
            ("module", "scripts/compress_assets.sh"),
        ]
        assert (tmp_path / "work" / "pnpm" / "package-lock.json").read_text() == web_ui.recipe()

    def test_pnpm_is_held_to_a_hash(self):
        """
        Of the release that is asked for.
        """
        asked = json.loads((web_ui.PNPM / "package.json").read_text())["dependencies"]
        locked = json.loads(web_ui.recipe())["packages"]

        assert locked[""]["dependencies"] == asked
        assert {name: one["version"] for name, one in locked.items() if name} == {"node_modules/pnpm": asked["pnpm"]}
        assert locked["node_modules/pnpm"]["integrity"].startswith("sha512-")

    def test_keeps_nothing_elsewhere_and_runs_no_package_s_scripts(self, asked, tmp_path):
        """
        What is fetched goes with the folder of the build.
        """
        for _, _, environment in asked:
            for name in ("npm_config_cache", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
                assert Path(environment[name]).parent == tmp_path / "work"
            assert environment["npm_config_ignore_scripts"] == "true"
