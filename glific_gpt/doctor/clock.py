"""Does the server's clock tell the time that others have? Signatures are good for a quarter of an hour only."""

from glific_gpt.clock import Deadline, now
from glific_gpt.doctor import web
from glific_gpt.doctor.findings import Finding, Verdict
from glific_gpt.errors import N_
from glific_gpt.services import services

NAME = "clock"
SECONDS = 5
SOME_SECONDS = 30
MANY_SECONDS = 300

GOOD = N_("The server's clock is right.")
WRONG = N_("The server's clock differs by %(seconds)s seconds from OpenAI's.")
SET = N_("Have the server set its clock by the network (NTP): signatures and later answers depend on it.")
NOT_KNOWN = N_("Not compared: OpenAI did not tell its time.")


def look(_slug: str) -> Finding:
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
    if difference > SOME_SECONDS:
        verdict = Verdict.PROBLEM if difference > MANY_SECONDS else Verdict.WARNING
        return Finding(NAME, verdict, WRONG, SET, values)
    return Finding(NAME, Verdict.OK, GOOD)
