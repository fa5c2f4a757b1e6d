"""One code of the second step, at two server processes at the same moment: it signs in once."""

import socket
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from tests.accounts.authenticator import CODE, RECOVERY, Authenticator
from tests.console.users import ConsoleUser, create_client, create_user
from tests.support.server import TIMEOUT_SECONDS
from tests.support.serving import ServerProcesses, run_server_processes

pytestmark = pytest.mark.both_databases

PEOPLE = 3
RECOVERY_CODES = 4
"""Recovery codes of each person that are tried. After five refused codes, the limit of a minute would refuse others."""


def test_a_code_signs_in_once_at_two_servers(tmp_path: Path, database_url: str) -> None:
    with ExitStack() as stack:
        servers = [
            stack.enter_context(run_server_processes(tmp_path / name, is_forked=True, database_url=database_url))
            for name in ("one", "two")
        ]
        for number in range(PEOPLE):
            person, authenticator = create_user(servers[0], f"person{number}@example.org"), Authenticator()
            stack.callback(person.client.close)
            person.sign_in()
            recovery_codes = authenticator.set_up(person)
            codes = [(CODE, authenticator.code()), *((RECOVERY, code) for code in recovery_codes[:RECOVERY_CODES])]
            for path, code in codes:
                assert sorted(enter_together(servers, person.email, path, code)) in ([302, 409], [302, 422]), path


def enter_together(servers: list[ServerProcesses], email: str, path: str, code: str) -> list[int]:
    """Enter the code at both servers, in browsers that have the password entered. Return the statuses."""
    with ExitStack() as stack:
        requests = []
        for server in servers:
            browser = ConsoleUser(server, email, stack.enter_context(create_client()))
            assert browser.sign_in().headers["Location"].startswith(CODE)
            requests.append(make_request(browser, path, code))
        wires = [
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=TIMEOUT_SECONDS))
            for server in servers
        ]
        # The requests without their last byte, and then the last bytes together.
        for wire, request in zip(wires, requests, strict=True):
            wire.sendall(request[:-1])
        for wire, request in zip(wires, requests, strict=True):
            wire.sendall(request[-1:])
        return [int(wire.makefile("rb").readline().split()[1]) for wire in wires]


def make_request(browser: ConsoleUser, path: str, code: str) -> bytes:
    body = urlencode({"csrf_token": browser.token(path), "code": code}).encode()
    lines = (
        f"POST {path} HTTP/1.1",
        f"Host: {urlsplit(browser.server.url).netloc}",
        "Cookie: " + "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.client.cookies.jar),
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
        "Connection: close",
    )
    return "\r\n".join([*lines, "", ""]).encode() + body
