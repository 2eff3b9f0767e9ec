"""Who asks for one person asks the engine for that person alone, and learns the same as if everybody had been asked for."""

import pytest
from typer.testing import CliRunner

from orchestrator import bundles
from orchestrator.cli.choosing import one_of
from orchestrator.cli.desk import Failed
from orchestrator.cli.main import app as command_line
from orchestrator.ledger import Purpose
from orchestrator.pipeline import Casting
from tests.doors.shop import FILES, NOON, Shop

QUIET = {name: text.replace('"${env:SHOP_LEDGER}"', "sqlite:data/ledger.db") for name, text in FILES.items()}


@pytest.fixture
def shop(tmp_path):
    made = Shop(tmp_path, QUIET)
    made.people(ada="Ada", bea="Bea", cy="Cy")
    made.people("CH", dora="Dora")
    made.people("US", **{"o'hara": "Eve"})
    yield made
    made.ledger.close()


@pytest.fixture
def prepared(shop):
    seal = shop.ledger.seal(Purpose.UNSUBSCRIBE, NOON)
    return bundles.prepared(shop.opened.project, shop.opened.files, "spring", seal)


def cast(shop, prepared, among=None):
    touched = prepared.letters.touched()
    casting = Casting(shop.audience, shop.opened.project, prepared.campaign, NOON, touched, among=among)
    try:
        found = list(casting)
        assert len(casting) == len(found)
        return {person.user: person for person in found}
    finally:
        casting.close()


def test_one_person_is_told_as_everybody_is(shop, prepared):
    everybody = cast(shop, prepared)
    assert list(everybody) == ["ada", "bea", "cy", "dora"]
    assert cast(shop, prepared, ["dora"]) == {"dora": everybody["dora"]}
    assert cast(shop, prepared, ["cy", "ada", "nobody"]) == {user: everybody[user] for user in ("ada", "cy")}
    assert one_of(shop.opened, prepared, "bea", NOON) == everybody["bea"]


@pytest.mark.parametrize("user", ["nobody", "o'hara"])
def test_who_is_not_in_the_audience_is_refused_with_the_verb_that_tells_why(shop, prepared, user):
    with pytest.raises(Failed) as failed:
        one_of(shop.opened, prepared, user, NOON)
    said = failed.value.text
    assert f"{user} is not in the audience of spring (austrians, swiss)" in said
    assert f"orchestrator segment explain NAME {user}" in said


def test_a_preview_judges_nobody_else(shop, monkeypatch):
    """Nobody of an audience is judged for a preview: the judge is not even asked."""
    monkeypatch.setattr(
        "orchestrator.cli.rehearsing.forecasting", lambda *_: pytest.fail("the whole audience was judged")
    )
    done = CliRunner().invoke(command_line, ["-C", str(shop.root), "preview", "spring", "--as", "ada"])
    assert done.exit_code == 0, done.output
    assert "Ada, spring is here" in done.stdout
