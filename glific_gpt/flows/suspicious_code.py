"""Glific's check for suspicious code in a text that a flow stores or splits on (glific/glific: suspicious_code)."""

SUSPICIOUS_CODE = (
    "Repo.", "IO.", "File.", "Code.", "System.", ":os.", ":erlang.", ":erpc.", "Port.", "Node.", "apply(", "spawn(",
    "Kernel.", "Function.", "Module.", "Macro.", "Task.", "Agent.", "GenServer.", "Process.", "EEx.",
)  # fmt: skip
"""Glific replaces a text that has one of these anywhere, also in an ordinary sentence: "your Immune System. It ..."

Upper and lower case count. Glific does not check an organization that has its flag `safe_expressions` switched on.
"""


def find_suspicious_code(text: str) -> list[str]:
    """Return the parts of the text that Glific would find suspicious, in the order of `SUSPICIOUS_CODE`."""
    return [code for code in SUSPICIOUS_CODE if code in text]
