"""flask flows export, convert, simulate."""

import json
import re
import secrets
from typing import Any

import pytest

from glific_gpt.database import transaction
from glific_gpt.flows import rules
from glific_gpt.glific.signature import DUMMY_PHRASE, sign
from glific_gpt.organizations import store, tokens
from tests.cli.conftest import Commands
from tests.cli.serving import alice, database_url, flask, server
from tests.flows.exports import action_of, node_of, question_export, uuid_of
from tests.flows.simulator.webhook_stand_in import WebhookStandIn
from tests.support import openai_behaviours as behaviours
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization

__all__ = ["alice", "database_url", "flask", "server"]

pytestmark = pytest.mark.usefixtures("alice")

MODES = ("sync", "async", "auto")


def export(flask: Commands, *args: str) -> str:
    """Export a flow for alice, ignoring warnings."""
    result = flask.run("flows", "export", "alice", *args)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def webhooks(text: str) -> list[dict[str, Any]]:
    nodes = json.loads(text)["flows"][0]["definition"]["nodes"]
    return [action for node in nodes for action in node["actions"] if action["type"] == "call_webhook"]


def as_function(text: str) -> str:
    """Return the flow with Glific's own function as its webhook, as before a conversion."""
    given = json.loads(text)
    for node in given["flows"][0]["definition"]["nodes"]:
        for action in node["actions"]:
            if action["type"] == "call_webhook":
                action |= {"method": "FUNCTION", "url": "parse_via_chat_gpt", "headers": {}}
    return json.dumps(given, indent=2)


def count_tokens(server: RunningServer) -> int:
    with server.app.app_context(), transaction() as session:
        return len(tokens.list_webhook_tokens(session, store.find(session, "alice")))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("json_option", [(), ("--json",)])
def test_it_prints_only_the_file(flask: Commands, server: RunningServer, mode: str, json_option: tuple[str]) -> None:
    result = flask.run("flows", "export", "alice", "--mode", mode, *json_option)
    assert (result.exit_code, rules.find_violations(json.loads(result.stdout))) == (0, [])
    (webhook,) = webhooks(result.stdout)
    assert webhook["url"].startswith(f"{server.url}/webhooks/alice/parse_via_chat_gpt?")
    assert all(line.startswith("Warning: ") for line in result.stderr.splitlines())
    assert "Warning: The file holds a webhook token." in result.stderr
    assert ("Connect the organization to Glific" in result.stderr) == (mode != "sync")
    assert webhook["headers"]["Authorization"].removeprefix("Bearer ") not in result.stderr


def test_it_accepts_a_name_a_keyword_a_model_and_the_signature(flask: Commands, server: RunningServer) -> None:
    options = ("--mode", "sync", "--name", "Health", "--keyword", "health", "--model", "gpt-4.1", "--signature")
    text = export(flask, *options)
    flow = json.loads(text)["flows"][0]
    assert (flow["definition"]["name"], flow["keywords"]) == ("Health", ["health"])
    (webhook,) = webhooks(text)
    assert json.loads(webhook["body"])["gpt_model"] == "gpt-4.1"
    assert "Authorization" not in webhook["headers"]
    assert count_tokens(server) == 1


def test_it_accepts_a_prompt_and_a_language(flask: Commands) -> None:
    text = export(flask, "--mode", "sync", "--language", "hi", "--prompt", "You advise mothers.")
    (webhook,) = webhooks(text)
    assert json.loads(webhook["body"])["prompt"] == "You advise mothers."
    assert "नमस्ते" in text


def test_it_refuses_invalid_options_and_prints_no_file(
    flask: Commands, alice: TestOrganization, server: RunningServer
) -> None:
    sync = ("flows", "export", "alice", "--mode", "sync")
    assert flask.failure(*sync, "--model", "tts-1") == "This model cannot answer with text. Choose a text model."
    flask.failure(*sync, "--keyword", "!")
    flask.failure("flows", "export", "alice", code=2)
    flask.failure("flows", "export", "alice", "--mode", "later", code=2)
    assert (
        flask.failure("flows", "export", "nobody", "--mode", "sync")
        == "There is no organization nobody. Check the slug."
    )
    alice.change(require_signature=True)
    assert "accepts only calls with Glific's signature" in flask.failure(*sync, "--token")
    assert count_tokens(server) == 1


