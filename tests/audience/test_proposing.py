"""What a file nobody has described may mean: guesses to be shown and saved, and what only a person can say."""

import json

import pytest

from orchestrator.audience.importing import Reading
from orchestrator.audience.mapping import What
from orchestrator.audience.orders import Order
from orchestrator.audience.proposing import Asked
from orchestrator.audience.texts import FileError
from orchestrator.core.segments.tree import Catalogue, Declared, Kind
from tests.audience.builders import NOW, SHOP, a_file, an_audience, imported, people


def proposed(tmp_path, what, *lines, catalogue=SHOP, topics=("news", "offers"), name="a.csv"):
    path = a_file(tmp_path, name, *lines)
    order = Order(what, path, NOW, catalogue, "Europe/Vienna", topics=frozenset(topics))
    with Reading(an_audience(tmp_path, catalogue), order, looked=True) as reading:
        return reading.propose()


def test_every_column_is_written_down_with_what_was_found_out(tmp_path):
    found = proposed(
        tmp_path, What.PROFILES, "customer_no;mail;First Name;signup_ts;price;internal",
        "00001;ada@x.test;Ada;2026-01-05 10:00;12,50;x", "00002;bo@x.test;Bo;2026-01-05 10:00;1.250,5;y",
    )  # fmt: skip
    assert found.content() == {
        "columns": {
            "customer_no": "user", "mail": "email", "First Name": "firstName", "signup_ts": {"to": "createdAt", "is": "time"},
            "price": {"to": "price", "is": "number", "decimal": ","}, "internal": "internal",
        }
    }  # fmt: skip
    [question] = found.questions
    assert (question.about, [one.name for one in question.columns], question.guess) == (
        Asked.ZONE,
        ["signup_ts"],
        "Europe/Vienna",
    )


def test_a_name_the_catalogue_has_is_kept_and_another_gets_the_usual_one(tmp_path):
    lines = ("id,first_name", "a,Ada")
    assert proposed(tmp_path, What.PROFILES, *lines).columns["first_name"] == "firstName"
    known = Catalogue({"first_name": Declared(Kind.TEXT)})
    assert proposed(tmp_path, What.PROFILES, *lines, catalogue=known).columns["first_name"] == "first_name"


@pytest.mark.parametrize(
    ("kind", "entry"),
    [
        (Kind.TEXT, "createdAt"),
        (Kind.TIME, {"to": "createdAt", "is": "time"}),
        (Kind.NUMBER, {"to": "signup_ts", "is": "time"}),
    ],
)
def test_what_the_catalogue_says_of_an_attribute_wins_over_what_a_column_looks_like(tmp_path, kind, entry):
    known = Catalogue({"createdAt": Declared(kind)})
    lines = ("id,signup_ts", "a,2026-01-05 10:00")
    found = proposed(tmp_path, What.PROFILES, *lines, catalogue=known)
    assert found.columns["signup_ts"] == entry
    assert (found.look.columns[1].kind, len(found.questions)) == (("text", 0) if kind is Kind.TEXT else ("time", 1))
    audience = an_audience(tmp_path, known)
    done = imported(audience, What.PROFILES, tmp_path / "a.csv", found.content(), catalogue=known)
    assert (done.new, done.rejects) == (1, None)


def test_a_mapping_that_contradicts_the_catalogue_is_refused_with_both_kinds(tmp_path):
    known = Catalogue({"createdAt": Declared(Kind.TEXT)})
    path = a_file(tmp_path, "a.csv", "id,signup_ts", "a,2026-01-05 10:00")
    told = {"columns": {"signup_ts": {"to": "createdAt", "is": "time"}}}
    says = "column signup_ts is mapped to createdAt as time, and config/data.yaml declares createdAt as text"
    with pytest.raises(FileError, match=says):
        imported(an_audience(tmp_path, known), What.PROFILES, path, told, catalogue=known)


