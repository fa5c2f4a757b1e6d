"""Messages from a flow to a person, and what WhatsApp or Glific would not let through."""

from typing import Any

from glific_gpt.glific.variables import find_unresolved
from glific_gpt.simulator import localization
from glific_gpt.simulator.context import Context
from glific_gpt.simulator.diary import TroubleCode
from glific_gpt.simulator.elixir import to_string
from glific_gpt.simulator.guards import check_text

LONGEST_MESSAGE = 4096
"""Characters of a message in WhatsApp."""


def send(context: Context, action: dict[str, Any]) -> None:
    """Raises Aborted for what Glific takes for a loop."""
    body = context.filled(localization.message_text(context, action))
    attached = [to_string(each) for each in localization.attachments(context, action) if to_string(each)]
    diary = context.world.diary
    if not body.strip() and not attached:
        diary.trouble(TroubleCode.EMPTY_MESSAGE, "A message without text cannot be sent.")
        return
    check_text(context, body)
    if len(body) > LONGEST_MESSAGE:
        says = f"A message of {len(body)} characters is refused by WhatsApp, which takes {LONGEST_MESSAGE}."
        diary.trouble(TroubleCode.TOO_LONG, says)
        return
    diary.flow(body)
    _tell(context, body, attached, templated=bool(action.get("templating")))


def _tell(context: Context, body: str, attached: list[str], *, templated: bool) -> None:
    diary = context.world.diary
    if attached:
        diary.note(f"With it comes {context.filled(attached[0])}")
    if templated:
        diary.note("It would be sent as a template, which is not simulated; this is its text in the flow.")
    for variable in find_unresolved(body):
        says = f"The person reads {variable}: there is nothing under that name, or it is empty."
        diary.trouble(TroubleCode.LITERAL_VARIABLE, says)
