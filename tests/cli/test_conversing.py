"""The first import of a file: shown, asked about once, saved; and what is refused where nobody can be asked."""

import json

import pytest

from orchestrator.config import mapping_of
from tests.cli.answering import at_a_terminal
from tests.cli.conftest import orchestrator

CUSTOMERS = (
    "customer_no;mail;First Name;city;newsletter;signup_ts;device_tok;price\n"
    "90001;ada@x.example;Ada;Zürich;yes;2026-01-05 10:00;tok1;12,50\n"
    "00002;nobody;Bo;Köln;no;2026-01-06 10:00;tok2;1.250,5\n"
    "00003;cy@x.example;Cy;Graz;;2026-01-07 10:00;;7\n"
)
SAVED = {
    "columns": {
        "customer_no": "user", "mail": "email", "First Name": "firstName", "city": "city", "newsletter": "consent.email.offers",
        "signup_ts": {"to": "createdAt", "is": "time"}, "device_tok": "device", "price": {"to": "price", "is": "number", "decimal": ","},
    },
    "encoding": "cp1252", "zone": "Europe/Zurich", "platform": "ios",
}  # fmt: skip


@pytest.fixture
def customers(shop):
    (shop / "customers.csv").write_bytes(CUSTOMERS.encode("cp1252"))
    return shop


def saved(shop, name="customers"):
    path = shop / "config" / "imports" / f"{name}.yaml"
    return mapping_of(name, path.read_bytes()) if path.exists() else None


def test_what_was_guessed_is_shown_and_asked_once_and_saved(customers):
    before = (customers / "config/data.yaml").read_text()
    said = at_a_terminal(
        customers, ["y", "Europe/Zürich", "Europe/Zurich", "ios", ""], "import", "profiles", "customers.csv"
    )
    assert said.code == 0, said.out
    for line in (
        " customers.csv · 3 rows · 8 columns · Windows-1252 (Latin-1)",
        "mail        -> email                 2 valid · 1 rejected · like ada@x.example",
        "newsletter  -> consent.email.offers? no 1 · yes 1 · empty 1",
        "signup_ts   -> createdAt             time · no zone in the file · 3 valid · like 2026-01-05 10:00",
        "price       -> price                 number with a decimal comma · 3 valid",
        "is this people's yes or no to offers by e-mail? (no 1 · yes 1 · empty 1) [y/n/ignore/offers]",
        "no time zone 'Europe/Zürich'. Write a name like `Europe/Vienna`. Did you mean `Europe/Zurich`",
        "device_tok: 2 tokens, platform missing [ios/android/web/column/enter]",
        "3 rows · 3 new · 2 devices · 2 consent · 1 rejected, reasons in data/rejects/customers-1.csv",
        "rejected   1 mail: not an e-mail address (line 3)",
        "mapping    saved to config/imports/customers.yaml",
        "catalogue  config/data.yaml declares them now: city, createdAt, price",
    ):
        assert " ".join(line.split()) in " ".join(said.out.split())
    assert saved(customers) == SAVED
    # A line of what people wrote is there as it was, and what is new comes behind it.
    after = (customers / "config/data.yaml").read_text()
    assert [line for line in after.splitlines() if line in before.splitlines()] == before.splitlines()
    assert "  city: text\n  createdAt: time\n  price: number\nevents:" in after
    assert orchestrator(customers, "check").code == 0

    again = at_a_terminal(customers, [], "import", "profiles", "customers.csv")
    assert (again.code, "nothing new" in again.out, "[y/n" in again.out) == (0, True, False)
    assert (customers / "config/data.yaml").read_text() == after
    assert saved(customers) == SAVED


def test_ids_keep_their_zeros_and_every_answer_takes_effect(customers):
    at_a_terminal(customers, ["y", "Asia/Tokyo", "ios", "y"], "import", "profiles", "customers.csv")
    (customers / "config/segments/tokyo.yaml").write_text(
        "about: signed up in their morning\nall:\n  - {attribute: createdAt, before: 2026-01-06T05:00}\n"
        "  - {attribute: price, at_least: 1250}\n"
    )
    said = orchestrator(customers, "segment", "sample", "tokyo", "--json")
    assert said.code == 0, said.err
    assert said.told["users"] == ["00002"]


def test_a_no_to_what_was_guessed_imports_and_saves_nothing_and_the_next_time_it_is_asked_again(customers):
    before = (customers / "config/data.yaml").read_text()
    said = at_a_terminal(customers, ["maybe", "n", "", "", "ios", "n"], "import", "profiles", "customers.csv")
    assert said.code == 1
    assert "'maybe' is none of y, n, ignore, a topic (offers)" in said.out
    assert "'ios' is neither y nor n" in said.out
    assert "nothing was imported, and no answer was saved; import again" in " ".join(said.out.split())
    assert "config/imports/customers.yaml" in said.out
    assert (saved(customers), (customers / "config/data.yaml").read_text()) == (None, before)
    again = at_a_terminal(customers, ["offers", "", "", "y"], "import", "profiles", "customers.csv")
    assert (again.code, "3 new" in again.out) == (0, True), again.out
    assert saved(customers)["columns"]["newsletter"] == "consent.email.offers"


