"""Packages are installed only in the versions, and with the hashes, that the repository holds."""

import json
import re

import pytest

from tests.support.programs import ROOT

REQUIREMENTS = (
    "requirements.txt",
    "requirements-build.txt",
    "requirements-dev.txt",
    "requirements-node.txt",
    "benchmarks/peers/requirements.txt",
)
PACKAGE_LOCKS = ("package-lock.json", "benchmarks/peers/package-lock.json", "benchmarks/lighthouse/package-lock.json")


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_every_python_package_has_one_version_and_its_hashes(name: str) -> None:
    entries = re.split(r"\n(?=[A-Za-z0-9])", (ROOT / name).read_text().strip())
    assert entries != [""]
    for entry in entries:
        first = entry.partition("\n")[0]
        assert re.match(r"[A-Za-z0-9._-]+(\[[a-z0-9,_-]+\])?==[^ ]+", first), first
        assert "--hash=sha256:" in entry, first


@pytest.mark.parametrize("name", PACKAGE_LOCKS)
def test_every_node_package_has_its_hash_and_no_address(name: str) -> None:
    packages = json.loads((ROOT / name).read_text())["packages"]
    installed = {path: package for path, package in packages.items() if path}
    assert installed
    for path, package in installed.items():
        assert package["integrity"].startswith("sha512-"), path
        assert "resolved" not in package, path


def test_make_installs_nothing_without_a_lock_file() -> None:
    recipes = (ROOT / "Makefile").read_text().replace("\\\n", " ")
    installs = [line for line in recipes.splitlines() if re.search(r"\bpip install\b|\bnpm (install|ci)\b", line)]
    assert installs
    for line in installs:
        assert "--require-hashes" in line or ("npm ci" in line and "--ignore-scripts" in line), line
