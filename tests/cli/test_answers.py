"""Every verb answers a program in JSON of a stable shape, ends with the right code, and never with a traceback."""

import json
import sqlite3
import subprocess
import sys

import pytest

from orchestrator.cli.desk import EXIT_CODES
from orchestrator.cli.main import app, hoisted
from tests.cli.conftest import CLI, orchestrator

SENT = {"run", "state", "people", "rows", "sink", "waiting", "also_worked"}
SHAPES = (
    (("check",), {"files", "mistakes", "notes"}),
    (("schema",), {"orchestrator.schema.json", "data.schema.json", "campaign.schema.json", "segment.schema.json"}),
    (
        ("segment", "show", "lapsed", "--attribute", "country"),
        {"segment", "people", "everybody", "at", "conditions", "reachable", "sample", "attributes"},
    ),
    (("segment", "funnel", "lapsed"), {"segment", "everybody", "at", "conditions"}),
    (("segment", "overlap", "lapsed", "lapsed_vips"), {"sizes", "overlaps", "at"}),
    (
        ("segment", "diff", "lapsed", "--between", "2026-03-01T10:00+01:00", "2026-03-08T10:00+01:00"),
        {"segment", "from", "to", "before", "after", "entered", "left", "who_entered", "who_left", "conditions"},
    ),
    (("segment", "count", "lapsed"), {"segment", "people", "at"}),
    (("segment", "count", "lapsed", "staff"), {"everybody", "at", "segments"}),
    (("segment", "count", "--all"), {"everybody", "at", "segments"}),
    (("segment", "sample", "lapsed"), {"segment", "users", "at"}),
    (("segment", "explain", "lapsed", "u001"), {"segment", "user", "in", "at", "tree"}),
    (("segment", "discover", "--goal", "purchase", "--within", "30d"), {"goal", "within", "at", "judged", "rules"}),
    (
        ("plan", "new_in"),
        {
            *("people", "segments", "reached", "channels", "variants", "holdout", "held", "nothing"),
            *("coupons", "linked_data", "trouble", "hold", "paused", "ended", "without_zone", "next_at"),
            *("campaign", "environment", "source", "at", "by_clock", "due_at", "first_at", "last_at"),
            *("holdout_reachable", "not_in_ramp", "same_address", "messages", "seconds"),
        },
    ),
    (("plan", "new_in", "--why", "no_consent"), {"campaign", "reason", "people", "users"}),
    (
        ("plan", "--campaigns", "all", "--at", "2026-12-01"),
        {"day", "environment", "source", "campaigns", "idle", "messages", "not_counted"},
    ),
    (("preview", "new_in", "--as", "u001"), {"source", "user", "segment", "variant", "messages", "pages", "tiles"}),
    (
        ("send", "new_in", "--test", "me@example.test", "--as", "u001"),
        {"campaign", "user", "segment", "variant", "locale", "sink", "messages"},
    ),
    (("send", "new_in", "--yes"), SENT),
    (
        ("why", "new_in", "u001"),
        {
            *(
                "campaign",
                "environment",
                "user",
                "person",
                "run",
                "run_state",
                "occurrence",
                "version",
                "at",
                "outcome",
            ),
            *("reason", "detail", "segment", "variant", "audience", "exclude", "draws", "rows", "would", "goal"),
            "other_runs",
        },
    ),
    (
        ("show", "new_in", "--user", "u001"),
        {
            *(
                "delivery",
                "id",
                "run",
                "campaign",
                "user",
                "channel",
                "segment",
                "variant",
                "state",
                "reason",
                "detail",
            ),
            *("address", "provider", "sent_at", "how", "why", "content", "page"),
        },
    ),
    (("retry", "new_in", "--yes"), {*SENT, "campaign", "reasons", "gone", "queued"}),
    (("pause", "new_in"), {"paused"}),
    (("resume", "new_in"), {"resumed", "stood_still"}),
    (("cancel", "1"), {"run", "campaign", "state"}),
    (("suppress", "a@x.test"), {"whom", "changed", "addresses"}),
    (("today",), {"at", "environment", "source", "needs", "last_day", "next_day", "data"}),
    (
        ("status",),
        {
            *("at", "environment", "source", "daemons", "workers", "planners", "queue", "events_waiting"),
            *("messages_a_second", "failures", "paused", "runs"),
        },
    ),
    (("inbox", "key"), {"kid", "secret"}),
    (("inbox", "token", "u001"), {"user", "token"}),
    (("ingest", "key"), {"write_key"}),
    (("callbacks",), {"waiting", "providers"}),
    (("vapid",), {"private_key", "public_key"}),
)
LISTS = (
    (
        ("import", "profiles", "data/example/profiles.jsonl"),
        {"file", "rows", "new", "changed", "devices", "left_out", "rejected", "rejects", "consent", "suppressed"},
    ),
    (
        ("deliveries", "new_in", "--limit", "1"),
        {"delivery", "id", "run", "campaign", "user", "channel", "state", "reason", "story"},
    ),
    (
        ("report", "new_in"),
        {"run", "occurrence", "state", "reason", "audience", "version", "source", "approved", "people", "counts"},
    ),
    (
        ("report",),
        {"campaign", "state", "paused", "run", "run_state", "occurrence", "audience", "next_at", "next"},
    ),
    (("doctor",), {"what", "well", "text"}),
)


