"""flask contacts: forget a contact."""

import click

from glific_gpt.calls import contacts as calls_of_contacts
from glific_gpt.cli.arguments import slug
from glific_gpt.cli.group import Group
from glific_gpt.cli.output import json_option, print_result, quantity
from glific_gpt.database import transaction
from glific_gpt.organizations import store

MAX_ID = 2**63 - 1

contacts = Group(
    "contacts",
    short_help="Contacts of an organization.",
    help="""Forget contacts, the people who write to an organization on WhatsApp. Only their ids at Glific are stored,
    with their calls.

    \b
    Example:
      flask contacts forget seva-trust 4711
    """,
)


@contacts.command("forget")
@slug
@click.argument("contact_id", metavar="CONTACT_ID", type=click.IntRange(1, MAX_ID))
@json_option
def forget(*, slug: str, contact_id: int) -> None:
    """Remove a contact's id from all calls of an organization.

    CONTACT_ID is Glific's id of the contact. The calls themselves stay, for the reports. An answer that is on its way
    to the contact is still delivered, and its call loses the id then. Questions and answers that could not be delivered
    are deleted. Later calls of the contact are stored again. You cannot undo this.
    """
    with transaction() as session:
        organization_id = store.find(session, slug).id
    forgotten = calls_of_contacts.forget(organization_id, contact_id)
    text = f"The contact's id is removed from {quantity(forgotten.calls, 'call')} of {slug}."
    if forgotten.waiting:
        text += (
            f" Calls in progress: {forgotten.waiting}. Each loses the id when its answer is delivered, or when its "
            "delivery is given up."
        )
    print_result({"calls": forgotten.calls, "waiting": forgotten.waiting}, text)
