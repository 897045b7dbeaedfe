"""Images made of binaries, as archives that containerd imports; nothing is pulled from anywhere."""

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from settings import images as released

from . import jvm, toolchains
from .cluster import state
from .connect import authority_file, lab_authority
from .debian import libraries, program
from .parts import chosen
from .toolchains import CACHE
from .tools import find_tool

NOBODY = "65534"
NONROOT = "65532"
BUSYBOX, SHOP = "lab.local/busybox:1", "lab.local/shop:1"
OPERATOR_BEFORE = "lab.local/before/prometheus-operator:v0.85.0"
"""Release 0.84.0, under the tag of the only one that a stack file may name."""
RELOADER_BEFORE = "lab.local/before/prometheus-config-reloader:v0.84.0"
ENVOY_PROGRAM = "/usr/local/bin/envoy"
AUTHORITY = "ca.crt"
"""Stands among an image's files for the certificate of the lab's authority."""
APPLETS = ("cat", "chmod", "dd", "echo", "httpd", "ls", "mkdir", "nc", "nslookup", "rm", "sh", "sleep", "touch", "wget")
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True, kw_only=True)
class Image:
    """An image of static binaries, of a program of Debian's, or of the lab's Java program."""

    reference: str
    files: Mapping[str, str]
    """Path in the image -> name of the command that was built for it, or AUTHORITY."""
    user: str = NOBODY
    entrypoint: tuple[str, ...] = ()
    """By default the first file."""
    links: Mapping[str, str] = field(default_factory=dict)
    part: str = ""
    """What it belongs to where not every lab has it: a name of `parts.PARTS`."""
    debian: tuple[str, str] | None = None
    """A package and the path of its program, which comes first and with its libraries."""
    java: bool = False
    """Whether it is the lab's Java program, with all that it runs on."""
    envoy: bool = False
    """Whether it is Envoy of its wheel, which comes first and with its libraries."""


IMAGES = (
    Image(reference="lab.local/pause:1", files={"/bin/sleep": "busybox"}, entrypoint=("/bin/sleep", "infinity")),
    Image(
        reference=BUSYBOX,
        files={"/bin/busybox": "busybox"},
        links={f"/bin/{applet}": "busybox" for applet in APPLETS},
    ),
    Image(reference="lab.local/coredns:1", files={"/coredns": "coredns"}, user=NONROOT),
    Image(
        reference="lab.local/local-path-provisioner:1",
        files={"/bin/local-path-provisioner": "local-path-provisioner"},
    ),
    Image(
        reference=released.PROMETHEUS,
        files={"/bin/prometheus": "prometheus", "/bin/promtool": "promtool"},
    ),
    Image(
        reference=released.KUBE_RBAC_PROXY,
        files={"/usr/local/bin/kube-rbac-proxy": "kube-rbac-proxy"},
        user=NONROOT,
    ),
    Image(reference=released.KUBE_STATE_METRICS, files={"/kube-state-metrics": "kube-state-metrics"}),
    Image(reference=released.NODE_EXPORTER, files={"/bin/node_exporter": "node_exporter"}),
    Image(
        reference=released.ALERTMANAGER,
        files={"/bin/alertmanager": "alertmanager", "/bin/amtool": "amtool"},
    ),
    Image(
        reference=released.CONFIG_RELOADER,
        files={"/bin/prometheus-config-reloader": "prometheus-config-reloader"},
    ),
    Image(reference=released.PROMETHEUS_OPERATOR, files={"/bin/operator": "operator"}, part="operator"),
    Image(
        reference=released.ADMISSION_WEBHOOK,
        files={"/bin/admission-webhook": "admission-webhook"},
        part="operator",
    ),
    Image(reference=OPERATOR_BEFORE, files={"/bin/operator": "operator-before"}, part="upgrade"),
    Image(
        reference=RELOADER_BEFORE,
        files={"/bin/prometheus-config-reloader": "prometheus-config-reloader-before"},
        part="upgrade",
    ),
    Image(
        reference=released.PUSHGATEWAY,
        files={"/bin/pushgateway": "pushgateway", "/bin/busybox": "busybox"},
        links={"/bin/wget": "/bin/busybox"},
    ),
    Image(
        reference=released.BLACKBOX_EXPORTER,
        files={"/bin/blackbox_exporter": "blackbox_exporter", "/bin/busybox": "busybox"},
        links={"/bin/wget": "/bin/busybox"},
    ),
    Image(
        reference=released.THANOS,
        files={
            "/bin/thanos": "thanos",
            "/bin/busybox": "busybox",
            "/etc/ssl/certs/ca-certificates.crt": AUTHORITY,  # who signs for storage.googleapis.com here
        },
        user="1001",
        part="thanos",
        links={"/bin/wget": "/bin/busybox"},
    ),
    Image(reference=released.MEMCACHED, files={}, part="thanos", debian=("memcached", "/usr/bin/memcached")),
    Image(
        reference=released.ENVOY,
        files={"/etc/ssl/certs/ca-certificates.crt": AUTHORITY},
        envoy=True,
        entrypoint=(ENVOY_PROGRAM,),
    ),
    Image(reference=SHOP, files={}, part="java", java=True, entrypoint=jvm.COMMAND),
)


