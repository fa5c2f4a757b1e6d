"""The pictures of the documentation can be taken."""

from pathlib import Path

from playwright.sync_api import Browser

from glific_gpt.accounts.tables import Role
from tests.console.pictures import Picture, run_sample_server, take_picture
from tests.console.users import create_user


def test_a_page_of_the_sample_organization_is_drawn(browser: Browser, tmp_path: Path) -> None:
    picture = Picture(tmp_path / "calls.png", "/console/organizations/seva-trust/calls", 390, "light", full_page=False)
    with run_sample_server() as server:
        person = create_user(server, "asha@seva-trust.example.org", Role.OWNER, "seva-trust")
        assert person.sign_in().status_code == 302
        take_picture(browser, person, picture, "en-GB")
    assert picture.file.read_bytes().startswith(b"\x89PNG")
