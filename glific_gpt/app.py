"""The factory: create_app(settings) makes an app, step by step; DOORS names every way in and its lock."""

from threading import BoundedSemaphore
from typing import NamedTuple

from flask import Blueprint, Flask
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.openapi import OpenAPI

from glific_gpt import api, console, error_handlers, health, logging, webhooks
from glific_gpt.accounts import security
from glific_gpt.calls.deferred.background import BackgroundCalls, PendingUpstreamCalls
from glific_gpt.calls.deferred.deferral import Deferrer
from glific_gpt.calls.deferred.delivery import DeliveryStep
from glific_gpt.calls.deferred.workflow import AnswerStep, DeferredWorkflow
from glific_gpt.calls.pipeline import Pipeline
from glific_gpt.calls.request import Admission
from glific_gpt.credentials.providers import OpenAi, Providers
from glific_gpt.database import db, migrations
from glific_gpt.database.binding import address, prepare
from glific_gpt.durable import Engine
from glific_gpt.errors import SettingsError
from glific_gpt.functions import registry
from glific_gpt.glific.client import Glific
from glific_gpt.models.kinds import Kind, classify
from glific_gpt.openai.gateway import Gateway
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
    Door(console.blueprint, "a session of a person, and that person's role in the organization"),
    Door(console.front, "none: it leads to the console"),
    Door(security.blueprint, "none: it is where people sign in"),
)


def create_app(settings: Settings, *, commands: bool = True) -> Flask:
    """A new app; a server needs no commands, whose import takes time. Raises SettingsError for an unusable plugin."""
    # 1. Logs first, so that nothing is written before secrets are taken out.
    logging.configure()
    # 2. The app itself.
    app = OpenAPI("glific_gpt", static_folder=None, doc_ui=False, **api.DESCRIPTION)
    app.openapi_version = "3.1.0"
    app.config["SECRET_KEY"] = settings.secret_key.get_secret_value()
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES + 1  # one more, so that too many can be seen
    app.url_map.merge_slashes = False  # Glific takes a redirect for a failure
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    # 3. The database.
    prepare(app, settings.database_url)
    # 4. What the doors share.
    app.extensions[EXTENSION] = make_services(settings)
    # 5. How people sign in.
    security.init(app, settings)
    # 6. The doors, and what is said where there is none.
    for door in DOORS:
        if isinstance(door.blueprint, APIBlueprint):
            app.register_api(door.blueprint)
        else:
            app.register_blueprint(door.blueprint)
    console.init(app)
    error_handlers.register(app)
    # 7. The commands, with those of migrations.
    if commands:
        from flask_migrate import Migrate

        from glific_gpt import cli

        Migrate().init_app(app, db, directory=str(migrations.DIRECTORY), render_as_batch=True)
        cli.register(app)
    return app


def make_services(settings: Settings) -> Services:
    """Raises SettingsError for a plugin or a pattern of hosts that cannot be taken, and a model that cannot answer."""
    if classify(settings.default_model) is not Kind.TEXT:
        raise SettingsError("GLIFIC_GPT_DEFAULT_MODEL is not a text model, and only those can answer.")
    vault = Vault(settings.encryption_keys)
    open_ai = OpenAi(Gateway(settings.openai_base_url))
    functions = registry.load()
    glific = Glific(settings.glific_hosts)
    admission = Admission(settings, vault, functions, open_ai)
    engine = Engine(
        address(settings.database_url),
        at_once=settings.max_deferred_calls,
        at_once_each=settings.max_deferred_calls_per_organization,
    )
    outlasting = BackgroundCalls(
        settings.max_in_flight, at_once=settings.max_deferred_calls, at_once_each=settings.max_deferred_calls_per_organization
    )
    in_flight = PendingUpstreamCalls()
    return Services(
        settings=settings,
        vault=vault,
        functions=functions,
        providers=Providers(open_ai),
        language_models=open_ai,
        glific=glific,
        engine=engine,
        later=DeferredWorkflow(AnswerStep(admission, vault, in_flight), DeliveryStep(vault, glific)),
        runner=Pipeline(admission, vault, Deferrer(vault, engine, in_flight), outlasting),
        slots=BoundedSemaphore(settings.max_in_flight),
    )
