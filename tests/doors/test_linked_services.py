"""Linked data from services: asked once for each question, cut down, and what happens where there is no answer."""

import json
from itertools import pairwise

import pytest
from typer.testing import CliRunner

from orchestrator import planner
from orchestrator.cli.main import app as verbs
from orchestrator.core.errors import StoreError
from orchestrator.core.times import HOUR, Instant
from orchestrator.ledger import RunState, planning, runs
from orchestrator.pipeline import answers
from orchestrator.wire import lookup
from tests.doors.service import a_service
from tests.doors.shop import NOON, Shop
from tests.doors.test_linked_data import files

TODAY = "{{ linkedData.weather.today }}"
NINE = [f"u{number}" for number in range(9)]


@pytest.fixture
def service():
    with a_service() as made:
        yield made


@pytest.fixture
def shop(tmp_path, monkeypatch, service):
    monkeypatch.setenv("SHOP_LEDGER", "sqlite:data/ledger.db")
    monkeypatch.setenv("WEATHER_KEY", "hunter2hunter2")
    opened = []

    def open_shop(text=TODAY, path="/now?of={user}", more="", people=("ada", "bo"), inside="127.0.0.0/8", changed=None):
        network = f"network: {inside}" if inside else ""
        source = f'sources:\n  weather:\n    url: "{service.url}{path}"\n    {network}\n    {more}\n'
        opened.append(Shop(tmp_path, {**files(text, source), **(changed or {})}))
        opened[-1].people(**{user: user.title() for user in people})
        return opened[-1]

    yield open_shop
    for one in opened:
        one.ledger.close()


def says(**said):
    return 200, json.dumps(said)


def plan(shop, occurrence="one"):
    run = shop.fire(occurrence=occurrence)
    assert planner.plan_run(shop.opened, shop.ledger, run, shop.clock) is not None
    return run


def detail(shop, user):
    return shop.ledger.store.rows("SELECT detail FROM delivery WHERE user_id = ?", (user,))[0][0]


def test_each_person_has_the_answer_to_their_own_question(shop, service):
    service.answers = {"/now?of=ada": says(today="sunny", week=["x"]), "/now?of=bo": says(today="snowing")}
    made = shop()
    plan(made)
    made.drain()
    assert made.subjects() == {"ada": "sunny", "bo": "snowing"}
    assert service.asked == {"/now?of=ada": 1, "/now?of=bo": 1}


def test_people_with_the_same_question_share_its_answer(shop, service):
    service.answers = {"/AT": says(today="sunny")}
    made = shop(path="/{country}", people=NINE)
    plan(made)
    made.drain()
    assert set(made.subjects().values()) == {"sunny"}
    assert service.asked == {"/AT": 1}


def test_only_what_templates_read_travels_with_people(shop, service):
    service.answers = {"/AT": says(today="sunny", secret="not for anybody")}
    made = shop(path="/{country}")
    plan(made)
    people = made.ledger.claim(NOON).people
    assert [person.attributes["linkedData"] for person in people] == [{"weather": {"today": "sunny"}}] * 2


def test_a_service_is_asked_when_people_are_and_never_by_a_worker(shop, service):
    service.default = says(today="sunny")
    made = shop()
    plan(made)
    asked = service.questions
    service.default = (500, "")
    made.drain()
    assert (set(made.subjects().values()), service.questions) == ({"sunny"}, asked)


def test_one_answer_for_everybody_and_lists_as_they_come(shop, service):
    service.answers = {"/top": (200, json.dumps([{"name": "Coat"}, {"name": "Hat"}]))}
    made = shop("{% for one in linkedData.weather %}{{ one.name }} {% endfor %}", path="/top")
    plan(made)
    made.drain()
    assert (made.subjects()["ada"], service.questions) == ("Coat Hat ", 1)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/csv; charset=utf-8", "code,today\nAT,sunny\n"),
        ("application/json", '{"AT": {"today": "sunny"}}'),
        ("application/json", '[{"code": "AT", "today": "sunny"}]'),
    ],
)
def test_a_table_may_come_from_a_service(shop, service, kind, body):
    service.kind, service.answers = kind, {"/all": (200, body)}
    made = shop(path="/all", more="key: code\n    by: country")
    plan(made)
    made.drain()
    assert (made.subjects()["bo"], service.questions) == ("sunny", 1)


