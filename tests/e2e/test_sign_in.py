"""M4: practitioners and staff sign in with their own credentials."""

import json
import re
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from playwright.sync_api import Locator, Page, expect
from tests.e2e.conftest import PLUGINS, Server, Watched, an_appointment
from tests.e2e.journey import admit_button, at_step, enter_waiting_room, visit
from tests.e2e.looks import accessible, bears
from tests.peers.servers import openid_provider
from tests.ports import free_port

PASSWORD = "quiet otters swim home"


def queue(page: Page) -> Locator:
    return page.locator("vsdk-practice-queue")


def sign_in(page: Page, server: Server, login: str, password: str = PASSWORD) -> None:
    page.goto(f"{server.base}/practice/park")
    queue(page).get_by_label("Benutzername").fill(login)
    queue(page).get_by_label("Passwort").fill(password)
    queue(page).get_by_role("button", name="Anmelden", exact=True).click()


@pytest.fixture
def with_accounts(make_server: Callable[..., Server]) -> Server:
    server = make_server(plugins=[*PLUGINS, "accounts"], identity_provider="accounts")
    server.vsdk("user", "add", "berg", "--name", "Dr. Katharina Berg", typed=f"{PASSWORD}\n")
    server.vsdk("user", "add", "meier", "--name", "Rita Meier", "--role", "staff", typed=f"{PASSWORD}\n")
    return server


def test_m4_with_an_account_of_the_practice_and_still_signed_in_afterwards(
    with_accounts: Server, new_context: Callable[..., Watched]
) -> None:
    server = with_accounts
    link = server.patient_link(an_appointment())
    side = new_context()
    page = side.page()
    sign_in(page, server, "berg", "not the password")
    expect(queue(page).get_by_role("alert")).to_have_text("Benutzername oder Passwort stimmt nicht.")
    accessible(page, "signing in")
    bears(page, "signing in")
    queue(page).get_by_label("Passwort").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(queue(page).locator("li.row")).to_have_count(1)
    page.reload()
    expect(queue(page).locator("li.row")).to_have_count(1)
    # A tab of its own remembers nothing; the cookie does, and no script can read it.
    tab = side.page()
    tab.goto(f"{server.base}/practice/park")
    expect(queue(tab).locator("li.row")).to_have_count(1)
    assert tab.evaluate("() => document.cookie") == ""
    tab.close()
    server.kill()
    server.start()
    page.reload()
    expect(queue(page).locator("li.row")).to_have_count(1)

    patient = new_context(phone=True).page()
    enter_waiting_room(patient, link)
    admit_button(page).click()
    at_step(patient, "visit")
    visit(page).locator(".bar button.danger").click()
    with page.expect_response("**/api/v1/sign-out"):
        queue(page).get_by_role("button", name="Abmelden").click()
    expect(queue(page).get_by_label("Benutzername")).to_be_visible()
    page.reload()
    expect(queue(page).get_by_label("Benutzername")).to_be_visible()
    assert not [cookie for cookie in side.context.cookies() if cookie["name"] == "vsdk-sign-in"]
    assert [line["what"] for line in server.audit() if "sign" in line["what"]] == ["signed-in", "signed-out"]
    for secret in (PASSWORD, "berg", "Katharina"):
        assert secret not in server.log()


def test_m4_staff_organise_and_enter_no_visit(
    with_accounts: Server, new_context: Callable[..., Watched]
) -> None:
    link = with_accounts.patient_link(an_appointment())
    page, patient = new_context().page(), new_context(phone=True).page()
    sign_in(page, with_accounts, "meier")
    rows = queue(page).locator("li.row")
    expect(rows).to_have_count(1)
    enter_waiting_room(patient, link)
    expect(rows).to_contain_text("Wartet")
    assert admit_button(page).count() == 0
    assert rows.get_by_role("button", name=re.compile("Nachricht schreiben")).count() == 0
    queue(page).get_by_role("button", name=re.compile("Verspätung")).first.click()
    expect(queue(page).locator("dialog")).to_be_visible()


