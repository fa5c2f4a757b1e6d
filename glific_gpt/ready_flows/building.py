"""Makes and converts flows with the address, the token and the model of one organization."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import SecretStr
from sqlalchemy.orm import Session

from glific_gpt.connections import store as connections
from glific_gpt.credentials import store as credentials
from glific_gpt.database import transaction
from glific_gpt.errors import N_, InvalidValue
from glific_gpt.flows import converting, files
from glific_gpt.flows.building import Mode, Wish, make
from glific_gpt.flows.building.spec import LONGEST_NAME
from glific_gpt.flows.converting import Conversion, Place
from glific_gpt.flows.structure import as_kept
from glific_gpt.flows.webhook_auth import WayIn
from glific_gpt.models import allowlist
from glific_gpt.models.kinds import Kind, classify
from glific_gpt.organizations import server_models, store, tokens
from glific_gpt.organizations.tables import Organization
from glific_gpt.ready_flows.warnings import Caution, Circumstances, of_answering, of_the_address, of_the_way_in
from glific_gpt.schemas import webhook_url
from glific_gpt.services import services
from glific_gpt.settings import MODEL_NAME

LONGEST_LABEL = 100
# PostgreSQL stores no NUL, and a name that somebody else chose must not move the cursor.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")

NEEDS_SIGNATURE = N_("This organization requires Glific's signature: a webhook token would not let the flow in.")
NOT_A_MODEL = N_("A model's name has letters, digits and . _ : / - and nothing else, such as gpt-4o-mini.")
NOT_TEXT = N_("Only text models can answer a flow: choose another model.")


class LetIn(StrEnum):
    """What lets a flow in."""

    TOKEN = "token"  # noqa: S105 - the name of a way, and no token
    SIGNATURE = "signature"


@dataclass(frozen=True)
class Ready:
    """A file to import under Flows in Glific."""

    text: str = field(repr=False)
    """JSON. It may hold a webhook token, which can be had in no other place."""
    file_name: str
    warnings: tuple[Caution, ...]


@dataclass(frozen=True)
class Converted(Ready):
    """A flow whose GPT nodes call this server now; where there were none, the file is as it was."""

    conversion: Conversion = field(repr=False)


@dataclass(frozen=True)
class Preview:
    """What a conversion would do, and what there would be to mind."""

    conversion: Conversion = field(repr=False)
    warnings: tuple[Caution, ...]


def export(
    slug: str, *, mode: Mode, name: str = "", keyword: str = "", model: str = "", let_in: LetIn | None = None
) -> Ready:
    """A new flow that asks this server. Makes a webhook token for it, unless the signature lets it in.

    What is empty gets a default; a keyword is taken as Glific keeps it. Without `let_in` it is the signature where
    the organization requires it. Raises NotFound, and InvalidValue, after which no token was made.
    """
    with transaction() as session:
        now = _circumstances(session, slug)
        row = now.organization
        name = (name.strip() or _name(row, mode)).strip()
        chosen = _model(model or row.default_model or services().settings.default_model)
        way_in, label = _way_in(session, row, name, let_in)
        keyword = as_kept(keyword) if keyword else f"ask{mode}"
        made = make(Wish(mode=mode, name=name, keyword=keyword, way_in=way_in, model=chosen))
    cautions = [*of_the_way_in(way_in.url, label, row), *of_answering(now, chosen, waits=mode is not Mode.SYNC)]
    return Ready(files.written(made), f"{slug}-{mode}.json", tuple(cautions))


def convert(slug: str, text: str | bytes, *, let_in: LetIn | None = None, place: Place = Place.INSTEAD) -> Converted:
    """An exported flow with its FUNCTION nodes turned to this server. Raises NotFound, NotAFlowExport, InvalidValue.

    A token is made only where a node changes. Without `let_in` it is the signature where the organization requires it.
    """
    given, file_name = files.read(text), f"{slug}-converted.json"
    with transaction() as session:
        now = _circumstances(session, slug)
        if not converting.convertible(given, refusal=now.refusal):
            unchanged = text.decode() if isinstance(text, bytes) else text
            return Converted(unchanged, file_name, (), _conversion(given, WayIn(_url(now.organization), None), now))
        way_in, label = _way_in(session, now.organization, _first_name(given), let_in)
    conversion = _conversion(given, way_in, now, place)
    return Converted(
        files.written(conversion.export, like=text, given=given), file_name, _cautions(way_in, label, now), conversion
    )


def preview(slug: str, text: str | bytes, *, let_in: LetIn | None = None, place: Place = Place.INSTEAD) -> Preview:
    """What `convert` would change, leave and warn of; no token is made. Raises NotFound and NotAFlowExport."""
    given = files.read(text)
    with transaction() as session:
        now = _circumstances(session, slug)
    way_in = WayIn(_url(now.organization), None)
    conversion = _conversion(given, way_in, now, place)
    label = None if _by_signature(now.organization, let_in) else _label(_first_name(given))
    return Preview(conversion, _cautions(way_in, label, now) if conversion.changed else ())


def standing(slug: str) -> tuple[Caution, ...]:
    """What there is to mind whatever the flow, before one is made. Raises NotFound."""
    with transaction() as session:
        now = _circumstances(session, slug)
    return (*of_the_address(_url(now.organization)), *of_answering(now, None, waits=False))


def _conversion(given: files.Export, way_in: WayIn, now: Circumstances, place: Place = Place.INSTEAD) -> Conversion:
    return converting.convert(given, way_in, place, refusal=now.refusal)


def _cautions(way_in: WayIn, label: str | None, now: Circumstances) -> tuple[Caution, ...]:
    return (*of_the_way_in(way_in.url, label, now.organization), *of_answering(now, None, waits=False))


def _circumstances(session: Session, slug: str) -> Circumstances:
    app, row = services(), store.find(session, slug)
    return Circumstances(
        organization=row,
        key=credentials.find_if_any(session, row.id, app.language_models),
        is_connected=connections.find_if_any(session, row.id) is not None,
        operator=app.settings.models,
        administrators=server_models.find(session),
    )


def _way_in(session: Session, row: Organization, name: str, let_in: LetIn | None) -> tuple[WayIn, str | None]:
    """With the label of the token that was made for it, if one was. Raises InvalidValue."""
    if let_in is LetIn.TOKEN and row.require_signature:
        raise InvalidValue(NEEDS_SIGNATURE)
    if _by_signature(row, let_in):
        return WayIn(_url(row), None), None
    label = _label(name)
    _, token = tokens.create_webhook_token(session, row, label)
    return WayIn(_url(row), SecretStr(token)), label


def _by_signature(row: Organization, let_in: LetIn | None) -> bool:
    return let_in is LetIn.SIGNATURE or row.require_signature


def _url(row: Organization) -> str:
    return webhook_url(services().settings.public_url, row.slug)


def _name(row: Organization, mode: Mode) -> str:
    ending = f" ({mode})"
    return f"Ask {row.name}"[: LONGEST_NAME - len(ending)] + ending


def _label(name: str) -> str:
    return f"Flow: {_CONTROL.sub(' ', name)}"[:LONGEST_LABEL].strip()


def _first_name(given: dict[str, Any]) -> str:
    return str(given["flows"][0]["definition"].get("name") or "converted")


def _model(model: str) -> str:
    """As OpenAI writes it. Raises InvalidValue for what can never answer."""
    model = allowlist.canonical(model)
    if not re.fullmatch(MODEL_NAME, model):
        raise InvalidValue(NOT_A_MODEL)
    if classify(model) is not Kind.TEXT:
        raise InvalidValue(NOT_TEXT)
    return model
