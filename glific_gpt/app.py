"""The factory: create_app(settings) makes an app, step by step; DOORS names every way in and its lock."""

from threading import BoundedSemaphore
from typing import NamedTuple

from flask import Blueprint, Flask
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.openapi import OpenAPI

from glific_gpt import api, cli, fallbacks, health, webhooks
from glific_gpt.calls.admission import Admission
from glific_gpt.calls.run import Runner
from glific_gpt.catalogue.kinds import Kind, classify
from glific_gpt.credentials.open_ai import OpenAi
from glific_gpt.credentials.provider import Providers
from glific_gpt.database import db, migrations
from glific_gpt.database.session import prepare
from glific_gpt.errors import SettingsError
from glific_gpt.extensions import migrate
from glific_gpt.functions import registry
from glific_gpt.llm.gateway import Gateway
from glific_gpt.observability import logs
from glific_gpt.services import EXTENSION, Services
from glific_gpt.settings import MAX_BODY_BYTES, Settings
from glific_gpt.vault import Vault


class Door(NamedTuple):
    """A way in, and what a caller needs to come through it."""

    blueprint: Blueprint
    lock: str


DOORS = (
    Door(webhooks.blueprint, "a webhook token of the organization, or Glific's signature"),
    Door(api.blueprint, "an API token: an administrator's, or the organization's own"),
    Door(api.documents, "none: the description of the API holds nothing of anybody"),
    Door(health.blueprint, "none: it says up or down and nothing else"),
)


def create_app(settings: Settings) -> Flask:
    """A new app. Raises SettingsError for a plugin that cannot be taken."""
    # 1. Logs first, so that nothing is written before secrets are taken out.
    logs.configure()
    # 2. The app itself.
    app = OpenAPI("glific_gpt", static_folder=None, doc_ui=False, **api.DESCRIPTION)
    app.openapi_version = "3.1.0"
    app.config["SECRET_KEY"] = settings.secret_key.get_secret_value()
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES + 1  # one more, so that too many can be seen
    app.url_map.merge_slashes = False  # Glific takes a redirect for a failure
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    # 3. The database and its migrations.
    prepare(app, settings.database_url)
    migrate.init_app(app, db, directory=str(migrations.DIRECTORY), render_as_batch=True)
    # 4. What the doors share.
    app.extensions[EXTENSION] = make_services(settings)
    # 5. The doors, and what is said where there is none.
    for door in DOORS:
        if isinstance(door.blueprint, APIBlueprint):
            app.register_api(door.blueprint)
        else:
            app.register_blueprint(door.blueprint)
    fallbacks.register(app)
    # 6. The commands.
    cli.register(app)
    return app


def make_services(settings: Settings) -> Services:
    """Raises SettingsError for a plugin that cannot be taken, and for a default model that cannot answer."""
    if classify(settings.default_model) is not Kind.TEXT:
        raise SettingsError("GLIFIC_GPT_DEFAULT_MODEL is not a text model, and only those can answer.")
    vault = Vault(settings.encryption_keys)
    open_ai = OpenAi(Gateway(settings.openai_base_url))
    functions = registry.load()
    return Services(
        settings=settings,
        vault=vault,
        functions=functions,
        providers=Providers(open_ai),
        language_models=open_ai,
        runner=Runner(Admission(settings, vault, functions, open_ai), vault),
        slots=BoundedSemaphore(settings.max_in_flight),
    )
