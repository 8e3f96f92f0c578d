"""Starts FHIR servers of others as processes on free ports; each ends with its context, by its own id.

``sekmet-fhir`` (PyPI) is looked for in ``.venv-peers/bin`` and on PATH, Medplum's router in ``node_modules``.
Whatever is missing makes the test skip, with the reason.
"""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.ports import free_port

ROOT = Path(__file__).parents[2]
START_SECONDS = 40.0


@dataclass(frozen=True)
class Peer:
    """A running server; the methods are those of somebody else who uses it. They fail on any error."""

    base: str
    token: str = ""

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        content = None if body is None else json.dumps(body)
        headers = {"content-type": "application/fhir+json", "accept": "application/fhir+json"} | headers
        response = httpx.request(
            method, f"{self.base}/{path}", content=content, headers=headers, timeout=20, trust_env=False
        )
        assert response.status_code < 400, response.text
        return response

    def create(self, resource: dict[str, Any]) -> str:
        """The id that the server gave it."""
        return str(self.call("POST", resource["resourceType"], resource).json()["id"])

    def read(self, kind: str, id_: str) -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", f"{kind}/{id_}").json()
        return found

    def change(self, kind: str, id_: str, **elements: Any) -> dict[str, Any]:
        """Somebody else writes: the elements given, and all else as it is there."""
        changed: dict[str, Any] = self.call("PUT", f"{kind}/{id_}", self.read(kind, id_) | elements).json()
        return changed


@contextmanager
def running(command: Sequence[str | Path], ready: str, folder: Path) -> Iterator[None]:
    """The process, from its first good answer at ``ready`` until the end of the context."""
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT)
        try:
            _await_answer(ready, process, log)
            yield
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


def _await_answer(ready: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(ready, timeout=5, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail("the server did not start:\n" + log.read_text(errors="replace")[-2000:])


@contextmanager
def sekmet(folder: Path, **settings: Any) -> Iterator[Peer]:
    """sekmet-fhir: R4, numbered versions, If-Match everywhere. ``settings`` are those of its YAML file."""
    program = ROOT / ".venv-peers" / "bin" / "sekmet"
    found = str(program) if program.exists() else shutil.which("sekmet")
    if found is None:
        pytest.skip("sekmet-fhir is not installed (.venv-peers, made by `make unit`)")
    port = free_port()
    base = f"http://127.0.0.1:{port}/fhir"
    ours = {"base_url": base, "data_dir": str(folder / "data"), "simulator": {"enabled": False}}
    config = folder / "settings.yaml"
    config.write_text(json.dumps(ours | settings), encoding="utf-8")
    command = [found, "serve", "--config", config, "--host", "127.0.0.1", "--port", str(port)]
    with running(command, f"{base}/metadata", folder):
        yield Peer(base)


@contextmanager
def openid_provider(folder: Path, redirect_uri: str, secret: str, *options: str) -> Iterator[str]:
    """``oidc-provider``, certified by the OpenID Foundation; gives its issuer."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed")
    if not (ROOT / "node_modules" / "oidc-provider").is_dir():
        pytest.skip("oidc-provider is not installed (node_modules, made by `make unit`)")
    port = free_port()
    issuer = f"http://localhost:{port}"
    command = [node, str(Path(__file__).with_name("oidc.mjs")), str(port), redirect_uri, secret, *options]
    with running(command, f"{issuer}/.well-known/openid-configuration", folder):
        yield issuer


@contextmanager
def medplum(folder: Path) -> Iterator[Peer]:
    """Medplum's router: R4, UUIDs as versions, PUT with If-Match, PATCH without, no paging."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed")
    if not (ROOT / "node_modules" / "@medplum" / "fhir-router").is_dir():
        pytest.skip("@medplum/fhir-router is not installed (node_modules, made by `make unit`)")
    port = free_port()
    base = f"http://127.0.0.1:{port}/fhir"
    command = [node, Path(__file__).with_name("medplum.mjs"), str(port)]
    with running(command, f"{base}/metadata", folder):
        yield Peer(base)
