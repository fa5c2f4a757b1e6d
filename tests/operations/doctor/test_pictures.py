"""The report about pictures."""

from dataclasses import replace

from glific_gpt.operations.doctor import CheckStatus
from tests.operations.doctor.conftest import Doctor, OpenDoctor
from tests.support.server import TestOrganization


def test_it_says_which_model_reads_pictures_and_who_downloads_them(doctor: Doctor, alice: TestOrganization) -> None:
    sentences = []
    for settings in ({}, {"fetch_images": True}, {"default_model": "gpt-3.5-turbo"}):
        alice.change(**settings)
        result = doctor.check("pictures")
        assert result.status is CheckStatus.OK
        sentences.append(result.message_text)
    assert sentences == [
        "The default model gpt-4o reads pictures. OpenAI downloads them from their addresses.",
        "The default model gpt-4o reads pictures. This server downloads them.",
        "The default model gpt-3.5-turbo cannot read pictures. Flows that use parse_via_gpt_vision must name another "
        "model, such as gpt-4o-mini.",
    ]


def test_of_another_server_it_does_not_promise_that_the_model_reads_pictures(
    doctor_with: OpenDoctor, alice: TestOrganization
) -> None:
    doctor = doctor_with(openai_hosts="models.example.org")
    replace(alice, server=doctor.server).set_key("EMPTY", base_url="https://models.example.org/v1")
    alice.change(default_model="Qwen/Qwen3-8B", vector_store_id="vs_1")
    assert doctor.check("pictures").message_text == (
        "Pictures are sent to the server models.example.org, which downloads them from their addresses. It is not "
        "known whether the default model Qwen/Qwen3-8B reads them."
    )
    documents = doctor.check("documents")
    assert (documents.status, documents.remedy) == (CheckStatus.WARNING, "")
    assert documents.message_text.startswith("The server models.example.org cannot search documents.")
