"""`python -m tools.release`, which `make release` runs."""

import sys
from pathlib import Path

from tools.release.building import build
from tools.release.checks import ReleaseError, require_releasable

ROOT = Path(__file__).parents[2]


def main() -> None:
    try:
        version = require_releasable(ROOT)
        folder = build(ROOT, ROOT / "dist" / version)
    except ReleaseError as error:
        sys.exit(f"Error: {error}")
    for path in sorted(folder.iterdir()):
        print(f"{path.stat().st_size:>9,} {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
