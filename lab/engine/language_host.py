"""
A language host: runs Pulumi programs, policy packs and plugins written in Python for an engine built from source.

The engine's own one is not published as a module; this one answers the same protocol. It is started as
`language_host.py EXECUTOR [FLAGS…] ENGINE`, prints its port as its first line, and runs everything under its own
interpreter. EXECUTOR is the SDK's `pulumi-language-python-exec`.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import IO, Any

import grpc
from google.protobuf import empty_pb2, message_factory


def protocol(*names: str) -> list[ModuleType]:
    """
    Import modules of the protocol without the SDK around them.

    The SDK takes longer than all the rest, and the engine starts two language hosts for each command.
    """
    sdk = find_spec("pulumi")
    if not (sdk and sdk.origin):
        raise ImportError("there is no pulumi SDK")
    package = ModuleType("protocol")
    package.__path__ = [str(Path(sdk.origin).parent / "runtime" / "proto")]
    sys.modules[package.__name__] = package
    return [import_module(f"{package.__name__}.{name}") for name in names]


language, language_pb2_grpc, plugin_pb2 = protocol("language_pb2", "language_pb2_grpc", "plugin_pb2")
VERSION = "3.259.0"
EMPTY = message_factory.GetMessageClass(empty_pb2.DESCRIPTOR.message_types_by_name["Empty"])
MESSAGE_BYTES = 400 << 20
SHOWN = 32
"""The executor ends with this code when it has already shown the user what went wrong."""


class Host:
    """What the engine asks of a language, one method per question."""

    def __init__(self, executor: str, engine: str) -> None:
        self.executor = executor
        self.engine = engine

    def handshake(self, request: Any, _context: Any) -> Any:
        self.engine = request.engine_address or self.engine
        return language.LanguageHandshakeResponse()

    def run(self, request: Any, context: Any) -> Any:
        """Run a program to its end, or to that of the engine, for which it would wait for ever."""
        environment = os.environ | {
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
        }
        command = [sys.executable, "-u", self.executor, *self._flags(request), request.info.entry_point or "."]
        process = subprocess.Popen([*command, *request.args], env=environment, cwd=request.pwd)
        context.add_callback(process.kill)
        code = process.wait()
        if code == SHOWN:
            return language.RunResponse(bail=True)
        return language.RunResponse(error=f"the program exited with code {code}" if code else "")

    def _flags(self, request: Any) -> list[str]:
        flags = {
            "monitor": request.monitor_address,
            "engine": self.engine,
            "project": request.project,
            "stack": request.stack,
            "organization": request.organization,
            "root_directory": request.info.root_directory,
            "pwd": request.pwd,
            "parallel": str(request.parallel),
            "dry_run": str(request.dryRun).lower(),
        }
        return [part for name, value in flags.items() for part in (f"--{name}", value)]

    def run_plugin(self, request: Any, context: Any) -> Iterator[Any]:
        """Run a policy pack or a plugin, and pass on what it prints at once: its first line is its port."""
        environment = dict(entry.split("=", 1) for entry in request.env) or dict(os.environ)
        process = subprocess.Popen(
            [sys.executable, "-u", request.info.program_directory, *request.args],
            cwd=request.pwd or None,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        context.add_callback(process.kill)
        for name, chunk in _mingled({"stdout": process.stdout, "stderr": process.stderr}):
            is_output = name == "stdout"
            yield language.RunPluginResponse(stdout=chunk) if is_output else language.RunPluginResponse(stderr=chunk)
        yield language.RunPluginResponse(exitcode=process.wait())


def _mingled(streams: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Give the pieces of several streams as they come, each with its stream's name."""
    pieces: queue.Queue[tuple[str, bytes]] = queue.Queue()

    def read(name: str, stream: IO[bytes]) -> None:
        while piece := os.read(stream.fileno(), 65536):
            pieces.put((name, piece))
        pieces.put((name, b""))

    for name, stream in streams.items():
        threading.Thread(target=read, args=(name, stream), daemon=True).start()
    open_streams = len(streams)
    while open_streams:
        name, piece = pieces.get()
        if piece:
            yield name, piece
        else:
            open_streams -= 1


def answers(host: Host) -> dict[str, Callable[[Any, Any], Any]]:
    """Give the protocol's methods; the simple ones always say the same."""

    def always(answer: Any) -> Callable[[Any, Any], Any]:
        return lambda _request, _context: answer

    return {
        "Handshake": host.handshake,
        "Run": host.run,
        "RunPlugin": host.run_plugin,
        "GetPluginInfo": always(plugin_pb2.PluginInfo(version=VERSION)),
        "GetRequiredPackages": always(language.GetRequiredPackagesResponse()),
        "GetRequiredPlugins": always(language.GetRequiredPluginsResponse()),
        "About": always(language.AboutResponse(executable=sys.executable, version=sys.version.split()[0])),
        "RuntimeOptionsPrompts": always(language.RuntimeOptionsResponse()),
        "Cancel": always(EMPTY()),
    }


def main() -> None:
    """Serve until the engine interrupts, which waits five seconds before it kills, or until it was killed itself."""
    over, parent = threading.Event(), os.getppid()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    executor, engine = sys.argv[1], sys.argv[-1]
    servicer = language_pb2_grpc.LanguageRuntimeServicer()
    for name, answer in answers(Host(executor, engine)).items():
        setattr(servicer, name, answer)
    sizes = ("grpc.max_receive_message_length", "grpc.max_send_message_length")
    server = grpc.server(ThreadPoolExecutor(16), options=[(size, MESSAGE_BYTES) for size in sizes])
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(servicer, server)
    sys.stdout.write(f"{server.add_insecure_port('127.0.0.1:0')}\n")
    sys.stdout.flush()
    server.start()
    while os.getppid() == parent and not over.wait(1):
        pass
    server.stop(grace=None)


if __name__ == "__main__":
    main()
