"""flask credentials: the keys of organizations at their providers, and the rotation of what encrypts them."""

import click
from pydantic import SecretStr

from glific_gpt.cli.arguments import read_secret, slug
from glific_gpt.cli.group import Group
from glific_gpt.cli.output import emit, fields, json_option, plain
from glific_gpt.cli.rotation import new_key, rotate
from glific_gpt.credentials import store
from glific_gpt.database import transaction
from glific_gpt.organizations import store as organizations
from glific_gpt.schemas import CredentialView
from glific_gpt.services import services

credentials = Group(
    "credentials",
    short_help="The OpenAI keys of organizations.",
    help="""The keys that organizations bring, kept encrypted. PROVIDER is open_ai. A key is read from standard
    input, and can be replaced but never read again.

    \b
    Example:
      flask credentials set seva-trust open_ai --api-key-stdin < key.txt
      flask credentials deactivate seva-trust open_ai
    """,
)
credentials.command("rotate")(rotate)
credentials.command("new-key", needs_database=False)(new_key)
provider = click.argument("provider")


@credentials.command("set")
@slug
@provider
@click.option("--api-key-stdin", is_flag=True, required=True, help="Read the key from standard input.")
@click.option("--inactive", is_flag=True, help="Save it switched off.")
@click.option("--no-verify", is_flag=True, help="Save it without asking the provider whether it is good.")
@json_option
def set_(*, slug: str, provider: str, api_key_stdin: bool, inactive: bool, no_verify: bool) -> None:
    """Set or replace a key, once the provider has said that it is good."""
    known = services().providers.get(provider)
    values = {"api_key": SecretStr(read_secret(f"API key for {known.label}"))}
    row = store.put(services().vault, slug, known, values, is_active=not inactive, verify=not no_verify)
    data = plain(CredentialView.of(row))
    following = (
        f"Next, switch it on: flask credentials activate {slug} {provider}"
        if inactive
        else f"Next, see which models it may use: flask models list {slug} --text"
    )
    emit(data, f"{fields(data)}\n\n{following}")


@credentials.command("show")
@slug
@click.argument("provider", default="open_ai")
@json_option
def show(*, slug: str, provider: str) -> None:
    """Show what is known of a key: only its last four characters."""
    known = services().providers.get(provider)
    with transaction() as session:
        data = plain(CredentialView.of(store.find(session, organizations.find(session, slug).id, known)))
    emit(data, fields(data))


@credentials.command("activate")
@slug
@provider
@json_option
def activate(*, slug: str, provider: str) -> None:
    """Use a key again."""
    view = _switch(slug, provider, is_active=True)
    emit(plain(view), f"The key of {slug} that ends in {view.last4} is switched on.")


@credentials.command("deactivate")
@slug
@provider
@json_option
def deactivate(*, slug: str, provider: str) -> None:
    """Use a key no more, from the next call on."""
    view = _switch(slug, provider, is_active=False)
    emit(plain(view), f"The key of {slug} that ends in {view.last4} is switched off: calls are refused.")


def _switch(slug: str, provider: str, *, is_active: bool) -> CredentialView:
    known = services().providers.get(provider)
    with transaction() as session:
        organization = organizations.find(session, slug)
        return CredentialView.of(store.switch(session, organization.id, known, is_active=is_active))
