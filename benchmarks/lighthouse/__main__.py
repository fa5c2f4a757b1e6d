"""Run Lighthouse on the console, and write docs/console-quality.md: `python -m benchmarks.lighthouse`."""

import argparse
import sys

from benchmarks.lighthouse.audit import VARIANTS, Scores, audit_repeatedly
from benchmarks.lighthouse.report import DOCUMENT, MINIMUM, format_document, format_table, list_failures
from glific_gpt.accounts.tables import Role
from tests.console.pictures import ORGANIZATION_PATH, run_sample_server
from tests.console.users import create_user

PAGES = {
    "Sign in": "/console/account/sign-in",
    "Overview": f"{ORGANIZATION_PATH}/",
    "OpenAI (ChatGPT)": f"{ORGANIZATION_PATH}/openai",
    "Use it in Glific": f"{ORGANIZATION_PATH}/use-in-glific",
    "Try it": f"{ORGANIZATION_PATH}/try-it",
    "Calls": f"{ORGANIZATION_PATH}/calls",
}
SIGNED_OUT = {"Sign in"}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lighthouse", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="Maximum number of runs of each page. The best counts.")
    parser.add_argument("--only", default="", help="Measure only pages whose name contains this, and write nothing.")
    options = parser.parse_args()
    results = measure(options.runs, options.only)
    print(format_table(results))
    if not options.only:
        DOCUMENT.write_text(format_document(results, options.runs), encoding="utf-8")
    sys.exit("\n".join(list_failures(results)) or None)


def measure(runs: int, only: str) -> dict[tuple[str, str], Scores]:
    """Return the scores by page and variant."""
    results: dict[tuple[str, str], Scores] = {}
    with run_sample_server() as server:
        person = create_user(server, "asha@seva-trust.example.org", Role.OWNER, "seva-trust")
        if person.sign_in().status_code != 302:
            raise RuntimeError("The sample user cannot sign in.")
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in person.client.cookies.jar)
        for page, path in PAGES.items():
            if only not in page:
                continue
            for variant in VARIANTS:
                signed_in = "" if page in SIGNED_OUT else cookies
                scores = audit_repeatedly(server.url + path, variant, signed_in, minimum=MINIMUM, runs=runs)
                results[page, variant.name] = scores
                sys.stderr.write(f"{page}, {variant.name}: {scores.values}\n")
    return results


if __name__ == "__main__":
    main()
