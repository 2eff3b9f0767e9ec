"""With mistakes in the files, the verbs that stop and look work all the same: the daemon sends on meanwhile."""

import pytest

from tests.cli.conftest import orchestrator


def segment(shop):
    (shop / "config" / "segments" / "slip.yaml").write_text("about: x: y: [\n")


def settings(shop):
    with (shop / "config" / "orchestrator.yaml").open("a") as file:
        file.write("colour: red\n")


@pytest.mark.parametrize("slip", [segment, settings])
def test_stopping_and_looking_work_and_say_that_there_are_mistakes(shop, slip):
    slip(shop)
    for words in (("pause", "new_in"), ("pause", "provider:mail"), ("report", "new_in"), ("deliveries", "new_in")):
        said = orchestrator(shop, *words)
        assert said.code == 0, (words, said.err)
        assert (
            said.err == "the files have mistakes, of which `orchestrator check` tells; the ledger needs none of them\n"
        )
    assert orchestrator(shop, "resume", "new_in", "--json").told == {"resumed": "campaign:new_in", "stood_still": True}
    unknown = orchestrator(shop, "cancel", "7")
    assert (unknown.code, "no run 7" in unknown.err) == (2, True)
    assert orchestrator(shop, "pause", "new_out").code == 2
    assert orchestrator(shop, "send", "new_in", "--yes").code == 1


def test_a_ledger_that_cannot_be_read_is_not_guessed(shop):
    file = shop / "config" / "orchestrator.yaml"
    file.write_text(file.read_text().replace("stores:", "storse:", 1))
    said = orchestrator(shop, "pause", "new_in")
    assert said.code == 1
    assert "no key 'storse'" in said.err
