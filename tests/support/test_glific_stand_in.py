"""The Glific stand-in records requests, follows behaviours, knows waiting flows, and controls its connections."""

import asyncio
import socket
import time
from typing import Any

import httpx2
import pytest

from tests.support import glific_behaviours as behaviours
from tests.support import http
from tests.support.glific_answers import FIFTEEN_MINUTES
from tests.support.glific_stand_in import PASSWORD, PHONE, GlificStandIn

MUTATION = "mutation x { resumeContactFlow(flowId: $flowId) { success } }"


def token_of(glific: GlificStandIn, phone: str = PHONE, password: str = PASSWORD) -> httpx2.Response:
    return http.post(f"{glific.url}/api/v1/session", json={"user": {"phone": phone, "password": password}})


def resumption(glific: GlificStandIn, token: str, **variables: Any) -> httpx2.Response:
    all_variables = {"flowId": "5", "contactId": "21", "result": '{"gpt_response": {"status": "ok"}}'} | variables
    body = {"query": MUTATION, "variables": all_variables}
    return http.post(f"{glific.url}/api", json=body, headers={"authorization": token})


@pytest.fixture
def token(glific: GlificStandIn) -> str:
    return str(token_of(glific).json()["data"]["access_token"])


def test_it_accepts_logins_of_known_accounts(glific: GlificStandIn) -> None:
    glific.accounts["91999"] = "secret"
    glific.suspended.add("91999")
    assert token_of(glific).status_code == 200
    assert token_of(glific, password="wrong").status_code == 401
    assert token_of(glific, "91999", "secret").status_code == 403
    assert [(login.phone, login.accepted) for login in glific.logins] == [
        (PHONE, True),
        (PHONE, False),
        ("91999", True),
    ]


def test_it_accepts_its_own_valid_tokens_without_bearer(glific: GlificStandIn, token: str) -> None:
    assert resumption(glific, f"Bearer {token}").status_code == 401
    assert resumption(glific, token).status_code == 200
    glific.forget_tokens()
    assert resumption(glific, token).status_code == 401
    glific.token_seconds = 0.05
    short = token_of(glific).json()["data"]["access_token"]
    time.sleep(0.1)
    assert resumption(glific, short).status_code == 401


@pytest.mark.parametrize("wrong", [{"flowId": 5}, {"result": {"gpt_response": {}}}, {"result": "x"}, {"result": "{}"}])
def test_it_refuses_variables_of_another_type(glific: GlificStandIn, token: str, wrong: dict[str, Any]) -> None:
    assert "errors" in resumption(glific, token, **wrong).json()
    assert glific.resumptions == []


def test_a_flow_waits_each_time_it_is_resumed(glific: GlificStandIn, token: str) -> None:
    for _ in range(2):
        assert resumption(glific, token).json() == {"data": {"resumeContactFlow": {"success": True, "errors": None}}}
    assert [resumed.delivered for resumed in glific.resumptions] == [True, True]


def test_with_one_wait_each_a_second_resumption_is_not_delivered() -> None:
    with GlificStandIn(one_wait_each=True) as glific:
        token = token_of(glific).json()["data"]["access_token"]
        for contact in ("21", "21", "22"):
            resumption(glific, token, contactId=contact)
        assert [resumed.delivered for resumed in glific.resumptions] == [True, False, True]


def test_a_flow_waits_after_a_number_of_resumptions_or_a_time(glific: GlificStandIn, token: str) -> None:
    glific.wait_later(resumes=1, pair=(5, 21))
    for flow in ("5", "5", "7"):
        resumption(glific, token, flowId=flow)
    glific.wait_later(seconds=1.0, pair=(6, 21))
    resumption(glific, token, flowId="6")
    time.sleep(1.0)
    body = resumption(glific, token, flowId="6").json()
    assert [resumed.delivered for resumed in glific.resumptions] == [False, True, True, False, True]
    assert body["data"]["resumeContactFlow"]["errors"] is None


@pytest.mark.parametrize("age", [0, FIFTEEN_MINUTES + 1_000_000])
def test_a_signed_call_always_gets_an_empty_response(glific: GlificStandIn, age: int) -> None:
    glific.phrase = "a phrase"
    ids = {"organization_id": 1, "flow_id": 5, "contact_id": 21, "timestamp": time.time_ns() // 1000 - age}
    metadata = ids | {"signature": "wrong", "result_name": "gpt_response"}
    bodies: list[Any] = [{"success": True, "metadata": metadata}, {}, []]
    for body in bodies:
        answer = http.post(f"{glific.url}/webhook/flow_resume", json=body)
        assert (answer.status_code, answer.content) == (200, b"")
    assert [(each.delivered, each.signature_is_right) for each in glific.resumptions] == [(False, False)]


def test_queued_behaviours_are_used_in_order_and_then_the_default(glific: GlificStandIn, token: str) -> None:
    glific.always(behaviours.respond(418))
    glific.will(behaviours.respond(500), behaviours.respond(502))
    assert [resumption(glific, token).status_code for _ in range(3)] == [500, 502, 418]
    glific.reset()
    assert glific.requests == []
    assert token_of(glific).status_code == 200


def test_a_resumption_whose_reply_is_dropped_is_delivered(glific: GlificStandIn, token: str) -> None:
    glific.will(behaviours.drop_reply())
    with pytest.raises(httpx2.RemoteProtocolError):
        resumption(glific, token)
    assert glific.resumptions[0].delivered


def test_it_starts_on_a_chosen_port_and_closing_it_ends_waiting_requests() -> None:
    with GlificStandIn() as first:
        port = first.port
    with GlificStandIn(port) as second, socket.create_connection(("127.0.0.1", port), timeout=2) as wire:
        second.always(behaviours.never_respond())
        wire.sendall(b"POST /api HTTP/1.1\r\nHost: x\r\n\r\n")
        while not second.requests:
            time.sleep(0.005)
        second.close()
        assert wire.recv(1) == b""


async def call_concurrently(url: str, calls: int) -> list[int]:
    async with httpx2.AsyncClient(limits=httpx2.Limits(max_connections=calls), timeout=60) as plain:
        answers = await asyncio.gather(*(plain.post(f"{url}/webhook/flow_resume", json={}) for _ in range(calls)))
    return [answer.status_code for answer in answers]


def test_it_holds_hundreds_of_concurrent_calls(glific: GlificStandIn) -> None:
    glific.always(behaviours.respond_after(1))
    before = time.monotonic()
    assert asyncio.run(call_concurrently(glific.url, 300)) == [200] * 300
    assert time.monotonic() - before < 100
