"""flask models: which models an organization may use, and what they cost."""

import click

from glific_gpt.cli.arguments import slug
from glific_gpt.cli.group import Group
from glific_gpt.cli.output import emit, fields, json_option, plain, table
from glific_gpt.credentials import reachable_models as catalogue
from glific_gpt.credentials import store as credentials
from glific_gpt.credentials.reachable_models import Model
from glific_gpt.database import transaction
from glific_gpt.models.kinds import Kind
from glific_gpt.organizations import server_models, store
from glific_gpt.organizations.changes import checked
from glific_gpt.organizations.tables import Organization
from glific_gpt.schemas import ModelView, OrganizationView
from glific_gpt.services import services

COLUMNS = {
    "id": "MODEL",
    "kind": "KIND",
    "allowed": "ALLOWED",
    "input_usd_per_million_tokens": "USD/M IN",
    "output_usd_per_million_tokens": "USD/M OUT",
    "reason": "WHY NOT",
}
SETTING = "GLIFIC_GPT_MODELS"
NOT_ASKED = "These are the models that this server knows: no key was verified that says which ones it reaches."

models = Group(
    "models",
    short_help="Which models an organization may use.",
    help="""Which models an organization may use. Only text models can ever be used; a list of patterns narrows
    them further, and never reaches beyond what the server's operator allows.

    \b
    Example:
      flask models list seva-trust --text
      flask models allow seva-trust 'gpt-4o*' gpt-5-mini
      flask models server 'gpt-4o*' 'gpt-5*'
    """,
)


@models.command("list")
@slug
@click.option("--text", "text_only", is_flag=True, help="Only the text models.")
@json_option
def list_(*, slug: str, text_only: bool) -> None:
    """List the models that an organization's key reaches, and what a million tokens cost."""
    _, every, asked = _look_up(slug)
    rows = [plain(ModelView.of(model)) for model in every if model.kind is Kind.TEXT or not text_only]
    text = table(rows, COLUMNS) if rows else "The key reaches no such models."
    emit(rows, text if asked else f"{text}\n\n{NOT_ASKED}")


@models.command("allow")
@slug
@click.argument("patterns", nargs=-1, metavar="[PATTERN]...")
@click.option("--all", "everything", is_flag=True, help="Every model that the operator allows.")
@click.option("--none", "nothing", is_flag=True, help="No model at all.")
@json_option
def allow(*, slug: str, patterns: tuple[str, ...], everything: bool, nothing: bool) -> None:
    """Replace the list of models that an organization may use.

    A pattern is a model's name, or a part of it with * for the rest; quote it, so that the shell leaves it
    alone.
    """
    allowed = _chosen(patterns, everything=everything, nothing=nothing)
    with transaction() as session:
        store.change(session, store.find(session, slug), checked(allowed_models=allowed))
    row, every, asked = _look_up(slug)
    now = "all that the server allows" if row.allowed_models is None else row.allowed_models
    usable = [model.id for model in every if model.refusal is None]
    text = [model for model in every if model.kind is Kind.TEXT]
    which = "that the key reaches" if asked else "that this server knows"
    matches = f"{len(usable)} of the {len(text)} text models {which} may be used."
    view = OrganizationView.of(row, services().settings.public_url)
    emit(plain(view), f"{fields({'allowed_models': now})}\n{matches}")


@models.command("server")
@click.argument("patterns", nargs=-1, metavar="[PATTERN]...")
@click.option("--all", "everything", is_flag=True, help="Every model that GLIFIC_GPT_MODELS allows.")
@click.option("--none", "nothing", is_flag=True, help="No model at all.")
@json_option
def server(*, patterns: tuple[str, ...], everything: bool, nothing: bool) -> None:
    """Show or replace the list of models that all organizations may use.

    Without a pattern it only shows. GLIFIC_GPT_MODELS stays the outer limit: a model must be on both lists. It
    counts from the next call on.
    """
    asked_to_change = bool(patterns) or everything or nothing
    wanted = _chosen(patterns, everything=everything, nothing=nothing) if asked_to_change else None
    with transaction() as session:
        if asked_to_change:
            server_models.allow(session, wanted)
        allowed = server_models.find(session)
    data = {"allowed_models": allowed, "outer_limit": list(services().settings.models)}
    now = f"all that {SETTING} allows" if allowed is None else allowed
    emit(data, fields({"allowed_models": now, SETTING: data["outer_limit"]}))


def _chosen(patterns: tuple[str, ...], *, everything: bool, nothing: bool) -> list[str] | None:
    """The list to set; None is everything. Raises click's UsageError unless just one thing is asked for."""
    if [bool(patterns), everything, nothing].count(True) != 1:
        raise click.UsageError("Give patterns such as 'gpt-4o*', or --all, or --none.")
    if not all(pattern.strip() for pattern in patterns):
        raise click.UsageError("A pattern is empty; to allow no model at all, give --none.")
    return None if everything else list(patterns)


def _look_up(slug: str) -> tuple[Organization, list[Model], bool]:
    """The organization, its models, and whether the provider was asked for them."""
    with transaction() as session:
        row = store.find(session, slug)
        key = credentials.find_if_any(session, row.id, services().language_models)
        reached = catalogue.reachable(session, row, key, services().settings.models)
    return row, reached, key is not None and key.models is not None
