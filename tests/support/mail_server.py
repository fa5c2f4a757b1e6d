"""A server for outgoing e-mails, over a socket, that keeps what it is given."""

import re
import socketserver
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from queue import Empty, SimpleQueue
from typing import cast

LINK = re.compile(r"https?://\S+/console/account/reset/\S+")


class _SmtpHandler(socketserver.StreamRequestHandler):
    """As much of SMTP (RFC 5321) as one client speaks."""

    def handle(self) -> None:
        self._say("220 ready")
        while line := self.rfile.readline():
            verb = line[:4].upper().decode()
            if verb == "DATA":
                self._say("354 go on")
                self._keep()
            self._say("221 bye" if verb == "QUIT" else "250 fine")
            if verb == "QUIT":
                return

    def _say(self, reply: str) -> None:
        self.wfile.write(f"{reply}\r\n".encode())

    def _keep(self) -> None:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line)
        message = message_from_bytes(b"".join(lines), policy=policy.default)
        cast("MailServer", self.server).messages.put(message)


class MailServer(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _SmtpHandler)
        self.messages: SimpleQueue[EmailMessage] = SimpleQueue()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server_address[1]}"

    def next_message(self, seconds: float = 10) -> EmailMessage:
        """The next one that comes. Raises AssertionError when none does."""
        try:
            return self.messages.get(timeout=seconds)
        except Empty:
            raise AssertionError("no e-mail came") from None

    def close(self) -> None:
        self.shutdown()
        self.server_close()
