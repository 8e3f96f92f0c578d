import base64
import hashlib
import hmac
from datetime import timedelta

from vsdk.rtc.ice import ice_servers
from vsdk.testing.factories import NOON

URLS = ["turn:turn.praxis.example:3478?transport=udp", "turns:turn.praxis.example:443"]


def test_without_a_relay_there_is_no_server_at_all() -> None:
    assert ice_servers([], "secret", NOON, "v1/p1") == []


def test_the_credentials_are_those_that_coturn_computes() -> None:
    [server] = ice_servers(URLS, "secret", NOON, "v1/p1")
    assert server["urls"] == URLS
    mac = hmac.new(b"secret", server["username"].encode(), hashlib.sha1)
    assert server["credential"] == base64.b64encode(mac.digest()).decode()


def test_a_known_answer_of_the_scheme() -> None:
    """HMAC-SHA1 as computed by ``openssl dgst -sha1 -hmac`` over the user name."""
    [server] = ice_servers(URLS, "north", NOON, "v1/p1")
    assert server["username"] == "1772456400:c1d96e5f00c1a034a0fbb012"
    assert server["credential"] == "XQ/nratlw9bd2ytvGhRvwp4dVB0="


def test_they_hold_for_an_hour() -> None:
    [server] = ice_servers(URLS, "secret", NOON, "v1/p1")
    expiry = int(server["username"].split(":")[0])
    assert expiry == (NOON + timedelta(hours=1)).timestamp()


def test_the_user_name_tells_people_apart_and_says_nothing_about_them() -> None:
    names = [
        ice_servers(URLS, secret, NOON, subject)[0]["username"]
        for secret, subject in (("s", "Erika: Beispiel"), ("s", "Jonas Muster"), ("t", "Jonas Muster"))
    ]
    assert len(set(names)) == 3
    for name in names:
        expiry, pseudonym = name.split(":")
        assert expiry.isdigit()
        assert set(pseudonym) <= set("0123456789abcdef")
