"""flask credentials new-key, rotate, check and accept-keys: the keys that encrypt all secrets in the database."""

import sys
from collections.abc import Iterator

import click
from cryptography.fernet import Fernet

from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.cli.output import json_option, print_result, quantity, wants_json
from glific_gpt.database import transaction
from glific_gpt.operations import key_check, rotation, secrets
from glific_gpt.operations.secrets import SecretCount
from glific_gpt.services import services
from glific_gpt.vault import NO_ORGANIZATION


@json_option
def new_key() -> None:
    """Print a new key for GLIFIC_GPT_ENCRYPTION_KEYS.

    Put it behind the existing keys, separated by a comma, and restart every server and worker. Then put it in front of
    them, and restart again. Then run 'flask credentials rotate'.
    """
    key = Fernet.generate_key().decode()
    print_result({"key": key}, key)


@json_option
def rotate() -> None:
    """Re-encrypt every secret with the first key.

    This is the first key in GLIFIC_GPT_ENCRYPTION_KEYS. Create one with 'flask credentials new-key'. Calls are answered
    during the rotation. Exits with 1 if a secret cannot be decrypted, and names its organization.
    """
    count = _count_with_progress("Encrypting", rotation.rotate(services().vault))
    text = f"Re-encrypted {quantity(count.readable, 'secret')} with the first key."
    if not count.unreadable:
        text += " You can remove the other keys from GLIFIC_GPT_ENCRYPTION_KEYS in 15 minutes."
    print_result({"reencrypted": count.readable, "unreadable": count.unreadable}, text)
    _require_readable(count, secrets.list_slugs(count))


@json_option
def check() -> None:
    """Try to decrypt every secret.

    Changes nothing. Exits with 1 if a secret cannot be decrypted, and names its organization.
    """
    count = _count_with_progress("Decrypting", secrets.check(services().vault))
    slugs = secrets.list_slugs(count)
    print_result(
        {"readable": count.readable, "unreadable": count.unreadable, "organizations": slugs},
        f"{quantity(count.readable, 'secret')} can be decrypted.",
    )
    _require_readable(count, slugs)


@click.confirmation_option(
    "--yes",
    prompt="Organizations then have to enter again what these keys cannot decrypt. Continue?",
    help="Do not ask for confirmation.",
)
@json_option
def accept_keys() -> None:
    """Start using the current keys, because the keys before are lost.

    Servers start again with the keys that are now in GLIFIC_GPT_ENCRYPTION_KEYS. Secrets that these cannot decrypt stay
    stored. Calls that need one get not_ready until the organization has entered it again. 'flask credentials check'
    names these organizations.
    """
    with transaction() as session:
        key_check.accept_keys(session, services().vault)
        trail.record(session, Action.KEYS_ACCEPTED)
    print_result({"accepted": True}, "Servers start with these keys now. Next, run: flask credentials check")


def _count_with_progress(label: str, counts: Iterator[SecretCount]) -> SecretCount:
    with transaction() as session:
        total = secrets.count_secrets(session)
    hidden = wants_json() or not sys.stderr.isatty()
    count = SecretCount()
    with click.progressbar(length=total, label=label, file=sys.stderr, hidden=hidden) as bar:
        for count in counts:
            # The bar adds what it is given, and `processed` is the sum so far.
            bar.update(count.processed - bar.pos)
    return count


def _require_readable(count: SecretCount, slugs: list[str]) -> None:
    """Raise click.ClickException, which exits with 1, if a secret cannot be decrypted."""
    if count.unreadable:
        owners = [*slugs, "this server (e-mails)"] if NO_ORGANIZATION in count.organization_ids else slugs
        unreadable = quantity(count.unreadable, "secret")
        raise click.ClickException(
            f"{unreadable} of {', '.join(owners)} cannot be decrypted. Nothing of it is changed. Add its key to "
            "GLIFIC_GPT_ENCRYPTION_KEYS and run this command again, or enter the secrets again."
        )