def test_m4_a_device_that_was_left_behind_is_signed_out_from_another(
    with_accounts: Server, new_context: Callable[..., Watched]
) -> None:
    left, page = new_context(phone=True).page(), new_context().page()
    with_accounts.patient_link(an_appointment())
    for each in (left, page):
        sign_in(each, with_accounts, "berg")
        expect(queue(each).locator("li.row")).to_have_count(1)
    queue(page).get_by_role("button", name="Geräte").click()
    devices = queue(page).locator("dialog li")
    expect(devices).to_have_count(2)
    expect(queue(page).locator("dialog")).to_contain_text("Dr. Katharina Berg")
    accessible(page, "devices")
    bears(page, "devices")
    queue(page).locator("dialog").get_by_role("button", name=re.compile("abmelden")).click()
    expect(devices).to_have_count(1)
    expect(queue(left).get_by_label("Benutzername")).to_be_visible()
    expect(queue(left).get_by_role("alert")).to_contain_text("melden Sie sich neu an")
    left.reload()
    expect(queue(left).get_by_label("Benutzername")).to_be_visible()


def test_m4_with_the_practices_openid_provider_there_and_back(
    make_server: Callable[..., Server], new_context: Callable[..., Watched], tmp_path: Path, monkeypatch: Any
) -> None:
    """A certified provider with pages of its own, in a real browser."""
    port = free_port()
    monkeypatch.setattr("tests.e2e.conftest.free_port", lambda: port)
    back = f"http://localhost:{port}/practice/park/signed-in"
    with openid_provider(tmp_path, back, "secret-of-the-client") as issuer:
        section = [
            "[plugin.oidc.practices.park]",
            f'issuer = "{issuer}"',
            'client_id = "vsdk"',
            'client_secret = { env = "OIDC_SECRET" }',
            'practitioner = ["doctors"]',
            'staff = ["reception"]',
        ]
        monkeypatch.setenv("OIDC_SECRET", "secret-of-the-client")
        server = make_server(plugins=[*PLUGINS, "oidc"], identity_provider="oidc", sections=section)
        server.patient_link(an_appointment())
        side = new_context()
        page = side.page()
        page.goto(f"{server.base}/practice/park")
        accessible(page, "signing in elsewhere")
        queue(page).get_by_role("link", name="Anmelden").click()
        page.wait_for_url(f"{issuer}/**")
        page.locator("input[name=login]").fill("berg")
        page.locator("input[name=password]").fill("whatever it asks for")
        page.locator("button[type=submit]").click()
        page.wait_for_load_state()
        page.locator("button[type=submit]").click()
        expect(queue(page).locator("li.row")).to_have_count(1)
        assert page.url == f"{server.base}/practice/park", "no code and no state stays in the address"
        assert {cookie["name"] for cookie in side.context.cookies(server.base)} >= {"vsdk-sign-in"}

        # Somebody else's answer does nothing here.
        other = new_context().page()
        other.goto(f"{server.base}/practice/park/signed-in?code=stolen&state=stolen")
        expect(other.locator("body")).to_contain_text("Die Anmeldung hat nicht geklappt")
        queue(page).get_by_role("button", name="Abmelden").click()
        page.wait_for_url(f"{issuer}/session/end**")
        assert server.log().count("stolen") == 0


