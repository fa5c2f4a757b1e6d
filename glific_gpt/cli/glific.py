"""flask glific: how the waiting flows of an organization are reached in its Glific."""

import click
from pydantic import SecretStr

from glific_gpt.cli.arguments import read_secret, slug
from glific_gpt.cli.group import Group
from glific_gpt.cli.output import Object, emit, fields, json_option, plain
from glific_gpt.connections import connecting, store
from glific_gpt.connections.tables import GlificConnection
from glific_gpt.database import transaction
from glific_gpt.organizations import store as organizations
from glific_gpt.schemas import GlificConnectionView
from glific_gpt.services import services

ONE_WAY = "Say either --phone and --password-stdin, for a login, or --signed alone, for the signed call."

glific = Group(
    "glific",
    short_help="The way back into an organization's Glific.",
    help="""The way back into an organization's Glific, for answers that come after the webhook's time: with the
    login of a manager there, or with a call that the signature phrase signs. A password is read from standard
    input, and can be replaced but never read again.

    \b
    Example:
      flask glific connect seva-trust --api-url https://api.seva-trust.glific.com \\
        --phone 919876543210 --password-stdin < password.txt
      flask glific connect seva-trust --api-url https://api.seva-trust.glific.com --signed
    """,
)


@glific.command("connect")
@slug
@click.option("--api-url", metavar="URL", required=True, help="Where its Glific's API is.")
@click.option("--phone", metavar="PHONE", help="The login's phone number, with the country code.")
@click.option("--password-stdin", is_flag=True, help="Read the login's password from standard input.")
@click.option("--signed", is_flag=True, help="Use no login, and sign with the organization's signature phrase.")
@click.option("--no-verify", is_flag=True, help="Save it without asking Glific whether it is good.")
@json_option
def connect(*, slug: str, api_url: str, phone: str | None, password_stdin: bool, signed: bool, no_verify: bool) -> None:
    """Connect an organization, or replace its connection, once Glific has said that it is good."""
    # Either the one, or both of the others.
    if signed in {phone is not None, password_stdin}:
        raise click.UsageError(ONE_WAY)
    vault, client = services().vault, services().glific
    if phone is None:
        row = connecting.connect_by_signed_call(vault, client, slug, api_url=api_url, verify=not no_verify)
    else:
        password = SecretStr(read_secret("Password"))
        row = connecting.connect_by_api(
            vault, client, slug, api_url=api_url, phone=phone, password=password, verify=not no_verify
        )
    data = _shown(slug, row)
    emit(data, fields(data))


@glific.command("show")
@slug
@json_option
def show(*, slug: str) -> None:
    """Show what is known of a connection: of the login only the phone's last four digits."""
    with transaction() as session:
        row = store.find_if_any(session, organizations.find(session, slug).id)
    data = _shown(slug, row)
    unconnected = f"{slug} is not connected to Glific. To connect it: flask glific connect --help"
    emit(data, fields(data) if row else unconnected)


@glific.command("disconnect")
@slug
@json_option
def disconnect(*, slug: str) -> None:
    """Reach an organization's waiting flows no more, and forget the login."""
    with transaction() as session:
        store.disconnect(session, organizations.find(session, slug).id)
    text = f"{slug} is not connected to Glific any more: its flows get answers within the webhook's time alone."
    emit({"slug": slug, "connected": False}, text)


def _shown(slug: str, row: GlificConnection | None) -> Object:
    return {"slug": slug} | plain(GlificConnectionView.of(row, store.phone_last4(services().vault, row)))
