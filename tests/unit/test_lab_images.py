import hashlib
import json
import tarfile

import pytest

from lab import images
from lab.connect import lab_authority
from lab.images import IMAGES, Image, write
from settings import images as released

TRUSTED = "etc/ssl/certs/ca-certificates.crt"
IMAGE = Image(
    reference="lab.local/thing:1",
    files={"/usr/bin/thing": "thing"},
    links={"/usr/bin/other": "thing"},
    user="65532",
)


@pytest.fixture
def archive(tmp_path):
    """Give an open archive of an image with one file and one link."""
    (tmp_path / "thing").write_bytes(b"\x7fELF")
    write(tmp_path / "thing.tar", IMAGE, {"/usr/bin/thing": tmp_path / "thing"})
    with tarfile.open(tmp_path / "thing.tar") as opened:
        yield opened


def load(archive, described):
    """Read a blob by its description, and check that it is what it says."""
    content = archive.extractfile(f"blobs/{described['digest'].replace(':', '/')}").read()
    assert described["digest"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert described["size"] == len(content)
    return content


def manifest(archive):
    index = json.load(archive.extractfile("index.json"))
    return index["manifests"][0], json.loads(load(archive, index["manifests"][0]))


class TestArchive:
    def test_containerd_learns_the_reference(self, archive):
        """
        The imported image has the name that pods ask for.
        """
        entry, _ = manifest(archive)

        assert entry["annotations"]["io.containerd.image.name"] == "lab.local/thing:1"

    def test_the_image_runs_its_first_file_as_its_user(self, archive):
        """
        The entry point is the first file, the user numeric and not root.
        """
        config = json.loads(load(archive, manifest(archive)[1]["config"]))

        assert (config["config"]["Entrypoint"], config["config"]["User"]) == (["/usr/bin/thing"], "65532")

    def test_the_layer_holds_the_file_its_folders_and_a_place_for_everyone(self, archive, tmp_path):
        """
        What unpacks it needs the folders first, and /tmp is writable for any user.
        """
        (tmp_path / "layer").write_bytes(load(archive, manifest(archive)[1]["layers"][0]))

        with tarfile.open(tmp_path / "layer") as layer:
            modes = {member.name: member.mode for member in layer}
            link = layer.getmember("usr/bin/other").linkname

        assert list(modes) == ["usr", "usr/bin", "tmp", "usr/bin/thing", "usr/bin/other"]
        assert (modes["tmp"], modes["usr/bin/thing"], link) == (0o1777, 0o755, "thing")

    def test_two_archives_of_the_same_files_are_equal(self, archive, tmp_path):
        """
        Nothing of the moment or the machine gets into an image.
        """
        write(tmp_path / "again.tar", IMAGE, {"/usr/bin/thing": tmp_path / "thing"})

        assert (tmp_path / "thing.tar").read_bytes() == (tmp_path / "again.tar").read_bytes()


class TestImages:
    @pytest.mark.parametrize(
        "reference",
        [
            released.PROMETHEUS,
            released.KUBE_RBAC_PROXY,
            released.KUBE_STATE_METRICS,
            released.NODE_EXPORTER,
            released.THANOS,
            released.MEMCACHED,
        ],
    )
    def test_what_the_program_deploys_is_made(self, reference):
        """
        Nothing is pulled: every image of the program is the lab's to make.
        """
        assert reference in {image.reference for image in IMAGES}

    def test_thanos_trusts_the_lab_s_authority(self, monkeypatch, tmp_path):
        """
        What calls Google by name in the lab finds the lab's certificate where every Go program looks for authorities.
        """
        (thanos,) = (image for image in IMAGES if image.reference == released.THANOS)
        monkeypatch.setattr(images, "IMAGES", (thanos,))
        monkeypatch.setenv("PROMFLEET_LAB", str(tmp_path / "lab"))
        monkeypatch.setattr(images, "find_tool", lambda name: str(tmp_path / "thanos"))
        (tmp_path / "thanos").write_bytes(b"\x7fELF")

        (made,) = images.archives({"thanos": tmp_path / "thanos"}, ["thanos"])

        with tarfile.open(made) as opened:
            (tmp_path / "layer").write_bytes(load(opened, manifest(opened)[1]["layers"][0]))
        with tarfile.open(tmp_path / "layer") as layer:
            layer.extract(TRUSTED, tmp_path, filter="data")
        assert (tmp_path / TRUSTED).read_bytes() == lab_authority().certificate
