"""Check that flows can authenticate their calls: by a webhook token or by Glific's signature."""

from glific_gpt.database import transaction
from glific_gpt.errors import N_, NotReady
from glific_gpt.operations.doctor.results import REMEDY_KEYS, CheckResult, CheckStatus
from glific_gpt.operations.doctor.temporary_token import list_flow_tokens
from glific_gpt.organizations import store
from glific_gpt.organizations.connections.store import decrypt_phrase
from glific_gpt.organizations.tables import Organization
from glific_gpt.services import services

MSG_NO_PHRASE = N_("Calls must be signed, but no webhook signature is set. All calls are refused.")
MSG_UNREADABLE_PHRASE = N_("The server's encryption keys cannot read the webhook signature. Signed calls are refused.")
REMEDY_PHRASE = N_("Set the webhook signature, the same one here and in Glific.")
MSG_NO_AUTHENTICATION = N_("There is neither a webhook token nor a webhook signature. All calls are refused.")
REMEDY_TOKEN = N_("Download a ready flow, which has its own token, or create a webhook token.")
MSG_SIGNATURE_ONLY = N_("Only calls that Glific signs are accepted.")
MSG_TOKEN_OR_SIGNATURE = N_("Calls with a webhook token, and calls that Glific signs, are accepted.")
MSG_TOKEN_ONLY = N_("Calls with a webhook token are accepted.")


def check_authentication(slug: str) -> CheckResult:
    """Check that at least one method of authentication works."""
    with transaction() as session:
        organization = store.find(session, slug)
        has_token = bool(list_flow_tokens(session, organization))
    set_command = f"flask signature set {slug} --phrase-stdin"
    if organization.require_signature and organization.signature_phrase is None:
        return CheckResult("signature", CheckStatus.PROBLEM, MSG_NO_PHRASE, REMEDY_PHRASE, command=set_command)
    try:
        decrypt_phrase(services().vault, organization)
    except NotReady as error:
        works_by_token = has_token and not organization.require_signature
        status = CheckStatus.WARNING if works_by_token else CheckStatus.PROBLEM
        return CheckResult("signature", status, MSG_UNREADABLE_PHRASE, REMEDY_KEYS, error_code=error.code)
    if organization.signature_phrase is None and not has_token:
        command = f"flask tokens create {slug} --label LABEL"
        return CheckResult("signature", CheckStatus.PROBLEM, MSG_NO_AUTHENTICATION, REMEDY_TOKEN, command=command)
    return CheckResult("signature", CheckStatus.OK, _accepted_methods(organization, has_token=has_token))


def _accepted_methods(organization: Organization, *, has_token: bool) -> str:
    if organization.require_signature or not has_token:
        return MSG_SIGNATURE_ONLY
    return MSG_TOKEN_OR_SIGNATURE if organization.signature_phrase else MSG_TOKEN_ONLY