def test_every_verb_answers_in_json_of_a_stable_shape(shop):
    for words, keys in SHAPES:
        said = orchestrator(shop, *words, "--json")
        assert (words, said.code, said.err) == (words, 0, "")
        assert keys <= set(said.told) if words[0] == "schema" else set(said.told) == keys, words
    for words, keys in LISTS:
        said = orchestrator(shop, *words, "--json")
        assert keys <= set(said.told[0]), words


def test_moments_are_microseconds_as_the_reference_says(shop):
    assert orchestrator(shop, "send", "new_in", "--yes").code == 0
    rows = orchestrator(shop, "deliveries", "new_in", "--limit", "900", "--json").told
    counted = orchestrator(shop, "segment", "count", "lapsed", "--json").told
    moments = [row[name] for row in rows for name in ("settled_at", "intent_at", "not_before", "exposed_at")]
    told = [moment for moment in (counted["at"], *moments) if moment is not None]
    assert {type(moment) for moment in told} == {int}
    assert {2020 < 1970 + moment / 1_000_000 / 31_556_952 < 2200 for moment in told} == {True}


def test_all_segments_counted_together_have_the_numbers_of_each_alone(shop):
    at = ("--at", "2026-03-02T10:00+01:00")
    told = orchestrator(shop, "segment", "count", "--all", *at, "--json").told
    names = sorted(path.stem for path in (shop / "config" / "segments").glob("*.yaml"))
    assert [row["segment"] for row in told["segments"]] == names
    for row in told["segments"]:
        alone = orchestrator(shop, "segment", "count", row["segment"], *at, "--json").told
        assert (alone["people"], alone["at"]) == (row["people"], told["at"])
        assert row["share"] == round(row["people"] / told["everybody"], 6)
    named = orchestrator(shop, "segment", "count", "staff", "lapsed", "staff", *at, "--json").told
    assert named["segments"] == [
        row for name in ("staff", "lapsed") for row in told["segments"] if row["segment"] == name
    ]


def test_counted_segments_are_a_table_of_people_and_shares(shop):
    told = orchestrator(shop, "segment", "count", "visitors", "staff", "--json").told
    lines = orchestrator(shop, "segment", "count", "visitors", "staff").out.splitlines()
    assert lines[0].startswith(f" {told['everybody']:,} people are known   at ")
    assert lines[2].split() == ["segment", "people", "share"]
    for line, row in zip(lines[3:], told["segments"], strict=True):
        assert line.split() == [row["segment"], f"{row['people']:,}", f"{100 * row['share']:.1f}", "%"]


def test_a_project_without_segments_says_so(tmp_path):
    assert orchestrator(tmp_path, "init", "bare", "--empty").code == 0
    said = orchestrator(tmp_path / "bare", "segment", "count", "--all")
    assert (said.code, said.out) == (0, " There is no segment yet: segments are files in config/segments.\n")


