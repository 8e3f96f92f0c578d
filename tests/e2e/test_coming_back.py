"""D16 to D18, D20: invited back by Web Push, tapped, checked briefly, and in again.

The push service here is an HTTPS server of this machine in the place of a browser vendor's, which cannot be
reached: only the address that the browser subscribes at is replaced. Encryption, VAPID, delivery to the real
service worker, its notification and the tap are the real thing.
"""

import json
import re
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect
from pydantic import SecretStr
from tests.adapters.notification.conftest import authority, ca_file, server_context
from tests.adapters.notification.test_webpush import PAIR, Browser, PushService, service, vapid
from tests.e2e.conftest import Watched, an_appointment
from tests.e2e.in_process import list_url, patient_link, running, settings
from tests.e2e.journey import (
    admit_button,
    allow,
    at_step,
    control,
    enter_waiting_room,
    primary,
    sign_in,
    visit,
)

from vsdk import sdk
from vsdk.adapters.http import HttpClient
from vsdk.sdk import VideoSdk

__all__ = ["authority", "ca_file", "server_context", "service"]

SUBSCRIBED = """
((subscription) => {
  PushManager.prototype.subscribe = async function (options) {
    window.subscribedWith = options.applicationServerKey;
    return { toJSON: () => subscription };
  };
})(%s);
"""


@dataclass
class Site:
    base: str
    pushed: PushService
    browser: Browser

    def push(self) -> dict[str, Any]:
        """The next push, decrypted as the browser does it; its VAPID signature is checked."""
        for _ in range(150):
            if self.pushed.received:
                _, headers, body = self.pushed.received.pop(0)
                vapid(headers["authorization"])
                return dict(json.loads(self.browser.read(body)))
            time.sleep(0.1)
        raise AssertionError("nothing was pushed")


@pytest.fixture
def site(
    service: PushService, ca_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Site]:
    """A server in a thread, which trusts the authority that vouches for the push service."""
    trust = ssl.create_default_context(cafile=str(ca_file))
    monkeypatch.setattr(sdk, "HttpClient", lambda: HttpClient(verify=trust))

    def make(base: str) -> VideoSdk:
        push = {
            "private_key": SecretStr(PAIR.private),
            "subject": "mailto:technik@park.example",
            "services": [service.place],
        }
        channels = ["push", "sms", "email"]
        return VideoSdk(settings(base, tmp_path, more_plugins={"web_push": push}, channels=channels))

    with running(make) as (base, _):
        yield Site(base, service, Browser())


def waiting(site: Site, link: str, practice: Watched, side: Watched) -> tuple[Page, Page]:
    """The list, and a patient in the waiting room who wants to be told on this device."""
    board, patient = practice.page(), side.page()
    sign_in(board, list_url(site.base))
    enter_waiting_room(patient, link)
    visit(patient).get_by_role("button", name="Auf diesem Gerät benachrichtigen").click()
    return board, patient


def talk(board: Page, patient: Page) -> None:
    """A visit, which the practice ends."""
    admit_button(board).click()
    at_step(patient, "visit")
    at_step(board, "visit")
    control(board, "danger").click()
    at_step(patient, "ended")


def notified(page: Page, pushed: dict[str, Any]) -> list[dict[str, Any]]:
    """As the browser does when its push service has something: the real worker gets a real push event.

    Gives the notifications that it shows. What nothing came of is delivered again, as push services do.
    """
    session = page.context.new_cdp_session(page)
    found: list[str] = []
    session.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: found.extend(r["registrationId"] for r in event["registrations"]),
    )
    session.send("ServiceWorker.enable")
    for _ in range(50):
        if found:
            break
        page.wait_for_timeout(100)
    origin = page.evaluate("() => location.origin")
    push = {"origin": origin, "registrationId": found[-1], "data": json.dumps(pushed)}
    for _ in range(4):
        session.send("ServiceWorker.deliverPushMessage", push)
        if shown := page.evaluate(SHOWN):
            return list(shown)
    raise AssertionError("the worker showed nothing")


SHOWN = """
async () => {
  const registration = await navigator.serviceWorker.ready;
  for (let i = 0; i < 20; i++) {
    const shown = await registration.getNotifications();
    if (shown.length) return shown.map(({ title, body, data }) => ({ title, body, data }));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return [];
}
"""
TAPPED = """
async () => {
  const [notification] = await self.registration.getNotifications();
  self.dispatchEvent(new NotificationEvent('notificationclick', { notification }));
}
"""


def test_d16_d17_d18_invited_back_by_push_one_tap_leads_in_again(
    site: Site, new_context: Callable[..., Watched]
) -> None:
    side = new_context(phone=True)
    side.context.grant_permissions(["notifications"], origin=site.base)
    subscription = site.browser.subscription(site.pushed.endpoint)
    side.context.add_init_script(SUBSCRIBED % subscription)
    link = patient_link(site.base, an_appointment())
    board, patient = waiting(site, link, new_context(), side)
    expect(visit(patient)).to_contain_text("Sie werden auf diesem Gerät benachrichtigt.")
    assert patient.evaluate("() => window.subscribedWith") == PAIR.public

    talk(board, patient)

    # D16: the practitioner invites back; it arrives on the phone
    board.locator("vsdk-practice-queue button[data-key$='/invite']").click()
    pushed = site.push()
    assert pushed["url"] == link
    assert "Erika" not in json.dumps(pushed)
    (shown,) = notified(patient, pushed)
    assert shown["data"]["url"] == link
    assert shown["title"]

    # D17: one tap; the check is short this time
    worker = side.context.service_workers[0]
    worker.evaluate(TAPPED)
    at_step(patient, "start")
    primary(patient).click()
    allow(patient)
    expect(primary(patient)).to_be_enabled(timeout=6_000)
    expect(visit(patient)).to_contain_text("Internetverbindung")
    primary(patient).click()
    at_step(patient, "waiting")

    # D18: a delay while coming back is shown at once, and sent
    row = board.locator("vsdk-practice-queue li.row")
    row.locator("button[data-key$='/delay']").click()
    board.locator("vsdk-practice-queue").get_by_role("button", name=re.compile("^10 min", re.I)).click()
    expect(visit(patient)).to_contain_text("10 Minuten Verspätung")
    assert "10" in site.push()["body"]
    admit_button(board).click()
    at_step(patient, "visit")


def test_d16_where_notifications_are_refused_messages_come_as_before(
    site: Site, new_context: Callable[..., Watched]
) -> None:
    side = new_context(phone=True)
    side.context.add_init_script("Notification.requestPermission = async () => 'denied';")
    link = patient_link(site.base, an_appointment())
    board, patient = waiting(site, link, new_context(), side)
    expect(visit(patient)).to_contain_text("Dann kommen Nachrichten wie bisher.")
    talk(board, patient)
    sent = httpx2.get(f"{site.base}/plugins/console_messages/messages").text.count(link)
    board.locator("vsdk-practice-queue button[data-key$='/invite']").click()
    for _ in range(100):
        if httpx2.get(f"{site.base}/plugins/console_messages/messages").text.count(link) > sent:
            break
        patient.wait_for_timeout(100)
    else:
        raise AssertionError("no message with the link came")
    assert site.pushed.received == []
    patient.goto(link)
    patient.reload()
    at_step(patient, "start")
