"""The application factory, the table of entry points with their authentication, and the handlers of other errors."""

from typing import NamedTuple

import structlog
from flask import Blueprint, Flask, Response, request
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.openapi import OpenAPI
from werkzeug.exceptions import HTTPException

from glific_gpt import api, console, errors, logging, monitoring, webhooks
from glific_gpt.accounts import passwords
from glific_gpt.accounts.sign_in import security
from glific_gpt.calls.deferred.background import BackgroundCalls
from glific_gpt.calls.deferred.deferral import Deferrer
from glific_gpt.calls.deferred.delivery import DeliveryStep
from glific_gpt.calls.deferred.late_answers import LateAnswers
from glific_gpt.calls.deferred.waiting_limit import WaitingLimit
from glific_gpt.calls.deferred.workflow import AnswerStep, DeferredWorkflow
from glific_gpt.calls.pipeline import Pipeline
from glific_gpt.calls.request import Admission
from glific_gpt.calls.request_limits import RequestLimits, open_storage
from glific_gpt.calls.slots import CallSlots
from glific_gpt.calls.tables import FAILED_DELIVERY_STATES
from glific_gpt.console import error_pages
from glific_gpt.database import db, migrations
from glific_gpt.database.connection_shares import share_out
from glific_gpt.database.engines import init_engines, parse_url
from glific_gpt.durable import WorkflowEngine
from glific_gpt.emails import outbox, smtp
from glific_gpt.emails.outbox import Outbox
from glific_gpt.emails.sending import EmailWorkflow
from glific_gpt.errors import MSG_MANY_PAGES, MSG_TWO_TESTS, SettingsError, errors_by_code
from glific_gpt.functions import registry
from glific_gpt.glific.client import GlificClient
from glific_gpt.metrics import recording
from glific_gpt.models.kinds import ModelKind, classify_model
from glific_gpt.openai.hosts import OpenAiHosts
from glific_gpt.operations.metrics_folder import metrics_folder
from glific_gpt.organizations.credentials.providers import OpenAi
from glific_gpt.organizations.token_uses import TokenUses
from glific_gpt.runtime.organization_limit import OrganizationLimit
from glific_gpt.services import EXTENSION, MAX_PAGES, MAX_WAITING_PAGES, Services
from glific_gpt.settings import MAX_FORM_BYTES, Settings
from glific_gpt.vault import Vault, derive_key
from glific_gpt.webhooks import paths

log = structlog.get_logger()


class EntryPoint(NamedTuple):
    """A blueprint, and the authentication that its requests need."""

    blueprint: Blueprint
    auth: str


ENTRY_POINTS = (
    EntryPoint(webhooks.blueprint, "a webhook token of the organization, or Glific's signature"),
    EntryPoint(api.blueprint, "an API token: an administrator's, or the organization's own"),
    EntryPoint(api.documents, "none: the description of the API is public"),
    EntryPoint(monitoring.health, "none: it says up or down and nothing else"),
    EntryPoint(monitoring.blueprint, "the token for metrics; without one there is no such page"),
    EntryPoint(console.blueprint, "a session of a user, and the user's role in the organization"),
    EntryPoint(console.root, "none: it redirects to the console"),
    EntryPoint(security.blueprint, "none: these are the sign-in pages"),
)


def create_app(settings: Settings, *, commands: bool = True) -> Flask:
    """Create an app. Servers pass `commands=False`, because importing the commands takes time.

    Raises SettingsError if a setting or a plugin cannot be used.
    """
    # 1. Logs come first, so that nothing is written before secrets are redacted.
    logging.configure(settings.log_level)
    # 2. The app itself.
    app = OpenAPI("glific_gpt", static_folder=None, doc_ui=False, **api.DESCRIPTION)
    app.openapi_version = "3.1.0"
    app.config["SECRET_KEY"] = settings.secret_key.get_secret_value()
    app.config["MAX_CONTENT_LENGTH"] = MAX_FORM_BYTES  # routes that accept more set request.max_content_length
    app.url_map.merge_slashes = False  # merging answers with a redirect, which Glific counts as a failure
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    # 3. The database.
    init_engines(app, settings.database_url, share_out(settings.database_connections))
    # 4. The services that the entry points share.
    app.extensions[EXTENSION] = app_services = make_services(settings)
    _configure_metrics(settings, app_services)
    # 5. E-mail and sign-in.
    smtp.init(app, settings)
    outbox.init(app, app_services.outbox)
    security.init(app, settings)
    # 6. The entry points, and the error handlers for requests that match none.
    for entry_point in ENTRY_POINTS:
        if entry_point.blueprint is monitoring.blueprint and settings.metrics_token is None:
            continue
        if isinstance(entry_point.blueprint, APIBlueprint):
            app.register_api(entry_point.blueprint)
        else:
            app.register_blueprint(entry_point.blueprint)
    console.init(app)
    # Flask itself answers with an HTML page, which neither Glific nor a client of the JSON API can read.
    app.register_error_handler(HTTPException, _handle_http_error)
    app.register_error_handler(Exception, _handle_unexpected_error)
    _add_response_headers(app, settings)
    # 7. The commands, including those of Flask-Migrate.
    if commands:
        _add_commands(app)
    return app


