"""The pages, one file for each noun."""

from glific_gpt.console.pages import (
    account,
    audit,
    calls,
    glific,
    home,
    members,
    models,
    openai,
    organizations,
    overview,
    server_models,
    server_people,
    settings,
    try_it,
    use_in_glific,
)

__all__ = [
    "account",
    "audit",
    "calls",
    "glific",
    "home",
    "members",
    "models",
    "openai",
    "organizations",
    "overview",
    "server_models",
    "server_people",
    "settings",
    "try_it",
    "use_in_glific",
]
