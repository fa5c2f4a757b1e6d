"""Build the files of a release from the last commit.

Everything is built in a copy of the commit, so that neither ignored files nor the name, age and permissions of the
checkout get into a release. Tools that record a time take the commit's from SOURCE_DATE_EPOCH.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path

from tools.release.bill_of_materials import write_bill_of_materials
from tools.release.checks import ReleaseError, git

LOCK = "requirements.txt"
BILL_OF_MATERIALS = "sbom.cdx.json"
CHECKSUMS = "SHA256SUMS"

COPY_ASSETS = ("-P", "glific_gpt/console/assets.py")


def build(root: Path, target: Path) -> Path:
    """Write wheel, source archive, lock, bill of materials and checksums to `target`, and return it.

    npm's packages are those of the checkout in `root`. Raises ReleaseError.
    """
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    epoch = git(root, "log", "-1", "--format=%ct")
    with tempfile.TemporaryDirectory() as folder:
        sources = Path(folder)
        _export(root, sources)
        _run(sources, epoch, *COPY_ASSETS, str(root / "node_modules"))
        _run(sources, epoch, "-m", "babel.messages.frontend", "-q", "compile", "-d", "glific_gpt/console/translations")
        _run(sources, epoch, "-m", "hatchling", "build", "--directory", str(target))
        shutil.copyfile(sources / LOCK, target / LOCK)
        write_bill_of_materials(sources, target / BILL_OF_MATERIALS, epoch)
    _write_checksums(target)
    return target


def _export(root: Path, target: Path) -> None:
    """Write the files of the last commit to `target`, without the checkout's permissions and times."""
    command = ["git", "-C", str(root), "archive", "--format=tar", "HEAD"]
    archive = subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603 - fixed arguments
    with tarfile.open(fileobj=BytesIO(archive)) as opened:
        opened.extractall(target, filter="data")


def _run(folder: Path, epoch: str, *arguments: str) -> None:
    # A hash of text, by which Python orders sets, must be the same in each build.
    environ = os.environ | {"SOURCE_DATE_EPOCH": epoch, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, *arguments]
    result = subprocess.run(  # noqa: S603 - fixed arguments
        command, cwd=folder, env=environ, capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise ReleaseError(f"{' '.join(arguments[:3])} failed: {result.stderr.strip()}")


def _write_checksums(folder: Path) -> None:
    """Write the file that `sha256sum --check` reads."""
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(folder.iterdir())]
    (folder / CHECKSUMS).write_text("".join(lines))
