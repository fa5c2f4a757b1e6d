"""Whose conversation it is: the organization, and the person with everything that a flow changes about them."""

from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from glific_gpt.flows.simulator.event_log import Diary
from glific_gpt.flows.simulator.http_call import leads_to
from glific_gpt.flows.structure import thing
from glific_gpt.glific.signature import DUMMY_PHRASE


@dataclass(frozen=True)
class Contact:
    """The person who writes."""

    id: int = 21
    name: str = "Asha"
    phone: str = "919876543210"
    fields: dict[str, Any] = field(default_factory=dict)
    """By key; a value is a text, or Glific's `{"value", "label", "type", "inserted_at"}`."""
    language: str = "English"
    """Its label, as Glific names languages."""


@dataclass(frozen=True)
class Organization:
    """The one that the flow belongs to, as its Glific knows it."""

    glific_id: int = 1
    signature_phrase: SecretStr | None = None
    """None: it set none, and Glific signs with its dummy."""
    signed_server: str = ""
    """The address of the one server whose calls the phrase signs, for flows of which nobody knows whom they call;
    empty: it signs them all, as Glific does."""

    def phrase_for(self, url: str) -> SecretStr:
        """What signs a call to that address."""
        known = not self.signed_server or leads_to(url, self.signed_server)
        return (self.signature_phrase if known else None) or SecretStr(DUMMY_PHRASE)


@dataclass
class Person:
    """The contact during a conversation: flows change fields, name, language and groups."""

    contact: Contact
    name: str
    fields: dict[str, Any]
    language: str
    groups: list[str] = field(default_factory=list)
    last_message_number: int = 0
    """Counts the messages in both directions, up to the beginning of a run."""

    @classmethod
    def of(cls, contact: Contact) -> "Person":
        return cls(contact, contact.name, dict(contact.fields), contact.language)

    def load(self, diary: Diary) -> None:
        """As Glific does from its database, for each run."""
        self.last_message_number = sum(line.who != "note" for line in diary.lines)

    def as_sent(self) -> dict[str, Any]:
        """What a webhook gets for `@contact` (glific/glific: Flows.Webhook)."""
        return {"id": self.contact.id, "name": self.name, "phone": self.contact.phone, "fields": self.fields}

    def as_variables(self) -> dict[str, Any]:
        """What `@contact.` reaches (glific/glific: Contacts.get_contact_field_map)."""
        fields = {"name": {"value": self.name}} | self.fields
        groups = "[" + ", ".join(f'"{name}"' for name in self.groups) + "]"
        known = {"language": self.language, "groups": groups, "in_groups": groups, "status": "valid"} | {
            "last_message_number": self.last_message_number
        }
        return self.as_sent() | known | {"fields": fields}

    def add_to(self, groups: list[Any]) -> None:
        names = [str(thing(group).get("name", "")) for group in groups]
        self.groups += [name for name in names if name not in self.groups]
