"""flask contacts."""

from sqlalchemy import insert

from glific_gpt.calls.tables import Call
from glific_gpt.clock import now
from glific_gpt.database import transaction
from glific_gpt.organizations import store
from tests.cli.conftest import Commands


def add_call(flask: Commands, slug: str, contact_id: int, status: str) -> None:
    with flask.app.app_context(), transaction() as session:
        values = {"call_id": f"call_{contact_id}", "function": "f", "started_at": now(), "give_up_at": now()}
        organization_id = store.find(session, slug).id
        session.execute(
            insert(Call).values(
                values | {"organization_id": organization_id, "contact_id": contact_id, "status": status}
            )
        )


def test_it_says_how_many_calls_of_the_contact_there_were(flask: Commands, seva: str) -> None:
    add_call(flask, seva, 21, "ok")
    add_call(flask, seva, 22, "pending")
    assert flask.json("contacts", "forget", seva, "21") == {"calls": 1, "waiting": 0}
    assert flask.text("contacts", "forget", seva, "21") == "The contact's id is removed from 0 calls of seva.\n"
    assert "Calls in progress: 1." in flask.text("contacts", "forget", seva, "22")


def test_it_refuses_an_unknown_organization_and_an_id_that_is_no_number(flask: Commands, seva: str) -> None:
    assert flask.failure("contacts", "forget", "other", "21") == "There is no organization other. Check the slug."
    for contact_id in ("asha", "0", str(2**63)):
        assert "CONTACT_ID" in flask.failure("contacts", "forget", seva, contact_id, code=2)
