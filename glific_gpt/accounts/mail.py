"""E-mails: over an encrypted connection to the server that the settings name, given up after a while."""

import smtplib
import ssl
from urllib.parse import unquote, urlsplit

from flask import Flask, current_app
from flask_mail import Connection, Mail, Message

from glific_gpt.settings import Settings

SECONDS = 10
PORTS = {"smtp": 587, "smtps": 465}


class CarefulConnection(Connection):
    """The library's waits for ever and takes any certificate."""

    def configure_host(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self.mail.use_ssl:
            host: smtplib.SMTP = smtplib.SMTP_SSL(self.mail.server, self.mail.port, timeout=SECONDS, context=context)
        else:
            host = smtplib.SMTP(self.mail.server, self.mail.port, timeout=SECONDS)
        if self.mail.use_tls:
            host.starttls(context=context)
        if self.mail.username and self.mail.password:
            host.login(self.mail.username, self.mail.password)
        return host


def init(app: Flask, settings: Settings) -> None:
    """Where no server for e-mails is named, none is sent."""
    if settings.mail_url is None:
        return
    url = urlsplit(settings.mail_url.get_secret_value())
    app.config.update(
        MAIL_SERVER=url.hostname,
        MAIL_PORT=url.port or PORTS[url.scheme],
        MAIL_USERNAME=unquote(url.username or "") or None,
        MAIL_PASSWORD=unquote(url.password or "") or None,
        MAIL_USE_SSL=url.scheme == "smtps",
        MAIL_USE_TLS=url.scheme == "smtp" and url.hostname not in LOOPBACK,
        MAIL_DEFAULT_SENDER=settings.mail_from,
        MAIL_DEBUG=False,
    )
    Mail(app)


LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""Where a connection leaves the machine, it is encrypted."""


def is_configured(app: Flask) -> bool:
    return "mail" in app.extensions


def send(recipient: str, subject: str, text: str) -> None:
    """Raises OSError, of which SMTP's errors are a kind."""
    message = Message(subject, recipients=[recipient], body=text)
    with CarefulConnection(current_app.extensions["mail"]) as connection:
        connection.send(message)
