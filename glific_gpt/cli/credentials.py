"""flask credentials: OpenAI keys of organizations, and rotation of the encryption keys."""

import click
from pydantic import SecretStr

from glific_gpt.cli.arguments import read_secret, slug
from glific_gpt.cli.encryption_keys import accept_keys, check, new_key, rotate
from glific_gpt.cli.group import Group
from glific_gpt.cli.output import format_fields, json_option, print_result, to_json
from glific_gpt.database import transaction
from glific_gpt.openai.hosts import serves_openai
from glific_gpt.organizations import store as organizations
from glific_gpt.organizations.credentials import store
from glific_gpt.organizations.credentials.tables import Credential
from glific_gpt.schemas import CredentialView
from glific_gpt.services import services

credentials = Group(
    "credentials",
    short_help="OpenAI keys of organizations.",
    help="""Manage the OpenAI keys of organizations. PROVIDER is open_ai. A key is read from standard input and
    stored encrypted. It can be replaced, but never shown.

    \b
    Example:
      flask credentials set seva-trust open_ai --api-key-stdin < key.txt
      flask credentials set seva-trust open_ai --api-key-stdin --base-url https://in.api.openai.com/v1 < key.txt
      flask credentials deactivate seva-trust open_ai
    """,
)
credentials.command("rotate")(rotate)
credentials.command("check")(check)
credentials.command("accept-keys")(accept_keys)
credentials.command("new-key", needs_database=False)(new_key)
provider_name = click.argument("provider_name", metavar="PROVIDER")


@credentials.command("set", needs_keys=True)
@slug
@provider_name
@click.option("--api-key-stdin", is_flag=True, required=True, help="Read the key from standard input.")
@click.option("--base-url", metavar="URL", help="The address to which the key is sent. Default: the server's own.")
@click.option("--inactive", is_flag=True, help="Save it without activating it.")
@click.option("--no-verify", is_flag=True, help="Save it without verifying it at the provider.")
@json_option
def set_(
    *, slug: str, provider_name: str, api_key_stdin: bool, base_url: str | None, inactive: bool, no_verify: bool
) -> None:
    """Set or replace a key, after the provider has accepted it."""
    provider = services().provider(provider_name)
    values = {"api_key": SecretStr(read_secret(f"API key for {provider.label}"))}
    row = store.save_credential(
        services().vault,
        slug,
        provider,
        values,
        is_active=not inactive,
        verify=not no_verify,
        base_url=base_url or None,
    )
    data = to_json(CredentialView.of(row))
    next_step = (
        f"Next, activate it: flask credentials activate {slug} {provider_name}"
        if inactive
        else f"Next, list the models that it may use: flask models list {slug} --text"
    )
    print_result(data, f"{format_fields(data)}\n\n{_describe_missing_model(slug, row)}{next_step}")


def _describe_missing_model(slug: str, saved: Credential) -> str:
    """Return a warning if the server of the key does not list the default model. Few servers have a model of OpenAI."""
    with transaction() as session:
        own = organizations.find(session, slug).default_model
    default = own or services().settings.default_model
    if serves_openai(saved.base_url) or saved.models is None or default in saved.models:
        return ""
    return (
        f"This server does not list the default model {default}. Choose one of its models: "
        f"flask organizations set {slug} --default-model MODEL\n\n"
    )


@credentials.command("show")
@slug
@click.argument("provider_name", metavar="[PROVIDER]", default="open_ai")
@json_option
def show(*, slug: str, provider_name: str) -> None:
    """Show a key's status and its last four characters."""
    provider = services().provider(provider_name)
    with transaction() as session:
        data = to_json(CredentialView.of(store.find(session, organizations.find(session, slug).id, provider)))
    print_result(data, format_fields(data))


@credentials.command("activate")
@slug
@provider_name
@json_option
def activate(*, slug: str, provider_name: str) -> None:
    """Activate a key."""
    view = _set_active(slug, provider_name, is_active=True)
    print_result(to_json(view), f"The key of {slug} that ends in {view.last4} is active.")


@credentials.command("deactivate")
@slug
@provider_name
@json_option
def deactivate(*, slug: str, provider_name: str) -> None:
    """Deactivate a key. Takes effect with the next call."""
    view = _set_active(slug, provider_name, is_active=False)
    print_result(to_json(view), f"The key of {slug} that ends in {view.last4} is inactive. Calls are refused.")


def _set_active(slug: str, provider_name: str, *, is_active: bool) -> CredentialView:
    provider = services().provider(provider_name)
    with transaction() as session:
        organization = organizations.find(session, slug)
        return CredentialView.of(store.set_active(session, organization.id, provider, is_active=is_active))
