"""The fallback message of an organization is sent to WhatsApp as written, and always fits."""

import pytest
from sqlalchemy import update

from glific_gpt.database import transaction
from glific_gpt.glific.text import MAX_MESSAGE_CHARACTERS
from glific_gpt.organizations.tables import Organization
from glific_gpt.settings import FALLBACK_MESSAGE
from tests.support.server import TestOrganization
from tests.webhooks.assertions import require_error


def get_shown_message(organization: TestOrganization) -> str:
    """Return the message that a contact gets when a call failed."""
    return str(organization.ask("").json()["parsed_msg"])


@pytest.mark.parametrize("message", ["<%" * 2047, "😀" * 4095, "a" * 4084 + "@contact.id"])
def test_it_always_fits_into_a_message(alice: TestOrganization, message: str) -> None:
    alice.change(fallback_message=message)
    text = get_shown_message(alice)
    assert MAX_MESSAGE_CHARACTERS - 10 <= len(text.encode("utf-16-le")) // 2 <= MAX_MESSAGE_CHARACTERS
    assert "<%" not in text
    assert "@contact" not in text


@pytest.mark.parametrize(
    "message", ["# Call **1800** _now_", "*Sorry!*\n\n1) Call us\n2) Wait", "```0 * 0```", "a  b\n\n\n- c", "क्षमा करें"]
)
def test_it_is_sent_as_written(alice: TestOrganization, message: str) -> None:
    alice.change(fallback_message=message)
    assert get_shown_message(alice) == message


def test_an_invisible_message_is_replaced_by_the_servers(alice: TestOrganization) -> None:
    with alice.server.app.app_context(), transaction() as session:
        session.execute(update(Organization).values(fallback_message="\u200b\u2060"))
    require_error(alice.ask(""), "empty_question", FALLBACK_MESSAGE)
