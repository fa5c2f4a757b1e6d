"""Who is let in: webhook tokens, Glific's signature, or nobody."""

from glific_gpt.connections.store import phrase_of
from glific_gpt.database import transaction
from glific_gpt.doctor import temporary_token
from glific_gpt.doctor.findings import Finding, Verdict
from glific_gpt.errors import N_
from glific_gpt.organizations import store
from glific_gpt.organizations.tables import Organization
from glific_gpt.services import services

NAME = "signature"

NO_PHRASE = N_("Calls must be signed, but no signature phrase is set: nobody is let in.")
SET_PHRASE = N_("Set the signature phrase, the same here and in Glific.")
UNREADABLE = N_("The signature phrase cannot be read with the server's encryption keys: no signed call is let in.")
NO_TOKEN = N_("There is neither a webhook token nor a signature phrase: nobody is let in.")
MAKE_TOKEN = N_("Make a flow, or a webhook token: each flow that is made here brings its own.")
SIGNED = N_("Calls that Glific signs are let in, and no others.")
EITHER = N_("Calls with a webhook token are let in, and calls that Glific signs.")
TOKENS = N_("Calls with a webhook token are let in.")


def look(slug: str) -> Finding:
    with transaction() as session:
        row = store.find(session, slug)
        has_token = bool(temporary_token.of_flows(session, row))
    set_phrase = f"flask signature set {slug} --phrase-stdin"
    if row.require_signature and row.signature_phrase is None:
        return Finding(NAME, Verdict.PROBLEM, NO_PHRASE, SET_PHRASE, command=set_phrase)
    if row.signature_phrase is not None and phrase_of(services().vault, row) is None:
        verdict = Verdict.WARNING if has_token and not row.require_signature else Verdict.PROBLEM
        return Finding(NAME, verdict, UNREADABLE, SET_PHRASE, command=set_phrase)
    if row.signature_phrase is None and not has_token:
        return Finding(NAME, Verdict.PROBLEM, NO_TOKEN, MAKE_TOKEN, command=f"flask tokens create {slug} --label LABEL")
    return Finding(NAME, Verdict.OK, _good(row, has_token=has_token))


def _good(row: Organization, *, has_token: bool) -> str:
    if row.require_signature or not has_token:
        return SIGNED
    return EITHER if row.signature_phrase else TOKENS
