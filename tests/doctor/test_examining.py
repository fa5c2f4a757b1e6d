"""The whole examination: its order, what it leaves out, and how it ends."""

import pytest

from glific_gpt.doctor import TITLES, Verdict, examine, only_inside, would_answer
from glific_gpt.errors import NotFound
from tests.doctor.conftest import Doctor, OpenDoctor
from tests.support.house import House, Ngo
from tests.support.openai_stand_in import OpenAIStandIn


def test_every_check_of_an_organization_that_is_well_is_well(doctor: Doctor) -> None:
    found = doctor.examine()
    assert list(found) == list(TITLES)
    verdicts = {name: finding.verdict for name, finding in found.items()}
    # No server of a test has an address that Glific could reach; and the stand-in tells no time.
    assert verdicts.pop("address") is Verdict.WARNING
    assert verdicts.pop("clock") is Verdict.SKIPPED
    assert set(verdicts.values()) == {Verdict.OK}
    assert would_answer(found.values())


def test_an_answer_inside_the_servers_own_network_is_not_one_for_glific(doctor: Doctor) -> None:
    found = doctor.examine(dry_run=True)
    assert only_inside(found.values())
    assert not only_inside(finding for finding in found.values() if finding.check != "address")


def test_a_dry_run_asks_no_question(doctor: Doctor, alice: Ngo, openai: OpenAIStandIn) -> None:
    found = doctor.examine(dry_run=True)
    assert (found["call"].verdict, found["call"].sentence) == (Verdict.SKIPPED, "Not made: this was a dry run.")
    assert would_answer(found.values())
    assert {request.path for request in openai.requests} == {"/v1/models"}
    assert alice.calls() == []


def test_what_cannot_be_looked_at_says_what_comes_first(doctor: Doctor, house: House, openai: OpenAIStandIn) -> None:
    house.ngo("carol", key="")
    found = doctor.examine("carol")
    assert found["call"].verdict is Verdict.SKIPPED
    assert found["call"].sentence == 'Not looked at: "OpenAI key" must be mended first.'
    assert not would_answer(found.values())
    assert openai.requests == [request for request in openai.requests if request.api_key is None]


def test_each_finding_comes_before_the_next_is_looked_for(doctor: Doctor, openai: OpenAIStandIn) -> None:
    with doctor.house.app.app_context():
        assert next(examine("alice")).check == "organization"
    assert openai.requests == []


def test_an_organization_that_is_not_there_is_not_examined(doctor: Doctor) -> None:
    for slug in ("nobody", "../alice", ""):
        with pytest.raises(NotFound):
            doctor.examine(slug)


def test_no_finding_tells_a_secret(doctor: Doctor, doctor_with: OpenDoctor, alice: Ngo) -> None:
    alice.set_phrase("a phrase of alice and glific")
    told = str(doctor.examine()) + str(doctor_with(encryption_keys="A" * 43 + "=").examine())
    for secret in (alice.key, alice.token, "a phrase of alice", "ggw_"):
        assert secret not in told


def test_every_text_of_a_finding_is_filled_in(doctor: Doctor) -> None:
    for finding in doctor.examine().values():
        assert "%(" not in finding.sentence + finding.advice
        assert finding.sentence.endswith(".")
