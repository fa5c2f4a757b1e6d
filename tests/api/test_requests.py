"""Validation of request bodies."""

from glific_gpt.settings import MAX_BODY_BYTES
from tests.api.client import Client, assert_problem

JSON = {"Content-Type": "application/json"}
PATH = "/organizations/alice"


def test_a_body_of_another_media_type_is_refused(alice_client: Client) -> None:
    for media_type in ("text/plain", "application/x-www-form-urlencoded", "application/xml", ""):
        answer = alice_client.patch(PATH, content=b'{"name": "New"}', headers={"Content-Type": media_type})
        assert_problem(answer, 415, "not_json", "application/json")


def test_a_charset_in_the_content_type_is_accepted(alice_client: Client) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    answer = alice_client.patch(PATH, content='{"name": "नई"}'.encode(), headers=headers)
    assert answer.json()["name"] == "नई"


NOT_JSON = (
    b"",
    b"{",
    b"{'name': 'New'}",
    b'{"name": "New"} and more',
    b'{"monthly_budget_usd": NaN}',
    b'{"name": "\xff"}',
    b'{"name": "\\ud800"}',
    b'{"\\udfff": 1}',
    '{"name": "New"}'.encode("utf-16"),
    b"[" * 500_000,
    b'{"a":' * 100_000,
    b'{"name": ' + b"9" * 5000,
)


def test_a_body_that_is_not_json_is_refused(alice_client: Client) -> None:
    for content in NOT_JSON:
        assert_problem(alice_client.patch(PATH, content=content, headers=JSON), 400, "invalid_json")


def test_a_body_that_is_not_an_object_is_refused(alice_client: Client) -> None:
    for content in (b"[]", b"null", b"7", b'"name"', b'"{\\"name\\": \\"New\\"}"'):
        answer = alice_client.patch(PATH, content=content, headers=JSON)
        assert_problem(answer, 422, "invalid_value", "JSON object")


def test_a_very_long_number_is_refused(alice_client: Client) -> None:
    content = b'{"glific_organization_id": ' + b"9" * 4000 + b"}"
    assert_problem(
        alice_client.patch(PATH, content=content, headers=JSON), 422, "invalid_value", "glific_organization_id"
    )


def test_a_body_that_is_too_large_is_refused(alice_client: Client) -> None:
    content = b'{"name": "' + b"a" * MAX_BODY_BYTES + b'"}'
    assert_problem(alice_client.patch(PATH, content=content, headers=JSON), 413, "body_too_large")