def test_what_no_column_looks_like_is_asked_for(shop):
    (shop / "did.csv").write_text("who,thing,moment\n0001,visit,2026-03-01T10:00:00Z\n")
    said = at_a_terminal(shop, ["nobody", "who", "visit", "moment", "y"], "import", "events", "did.csv")
    assert said.code == 0, said.out
    assert "did.csv has these columns: who, thing, moment" in said.out
    assert "there is no such column" in said.out
    assert saved(shop, "did") == {"columns": {"who": "user", "thing": "thing", "moment": "time"}, "event": "visit"}
    assert "declares them now: visit.thing" in said.out


def test_an_address_may_be_the_id_as_well(shop):
    (shop / "list.csv").write_text("mail,city\nAda@x.example,Graz\n")
    said = at_a_terminal(shop, ["mail", "y"], "import", "profiles", "list.csv")
    assert (said.code, "1 new" in said.out) == (0, True), said.out
    assert saved(shop, "list") == {"columns": {"mail": "email", "city": "city"}, "user": "mail"}
    [told] = orchestrator(shop, "import", "profiles", "list.csv", "--json").told
    assert (told["new"], told["changed"], told["rejected"]) == (0, 0, 0)


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_screen_fits_the_terminal(customers, width):
    said = at_a_terminal(customers, ["y", "", "", "y"], "import", "profiles", "customers.csv", width=width)
    table = said.out[said.out.index("customers.csv · 3 rows · 8") : said.out.index("newsletter: is this")]
    assert max(map(len, table.splitlines())) <= width
    assert all(name in table for name in ("customer_no", "First Name", "device_tok"))


def test_ctrl_d_stops_and_nothing_was_imported(customers):
    said = at_a_terminal(customers, ["\x04"], "import", "profiles", "customers.csv")
    assert said.code == 1
    assert "stopped; nothing was imported" in said.out
    assert saved(customers) is None


@pytest.mark.parametrize("words", [(), ("--yes",), ("--json",)])
def test_where_nobody_is_asked_consent_is_refused_with_what_to_write(customers, words):
    said = orchestrator(customers, "import", "profiles", "customers.csv", *words)
    assert said.code == 1
    text = json.loads(said.err)["error"] if words == ("--json",) else said.err
    assert "nothing was imported: this looks like people's yes or no" in text
    assert "newsletter: consent.email.offers    # no 1 · yes 1 · empty 1" in text
    assert saved(customers) is None
    # What it says to write is what makes it work.
    path = customers / "config" / "imports" / "customers.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text[text.index("columns:") :] + "\n")
    said = orchestrator(customers, "import", "profiles", "customers.csv", "--json")
    assert (said.code, said.told[0]["new"], said.told[0]["consent"]) == (0, 3, 2)


def test_a_pipe_is_told_what_was_guessed_and_nothing_is_written(shop):
    (shop / "cities.csv").write_bytes("user;city;since\na;Köln;2026-01-05 10:00\n".encode("cp1252"))
    before = (shop / "config/data.yaml").read_text()
    [told] = orchestrator(shop, "import", "profiles", "cities.csv", "--json").told
    assert told["notes"] == ["read as Windows-1252 (Latin-1)", "times without a zone are read as Europe/Vienna: since"]
    assert (told["saved"], told["added"]["attributes"]) == (None, {})
    assert told["undeclared"]["attributes"] == {"city": "text", "since": "time"}
    assert ((shop / "config/data.yaml").read_text(), saved(shop, "cities")) == (before, None)
    said = orchestrator(shop, "import", "profiles", "cities.csv")
    assert "not in config/data.yaml, so segments cannot ask for them: city, since; --yes adds them" in said.out
    [told] = orchestrator(shop, "import", "profiles", "cities.csv", "--json", "--yes").told
    assert (told["saved"], told["added"]["attributes"]) == (
        "config/imports/cities.yaml",
        {"city": "text", "since": "time"},
    )
    assert saved(shop, "cities")["encoding"] == "cp1252"
    assert orchestrator(shop, "check").code == 0


def test_an_export_of_another_tool_is_named_and_its_bounces_stop_mail(shop):
    header = "Email Address,First Name,MEMBER_RATING,LAST_CHANGED,LEID,EUID"
    (shop / "cleaned.csv").write_text(
        f"{header},CLEAN_TIME,CLEAN_CAMPAIGN_ID\na@x.example,Ada,2,,67,e1,2026-01-01 10:00,9\n"
        "b@x.example,Bo,2,,68,e2,2026-01-02 10:00,9\n"
    )
    said = orchestrator(shop, "import", "profiles", "cleaned.csv")
    assert (said.code, "2 new · 2 suppressed" in said.out) == (0, True)
    assert "looks like an export of Mailchimp (cleaned contacts)" in said.out
    [told] = orchestrator(shop, "import", "profiles", "cleaned.csv", "--json").told
    assert (told["export"], told["suppressed"]) == ("Mailchimp", 0)
