"""flask signature: the webhook signature (the signing phrase) of an organization."""

import click

from glific_gpt.cli.arguments import read_secret, slug
from glific_gpt.cli.group import Group
from glific_gpt.cli.output import json_option, print_result
from glific_gpt.database import transaction
from glific_gpt.organizations import signature as phrases
from glific_gpt.organizations import store
from glific_gpt.services import services

signature = Group(
    "signature",
    short_help="The webhook signature of an organization.",
    help="""Manage the webhook signature: the phrase that Glific signs webhooks with. In Glific it is under Settings >
    Organization. The phrase is read from standard input and stored encrypted.

    \b
    Example:
      flask signature set seva-trust --phrase-stdin < phrase.txt
      flask organizations set seva-trust --require-signature
    """,
)


@signature.command("set", needs_keys=True)
@slug
@click.option("--phrase-stdin", is_flag=True, required=True, help="Read the phrase from standard input.")
@json_option
def set_(*, slug: str, phrase_stdin: bool) -> None:
    """Set or replace the webhook signature."""
    # Before the transaction: a person may type slowly, and SQLite has one connection for writing.
    phrase = read_secret("Webhook signature")
    with transaction() as session:
        phrases.set_phrase(session, store.find(session, slug), phrase, services().vault)
    print_result(
        {"slug": slug, "signature_phrase_set": True},
        f"Calls of {slug} that are signed with this phrase are accepted. To accept no other calls: "
        f"flask organizations set {slug} --require-signature",
    )


@signature.command("clear")
@slug
@json_option
def clear(*, slug: str) -> None:
    """Delete the webhook signature."""
    with transaction() as session:
        organization = store.find(session, slug)
        phrases.clear_phrase(session, organization)
    text = f"The webhook signature of {slug} is deleted. Calls need a webhook token."
    if organization.require_signature:
        text = (
            f"The webhook signature of {slug} is deleted, but signatures are required, so all calls are refused. To "
            f"accept webhook tokens: flask organizations set {slug} --no-require-signature"
        )
    print_result({"slug": slug, "signature_phrase_set": False}, text)
