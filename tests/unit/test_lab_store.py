"""What is made once for all clusters that are new, and what each of them has for itself."""

from pathlib import Path

import pytest

from lab import store
from lab.node import LabError

CONTAINERD = """#!/bin/sh
root=$(sed -n 's/^root = "\\(.*\\)"/\\1/p' "$2")
mkdir -p "$root/bolt"
echo started >>"$root/bolt/meta.db"
ln -s "$root" "$(dirname "$2")/root"
touch "$(dirname "$2")/socket"
exec sleep 60
"""
CTR = """#!/bin/sh
cp "$7" "$(dirname "$2")/root/"
"""
"""Called as `ctr --address SOCKET --namespace k8s.io images import ARCHIVE`."""


@pytest.fixture
def binaries(tmp_path: Path) -> str:
    for name, script in {"containerd": CONTAINERD, "ctr": CTR}.items():
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    return str(tmp_path)


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(store, "CACHE", tmp_path)
    (tmp_path / "images").mkdir()
    made = tmp_path / "image.tar"
    made.write_text("layers")
    return made


def silently(_name: str, _step: str) -> None:
    """Say nothing."""


class TestStore:
    def test_is_made_once(self, binaries: str, archive: Path) -> None:
        """
        Who asks again for the same images gets the same folder, in which they are.
        """
        made = store.store(binaries, [archive], silently)

        assert (made / "image.tar").read_text() == "layers"
        assert store.store("no-such-folder", [archive], silently) == made

    def test_of_other_images_replaces_it(self, binaries: str, archive: Path) -> None:
        """
        The cache keeps what a new cluster would get, and no more.
        """
        store.store(binaries, [archive], silently)
        other = archive.rename(archive.with_name("other.tar"))

        made = store.store(binaries, [other], silently)

        assert list((archive.parent / "images").iterdir()) == [made]

    def test_that_could_not_be_filled_is_not_there(self, binaries: str, archive: Path) -> None:
        """
        The next attempt begins anew.
        """
        (Path(binaries) / "ctr").write_text("#!/bin/sh\nexit 1\n")

        with pytest.raises(LabError, match="images import"):
            store.store(binaries, [archive], silently)

        assert list((archive.parent / "images").iterdir()) == []


class TestPlace:
    def test_links_files_and_copies_databases(self, binaries: str, archive: Path, tmp_path: Path) -> None:
        """
        Two clusters share an image's files; what one of them writes into its database is not in the other's.
        """
        made = store.store(binaries, [archive], silently)
        homes = [tmp_path / name / "containerd" for name in ("hub", "eu1")]
        for home in homes:
            home.mkdir(parents=True)
            store.place(made, home)

        (homes[0] / "bolt" / "meta.db").write_text("changed")

        assert {home.joinpath("image.tar").stat().st_ino for home in homes} == {(made / "image.tar").stat().st_ino}
        assert (homes[1] / "bolt" / "meta.db").read_text() == "started\n"
        assert (made / "bolt" / "meta.db").read_text() == "started\n"