def test_no_verb_is_left_out_of_the_shapes():
    asked = {words[:2] if words[0] in ("segment", "inbox", "ingest") else words[:1] for words, _ in (*SHAPES, *LISTS)}
    groups = {group.name: group.typer_instance for group in app.registered_groups}
    there = {(command.callback.__name__,) for command in app.registered_commands if not command.hidden}
    there |= {(name, one.callback.__name__) for name, group in groups.items() for one in group.registered_commands}
    # `import` is a word of Python; `init`, `serve` and `test` have tests of their own, and so has `approve`: a run must wait for it.
    assert there - {("bring",), ("init",), ("serve",), ("hold",), ("approve",)} == asked - {("import",)}


def test_explain_takes_an_address_as_well_as_an_id(shop):
    at = ("--at", "2026-03-02T10:00+01:00")
    explain = ("segment", "explain", "lapsed")
    by_id = orchestrator(shop, *explain, "u001", *at, "--json").told
    by_address = orchestrator(shop, *explain, "Dana.u001@example.test", *at, "--json").told
    assert by_address == by_id
    assert by_address["user"] == "u001"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("plan", "new_inn"), 2, "Did you mean new_in?"),
        (("send", "winbak", "--yes"), 2, "Did you mean winback?"),
        (("preview", "new_in", "--as", "nobody"), 2, "nobody is not in the audience"),
        (("segment", "show", "lapsd"), 2, "Did you mean lapsed?"),
        (("segment", "count", "lapsed", "stuff"), 2, "Did you mean staff?"),
        (("segment", "count"), 2, "write --all for every one of the project"),
        (("segment", "count", "--all", "lapsed"), 2, "leave the names away, or --all"),
        (("segment", "count", "--all", "--run", "1"), 2, "--run tells of one segment at a time"),
        (("why", "new_inn", "u001"), 2, "Did you mean new_in?"),
        (("why", "new_in", "nobody"), 2, "nobody is known by the id, e-mail address or phone number nobody"),
        (("why", "new_in", "u001", "--run", "99999999999999999999"), 2, "no run 99999999999999999999"),
        (("show", "new_in"), 2, "orchestrator show new_in --user ID"),
        (("show", "7/u001/email"), 2, "no delivery 7/u001/email"),
        (
            ("segment", "explain", "lapsed", "nobody"),
            2,
            "nobody is known by the id, e-mail address or phone number nobody",
        ),
        (("report", "nope"), 2, "no campaign nope"),
        (("preview", "winback", "--as", "u001", "--variant", "discont"), 2, "Did you mean discount?"),
        (("preview", "new_in", "--as", "u001", "--locale", "xx"), 2, "no locale xx. There are: en."),
        (("preview", "new_in", "--as", "u001", "--locale", "en-nonsense"), 2, "There are: en."),
        (("send", "new_in", "--json"), 2, "needs --yes"),
        (("retry", "new_in", "--json"), 2, "needs --yes"),
        (("send", "new_in"), 1, "stopped; nothing was sent"),
        (("deliveries", "--state", "sent"), 2, "no such state"),
        (("deliveries", "new_inn"), 2, "Did you mean new_in?"),
        (("deliveries", "--run", "7"), 2, "no run 7"),
        (("deliveries", "--run", "99999999999999999999"), 2, "no run 99999999999999999999"),
        (("deliveries", "--run", "-99999999999999999999"), 2, "no run -99999999999999999999"),
        (("deliveries", "--limit", "99999999999999999999"), 2, "--limit"),
        (("cancel", "99999999999999999999"), 2, "no run 99999999999999999999"),
        (("retry", "99999999999999999999", "--yes"), 2, "no run 99999999999999999999"),
        (("segment", "count", "lapsed", "--run", "99999999999999999999"), 2, "no run 99999999999999999999"),
        (("pause", "9" * 5000), 2, "no run 999"),
        (("resume", "\u00b2"), 2, "neither a run's number"),
        (("deliveries", "--reason", "caped"), 2, "Did you mean capped?"),
        (("deliveries", "--limit", "0"), 2, "--limit"),
        (("cancel", "7"), 2, "no run 7"),
        (("pause", "nope"), 2, "neither a run's number"),
        (("import", "people", "x.csv"), 2, "no kind of file people"),
        (("import", "x.csv"), 2, "what does it tell of? Write it before the file: orchestrator import profiles x.csv"),
        (("import", "profiles", "x.csv"), 1, "x.csv"),
        (("plan", "new_in", "--at", "tomorrow"), 2, "--at tomorrow"),
        (("plan", "new_in", "--env", "moon"), 2, "no environment 'moon'"),
        (("check", "--env", "liv"), 2, "Did you mean 'live'?"),
        (("doctor", "--env", "liv"), 2, "Did you mean 'live'?"),
        (("deliveries", "--env", "liv"), 2, "Did you mean 'live'?"),
        (("import", "profiles", "x.csv", "--env", "liv"), 2, "Did you mean 'live'?"),
        (("serve", "--env", "liv"), 2, "Did you mean 'live'?"),
        (("plan", "new_in", "-C", "/nowhere/at/all"), 2, "/nowhere/at/all"),
        (("send", "new_in", "--env", "live", "--yes"), 1, "SMTP_HOST"),
        (("serve", "-C", "/nowhere/at/all"), 2, "/nowhere/at/all"),
        (("run", "winback"), 2, "orchestrator send winback"),
        (("chek",), 2, "chek"),
    ],
)
def test_what_goes_wrong_is_a_sentence_and_an_exit_code(shop, words, code, said):
    answer = orchestrator(shop, *words)
    assert (answer.code, "Traceback" in answer.err, "mistake of the program" in answer.err) == (code, False, False)
    assert said in answer.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("plan", "new_inn"), 2, "Did you mean new_in?"),
        (("plan", "new_in", "--env", "moon"), 2, "moon"),
        (("plan", "new_in", "-C", "/nowhere/at/all"), 2, "/nowhere/at/all"),
        (("deliveries", "--limit", "0"), 2, "--limit"),
        (("plan",), 2, "Missing argument"),
        (("chek",), 2, "chek"),
    ],
)
def test_what_goes_wrong_is_an_object_for_a_program(shop, words, code, said):
    answer = orchestrator(shop, *words, "--json")
    told = json.loads(answer.err)
    assert (answer.code, answer.out, set(told)) == (code, "", {"error", "code", "mistakes"})
    assert told["code"] == code
    assert said in told["error"]
    assert "\x1b" not in answer.err


