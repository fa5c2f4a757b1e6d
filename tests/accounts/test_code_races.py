"""A code of the second step signs in once, also if two processes check it at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from glific_gpt.accounts.sign_in import login_throttle
from glific_gpt.accounts.sign_in.datastore import HashedRecoveryCodes, SingleUseTotp
from glific_gpt.runtime.fair_semaphore import FairSemaphore
from tests.accounts.authenticator import CODE, RECOVERY, Authenticator
from tests.accounts.test_sign_in import is_signed_in
from tests.conftest import StartServer
from tests.console.users import ConsoleUser, create_client
from tests.support.server import TIMEOUT_SECONDS

pytestmark = pytest.mark.both_databases


def meet_after(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function so that two calls of it end together: both have read the state before one changes it."""
    both = Barrier(2)

    def meet(*arguments: Any) -> Any:
        result = function(*arguments)
        both.wait(TIMEOUT_SECONDS)
        return result

    return meet


@pytest.mark.parametrize("path", [CODE, RECOVERY])
def test_a_code_signs_in_once_in_two_processes(
    asha: ConsoleUser,
    authenticator: Authenticator,
    start_server: StartServer,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
) -> None:
    asha.sign_in()
    recovery_codes = authenticator.set_up(asha)
    browsers = [ConsoleUser(server, asha.email, create_client()) for server in (asha.server, start_server())]
    for browser in browsers:
        browser.sign_in()
    code = authenticator.code() if path == CODE else recovery_codes[0]
    # Each process has a slot of its own, and these two servers run in one.
    monkeypatch.setattr(login_throttle, "verified_slot", FairSemaphore(2, max_waiting=8, max_waiting_of_group=2))
    monkeypatch.setattr(SingleUseTotp, "get_last_counter", meet_after(SingleUseTotp.get_last_counter))
    monkeypatch.setattr(HashedRecoveryCodes, "check_recovery_code", meet_after(HashedRecoveryCodes.check_recovery_code))
    with ThreadPoolExecutor(2) as pool:
        answers = pool.map(lambda browser: browser.post(path, {"code": code}, page=path).status_code, browsers)
        statuses = sorted(answers)
    assert statuses == [302, 422 if path == CODE else 409]
    assert [is_signed_in(browser) for browser in browsers].count(True) == 1
