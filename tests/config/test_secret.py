"""Secrets stand elsewhere, are read only when somebody connects, and are never shown by anything."""

import logging
import traceback

import pytest

from orchestrator.config import MachineSecrets, Secret, SecretMissingError, load
from orchestrator.core.errors import ConfigError
from tests.config.builders import SETTINGS, Given, all_secrets, loaded, said, the_example, with_edit

CANARY = "c4n4ry-9f8e7d6c5b4a"


def test_a_resolved_secret_is_shown_by_nothing():
    secret = Secret("smtp://${env:USER}:${env:PASSWORD}@mail")
    source = Given({"USER": "shop", "PASSWORD": CANARY})
    assert secret.resolve(source) == f"smtp://shop:{CANARY}@mail"
    for shown in (
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret:>80}",
        f"{secret}",
        repr([secret]),
        repr({"k": secret}),
    ):
        assert CANARY not in shown
        assert "smtp://" not in shown


def test_plain_text_in_a_setting_is_not_shown_either():
    assert CANARY not in f"{Secret(CANARY)!r} {Secret(CANARY)}"
    assert Secret(CANARY).resolve(Given()) == CANARY


def test_a_missing_secret_is_named_by_its_reference():
    with pytest.raises(SecretMissingError, match=r"\$\{env:NOWHERE\} is not set"):
        Secret("x-${env:NOWHERE}").resolve(Given())


def test_a_secret_that_looks_like_a_reference_is_not_resolved_again():
    assert Secret("${env:A}").resolve(Given({"A": "${env:B}", "B": CANARY})) == "${env:B}"


def test_secrets_come_from_the_environment_and_from_files(tmp_path, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_TEST_KEY", CANARY)
    monkeypatch.setenv("ORCHESTRATOR_TEST_EMPTY", "")
    (tmp_path / "key").write_text(f"{CANARY}\n")
    machine = MachineSecrets(tmp_path)
    assert Secret("${env:ORCHESTRATOR_TEST_KEY}").resolve(machine) == CANARY
    assert Secret("${file:key}").resolve(machine) == CANARY
    assert Secret(f"${{file:{tmp_path}/key}}").resolve(machine) == CANARY
    assert Secret("${env:ORCHESTRATOR_TEST_EMPTY}").missing(machine) == ("${env:ORCHESTRATOR_TEST_EMPTY}",)
    assert Secret("${file:no/such/file}").missing(machine) == ("${file:no/such/file}",)
    assert Secret("${file:.}").missing(machine) == ("${file:.}",)
    assert CANARY not in repr(machine)


def test_a_check_without_secrets_passes_everywhere():
    assert load(the_example(), "live").mistakes == ()


def test_what_is_not_about_to_send_needs_no_secrets():
    assert load(the_example(), "dev", Given()).mistakes == ()


def test_what_is_about_to_send_names_every_secret_it_lacks():
    missing = [
        mistake.text for mistake in load(the_example(), "live", Given({"SMTP_HOST": "mail.shop.example"})).mistakes
    ]
    assert sorted(missing) == [
        "providers.gateway.secret: ${env:PUSH_SECRET} is not set",
        "providers.gateway.url: ${env:PUSH_URL} is not set",
        "providers.mail.password: ${env:SMTP_PASSWORD} is not set",
        "providers.mail.user: ${env:SMTP_USER} is not set",
        "providers.relay.host: ${env:RELAY_HOST} is not set",
    ]


def test_a_ledger_that_stands_elsewhere_must_be_there_in_every_environment():
    files = with_edit(SETTINGS, "sqlite:data/ledger.db", '"${env:LEDGER_URL}"')
    assert "stores.ledger: ${env:LEDGER_URL} is not set" in "\n".join(map(str, load(files, "dev", Given()).mistakes))
    project = load(files, "dev", Given({"LEDGER_URL": f"postgresql://shop:{CANARY}@db/ledger"})).sound()
    assert CANARY not in repr(project)


def test_credentials_are_what_the_adapter_reads():
    mail = loaded(the_example()).sound().settings.providers["mail"]
    source = Given({"SMTP_HOST": "mail.shop.example", "SMTP_USER": "shop", "SMTP_PASSWORD": CANARY})
    assert mail.credentials(source) == {"host": "mail.shop.example", "user": "shop", "password": CANARY}
    assert mail.per_second == 80


PLAIN = [
    ("password: ${env:SMTP_PASSWORD}", f"password: {CANARY}"),
    ("password: ${env:SMTP_PASSWORD}", f"password: '{CANARY}'"),
    ("password: ${env:SMTP_PASSWORD}", f"pasword: {CANARY}"),
    ("password: ${env:SMTP_PASSWORD}", f"password: [{CANARY}]"),
    ("password: ${env:SMTP_PASSWORD}", f"password: {{a: {CANARY}}}"),
    ("password: ${env:SMTP_PASSWORD}", f"password: {CANARY}${{env:X}}"),
    ("password: ${env:SMTP_PASSWORD}", f"password: ${{env:X}}{CANARY}"),
    ("password: ${env:SMTP_PASSWORD}", f"password: ${{{CANARY}"),
    ("password: ${env:SMTP_PASSWORD}", f"password: > {CANARY}"),
    ("password: ${env:SMTP_PASSWORD}", f'password: "{CANARY}'),
    ("password: ${env:SMTP_PASSWORD}", f"password: {CANARY}: x"),
    ("password: ${env:SMTP_PASSWORD}", f"password: x {CANARY}\n   y: 1"),
    ("secret: ${env:PUSH_SECRET}", f"secret: {CANARY}"),
    ("ledger: sqlite:data/ledger.db", f"ledger: postgresql://shop:{CANARY}@db/ledger"),
    ("ledger: sqlite:data/ledger.db", f"ledger: mysql://shop:{CANARY}@db/ledger"),
    ("ledger: sqlite:data/ledger.db", f"ledger: [{CANARY}]"),
]


@pytest.mark.parametrize(("old", "new"), PLAIN)
def test_a_plain_secret_is_refused_and_never_repeated(old, new, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    found = load(with_edit(SETTINGS, old, new), "live", all_secrets())
    assert found.mistakes
    with pytest.raises(ConfigError) as caught:
        found.sound()
    shown = "".join(traceback.format_exception(caught.value))
    everything = shown + caplog.text + "".join(capfd.readouterr()) + "".join(map(repr, found.mistakes))
    assert CANARY not in everything + repr(found)


@pytest.mark.parametrize("number", ["0123456789", "1_234_567", "10:22:33", "1e9"])
def test_a_secret_of_digits_is_not_repeated_either(number):
    found = said(with_edit(SETTINGS, "password: ${env:SMTP_PASSWORD}", f"password: {number}"))
    assert found
    assert number not in found


def test_the_whole_of_a_loaded_project_shows_no_secret():
    project = load(the_example(), "live", all_secrets(CANARY)).sound()
    assert CANARY not in repr(project) + str(project.settings.providers)