def test_mistakes_of_the_files_are_told_to_a_program_one_by_one(shop):
    (shop / "config" / "campaigns" / "new_in.yaml").write_text("kind: marketting\naudience: [visitorss]\n")
    answer = orchestrator(shop, "plan", "new_in", "--json")
    told = json.loads(answer.err)
    assert (answer.code, answer.out) == (1, "")
    assert told["mistakes"]
    assert all(one in orchestrator(shop, "check", "--json").told["mistakes"] for one in told["mistakes"])
    assert {"file", "line", "column", "text", "remedy"} == set(told["mistakes"][0])
    note, last = orchestrator(shop, "deliveries", "nope", "--json").err.splitlines()
    assert "the files have mistakes" in json.loads(note)["note"]
    assert json.loads(last)["code"] == 2


def test_a_verb_in_json_writes_no_prompt_and_an_end_of_input_no_bare_word(shop):
    for verb in ("send", "retry"):
        assert orchestrator(shop, verb, "new_in", "--json").out == ""
    assert "Aborted" not in orchestrator(shop, "send", "new_in").err


def test_no_delivery_found_is_said_and_a_program_gets_an_empty_list(shop):
    assert orchestrator(shop, "deliveries", "new_in", "--user", "nobody").out == "nothing\n"
    assert orchestrator(shop, "deliveries", "new_in", "--user", "nobody", "--json").told == []


def test_a_region_of_a_language_there_is_can_be_previewed(shop):
    assert orchestrator(shop, "preview", "new_in", "--as", "u001", "--locale", "en-GB").code == 0


def test_a_plan_for_another_moment_is_headed_with_it(shop):
    said = orchestrator(shop, "plan", "new_in", "--at", "2026-03-08T10:00+01:00")
    assert said.out.splitlines()[0] == " new_in   dev · 2026-03-08 10:00:00 Europe/Vienna"