def test_headers_hold_secrets_and_nobody_repeats_them(shop, service, capsys):
    service.default = says(today="sunny")
    made = shop(more="headers: {authorization: 'Bearer ${env:WEATHER_KEY}'}")
    plan(made)
    assert {heard["authorization"] for heard in service.heard} == {"Bearer hunter2hunter2"}
    service.default = (500, "")
    with pytest.raises(StoreError) as problem:
        plan(made, "two")
    assert "hunter2" not in f"{problem.value}{problem.value!r}{made.opened.project.settings}{capsys.readouterr()}"


def test_a_missing_secret_makes_the_run_wait_and_is_named(shop, monkeypatch):
    made = shop(more="headers: {authorization: '${env:WEATHER_KEY}'}")
    monkeypatch.delenv("WEATHER_KEY")
    with pytest.raises(StoreError, match=r"source weather: \$\{env:WEATHER_KEY\} is not set"):
        plan(made)


def test_whom_the_service_does_not_know_is_skipped_unless_there_is_a_default(shop, service):
    service.answers = {"/now?of=ada": says(today="sunny")}
    made = shop()
    plan(made)
    made.drain()
    assert made.rows() == {"ada": "accepted", "bo": ("skipped", "missing_data")}
    assert detail(made, "bo").startswith("linkedData.weather.today (templates/spring/")


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (503, "", "answered 503"),
        (400, "", "answered 400"),
        (302, "", "answered 302, which leads elsewhere"),
        (200, "<html>", "its answer is no JSON"),
        (200, '{"today": NaN}', "its answer is no JSON"),
        (200, b'{"today": "\xff"}', "its answer is no JSON"),
        (200, '{"today": "\\ud800"}', "its answer is no JSON"),
        (200, "[" * 100_000, "its answer is no JSON"),
        (200, '"sunny"', "its answer is neither an object nor a list"),
        (200, json.dumps({"today": "x" * answers.ROOM}), "its answer is too long"),
        (200, json.dumps({"today": "x" * 1_100_000}), "the answer (200) is longer than 1000000 bytes"),
    ],
)
def test_a_person_without_an_answer_is_skipped_with_the_cause_and_the_others_are_not(shop, service, status, body, why):
    service.default, service.headers = says(today="sunny"), {"location": "http://127.0.0.1:1/"}
    service.answers = {"/now?of=bo": (status, body)}
    made = shop()
    plan(made)
    made.drain()
    assert made.rows() == {"ada": "accepted", "bo": ("skipped", "missing_data")}
    assert detail(made, "bo").startswith(f"linkedData.weather.today: {why}")


def test_a_passing_trouble_passes(shop, service):
    service.default = says(today="sunny")
    service.answers = {"/now?of=bo": [(503, ""), (429, ""), says(today="raining")]}
    made = shop()
    plan(made)
    made.drain()
    assert made.subjects() == {"ada": "sunny", "bo": "raining"}
    assert service.asked["/now?of=bo"] == 3


@pytest.mark.parametrize("trouble", [(503, ""), (401, ""), (200, "<html>We are back soon</html>")])
def test_while_a_service_is_down_the_run_waits_and_nothing_is_lost(shop, service, trouble):
    service.default = trouble
    made = shop()
    run = made.fire()
    with pytest.raises(
        StoreError, match=r"source weather: 127.0.0.1 does not answer \(.*\); the run waits until it does"
    ):
        planner.plan_run(made.opened, made.ledger, run, made.clock)
    planning.forget_plan(made.ledger.store, run.id)  # what every process does once the planner is dead
    assert (runs.find(made.ledger.store, run.id).state, made.rows()) == (RunState.DUE, {})
    service.default = says(today="sunny")
    planner.plan_run(made.opened, made.ledger, run, made.clock)
    made.drain()
    assert made.rows() == {"ada": "accepted", "bo": "accepted"}


