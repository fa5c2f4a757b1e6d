"""A process with other encryption keys than those of the database does not work with it."""

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from glific_gpt.database import transaction
from glific_gpt.errors import SettingsError
from glific_gpt.operations import key_check, rotation
from glific_gpt.operations.key_check import KeyCheck
from tests.conftest import StartServer
from tests.support.server import RunningServer, TestOrganization
from tests.support.settings import ENCRYPTION_KEY

OTHER = Fernet.generate_key().decode()

pytestmark = pytest.mark.both_databases


def require_keys(server: RunningServer) -> None:
    with server.app.app_context():
        key_check.require_keys(server.services.vault)


def delete_check(server: RunningServer) -> None:
    with server.app.app_context(), transaction() as session:
        session.execute(sa.delete(KeyCheck))


def test_other_keys_are_refused(server: RunningServer, start_server: StartServer) -> None:
    require_keys(server)
    with pytest.raises(SettingsError, match="encrypted with other keys"):
        require_keys(start_server(encryption_keys=OTHER))
    require_keys(start_server(encryption_keys=f"{OTHER},{ENCRYPTION_KEY}"))


def test_a_database_of_an_earlier_release_gets_its_check_only_with_the_right_keys(
    server: RunningServer, alice: TestOrganization, start_server: StartServer
) -> None:
    delete_check(server)
    other = start_server(encryption_keys=OTHER)
    with pytest.raises(SettingsError, match="encrypted with other keys"):
        require_keys(other)
    require_keys(server)
    with pytest.raises(SettingsError, match="encrypted with other keys"):
        require_keys(other)


def test_the_first_process_of_a_new_database_decides(start_server: StartServer) -> None:
    first, second = start_server(encryption_keys=OTHER), start_server()
    delete_check(first)
    require_keys(first)
    with pytest.raises(SettingsError):
        require_keys(second)


def test_one_unreadable_secret_among_readable_ones_does_not_prevent_the_check(
    server: RunningServer, alice: TestOrganization, bob: TestOrganization, start_server: StartServer
) -> None:
    other = start_server(encryption_keys=OTHER)
    TestOrganization(other, "bob", bob.token, bob.key).set_key("sk-proj-under-another-key")
    delete_check(server)
    require_keys(server)


def test_after_a_rotation_the_new_key_is_enough_and_the_old_one_is_not(
    server: RunningServer, start_server: StartServer
) -> None:
    both = start_server(encryption_keys=f"{OTHER},{ENCRYPTION_KEY}")
    require_keys(server)
    with both.app.app_context():
        list(rotation.rotate(both.services.vault))
    require_keys(start_server(encryption_keys=OTHER))
    with pytest.raises(SettingsError):
        require_keys(server)


def test_a_rotation_with_the_wrong_keys_leaves_the_check_unchanged(
    server: RunningServer, start_server: StartServer
) -> None:
    require_keys(server)
    other = start_server(encryption_keys=OTHER)
    with other.app.app_context():
        list(rotation.rotate(other.services.vault))
    require_keys(server)
