"""The files of a release: the same bytes each time, complete, and installable."""

import hashlib
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from glific_gpt import __version__
from tests.release.repositories import create_repository
from tests.support import http
from tests.support.programs import ROOT, clean_environment, free_port, start
from tests.support.serving import SECRET_KEY, to_environment, wait_until_ready
from tests.support.settings import ENCRYPTION_KEY
from tools.release.building import build

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]  # each build starts five programs

WHEEL = f"glific_gpt-{__version__}-py3-none-any.whl"
FILES = ["SHA256SUMS", WHEEL, f"glific_gpt-{__version__}.tar.gz", "requirements.txt", "sbom.cdx.json"]


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    return build(create_repository(folder / "project"), folder / "dist")


@dataclass
class Installed:
    """The wheel in a folder of its own, beside the packages of the tests."""

    folder: Path
    environ: dict[str, str]

    def flask(self, *arguments: str) -> str:
        command = (str(self.folder / "bin" / "flask"), *arguments)
        ended = subprocess.run(  # noqa: S603 - our own command
            command, cwd=self.folder.parent, env=self.environ, capture_output=True, text=True, timeout=60, check=False
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout


@pytest.fixture(scope="module")
def installed(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("installed") / "packages"
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile")
    subprocess.run([*pip, "--target", folder, release / WHEEL], check=True, timeout=60)  # noqa: S603 - our own wheel
    settings = to_environment(
        database_url=f"sqlite:///{folder.parent}/glific_gpt.db", secret_key=SECRET_KEY, encryption_keys=ENCRYPTION_KEY
    )
    return Installed(folder, clean_environment() | settings | {"PYTHONPATH": str(folder)})


def test_it_has_all_files_with_their_checksums(release: Path) -> None:
    assert sorted(path.name for path in release.iterdir()) == sorted(FILES)
    lines = [f"{hashlib.sha256((release / name).read_bytes()).hexdigest()}  {name}" for name in sorted(FILES[1:])]
    assert (release / "SHA256SUMS").read_text().splitlines() == lines


def test_another_build_of_the_same_commit_has_the_same_bytes(release: Path, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        again = build(create_repository(tmp_path / "somewhere" / "else"), tmp_path / "dist")
    finally:
        os.umask(before)
    assert (again / "SHA256SUMS").read_text() == (release / "SHA256SUMS").read_text()


def test_the_bill_of_materials_lists_every_package_that_is_installed_or_contained(release: Path) -> None:
    packages = json.loads((ROOT / "package.json").read_text())
    bill = json.loads((release / "sbom.cdx.json").read_text())
    assert bill["metadata"]["component"]["version"] == __version__
    listed = {(component["name"], component["version"]) for component in bill["components"]}
    locked = re.findall(r"(?m)^([\w.-]+)(?:\[.*\])?==([^ ]+)", (ROOT / "requirements.txt").read_text())
    assert len(locked) > len(packages["dependencies"])
    assert listed >= set(locked) | set(packages["dependencies"].items())
    assert not {name for name, _ in listed} & set(packages["devDependencies"])


def test_an_installed_wheel_has_the_handbook_in_both_languages(installed: Installed) -> None:
    for name in ("console.md", "hi/console.md"):
        assert (installed.folder / "docs" / name).read_bytes() == (ROOT / "docs" / name).read_bytes()


def test_an_installed_wheel_knows_its_version_and_its_migrations(installed: Installed) -> None:
    assert installed.flask("--version") == f"{__version__}\n"
    installed.flask("db", "upgrade")
    assert installed.flask("organizations", "list", "--json") == "[]\n"


def test_an_installed_wheel_serves_its_pages(installed: Installed, tmp_path: Path) -> None:
    installed.flask("db", "upgrade")
    url = f"127.0.0.1:{free_port()}"
    environ = installed.environ | to_environment(bind=url)
    with start(
        (sys.executable, "-m", "glific_gpt.server"), tmp_path / "log", environ, installed.folder.parent
    ) as server:
        wait_until_ready(f"http://{url}", server)
        page = http.get(f"http://{url}/console/account/sign-in", headers={"Accept-Language": "hi"})
        assert 'lang="hi"' in page.text
        assert "पासवर्ड" in page.text
        for name in ("vendor/tabler.min.css", "vendor/htmx.min.js", "console.css"):
            file = http.get(f"http://{url}/console/static/{name}", headers={"Accept-Encoding": "gzip"})
            assert (file.status_code, file.headers.get("Content-Encoding")) == (200, "gzip")
