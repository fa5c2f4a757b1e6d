"""The report about pictures."""

from glific_gpt.operations.doctor import CheckStatus
from tests.operations.doctor.conftest import Doctor
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
