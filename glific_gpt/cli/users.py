"""flask users: users of the console and their roles."""

from typing import Any

import click
from flask_security import hash_password

from glific_gpt.accounts import administration, password_rules, people, removal
from glific_gpt.accounts.administration import PersonWithRoles
from glific_gpt.accounts.sign_in.security import one_time_link
from glific_gpt.accounts.tables import Role, User
from glific_gpt.cli.arguments import read_secret
from glific_gpt.cli.confirmation import confirm_by_typing
from glific_gpt.cli.group import Group
from glific_gpt.cli.output import format_fields, format_secret, format_table, json_option, print_result
from glific_gpt.database import transaction
from glific_gpt.organizations import store as organizations

EMPTY = "No users yet. Create the first administrator: flask users create EMAIL --admin"
COLUMNS = {
    "email": "EMAIL",
    "administrator": "ADMINISTRATOR",
    "active": "ACTIVE",
    "two_factor": "TWO-STEP SIGN-IN",
    "organizations": "ORGANIZATIONS",
}
LINK_USAGE = "Send it to the user, who chooses a password there. It is valid for three days and can be used once."
DELETION_TIMEOUT_SECONDS = 30.0
"""Time-out of the statements that delete a user. They read all audit entries."""
ACCOUNT_RESET = "The account existed already. Its password and two-step sign-in were reset."

users = Group(
    "users",
    short_help="Users of the console.",
    help="""Manage the users of the console. An administrator has all rights. Other users have a role in one or more
    organizations: owner (all rights there), editor (all except members) or viewer (read only).

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
@click.option("--role", type=click.Choice([role.value for role in Role]), help="The role in the organization.")
@click.option("--admin", is_flag=True, help="Make the user an administrator of the server.")
@click.option("--password-stdin", is_flag=True, help="Read a password from standard input instead of creating a link.")
@json_option
def create(*, email: str, organization: str | None, role: str | None, admin: bool, password_stdin: bool) -> None:
    """Create a user or add one to an organization.

    The user chooses a password with a one-time link.
    """
    if admin == bool(organization) or bool(organization) != bool(role):
        raise click.UsageError("Give either --admin, or --organization SLUG and --role owner, editor or viewer.")
    password = _read_password(email, organization) if password_stdin else None
    user, is_new = _create_user(email, organization, role, password)
    data: dict[str, Any] = {
        "email": user.email,
        "organization": organization,
        "role": role,
        "administrator": user.is_administrator,
    }
    if user.password:
        print_result(data, format_fields(data))
        return
    link = one_time_link(user)
    usage = LINK_USAGE if is_new else f"{LINK_USAGE} {ACCOUNT_RESET}"
    print_result(
        data | {"one_time_link": link}, format_fields(data) + "\n" + format_secret("one_time_link", link, usage)
    )


@users.command("list")
@json_option
def list_() -> None:
    """List all users."""
    with transaction() as session:
        rows = [_view(person) for person in administration.list_people(session)]
    print_result(rows, format_table(rows, COLUMNS) if rows else EMPTY)


@users.command("reset-link")
@email
@json_option
def reset_link(*, email: str) -> None:
    """Create a link to choose a new password. It can be used once."""
    with transaction() as session:
        user = people.find_person(session, email)
    link = one_time_link(user)
    data = {"email": user.email}
    print_result(
        data | {"one_time_link": link}, format_fields(data) + "\n" + format_secret("one_time_link", link, LINK_USAGE)
    )


@users.command("remove")
@email
@click.option("--organization", metavar="SLUG", required=True, help="The organization.")
@json_option
def remove(*, email: str, organization: str) -> None:
    """Remove a user from an organization. Takes effect with the user's next request."""
    with transaction() as session:
        user = people.find_person(session, email)
        people.remove_member(session, organizations.find(session, organization).id, user)
    data = {"email": user.email, "organization": organization, "removed": True}
    print_result(data, f"{user.email} is no longer a member of {organization}.")


@users.command("delete")
@email
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@json_option
def delete(*, email: str, yes: bool) -> None:
    """Delete a user.

    The user is signed out, and loses all roles. Audit entries stay, with a random name instead of the e-mail address,
    and without network addresses. The only owner of an organization and the last administrator cannot be deleted. You
    cannot undo this.
    """
    with transaction() as session:
        user = people.find_person(session, email)
    if not yes:
        confirm_by_typing(user.email, f"This deletes the account of {user.email}. You cannot undo this.")
    with transaction(DELETION_TIMEOUT_SECONDS) as session:
        removal.delete_person(session, people.find_person(session, email), None)
    print_result({"email": user.email, "deleted": True}, f"The account of {user.email} is deleted.")


@users.command("deactivate")
@email
@json_option
def deactivate(*, email: str) -> None:
    """Deactivate a user. A session ends with the user's next request."""
    _set_active(email, active=False, result="can no longer sign in.")


@users.command("activate")
@email
@json_option
def activate(*, email: str) -> None:
    """Activate a user."""
    _set_active(email, active=True, result="can sign in again.")


@users.command("reset-2fa")
@email
@json_option
def reset_2fa(*, email: str) -> None:
    """Turn off a user's two-step sign-in. Use it if phone and recovery codes are lost."""
    with transaction() as session:
        user = people.find_person(session, email)
        administration.reset_two_factor(session, user)
    data = {"email": user.email, "two_factor": False}
    print_result(data, f"{user.email} now signs in with the password only.")


def _read_password(email: str, slug: str | None) -> str:
    """Raises InvalidValue, and NotFound for an unknown organization."""
    names = [email]
    if slug:
        with transaction() as session:
            names += [slug, organizations.find(session, slug).name]
    return password_rules.validate(read_secret("Password"), names)


def _create_user(email: str, slug: str | None, role: str | None, password: str | None) -> tuple[User, bool]:
    """Return the user and whether the account is new. A password is allowed only for a new account.

    Raises Conflict and InvalidValue.
    """
    # Before the transaction: hashing is slow on purpose, and SQLite has one connection for writing.
    hashed = hash_password(password) if password else None
    with transaction() as session:
        if slug and role:
            user, is_new = people.add_member(session, organizations.find(session, slug).id, email, Role(role))
        else:
            user, is_new = people.create_person(session, email, administrator=True), True
        if hashed and not is_new:
            raise click.ClickException(
                f"{user.email} exists already. Leave out --password-stdin to create a link for a new password."
            )
        user.password = hashed or user.password
    return user, is_new


def _set_active(email: str, *, active: bool, result: str) -> None:
    with transaction() as session:
        user = people.find_person(session, email)
        administration.set_active(session, user, None, is_active=active)
    print_result({"email": user.email, "active": active}, f"{user.email} {result}")


def _view(person: PersonWithRoles) -> dict[str, Any]:
    user = person.user
    return {
        "email": user.email,
        "administrator": user.is_administrator,
        "active": user.active,
        "two_factor": user.has_two_factor,
        "organizations": sorted(f"{each.slug} ({each.role})" for each in person.roles),
    }