def test_a_service_that_dies_in_between_is_not_asked_about_everybody(shop, service, monkeypatch):
    monkeypatch.setattr("orchestrator.pipeline.linking.AT_A_TIME", 3)
    service.answers = {f"/now?of={user}": says(today="sunny") for user in NINE}
    people = [*NINE, *(f"x{number:03}" for number in range(200))]
    service.default = (503, "")
    made = shop(people=people, more="on_error: skip")
    plan(made)
    made.drain()
    assert list(made.rows().values()) == ["accepted"] * 9 + [("skipped", "missing_data")] * 200
    assert 20 <= len(service.asked) - 9 <= 40
    assert detail(made, "x199").startswith("linkedData.weather.today: not asked, because 127.0.0.1 does not answer")
    waiting = shop(people=people)
    with pytest.raises(StoreError, match="does not answer"):
        plan(waiting, "two")


def test_a_service_among_inner_addresses_is_not_called_unless_its_network_is_named(shop, service):
    service.default = says(today="sunny")
    made = shop(inside="10.0.0.0/8")
    with pytest.raises(StoreError, match=r"does not answer \(127.0.0.1: 127.0.0.1 is not a public address"):
        plan(made)
    service.url = service.url.replace("http://", "https://")
    with pytest.raises(StoreError, match=r"does not answer \(127.0.0.1: 127.0.0.1 is not a public address"):
        plan(shop(inside=""), "two")
    assert service.questions == 0


def test_no_more_questions_than_the_rate_allows(shop, service, monkeypatch):
    taken = []
    wait = lookup.Pace.wait

    def turn(pace, now):
        found = wait(pace, now)
        taken.append(now + found)
        return found

    monkeypatch.setattr(lookup.Pace, "wait", turn)
    service.default = says(today="sunny")
    plan(shop(people=NINE, more="rate: 100 per second"))
    assert service.questions == len(taken) == 9
    assert all(then - before >= 0.00999 for before, then in pairwise(taken)), "ten milliseconds from turn to turn"


def test_who_waited_long_gets_the_answer_of_now_and_waits_on_while_there_is_none(shop, service):
    service.default = says(today="sunny")
    made = shop()
    run = plan(made)
    service.default = (503, "")
    made.clock.at = Instant(NOON + 2 * HOUR)
    with pytest.raises(StoreError, match="does not answer"):
        planner.ask_run(made.opened, made.ledger, run, made.clock)
    assert (made.drain(), set(made.rows().values())) == (0, {"planned"})
    service.default = says(today="raining")
    planner.ask_run(made.opened, made.ledger, run, made.clock)
    made.drain()
    assert set(made.subjects().values()) == {"raining"}


def test_who_waited_too_long_expires_though_the_service_is_down(shop, service):
    service.default = says(today="sunny")
    made = shop()
    run = plan(made)
    service.default = (503, "")
    made.clock.at = Instant(NOON + 49 * HOUR)
    with pytest.raises(StoreError):
        planner.ask_run(made.opened, made.ledger, run, made.clock)
    made.drain()
    assert set(made.rows().values()) == {("expired", "late")}


def test_a_dry_run_asks_about_a_few_and_a_preview_about_one(shop, service):
    service.default = says(today="sunny")
    made = shop(people=NINE)
    made.ledger.close()

    def orc(*words):
        return CliRunner().invoke(verbs, ["-C", str(made.root), *words])

    planned = orc("--json", "plan", "spring")
    assert json.loads(planned.stdout)["linked_data"] == {"weather": {"asked": 5, "unanswered": 0}}
    assert service.questions == 5
    previewed = orc("--json", "preview", "spring", "--as", "u8")
    assert json.loads(previewed.stdout)["messages"][0]["content"]["subject"] == "sunny"
    assert service.questions == 6
    service.default = (503, "")
    assert "127.0.0.1 does not answer (answered 503)" in orc("plan", "spring").stdout
    refused = orc("send", "spring", "--yes")
    assert (refused.exit_code, "nothing was sent to anybody" in refused.stderr) == (1, True)


def test_a_send_by_hand_uses_it_too(shop, service):
    service.default = says(today="sunny")
    made = shop(people=NINE)
    made.ledger.close()
    done = CliRunner().invoke(verbs, ["-C", str(made.root), "--json", "send", "spring", "--yes"])
    assert json.loads(done.stdout)["rows"] == {"accepted": 9}, done.stderr
    assert service.questions == 9
