"""The software bill of materials (SBOM) of a release, in the format CycloneDX.

cyclonedx-bom reads the Python packages from the lock. The npm packages whose files are in the wheel are added.
"""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tools.release.checks import ReleaseError, read_version


def write_bill_of_materials(sources: Path, target: Path, epoch: str) -> None:
    """Write the bill of the release whose files are in `sources`. Raises ReleaseError."""
    bill = json.loads(_read_python_packages(sources, epoch))
    version = read_version(sources)
    bill["metadata"]["component"] = {
        "type": "application",
        "bom-ref": "glific_gpt",
        "name": "glific_gpt",
        "version": version,
        "purl": f"pkg:pypi/glific-gpt@{version}",
        "licenses": [{"license": {"id": "MIT"}}],
    }
    bill["components"] += _read_npm_packages(sources)
    target.write_text(json.dumps(bill, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def _read_python_packages(sources: Path, epoch: str) -> str:
    arguments = ("requirements", "--output-reproducible", "--output-format", "JSON", "requirements.txt")
    result = subprocess.run(  # noqa: S603 - fixed arguments
        [sys.executable, "-m", "cyclonedx_py", *arguments],
        cwd=sources,
        env=os.environ | {"SOURCE_DATE_EPOCH": epoch},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise ReleaseError(f"cyclonedx-py failed: {result.stderr.strip()}")
    return result.stdout


def _read_npm_packages(sources: Path) -> list[dict[str, Any]]:
    """Return the components of package-lock.json that are not for development only."""
    packages = json.loads((sources / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    return [
        _describe(path.rpartition("node_modules/")[2], package)
        for path, package in sorted(packages.items())
        if path and not package.get("dev")
    ]


def _describe(name: str, package: dict[str, Any]) -> dict[str, Any]:
    url = f"pkg:npm/{quote(name, safe='/')}@{package['version']}"
    algorithm, _, digest = package["integrity"].partition("-")
    component = {
        "type": "library",
        "bom-ref": url,
        "name": name,
        "version": package["version"],
        "purl": url,
        "hashes": [{"alg": algorithm.upper().replace("SHA", "SHA-"), "content": base64.b64decode(digest).hex()}],
    }
    return component | ({"licenses": [{"license": {"id": package["license"]}}]} if "license" in package else {})
