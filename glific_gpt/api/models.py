"""Route of models: those that an organization's key reaches, and which of them it may use."""

from flask import Response
from flask_openapi.models.tag import Tag
from pydantic import RootModel

from glific_gpt.api.blueprint import blueprint
from glific_gpt.api.problems import declared
from glific_gpt.api.requests import OrganizationPath
from glific_gpt.api.responses import answer
from glific_gpt.credentials import reachable_models
from glific_gpt.credentials import store as credentials
from glific_gpt.database import transaction
from glific_gpt.organizations import store
from glific_gpt.schemas import ModelView
from glific_gpt.services import services

TAG = Tag(name="Models", description="Language models, and the rest of what the provider has.")


class ModelList(RootModel[list[ModelView]]):
    """Every model that the key reached when it was verified; without such a key, every model that is known."""


@blueprint.get("/organizations/<slug>/models", tags=[TAG], responses={200: ModelList, **declared(404)})
def list_models(path: OrganizationPath) -> Response:
    """List models
    Each with its kind, whether the organization may use it, why not, and its prices. The provider is not asked.
    """
    app = services()
    with transaction() as session:
        organization = store.find(session, path.slug)
        credential = credentials.find_if_any(session, organization.id, app.language_models)
        found = reachable_models.reachable(session, organization, credential, app.settings.models)
    return answer(ModelList([ModelView.of(model) for model in found]))
