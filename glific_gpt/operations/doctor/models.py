"""Check that the organization may use its default model, for flows that name none."""

from collections.abc import Sequence

from glific_gpt.database import transaction
from glific_gpt.errors import N_, ModelNotAllowed
from glific_gpt.models import allowlist
from glific_gpt.openai.hosts import host_of, serves_openai
from glific_gpt.operations.doctor.results import CheckResult, CheckStatus
from glific_gpt.organizations import server_models, store
from glific_gpt.organizations.credentials import reachable_models as catalogue
from glific_gpt.organizations.credentials import store as credentials
from glific_gpt.organizations.tables import Organization
from glific_gpt.services import services

MSG_NO_MODEL = N_("No text model is allowed.")
REMEDY_ALLOW = N_("Allow at least one text model that the key can use.")
MSG_REFUSED = N_("%(refusal)s This is the default model.")
REMEDY_CHOOSE = N_("Choose another default model.")
REMEDY_CHOOSE_OR_ALLOW = N_("Choose another default model, or allow this one.")
MSG_UNLISTED = N_("OpenAI does not list the default model %(model)s for this key.")
MSG_UNLISTED_ELSEWHERE = N_("The server of this key, %(host)s, does not list the default model %(model)s.")
MSG_FALLBACK_REFUSED = N_("%(refusal)s It is the fallback model, which is therefore not asked.")
REMEDY_FALLBACK = N_("Choose another fallback model, or allow this one.")
MSG_FALLBACK_UNLISTED = N_("OpenAI does not list the fallback model %(model)s for this key.")
REMEDY_OTHER_FALLBACK = N_("Choose another fallback model.")
MSG_ALLOWED = N_("The default model is %(model)s. %(count)s text models are allowed.")


def check_models(slug: str) -> CheckResult:
    """Check the default model against the lists of allowed models and the models of the key."""
    operator, provider = services().settings.models, services().model_provider
    with transaction() as session:
        organization = store.find(session, slug)
        credential = credentials.find_or_none(session, organization.id, provider)
        models = catalogue.list_reachable_models(session, organization, credential, operator)
        administrators = server_models.find_allowed_models(session)
    usable = [model.id for model in models if model.refusal is None]
    base_url = credential.base_url if credential else None
    # Only for a list of the key's own: without one, this server's list is used, which may lack a new model.
    is_listed = credential is not None and credential.models is not None
    if not usable and (is_listed or serves_openai(base_url)):
        command = f"flask models allow {slug} PATTERN..."
        return CheckResult("models", CheckStatus.PROBLEM, MSG_NO_MODEL, REMEDY_ALLOW, command=command)
    default = allowlist.canonical_id(organization.default_model or services().settings.default_model, base_url)
    refusal = allowlist.access_error(default, operator, administrators, organization.allowed_models)
    values: dict[str, object] = {"model": default, "count": len(usable), "refusal": refusal}
    command = f"flask organizations set {slug} --default-model MODEL"
    if refusal:
        remedy = REMEDY_CHOOSE_OR_ALLOW if isinstance(refusal, ModelNotAllowed) else REMEDY_CHOOSE
        return CheckResult("models", CheckStatus.PROBLEM, MSG_REFUSED, remedy, values, command=command)
    if is_listed and default not in usable:
        if base_url and not serves_openai(base_url):
            values = {"model": default, "host": host_of(base_url)}
            message, status = MSG_UNLISTED_ELSEWHERE, CheckStatus.PROBLEM
        else:
            message, status = MSG_UNLISTED, CheckStatus.WARNING
        return CheckResult("models", status, message, REMEDY_CHOOSE, values, command=command)
    lists = (operator, administrators, organization.allowed_models)
    warning = _check_fallback(organization, base_url, lists, usable if is_listed else None)
    return warning or CheckResult("models", CheckStatus.OK, MSG_ALLOWED, values=values)


def _check_fallback(
    organization: Organization,
    base_url: str | None,
    lists: tuple[Sequence[str], Sequence[str] | None, Sequence[str] | None],
    listed: list[str] | None,
) -> CheckResult | None:
    """Return a warning if the fallback model would not answer. `listed` has the key's usable models, if known."""
    if organization.fallback_model is None:
        return None
    model = allowlist.canonical_id(organization.fallback_model, base_url)
    command = f"flask organizations set {organization.slug} --fallback-model MODEL"
    if refusal := allowlist.access_error(model, *lists):
        values: dict[str, object] = {"refusal": refusal}
        return CheckResult(
            "models", CheckStatus.WARNING, MSG_FALLBACK_REFUSED, REMEDY_FALLBACK, values, command=command
        )
    if listed is not None and model not in listed:
        values = {"model": model}
        return CheckResult(
            "models", CheckStatus.WARNING, MSG_FALLBACK_UNLISTED, REMEDY_OTHER_FALLBACK, values, command=command
        )
    return None