def test_a_converted_flow_answers(flask: Commands, openai: OpenAIStandIn) -> None:
    before = as_function(export(flask, "--mode", "sync", "--signature"))
    result = flask.run("flows", "convert", "alice", stdin=before)
    assert result.exit_code == 0
    assert result.stderr.startswith('Changed 1 node:\n  flow "Ask Alice (sync) (own key)", node ')
    assert "(@results.gpt_response)" in result.stderr
    openai.always(behaviours.answer("Salt, sugar, water."))
    shown = flask.text("flows", "simulate", "alice", "--reply", "What is ORS?", stdin=result.stdout)
    assert "Flow:   Salt, sugar, water." in shown


def test_in_place_prints_what_to_change_in_each_node(flask: Commands, server: RunningServer) -> None:
    result = flask.run("flows", "convert", "alice", "--in-place", stdin=gpt_flow({"question_text": "सवाल"}))
    assert result.exit_code == 0
    assert result.stdout.startswith('Flow "Ask", node ')
    for line in ("  Method: POST", f"  URL: {server.url}/webhooks/alice/parse_via_chat_gpt", "  Headers:"):
        assert f"\n{line}" in result.stdout
    (token,) = re.findall(r"    Authorization: Bearer (ggw_\S+)\n", result.stdout)
    assert token not in result.stderr
    assert '\n  POST Body:\n    {\n      "question_text": "सवाल",\n' in result.stdout
    assert "\nNext, in Glific:\n  Open the flow in Glific's editor" in result.stderr


def test_in_place_prints_json_for_programs(flask: Commands) -> None:
    before = as_function(export(flask, "--mode", "sync"))
    result = flask.run("flows", "convert", "alice", "--in-place", "--signature", "--json", stdin=before)
    (node,) = json.loads(result.stdout)["nodes"]
    assert (node["method"], node["result_name"], node["body"]) == ("POST", "gpt_response", None)
    assert node["headers"] == {"Accept": "application/json", "Content-Type": "application/json"}
    assert json.loads(result.stderr)["renamed"] == []
    text = flask.run("flows", "convert", "alice", "--in-place", "--signature", stdin=before).stdout
    assert text.endswith("\n  POST Body: stays as it is\n")
    nothing = flask.run("flows", "convert", "alice", "--in-place", "--json", stdin=export(flask, "--mode", "sync"))
    assert json.loads(nothing.stdout) == {"nodes": []}


@pytest.mark.parametrize("place", [(), ("--beside",), ("--in-place",)])
def test_nothing_advises_to_delete_a_flow(flask: Commands, place: tuple[str, ...]) -> None:
    result = flask.run("flows", "convert", "alice", *place, stdin=gpt_flow({"question_text": "@results.question"}))
    assert "delete" not in (result.stdout + result.stderr).lower()
    assert "delete" not in flask.run("flows", "convert", "--help").stdout.lower()


@pytest.mark.parametrize("place", [(), ("--beside",)])
def test_a_flow_that_was_converted_beside_the_old_one_answers(
    flask: Commands, openai: OpenAIStandIn, place: tuple[str, ...]
) -> None:
    before = as_function(export(flask, "--mode", "sync", "--keyword", "ors", "--signature"))
    result = flask.run("flows", "convert", "alice", *place, stdin=before)
    assert (result.exit_code, rules.find_violations(json.loads(result.stdout))) == (0, [])
    assert result.stderr.startswith('Changed 1 node:\n  flow "Ask Alice (sync) (own key)", node ')
    assert (
        '\nRenamed:\n  "Ask Alice (sync)" is called "Ask Alice (sync) (own key)" in this file. '
        "People start it with orsown.\n"
    ) in result.stderr
    assert "\nNext, in Glific:\n  Import this file and send draft:orsown to try it" in result.stderr
    openai.always(behaviours.answer("Salt, sugar, water."))
    arguments = ("--keyword", "orsown", "--reply", "What is ORS?")
    shown = flask.text("flows", "simulate", "alice", *arguments, stdin=result.stdout)
    assert "Flow:   Salt, sugar, water." in shown


