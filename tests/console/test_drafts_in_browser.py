"""Typed text survives the end of a session: typing is activity, and what was typed before a sign-in comes back."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import time_machine
from playwright.sync_api import Page, expect

from glific_gpt.accounts.tables import Role
from tests.console.conftest import OpenWindow
from tests.console.users import PASSWORD, ConsoleUser, create_user
from tests.support.chromium import Window
from tests.support.server import TestOrganization

SETTINGS = "/console/organizations/alice/settings"
SIGN_IN = "/console/account/sign-in"
TEXT = "Sorry, please ask your health worker."
PHRASE = "a phrase that only Glific knows"
RESTORED = "The text that you typed before you signed in is back in the form. It is not saved yet."
HOUR = 3600


@contextmanager
def server_later(hours: float) -> Iterator[None]:
    """Move the server's clock, and not that of the browser."""
    with time_machine.travel(time.time() + hours * HOUR):
        yield


def type_texts(page: Page) -> None:
    page.get_by_label("Message when there is no answer").fill(TEXT)
    page.locator("[data-secret='#phrase']").click()  # the field of the secret is a text field now
    page.locator("#phrase").fill(PHRASE)


def sign_in(page: Page, email: str) -> None:
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


@contextmanager
def lost_session(shown: Window) -> Iterator[Page]:
    """Send the form after the session has ended. The server's clock stays at that time."""
    page = shown.page
    shown.open(SETTINGS)
    type_texts(page)
    with server_later(2.1):
        page.locator("form:has(#fallback_message)").get_by_role("button", name="Save").click()
        expect(page.get_by_text("without activity")).to_be_visible()
        yield page


def test_a_form_that_was_sent_too_late_is_filled_again_after_the_sign_in(
    open_window: OpenWindow, owner: ConsoleUser, alice: TestOrganization
) -> None:
    shown = open_window(owner)
    with lost_session(shown) as page:
        assert PHRASE not in str(page.evaluate("JSON.stringify(sessionStorage)"))
        sign_in(page, owner.email)
        expect(page.get_by_text(RESTORED)).to_be_visible()
        assert shown.path() == SETTINGS
        assert page.get_by_label("Message when there is no answer").input_value() == TEXT
        assert page.locator("#phrase").input_value() == ""
        page.locator("form:has(#fallback_message)").get_by_role("button", name="Save").click()
        expect(page.get_by_text("saved").first).to_be_visible()
        assert page.evaluate("sessionStorage.getItem('draft')") is None
        assert page.get_by_text(RESTORED).is_hidden()
    assert shown.violations == []


def test_another_person_does_not_get_the_text(
    open_window: OpenWindow, owner: ConsoleUser, alice: TestOrganization
) -> None:
    shown = open_window(owner)
    other = create_user(alice.server, "other@alice.example.org", Role.OWNER, alice.slug)
    other.client.close()
    with lost_session(shown) as page:
        sign_in(page, other.email)
        expect(page.get_by_label("Message when there is no answer")).to_be_visible()
        assert page.get_by_label("Message when there is no answer").input_value() != TEXT
        assert page.evaluate("sessionStorage.getItem('draft')") is None


def test_a_person_who_signs_out_leaves_no_text(open_window: OpenWindow, owner: ConsoleUser) -> None:
    shown = open_window(owner)
    shown.open(SETTINGS)
    type_texts(shown.page)
    shown.page.get_by_role("button", name="Sign out").click()
    expect(shown.page.get_by_label("E-mail")).to_be_visible()
    assert shown.page.evaluate("sessionStorage.getItem('draft')") is None


def test_text_that_was_left_without_a_sign_in_does_not_come_back(open_window: OpenWindow, owner: ConsoleUser) -> None:
    shown = open_window(owner)
    shown.open(SETTINGS)
    type_texts(shown.page)
    shown.open("/console/account/")
    shown.open(SETTINGS)
    assert shown.page.get_by_label("Message when there is no answer").input_value() != TEXT


def test_typing_is_activity(open_window: OpenWindow, owner: ConsoleUser) -> None:
    shown = open_window(owner)
    page = shown.page
    page.clock.install()
    shown.open(SETTINGS)
    with server_later(1.5):
        page.clock.fast_forward(301_000)
        with page.expect_response(lambda answer: answer.request.method == "HEAD") as head:
            page.get_by_label("Message when there is no answer").press_sequentially("a")
        assert head.value.status == 200
        page.get_by_label("Message when there is no answer").press_sequentially("b")  # too early for another report
    with server_later(3):
        shown.open(SETTINGS)
        assert shown.path() == SETTINGS
