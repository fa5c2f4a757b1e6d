"""May the organization use the model that its flows get when they name none?"""

from glific_gpt.credentials import reachable_models as catalogue
from glific_gpt.credentials import store as credentials
from glific_gpt.database import transaction
from glific_gpt.doctor.findings import Finding, Verdict
from glific_gpt.errors import N_, ModelNotAllowed
from glific_gpt.models import allowlist
from glific_gpt.organizations import server_models, store
from glific_gpt.services import services

NAME = "models"

NONE = N_("No text model may be used.")
ALLOW = N_("Allow at least one text model that the key reaches.")
REFUSED = N_("%(refusal)s It is the model of flows that name none.")
CHOOSE = N_("Choose another default model.")
CHOOSE_OR_ALLOW = N_("Choose another default model, or allow this one.")
UNKNOWN = N_("OpenAI does not list %(model)s, the model of flows that name none, for this key.")
GOOD = N_("%(model)s is the model of flows that name none; %(count)s text models may be used.")


def look(slug: str) -> Finding:
    operator, provider = services().settings.models, services().language_models
    with transaction() as session:
        row = store.find(session, slug)
        key = credentials.find_if_any(session, row.id, provider)
        usable = [each.id for each in catalogue.reachable(session, row, key, operator) if each.refusal is None]
        administrators = server_models.find(session)
    model = allowlist.canonical(row.default_model or services().settings.default_model)
    refusal = allowlist.refusal(model, operator, administrators, row.allowed_models)
    values = {"model": model, "count": len(usable), "refusal": refusal}
    if not usable:
        return Finding(NAME, Verdict.PROBLEM, NONE, ALLOW, command=f"flask models allow {slug} PATTERN...")
    choose = f"flask organizations set {slug} --default-model MODEL"
    if refusal:
        remedy = CHOOSE_OR_ALLOW if isinstance(refusal, ModelNotAllowed) else CHOOSE
        return Finding(NAME, Verdict.PROBLEM, REFUSED, remedy, values, command=choose)
    if model not in usable and key is not None and key.models is not None:
        return Finding(NAME, Verdict.WARNING, UNKNOWN, CHOOSE, values, command=choose)
    return Finding(NAME, Verdict.OK, GOOD, values=values)
