"""What `check` calls a mistake is neither planned nor sent, and a send that failed for everybody does not end well."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import CLI, orchestrator, surroundings

PUSH = "templates/new_in/_default/push.yaml"
WRONG = "{{ 3 | currency('EURO') }}"
MADE_UP = {"country": "AT", "firstName": "Ada", "app_version": "2.10.1"}
"""What `check` tries messages out with."""
UNLIKE = " or ".join(f"userAttribute.{name} != '{value}'" for name, value in MADE_UP.items())
ONLY_FOR_REAL_PEOPLE = f"{{{{ userAttribute.firstName }}}}{{% if {UNLIKE} %}}{WRONG}{{% endif %}}"
"""Who has no name is left out; everybody else is somebody else."""


def write(shop, body):
    """Put this at the head of every text of the campaign new_in."""
    for path in (shop / "templates" / "new_in").rglob("*.yaml"):
        head, _, rest = path.read_text().partition('title: "')
        path.write_text(f'{head}title: "{body}{rest}')


@pytest.mark.parametrize(
    ("body", "said"),
    [(WRONG, "'EURO' is not a currency"), ("{{ userAttribute.firstNam }}", "firstNam")],
    ids=["cannot be written", "reads what is not there"],
)
def test_a_campaign_check_objects_to_is_refused_in_checks_own_words(shop, body, said):
    write(shop, body)
    checked = orchestrator(shop, "check")
    assert said in checked.out
    for words in (("plan", "new_in"), ("send", "new_in", "--yes")):
        refused = orchestrator(shop, *words)
        assert (refused.code, refused.out) == (1, "")
        assert refused.err.startswith(f"{PUSH}:1:")
        assert refused.err.splitlines()[0] in checked.out
    assert orchestrator(shop, "deliveries", "new_in", "--json").told == []
    assert orchestrator(shop, "plan", "winback").code == 0, "another campaign has no mistake"


def test_a_send_that_fails_for_everybody_says_so_and_ends_as_trouble(shop):
    write(shop, ONLY_FOR_REAL_PEOPLE)
    campaign = shop / "config" / "campaigns" / "new_in.yaml"
    campaign.write_text(campaign.read_text().replace("[push, email]", "[push]"))
    settings = shop / "config" / "orchestrator.yaml"  # nobody waits for a morning, whenever this is run
    settings.write_text(re.sub(r"^  quiet_hours:.*\n", "", settings.read_text(), flags=re.MULTILINE))
    (shop / "templates" / "new_in" / "_default" / "email.mjml").unlink()
    (shop / "personas" / "eli.yaml").unlink()  # he expects an e-mail
    assert orchestrator(shop, "check").code == 0
    sent = orchestrator(shop, "send", "new_in", "--yes")
    assert sent.code == 1, sent.out
    failed = orchestrator(shop, "deliveries", "new_in", "--state", "render_failed", "--limit", "999", "--json").told
    assert len(failed) > 20
    assert f"nobody got a message: all {len(failed):,} messages failed" in sent.out
    assert "orchestrator deliveries new_in --run 1 --state render_failed\n" in sent.out


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", [("doctor",), ("check", "--json")], ids=" ".join)
def test_an_answer_that_cannot_be_written_is_no_mistake_of_the_program(shop, words, unbuffered):
    environ = {**surroundings(), "PYTHONUNBUFFERED": unbuffered}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*CLI, *words], cwd=shop, stdout=full, stderr=subprocess.PIPE, text=True, env=environ, check=False
        )
    assert done.returncode == 1
    assert "the output could not be written: No space left on device" in done.stderr
    assert "mistake of the program" not in done.stderr
    assert "Exception ignored" not in done.stderr
