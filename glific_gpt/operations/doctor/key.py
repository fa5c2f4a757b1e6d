"""Check that OpenAI accepts the organization's key."""

from glific_gpt.database import transaction
from glific_gpt.errors import (
    MSG_RESTRICTED_KEY,
    N_,
    CredentialMissing,
    GlificGptError,
    InvalidApiKey,
    NotReady,
    RateLimited,
)
from glific_gpt.openai.hosts import host_of, serves_openai
from glific_gpt.openai.proxy import find_proxy
from glific_gpt.operations.doctor.results import REMEDY_KEYS, CheckResult, CheckStatus
from glific_gpt.organizations import store
from glific_gpt.organizations.credentials import store as credentials
from glific_gpt.organizations.credentials.tables import Credential
from glific_gpt.services import services
from glific_gpt.usage.key_status import KeyState, determine_key_state, find_last_result

MSG_MISSING = N_("There is no OpenAI key yet.")
REMEDY_ADD = N_("Add the organization's own key from platform.openai.com.")
MSG_INACTIVE = N_("The OpenAI key ending in %(last4)s is switched off.")
REMEDY_ACTIVATE = N_("Switch it on.")
REMEDY_REPLACE = N_("Replace it with a valid key.")
REMEDY_AGAIN = N_("Then check again. If you have a new key, save it.")
REMEDY_WAIT = N_("Check again in a minute. If the problem remains, tell the administrators of this server.")
MSG_CANNOT_LIST_MODELS = N_(
    "OpenAI does not let the key ending in %(last4)s list its models, so only a question shows whether it works."
)
REMEDY_PERMISSIONS = N_("At platform.openai.com, give the key permission to list and to use models.")
MSG_ACCEPTED = N_("OpenAI accepts the key ending in %(last4)s.")
MSG_ACCEPTED_ELSEWHERE = N_("The server %(host)s accepts the key ending in %(last4)s.")
MSG_NO_CREDIT = N_("OpenAI accepts the key ending in %(last4)s, but recently reported that its account has no credit.")
REMEDY_CREDIT = N_("Add credit at platform.openai.com under Billing, unless this has been done since.")


def check_key(slug: str) -> CheckResult:
    """Check that there is a key, that it is switched on, and that OpenAI accepts it."""
    with transaction() as session:
        credential = credentials.find_or_none(session, store.find(session, slug).id, services().model_provider)
    set_command = f"flask credentials set {slug} open_ai --api-key-stdin"
    if credential is None:
        return CheckResult("key", CheckStatus.PROBLEM, MSG_MISSING, REMEDY_ADD, command=set_command)
    values = {"last4": credential.last4}
    if not credential.is_active:
        command = f"flask credentials activate {slug} open_ai"
        return CheckResult("key", CheckStatus.PROBLEM, MSG_INACTIVE, REMEDY_ACTIVATE, values, command=command)
    if failure := _verify_with_openai(credential, set_command):
        return failure
    if _is_out_of_credit(credential):
        return CheckResult("key", CheckStatus.WARNING, MSG_NO_CREDIT, REMEDY_CREDIT, values)
    accepted = MSG_ACCEPTED
    if credential.base_url and not serves_openai(credential.base_url):
        accepted, values = MSG_ACCEPTED_ELSEWHERE, values | {"host": host_of(credential.base_url)}
    return CheckResult("key", CheckStatus.OK, accepted, values=values, detail=_describe_proxy(credential))


def _describe_proxy(credential: Credential) -> str:
    proxy = find_proxy(credential.base_url or services().settings.openai_base_url)
    return f"through the proxy {proxy.name}" if proxy else ""


def _verify_with_openai(credential: Credential, set_command: str) -> CheckResult | None:
    """Check the key at OpenAI, and save its list of models. Return None if OpenAI accepts the key."""
    try:
        credentials.recheck_saved_key(services().vault, credential.organization_id, services().model_provider)
    except (InvalidApiKey, CredentialMissing) as error:
        # A restricted key may be refused the list of models, and still be allowed to ask questions.
        if str(error) == MSG_RESTRICTED_KEY:
            return CheckResult(
                "key",
                CheckStatus.WARNING,
                MSG_CANNOT_LIST_MODELS,
                REMEDY_PERMISSIONS,
                {"last4": credential.last4},
                error_code=error.code,
            )
        return CheckResult(
            "key",
            CheckStatus.PROBLEM,
            str(error),
            # The other messages say what to do, which is not to replace the key.
            REMEDY_REPLACE if str(error) == error.default_message else REMEDY_AGAIN,
            command=set_command,
            error_code=error.code,
            detail=error.cause or "",
        )
    except GlificGptError as error:
        # A rate limit does not mean that the key is wrong.
        status = CheckStatus.WARNING if isinstance(error, RateLimited) else CheckStatus.PROBLEM
        remedy = REMEDY_KEYS if isinstance(error, NotReady) else REMEDY_WAIT
        return CheckResult("key", status, str(error), remedy, error_code=error.code, detail=error.cause or "")
    return None


def _is_out_of_credit(credential: Credential) -> bool:
    with transaction() as session:
        last_result = find_last_result(session, credential)
    return determine_key_state(credential, last_result) is KeyState.OUT_OF_CREDIT