def test_the_json_report_lists_renamed_flows(flask: Commands) -> None:
    before = as_function(export(flask, "--mode", "sync", "--signature"))
    result = flask.run("flows", "convert", "alice", "--beside", "--json", stdin=before)
    report, flow = json.loads(result.stderr), json.loads(result.stdout)["flows"][0]
    assert report["renamed"] == [
        {
            "before": "Ask Alice (sync)",
            "name": flow["definition"]["name"],
            "uuid": flow["definition"]["uuid"],
            "keywords": flow["keywords"],
        }
    ]
    assert report["then"].startswith("Import this file and send draft:asksyncown to try it")


def test_a_name_cannot_control_the_terminal(flask: Commands) -> None:
    given = json.loads(as_function(export(flask, "--mode", "sync", "--signature")))
    given["flows"][0]["definition"]["name"] = "Ask\x1b[2J"
    for place in ((), ("--beside",)):
        result = flask.run("flows", "convert", "alice", *place, stdin=json.dumps(given))
        assert (result.exit_code, "Ask" in result.stderr, "\x1b" in result.stderr) == (0, True, False)


def test_the_json_report_is_written_to_standard_error(flask: Commands) -> None:
    before = as_function(export(flask, "--mode", "sync"))
    result = flask.run("flows", "convert", "alice", "--json", stdin=before)
    report = json.loads(result.stderr)
    assert [len(report[name]) for name in ("changed", "left", "renamed")] == [1, 0, 1]
    (changed,) = report["changed"]
    assert (changed["function"], changed["result_name"]) == ("parse_via_chat_gpt", "gpt_response")
    assert report["mind"][0].startswith("The file holds a webhook token.")
    assert "ggw_" not in result.stderr
    assert rules.find_violations(json.loads(result.stdout)) == []


def test_a_flow_with_nothing_to_convert_stays_unchanged(flask: Commands, server: RunningServer) -> None:
    before = export(flask, "--mode", "sync", "--signature").replace("Hello", "नमस्ते")
    for place in ((), ("--beside",)):
        result = flask.run("flows", "convert", "alice", *place, stdin=before)
        assert (result.exit_code, result.stdout) == (0, before)
        assert result.stderr.startswith("No node was changed. The file is the same as before.")
        assert "Next, in Glific" not in result.stderr
    assert count_tokens(server) == 1


@pytest.mark.parametrize("text", ["", "{}", "[1, 2]", b"\xff\xfe", '{"flows": []}'])
def test_an_invalid_export_is_refused_with_one_line(flask: Commands, text: str) -> None:
    for command in ("convert", "simulate"):
        assert flask.failure("flows", command, "alice", stdin=text).endswith(".")


def test_an_unknown_organization_is_an_error(flask: Commands) -> None:
    text = export(flask, "--mode", "sync")
    for command in ("convert", "simulate"):
        assert (
            flask.failure("flows", command, "nobody", stdin=text) == "There is no organization nobody. Check the slug."
        )


def test_it_simulates_a_conversation(flask: Commands, openai: OpenAIStandIn) -> None:
    openai.will(behaviours.answer("Salt, sugar, water."), behaviours.answer("A litre."))
    arguments = ("--keyword", "asksync", "--reply", "What is ORS?", "--reply", "How much?", "--reply", "END")
    shown = flask.text("flows", "simulate", "alice", *arguments, stdin=export(flask, "--mode", "sync"))
    answers = [line.removeprefix("Flow:   ") for line in shown.splitlines() if line.startswith("Flow:")]
    assert {"Salt, sugar, water.", "A litre."} <= set(answers)
    assert [request.question for request in openai.requests] == ["What is ORS?", "How much?"]


