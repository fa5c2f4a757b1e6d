"""The test question after a key was saved. Only an answer shows that the account has credit."""

from flask_babel import gettext as _

from glific_gpt.console.access import current_organization
from glific_gpt.console.presenters import numbers
from glific_gpt.console.presenters.labels import translate, translate_error
from glific_gpt.console.test_call import make_test_call
from glific_gpt.errors import RateLimited
from glific_gpt.functions import parse_via_chat_gpt
from glific_gpt.services import services

QUESTION = "How much is two and two? Answer in one short sentence."


def ask_after_saving(done: str) -> tuple[str, str]:
    """Ask the question. Return a sentence that begins with `done`, and its category for `flash`."""
    organization = current_organization()
    try:
        with services().waiting_pages.hold(organization.slug):
            call = make_test_call(organization, parse_via_chat_gpt.function, {"question_text": QUESTION})
    except RateLimited as error:
        return f"{done} {translate_error(error)}", "warning"
    if call.is_answered:
        time = numbers.format_seconds(call.milliseconds)
        return f"{done} " + _("OpenAI answered a test question after %(time)s.", time=time), "success"
    reason = translate(str(call.outcome.body["error"]))
    return f"{done} " + _("But the test question got no answer: %(why)s", why=reason), "warning"