def test_m4_the_practice_system_opens_a_visit_with_a_token_it_signed(
    make_server: Callable[..., Server], new_context: Callable[..., Watched], tmp_path: Path
) -> None:
    key = ECKey.generate_key("P-256", {"kid": "pms"})
    file = tmp_path / "pms.jwks"
    file.write_text(json.dumps(KeySet([key]).as_dict(private=False)), encoding="utf-8")
    section = ["[plugin.pms_token.practices.park]", 'issuer = "https://pms.example"', f'jwks_file = "{file}"']
    server = make_server(
        plugins=[*PLUGINS, "accounts", "pms_token"],
        identity_provider=["accounts", "pms-token"],
        sections=section,
    )
    now = int(time.time())
    claims = {
        "iss": "https://pms.example",
        "aud": server.base,
        "sub": "17",
        "name": "Dr. Katharina Berg",
        "practice": "park",
        "role": "practitioner",
        "iat": now,
        "exp": now + 120,
        "jti": secrets.token_hex(),
    }
    token = jwt.encode({"alg": "ES256", "kid": "pms"}, claims, key)
    planned = server.plan(an_appointment())
    side = new_context()
    page = side.page()
    page.goto(f"{server.base}/practice/park#token={token}&visit={planned['visit']}")
    expect(visit(page)).to_contain_text("Noch wartet niemand")
    assert page.url == f"{server.base}/practice/park", "a token does not stay in the address"
    visit(page).get_by_role("button", name="Zurück").click()
    expect(queue(page).locator("li.row")).to_have_count(1)
    page.reload()
    expect(queue(page).locator("li.row")).to_have_count(1)

    # It was good once; who finds it is asked like anyone.
    thief = new_context().page()
    thief.goto(f"{server.base}/practice/park#token={token}")
    expect(queue(thief).get_by_label("Benutzername")).to_be_visible()
    expect(queue(thief).get_by_role("alert")).not_to_be_empty()
    assert token not in server.log()
    assert side.complaints == []


def test_m4_with_a_passkey_instead_of_a_password(
    with_accounts: Server, new_context: Callable[..., Watched]
) -> None:
    """Chromium's own authenticator, which signs as a phone or a security key does."""
    server = with_accounts
    server.patient_link(an_appointment())
    side = new_context()
    page = side.page()
    device = side.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    authenticator = device.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]

    sign_in(page, server, "berg")
    queue(page).get_by_role("button", name="Geräte").click()
    dialog = queue(page).locator("dialog")
    dialog.get_by_role("button", name="Passkey auf diesem Gerät einrichten").click()
    expect(dialog.get_by_role("status")).to_contain_text("Der Passkey ist eingerichtet.")
    dialog.get_by_role("button", name="Passkey auf diesem Gerät einrichten").click()
    expect(dialog.get_by_role("status")).to_contain_text("hat dieses Gerät schon einen")
    dialog.get_by_role("button", name="Schließen").click()
    queue(page).get_by_role("button", name="Abmelden").click()

    with page.expect_request("**/api/v1/sign-in") as request:
        queue(page).get_by_role("button", name="Mit Passkey anmelden").click()
    expect(queue(page).locator("li.row")).to_have_count(1)
    queue(page).get_by_role("button", name="Geräte").click()
    expect(dialog).to_contain_text("Dr. Katharina Berg")
    dialog.get_by_role("button", name="Schließen").click()

    # What was said once opens nothing a second time, nor changed, nor elsewhere.
    answer = json.loads(request.value.post_data or "")
    for said in (
        answer,
        changed(answer, challenge="AAAA"),
        changed(answer, origin="https://attacker.example"),
    ):
        assert httpx2.post(f"{server.base}/api/v1/sign-in", json=said).status_code == 401

    # Without its owner, the device does not speak.
    device.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": False})
    queue(page).get_by_role("button", name="Abmelden").click()
    queue(page).get_by_role("button", name="Mit Passkey anmelden").click()
    expect(queue(page).get_by_label("Benutzername")).to_be_visible()
    expect(queue(page).locator("li.row")).to_have_count(0)


def changed(answer: dict[str, Any], **client_data: str) -> dict[str, Any]:
    """The same answer, as if the browser had said something else."""
    credential = json.loads(answer["params"]["passkey"])
    text = credential["response"]["clientDataJSON"]
    said = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4))) | client_data
    credential["response"]["clientDataJSON"] = (
        urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()
    )
    return answer | {"params": {"passkey": json.dumps(credential)}}
