"""The servers of others as fixtures, one process each for the whole run. Import them into a conftest."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest
from joserfc.jwk import RSAKey

from tests.peers import servers
from tests.peers.fakes import no_pause
from tests.peers.servers import Peer
from vsdk.adapters.http import HttpClient

__all__ = ["http", "medplum", "sekmet", "sekmet_open", "smart"]

CLIENT = "vsdk-park"
SCOPE = "system/Appointment.cruds"
TOKEN_SECONDS = 2


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    """The real client, which does not pause between attempts."""
    client = HttpClient(sleep=no_pause)
    yield client
    await client.close()


@pytest.fixture(scope="session")
def sekmet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """Validates what it gets."""
    with servers.sekmet(tmp_path_factory.mktemp("sekmet")) as peer:
        yield peer


@pytest.fixture(scope="session")
def sekmet_open(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """Takes what it gets, and gives references as absolute addresses."""
    behaviour = {"validation": {"inbound": "off"}, "server_behaviour": {"absolute_references": True}}
    with servers.sekmet(tmp_path_factory.mktemp("sekmet-open"), **behaviour) as peer:
        yield peer


@pytest.fixture(scope="session")
def medplum(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    with servers.medplum(tmp_path_factory.mktemp("medplum")) as peer:
        yield peer


@dataclass(frozen=True)
class SmartServer:
    """sekmet behind SMART Backend Services; its tokens live for `TOKEN_SECONDS`."""

    peer: Peer
    key: str
    """the private RSA key of the client `CLIENT`, as PEM; an EC key makes the server fail"""


@pytest.fixture(scope="session")
def smart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmartServer]:
    key = RSAKey.generate_key(2048)
    auth = {
        "types": ["smart", "bearer"],
        "tokens": ["of-somebody-else"],
        "token_lifetime": TOKEN_SECONDS,
        "smart_clients": [
            {"client_id": CLIENT, "jwks": {"keys": [key.as_dict(private=False)]}, "scopes": SCOPE}
        ],
    }
    with servers.sekmet(tmp_path_factory.mktemp("sekmet-smart"), server_auth=auth) as peer:
        yield SmartServer(Peer(peer.base, "of-somebody-else"), key.as_pem(private=True).decode())
