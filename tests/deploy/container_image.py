"""The container image, built by buildah and started without a container engine.

No registry of images is needed: the images that ours begins with are made from Debian's packages.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.deploy.files import DEPLOY, require_program
from tests.support.programs import ROOT, Program, start

SUITE = "trixie"
"""Debian's release of the images that the Dockerfile begins with."""
PACKAGES = "python3,python3-venv,ca-certificates"
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/man/*")
"""Files of packages that Docker's images of Debian leave out too."""
MIRROR = "http://deb.debian.org/debian"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
NODE_DOCKERFILE = f"""
FROM localhost/python
COPY requirements-node.txt /
RUN python3 -m venv /npm \\
    && /npm/bin/python -m pip install --quiet --no-compile --require-hashes -r /requirements-node.txt
ENV PATH=/npm/bin:/usr/bin:/bin NODE_EXTRA_CA_CERTS={CERTIFICATES}
"""
BUILD_SECONDS = 600
REMOVED_PREFIXES = ("PIP_", "PYTHON", "npm_", "GLIFIC_GPT_")
RUN_READ_ONLY = """
set -e
mount --bind "$1" "$1"
mount --bind /dev "$1/dev"
mount --rbind /proc "$1/proc"
mount -t tmpfs tmpfs "$1/tmp"
mount --bind "$2" "$1/backups"
mount -o remount,bind,ro "$1"
exec chroot --userspec="$3" "$1" sh -c 'cd "$0" && exec "$@"' "$4" "${@:5}"
"""
"""Run a command in an image: folder of the image, folder for backups, user, working directory, command."""


class Image:
    """The built image, mounted in a folder."""

    def __init__(self, folder: Path, config: dict[str, object]) -> None:
        self.folder = folder
        self.user = str(config["User"])
        self.environ = dict(item.split("=", 1) for item in _texts(config["Env"]))
        self.command = _texts(config["Cmd"])
        self._working_directory = str(config["WorkingDir"])

    @contextmanager
    def run(self, log: Path, environ: dict[str, str], backups: Path, command: Sequence[str] = ()) -> Iterator[Program]:
        """Run a command in the image, by default that of the image, as its user and on a read-only file system."""
        shell = ("unshare", "--mount", "bash", "-c", RUN_READ_ONLY, "run")
        words = (str(self.folder), str(backups), self.user, self._working_directory, *(command or self.command))
        with start((*shell, *words), log, self.environ | environ, Path("/")) as program:
            yield program


@contextmanager
def built_image(folder: Path) -> Iterator[Image]:
    """Build the image in this folder. Everything is removed at the end."""
    folder.mkdir()
    buildah = Buildah(folder)
    try:
        buildah.build_base("localhost/python")
        buildah.build("localhost/node", folder_with_node_dockerfile(folder / "node"))
        arguments = ("--build-arg", "PYTHON_IMAGE=localhost/python", "--build-arg", "NODE_IMAGE=localhost/node")
        buildah.build("localhost/glific_gpt", ROOT, "--file", str(DEPLOY / "Dockerfile"), *arguments)
        container = buildah("from", "localhost/glific_gpt")
        config = json.loads(buildah("inspect", "--type", "image", "localhost/glific_gpt"))["OCIv1"]["config"]
        yield Image(Path(buildah("mount", container)), config)
    finally:
        buildah("umount", "--all")
        buildah("rm", "--all")
        shutil.rmtree(folder)


class Buildah:
    """The program, with its storage in one folder."""

    def __init__(self, folder: Path) -> None:
        self._command = (require_program("buildah"), "--root", f"{folder}/storage", "--runroot", f"{folder}/run")

    def __call__(self, *words: str) -> str:
        return run(*self._command, *words).strip()

    def build(self, name: str, context: Path, *options: str) -> None:
        self("build", "--quiet", "--layers=false", "--isolation", "chroot", "--tag", name, *options, str(context))

    def build_base(self, name: str) -> None:
        """Build an image of a minimal Debian with Python, which trusts the certificates that this machine trusts."""
        container = self("from", "scratch")
        install_debian(Path(self("mount", container)))
        self("copy", "--quiet", container, CERTIFICATES, CERTIFICATES)
        self("commit", "--quiet", "--rm", container, name)


def install_debian(folder: Path) -> None:
    """Install a minimal Debian with Python into an empty folder, without documents."""
    options = ("--variant=minbase", f"--include={PACKAGES}", *(f"--dpkgopt=path-exclude={each}" for each in LEFT_OUT))
    run(require_program("mmdebstrap"), *options, SUITE, str(folder), MIRROR)


def folder_with_node_dockerfile(folder: Path) -> Path:
    folder.mkdir()
    (folder / "Dockerfile").write_text(NODE_DOCKERFILE)
    shutil.copy(ROOT / "requirements-node.txt", folder)
    return folder


def run(*command: str) -> str:
    """Run a program and return its output. Fails with everything that it printed if it fails."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(REMOVED_PREFIXES)}
    ended = subprocess.run(  # noqa: S603 - programs of the operating system
        command, env=environ, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def _texts(value: object) -> list[str]:
    assert isinstance(value, list)
    return [str(item) for item in value]
