"""flask signature: the phrase that Glific signs an organization's calls with."""

import click

from glific_gpt.cli.arguments import read_secret, slug
from glific_gpt.cli.group import Group
from glific_gpt.cli.output import emit, json_option
from glific_gpt.database import transaction
from glific_gpt.organizations import signature as phrases
from glific_gpt.organizations import store
from glific_gpt.services import services

signature = Group(
    "signature",
    short_help="The phrase that Glific signs calls with.",
    help="""The phrase that Glific signs an organization's calls with, in Glific under Settings, Organization.
    It is read from standard input, and kept encrypted.

    \b
    Example:
      flask signature set seva-trust --phrase-stdin < phrase.txt
      flask organizations set seva-trust --require-signature
    """,
)


@signature.command("set")
@slug
@click.option("--phrase-stdin", is_flag=True, required=True, help="Read the phrase from standard input.")
@json_option
def set_(*, slug: str, phrase_stdin: bool) -> None:
    """Set or replace the phrase."""
    phrase = read_secret("Signature phrase")
    with transaction() as session:
        phrases.set_phrase(session, store.find(session, slug), phrase, services().vault)
    emit(
        {"slug": slug, "signature_phrase_set": True},
        f"Calls of {slug} that Glific signs with this phrase are let in. To let in no others: "
        f"flask organizations set {slug} --require-signature",
    )


@signature.command("clear")
@slug
@json_option
def clear(*, slug: str) -> None:
    """Take the phrase away."""
    with transaction() as session:
        organization = store.find(session, slug)
        phrases.clear_phrase(session, organization)
    text = f"{slug} has no signature phrase any more: signed calls need a webhook token too."
    if organization.require_signature:
        text = (
            f"{slug} has no signature phrase any more, and requires signatures: nobody is let in. To let in "
            f"webhook tokens: flask organizations set {slug} --no-require-signature"
        )
    emit({"slug": slug, "signature_phrase_set": False}, text)
