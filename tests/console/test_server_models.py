"""Models for everyone: the server's allowlist limits all organizations, and the environment limits the server."""

from tests.conftest import StartServer
from tests.console.test_models import only, ticks
from tests.console.users import ConsoleUser, create_user
from tests.support.server import TestOrganization

PAGE = "/console/server/models"
PREVIEW = f"{PAGE}/preview"
ALICES = "/console/organizations/alice/models"


def test_a_saved_list_is_used_by_the_next_call_of_every_organization(
    administrator: ConsoleUser, alice: TestOrganization, bob: TestOrganization
) -> None:
    assert administrator.post(PAGE, only("gpt-4o*")).status_code == 302
    for organization in (alice, bob):
        assert organization.ask(model="o3").json()["error_code"] == "model_not_allowed"
        assert organization.ask(model="gpt-4o-mini").status_code == 200
    page = administrator.get(PAGE).text
    assert ">gpt-4o*</textarea>" in page
    administrator.post(PAGE, {"scope": "all"})
    assert alice.ask("Again?", model="o3").status_code == 200


def test_an_organization_cannot_allow_more_than_the_list(
    administrator: ConsoleUser, owner: ConsoleUser, alice: TestOrganization
) -> None:
    administrator.post(PAGE, only("gpt-4o*"))
    boxes = ticks(owner.post(f"{ALICES}/preview", only("*")).text)
    assert boxes["o3"] == "disabled"
    owner.post(ALICES, only("o3"))
    assert alice.ask(model="o3").json()["error_code"] == "model_not_allowed"


def test_the_environment_limits_the_list(start_server: StartServer) -> None:
    server = start_server(models="gpt-4o*,o3")
    administrator = create_user(server, "admin@example.org")
    administrator.sign_in()
    page = administrator.get(PAGE).text
    assert "GLIFIC_GPT_MODELS" in page
    assert '<code class="me-2 text-break">gpt-4o*</code><code class="me-2 text-break">o3</code>' in page
    boxes = ticks(page)
    assert (boxes["o3"], boxes["gpt-5"]) == ("checked", "disabled")
    administrator.post(PAGE, only("gpt-5"))
    assert server.add_organization("alice").ask(model="gpt-5").json()["error_code"] == "model_not_allowed"


def test_the_preview_shows_matches_and_saves_nothing(administrator: ConsoleUser, alice: TestOrganization) -> None:
    part = administrator.post(PREVIEW, only("gpt-5-mini")).text
    assert [model for model, box in ticks(part).items() if "checked" in box] == ["gpt-5-mini"]
    assert "This list does not allow the default model gpt-4o" in part
    assert alice.ask().status_code == 200


def test_an_invalid_list_stays_in_the_form(administrator: ConsoleUser, alice: TestOrganization) -> None:
    answer = administrator.post(PAGE, only("gpt-4o, o3"))
    assert answer.status_code == 422
    assert "is not a valid pattern" in answer.text
    assert ">gpt-4o, o3</textarea>" in answer.text
    assert alice.ask(model="gpt-5").status_code == 200


def test_only_administrators_can_open_it(owner: ConsoleUser, alice: TestOrganization) -> None:
    assert owner.get(PAGE).status_code == 404
    for path in (PAGE, PREVIEW):
        assert owner.post(path, {"scope": "none"}).status_code == 404
    assert alice.ask().status_code == 200
