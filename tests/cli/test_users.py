"""flask users."""

import pytest

from tests.cli.conftest import Commands, Open

EMAIL = "asha@example.org"
PASSWORD = "correct horse battery staple"


def test_it_makes_an_administrator_with_a_link_that_is_shown_once(flask_with: Open) -> None:
    flask = flask_with(public_url="https://gpt.example.org")
    made = flask.json("users", "create", " Admin@Example.org", "--admin")
    link = made.pop("one_time_link")
    assert link.startswith("https://gpt.example.org/console/account/reset/")
    assert made == {"email": "admin@example.org", "organization": None, "role": None, "administrator": True}
    flask.text("users", "list")
    assert flask.printed.count(link) == 1


@pytest.mark.parametrize("role", ["owner", "editor", "viewer"])
def test_it_makes_a_person_of_an_organization(flask: Commands, seva: str, role: str) -> None:
    made = flask.json("users", "create", EMAIL, "--organization", seva, "--role", role)
    assert made.pop("one_time_link")
    assert made == {"email": EMAIL, "organization": seva, "role": role, "administrator": False}
    (listed,) = flask.json("users", "list")
    assert listed["organizations"] == [f"seva ({role})"]


def test_it_takes_a_password_in_place_of_a_link(flask: Commands) -> None:
    made = flask.json("users", "create", EMAIL, "--admin", "--password-stdin", stdin=PASSWORD + "\n")
    assert "one_time_link" not in made
    assert PASSWORD not in flask.printed


def test_it_refuses_a_password_that_is_short(flask: Commands) -> None:
    said = flask.failure("users", "create", EMAIL, "--admin", "--password-stdin", stdin="too short")
    assert said == "A password has 12 to 128 characters."
    assert flask.json("users", "list") == []


def test_it_lets_a_known_person_into_another_organization_by_a_new_link(flask: Commands, seva: str) -> None:
    flask.text("organizations", "create", "other", "--name", "Other")
    flask.text("users", "create", EMAIL, "--organization", seva, "--role", "owner")
    made = flask.text("users", "create", EMAIL, "--organization", "other", "--role", "viewer")
    assert "one_time_link: http" in made
    assert "its password and second factor of before are taken away" in made
    (listed,) = flask.json("users", "list")
    assert listed["organizations"] == ["other (viewer)", "seva (owner)"]


def test_it_does_not_set_the_password_of_somebody_who_is_known(flask: Commands, seva: str) -> None:
    flask.text("users", "create", EMAIL, "--admin")
    args = ("users", "create", EMAIL, "--organization", seva, "--role", "owner", "--password-stdin")
    assert flask.failure(*args, stdin=PASSWORD).startswith(f"{EMAIL} is known already")
    (listed,) = flask.json("users", "list")
    assert listed["organizations"] == []


@pytest.mark.parametrize(
    "wrong",
    [(), ("--admin", "--role", "owner"), ("--organization", "seva"), ("--admin", "--organization", "seva")],
)
def test_it_wants_to_know_what_the_person_is(flask: Commands, seva: str, wrong: tuple[str, ...]) -> None:
    assert "Say either --admin, or --organization" in flask.failure("users", "create", EMAIL, *wrong, code=2)
    assert seva


@pytest.mark.parametrize("email", ["", "asha", "asha@", "asha@example"])
def test_it_refuses_what_is_no_address(flask: Commands, email: str) -> None:
    said = flask.failure("users", "create", email, "--admin")
    assert said == "That is not an e-mail address, such as asha@example.org."


def test_it_says_who_is_there_already(flask: Commands, seva: str) -> None:
    flask.text("users", "create", EMAIL, "--organization", seva, "--role", "owner")
    again = flask.failure("users", "create", EMAIL, "--organization", seva, "--role", "owner")
    assert again == "This person is a member already."
    assert "already" in flask.failure("users", "create", EMAIL, "--admin")


def test_it_makes_a_link_for_somebody_who_is_known(flask: Commands) -> None:
    flask.text("users", "create", EMAIL, "--admin")
    made = flask.json("users", "link", EMAIL)
    assert made.keys() == {"email", "one_time_link"}
    assert flask.failure("users", "link", "nobody@example.org") == "There is nobody with that e-mail address."


def test_it_lets_an_administrator_into_an_organization_as_before(flask: Commands, seva: str) -> None:
    flask.json("users", "create", EMAIL, "--admin", "--password-stdin", stdin=PASSWORD)
    assert "one_time_link" not in flask.json("users", "create", EMAIL, "--organization", seva, "--role", "owner")


def test_it_makes_no_link_for_somebody_who_is_switched_off(flask: Commands, seva: str) -> None:
    flask.text("users", "create", EMAIL, "--organization", seva, "--role", "viewer")
    flask.text("users", "deactivate", EMAIL)
    assert "switched off" in flask.failure("users", "link", EMAIL)


def test_it_takes_somebody_out_of_an_organization_but_not_its_last_owner(flask: Commands, seva: str) -> None:
    flask.text("users", "create", EMAIL, "--organization", seva, "--role", "owner")
    assert "only owner" in flask.failure("users", "remove", EMAIL, "--organization", seva)
    flask.text("users", "create", "bea@example.org", "--organization", seva, "--role", "owner")
    assert flask.json("users", "remove", EMAIL, "--organization", seva)["removed"] is True
    assert "not a member" in flask.failure("users", "remove", EMAIL, "--organization", seva)


def test_it_switches_somebody_off_and_on_but_not_the_last_administrator(flask: Commands) -> None:
    flask.text("users", "create", EMAIL, "--admin")
    assert "only administrator" in flask.failure("users", "deactivate", EMAIL)
    flask.text("users", "create", "bea@example.org", "--admin")
    assert flask.json("users", "deactivate", EMAIL) == {"email": EMAIL, "active": False}
    assert flask.json("users", "activate", EMAIL) == {"email": EMAIL, "active": True}


def test_it_switches_the_second_factor_off_of_who_has_lost_the_phone(flask: Commands) -> None:
    flask.text("users", "create", EMAIL, "--admin")
    assert flask.json("users", "forget-phone", EMAIL) == {"email": EMAIL, "two_factor": False}


def test_it_says_what_to_do_when_there_is_nobody(flask: Commands) -> None:
    assert "flask users create EMAIL --admin" in flask.text("users", "list")
