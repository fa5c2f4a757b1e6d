"""A Glific client, with a login, a signed access and a result to send."""

from collections.abc import Callable, Iterator

import pytest
from pydantic import SecretStr

from glific_gpt.clock import Deadline
from glific_gpt.glific.client import GlificClient
from glific_gpt.glific.resumption import Access, ApiAccess, DeliveryResult, Resumption, SignedAccess
from tests.support.glific_stand_in import PASSWORD, PHONE, GlificStandIn

PHRASE = "a phrase of alice and glific"
ANSWER = Resumption(
    5, 21, "gpt_response", {"success": True, "status": "ok", "parsed_msg": "Drink ORS.", "call_id": "c1"}
)

Resume = Callable[..., DeliveryResult]


@pytest.fixture
def client() -> Iterator[GlificClient]:
    client = GlificClient(("127.0.0.1",))
    yield client
    client.close()


@pytest.fixture
def login(glific: GlificStandIn) -> ApiAccess:
    return ApiAccess(glific.url, PHONE, SecretStr(PASSWORD))


@pytest.fixture
def signed(glific: GlificStandIn) -> SignedAccess:
    glific.phrase = PHRASE
    return SignedAccess(glific.url, SecretStr(PHRASE), 1)


@pytest.fixture
def resume(client: GlificClient, login: ApiAccess) -> Resume:
    """Resume a flow within a number of seconds, with the login by default."""

    def resume_flow(access: Access = login, resumption: Resumption = ANSWER, *, seconds: float = 5.0) -> DeliveryResult:
        return client.resume(access, resumption, Deadline.after(seconds))

    return resume_flow
