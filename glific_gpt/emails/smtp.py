"""Sending of an e-mail, over a verified TLS connection and with a time-out."""

import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from flask import Flask, current_app
from flask_mail import BadHeaderError, Connection, Mail, Message

from glific_gpt.runtime.event_loop import blocking
from glific_gpt.settings import Settings

TIMEOUT_SECONDS = 10
# Submission with STARTTLS (RFC 6409), and with TLS from the beginning (RFC 8314).
PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True)
class Email:
    """A plain text for one person."""

    recipient: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)


class VerifiedConnection(Connection):
    """Flask-Mail itself has no time-out and verifies no certificate."""

    def configure_host(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self.mail.use_ssl:
            host: smtplib.SMTP = smtplib.SMTP_SSL(
                self.mail.server, self.mail.port, timeout=TIMEOUT_SECONDS, context=context
            )
        else:
            host = smtplib.SMTP(self.mail.server, self.mail.port, timeout=TIMEOUT_SECONDS)
        if self.mail.use_tls:
            host.starttls(context=context)
        if self.mail.username and self.mail.password:
            host.login(self.mail.username, self.mail.password)
        return host

    def send_international(self, message: EmailMessage, recipient: str) -> None:
        """Send to an address that is not ASCII before the `@` (RFC 6531). Flask-Mail itself cannot do this.

        Raises SMTPNotSupportedError if the mail server does not offer SMTPUTF8.
        """
        if self.host is not None:  # it is None in Flask-Mail's own mode for tests
            self.host.send_message(message, to_addrs=[recipient])

    def __exit__(self, *details: Any) -> None:
        # The server has accepted or refused the e-mail already. A failure to say goodbye would make it be sent twice.
        with suppress(OSError):
            super().__exit__(*details)


def init(app: Flask, settings: Settings) -> None:
    """Configure Flask-Mail. Without a mail server in the settings, no e-mail is sent."""
    if settings.mail_url is None:
        return
    url = urlsplit(settings.mail_url.get_secret_value())
    app.config.update(
        MAIL_SERVER=url.hostname,
        MAIL_PORT=url.port or PORTS[url.scheme],
        MAIL_USERNAME=unquote(url.username or "") or None,
        MAIL_PASSWORD=unquote(url.password or "") or None,
        MAIL_USE_SSL=url.scheme == "smtps",
        MAIL_USE_TLS=url.scheme == "smtp" and url.hostname not in LOOPBACK_HOSTS,
        MAIL_DEFAULT_SENDER=settings.mail_from,
        MAIL_DEBUG=False,
    )
    Mail(app)


LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")
"""Connections to these hosts do not leave the machine and need no TLS."""


class MailServerMissing(Exception):
    """This process has no mail server in its settings."""


class EmailNotSendable(Exception):
    """The mail server can never take this e-mail, for example because of characters in its address.

    Its message is the class name of the cause.
    """


def is_configured(app: Flask) -> bool:
    return "mail" in app.extensions


@blocking
def send(email: Email, email_id: str, created_at: datetime) -> None:
    """Send an e-mail. Raises OSError, which is the base class of SMTP errors, MailServerMissing and EmailNotSendable.

    An e-mail that is sent twice has the same Message-ID and date, by which mail servers recognize it.
    """
    if not is_configured(current_app):
        raise MailServerMissing
    message = Message(email.subject, recipients=[email.recipient], body=email.text, date=created_at.timestamp())
    message.msgId = f"<{email_id}@{str(message.sender).rpartition('@')[2]}>"
    with VerifiedConnection(current_app.extensions["mail"]) as connection:
        # Only here: before, a ValueError is a wrong certificate, and SMTPNotSupportedError a server without STARTTLS.
        try:
            if _has_ascii_name(email.recipient):
                connection.send(message)
            else:
                connection.send_international(_international(message, email, created_at), email.recipient)
        except (ValueError, BadHeaderError, smtplib.SMTPNotSupportedError) as failure:
            if not _has_ascii_name(str(message.sender)):
                raise  # an administrator can correct the sender
            raise EmailNotSendable(type(failure).__name__) from None


def _has_ascii_name(address: str) -> bool:
    """Return whether the part before the `@` is ASCII. Flask-Mail encodes the domain (IDNA)."""
    return address.rpartition("@")[0].isascii()


def _international(message: Message, email: Email, created_at: datetime) -> EmailMessage:
    """Return the same e-mail with headers in UTF-8."""
    copy = EmailMessage(policy=policy.SMTPUTF8)
    copy["From"], copy["To"], copy["Subject"] = str(message.sender), email.recipient, email.subject
    copy["Date"], copy["Message-ID"] = format_datetime(created_at), message.msgId
    copy.set_content(email.text, cte="base64")
    return copy
