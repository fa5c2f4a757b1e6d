"""Set-up of a server without administrators: the token of the log makes one person the first administrator."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from glific_gpt.accounts import first_administrator, people
from glific_gpt.accounts.tables import Role
from glific_gpt.clock import now
from glific_gpt.database import transaction
from glific_gpt.errors import Conflict
from tests.audit.reading import lines
from tests.console.users import PASSWORD, ConsoleUser, create_anonymous, create_user
from tests.support.server import RunningServer, TestOrganization

PAGE, HOME, SIGN_IN = "/console/set-up", "/console/", "/console/account/sign-in"
EMAIL = "asha@example.org"


@pytest.fixture
def visitor(server: RunningServer) -> Iterator[ConsoleUser]:
    """A person without a session."""
    person = create_anonymous(server)
    yield person
    person.client.close()


@pytest.fixture
def token(server: RunningServer) -> str:
    """The token of the log."""
    return find_token(server)


def find_token(server: RunningServer) -> str:
    with server.app.app_context():
        return first_administrator.create_token()


def is_missing(server: RunningServer) -> bool:
    with server.app.app_context(), transaction() as session:
        return first_administrator.is_missing(session)


def fields(token: str, **changes: str) -> dict[str, str]:
    return {"token": token, "email": EMAIL, "password": PASSWORD, "password_confirm": PASSWORD} | changes


def test_a_visitor_of_a_server_without_administrators_is_led_to_the_set_up(visitor: ConsoleUser, token: str) -> None:
    answer = visitor.get(HOME)
    assert (answer.status_code, answer.headers["Location"]) == (302, PAGE)
    assert "no administrator yet" in visitor.get(PAGE).text
    assert f'<input type="hidden" name="token" value="{token}">' in visitor.get(f"{PAGE}?token={token}").text
    assert "Set-up token" not in visitor.get(f"{PAGE}?token={token}").text
    assert "Set-up token" in visitor.get(PAGE).text


def test_the_token_makes_a_person_the_signed_in_administrator(visitor: ConsoleUser, token: str) -> None:
    answer = visitor.post(PAGE, fields(f" {token}\n", email=" ASHA@example.org"), page=PAGE)
    assert (answer.status_code, answer.headers["Location"]) == (302, HOME)
    page = visitor.client.get(visitor.server.url + HOME, follow_redirects=True)
    assert "You are the administrator of this server." in page.text
    assert visitor.get("/console/server/people").status_code == 200
    assert [(line.actor, line.action, line.detail["email"]) for line in lines(visitor.server)] == [
        ("set-up token", "administrator_added", EMAIL),
        (EMAIL, "signed_in", EMAIL),
    ]
    audit = visitor.get("/console/server/audit").text
    assert "A visitor with the set-up token" in audit


def test_the_person_signs_in_with_the_password_afterwards(visitor: ConsoleUser, token: str) -> None:
    visitor.post(PAGE, fields(token), page=PAGE)
    again = create_anonymous(visitor.server)
    again.email = EMAIL
    assert again.sign_in().headers["Location"] == HOME
    again.client.close()


def test_the_page_and_the_token_end_with_the_first_administrator(visitor: ConsoleUser, token: str) -> None:
    form = fields(token) | {"csrf_token": visitor.token(PAGE)}
    create_user(visitor.server, "admin@example.org")
    with visitor.server.app.app_context():
        assert first_administrator.create_link() is None
    assert visitor.get(HOME).headers["Location"].startswith(SIGN_IN)
    for answer in (visitor.get(f"{PAGE}?token={token}"), visitor.client.post(visitor.server.url + PAGE, data=form)):
        assert (answer.status_code, answer.headers["Location"]) == (303, HOME)
    assert "has an administrator already" in visitor.get(SIGN_IN).text
    assert [line.detail.get("email") for line in lines(visitor.server)] == ["admin@example.org"]


@pytest.mark.parametrize("wrong", ["", "ggs_", "ggs_nonsense", "nonsense", "é", "\x00"])
def test_a_wrong_token_makes_nobody_an_administrator(
    visitor: ConsoleUser, wrong: str, capfd: pytest.CaptureFixture[str]
) -> None:
    answer = visitor.post(PAGE, fields(wrong), page=PAGE)
    assert answer.status_code == 422
    assert (
        "Enter the token from the log." if not wrong else "This set-up token is wrong or has expired."
    ) in answer.text
    assert is_missing(visitor.server)
    if wrong:
        assert lines(visitor.server) == [("nobody", "set_up_failed", {"address": "127.0.0.1"})]
        assert '"set_up_failed"' in capfd.readouterr().err


def test_a_token_of_another_secret_key_is_wrong(visitor: ConsoleUser, token: str) -> None:
    visitor.server.app.config[first_administrator.KEY] = b"another"
    assert visitor.post(PAGE, fields(token), page=PAGE).status_code == 422
    assert is_missing(visitor.server)


def test_a_token_expires_after_a_day(visitor: ConsoleUser, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    signer = "itsdangerous.timed.TimestampSigner.get_timestamp"
    day = first_administrator.LIFETIME.total_seconds()
    monkeypatch.setattr(signer, lambda _signer: int(now().timestamp() + day + 60))
    assert "has expired" in visitor.post(PAGE, fields(token), page=PAGE).text
    assert is_missing(visitor.server)
    monkeypatch.setattr(signer, lambda _signer: int(now().timestamp() + day - 60))
    assert visitor.post(PAGE, fields(token), page=PAGE).status_code == 302


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"email": "asha"}, "This is not an e-mail address."),
        ({"email": ""}, "Enter an e-mail address."),
        ({"password": "short", "password_confirm": "short"}, "A password has 12 to 128 characters."),
        ({"password": "password12345", "password_confirm": "password12345"}, "too easy to guess"),
        ({"password": "asha@example.org!", "password_confirm": "asha@example.org!"}, "contains your e-mail address"),
        ({"password_confirm": "another horse"}, "The two passwords are different."),
    ],
)
def test_the_address_and_the_password_follow_the_usual_rules(
    visitor: ConsoleUser, token: str, changes: dict[str, str], message: str
) -> None:
    answer = visitor.post(PAGE, fields(token, **changes), page=PAGE)
    assert answer.status_code == 422
    assert message in answer.text
    assert is_missing(visitor.server)
    assert f'value="{token}"' in answer.text


def test_guesses_are_limited_like_attempts_to_sign_in(visitor: ConsoleUser, token: str) -> None:
    csrf_token = visitor.token(PAGE)
    url = visitor.server.url + PAGE
    statuses = [
        visitor.client.post(url, data=fields("ggs_x", email=f"{n}@example.org", csrf_token=csrf_token)).status_code
        for n in range(31)
    ]
    assert statuses == [422] * 30 + [429]
    assert visitor.post(PAGE, fields(token), page=PAGE).status_code == 429
    assert is_missing(visitor.server)


@pytest.mark.both_databases
def test_of_several_people_at_the_same_moment_one_becomes_the_administrator(server: RunningServer, token: str) -> None:
    visitors = [create_anonymous(server) for _ in range(4)]
    tokens = [visitor.token(PAGE) for visitor in visitors]
    together = Barrier(len(visitors))

    def send(number: int) -> int:
        together.wait()
        form = fields(token, email=f"person{number}@example.org", csrf_token=tokens[number])
        return visitors[number].client.post(server.url + PAGE, data=form).status_code

    with ThreadPoolExecutor() as threads:
        statuses = list(threads.map(send, range(len(visitors))))
    assert statuses.count(302) == 1
    assert set(statuses) <= {302, 303, 429}
    added = [line for line in lines(server) if line.action == "administrator_added"]
    assert len(added) == 1
    for visitor in visitors:
        visitor.client.close()


@pytest.mark.both_databases
def test_a_set_up_that_waits_for_another_one_makes_no_second_administrator(server: RunningServer) -> None:
    """The second transaction begins before the first one ends."""
    both_began = Barrier(2)

    def create(number: int) -> str:
        with server.app.app_context():
            both_began.wait()
            try:
                with transaction(10) as session:
                    first_administrator.create(session, f"person{number}@example.org", "hash")
            except Conflict:
                return "refused"
        return "created"

    with ThreadPoolExecutor() as threads:
        assert sorted(threads.map(create, range(2))) == ["created", "refused"]


def test_a_member_who_has_the_token_keeps_the_account(
    alice: TestOrganization, visitor: ConsoleUser, token: str
) -> None:
    owner = create_user(visitor.server, EMAIL, Role.OWNER, alice.slug)
    owner.sign_in()
    assert visitor.post(PAGE, fields(token), page=PAGE).status_code == 302
    with visitor.server.app.app_context(), transaction() as session:
        user = people.find_person(session, EMAIL)
        assert user.is_administrator
        assert [role for _, role in people.list_memberships(session, user)] == [Role.OWNER]
    assert owner.get("/console/organizations/alice/").headers["Location"].startswith(SIGN_IN)
    owner.client.close()


def test_members_of_a_server_without_administrators_can_sign_in(alice: TestOrganization, visitor: ConsoleUser) -> None:
    owner = create_user(visitor.server, EMAIL, Role.OWNER, alice.slug)
    assert f'href="{SIGN_IN}"' in visitor.get(PAGE).text
    assert owner.sign_in().status_code == 302
    assert owner.get(HOME).headers["Location"] == "/console/organizations/alice/"
    owner.client.close()
