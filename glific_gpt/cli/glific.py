"""flask glific: the connection to an organization's Glific."""

import click
from pydantic import SecretStr

from glific_gpt.cli.arguments import read_secret, slug
from glific_gpt.cli.group import Group
from glific_gpt.cli.output import JsonObject, format_fields, json_option, print_result, to_json
from glific_gpt.database import transaction
from glific_gpt.organizations import store as organizations
from glific_gpt.organizations.connections import connecting, store
from glific_gpt.organizations.connections.tables import GlificConnection
from glific_gpt.schemas import GlificConnectionView
from glific_gpt.services import services

WAY_REQUIRED = "Give either --phone and --password-stdin for a login, or --signed for signed calls."

glific = Group(
    "glific",
    short_help="The connection to an organization's Glific.",
    help="""Manage the connection that delivers deferred answers to an organization's Glific. It uses the login of a
    manager in Glific, or calls signed with the webhook signature. A password is read from standard input and stored
    encrypted. It can be replaced, but never shown.

    \b
    Example:
      flask glific connect seva-trust --api-url https://api.seva-trust.glific.com \\
        --phone 919876543210 --password-stdin < password.txt
      flask glific connect seva-trust --api-url https://api.seva-trust.glific.com --signed
    """,
)


@glific.command("connect", needs_keys=True)
@slug
@click.option("--api-url", metavar="URL", required=True, help="The address of its Glific API.")
@click.option("--phone", metavar="PHONE", help="The phone number of the login, with the country code.")
@click.option("--password-stdin", is_flag=True, help="Read the password of the login from standard input.")
@click.option("--signed", is_flag=True, help="Use signed calls instead of a login.")
@click.option("--no-verify", is_flag=True, help="Save it without verifying it at Glific.")
@json_option
def connect(*, slug: str, api_url: str, phone: str | None, password_stdin: bool, signed: bool, no_verify: bool) -> None:
    """Create or replace the connection. It is saved after Glific has accepted it."""
    # Valid are --signed alone, or --phone and --password-stdin together.
    if signed in {phone is not None, password_stdin}:
        raise click.UsageError(WAY_REQUIRED)
    vault, client = services().vault, services().glific
    if phone is None:
        row = connecting.connect_by_signed_call(vault, client, slug, api_url=api_url, verify=not no_verify)
    else:
        password = SecretStr(read_secret("Password"))
        row = connecting.connect_by_api(
            vault, client, slug, api_url=api_url, phone=phone, password=password, verify=not no_verify
        )
    data = _view(slug, row)
    print_result(data, format_fields(data))


@glific.command("show")
@slug
@json_option
def show(*, slug: str) -> None:
    """Show the connection to Glific. The login is hidden, except the last four digits of its phone number."""
    with transaction() as session:
        row = store.find_or_none(session, organizations.find(session, slug).id)
    data = _view(slug, row)
    not_connected = f"{slug} is not connected to Glific. To connect it, see: flask glific connect --help"
    print_result(data, format_fields(data) if row else not_connected)


@glific.command("disconnect")
@slug
@json_option
def disconnect(*, slug: str) -> None:
    """Delete the connection and the stored login. Deferred answers are no longer delivered."""
    with transaction() as session:
        store.disconnect(session, organizations.find(session, slug).id)
    text = f"{slug} is disconnected from Glific. Its flows get only answers within Glific's 5 seconds."
    print_result({"slug": slug, "connected": False}, text)


def _view(slug: str, row: GlificConnection | None) -> JsonObject:
    return {"slug": slug} | to_json(GlificConnectionView.of(row, store.phone_last4(services().vault, row)))
