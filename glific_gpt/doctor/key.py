"""Does OpenAI accept the organization's key?"""

from glific_gpt.credentials import store as credentials
from glific_gpt.credentials.tables import Credential
from glific_gpt.database import transaction
from glific_gpt.doctor.findings import Finding, Verdict
from glific_gpt.errors import N_, CredentialMissing, GlificGptError, InvalidApiKey, RateLimited
from glific_gpt.openai.failures import RESTRICTED
from glific_gpt.organizations import store
from glific_gpt.services import services
from glific_gpt.usage.key_status import KeyState, key_state, last_word

NAME = "key"

MISSING = N_("There is no OpenAI key yet.")
ADD = N_("Add the organization's own key, from platform.openai.com.")
OFF = N_("The OpenAI key that ends in %(last4)s is switched off.")
SWITCH_ON = N_("Switch it on.")
REPLACE = N_("Replace it with a key that is valid.")
WAIT = N_("Look again in a minute. If it stays so, tell the administrators of this server.")
MAY_NOT_LIST = N_(
    "OpenAI does not let the key that ends in %(last4)s list its models, so only a question shows whether it answers."
)
LET_LIST = N_("At platform.openai.com, give the key permission to list and to use models.")
GOOD = N_("OpenAI accepts the key that ends in %(last4)s.")
NO_CREDIT = N_("OpenAI accepts the key that ends in %(last4)s, but said lately that its account has no credit left.")
ADD_CREDIT = N_("Add credit at platform.openai.com under Billing, if nobody has done so since.")


def look(slug: str) -> Finding:
    row = _saved(slug)
    save = f"flask credentials set {slug} open_ai --api-key-stdin"
    if row is None:
        return Finding(NAME, Verdict.PROBLEM, MISSING, ADD, command=save)
    if not row.is_active:
        switch = f"flask credentials activate {slug} open_ai"
        return Finding(NAME, Verdict.PROBLEM, OFF, SWITCH_ON, {"last4": row.last4}, command=switch)
    return _asked(row, save)


def _asked(row: Credential, save: str) -> Finding:
    """What OpenAI says to it. Which models it reaches now is kept, for the next check and for everybody."""
    try:
        credentials.again(services().vault, row.organization_id, services().language_models)
    except (InvalidApiKey, CredentialMissing) as error:
        if str(error) == RESTRICTED:
            return Finding(NAME, Verdict.WARNING, MAY_NOT_LIST, LET_LIST, {"last4": row.last4}, error_code=error.code)
        return Finding(NAME, Verdict.PROBLEM, str(error), REPLACE, command=save, error_code=error.code)
    except GlificGptError as error:
        # With too many requests of one minute it is the minute that is wrong, not the key.
        verdict = Verdict.WARNING if isinstance(error, RateLimited) else Verdict.PROBLEM
        return Finding(NAME, verdict, str(error), WAIT, error_code=error.code)
    values = {"last4": row.last4}
    if _had_no_credit(row):
        return Finding(NAME, Verdict.WARNING, NO_CREDIT, ADD_CREDIT, values)
    return Finding(NAME, Verdict.OK, GOOD, values=values)


def _saved(slug: str) -> Credential | None:
    with transaction() as session:
        return credentials.find_if_any(session, store.find(session, slug).id, services().language_models)


def _had_no_credit(row: Credential) -> bool:
    with transaction() as session:
        word = session.scalar(last_word(row.organization_id, row.updated_at))
    return key_state(row, word) is KeyState.OUT_OF_CREDIT