@pytest.mark.parametrize(
    ("name", "values", "guess"),
    [
        ("newsletter", ("yes", "no", ""), "consent.email.news"),
        ("offers_optin", ("1", "0", "1"), "consent.email.offers"),
        ("sms_consent", ("ja", "nein", ""), {"to": "consent.sms.news", "means_yes": ["ja"], "means_no": ["nein"]}),
        ("unsubscribed", ("true", "false", "false"), {"to": "consent.email.news", "means_no": ["true"], "means_nothing": ["false"]}),
    ],
)  # fmt: skip
def test_a_column_that_looks_like_consent_is_asked_about(tmp_path, name, values, guess):
    lines = [f"u{number},{value}" for number, value in enumerate(values)]
    found = proposed(tmp_path, What.PROFILES, f"user,{name}", *lines)
    [question] = found.questions
    assert (question.about, question.guess) == (Asked.CONSENT, guess)
    assert found.answered(question, "y").columns[name] == guess
    assert found.answered(question, "n").columns[name] == name
    assert found.answered(question, "ignore").columns[name] == "ignore"
    other = found.answered(question, "consent.push.offers").columns[name]
    assert other == "consent.push.offers" or other["to"] == "consent.push.offers"
    for answer in ("z", "consent.push.nothing", "consent.pigeon.news"):
        with pytest.raises(FileError, match=r"none of y, n|no topic|no channel"):
            found.answered(question, answer)


DOUBTED = [
    ("newsletter", ("yes", "no", "pending"), "consent.email.news", ("pending",)),
    ("newsletter", ("subscribed", "unsubscribed", "bounced"), {"to": "consent.email.news", "means_yes": ["subscribed"], "means_no": ["unsubscribed"]}, ("bounced",)),
    ("opt_in", ("1", "0", "1"), "consent.email.news", ()),
    ("Status", ("subscribed", "unsubscribed", "bounced"), {"to": "consent.email.news", "means_yes": ["subscribed"], "means_no": ["unsubscribed"]}, ("bounced",)),
    ("opt_in", ("weekly", "monthly", ""), {"to": "consent.email.news", "means_yes": ["WORD"], "means_no": ["WORD"]}, ("monthly", "weekly")),
    ("newsletter", (*["yes"] * 20, *map(str, range(2, 14))), "consent.email.news", tuple(map(str, (10, 11, 12, 13, 2, 3, 4)))),
]  # fmt: skip


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
@pytest.mark.parametrize(("name", "values", "guess", "unread"), DOUBTED)
def test_a_word_that_is_neither_yes_nor_no_hides_no_consent(tmp_path, kind, name, values, guess, unread):
    lines = ["user," + name, *(f"u{number},{value}" for number, value in enumerate(values))]
    if kind == "jsonl":
        lines = [json.dumps({"user": f"u{number}", name: value}) for number, value in enumerate(values)]
    path = a_file(tmp_path, f"a.{kind}", *lines)
    order = Order(What.PROFILES, path, NOW, SHOP, "Europe/Vienna", topics=frozenset(("news", "offers")))
    for looked in (True, False):
        with Reading(an_audience(tmp_path), order, looked=looked) as reading:
            [question] = reading.doubts()
        assert (question.guess, question.unread) == (guess, unread)


def test_cells_that_are_neither_yes_nor_no_say_nothing_and_are_set_aside(tmp_path):
    found = proposed(tmp_path, What.PROFILES, "user,newsletter", "a,yes", "b,no", "c,pending")
    done = imported(
        an_audience(tmp_path), What.PROFILES, tmp_path / "a.csv", found.answered(found.questions[0], "offers").content()
    )
    assert [(one.user, one.topic, one.granted) for one in done.words] == [("a", "offers", True), ("b", "offers", False)]
    assert [(one.line, one.value) for one in done.reasons] == [(4, "pending")]
    done.words.close()


def test_a_topic_is_an_answer_and_words_nobody_knows_are_not_taken_for_a_yes(tmp_path):
    found = proposed(tmp_path, What.PROFILES, "user,sms_newsletter", "a,subscribed", "b,unsubscribed")
    assert found.answered(found.questions[0], "offers").columns["sms_newsletter"] == {
        "to": "consent.sms.offers", "means_yes": ["subscribed"], "means_no": ["unsubscribed"],
    }  # fmt: skip
    found = proposed(tmp_path, What.PROFILES, "user,newsletter", "a,weekly", "b,monthly")
    for answer in ("y", "offers", "consent.email.offers"):
        with pytest.raises(FileError, match="none of its words is known as a yes or a no"):
            found.answered(found.questions[0], answer)
    assert found.answered(found.questions[0], "n").columns["newsletter"] == "newsletter"


