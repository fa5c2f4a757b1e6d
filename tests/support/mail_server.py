"""An SMTP server over a socket that stores the messages that it receives."""

import re
import socketserver
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from queue import Empty, SimpleQueue
from typing import cast

LINK = re.compile(r"https?://\S+/console/account/reset/\S+")


class _SmtpHandler(socketserver.StreamRequestHandler):
    """The part of SMTP (RFC 5321) that one client uses."""

    def handle(self) -> None:
        server = cast("MailServer", self.server)
        self._reply("220 ready")
        while line := self.rfile.readline():
            verb = line[:4].upper().decode()
            if verb in server.refusals:
                self._reply(server.refusals[verb])
                continue
            if verb == "DATA":
                self._reply("354 start mail input")
                self._store_message()
            if verb == "EHLO":
                self._reply_to_ehlo(server.extensions)
                continue
            if verb == "MAIL":
                server.mail_commands.append(line.decode().strip())
            self._reply("221 closing" if verb == "QUIT" else "250 OK")
            if verb == "QUIT" or (verb == "DATA" and server.closes_early):
                return

    def _reply(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def _reply_to_ehlo(self, extensions: tuple[str, ...]) -> None:
        *lines, last = "ready", *extensions
        for line in lines:
            self._reply(f"250-{line}")
        self._reply(f"250 {last}")

    def _store_message(self) -> None:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line)
        message = message_from_bytes(b"".join(lines), policy=policy.default)
        cast("MailServer", self.server).messages.put(message)


class MailServer(socketserver.ThreadingTCPServer):
    daemon_threads = True

    allow_reuse_address = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _SmtpHandler)
        self.messages: SimpleQueue[EmailMessage] = SimpleQueue()
        self.refusals: dict[str, str] = {}
        """Replies that refuse a command, such as `{"RCPT": "550 no such user"}`."""
        self.extensions: tuple[str, ...] = ()
        """Extensions that it offers, such as `("SMTPUTF8", "8BITMIME")`."""
        self.mail_commands: list[str] = []
        self.closes_early = False
        """True to end the connection after a message, without waiting for QUIT."""
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server_address[1]}"

    def next_message(self, seconds: float = 10) -> EmailMessage:
        """Return the next message. Raises AssertionError if none arrives in time."""
        try:
            return self.messages.get(timeout=seconds)
        except Empty:
            raise AssertionError(f"No message arrived in {seconds} s.") from None

    def close(self) -> None:
        self.shutdown()
        self.server_close()
