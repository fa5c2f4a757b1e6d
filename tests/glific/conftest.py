"""A client of ours, and what it is used with."""

from collections.abc import Callable, Iterator

import pytest
from pydantic import SecretStr

from glific_gpt.clock import Deadline
from glific_gpt.glific.client import Glific
from glific_gpt.glific.resume import Access, ApiAccess, Resumption, SignedAccess, Verdict
from tests.support.glific_stand_in import PASSWORD, PHONE, GlificStandIn

PHRASE = "a phrase of alice and glific"
ANSWER = Resumption(
    5, 21, "gpt_response", {"success": True, "status": "ok", "parsed_msg": "Drink ORS.", "call_id": "c1"}
)

Resume = Callable[..., Verdict]


@pytest.fixture
def client() -> Iterator[Glific]:
    made = Glific(("127.0.0.1",))
    yield made
    made.close()


@pytest.fixture
def login(glific: GlificStandIn) -> ApiAccess:
    return ApiAccess(glific.url, PHONE, SecretStr(PASSWORD))


@pytest.fixture
def signed(glific: GlificStandIn) -> SignedAccess:
    glific.phrase = PHRASE
    return SignedAccess(glific.url, SecretStr(PHRASE), 1)


@pytest.fixture
def resume(client: Glific, login: ApiAccess) -> Resume:
    """Resumes alice's flow within so many seconds, by her login unless told otherwise."""

    def do(access: Access = login, resumption: Resumption = ANSWER, *, seconds: float = 5.0) -> Verdict:
        return client.resume(access, resumption, Deadline.after(seconds))

    return do
