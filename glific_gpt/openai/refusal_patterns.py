"""Codes and sentences by which the causes of OpenAI's refusals are recognized."""

import re

# OpenAI's codes for failures that pass by themselves, also in replies with another status.
TEMPORARY_CODES = {
    "rate_limit_exceeded",
    "rate_limit_error",
    "slow_down",
    "server_error",
    "server_is_overloaded",
    "internal_error",
    "internal_server_error",
    "engine_overloaded",
    "service_unavailable",
    "service_unavailable_error",
    "overloaded_error",
    "vector_store_timeout",
}
DOWNLOAD_TIMEOUT = re.compile(r"timeout while downloading\b")
"""OpenAI's time-out for a picture. The same address often works a moment later, and nothing is charged."""
OVERLOADED = {"server_error", "server_is_overloaded", "engine_overloaded", "service_unavailable_error"}

# Codes and types are OpenAI's own and share their words: insufficient_quota, billing_not_active,
# credit_balance_exhausted, project_spend_limit_exceeded, organization_usage_limit_exceeded, insufficient_funds.
CREDIT_CODE = re.compile(
    r"quota|billing|credit|funds|insufficient_balance|spend_limit|usage_limit|payment_required|budget"
)
CLOSED_CODE = re.compile(
    r"(?:account|organization|org|user|access)_(?:\w+_)?"
    r"(?:deactivated|terminated|suspended|disabled|deleted|banned|blocked|restricted|closed|locked)"
)
PROJECT_CODE = re.compile(r"project_(?:\w+_)?(?:archived|deleted|disabled|suspended|deactivated|inactive|not_found)")
REGION_CODE = re.compile(r"hostname|residency|wrong_region|incorrect_region")
COUNTRY_CODE = "unsupported_country_region_territory"
ADDRESS_CODE = re.compile(
    r"(?:^|_)ip_(?:address_)?(?:not_|un|restrict|block|denied|forbidden|disallowed|allow_?list|white_?list)"
    r"|(?:unauthorized|forbidden|blocked|disallowed)_ip(?:_|$)"
)
SAFETY_CODE = re.compile(r"policy|content_filter|moderation|safety|invalid_prompt|flagged")

# OpenAI also sends these causes without a code. A message can repeat text that the caller chose, such as the name of a
# property in a schema, so the patterns describe OpenAI's own sentences, most from their beginning. Names of models and
# keys, the only foreign text in replies about accounts, hold no spaces.
CREDIT_SENTENCE = re.compile(
    r"you exceeded your current quota|your account is not active, please check your billing"
    r"|billing hard limit has been reached|your (?:credit balance|organization|account) .{0,40}(?:no|out of) credit"
    r"|(?:you|your organization|your project) (?:have|has|is|are)? ?(?:reached|over|exceeded) (?:your|its) "
    r".{0,30}(?:spend|usage|billing|budget)"
)
CLOSED_SENTENCE = re.compile(
    r"(?:(?:the|your|this) )?(?:openai )?(?:account|organization)\b[^.]{0,80} (?:has been|was|is) "
    r"(?:\w+ or )?(?:deactivated|terminated|suspended|disabled|deleted|banned|restricted|closed)"
    r"|(?:a|with a|to a) (?:deactivated|terminated|suspended|disabled) (?:account|organization)"
    r"|access (?:was|has been) terminated|you do not have an account because it has been"
)
PROJECT_SENTENCE = re.compile(
    r"\bproject\b[^.]{0,100} (?:is|has been|was) (?:archived|deleted|disabled)|archived project"
    r"|you do not have access to the (?:project|organization) tied to the api key"
)
REGION_SENTENCE = re.compile(r"incorrect regional host ?name|make your request to (?:[a-z]{2,4}\.)?api\.openai\.com")
COUNTRY_SENTENCE = re.compile(r"country, region, or territory not supported")
ADDRESS_SENTENCE = re.compile(
    r"\bip(?: address(?:es)?)?\b.{0,60}?(?:\bnot (?:authorized|allowed|permitted|match)|\bblocked|\bunauthorized)"
    r"|\bip (?:allow|white) ?list"
)
SAFETY_SENTENCE = re.compile(
    r"invalid prompt: |your request was rejected (?:as a result of|by) (?:our|the) safety system"
    r"|your (?:prompt|input|request|content) (?:was|has been|may have been) (?:flagged|blocked|rejected)"
    r"|this (?:request|content) (?:was|has been) (?:flagged|blocked)"
)
REGION_HOST = re.compile(r"\b((?:[a-z]{2,4}\.)?api\.openai\.com)\b")
MISSING_SCOPE = re.compile(r"you have insufficient permissions for this operation")
TOO_LARGE = re.compile(r"request too large|the input or output tokens must be reduced")
LIMIT = re.compile(r"\blimit:? ([\d,]{1,15})\b(?:, used:? [\d,]{1,15})?, requested:? ([\d,]{1,15})\b")
PER_DAY = re.compile(r"\bper day\b|\((?:rpd|tpd)\)")
