"""Pasted keys: what was copied with a key is removed, and what is no OpenAI key is refused with what it is."""

import re
import unicodedata

from glific_gpt.errors import N_

MSG_NOT_A_KEY = N_("This is not an OpenAI key. Paste the whole key, which begins with sk-, and nothing else.")

MSG_NO_KEY_ELSEWHERE = N_("This is not a key. Paste the whole key without spaces, and nothing else.")

# In this order. Keys of other companies begin like OpenAI's, so these come first.
_OTHERS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"(?i)[a-z]{2,10}://|www\.|(?!sk-)[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|io|ai|dev|in)(?:[/:]|$)"),
        N_("This is an address, not a key. Copy the key itself at platform.openai.com under API keys."),
    ),
    (
        re.compile(r"ggw_"),
        N_("This is a webhook token of this server. Put it into the webhook node, and paste your OpenAI key here."),
    ),
    (
        re.compile(r"gga_"),
        N_("This is an API token of this server. Paste the key that you created at platform.openai.com."),
    ),
    (
        re.compile(r"sk-ant-"),
        N_("This is a key of Anthropic (Claude). This server needs a key of OpenAI, from platform.openai.com."),
    ),
    (
        re.compile(r"AIza|AQ\.[A-Za-z0-9]"),
        N_("This is a key of Google (Gemini). This server needs a key of OpenAI, from platform.openai.com."),
    ),
    (
        re.compile(r"gsk_"),
        N_("This is a key of Groq. This server needs a key of OpenAI, from platform.openai.com."),
    ),
    (
        re.compile(r"hf_|api_org_"),
        N_("This is a token of Hugging Face. This server needs a key of OpenAI, from platform.openai.com."),
    ),
    (
        re.compile(r"xai-"),
        N_("This is a key of xAI (Grok). This server needs a key of OpenAI, from platform.openai.com."),
    ),
    (
        re.compile(r"sk-or-"),
        N_("This is a key of OpenRouter. This server needs a key of OpenAI, from platform.openai.com."),
    ),
    (
        re.compile(r"pplx-"),
        N_("This is a key of Perplexity. This server needs a key of OpenAI, from platform.openai.com."),
    ),
    (
        re.compile(
            r"sk-(?:lf|kimi|litellm)-|r8_|nvapi-|fw_|tgp_v1_|csk-|dsk-|sk_[A-Za-z0-9]"
            r"|bedrock-api-key|ABSK[A-Za-z0-9]|pk-lf-|lsv2_|AKIA[A-Z0-9]{16}$|ASIA[A-Z0-9]{16}$|gh[pousr]_|github_pat_"
            r"|glpat-|xox[abprs]-|ya29\.|[rp]k_(?:live|test)_|EAA[A-Za-z0-9]{20}|dop_v1_|SG\.[\w-]{10}"
        ),
        N_("This is a key of another company. This server needs a key of OpenAI, from platform.openai.com."),
    ),
    (
        re.compile(r"(?:[0-9a-f]{32}|[0-9A-F]{32})$|[A-Za-z0-9]{40,70}JQQJ99[A-Za-z0-9]*$"),
        N_("This looks like a key of Azure. This server needs a key of OpenAI itself, from platform.openai.com."),
    ),
    (
        re.compile(r"eyJ[\w-]+\.[\w-]+"),
        N_("This is a sign-in token, not a key. Create a key at platform.openai.com under API keys."),
    ),
    (
        re.compile(r"sk-admin-"),
        N_("This is an admin key of OpenAI, which cannot ask questions. Create a project key at platform.openai.com."),
    ),
    (
        re.compile(r"sess-"),
        N_("This is a sign-in token of OpenAI's website. Create a key at platform.openai.com under API keys."),
    ),
    (
        re.compile(r"(?:org-|proj_|asst_)[A-Za-z0-9]{8,}$"),
        N_("This is the id of something at OpenAI, not a key. Copy a key at platform.openai.com under API keys."),
    ),
    (
        re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$"),
        N_("This is an e-mail address, not a key. Copy a key at platform.openai.com under API keys."),
    ),
    (
        re.compile(r".*(?:\*\*|\.\.\.|…|•)|sk-(?:your|<|\[|\{)|\$"),
        N_("This is only a part of a key. OpenAI shows a whole key only once. Create a new one and copy all of it."),
    ),
    (
        re.compile(r"gAAAA"),
        N_("This is an encrypted key. Paste the key as OpenAI showed it, which begins with sk-."),
    ),
)

_OWN_TOKENS = {r"ggw_", r"gga_"}
"""Patterns of this server's own tokens, which are no keys anywhere."""

_QUOTES = "\"'`´‘’‚‛“”„‟«»‹›「」『』＂＇"
_AROUND = _QUOTES + " \t\r\n,;<>()[]{}"
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"), "-")
_PREFIX = re.compile(
    r"""(?: export\s+ | set\s+ | setx\s+ | \$env: | -h\s+ | --header\s+ )?
        [{"'`]* (?: [a-z0-9_.-]*(?: api[ _-]?key | _key | secret | token | authorization | open[ _-]?ai)[a-z0-9_]* )
        ["'`]* \s* (?: = | : (?!//) | => ) \s*
        | bearer (?: \s+ | : \s* ) | basic \s+
        | (?: key | secret \s key | api \s key ) \s* [:=] \s*
    """,
    re.VERBOSE | re.IGNORECASE,
)
_MAX_PREFIXES = 5
_MAX_CHARACTERS = 2000
"""Characters of a pasted text that are read. Keys are shorter."""


def clean(pasted: str) -> str:
    """Return the key in a pasted text: without quotes, `OPENAI_API_KEY=`, `Bearer ` and invisible characters."""
    visible = (" " if character.isspace() else character for character in pasted[:_MAX_CHARACTERS])
    text = "".join(character for character in visible if unicodedata.category(character) != "Cf")
    text = text.translate(_DASHES).strip(_AROUND)
    for _ in range(_MAX_PREFIXES):
        without = _PREFIX.sub("", text, count=1) if _PREFIX.match(text) else text
        without = without.strip(_AROUND)
        if without == text:
            break
        text = without
    return text


def refusal(key: str) -> str | None:
    """Return why a cleaned text is no OpenAI key, as a sentence marked for translation; None if it may be one."""
    if found := next((sentence for pattern, sentence in _OTHERS if pattern.match(key)), None):
        return found
    # A key is sent in a header: printable ASCII without spaces.
    return None if re.fullmatch(r"[!-~]{8,500}", key) else MSG_NOT_A_KEY


def refusal_elsewhere(key: str) -> str | None:
    """Return why a cleaned text is no key of a server that is not OpenAI. Such keys have no common form."""
    own = (sentence for pattern, sentence in _OTHERS if pattern.pattern in _OWN_TOKENS and pattern.match(key))
    if found := next(own, None):
        return found
    return None if re.fullmatch(r"[!-~]{1,500}", key) else MSG_NO_KEY_ELSEWHERE