def test_a_simulated_flow_with_memory_continues_the_conversation(flask: Commands, openai: OpenAIStandIn) -> None:
    # Digits at random do not compress, so that the thread id has several thousand characters.
    answers = [secrets.token_hex(1400) for _ in range(2)]
    openai.will(*map(behaviours.answer, answers))
    replies = [argument for question in ("What is ORS?", "How much?", "Why?") for argument in ("--reply", question)]
    flask.text("flows", "simulate", "alice", *replies, stdin=export(flask, "--mode", "sync", "--memory"))
    sent = [[message["content"] for message in request.body["messages"][1:]] for request in openai.requests]
    assert sent[-1] == ["What is ORS?", answers[0], "How much?", answers[1], "Why?"]
    assert sent[:-1] == [sent[-1][:1], sent[-1][:3]]


def test_the_json_output_has_messages_calls_and_state(flask: Commands, openai: OpenAIStandIn) -> None:
    openai.always(behaviours.answer("Salt, sugar, water."))
    output = flask.json("flows", "simulate", "alice", "--reply", "What is ORS?", stdin=export(flask, "--mode", "sync"))
    assert {"who": "person", "text": "What is ORS?"} in output["lines"]
    assert any(line["who"] == "flow" and line["text"].startswith("Salt, sugar, water.") for line in output["lines"])
    assert [(call["status"], call["outcome"]) for call in output["calls"]] == [(200, "Success")]
    assert (output["waits_for"], output["ended"], output["trouble"]) == ("reply", False, [])


def test_each_simulation_has_another_contact(flask: Commands, alice: TestOrganization) -> None:
    alice.change(contact_daily_limit=1)
    text = export(flask, "--mode", "sync")
    for _ in range(2):
        output = flask.json("flows", "simulate", "alice", "--reply", "What is ORS?", stdin=text)
        assert output["calls"][0]["status"] == 200
    ids = {call["contact_id"] for call in alice.calls()}
    assert (len(ids), min(ids) >= 10**9) == (2, True)


def test_a_conversation_with_a_problem_is_shown_and_fails_the_command(flask: Commands) -> None:
    given = json.loads(export(flask, "--mode", "sync"))
    for node in given["flows"][0]["definition"]["nodes"]:
        for action in node["actions"]:
            if action["type"] == "send_msg" and "Hello" in action["text"]:
                action["text"] = "Hello @results.who_is_there"
    result = flask.run("flows", "simulate", "alice", stdin=json.dumps(given))
    assert (result.exit_code, "Hello @results.who_is_there" in result.stdout) == (1, True)
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: The conversation had a problem. ")
    result = flask.run("flows", "simulate", "alice", "--json", stdin=json.dumps(given))
    assert (result.exit_code, json.loads(result.stdout)["trouble"][0]["code"]) == (1, "literal_variable")


def test_it_warns_first_about_violations_of_glifics_rules(flask: Commands, openai: OpenAIStandIn) -> None:
    openai.always(behaviours.answer("Salt, sugar, water."))
    given = json.loads(export(flask, "--mode", "sync"))
    given["flows"][0]["keywords"] = ["Ask me"]
    result = flask.run("flows", "simulate", "alice", "--reply", "What is ORS?", stdin=json.dumps(given))
    assert (result.exit_code, "Salt, sugar, water." in result.stdout) == (0, True)
    assert result.stderr.startswith("Warning: ")
    assert 'its keyword "Ask me" never matches. Glific compares "askme".' in result.stderr


def test_a_failed_call_fails_the_command(flask: Commands, openai: OpenAIStandIn) -> None:
    openai.always(behaviours.out_of_credit())
    result = flask.run("flows", "simulate", "alice", "--reply", "What is ORS?", stdin=export(flask, "--mode", "sync"))
    assert (result.exit_code, "has no credit left" in result.stdout.replace("\n", " ")) == (1, True)
    assert result.stderr == "Error: 1 of 1 call failed. The conversation shows the reason.\n"


