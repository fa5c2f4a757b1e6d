"""flask organizations: create, list, show, switch on and off, and change settings."""

from typing import Any

import click

from glific_gpt.cli.arguments import slug
from glific_gpt.cli.group import Group
from glific_gpt.cli.organization_settings import changed, settings_options
from glific_gpt.cli.output import emit, fields, json_option, plain, shown_once, table
from glific_gpt.database import transaction
from glific_gpt.organizations import store, tokens
from glific_gpt.organizations.changes import OrganizationChanges, checked
from glific_gpt.organizations.tables import Organization
from glific_gpt.schemas import OrganizationView, webhook_url
from glific_gpt.services import services
from glific_gpt.settings import FALLBACK_MESSAGE

EMPTY = 'No organizations yet. Make one: flask organizations create SLUG --name "NAME"'
COLUMNS = {
    "slug": "SLUG",
    "is_active": "ACTIVE",
    "default_model": "DEFAULT MODEL",
    "require_signature": "SIGNATURE REQUIRED",
    "name": "NAME",
}

organizations = Group(
    "organizations",
    short_help="The NGOs whose flows are answered.",
    help="""The NGOs whose flows are answered. SLUG is an organization's name in addresses.

    \b
    Example:
      flask organizations create seva-trust --name "Seva Trust"
      flask credentials set seva-trust open_ai --api-key-stdin
    """,
)


@organizations.command("create")
@slug
@click.option("--name", required=True, help="Its name for people.")
@json_option
def create(*, slug: str, name: str) -> None:
    """Make an organization and its first webhook token."""
    with transaction() as session:
        row = store.create(session, slug, name)
        _, token = tokens.create_webhook_token(session, row, tokens.FIRST_LABEL)
    address = webhook_url(services().settings.public_url, row.slug)
    data = {"slug": row.slug, "name": row.name, "webhook_url": address}
    use = "The webhook node sends it in the header Authorization: Bearer <token>."
    following = f"\n\nNext, add its OpenAI key: flask credentials set {row.slug} open_ai --api-key-stdin"
    text = fields(data) + "\n" + shown_once("webhook_token", token, use) + following
    emit(data | {"webhook_token": token}, text)


@organizations.command("list")
@json_option
def list_() -> None:
    """List every organization."""
    with transaction() as session:
        rows = [plain(_view(row)) for row in store.every(session)]
    emit(rows, table(rows, COLUMNS) if rows else EMPTY)


@organizations.command("show")
@slug
@json_option
def show(*, slug: str) -> None:
    """Show an organization and its settings."""
    with transaction() as session:
        view = _view(store.find(session, slug))
    emit(plain(view), _for_people(view))


@organizations.command("activate")
@slug
@json_option
def activate(*, slug: str) -> None:
    """Answer an organization's calls again."""
    view = _change(slug, checked(is_active=True))
    emit(plain(view), f"{slug} is active: its calls are answered.")


@organizations.command("deactivate")
@slug
@json_option
def deactivate(*, slug: str) -> None:
    """Refuse an organization's calls from now on."""
    view = _change(slug, checked(is_active=False))
    emit(plain(view), f"{slug} is not active any more: its calls are refused, and everything else stays.")


@organizations.command("set")
@slug
@settings_options
@json_option
def set_(*, slug: str, **given: Any) -> None:
    """Change settings; what is not named stays as it is."""
    view = _change(slug, changed(given))
    emit(plain(view), _for_people(view))


def _change(slug: str, changes: OrganizationChanges) -> OrganizationView:
    with transaction() as session:
        row = store.find(session, slug)
        store.change(session, row, changes)
        return _view(row)


def _view(row: Organization) -> OrganizationView:
    return OrganizationView.of(row, services().settings.public_url)


def _for_people(view: OrganizationView) -> str:
    """Every field, with the meaning of those that are not set, and a warning where nobody can get in."""
    data = plain(view)
    text = fields(data | {name: means for name, means in _unset().items() if data[name] is None})
    if view.require_signature and not view.signature_phrase_set:
        text += (
            "\n\nNobody is let in, because a signature is required and there is no phrase to check it with: "
            f"flask signature set {view.slug} --phrase-stdin"
        )
    return text


def _unset() -> dict[str, str]:
    return {
        "default_model": f"{services().settings.default_model} (the server's)",
        "fallback_message": f"{FALLBACK_MESSAGE} (the server's)",
        "glific_organization_id": "not checked",
        "allowed_models": "all that the server allows",
        "contact_daily_limit": "no limit",
        "monthly_budget_usd": "no budget",
    }
