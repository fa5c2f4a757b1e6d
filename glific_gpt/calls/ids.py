"""Ids of calls: in the order of time, so that the newest lie side by side in the database's index of all of them."""

import secrets
import time


def new_call_id() -> str:
    """Milliseconds since 1970 and 48 random bits, in hexadecimal, as UUID version 7 has it (RFC 9562)."""
    return f"call_{time.time_ns() // 1_000_000:012x}{secrets.token_hex(6)}"
