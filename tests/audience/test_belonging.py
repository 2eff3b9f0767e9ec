"""An audience file belongs to one environment, whoever reads or writes it."""

import pytest

from orchestrator.audience import opening
from orchestrator.audience.mapping import What
from orchestrator.audience.store import Audience
from orchestrator.core.errors import OtherEnvironmentError
from tests.audience.builders import SHOP, a_file, imported, people

URL = "duckdb:data/audience.duckdb"


def of(root, environment):
    return Audience.open(URL, root, SHOP.attributes, environment=environment)


def fill(audience, root, user):
    imported(audience, What.PROFILES, a_file(root, f"{user}.csv", "user,email", f"{user},{user}@x.test"))


def test_a_file_is_its_first_writers_and_refused_to_every_other(tmp_path):
    fill(of(tmp_path, "dev"), tmp_path, "ada")
    with pytest.raises(
        OtherEnvironmentError, match=r"audience .*: belongs to the environment dev, and live needs stores"
    ):
        of(tmp_path, "live")
    assert people(of(tmp_path, "dev"), "email") == {"ada": "ada@x.test"}


def test_of_two_that_came_while_there_was_no_file_the_one_who_writes_first_has_it(tmp_path):
    dev, live = of(tmp_path, "dev"), of(tmp_path, "live")
    fill(live, tmp_path, "bo")
    with pytest.raises(OtherEnvironmentError, match="belongs to the environment live"):
        fill(dev, tmp_path, "ada")
    with opening.private(tmp_path) as engine, pytest.raises(OtherEnvironmentError), dev.taking(engine):
        pass
    assert people(of(tmp_path, "live"), "email") == {"bo": "bo@x.test"}


def test_a_file_of_an_older_release_goes_to_whoever_opens_it_first(tmp_path):
    old = Audience.open(URL, tmp_path, SHOP.attributes)
    fill(old, tmp_path, "ada")
    with old.writing() as connection:
        connection.execute("DROP TABLE belongs")
    assert people(of(tmp_path, "live"), "email") == {"ada": "ada@x.test"}
    with pytest.raises(OtherEnvironmentError):
        of(tmp_path, "dev")


def test_a_file_that_was_written_anew_is_still_whose_it_was(tmp_path):
    fill(of(tmp_path, "live"), tmp_path, "ada")
    of(tmp_path, "live").compact()
    with pytest.raises(OtherEnvironmentError):
        of(tmp_path, "dev")
    assert people(of(tmp_path, "live"), "email") == {"ada": "ada@x.test"}
