"""Route of models: list the models of an organization."""

from flask import Response
from flask_openapi.models.tag import Tag
from pydantic import RootModel

from glific_gpt.api.blueprint import blueprint
from glific_gpt.api.problems import problem_specs
from glific_gpt.api.requests import OrganizationPath
from glific_gpt.api.responses import json_response
from glific_gpt.database import transaction
from glific_gpt.organizations import store
from glific_gpt.organizations.credentials import reachable_models
from glific_gpt.organizations.credentials import store as credentials
from glific_gpt.schemas import ModelView
from glific_gpt.services import services

TAG = Tag(name="Models", description="Models of the provider, including those that cannot be used.")


class ModelList(RootModel[list[ModelView]]):
    """Models that the organization's key could access when it was verified, or all known models without such a key."""


@blueprint.get("/organizations/<slug>/models", tags=[TAG], responses={200: ModelList, **problem_specs(404)})
def list_models(path: OrganizationPath) -> Response:
    """List models
    With the kind, the prices, and whether the organization may use the model. The provider is not asked.
    """
    app = services()
    with transaction() as session:
        organization = store.find(session, path.slug)
        credential = credentials.find_or_none(session, organization.id, app.model_provider)
        models = reachable_models.list_reachable_models(session, organization, credential, app.settings.models)
    return json_response(ModelList([ModelView.of(model) for model in models]))
