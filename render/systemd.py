"""Units of systemd for machines outside of Kubernetes: each program alone, with no right that it does not use."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

Section = Mapping[str, str | int | Sequence[str]]
"""Directives by name; one with several values has a line for each."""

SANDBOX: Section = {
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "AmbientCapabilities": "",
    "PrivateDevices": "yes",
    "PrivateMounts": "yes",
    "PrivateTmp": "yes",
    "PrivateUsers": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "ProtectClock": "yes",
    "ProtectControlGroups": "yes",
    "ProtectHostname": "yes",
    "ProtectKernelLogs": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelTunables": "yes",
    # Not ProcSubset=pid: the time at which a process was started is computed from /proc/stat, and alerts use it.
    "ProtectProc": "invisible",
    "RestrictAddressFamilies": "AF_INET AF_INET6",
    "RestrictNamespaces": "yes",
    "RestrictRealtime": "yes",
    "RestrictSUIDSGID": "yes",
    "RemoveIPC": "yes",
    "KeyringMode": "private",
    "LockPersonality": "yes",
    "MemoryDenyWriteExecute": "yes",
    "SystemCallArchitectures": "native",
    "SystemCallFilter": ("@system-service", "~@privileged @resources"),
    "SystemCallErrorNumber": "EPERM",  # Go asks for more open files when it starts, and goes on without
    "UMask": "0077",
}


class Service(NamedTuple):
    """A program of the machine, as its unit runs it."""

    description: str
    documentation: str
    command: Sequence[str]
    """Its first word is the path of the program."""
    memory: str
    """What the kernel ends it at, as systemd writes sizes: 512M."""
    checks: Sequence[Sequence[str]] = ()
    """Commands that judge the configuration before every start and every reload; without any it is never reloaded."""
    user: str | None = None
    """Its own user and group; without it systemd invents one for as long as it runs."""
    state: str | None = None
    """Folder below /var/lib that only it may read and write."""
    stop: str = "90s"
    """How long it may take to end."""
    sandbox: Section = SANDBOX
    """What it may not do, and not see."""


def unit(service: Service) -> str:
    """
    Return the text of a unit.

    A configuration that a check refuses is never loaded. A reload then fails, and the process goes on with what it has;
    a start fails, and is tried again until the file is right.
    """
    checks = [_words(check) for check in service.checks]
    return unit_file(
        {
            "Unit": {
                "Description": service.description,
                "Documentation": service.documentation,
                "Wants": "network-online.target",
                "After": "network-online.target",
                "StartLimitIntervalSec": 0,
            },
            "Service": {
                "Type": "exec",
                **({"User": service.user, "Group": service.user} if service.user else {"DynamicUser": "yes"}),
                "ExecStartPre": checks,
                "ExecStart": _words(service.command),
                **({"ExecReload": [*checks, "/bin/kill -HUP $MAINPID"]} if checks else {}),
                "Restart": "always",
                "RestartSec": "5s",
                "TimeoutStopSec": service.stop,
                **({"StateDirectory": service.state, "StateDirectoryMode": "0700"} if service.state else {}),
                "MemoryMax": service.memory,
                "LimitNOFILE": 65536,
                **service.sandbox,
            },
            "Install": {"WantedBy": "multi-user.target"},
        }
    )


def unit_file(sections: Mapping[str, Section]) -> str:
    """Return the text of a unit of any kind, from its sections by name."""
    return "\n".join(_lines(sections))


def _lines(sections: Mapping[str, Section]) -> Iterator[str]:
    for name, directives in sections.items():
        yield f"[{name}]"
        for key, value in directives.items():
            yield from (f"{key}={one}" for one in ([value] if isinstance(value, str | int) else value))
        yield ""


def _words(command: Iterable[str]) -> str:
    """Write a command without quotes; `%` begins a specifier of systemd's, and `$` a variable."""
    words = [word.replace("%", "%%").replace("$", "$$") for word in command]
    if refused := [word for word in words if not word.isprintable() or set(word) & set(" \"'\\;")]:
        raise ValueError(f"needs quotes in a unit: {refused}")
    return " ".join(words)
