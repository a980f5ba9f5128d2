"""Runs a client against a real node, and takes the node down whatever happens.

    with_node.py [--app CLIENT-OF-THE-APP] NODE [--needs pip:dapr==1.19.0 | --needs npm:@dapr/dapr@3.18.0] CLIENT [ARGUMENT...]

The client finds the node by the variables that Dapr's SDKs read: DAPR_HTTP_PORT, DAPR_GRPC_PORT and
their likes. Its exit code is this program's; 77, which Meson shows as skipped, if a package it needs
cannot be had. With --app, CLIENT is an app that the node has beside it, in the language of the package,
and what is run against the node is that script instead.
"""

import argparse
import base64
import hashlib
import io
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.error
import urllib.request

SKIPPED = 77
# Debian's own package of npm brings some four hundred others.
NPM = "https://registry.npmjs.org/npm/-/npm-10.9.2.tgz"
NPM_SHA512 = "iriPEPIkoMYUy3F6f3wwSZAU93E0Eg6cHwIR6jzzOXWSy+SD/rOODEs74cVONHKSx2obXtuUoyidVEhISrisgQ=="
INSTALL_SECONDS = 240
READY_SECONDS = 60
CLIENT_SECONDS = 120
STOP_SECONDS = 20


def skip(why: str):
    print("skipped:", why, flush=True)
    sys.exit(SKIPPED)


def install_python(package: str, folder: pathlib.Path) -> pathlib.Path:
    """Makes a virtual environment in `folder` once; gives its interpreter."""
    python = folder / "bin" / "python"
    if (folder / "installed").exists():
        return python
    subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True, timeout=INSTALL_SECONDS)
    subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", package],
                   check=True, timeout=INSTALL_SECONDS)
    (folder / "installed").touch()
    return python


def npm_command(folder: pathlib.Path) -> list[str]:
    """The machine's own npm, or one fetched into `folder` once."""
    if shutil.which("npm") is not None:
        return ["npm"]
    program = folder / "package" / "bin" / "npm-cli.js"
    if not program.exists():
        with urllib.request.urlopen(NPM, timeout=INSTALL_SECONDS) as answer:
            archive = answer.read()
        if base64.b64encode(hashlib.sha512(archive).digest()).decode() != NPM_SHA512:
            raise OSError("what was fetched as npm is something else")
        folder.mkdir(parents=True, exist_ok=True)
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(folder)
    return ["node", str(program)]


def install_node(package: str, folder: pathlib.Path) -> pathlib.Path:
    """Installs into `folder` once; gives its node_modules."""
    modules = folder / "node_modules"
    if (folder / "installed").exists():
        return modules
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "package.json").write_text('{"private": true}')
    subprocess.run([*npm_command(folder.parent / "npm"), "install", "--silent", "--no-audit", "--no-fund", package], cwd=folder,
                   check=True, timeout=INSTALL_SECONDS)
    (folder / "installed").touch()
    return modules


def command_of(client: list[str], needs: str | None, folder: pathlib.Path) -> list[str]:
    """What to start for `client`, with its package installed and the environment told of it."""
    if needs is None:
        return client
    kind, package = needs.split(":", 1)
    place = folder / re.sub(r"[^\w.-]", "_", kind + "_" + package)
    try:
        if kind == "pip":
            return [str(install_python(package, place)), *client]
        if shutil.which("node") is None:
            skip("there is no node")
        os.environ["NODE_PATH"] = str(install_node(package, place))
        return ["node", *client]
    except (subprocess.SubprocessError, OSError) as error:
        skip(f"{package} cannot be installed: {error}")


class Node:
    """A node in memory, on ports that nobody else has."""

    def __init__(self, program: str, log: pathlib.Path, flags: list[str]):
        self.log = log
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [program, "--in-memory", "--no-discovery", "--app-id", "greeter", "--listen", "127.0.0.1:0",
                 "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", *flags], stdout=out, stderr=subprocess.STDOUT)

    def wait_ready(self, endpoint: str = "healthz") -> dict[str, str]:
        """The ports, once calls are served, or that endpoint says so."""
        ports = {}
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            text = self.log.read_text(errors="replace")
            ports = {name: port for name, port in re.findall(r"\b(http|grpc)=\"?127\.0\.0\.1:(\d+)", text)}
            if len(ports) == 2 and self.answers(f"http://127.0.0.1:{ports['http']}/v1.0/{endpoint}"):
                return ports
            time.sleep(0.05)
        raise RuntimeError("the node is not ready:\n" + self.log.read_text(errors="replace"))

    @staticmethod
    def answers(url: str) -> bool:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                return answer.status < 300
        except (urllib.error.URLError, OSError):
            return False

    def stop(self):
        """The exit code; a node that does not stop by itself is killed, which is an error."""
        self.process.terminate()
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return "killed, since it did not stop"


def environment_of(ports: dict[str, str]) -> dict[str, str]:
    environment = os.environ | {
        "DAPR_HTTP_PORT": ports["http"], "DAPR_GRPC_PORT": ports["grpc"], "DAPR_RUNTIME_HOST": "127.0.0.1",
        "DAPR_HTTP_ENDPOINT": f"http://127.0.0.1:{ports['http']}",
        "DAPR_GRPC_ENDPOINT": f"127.0.0.1:{ports['grpc']}", "PYTHONUNBUFFERED": "1"}
    return {name: value for name, value in environment.items() if not name.lower().endswith("_proxy")}


def run(command: list[str], ports: dict[str, str]) -> int:
    try:
        return subprocess.run(command, env=environment_of(ports), timeout=CLIENT_SECONDS).returncode
    except subprocess.TimeoutExpired:
        print(f"the client took longer than {CLIENT_SECONDS} s")
        return 1


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def run_beside(app: list[str], port: int, node: Node, client: str) -> int:
    """The same, with the app beside the node while it runs."""
    ports = node.wait_ready("healthz/outbound")
    with subprocess.Popen(app, env=environment_of(ports) | {"APP_PORT": str(port)}) as process:
        try:
            node.wait_ready()
            return run([sys.executable, client], ports)
        finally:
            process.kill()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--needs")
    parser.add_argument("--app")
    parser.add_argument("--cache", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()) / "compatibility")
    parser.add_argument("node")
    parser.add_argument("client", nargs=argparse.REMAINDER)
    wanted = parser.parse_args()
    command = command_of(wanted.client, wanted.needs, wanted.cache)
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        node = Node(wanted.node, pathlib.Path(folder) / "node.log",
                    ["--app-port", str(port)] if wanted.app else [])
        code = 1
        try:
            if wanted.app:
                code = run_beside(command, port, node, wanted.app)
            else:
                code = run(command, node.wait_ready())
        except RuntimeError as error:
            print(error)
        finally:
            stopped = node.stop()
        if code == 0 and stopped != 0:
            print("the node ended with", stopped)
            code = 1
        if code != 0:
            print(node.log.read_text(errors="replace"))
        return code


if __name__ == "__main__":
    sys.exit(main())
