"""Exports of other tools: known by their columns, and nobody who unsubscribed or bounced there can be written to here."""

import pytest

from orchestrator.audience.exports import recognised
from orchestrator.audience.importing import Reading, import_file
from orchestrator.audience.mapping import What
from orchestrator.audience.orders import Order
from orchestrator.audience.texts import FileError
from tests.audience.builders import NOW, SHOP, a_file, an_audience, people

MAILCHIMP = "Email Address,First Name,MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME,LAST_CHANGED,LEID,EUID,NOTES"
IN_2018 = 1_521_136_302_000_000


def order_of(path, what=What.PROFILES, first=None):
    return Order(what, path, NOW, SHOP, "UTC", topics=frozenset(("news", "offers")), first=first)


def brought(tmp_path, what, *lines):
    """The words and stopped addresses of an export, and who is in the audience afterwards; words are told before anybody lands."""
    audience, told = an_audience(tmp_path), []
    audience.path.unlink(missing_ok=True)

    def first(words, stops):
        assert not audience.path.exists()
        told.append(([tuple(one[:5]) for one in words or ()], [tuple(one) for one in stops or ()]))
        for rows in filter(None, (words, stops)):
            rows.close()

    done = import_file(audience, order_of(a_file(tmp_path, "a.csv", *lines), what, first))
    words, stops = told[0] if told else ([], [])
    return words, stops, people(audience, "email") if audience.path.exists() else {}, done


def test_who_unsubscribed_from_mailchimp_has_said_no_to_everything_by_mail(tmp_path):
    line = "a@x.test,Ada,2,,2018-03-15 17:51:42,2018-03-15 17:51:42,67,e1,,2018-03-15 17:51:42,spam"
    words, stops, there, done = brought(tmp_path, What.PROFILES, f"{MAILCHIMP},UNSUB_TIME,UNSUB_REASON", line)
    assert words == [("e1", "email", topic, False, IN_2018) for topic in ("news", "offers")]
    assert (stops, there, done.rejects) == ([], {"e1": "a@x.test"}, None)


def test_whose_mail_bounced_at_mailchimp_is_stopped_before_anybody_lands(tmp_path):
    lines = (f"{MAILCHIMP},CLEAN_TIME,CLEAN_CAMPAIGN_ID", "a@x.test,Ada,2,,,,67,e1,,2018-03-15 17:51:42,9")
    words, stops, there, _ = brought(tmp_path, What.PROFILES, *lines)
    assert (words, stops) == ([], [("email", "a@x.test", "bounced", IN_2018)])
    assert there == {"e1": "a@x.test"}
    assert brought(tmp_path, What.SUPPRESSIONS, *lines)[1] == stops


def test_a_time_that_cannot_be_read_does_not_lose_the_no(tmp_path):
    lines = (f"{MAILCHIMP},UNSUB_TIME", "a@x.test,Ada,2,,,,67,e1,,some day")
    words, _, _, done = brought(tmp_path, What.PROFILES, *lines)
    assert [word[:4] for word in words] == [("e1", "email", topic, False) for topic in ("news", "offers")]
    assert done.rejected == 1


def test_subscribed_contacts_of_mailchimp_said_yes_to_what_only_a_person_knows(tmp_path):
    path = a_file(tmp_path, "a.csv", MAILCHIMP, "a@x.test,Ada,2,,2018-03-15 17:51:42,2018-03-15 17:51:42,67,e1,")
    with Reading(an_audience(tmp_path), order_of(path), looked=True) as reading:
        [doubt] = reading.doubts()
        proposal = reading.propose()
        assert doubt.guess == {"to": "consent.email.news", "is": "time", "means_yes": "any"}
        said = proposal.answered(proposal.questions[0], "consent.email.offers")
    order = order_of(path)
    done = import_file(
        an_audience(tmp_path), Order(order.what, path, NOW, SHOP, "UTC", said.content(), topics=order.topics)
    )
    assert [tuple(word[:5]) for word in done.words] == [("e1", "email", "offers", True, IN_2018)]
    done.words.close()
    with pytest.raises(
        FileError, match=r"looks like an export of Mailchimp .subscribed contacts.: nobody in it is stopped"
    ):
        import_file(an_audience(tmp_path), order_of(path, What.SUPPRESSIONS))


def test_a_blocklisted_subscriber_of_listmonk_is_stopped_and_gos_times_are_read(tmp_path):
    words, stops, there, done = brought(
        tmp_path, What.PROFILES, "uuid,email,name,attributes,status,created_at,updated_at",
        "u1,a@x.test,Ada,{},enabled,2018-03-15 17:51:42.5 +0000 UTC,2018-03-15 17:51:42 +0000 UTC",
        "u2,b@x.test,Bo,{},blocklisted,2018-03-15 17:51:42 +0000 UTC,2018-03-15 17:51:42 +0000 UTC",
    )  # fmt: skip
    assert (words, [stop[:3] for stop in stops], len(there)) == ([], [("email", "b@x.test", "blocklisted")], 2)
    assert done.rejects is None
    assert people(an_audience(tmp_path), "a.createdAt") == {"u1": IN_2018 + 500_000, "u2": IN_2018}


def test_who_unsubscribed_in_braze_has_said_no_and_who_did_not_has_said_nothing(tmp_path):
    header = "user_id,Braze ID,email,unsubscribed_from_emails_at,unsubscribed_from_push_at,timezone"
    lines = ("7,x,a@x.test,2018-03-15T17:51:42Z,,Europe/Vienna", "8,y,b@x.test,,2018-03-15T17:51:42Z,Europe/Vienna")
    words, stops, *_ = brought(tmp_path, What.PROFILES, header, *lines)
    assert sorted(words) == sorted(
        (user, channel, topic, False, IN_2018)
        for user, channel in (("7", "email"), ("8", "push"))
        for topic in ("news", "offers")
    )
    assert stops == []
    assert [stop[1] for stop in brought(tmp_path, What.SUPPRESSIONS, header, *lines)[1]] == ["a@x.test"]


def test_who_unsubscribed_in_customer_io_has_said_no_on_every_channel(tmp_path):
    words, *_ = brought(
        tmp_path, What.PROFILES, "id,email,cio_id,created_at,unsubscribed", "1,a@x.test,c1,1521136302,true", "2,b@x.test,c2,1521136302,false"
    )  # fmt: skip
    assert {(user, granted) for user, _, _, granted, _ in words} == {("1", False)}
    assert {channel for _, channel, *_ in words} == {"email", "push", "in_app", "sms", "webhook"}


def test_mautic_does_not_say_who_must_not_be_contacted_and_that_is_told(tmp_path):
    header = "id,firstname,lastname,email,mobile,phone,points,attribution,attribution_date"
    path = a_file(tmp_path, "a.csv", header, "1,Kim,L,k@x.test,+43 1 234567,,5,,")
    with Reading(an_audience(tmp_path), order_of(path)) as reading:
        assert any("who must not be contacted" in guess for guess in reading.guesses)
    with pytest.raises(FileError, match="export of Mautic: it does not say who must not be contacted"):
        import_file(an_audience(tmp_path), order_of(path, What.SUPPRESSIONS))


def test_anybody_elses_file_is_nobodys_export():
    assert recognised(What.PROFILES, ["id", "email", "first_name", "status"]) is None
    assert recognised(What.EVENTS, ["user_id", "unsubscribed_from_emails_at"]) is None
