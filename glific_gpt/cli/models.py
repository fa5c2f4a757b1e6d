"""flask models: allowed models and their prices."""

import click

from glific_gpt.cli.arguments import slug
from glific_gpt.cli.group import Group
from glific_gpt.cli.output import format_fields, format_table, json_option, print_result, to_json
from glific_gpt.database import transaction
from glific_gpt.models.kinds import ModelKind
from glific_gpt.organizations import server_models, store
from glific_gpt.organizations.changes import validate_changes
from glific_gpt.organizations.credentials import reachable_models as catalogue
from glific_gpt.organizations.credentials import store as credentials
from glific_gpt.organizations.credentials.reachable_models import ModelAccess
from glific_gpt.organizations.tables import Organization
from glific_gpt.schemas import ModelView, OrganizationView
from glific_gpt.services import services

COLUMNS = {
    "id": "MODEL",
    "kind": "KIND",
    "allowed": "ALLOWED",
    "input_usd_per_million_tokens": "USD/M IN",
    "output_usd_per_million_tokens": "USD/M OUT",
    "reason": "REASON",
}
SETTING = "GLIFIC_GPT_MODELS"
NO_VERIFIED_KEY = "All models that this server knows are listed, because the organization has no verified key."

models = Group(
    "models",
    short_help="Allowed models and their prices.",
    help="""Manage which models organizations may use. Only text models can be used. A list of patterns restricts
    them further. It cannot allow models that the server's operator does not allow.

    \b
    Example:
      flask models list seva-trust --text
      flask models allow seva-trust 'gpt-4o*' gpt-5-mini
      flask models server 'gpt-4o*' 'gpt-5*'
    """,
)


@models.command("list")
@slug
@click.option("--text", "text_only", is_flag=True, help="Only text models.")
@json_option
def list_(*, slug: str, text_only: bool) -> None:
    """List the models of an organization's key. Prices are in US dollars per million tokens."""
    _, models, is_verified = _look_up(slug)
    rows = [to_json(ModelView.of(model)) for model in models if model.kind is ModelKind.TEXT or not text_only]
    text = format_table(rows, COLUMNS) if rows else "The key cannot use any such model."
    print_result(rows, text if is_verified else f"{text}\n\n{NO_VERIFIED_KEY}")


@models.command("allow")
@slug
@click.argument("patterns", nargs=-1, metavar="[PATTERN]...")
@click.option("--all", "all_models", is_flag=True, help="Every model that the operator allows.")
@click.option("--none", "no_models", is_flag=True, help="No model at all.")
@json_option
def allow(*, slug: str, patterns: tuple[str, ...], all_models: bool, no_models: bool) -> None:
    """Replace the list of allowed models.

    A pattern is a model's name, or a part of it with * for the rest. Put it in quotes, so that the shell does not
    expand it.
    """
    allowed = _parse_choice(patterns, all_models=all_models, no_models=no_models)
    with transaction() as session:
        store.update(session, store.find(session, slug), validate_changes(allowed_models=allowed))
    row, models, is_verified = _look_up(slug)
    allowlist = "all that the server allows" if row.allowed_models is None else row.allowed_models
    usable = [model.id for model in models if model.refusal is None]
    text = [model for model in models if model.kind is ModelKind.TEXT]
    source = "of the key" if is_verified else "that this server knows"
    matches = f"{len(usable)} of the {len(text)} text models {source} are allowed."
    view = OrganizationView.of(row, services().settings.public_url)
    print_result(to_json(view), f"{format_fields({'allowed_models': allowlist})}\n{matches}")


@models.command("server")
@click.argument("patterns", nargs=-1, metavar="[PATTERN]...")
@click.option("--all", "all_models", is_flag=True, help="Every model that GLIFIC_GPT_MODELS allows.")
@click.option("--none", "no_models", is_flag=True, help="No model at all.")
@json_option
def server(*, patterns: tuple[str, ...], all_models: bool, no_models: bool) -> None:
    """Show or replace the list of models of the whole server.

    Without a pattern, the command only shows the list. A model must be on this list and in GLIFIC_GPT_MODELS. Changes
    take effect with the next call.
    """
    is_change = bool(patterns) or all_models or no_models
    new_list = _parse_choice(patterns, all_models=all_models, no_models=no_models) if is_change else None
    with transaction() as session:
        if is_change:
            server_models.set_allowed_models(session, new_list)
        allowed = server_models.find_allowed_models(session)
    data = {"allowed_models": allowed, "outer_limit": list(services().settings.models)}
    allowlist = f"all that {SETTING} allows" if allowed is None else allowed
    print_result(data, format_fields({"allowed_models": allowlist, SETTING: data["outer_limit"]}))


def _parse_choice(patterns: tuple[str, ...], *, all_models: bool, no_models: bool) -> list[str] | None:
    """Return the new list, or None for all models. Raises click.UsageError unless exactly one choice is given."""
    if [bool(patterns), all_models, no_models].count(True) != 1:
        raise click.UsageError("Give patterns such as 'gpt-4o*', or --all, or --none.")
    if not all(pattern.strip() for pattern in patterns):
        raise click.UsageError("A pattern is empty. To allow no model, give --none.")
    return None if all_models else list(patterns)


def _look_up(slug: str) -> tuple[Organization, list[ModelAccess], bool]:
    """Return the organization, its models, and whether the models come from a verified key."""
    with transaction() as session:
        row = store.find(session, slug)
        key = credentials.find_or_none(session, row.id, services().model_provider)
        reached = catalogue.list_reachable_models(session, row, key, services().settings.models)
    return row, reached, key is not None and key.models is not None
