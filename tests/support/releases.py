"""The code of the release before this one, from the history of the repository."""

import os
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

from tests.support.platforms import skip_or_fail
from tests.support.programs import ROOT

PREVIOUS_RELEASE = os.environ.get("PREVIOUS_RELEASE", "16aaaf87698cfdd42594b1172e8f217af3177d90")
"""The revision from which servers are upgraded. Set it to the tag of the last release after each release."""


def check_out(folder: Path, revision: str = PREVIOUS_RELEASE) -> Path:
    """Write the code of a revision to this folder. The test is skipped if the repository does not have it."""
    archive = subprocess.run(  # noqa: S603 - the revision is a constant
        ["git", "-C", str(ROOT), "archive", revision],  # noqa: S607 - found in the PATH, as by developers
        capture_output=True,
        check=False,
    )
    if archive.returncode:
        skip_or_fail(f"The repository does not have the revision {revision}.")
    with tarfile.open(fileobj=BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    return folder
