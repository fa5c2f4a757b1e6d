"""Every spelling of an e-mail address means the same account: in sign-in, limits, invitations, links and commands."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from glific_gpt.accounts import addresses
from glific_gpt.accounts.sign_in import known_browsers
from glific_gpt.errors import InvalidValue
from tests.accounts.conftest import AddPerson
from tests.accounts.test_sign_in import ACCOUNT
from tests.console.users import PASSWORD, ConsoleUser, create_client
from tests.support.server import RunningServer

WRONG = "not the password at all"
SPELLINGS = {
    "ideographic full stop": "kavi@alpha。org",
    "half-width full stop": "kavi@alpha｡org",
    "full-width full stop": "kavi@alpha．org",
    "one dot leader": "kavi@alpha\u2024org",
    "full-width letters": "ｋａｖｉ@ａｌｐｈａ.org",
    "full-width at sign": "kavi＠alpha.org",
    "upper case": "KAVI@ALPHA.ORG",
    "Kelvin sign": "\u212aavi@alpha.org",
    "mathematical letters": "𝐤avi@alpha.org",
    "blanks around it": " \u3000kavi@alpha.org\u00a0\n",
    "byte order mark": "\ufeffkavi@alpha.org",
    "zero width space": "ka\u200bvi@alpha.org",
    "soft hyphen in the domain": "kavi@al\u00adpha.org",
    "word joiner": "kavi@alpha\u2060.org",
    "variation selector": "kavi\ufe0f@alpha.org",
    "combining grapheme joiner": "ka\u034fvi@alpha.org",
    "Hangul filler": "kavi\u3164@alpha.org",
    "direction mark": "\u202ekavi@alpha.org",
    "null byte": "kavi@alpha.org\x00",
    "absolute domain": "kavi@alpha.org.",
}


@pytest.fixture
def kavi(add_person: AddPerson) -> ConsoleUser:
    return add_person("kavi@alpha.org")


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_every_spelling_has_one_normal_form(spelling: str) -> None:
    assert addresses.normalize(spelling) == "kavi@alpha.org"


@pytest.mark.parametrize(
    "spelling", ["é@münchen.de", "e\u0301@xn--mnchen-3ya.de", "É@MU\u0308NCHEN.DE", "é@XN--MNCHEN-3YA.de"]
)
def test_international_addresses_have_one_normal_form(spelling: str) -> None:
    assert addresses.normalize(spelling) == addresses.validate(spelling) == "é@münchen.de"


@given(st.text() | st.emails() | st.builds("{}@{}.org".format, st.text(), st.text()))
@example("ſ\u0307\u0323@alpha.org")
@example("\u0130x@alpha.org")
@example("℡@alpha.org")
def test_a_normal_form_stays_as_it_is(text: str) -> None:
    normal = addresses.normalize(text)
    assert addresses.normalize(normal) == normal
    try:
        assert addresses.validate(text) == normal
    except InvalidValue:
        return
    assert addresses.validate(normal) == normal


def test_an_address_with_an_invisible_letter_of_its_domain_is_refused() -> None:
    with pytest.raises(InvalidValue):
        addresses.validate("kavi@al\u200cpha.org")


def test_a_person_signs_in_with_any_spelling(kavi: ConsoleUser) -> None:
    for spelling in SPELLINGS.values():
        kavi.email = spelling
        assert kavi.sign_in().status_code == 302, spelling
        assert kavi.post("/console/account/sign-out", page=ACCOUNT).status_code == 302


def test_another_spelling_does_not_pass_the_limit(kavi: ConsoleUser) -> None:
    assert [kavi.sign_in(WRONG).status_code for _ in range(6)] == [422] * 5 + [429]
    for spelling in SPELLINGS.values():
        kavi.email = spelling
        assert kavi.sign_in().status_code == 429, spelling


def test_a_browser_is_known_under_any_spelling(kavi: ConsoleUser) -> None:
    kavi.email = SPELLINGS["ideographic full stop"]
    kavi.sign_in()
    cookie = f"{known_browsers.COOKIE}={kavi.client.cookies[known_browsers.COOKIE]}"
    with kavi.server.app.test_request_context(headers={"Cookie": cookie}):
        assert known_browsers.is_known("kavi@alpha.org")


def test_forgotten_passwords_are_limited_for_all_spellings_together(server: RunningServer) -> None:
    page = "/console/account/forgotten"
    with create_client() as client:
        anonymous = ConsoleUser(server, "", client)
        token = anonymous.token()
        statuses = [
            client.post(server.url + page, data={"csrf_token": token, "email": spelling}).status_code
            for spelling in list(SPELLINGS.values())[:6]
        ]
    assert statuses == [200] * 5 + [429]


def test_a_very_long_text_is_not_an_address(kavi: ConsoleUser) -> None:
    kavi.email = "kavi@alpha.org" + " " * 5000 + "x"
    assert kavi.sign_in(PASSWORD).status_code == 422
