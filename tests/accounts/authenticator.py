"""A phone with an authenticator app: it shows the codes that RFC 6238 makes from a key."""

import base64
import hmac
import re
import time
from dataclasses import dataclass

from tests.console.users import CSRF_TOKEN_PATTERN, ConsoleUser

KEY = re.compile(r'<code id="key"[^>]*>([A-Z2-7 -]+)</code>')
CODES = re.compile(r"[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}")
SETUP = "/console/account/two-factor"
CODE = "/console/account/two-factor/code"
RECOVERY = "/console/account/two-factor/recovery-code"
HALF_MINUTE = 30


@dataclass
class Authenticator:
    key: str = ""

    def code(self, later: int = 0) -> str:
        """What it shows now, or so many half minutes later."""
        counter = int(time.time() // HALF_MINUTE) + later
        digest = hmac.digest(base64.b32decode(self.key), counter.to_bytes(8, "big"), "sha1")
        start = digest[-1] & 15
        return f"{(int.from_bytes(digest[start : start + 4], 'big') & 0x7FFFFFFF) % 10**6:06}"

    def set_up(self, person: ConsoleUser) -> list[str]:
        """Switches the second factor of who is signed in on; gives the recovery codes."""
        page = person.post(SETUP, {"setup": "authenticator"}, page=SETUP)
        found = KEY.search(page.text)
        assert found, page.text
        self.key = re.sub(r"[ -]", "", found[1])
        where = re.search(r'action="([^"]+/set-up/[^"]+)"', page.text)
        token = CSRF_TOKEN_PATTERN.search(page.text)
        assert where
        assert token
        # One half minute back, so that the code of this one is still good for signing in.
        sent = {"csrf_token": token[1], "code": self.code(-1)}
        done = person.client.post(person.server.url + where[1], data=sent)
        assert done.status_code == 302, done.text
        codes = "/console/account/two-factor/recovery-codes"
        return CODES.findall(person.post(codes, page=codes).text)
