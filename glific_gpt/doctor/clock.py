"""Does the server's clock tell the time that others have? Signatures are good for a quarter of an hour only."""

from glific_gpt.clock import Deadline, now
from glific_gpt.connections import store as connections
from glific_gpt.database import transaction
from glific_gpt.doctor import web
from glific_gpt.doctor.findings import Finding, Verdict
from glific_gpt.errors import N_
from glific_gpt.organizations import store
from glific_gpt.services import services

NAME = "clock"
SECONDS = 5
SOME_SECONDS = 30
MANY_SECONDS = 300

GOOD = N_("The server's clock is right.")
WRONG = N_("The server's clock differs by %(seconds)s seconds from OpenAI's.")
SET = N_("Have the server set its clock by the network (NTP): signatures are good for a quarter of an hour only.")
NOT_KNOWN = N_("Not compared: OpenAI did not tell its time.")


def look(slug: str) -> Finding:
    before = now()
    try:
        # Without a key it is refused, which costs nothing and tells the time as well.
        page = web.get(f"{services().settings.openai_base_url}/models", Deadline.after(SECONDS))
    except web.Unreachable:
        return Finding(NAME, Verdict.SKIPPED, NOT_KNOWN)
    if page.date is None:
        return Finding(NAME, Verdict.SKIPPED, NOT_KNOWN)
    difference = abs((page.date - (before + (now() - before) / 2)).total_seconds())
    values = {"seconds": round(difference)}
    if difference <= SOME_SECONDS:
        return Finding(NAME, Verdict.OK, GOOD)
    lets_in, tells_later = _needs_it(slug)
    if difference <= MANY_SECONDS or not (lets_in or tells_later):
        return Finding(NAME, Verdict.WARNING, WRONG, SET, values)
    return Finding(NAME, Verdict.PROBLEM, WRONG, SET, values, only_later=not lets_in)


def _needs_it(slug: str) -> tuple[bool, bool]:
    """Whether nobody is let in without a signature, and whether later answers are signed."""
    with transaction() as session:
        row = store.find(session, slug)
        connection = connections.find_if_any(session, row.id)
    return row.require_signature, connection is not None and connection.way == "signed"
