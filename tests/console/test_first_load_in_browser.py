"""The first load on slow connections, in a browser that limits its own speed."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, CDPSession

from glific_gpt.accounts.tables import Role
from tests.console.sample_data import create_sample_organization
from tests.console.users import PASSWORD, create_user
from tests.support.chromium import Window, open_browser_window
from tests.support.server import RunningServer

SIGN_IN = "/console/account/sign-in"
EMAIL = "asha@seva-trust.example.org"
KILOBIT = 1000 / 8
SLOW_3G = (400 * KILOBIT, 400)
FAST_3G = (1600 * KILOBIT, 150)
"""Bytes per second and milliseconds of latency."""
FIRST_PAINT = """new Promise((done) => new PerformanceObserver((list) => done(list.getEntries()[0].startTime))
  .observe({ type: "paint", buffered: true }))"""


@pytest.fixture
def busy_server(server: RunningServer) -> RunningServer:
    create_sample_organization(server)
    create_user(server, EMAIL, Role.EDITOR, "seva-trust").client.close()
    return server


@pytest.fixture
def first_visit(browser: Browser, busy_server: RunningServer) -> Iterator[Window]:
    """A window without a cache."""
    with open_browser_window(browser, busy_server.url) as shown:
        yield shown


def limit(session: CDPSession, bytes_per_second: float, latency: int) -> None:
    session.send("Network.enable")
    conditions = {"offline": False, "downloadThroughput": bytes_per_second, "uploadThroughput": bytes_per_second}
    session.send("Network.emulateNetworkConditions", conditions | {"latency": latency})


@pytest.mark.parametrize(("speed", "seconds"), [(SLOW_3G, 4), (FAST_3G, 1.5)], ids=["slow", "fast"])
def test_the_first_page_is_soon_painted(first_visit: Window, speed: tuple[float, int], seconds: float) -> None:
    limit(first_visit.page.context.new_cdp_session(first_visit.page), *speed)
    first_visit.page.goto(f"{first_visit.url}{SIGN_IN}", wait_until="commit")
    assert first_visit.page.evaluate(FIRST_PAINT) < seconds * 1000


def test_signing_in_and_the_overview_load_less_than_250_kilobytes(first_visit: Window) -> None:
    loaded: list[float] = []
    session = first_visit.page.context.new_cdp_session(first_visit.page)
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda event: loaded.append(event["encodedDataLength"]))
    first_visit.open(SIGN_IN)
    first_visit.page.get_by_label("E-mail").fill(EMAIL)
    first_visit.page.get_by_label("Password", exact=True).fill(PASSWORD)
    first_visit.page.get_by_role("button", name="Sign in").click()
    first_visit.page.get_by_role("heading", name="Overview").wait_for()
    first_visit.wait_until_drawn()
    assert first_visit.page.evaluate("typeof Chart") == "function"
    assert 20_000 < sum(loaded) < 250_000
