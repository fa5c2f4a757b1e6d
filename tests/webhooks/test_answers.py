"""What Glific is answered when all is well."""

from tests.support.house import Ngo
from tests.support.openai_behaviours import answer, json_answer
from tests.support.openai_stand_in import OpenAIStandIn


def test_it_answers_a_question_with_the_organizations_own_key(alice: Ngo, openai: OpenAIStandIn) -> None:
    openai.always(answer("ORS is a drink of salt, sugar and water."))

    reply = alice.ask("What is ORS?", gpt_model="gpt-4o-mini", prompt="Answer briefly.")

    assert reply.status_code == 200
    body = reply.json()
    assert set(body) == {"success", "status", "parsed_msg", "model", "call_id"}
    assert (body["success"], body["status"]) == (True, "ok")
    assert body["parsed_msg"] == "ORS is a drink of salt, sugar and water."
    asked = openai.requests[-1]
    assert asked.api_key == alice.key
    assert asked.body is not None
    assert asked.body["messages"] == [
        {"role": "system", "content": "Answer briefly."},
        {"role": "user", "content": "What is ORS?"},
    ]


def test_it_decodes_the_answer_when_the_flow_asked_for_json(alice: Ngo, openai: OpenAIStandIn) -> None:
    openai.always(json_answer({"crop": "rice", "days": 90}))

    reply = alice.ask("Which crop?", response_format={"type": "json_object"})

    assert reply.json()["parsed_msg"] == {"crop": "rice", "days": 90}