def archives(built: Mapping[str, Path], parts: Iterable[str] = ()) -> list[Path]:
    """Make what is lacking, and give an archive per image of these parts; its name changes with what is in it."""
    lab_authority()
    paths = {**built, "busybox": Path(find_tool("busybox")), AUTHORITY: authority_file()}
    made = []
    for image in chosen(IMAGES, parts):
        # What trusts this lab is of no use to the next one.
        folder = (state() if AUTHORITY in image.files.values() else CACHE) / "images"
        folder.mkdir(parents=True, exist_ok=True)
        sources = program(*image.debian) if image.debian else {}
        sources |= jvm.files() if image.java else {}
        sources |= _envoy() if image.envoy else {}
        sources |= {target: paths[command] for target, command in image.files.items()}
        facts = repr((image, [(str(path), path.stat().st_mtime_ns) for path in sources.values()]))
        name = image.reference.rpartition("/")[2].replace(":", "-")
        file = folder / f"{name}-{hashlib.sha256(facts.encode()).hexdigest()[:12]}.tar"
        if not file.exists():
            unfinished = file.with_suffix(f".{os.getpid()}")
            write(unfinished, image, sources)
            unfinished.rename(file)
        made.append(file)
    return made


def _envoy() -> dict[str, Path]:
    """Give Envoy and its libraries: path in an image -> file."""
    file = toolchains.envoy()
    return {ENVOY_PROGRAM: file, **dict(libraries(file, file.parent))}


def write(file: Path, image: Image, sources: Mapping[str, Path]) -> None:
    """Write an image of one layer as an OCI layout in a tar archive; `sources` are its files by their path in it."""
    content = layer(sources, image.links)
    config = {
        "architecture": ARCHITECTURES[os.uname().machine],
        "os": "linux",
        "config": {
            "Entrypoint": list(image.entrypoint or (next(iter(sources)),)),
            "User": image.user,
            "Env": ["PATH=/usr/local/bin:/bin"],
        },
        "rootfs": {"type": "layers", "diff_ids": [_digest(content)]},
    }
    with tarfile.open(file, "w") as archive:
        layers = [_blob(archive, "application/vnd.oci.image.layer.v1.tar", content)]
        described = _blob(archive, "application/vnd.oci.image.config.v1+json", _json(config))
        kind = "application/vnd.oci.image.manifest.v1+json"
        manifest = {"schemaVersion": 2, "mediaType": kind, "config": described, "layers": layers}
        entry = _blob(archive, kind, _json(manifest))
        entry["annotations"] = {"io.containerd.image.name": image.reference}
        index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [entry]}
        _add(archive, "index.json", _json(index), mode=0o644)
        _add(archive, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}), mode=0o644)


def layer(sources: Mapping[str, Path], links: Mapping[str, str]) -> bytes:
    """Make the one layer: the files, executable, in their folders, links to them, and a /tmp for everyone."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        parents = {parent for target in (*sources, *links) for parent in Path(target).parents} - {Path("/")}
        for parent in sorted(parents):
            _add(archive, str(parent), kind=tarfile.DIRTYPE)
        _add(archive, "tmp", mode=0o1777, kind=tarfile.DIRTYPE)
        for target, source in sources.items():
            _add(archive, target, source.read_bytes())
        for link, target in links.items():
            _add(archive, link, kind=tarfile.SYMTYPE, target=target)
    return buffer.getvalue()


def _blob(archive: tarfile.TarFile, kind: str, content: bytes) -> dict[str, Any]:
    digest = _digest(content)
    _add(archive, f"blobs/{digest.replace(':', '/')}", content, mode=0o644)
    return {"mediaType": kind, "digest": digest, "size": len(content)}


def _add(
    archive: tarfile.TarFile,
    name: str,
    content: bytes = b"",
    *,
    mode: int = 0o755,
    kind: bytes = tarfile.REGTYPE,
    target: str = "",
) -> None:
    entry = tarfile.TarInfo(name.strip("/"))
    entry.type, entry.mode, entry.size, entry.linkname = kind, mode, len(content), target
    archive.addfile(entry, io.BytesIO(content))


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _json(content: object) -> bytes:
    return json.dumps(content, sort_keys=True).encode()
