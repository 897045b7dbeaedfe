import pytest

from lab import debian

LOADED = """
	linux-vdso.so.1 (0x00007f1fce6a2000)
	libevent-2.1.so.7 => {root}/usr/lib/x86_64-linux-gnu/libevent-2.1.so.7 (0x00007f1fce5dd000)
	libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f1fcde1e000)
	/lib64/ld-linux-x86-64.so.2 (0x00007f1fce6a4000)
"""


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Stand in for apt, dpkg and ldd; gives the commands that were run."""
    monkeypatch.setattr(debian, "CACHE", tmp_path)
    ran = []

    def run(command, **_):
        ran.append(command)
        if command[0] == "apt-get" and command[1] == "install":
            [folder] = [option.partition("=")[2] for option in command if option.startswith("Dir::Cache::archives=")]
            (tmp_path / folder / "memcached_1.6.deb").touch()
        if command[0] == "dpkg":
            library = tmp_path / command[-1] / "usr" / "lib" / "x86_64-linux-gnu" / "libevent-2.1.so.7"
            library.parent.mkdir(parents=True)
            library.touch()
        return LOADED.format(root=tmp_path / "debian" / "memcached") if command[0] == "ldd" else ""

    monkeypatch.setattr(debian, "run", run)
    return ran


class TestProgram:
    def test_nothing_is_installed(self, machine):
        """
        An installation would start the package's service on this machine.
        """
        debian.program("memcached", "/usr/bin/memcached")

        assert [command for command in machine if "install" in command and "--download-only" not in command] == []

    def test_brings_its_libraries(self, machine, tmp_path):
        """
        Those of the machine stand where they do here, those that were fetched where the loader looks for them.
        """
        files = debian.program("memcached", "/usr/bin/memcached")

        root = tmp_path / "debian" / "memcached"
        assert {path: str(file) for path, file in files.items()} == {
            "/usr/local/bin/memcached": f"{root}/usr/bin/memcached",
            "/usr/lib/x86_64-linux-gnu/libevent-2.1.so.7": f"{root}/usr/lib/x86_64-linux-gnu/libevent-2.1.so.7",
            "/lib/x86_64-linux-gnu/libc.so.6": "/lib/x86_64-linux-gnu/libc.so.6",
            "/lib64/ld-linux-x86-64.so.2": "/lib64/ld-linux-x86-64.so.2",
        }

    def test_is_fetched_once(self, machine):
        """
        A lab that comes up again asks no mirror.
        """
        debian.program("memcached", "/usr/bin/memcached")
        machine.clear()
        debian.program("memcached", "/usr/bin/memcached")

        assert [command[0] for command in machine] == ["ldd"]
