"""The handbook that the console shows."""

import re

import pytest
from flask import Flask

from glific_gpt.console.handbook import FILES, SECTIONS, load_handbook
from tests.console.users import ConsoleUser
from tests.support.server import RunningServer, TestOrganization

HELP = "/console/help"
HERE = "/console/organizations/alice"


def anchors(language: str) -> list[str]:
    return re.findall(r'<h[23] id="([^"]+)"', load_handbook(language).html)


def test_both_languages_have_the_same_anchors_and_every_page_has_one() -> None:
    assert len(anchors("en")) > 15
    assert anchors("en") == anchors("hi")
    assert len(set(anchors("en"))) == len(anchors("en"))
    assert set(SECTIONS.values()) <= set(anchors("en"))


def test_only_the_hindi_handbook_is_in_hindi() -> None:
    for heading in re.findall(r"<h[23][^>]*>(.*?)<", load_handbook("hi").html):
        assert re.search(r"[\u0900-\u097f]", heading) or heading in ("OpenAI (ChatGPT)", "JSON API")
    assert not re.search(r"[\u0900-\u097f]", load_handbook("en").html)


@pytest.mark.parametrize("language", FILES)
def test_it_has_tables_and_no_link_that_leads_nowhere(language: str) -> None:
    page = load_handbook(language).html
    assert page.count('<table class="table">') == 1
    assert not [url for url in re.findall(r'href="([^"]*)"', page) if not url.startswith(("https:", "#"))]
    assert "conversations with memory" in load_handbook("en").html


def test_each_page_leads_to_its_part_in_the_language_of_the_user(editor: ConsoleUser) -> None:
    for path, anchor in {"/": "overview", "/use-in-glific/tokens": "tokens", "/try-it": "try-it"}.items():
        page = editor.get(HERE + path).text
        assert f'href="{HELP}#{anchor}"' in page
    assert f'href="{HELP}#overview"' not in editor.get(HELP).text
    assert "Signing in" in editor.get(HELP).text
    editor.client.headers["Accept-Language"] = "hi"
    assert "साइन इन करना" in editor.get(HELP).text


def test_a_form_with_errors_leads_to_the_part_of_its_page(owner: ConsoleUser) -> None:
    for path, anchor in {"/settings": "settings", "/settings/phrase": "settings", "/members": "members"}.items():
        refused = owner.post(HERE + path, {"monthly_budget_usd": "much"})
        assert (refused.status_code, f'href="{HELP}#{anchor}"' in refused.text) == (422, True), path


def test_administrators_find_the_json_api(
    administrator: ConsoleUser, editor: ConsoleUser, alice: TestOrganization
) -> None:
    assert f'href="{HELP}#for-administrators"' in administrator.get("/console/organizations").text
    page = administrator.get(HELP).text
    assert "flask api-tokens create" in page
    assert 'href="/api/docs"' in page
    assert administrator.get("/api/docs").status_code == 200
    assert 'href="/api/docs"' not in editor.get(HELP).text


def test_every_page_of_an_organization_or_the_server_has_a_part(server: RunningServer) -> None:
    app: Flask = server.app
    pages = {
        rule.endpoint.removeprefix("console.")
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("console.") and "GET" in (rule.methods or ()) and "export" not in rule.endpoint
    }
    assert pages - set(SECTIONS) <= WITHOUT_PART


WITHOUT_PART = {"static", "home", "help_page"}