def test_the_organizations_phrase_signs_only_calls_to_this_server(flask: Commands, alice: TestOrganization) -> None:
    alice.set_phrase("a phrase of alice and glific")
    alice.change(require_signature=True)
    text = export(flask, "--mode", "sync")
    output = flask.json("flows", "simulate", "alice", "--reply", "What is ORS?", stdin=text)
    assert output["calls"][0]["status"] == 200
    with WebhookStandIn() as other_server:
        elsewhere = text.replace(alice.url, other_server.url)
        flask.json("flows", "simulate", "alice", "--reply", "What is ORS?", stdin=elsewhere)
        (request,) = other_server.requests
    signature = request.headers["x-glific-signature"]
    at = int(signature.partition(",")[0].removeprefix("t="))
    body = json.dumps(request.body, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    for phrase, signs in (("a phrase of alice and glific", False), (DUMMY_PHRASE, True)):
        assert (sign(phrase, body, at) == signature) is signs


def test_an_unknown_keyword_is_refused(flask: Commands) -> None:
    text = export(flask, "--mode", "sync", "--keyword", "health")
    flask.text("flows", "simulate", "alice", "--keyword", "Health!", stdin=text)
    for keywords in (["health"], None, [7]):
        given = json.loads(text)
        given["flows"][0]["keywords"] = keywords
        message = flask.failure("flows", "simulate", "alice", "--keyword", "menu", stdin=json.dumps(given))
        assert message.startswith("No flow in this file has this keyword. Its keywords are: ")


def gpt_flow(body: dict[str, Any], answer: str = "@results.gpt_response.parsed_msg") -> str:
    """Return a flow that asks Glific's own function, and sends this text after the answer."""
    exported = question_export(body=json.dumps(body))
    action_of(exported, "answer")["text"] = answer
    return json.dumps(exported)


def convert_and_ask(flask: Commands, before: str, *questions: str) -> tuple[str, str]:
    """Convert a flow and ask its new keyword. Return the report, and the conversation in one line."""
    converted = flask.run("flows", "convert", "alice", stdin=before)
    assert converted.exit_code == 0
    replies = [argument for question in questions for argument in ("--reply", question)]
    shown = flask.run("flows", "simulate", "alice", "--keyword", "askown", *replies, stdin=converted.stdout)
    return " ".join(converted.stderr.split()), " ".join(shown.stdout.split())


@pytest.mark.parametrize(
    "variable", ["@results.gpt_response.parsed_msg", "@results.gpt_response.model", "@results.gpt_response.call_id"]
)
def test_a_prompt_that_reads_the_nodes_own_answer_works_the_first_time(
    flask: Commands, openai: OpenAIStandIn, variable: str
) -> None:
    openai.always(behaviours.answer("Salt."))
    body = {"question_text": "@results.question", "prompt": f"Be brief. You said before: {variable}"}
    report, shown = convert_and_ask(flask, gpt_flow(body), "What is ORS?")
    assert f"The body reads {variable}" in report
    assert "Flow: Salt." in shown
    assert openai.requests[-1].body["messages"][0]["content"] == "Be brief. You said before: -"


def test_a_converted_flow_that_sends_thread_id_has_memory(flask: Commands, openai: OpenAIStandIn) -> None:
    convert_and_ask(
        flask, as_function(export(flask, "--mode", "sync", "--keyword", "ask", "--memory")), "What is ORS?", "How much?"
    )
    sent = [message["content"] for message in openai.requests[-1].body["messages"]]
    assert sent[1:] == ["What is ORS?", "Hello from the stand-in.", "How much?"]


def test_a_json_schema_is_asked_of_a_model_that_is_allowed_and_can_do_it(
    flask: Commands, openai: OpenAIStandIn, alice: TestOrganization
) -> None:
    alice.change(allowed_models=["gpt-4", "gpt-4o-mini"])
    openai.always(behaviours.answer('{"topic": "loan"}'))
    schema = {"name": "s", "schema": {"type": "object", "properties": {"topic": {"type": "string"}}}}
    format_ = {"type": "json_schema", "json_schema": schema}
    body = {"question_text": "@results.question", "model": "gpt-4", "response_format": format_}
    report, shown = convert_and_ask(flask, gpt_flow(body, "Topic: @results.gpt_response.parsed_msg.topic"), "A loan?")
    assert "gpt-4 cannot answer by a JSON schema, so the node asks gpt-4o-mini." in report
    assert "Flow: Topic: loan" in shown
    assert openai.requests[-1].model == "gpt-4o-mini"


@pytest.mark.parametrize("ending", ["।", "जी", "’"])
def test_a_letter_behind_a_variable_is_reported_before_and_during_a_simulation(
    flask: Commands, openai: OpenAIStandIn, ending: str
) -> None:
    openai.always(behaviours.answer("Salt."))
    before = gpt_flow({"question_text": "@results.question"}, f"उत्तर: @results.gpt_response.parsed_msg{ending}")
    report, shown = convert_and_ask(flask, before, "What is ORS?")
    assert "Put a blank behind @results.gpt_response.parsed_msg." in report
    assert "The person reads @results.gpt_response.parsed_msg" in shown


@pytest.mark.parametrize(
    "answer",
    [
        "First, know your Immune System. It protects you.",
        "Ask your Travel Agent. It is a slow Process. Then apply(online).",
        "Clean the Port. Then spawn(fish) in the Node.",
    ],
)
def test_an_answer_that_looks_like_suspicious_code_can_be_stored(
    flask: Commands, openai: OpenAIStandIn, answer: str
) -> None:
    openai.always(behaviours.answer(answer))
    exported = question_export(body=json.dumps({"question_text": "@results.question"}))
    store = {"type": "set_run_result", "name": "saved", "category": "", "value": "@results.gpt_response.parsed_msg"}
    first = action_of(exported, "answer")
    node_of(exported, "answer")["actions"] = [
        {"uuid": uuid_of("store"), **store},
        {**first, "text": "Saved: @results.saved"},
    ]
    _, shown = convert_and_ask(flask, json.dumps(exported), "What?")
    assert f"Flow: Saved: {answer}" in shown.replace("\u200b", "")


@pytest.mark.parametrize(
    ("answer", "text", "sent"),
    [
        (
            '{"intent": "loan", "reply": "Ask the bank"}',
            "Topic: @results.gpt_response.parsed_msg.intent",
            "Topic: loan",
        ),
        ('```json\n{"crop": {"name": "rice"}}\n```', "@results.gpt_response.parsed_msg.crop.name!", "rice!"),
        ('[{"name": "Asha"}]', "@results.gpt_response.parsed_msg.0.name", "Asha"),
    ],
)
def test_a_json_answer_is_read_without_a_response_format(
    flask: Commands, openai: OpenAIStandIn, answer: str, text: str, sent: str
) -> None:
    openai.always(behaviours.answer(answer))
    body = {"question_text": "@results.question", "prompt": "Answer with JSON."}
    report, shown = convert_and_ask(flask, gpt_flow(body, text), "What?")
    assert f"Flow: {sent}" in shown
    assert "Check these in Glific" not in report


def test_a_simulated_flow_with_documents_searches_them(
    flask: Commands, openai: OpenAIStandIn, alice: TestOrganization
) -> None:
    store = openai.documents.add_store(alice.key, "rules.pdf")
    openai.search("In May 【4:0†source】.")
    flask.text("organizations", "set", "alice", "--vector-store-id", store)
    flow = export(flask, "--mode", "sync", "--documents")
    assert "In May." in flask.text("flows", "simulate", "alice", "--reply", "When?", stdin=flow)
    assert openai.requests[-1].body["instructions"].startswith("Answer from the documents")
    assert flask.failure("flows", "export", "alice", "--mode", "sync", "--documents", "--model", "gpt-3.5-turbo")
