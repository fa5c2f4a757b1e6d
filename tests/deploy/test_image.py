"""The container image: built from the Dockerfile, it serves as another user on a read-only file system."""

import os
from pathlib import Path

import pytest

from tests.deploy.container_image import built_image
from tests.support import http
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.platforms import skip_or_fail
from tests.support.programs import free_port
from tests.support.serving import ServerProcesses, open_database, to_environment, wait_until_ready
from tests.support.settings import ENCRYPTION_KEY

KEY = "sk-" + "a1B2" * 10
BACKUP = ("flask", "database", "backup", "/backups/glific_gpt.backup")


@pytest.mark.journey
@pytest.mark.timeout(900)
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_image_answers_a_call_and_makes_a_backup(tmp_path: Path, database_url: str, openai: OpenAIStandIn) -> None:
    if os.geteuid() != 0:
        skip_or_fail("only root can build an image without a container engine")
    port = free_port()
    settings = {
        "secret_key": "made-up-for-tests",
        "encryption_keys": ENCRYPTION_KEY,
        "database_url": database_url,
        "openai_base_url": openai.base_url,
        "bind": f"127.0.0.1:{port}",
    }
    environ = to_environment(**settings)
    backups = tmp_path / "backups"
    backups.mkdir()
    backups.chmod(0o777)
    with (
        built_image(tmp_path / "image") as image,
        open_database(**settings) as database,
        image.run(tmp_path / "log", environ, backups) as program,
    ):
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(url, program)
        server = ServerProcesses(database.app, url, program, port)
        assert server.add_organization("alice", KEY).ask().json()["parsed_msg"] == "Hello from the stand-in."
        assert Path(f"/proc/{program.process.pid}").stat().st_uid == int(image.user) > 0
        file = http.get(f"{url}/console/static/vendor/htmx.min.js", headers={"Accept-Encoding": "gzip"})
        assert (file.status_code, file.headers.get("Content-Encoding")) == (200, "gzip")
        assert (image.folder / "srv/glific_gpt/docs/hi/console.md").exists()
        with image.run(tmp_path / "backup", environ, backups, BACKUP) as backup:
            assert backup.wait_for_exit() == 0, backup.errors
        with image.run(tmp_path / "write", environ, backups, ("touch", "/srv/glific_gpt/new")) as touch:
            assert touch.wait_for_exit() != 0
            assert "Read-only file system" in touch.errors
    assert (backups / "glific_gpt.backup").stat().st_uid == int(image.user)
