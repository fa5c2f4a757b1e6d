"""A new password is not one that others can guess."""

import pytest

from glific_gpt.accounts import password_rules
from glific_gpt.accounts.tables import Role
from glific_gpt.errors import InvalidValue
from tests.accounts.conftest import AddPerson
from tests.accounts.test_passwords import CHANGE, NEW, change, choose, link_for
from tests.console.users import ConsoleUser

COMMON = (
    *("passwordpassword", "password1234", "Password@1234", "P@ssw0rd12345", "Welcome@2026!", "Changeme1234!"),
    *("123456789012", "qwertyuiop123", "1q2w3e4r5t6y", "aaaaaaaaaaaa", "abcdefghijkl", "trustno1trustno1"),
    *("iloveyou1234", "letmein12345", "Mumbai@12345", "krishna12345", "jaishreeram12", "BharatMataKiJai@1"),
    "passwordpassword" * 8,
)
NAMES = ("kavi.rao@alpha.org", "seva-trust", "Séva Trust")
PERSONAL = (
    *("kavi.rao@alpha.org", "Kavi.Rao: three horses", "my name is KAVI RAO ok", "seva-trust of the people"),
    *("ＳＥＶＡ Ｔｒｕｓｔ horses", "Séva trust Séva horses", "glific and three horses", "three GL-ific horses run"),
)
GOOD = ("correct horse battery staple", NEW, "teen hathi aur ek chaand", "मेरा प्यारा भारत देश", "n7kq-x2wm-p9ab-c3de")


@pytest.mark.parametrize("password", COMMON)
def test_a_common_password_is_refused(password: str) -> None:
    with pytest.raises(InvalidValue, match="too easy to guess"):
        password_rules.validate(password)


@pytest.mark.parametrize("password", PERSONAL)
def test_a_password_with_a_name_of_the_person_or_the_organization_is_refused(password: str) -> None:
    with pytest.raises(InvalidValue, match="contains your e-mail address"):
        password_rules.validate(password, NAMES)


@pytest.mark.parametrize("password", GOOD)
def test_a_password_of_unrelated_words_is_accepted(password: str) -> None:
    password_rules.validate(password, NAMES)


def test_a_short_name_is_not_searched_for() -> None:
    password_rules.validate("three rams and a battery", ["ram@example.org"])


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("en", "This password is too easy to guess."), ("hi", "इस पासवर्ड का अंदाज़ा आसानी से लगाया जा सकता है।")],
)
def test_the_forms_refuse_a_common_password_in_the_language_of_the_person(
    asha: ConsoleUser, language: str, sentence: str
) -> None:
    asha.client.headers["Accept-Language"] = language
    path = link_for(asha)
    answer = asha.post(path, dict.fromkeys(("password", "password_confirm"), "Password@1234"), page=path)
    assert (answer.status_code, sentence in answer.text) == (422, True)
    assert "Password@1234" not in answer.text
    asha.sign_in()
    fields = {"password": "correct horse battery staple", "new_password": "Password@1234"}
    answer = asha.post(CHANGE, fields | {"new_password_confirm": "Password@1234"}, page=CHANGE)
    assert (answer.status_code, sentence in answer.text) == (422, True)


def test_the_forms_know_the_names_of_the_person_and_of_the_organization(add_person: AddPerson) -> None:
    meena = add_person("meena@example.org", Role.VIEWER)
    path = link_for(meena)
    assert choose(meena, path, "meena likes three horses") == 422
    assert choose(meena, path, "alice likes three horses") == 422
    meena.sign_in()
    assert change(meena, new="alice likes three horses") == 422
    assert change(meena, new="three horses like the moon") == 302
