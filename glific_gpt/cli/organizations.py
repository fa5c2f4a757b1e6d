"""flask organizations: create, list, show, activate, deactivate, change settings, export and delete."""

from typing import Any

import click

from glific_gpt.cli.arguments import slug
from glific_gpt.cli.group import Group
from glific_gpt.cli.organization_data import delete, export_
from glific_gpt.cli.organization_settings import parse_changes, settings_options
from glific_gpt.cli.output import format_fields, format_secret, format_table, json_option, print_result, to_json
from glific_gpt.database import transaction
from glific_gpt.organizations import fallback_model, store, tokens
from glific_gpt.organizations.changes import OrganizationChanges, validate_changes
from glific_gpt.organizations.tables import DEFAULT_MEMORY_HOURS, Organization
from glific_gpt.schemas import OrganizationView, webhook_url
from glific_gpt.services import services
from glific_gpt.settings import FALLBACK_MESSAGE

EMPTY = 'No organizations yet. Create one: flask organizations create SLUG --name "NAME"'
COLUMNS = {
    "slug": "SLUG",
    "is_active": "ACTIVE",
    "default_model": "DEFAULT MODEL",
    "require_signature": "SIGNATURE REQUIRED",
    "name": "NAME",
}

organizations = Group(
    "organizations",
    short_help="Organizations that use this server.",
    help="""Manage the organizations (NGOs) that use this server. SLUG is the name of an organization in addresses.

    \b
    Example:
      flask organizations create seva-trust --name "Seva Trust"
      flask credentials set seva-trust open_ai --api-key-stdin
    """,
)


@organizations.command("create")
@slug
@click.option("--name", required=True, help="The display name.")
@json_option
def create(*, slug: str, name: str) -> None:
    """Create an organization and its first webhook token."""
    with transaction() as session:
        row = store.create(session, slug, name, services().settings.chosen_time_zone)
        _, token = tokens.create_webhook_token(session, row, tokens.FIRST_LABEL)
    address = webhook_url(services().settings.public_url, row.slug)
    data = {"slug": row.slug, "name": row.name, "webhook_url": address}
    usage = "The webhook node sends it in the header Authorization: Bearer <token>."
    next_step = f"\n\nNext, add its OpenAI key: flask credentials set {row.slug} open_ai --api-key-stdin"
    text = format_fields(data) + "\n" + format_secret("webhook_token", token, usage) + next_step
    print_result(data | {"webhook_token": token}, text)


@organizations.command("list")
@json_option
def list_() -> None:
    """List all organizations."""
    with transaction() as session:
        rows = [to_json(_view(row)) for row in store.list_organizations(session)]
    print_result(rows, format_table(rows, COLUMNS) if rows else EMPTY)


@organizations.command("show")
@slug
@json_option
def show(*, slug: str) -> None:
    """Show an organization and its settings."""
    with transaction() as session:
        view = _view(store.find(session, slug))
    print_result(to_json(view), _format(view))


@organizations.command("activate")
@slug
@json_option
def activate(*, slug: str) -> None:
    """Activate an organization, so that its calls are answered."""
    view = _change(slug, validate_changes(is_active=True))
    print_result(to_json(view), f"{slug} is active. Its calls are answered.")


@organizations.command("deactivate")
@slug
@json_option
def deactivate(*, slug: str) -> None:
    """Deactivate an organization. Its calls are refused."""
    view = _change(slug, validate_changes(is_active=False))
    print_result(to_json(view), f"{slug} is inactive. Its calls are refused. Nothing was deleted.")


@organizations.command("set")
@slug
@settings_options
@json_option
def set_(*, slug: str, **given: Any) -> None:
    """Change settings of an organization. Settings that are not given stay unchanged."""
    view = _change(slug, parse_changes(given))
    print_result(to_json(view), _format(view))


organizations.command("export")(export_)
organizations.command("delete")(delete)


def _change(slug: str, changes: OrganizationChanges) -> OrganizationView:
    with transaction() as session:
        row = store.find(session, slug)
        store.update(session, row, changes)
        fallback_model.require_allowed(session, row, changes, services().settings.models)
        return _view(row)


def _view(row: Organization) -> OrganizationView:
    return OrganizationView.of(row, services().settings.public_url)


def _format(view: OrganizationView) -> str:
    """Format all fields, with the defaults of unset ones, and a warning if every call would be refused."""
    data = to_json(view)
    text = format_fields(data | {name: default for name, default in _defaults().items() if data[name] is None})
    if view.require_signature and not view.signature_phrase_set:
        text += (
            "\n\nAll calls are refused, because a signature is required but no webhook signature is set. Set it: "
            f"flask signature set {view.slug} --phrase-stdin"
        )
    if view.monthly_budget_usd == 0:
        text += (
            "\n\nAll calls are refused, because the monthly budget is 0. Remove it: "
            f"flask organizations set {view.slug} --no-monthly-budget-usd"
        )
    return text


def _defaults() -> dict[str, str]:
    return {
        "default_model": f"{services().settings.default_model} (the server's)",
        "fallback_model": "none",
        "fallback_message": f"{FALLBACK_MESSAGE} (the server's)",
        "glific_organization_id": "not checked",
        "allowed_models": "all that the server allows",
        "contact_daily_limit": "no limit",
        "calls_per_minute": "no limit",
        "contact_calls_per_minute": "no limit",
        "monthly_budget_usd": "no budget",
        "vector_store_id": "none",
        "memory_hours": f"{DEFAULT_MEMORY_HOURS} (the default)",
        "alert_email": "none, owners only",
        "time_zone": "UTC (the default)",
    }
