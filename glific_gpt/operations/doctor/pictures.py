"""Report which model looks at pictures, and who downloads them."""

from glific_gpt.database import transaction
from glific_gpt.errors import N_
from glific_gpt.models import allowlist
from glific_gpt.openai.traits import accepts_pictures
from glific_gpt.operations.doctor.results import CheckResult, CheckStatus
from glific_gpt.organizations import store
from glific_gpt.services import services

MSG_NO_PICTURES = N_(
    "The default model %(model)s cannot read pictures. Flows that use parse_via_gpt_vision must name another model, "
    "such as gpt-4o-mini."
)
MSG_PASSED_ON = N_("The default model %(model)s reads pictures. OpenAI downloads them from their addresses.")
MSG_FETCHED = N_("The default model %(model)s reads pictures. This server downloads them.")


def check_pictures(slug: str) -> CheckResult:
    """Report it. Nothing of this is a problem, because other functions need no pictures."""
    with transaction() as session:
        organization = store.find(session, slug)
    model = allowlist.canonical_id(organization.default_model or services().settings.default_model)
    message = MSG_FETCHED if organization.fetch_images else MSG_PASSED_ON
    values = {"model": model}
    return CheckResult(
        "pictures", CheckStatus.OK, message if accepts_pictures(model) else MSG_NO_PICTURES, values=values
    )