def test_plan_send_and_report_count_the_same_people(shop):
    plan = orchestrator(shop, "plan", "new_in", "--json").told
    sent = orchestrator(shop, "send", "new_in", "--yes")
    [run] = orchestrator(shop, "report", "new_in", "--json").told
    people = run["people"]
    assert (people["people"], people["reached"], people["waiting"], people["holdout"]) == (
        plan["people"], plan["reached"], sum(plan["held"].values()), plan["holdout"],
    )  # fmt: skip
    assert people["nothing"] == [{"reason": one["reason"], "people": one["people"]} for one in plan["nothing"]]
    assert sum(one["rows"] for one in run["counts"]) > people["people"] > people["nothing"][0]["people"] > 1
    line = f"{people['people']:,} people: reached {people['reached']:,} · "
    assert f" run 1 of new_in is {run['state']}   {line}" in sent.out
    assert f"\n   {line}" in orchestrator(shop, "report", "new_in").out


def test_a_folder_without_a_project_says_how_to_make_one(tmp_path):
    for words in (("check",), ("plan", "x"), ("doctor",), ("report", "x"), ("segment", "count", "x"), ("serve",)):
        answer = orchestrator(tmp_path, *words)
        assert (answer.code, "orchestrator init" in answer.err) == (2, True), words


def test_a_locked_ledger_is_somebody_elses_and_has_its_own_code(shop):
    assert orchestrator(shop, "report", "new_in").code == 0
    holder = sqlite3.connect(shop / "data" / "ledger.db", isolation_level=None)
    holder.execute("PRAGMA locking_mode=EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    holder.execute("CREATE TABLE mine (x)")
    try:
        answer = orchestrator(shop, "pause", "new_in")
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    assert (answer.code, "Traceback" in answer.err) == (3, False)
    assert "another program holds it" in answer.err


def test_a_store_that_is_none_is_named(shop):
    (shop / "data" / "ledger.db").write_bytes(b"not a database, but long enough to be looked at" * 50)
    (shop / "data" / "audience.duckdb").write_bytes(b"no database either" * 500)
    for words, name in ((("report", "new_in"), "ledger.db"), (("segment", "count", "lapsed"), "audience.duckdb")):
        answer = orchestrator(shop, *words)
        assert (answer.code, name in answer.err, "Traceback" in answer.err) == (1, True, False), answer.err


def test_options_of_all_verbs_may_stand_anywhere():
    assert hoisted(["plan", "winback", "--json", "-e", "live"]) == ["--json", "-e", "live", "plan", "winback"]
    assert hoisted(["--project=x", "check"]) == ["--project=x", "check"]
    assert hoisted(["check", "--env"]) == ["--env", "check"]
    assert hoisted(["segment", "explain", "x", "--", "--json"]) == ["segment", "explain", "x", "--", "--json"]


def test_the_exit_codes_stand_in_the_help_of_every_verb(tmp_path):
    for words in ((), ("send",), ("segment", "show")):
        text = " ".join(orchestrator(tmp_path, *words, "--help").out.split())
        for code, meaning in EXIT_CODES.items():
            assert f"{code} {meaning}"[:24] in text, words


HEAVY = ("duckdb", "sqlglot", "pyarrow", "httpx", "httptools", "uvicorn", "starlette", "sqlmodel", "alembic", "jwt", "cryptography", "apscheduler")  # fmt: skip


@pytest.mark.parametrize("words", [("--help",), ("--version",), ("check",), ("schema",), ("init", "x", "--empty")])
def test_a_verb_that_needs_no_store_loads_no_engine(shop, words):
    watched = f"import sys; sys.argv[1:] = {list(words)!r}\ntry:\n {CLI[2]}\nfinally:\n sys.stderr.write(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", watched], cwd=shop, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    loaded = {name.partition(".")[0] for name in done.stderr.split()}
    assert loaded & set(HEAVY) == set()
    assert "typer" in loaded


def test_in_a_pipe_a_row_is_a_line_and_nothing_is_cut(shop):
    assert orchestrator(shop, "send", "new_in", "--yes").code == 0
    rows = orchestrator(shop, "deliveries", "new_in", "--state", "skipped", "--limit", "5").out.splitlines()
    assert len([row for row in rows if "  new_in  " in row]) == 5
    assert not any("\u2026" in row for row in rows)
