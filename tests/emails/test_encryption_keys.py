"""Waiting e-mails are re-encrypted by a rotation of the keys, and counted by a check."""

import json

from cryptography.fernet import Fernet

from glific_gpt.operations import rotation
from tests.emails.conftest import StartMailingServer, attempt, send
from tests.support.mail_server import MailServer
from tests.support.settings import ENCRYPTION_KEY

NEW_KEY = Fernet.generate_key().decode()


def test_an_e_mail_is_sent_without_the_old_key_after_a_rotation(
    start_mailing_server: StartMailingServer, mail_server: MailServer
) -> None:
    email_id = send(start_mailing_server(encryption_keys=ENCRYPTION_KEY))
    both = start_mailing_server(encryption_keys=f"{NEW_KEY},{ENCRYPTION_KEY}")
    with both.app.app_context():
        *_, count = rotation.rotate(both.services.vault)
    assert (count.readable, count.unreadable) == (1, 0)
    assert attempt(start_mailing_server(encryption_keys=NEW_KEY), email_id) is None
    mail_server.next_message()


def test_a_check_says_that_e_mails_cannot_be_read(start_mailing_server: StartMailingServer) -> None:
    send(start_mailing_server(encryption_keys=ENCRYPTION_KEY))
    other = start_mailing_server(encryption_keys=NEW_KEY)
    result = other.app.test_cli_runner().invoke(args=["credentials", "check", "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {"readable": 0, "unreadable": 1, "organizations": []}
    assert result.stderr.startswith("Error: 1 secret of this server (e-mails) cannot be decrypted.")
