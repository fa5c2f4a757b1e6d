"""flask users: the people who sign in to the console, and what they are in which organization."""

from typing import Any

import click
from flask_security import hash_password

from glific_gpt.accounts import administration, passwords, people
from glific_gpt.accounts.security import one_time_link
from glific_gpt.accounts.tables import Role, User
from glific_gpt.cli.arguments import read_secret
from glific_gpt.cli.group import Group
from glific_gpt.cli.output import emit, fields, json_option, shown_once, table
from glific_gpt.database import transaction
from glific_gpt.organizations import store as organizations

EMPTY = "Nobody yet. Make the first administrator: flask users create EMAIL --admin"
COLUMNS = {
    "email": "E-MAIL",
    "administrator": "ADMINISTRATOR",
    "active": "ACTIVE",
    "two_factor": "SECOND FACTOR",
    "organizations": "ORGANIZATIONS",
}
USE = "Give it to that person: it leads to a page on which they choose a password. It is good for three days, and once."
ANEW = "The account is not new: its password and second factor of before are taken away."

users = Group(
    "users",
    short_help="The people who sign in to the console.",
    help="""The people who sign in to the console. An administrator may do everything; everybody else belongs to
    organizations as an owner (everything there), an editor (all but members) or a viewer (reads).

    \b
    Example:
      flask users create asha@example.org --organization seva-trust --role owner
      flask users create admin@example.org --admin
    """,
)
email = click.argument("email")
organization = click.option("--organization", metavar="SLUG", help="The organization.")


@users.command("create")
@email
@organization
@click.option("--role", type=click.Choice([role.value for role in Role]), help="What they are in the organization.")
@click.option("--admin", is_flag=True, help="An administrator of the server.")
@click.option("--password-stdin", is_flag=True, help="Read a password from standard input, in place of a link.")
@json_option
def create(*, email: str, organization: str | None, role: str | None, admin: bool, password_stdin: bool) -> None:
    """Make a person, or let one that is known into an organization: with a new password, chosen by a link."""
    if admin == bool(organization) or bool(organization) != bool(role):
        raise click.UsageError("Say either --admin, or --organization SLUG and --role owner, editor or viewer.")
    password = passwords.checked(read_secret("Password")) if password_stdin else None
    user, new = _create(email, organization, role, password)
    data: dict[str, Any] = {
        "email": user.email,
        "organization": organization,
        "role": role,
        "administrator": user.is_administrator,
    }
    if user.password:
        emit(data, fields(data))
        return
    link = one_time_link(user)
    use = USE if new else f"{USE} {ANEW}"
    emit(data | {"one_time_link": link}, fields(data) + "\n" + shown_once("one_time_link", link, use))


@users.command("list")
@json_option
def list_() -> None:
    """List everybody."""
    with transaction() as session:
        rows = [_view(user, people.organizations_of(session, user)) for user in people.every(session)]
    emit(rows, table(rows, COLUMNS) if rows else EMPTY)


@users.command("link")
@email
@json_option
def link(*, email: str) -> None:
    """Make a one-time link with which somebody chooses a new password."""
    with transaction() as session:
        user = people.find(session, email)
    made = one_time_link(user)
    data = {"email": user.email}
    emit(data | {"one_time_link": made}, fields(data) + "\n" + shown_once("one_time_link", made, USE))


@users.command("remove")
@email
@click.option("--organization", metavar="SLUG", required=True, help="The organization.")
@json_option
def remove(*, email: str, organization: str) -> None:
    """Take somebody out of an organization, from the next click on."""
    with transaction() as session:
        user = people.find(session, email)
        people.remove(session, organizations.find(session, organization).id, user)
    data = {"email": user.email, "organization": organization, "removed": True}
    emit(data, f"{user.email} has nothing to do with {organization} any more.")


@users.command("deactivate")
@email
@json_option
def deactivate(*, email: str) -> None:
    """Let somebody sign in no more; whoever is signed in is out with the next click."""
    _switch(email, active=False, sentence="may not sign in any more.")


@users.command("activate")
@email
@json_option
def activate(*, email: str) -> None:
    """Let somebody sign in again."""
    _switch(email, active=True, sentence="may sign in again.")


@users.command("forget-phone")
@email
@json_option
def forget_phone(*, email: str) -> None:
    """Switch off the second factor of somebody who has lost phone and recovery codes."""
    with transaction() as session:
        user = people.find(session, email)
        administration.forget_second_factor(session, user)
    data = {"email": user.email, "two_factor": False}
    emit(data, f"From now on {user.email} signs in with the password alone.")


def _create(email: str, slug: str | None, role: str | None, password: str | None) -> tuple[User, bool]:
    """The person, and whether they are new. A password is for somebody new alone. Raises Conflict, InvalidValue."""
    hashed = hash_password(password) if password else None
    with transaction() as session:
        if slug and role:
            user, new = people.add(session, organizations.find(session, slug).id, email, Role(role))
        else:
            user, new = people.create(session, email, administrator=True), True
        if hashed and not new:
            raise click.ClickException(f"{user.email} is known already and has a password, or a link to choose one.")
        user.password = hashed or user.password
    return user, new


def _switch(email: str, *, active: bool, sentence: str) -> None:
    with transaction() as session:
        user = people.find(session, email)
        administration.switch(session, user, None, is_active=active)
    emit({"email": user.email, "active": active}, f"{user.email} {sentence}")


def _view(user: User, roles: dict[str, Role]) -> dict[str, Any]:
    return {
        "email": user.email,
        "administrator": user.is_administrator,
        "active": user.active,
        "two_factor": user.has_two_factor,
        "organizations": [f"{slug} ({role})" for slug, role in roles.items()],
    }
