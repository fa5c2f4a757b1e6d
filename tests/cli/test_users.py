"""flask users."""

import pytest

from tests.cli.conftest import Commands, OpenCommands

EMAIL = "asha@example.org"
PASSWORD = "correct horse battery staple"


def test_it_creates_an_administrator_with_a_link_that_is_shown_once(flask_with: OpenCommands) -> None:
    flask = flask_with(public_url="https://gpt.example.org")
    made = flask.json("users", "create", " Admin@Example.org", "--admin")
    link = made.pop("one_time_link")
    assert link.startswith("https://gpt.example.org/console/account/reset/")
    assert made == {"email": "admin@example.org", "organization": None, "role": None, "administrator": True}
    flask.text("users", "list")
    assert flask.printed.count(link) == 1


@pytest.mark.parametrize("role", ["owner", "editor", "viewer"])
def test_it_creates_a_member_of_an_organization(flask: Commands, seva: str, role: str) -> None:
    made = flask.json("users", "create", EMAIL, "--organization", seva, "--role", role)
    assert made.pop("one_time_link")
    assert made == {"email": EMAIL, "organization": seva, "role": role, "administrator": False}
    (listed,) = flask.json("users", "list")
    assert listed["organizations"] == [f"seva ({role})"]


def test_it_accepts_a_password_instead_of_a_link(flask: Commands) -> None:
    made = flask.json("users", "create", EMAIL, "--admin", "--password-stdin", stdin=PASSWORD + "\n")
    assert "one_time_link" not in made
    assert PASSWORD not in flask.printed


@pytest.mark.parametrize(
    ("password", "reason"),
    [("Password@1234", "too easy to guess"), ("seva trust and the horses", "contains your e-mail address")],
)
def test_a_password_that_others_can_guess_is_refused(flask: Commands, seva: str, password: str, reason: str) -> None:
    args = ("users", "create", EMAIL, "--organization", seva, "--role", "owner", "--password-stdin")
    assert reason in flask.failure(*args, stdin=password)
    assert flask.json("users", "list") == []


def test_it_refuses_a_short_password(flask: Commands) -> None:
    message = flask.failure("users", "create", EMAIL, "--admin", "--password-stdin", stdin="too short")
    assert message == "A password has 12 to 128 characters."
    assert flask.json("users", "list") == []


def test_an_existing_user_gets_a_new_link_when_added_to_an_organization(flask: Commands, seva: str) -> None:
    flask.text("organizations", "create", "other", "--name", "Other")
    flask.text("users", "create", EMAIL, "--organization", seva, "--role", "owner")
    made = flask.text("users", "create", EMAIL, "--organization", "other", "--role", "viewer")
    assert "one_time_link: http" in made
    assert "Its password and two-step sign-in were reset." in made
    (listed,) = flask.json("users", "list")
    assert listed["organizations"] == ["other (viewer)", "seva (owner)"]


def test_it_does_not_set_the_password_of_an_existing_user(flask: Commands, seva: str) -> None:
    flask.text("users", "create", EMAIL, "--admin")
    args = ("users", "create", EMAIL, "--organization", seva, "--role", "owner", "--password-stdin")
    assert flask.failure(*args, stdin=PASSWORD).startswith(f"{EMAIL} exists already")
    (listed,) = flask.json("users", "list")
    assert listed["organizations"] == []


@pytest.mark.parametrize(
    "wrong",
    [(), ("--admin", "--role", "owner"), ("--organization", "seva"), ("--admin", "--organization", "seva")],
)
def test_it_requires_a_role_or_admin(flask: Commands, seva: str, wrong: tuple[str, ...]) -> None:
    assert "Give either --admin, or --organization" in flask.failure("users", "create", EMAIL, *wrong, code=2)
    assert seva


@pytest.mark.parametrize("email", ["", "asha", "asha@", "asha@example"])
def test_it_refuses_an_invalid_email(flask: Commands, email: str) -> None:
    message = flask.failure("users", "create", email, "--admin")
    assert message == "This is not an e-mail address. Enter one such as asha@example.org."


def test_it_refuses_an_existing_member_or_administrator(flask: Commands, seva: str) -> None:
    flask.text("users", "create", EMAIL, "--organization", seva, "--role", "owner")
    again = flask.failure("users", "create", EMAIL, "--organization", seva, "--role", "owner")
    assert again == "This person is a member already."
    assert "already" in flask.failure("users", "create", EMAIL, "--admin")


def test_it_creates_a_link_for_an_existing_user(flask: Commands) -> None:
    flask.text("users", "create", EMAIL, "--admin")
    made = flask.json("users", "reset-link", EMAIL)
    assert made.keys() == {"email", "one_time_link"}
    assert flask.failure("users", "reset-link", "nobody@example.org") == "No account has this e-mail address."


def test_an_administrator_keeps_the_password_when_added_to_an_organization(flask: Commands, seva: str) -> None:
    flask.json("users", "create", EMAIL, "--admin", "--password-stdin", stdin=PASSWORD)
    assert "one_time_link" not in flask.json("users", "create", EMAIL, "--organization", seva, "--role", "owner")


def test_it_creates_no_link_for_an_inactive_user(flask: Commands, seva: str) -> None:
    flask.text("users", "create", EMAIL, "--organization", seva, "--role", "viewer")
    flask.text("users", "deactivate", EMAIL)
    assert "switched off" in flask.failure("users", "reset-link", EMAIL)


def test_it_removes_a_member_but_not_the_last_owner(flask: Commands, seva: str) -> None:
    flask.text("users", "create", EMAIL, "--organization", seva, "--role", "owner")
    assert "only owner" in flask.failure("users", "remove", EMAIL, "--organization", seva)
    flask.text("users", "create", "bea@example.org", "--organization", seva, "--role", "owner")
    assert flask.json("users", "remove", EMAIL, "--organization", seva)["removed"] is True
    assert "not a member" in flask.failure("users", "remove", EMAIL, "--organization", seva)


def test_it_deactivates_and_activates_a_user_but_not_the_last_administrator(flask: Commands) -> None:
    flask.text("users", "create", EMAIL, "--admin")
    assert "only administrator" in flask.failure("users", "deactivate", EMAIL)
    flask.text("users", "create", "bea@example.org", "--admin")
    assert flask.json("users", "deactivate", EMAIL) == {"email": EMAIL, "active": False}
    assert flask.json("users", "activate", EMAIL) == {"email": EMAIL, "active": True}


def test_it_resets_two_step_sign_in(flask: Commands) -> None:
    flask.text("users", "create", EMAIL, "--admin")
    assert flask.json("users", "reset-2fa", EMAIL) == {"email": EMAIL, "two_factor": False}


def test_it_says_how_to_create_the_first_administrator(flask: Commands) -> None:
    assert "flask users create EMAIL --admin" in flask.text("users", "list")
