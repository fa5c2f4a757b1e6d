"""The administrator of `make run`: made once, with a password that is said once and must be changed."""

from flask_security import hash_password

from glific_gpt.accounts import passwords, people
from glific_gpt.database import transaction

EMAIL = "admin@example.org"


def ensure() -> str | None:
    """The password of an administrator who was just made; None where there are people already."""
    with transaction() as session:
        if people.every(session):
            return None
    password = passwords.made_up()
    hashed = hash_password(password)
    with transaction() as session:
        user = people.create(session, EMAIL, administrator=True)
        user.password, user.must_change_password = hashed, True
    return password