@pytest.mark.parametrize("values", [("gold", "silver", "tin"), [str(number) for number in range(20)]])
def test_a_column_of_other_words_is_no_consent_whatever_it_is_called(tmp_path, values):
    lines = [f"u{number},{value}" for number, value in enumerate(values)]
    assert proposed(tmp_path, What.PROFILES, "user,marketing_level", *lines).questions == ()


def test_without_a_topic_there_is_nothing_to_say_yes_to(tmp_path):
    found = proposed(tmp_path, What.PROFILES, "user,newsletter", "a,yes", topics=())
    with pytest.raises(FileError, match="declare a topic first"):
        found.answered(found.questions[0], "y")


def test_the_platform_of_tokens_is_asked_for_and_may_be_a_column(tmp_path):
    found = proposed(tmp_path, What.DEVICES, "user,token,kind", "a,t1,ios")
    [question] = found.questions
    assert found.answered(question, "ios").content()["platform"] == "ios"
    assert found.answered(question, "kind").columns["kind"] == "platform"
    assert found.answered(question, "").content() == found.content()


def test_of_json_lines_only_what_would_not_be_guessed_again_is_written_down(tmp_path):
    line = '{"userId": "a", "mail": "a@x.test", "newsletter": true, "country": "AT"}'
    found = proposed(tmp_path, What.PROFILES, line, name="a.jsonl")
    assert found.content() == {}
    [question] = found.questions
    assert found.answered(question, "y").content() == {"columns": {"newsletter": "consent.email.news"}}


def test_decimal_commas_are_recognised_where_they_can_be_nothing_else(tmp_path):
    audience = an_audience(tmp_path)
    path = a_file(
        tmp_path, "a.csv", "user;score;price;code;maybe", "a;12,5;1.234,50;00123;1,234", "b;7;3,1;00124;2,345", "c;x;;;"
    )
    done = imported(audience, What.PROFILES, path)
    assert [(one.line, one.value) for one in done.conflicts] == [(4, "x")]
    assert {user: float(score) if score else None for user, score in people(audience, "a.score").items()} == {
        "a": 12.5,
        "b": 7.0,
        "c": None,
    }
    rest = people(audience, "rest")
    # `1,234` may be a thousand: it stays as it was written until the mapping says.
    assert rest["a"] == '{"price":1234.5,"code":"00123","maybe":"1,234"}'
    imported(audience, What.PROFILES, path, {"columns": {"maybe": {"to": "maybe", "decimal": "."}}})
    assert '"maybe":1234' in people(audience, "rest")["a"]
    imported(audience, What.PROFILES, path, {"decimal": ","})
    assert '"maybe":1.234' in people(audience, "rest")["a"]


ODD = [
    (["2026-01-05 10:00"] * 999 + ["n/a"], {"to": "x", "is": "time"}, "x stays a text: 1 of 1,000 cells are no time, like 'n/a'"),
    (["1,5", "2,25", "n/a"], {"to": "x", "is": "number", "decimal": ","}, "x stays a text: 1 of 3 cells are no number, like 'n/a'"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "entry", "note"), ODD)
def test_a_column_that_is_a_text_for_the_sake_of_a_few_cells_is_told_and_asked_about(tmp_path, values, entry, note):
    path = a_file(tmp_path, "a.csv", "user;x;town", *(f"u{n};{value};Graz" for n, value in enumerate(values)))
    with Reading(an_audience(tmp_path), Order(What.PROFILES, path, NOW, SHOP, "Europe/Vienna")) as reading:
        assert [one.partition(";")[0] for one in reading.guesses] == [note]
    found = proposed(tmp_path, What.PROFILES, *path.read_text().splitlines())
    [question] = found.questions
    assert (question.about, found.answered(question, "").columns["x"]) == (Asked.KIND, "x")
    assert found.answered(question, "y").columns["x"] == entry
    with pytest.raises(FileError, match="neither y nor n"):
        found.answered(question, "maybe")
    done = imported(an_audience(tmp_path), What.PROFILES, path, found.answered(question, "y").content())
    assert [(one.count, one.value) for one in done.reasons] == [(1, "n/a")]
    assert done.new == len(values)
