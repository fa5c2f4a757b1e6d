"""An authenticator app, which shows the codes of RFC 6238."""

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
DONE = "/console/account/two-factor/done"
STEP_SECONDS = 30
SECONDS_FOR_SET_UP = 3


@dataclass
class Authenticator:
    key: str = ""

    def code(self, steps: int = 0) -> str:
        """Return the current code, or that of a number of steps later."""
        counter = int(time.time() // STEP_SECONDS) + steps
        digest = hmac.digest(base64.b32decode(self.key), counter.to_bytes(8, "big"), "sha1")
        start = digest[-1] & 15
        return f"{(int.from_bytes(digest[start : start + 4], 'big') & 0x7FFFFFFF) % 10**6:06}"

    def set_up(self, person: ConsoleUser) -> list[str]:
        """Switch on two-step sign-in of the signed-in user, and return the recovery codes."""
        page = person.post(SETUP, {"setup": "authenticator"}, page=SETUP)
        self.key = read_key(page.text)
        action = re.search(r'action="([^"]+/set-up/[^"]+)"', page.text)
        token = CSRF_TOKEN_PATTERN.search(page.text)
        assert action
        assert token
        # The code of the previous step, so that the current code can still be used to sign in.
        _wait_for_next_step_if_near()
        fields = {"csrf_token": token[1], "code": self.code(-1)}
        response = person.client.post(person.server.url + action[1], data=fields)
        assert (response.status_code, response.headers["Location"]) == (302, DONE), response.text
        codes = "/console/account/two-factor/recovery-codes"
        return CODES.findall(person.post(codes, page=codes).text)


def read_key(page: str) -> str:
    """Return the secret that the page of the set-up shows."""
    found = KEY.search(page)
    assert found, page
    return re.sub(r"[ -]", "", found[1])


def _wait_for_next_step_if_near() -> None:
    """Wait if the code of the previous step could become too old before the server checks it."""
    remaining = STEP_SECONDS - time.time() % STEP_SECONDS
    if remaining < SECONDS_FOR_SET_UP:
        time.sleep(remaining)
