"""The check of memory: two questions, of which the second is about the first."""

import re

from sqlalchemy import select

from glific_gpt.calls.tables import Call
from glific_gpt.database import transaction
from glific_gpt.local import sandbox
from glific_gpt.operations.doctor import CheckStatus
from glific_gpt.operations.doctor.memory import SECOND_QUESTION
from tests.conftest import StartServer
from tests.flows.simulator.webhook_stand_in import WebhookStandIn, json_reply
from tests.operations.doctor.conftest import Doctor, OpenDoctor
from tests.support import openai_behaviours as behaviours
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TestOrganization


def test_the_second_answer_knows_the_first_question(
    doctor: Doctor, alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    result = doctor.check("memory")
    assert (result.status, result.remedy) == (CheckStatus.OK, "")
    first, second = openai.requests
    (number,) = re.findall(r"My number is (\d{3})\.", first.question)
    assert second.question == SECOND_QUESTION
    assert [message["role"] for message in second.body["messages"]] == ["system", "user", "assistant", "user"]
    assert number in result.transcript.rpartition(SECOND_QUESTION)[2]
    assert [call["status"] for call in alice.calls()] == ["ok", "ok"]
    with doctor.server.app.app_context(), transaction() as session:
        assert session.scalars(select(Call.is_test)).all() == [True, True]


def test_an_answer_that_does_not_know_it_is_a_warning(doctor: Doctor, openai: OpenAIStandIn) -> None:
    openai.always(behaviours.answer("I cannot know that."))
    result = doctor.check("memory")
    assert result.status is CheckStatus.WARNING
    assert "the answer of gpt-4o did not know the first question" in result.message_text


def test_a_lost_thread_id_is_a_warning(doctor_with: OpenDoctor) -> None:
    with WebhookStandIn() as proxy:
        proxy.always(json_reply({"status": "ok", "parsed_msg": "Noted.", "memory": "new", "thread_id": "changed"}))
        result = doctor_with(public_url=f"http://127.0.0.1:{proxy.port}").check("memory")
    assert result.status is CheckStatus.WARNING
    assert result.message_text.startswith("The second question began a new conversation")
    assert f":{proxy.port} changes bodies" in result.remedy_text


def test_a_failed_question_is_a_warning_with_its_error(doctor: Doctor, openai: OpenAIStandIn) -> None:
    openai.will(behaviours.answer("Noted."), behaviours.out_of_credit())
    result = doctor.check("memory")
    assert (result.status, result.error_code) == (CheckStatus.WARNING, "insufficient_quota")
    assert "OpenAI says that this key's account has no credit left" in result.message_text
    assert len(openai.requests) == 2


def test_it_is_not_checked_without_a_question_or_an_answer(doctor: Doctor, openai: OpenAIStandIn) -> None:
    assert doctor.run_checks(dry_run=True)["memory"].status is CheckStatus.SKIPPED
    openai.always(behaviours.out_of_credit())
    skipped = doctor.run_checks()["memory"]
    assert (skipped.status, skipped.message_text) == (CheckStatus.SKIPPED, 'Not checked. Fix "Test call" first.')


def test_the_sandbox_remembers_too(doctor_with: OpenDoctor, start_server: StartServer) -> None:
    result = doctor_with(public_url=start_server(openai_base_url=sandbox.start()).url).check("memory")
    assert (result.status, result.message_text) == (
        CheckStatus.OK,
        "The answer to the second question knew the first one (memory).",
    )