def _configure_metrics(settings: Settings, app_services: Services) -> None:
    if settings.metrics_token is None:
        return
    classes: dict[str, str] = {code: error.error_class for code, error in errors_by_code().items()}
    # The cause of a failed delivery is not known: the flow, the organization's Glific, or this server.
    classes |= dict.fromkeys(FAILED_DELIVERY_STATES, "")
    folder = metrics_folder(settings, parse_url(settings.database_url))
    recording.configure(folder, app_services.functions.names(), classes)


def _add_response_headers(app: Flask, settings: Settings) -> None:
    headers = tuple(settings.response_headers().items())

    @app.after_request
    def _add(response: Response) -> Response:
        for name, value in headers:
            response.headers[name] = value  # `update` takes twice as long, in each call
        return response


def _handle_http_error(error: HTTPException) -> Response:
    if paths.is_webhook(request.path):
        return webhooks.respond_to_http_error(error)
    if _is_page():
        return error_pages.render_http_error(error)
    return api.respond_to_http_error(error)


def _handle_unexpected_error(error: Exception) -> Response:
    """Log the traceback, without secrets, and answer with a general message."""
    log.exception("request_failed", endpoint=request.endpoint, reason=type(error).__name__)
    if paths.is_webhook(request.path):
        return webhooks.respond_with_error(errors.UpstreamError(errors.MSG_INTERNAL_ERROR))
    if _is_page():
        return error_pages.render_unexpected_error()
    return api.problem_response(errors.InternalError())


def _is_page() -> bool:
    return request.path == "/" or request.path.startswith("/console")


def create_help_app(error: SettingsError) -> Flask:
    """Create an app without settings that can show the --help of each command. Other uses of a command fail with the
    error's message.
    """
    from glific_gpt import cli

    app = OpenAPI("glific_gpt", static_folder=None, doc_ui=False)
    _add_commands(app)
    cli.limit_to_help(app, error)
    return app


def _add_commands(app: Flask) -> None:
    # Imported here, because servers do not need the commands and importing them takes time.
    from flask_migrate import Migrate

    from glific_gpt import cli

    Migrate().init_app(app, db, directory=str(migrations.DIRECTORY), render_as_batch=True)
    cli.register(app)


def make_services(settings: Settings) -> Services:
    """Raises SettingsError for an unusable plugin, host pattern or rate limit storage, or a model that is not text."""
    if classify_model(settings.default_model) is not ModelKind.TEXT:
        raise SettingsError("GLIFIC_GPT_DEFAULT_MODEL is not a text model. Choose a text model such as gpt-4o.")
    vault = Vault(settings.encryption_keys)
    open_ai = OpenAi(settings.openai_base_url, OpenAiHosts(settings.openai_hosts))
    functions = registry.load()
    glific = GlificClient(settings.glific_hosts)
    admission = Admission(settings, vault, functions, open_ai)
    engine = WorkflowEngine(
        parse_url(settings.database_url),
        share_out(settings.database_connections),
        max_concurrent=settings.max_deferred_calls,
        max_concurrent_per_partition=settings.max_deferred_calls_per_organization,
    )
    background = BackgroundCalls(
        settings.max_in_flight,
        max_calls=settings.max_deferred_calls,
        max_calls_per_organization=settings.max_deferred_calls_per_organization,
        organization_share=settings.organization_share,
    )
    waiting_limit = WaitingLimit(
        settings.max_waiting_calls_per_organization, settings.max_waiting_megabytes_per_organization
    )
    deferrer = Deferrer(settings, vault, engine, LateAnswers(vault, engine), waiting_limit)
    request_limits = RequestLimits(open_storage(settings.rate_limit_storage_url.get_secret_value()))
    return Services(
        settings=settings,
        vault=vault,
        functions=functions,
        model_provider=open_ai,
        glific=glific,
        engine=engine,
        deferred_workflow=DeferredWorkflow(AnswerStep(admission, vault), DeliveryStep(vault, glific)),
        outbox=Outbox(vault, engine, derive_key(settings.secret_key, "emails:recipients")),
        email_workflow=EmailWorkflow(vault, {passwords.RESET_LINK: passwords.compose_reset_email}),
        pipeline=Pipeline(admission, vault, deferrer, background, request_limits),
        slots=CallSlots(settings.max_in_flight, settings.organization_share),
        token_uses=TokenUses(),
        waiting_pages=OrganizationLimit(MAX_WAITING_PAGES, MSG_TWO_TESTS),
        pages=OrganizationLimit(MAX_PAGES, MSG_MANY_PAGES),
    )
