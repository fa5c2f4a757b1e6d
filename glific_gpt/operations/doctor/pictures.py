"""Report which model looks at pictures, and who downloads them."""

from glific_gpt.database import transaction
from glific_gpt.errors import N_
from glific_gpt.models import allowlist
from glific_gpt.openai.hosts import host_of, serves_openai
from glific_gpt.openai.traits import accepts_pictures
from glific_gpt.operations.doctor.results import CheckResult, CheckStatus
from glific_gpt.organizations import store
from glific_gpt.organizations.credentials import store as credentials
from glific_gpt.services import services

MSG_NO_PICTURES = N_(
    "The default model %(model)s cannot read pictures. Flows that use parse_via_gpt_vision must name another model, "
    "such as gpt-4o-mini."
)
MSG_PASSED_ON = N_("The default model %(model)s reads pictures. OpenAI downloads them from their addresses.")
MSG_PASSED_TO_SERVER = N_(
    "Pictures are sent to the server %(host)s, which downloads them from their addresses. It is not known whether the "
    "default model %(model)s reads them."
)
MSG_FETCHED_FOR_SERVER = N_(
    "This server downloads pictures and sends them to the server %(host)s. It is not known whether the default model "
    "%(model)s reads them."
)
MSG_FETCHED = N_("The default model %(model)s reads pictures. This server downloads them.")


def check_pictures(slug: str) -> CheckResult:
    """Report it. Nothing of this is a problem, because other functions need no pictures."""
    with transaction() as session:
        organization = store.find(session, slug)
        credential = credentials.find_or_none(session, organization.id, services().model_provider)
    base_url = credential.base_url if credential else None
    model = allowlist.canonical_id(organization.default_model or services().settings.default_model, base_url)
    values: dict[str, object] = {"model": model}
    if not accepts_pictures(model):
        return CheckResult("pictures", CheckStatus.OK, MSG_NO_PICTURES, values=values)
    if base_url and not serves_openai(base_url):
        message = MSG_FETCHED_FOR_SERVER if organization.fetch_images else MSG_PASSED_TO_SERVER
        values["host"] = host_of(base_url)
    else:
        message = MSG_FETCHED if organization.fetch_images else MSG_PASSED_ON
    return CheckResult("pictures", CheckStatus.OK, message, values=values)
