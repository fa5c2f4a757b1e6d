"""flask credentials rotate and new-key: replacing the key that encrypts every secret in the database."""

import sys

import click
from cryptography.fernet import Fernet

from glific_gpt.cli.output import emit, json_option, wants_json
from glific_gpt.database import transaction
from glific_gpt.operations import rotation
from glific_gpt.operations.rotation import Count
from glific_gpt.services import services


@json_option
def new_key() -> None:
    """Print a fresh key for GLIFIC_GPT_ENCRYPTION_KEYS.

    Put it in front of the keys that are there, with a comma between, restart every server, then run 'flask
    credentials rotate'.
    """
    key = Fernet.generate_key().decode()
    emit({"key": key}, key)


@json_option
def rotate() -> None:
    """Encrypt every secret with the first key.

    That is the first of GLIFIC_GPT_ENCRYPTION_KEYS; 'flask credentials new-key' makes one. Calls go on being
    answered meanwhile.
    """
    count = _rotate_watched()
    emit({"reencrypted": count.reencrypted, "unreadable": count.unreadable}, _for_people(count))


def _rotate_watched() -> Count:
    with transaction() as session:
        total = rotation.total(session)
    hidden = wants_json() or not sys.stderr.isatty()
    count = Count()
    with click.progressbar(length=total, label="Encrypting", file=sys.stderr, hidden=hidden) as bar:
        for count in rotation.rotate(services().vault):
            bar.update(count.looked_at - bar.pos)
    return count


def _for_people(count: Count) -> str:
    done = f"Secrets that are encrypted with the first key now: {count.reencrypted}."
    if count.unreadable:
        return (
            f"{done}\nSecrets that no key can read, left as they were: {count.unreadable}. Add the key that they "
            "were encrypted with to GLIFIC_GPT_ENCRYPTION_KEYS and run this again, or set them anew."
        )
    return f"{done} The other keys can be taken out of GLIFIC_GPT_ENCRYPTION_KEYS."
