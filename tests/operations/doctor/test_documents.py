"""The check of the vector store that filesearch-gpt searches."""

from glific_gpt.operations.doctor import CheckStatus
from tests.operations.doctor.conftest import Doctor
from tests.support.openai_behaviours import server_error
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TestOrganization


def test_a_store_is_checked_at_openai(doctor: Doctor, alice: TestOrganization, openai: OpenAIStandIn) -> None:
    assert "No documents are chosen" in doctor.check("documents").message_text
    store = openai.documents.add_store(alice.key, "rules.pdf", "dates.docx")
    alice.change(vector_store_id=store)
    ready = doctor.check("documents")
    assert ready.status is CheckStatus.OK
    assert ready.message_text == f"filesearch-gpt searches 2 documents in the vector store {store}."
    alice.change(default_model="gpt-4")
    assert doctor.check("documents").message_text == (
        "The default model gpt-4 cannot search documents. Flows that use filesearch-gpt must name another model, such "
        "as gpt-4o-mini."
    )


def test_a_store_without_readable_documents_is_a_warning(
    doctor: Doctor, alice: TestOrganization, bob: TestOrganization, openai: OpenAIStandIn
) -> None:
    for store, words in (
        (openai.documents.add_store(bob.key, "rules.pdf"), "is not at the OpenAI account"),
        ("vs_gone", "is not at the OpenAI account"),
        (openai.documents.add_store(alice.key), "has no documents"),
        (openai.documents.add_store(alice.key, "rules.pdf", "numbers.xlsx"), "could not read 1 of 2 documents"),
    ):
        alice.change(vector_store_id=store)
        result = doctor.check("documents")
        assert result.status is CheckStatus.WARNING
        assert words in result.message_text
        assert result.remedy
    openai.for_documents(server_error())
    assert doctor.check("documents").error_code == "upstream_error"
    alice.switch_key(on=False)
    assert doctor.run_checks(dry_run=True)["documents"].status is CheckStatus.SKIPPED
