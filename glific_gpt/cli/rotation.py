"""flask credentials rotate and new-key: replace the key that encrypts all secrets in the database."""

import sys

import click
from cryptography.fernet import Fernet

from glific_gpt.cli.output import json_option, print_result, wants_json
from glific_gpt.database import transaction
from glific_gpt.operations import rotation
from glific_gpt.operations.rotation import RotationCount
from glific_gpt.services import services


@json_option
def new_key() -> None:
    """Print a new key for GLIFIC_GPT_ENCRYPTION_KEYS.

    Put it in front of the existing keys, separated by a comma. Restart every server. Then run 'flask credentials
    rotate'.
    """
    key = Fernet.generate_key().decode()
    print_result({"key": key}, key)


@json_option
def rotate() -> None:
    """Re-encrypt every secret with the first key.

    This is the first key in GLIFIC_GPT_ENCRYPTION_KEYS. Create one with 'flask credentials new-key'. Calls are answered
    during the rotation.
    """
    count = _rotate_with_progress()
    print_result({"reencrypted": count.reencrypted, "unreadable": count.unreadable}, _format(count))


def _rotate_with_progress() -> RotationCount:
    with transaction() as session:
        total = rotation.count_secrets(session)
    hidden = wants_json() or not sys.stderr.isatty()
    count = RotationCount()
    with click.progressbar(length=total, label="Encrypting", file=sys.stderr, hidden=hidden) as bar:
        for count in rotation.rotate(services().vault):
            # The bar adds what it is given, and `processed` is the sum so far.
            bar.update(count.processed - bar.pos)
    return count


def _format(count: RotationCount) -> str:
    summary = f"Re-encrypted {count.reencrypted} secrets with the first key."
    if count.unreadable:
        return (
            f"{summary}\n{count.unreadable} secrets could not be decrypted and are unchanged. Add their key to "
            "GLIFIC_GPT_ENCRYPTION_KEYS and run this command again, or set these secrets again."
        )
    return f"{summary} You can remove the other keys from GLIFIC_GPT_ENCRYPTION_KEYS."
