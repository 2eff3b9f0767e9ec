"""Letters over real sockets: what the server heard, what we were told, and what is certain when it breaks."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.providers import MailReply, MailRequest
from orchestrator.providers.mime import as_seven_bit
from orchestrator.providers.smtp import MailServer, Security
from orchestrator.wire import Lost, NotSent
from orchestrator.wire.smtp import SmtpEngine
from orchestrator.wire.smtp_protocol import CHUNK, Limits
from tests.wire.mail_server import GO_AHEAD, Heard, Script, Talk, mail_server


def a_mail(
    to: str = "anna@x.example", data: bytes = b"Subject: hello\r\n\r\nhello\r\n", sender: str = "shop@x.example"
):
    return MailRequest(sender, to, data)


@asynccontextmanager
async def a_post_office(script: Script, **options) -> AsyncIterator[tuple[SmtpEngine, Heard]]:
    async with mail_server(script) as (port, heard):
        engine = SmtpEngine(MailServer("127.0.0.1", port, Security.NONE), **options)
        try:
            yield engine, heard
        finally:
            await engine.close()


async def send(engine: SmtpEngine, *mails: MailRequest, within: float = 20.0) -> list[MailReply | BaseException]:
    at = asyncio.get_running_loop().time() + within
    return await asyncio.gather(*(engine.exchange(mail, at) for mail in mails), return_exceptions=True)


async def until(heard: Heard, true) -> None:
    while not true():
        heard.told.clear()
        await asyncio.wait_for(heard.told.wait(), 10)


def drops(talk: Talk) -> None:
    talk.drop()


def drops_used(talk: Talk):
    """Answers on a fresh connection, breaks on one that carried a message."""
    return talk.drop() if talk.messages else b"250 Ok"


# The way it goes


async def test_one_letter_costs_one_round_trip_when_the_server_pipelines():
    async with a_post_office(Script(), connections=1) as (engine, heard):
        replies = await send(engine, *(a_mail(f"p{n}@x.example") for n in range(4)))
    assert [reply.text for reply in replies] == [f"2.0.0 Ok: queued as Q{n}" for n in (1, 2, 3, 4)]
    envelope = ["MAIL", "RCPT", "DATA"]
    assert heard.pieces == [["EHLO"], envelope, ["DOT", *envelope], ["DOT", *envelope], ["DOT", *envelope], ["DOT"]]


async def test_without_pipelining_every_command_waits_for_its_answer():
    async with a_post_office(Script(features=(b"8BITMIME",)), connections=1) as (engine, heard):
        replies = await send(engine, *(a_mail(f"p{n}@x.example") for n in range(3)))
    assert [reply.code for reply in replies] == [250] * 3
    assert heard.pieces == [["EHLO"], *([["MAIL"], ["RCPT"], ["DATA"], ["DOT"]] * 3)]


async def test_torn_and_many_lined_answers_are_whole_answers():
    script = Script(torn=True, answers={"DOT": b"250-2.0.0 kept\r\n250-2.0.0 as\r\n250 2.0.0 queued as Z9"})
    async with a_post_office(script, connections=1) as (engine, heard):
        (reply,) = await send(engine, a_mail())
    assert reply == MailReply(250, "2.0.0 kept 2.0.0 as 2.0.0 queued as Z9", "data")
    assert len(heard.messages) == 1


async def test_a_pool_opens_as_many_connections_as_it_may_and_no_more():
    async with a_post_office(Script(), connections=3) as (engine, heard):
        replies = await send(engine, *(a_mail(f"p{n}@x.example") for n in range(60)))
        again = await send(engine, *(a_mail(f"q{n}@x.example") for n in range(3)))
    assert {reply.code for reply in replies + again} == {250}
    assert heard.connections == 3
    assert sorted(to for _, to, _ in heard.messages) == sorted(
        [*(f"p{n}@x.example" for n in range(60)), *(f"q{n}@x.example" for n in range(3))]
    )


async def test_a_connection_carries_so_many_letters_and_says_good_bye():
    async with a_post_office(Script(), connections=1, limits=Limits(letters=2)) as (engine, heard):
        replies = await send(engine, *(a_mail(f"p{n}@x.example") for n in range(5)))
        assert [reply.code for reply in replies] == [250] * 5
        await until(heard, lambda: heard.commands.count("QUIT") == 2)
    assert heard.connections == 3


async def test_an_idle_connection_says_good_bye():
    async with a_post_office(Script(), limits=Limits(idle=0.05)) as (engine, heard):
        await send(engine, a_mail())
        await until(heard, lambda: "QUIT" in heard.commands)
        (reply,) = await send(engine, a_mail())
    assert reply.code == 250
    assert heard.connections == 2


async def test_a_body_longer_than_a_chunk_arrives_whole():
    data = b"Subject: long\r\n\r\n" + b"".join(b"line %d of many\r\n.dot\r\n" % n for n in range(40_000))
    assert len(data) > 10 * CHUNK
    async with a_post_office(Script()) as (engine, heard):
        replies = await send(engine, a_mail(data=data), a_mail("b@x.example"), a_mail(data=data))
    assert [reply.code for reply in replies] == [250] * 3
    assert sorted(len(body) for _, _, body in heard.messages) == sorted([len(data), len(data), len(a_mail().data)])
    assert all(body in (data, a_mail().data) for _, _, body in heard.messages)


# Refusals


@pytest.mark.parametrize("features", [(b"PIPELINING",), ()], ids=["pipelining", "step by step"])
@pytest.mark.parametrize(
    ("answers", "reply"),
    [
        ({"MAIL": b"553 5.1.8 no such sender"}, MailReply(553, "5.1.8 no such sender", "mail")),
        ({"RCPT": b"550 5.1.1 nobody"}, MailReply(550, "5.1.1 nobody", "rcpt")),
        ({"RCPT": b"550 5.1.1 nobody", "DATA": GO_AHEAD}, MailReply(550, "5.1.1 nobody", "rcpt")),
        ({"DATA": b"451 4.3.0 later"}, MailReply(451, "4.3.0 later", "data")),
        ({"DOT": b"554 5.7.1 spam"}, MailReply(554, "5.7.1 spam", "data")),
    ],
    ids=["sender", "recipient", "recipient, go-ahead all the same", "data", "message"],
)
async def test_a_refusal_is_told_with_its_stage_and_the_next_letter_goes(features, answers, reply):
    def only_bad(verb):
        return lambda talk: answers[verb] if talk.trying.startswith("bad") else ordinary[verb](talk)

    ordinary = {
        "MAIL": lambda _: b"250 Ok",
        "RCPT": lambda _: b"250 Ok",
        "DATA": lambda talk: GO_AHEAD if talk.recipient else b"554 no valid recipients",
        "DOT": lambda talk: b"250 Ok" if talk.recipient else b"554 no valid recipients",
    }
    script = Script(features, {"DOT": ordinary["DOT"], **{verb: only_bad(verb) for verb in answers}})
    bad, good = a_mail("a@x.example", sender="bad@x.example"), a_mail("b@x.example")
    async with a_post_office(script, connections=1) as (engine, heard):
        replies = await send(engine, bad, good, bad, bad, good)
    assert [answer if answer == reply else answer.code for answer in replies] == [reply, 250, reply, reply, 250]
    assert [to for _, to, _ in heard.messages] == ["b@x.example"] * 2
    assert heard.connections == 1


async def test_a_421_on_a_fresh_connection_is_the_answer():
    async with a_post_office(Script(answers={"MAIL": b"421 4.7.0 come back later"}), connections=1) as (engine, _):
        (reply,) = await send(engine, a_mail())
    assert reply == MailReply(421, "4.7.0 come back later", "mail")


async def test_a_421_on_a_used_connection_sends_the_letter_by_another():
    script = Script(
        answers={"MAIL": lambda talk: b"421 4.7.0 enough for one connection" if talk.messages else b"250 Ok"}
    )
    async with a_post_office(script, connections=1) as (engine, heard):
        replies = await send(engine, *(a_mail(f"p{n}@x.example") for n in range(4)))
    assert [reply.code for reply in replies] == [250] * 4
    assert heard.connections == 4


async def test_a_421_after_the_dot_is_the_answer_and_the_letter_behind_goes_by_another():
    script = Script(
        answers={"DOT": lambda talk: b"421 4.3.2 going down" if talk.recipient.startswith("a") else b"250 Ok"}
    )
    async with a_post_office(script, connections=1) as (engine, heard):
        replies = await send(engine, a_mail("z@x.example"), a_mail("a@x.example"), a_mail("b@x.example"))
    assert replies[1] == MailReply(421, "4.3.2 going down", "data")
    assert [replies[0].code, replies[2].code] == [250, 250]
    assert [to for _, to, _ in heard.messages] == ["z@x.example", "b@x.example"]


@pytest.mark.parametrize(
    "address", ["a@x.example>\r\nRCPT TO:<b@x.example", "a b@x.example", "", "a@x.example\0", "ä@x.example"]
)
async def test_an_address_that_would_end_the_command_never_leaves(address):
    async with a_post_office(Script()) as (engine, heard):
        (reply,) = await send(engine, a_mail(address))
    assert (reply.code, reply.stage) == (553, "client")
    assert heard.connections == 0


async def test_a_message_larger_than_the_server_takes_is_refused_before_it_leaves():
    async with a_post_office(Script(features=(b"PIPELINING", b"SIZE 20"))) as (engine, heard):
        (reply,) = await send(engine, a_mail())
    assert (reply.code, reply.stage) == (552, "client")
    assert heard.commands == ["EHLO [127.0.0.1]"]


EIGHT = (
    b'Subject: x\r\nContent-Type: multipart/alternative; boundary="=_1"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n'
    b"--=_1\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nsch\xc3\xb6n\r\n\r\n--=_1--\r\n"
)


async def test_a_server_without_8bitmime_gets_base64():
    async with a_post_office(Script(features=(b"PIPELINING",))) as (engine, heard):
        (reply,) = await send(engine, a_mail(data=EIGHT))
    assert reply.code == 250
    assert heard.messages[0][2] == as_seven_bit(EIGHT)
    assert heard.messages[0][2].isascii()


async def test_a_server_with_8bitmime_gets_8_bits_and_is_told_so():
    async with a_post_office(Script()) as (engine, heard):
        await send(engine, a_mail(data=EIGHT))
    assert heard.messages[0][2] == EIGHT
    assert heard.commands[1] == f"MAIL FROM:<shop@x.example> SIZE={len(EIGHT)} BODY=8BITMIME"


async def test_eight_bits_in_a_header_cannot_become_seven():
    async with a_post_office(Script(features=())) as (engine, heard):
        (reply,) = await send(engine, a_mail(data=b"Subject: sch\xc3\xb6n\r\n\r\nx\r\n"))
    assert (reply.code, reply.stage) == (554, "client")
    assert heard.messages == []


# What is certain when it breaks


@pytest.mark.parametrize("features", [(b"PIPELINING",), ()], ids=["pipelining", "step by step"])
@pytest.mark.parametrize("verb", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize(
    "trouble", [drops, lambda _: None, lambda _: b"HTTP/1.1 400 Bad Request"], ids=["drop", "hang", "garbage"]
)
async def test_before_the_dot_it_was_not_sent(features, verb, trouble):
    async with a_post_office(Script(features, {verb: trouble})) as (engine, heard):
        (result,) = await send(engine, a_mail(), within=0.6)
        assert isinstance(result, NotSent)
        assert heard.messages == []


@pytest.mark.parametrize(
    "trouble",
    [drops, lambda _: None, lambda _: b"<html>It works!</html>", lambda _: b"354 go on"],
    ids=["drop", "hang", "garbage", "354"],
)
async def test_after_the_dot_it_is_lost_and_the_connection_is_not_used_again(trouble):
    def sometimes(talk: Talk):
        return trouble if talk.recipient.startswith("bad") else b"250 Ok"

    async with a_post_office(Script(answers={"DOT": sometimes}), connections=1) as (engine, heard):
        (result,) = await send(engine, a_mail("bad@x.example"), within=0.5)
        assert isinstance(result, Lost)
        await asyncio.wait_for(heard.gone.wait(), 10)
        (reply,) = await send(engine, a_mail())
    assert reply.code == 250
    assert heard.connections == 2


async def test_a_letter_that_hangs_does_not_hold_up_the_others():
    script = Script(answers={"DOT": lambda talk: None if talk.recipient.startswith("bad") else b"250 Ok"})
    async with a_post_office(script, connections=2) as (engine, heard):
        results = await send(engine, a_mail("bad@x.example"), *(a_mail(f"p{n}@x.example") for n in range(20)), within=3)
    assert isinstance(results[0], Lost)
    stuck_behind = [result for result in results[1:] if isinstance(result, NotSent)]
    assert len(stuck_behind) <= 1, "only the one envelope behind the hanging message may suffer"
    assert len(heard.messages) == 20 - len(stuck_behind)


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
async def test_a_used_connection_that_breaks_costs_nobody_a_letter(verb):
    async with a_post_office(
        Script(
            answers={verb: lambda talk: talk.drop() if talk.messages else (GO_AHEAD if verb == "DATA" else b"250 Ok")}
        ),
        connections=1,
    ) as (engine, heard):
        results = await send(engine, *(a_mail(f"p{n}@x.example") for n in range(4)))
    assert [result.code for result in results] == [250] * 4
    assert len(heard.messages) == 4


@pytest.mark.parametrize("verb", ["GREETING", "DOT"])
async def test_a_reply_without_end_is_not_read_to_its_end(verb):
    async with a_post_office(Script(answers={verb: b"250 " + b"x" * 10_000_000})) as (engine, heard):
        (result,) = await send(engine, a_mail())
        assert isinstance(result, Lost if verb == "DOT" else NotSent)
        assert "4096 octets" in str(result) or "no SMTP reply" in str(result)
        await asyncio.wait_for(heard.gone.wait(), 10)


async def test_a_reply_of_endless_lines_is_not_read_to_its_end():
    async with a_post_office(Script(answers={"DOT": b"250-more\r\n" * 100_000 + b"250 done"})) as (engine, _):
        (result,) = await send(engine, a_mail())
    assert isinstance(result, Lost)


async def test_a_server_that_stops_reading_in_the_middle_of_a_body_has_not_got_it():
    def stops(talk: Talk) -> bytes:
        talk.transport.pause_reading()
        return GO_AHEAD

    async with a_post_office(Script(answers={"DATA": stops}, features=(b"PIPELINING",))) as (engine, heard):
        (result,) = await send(engine, a_mail(data=b"Subject: x\r\n\r\n" + b"0123456789\r\n" * 2_000_000), within=1.5)
    assert isinstance(result, NotSent)
    assert heard.messages == []


async def test_a_refusal_in_the_middle_of_a_long_body_is_the_answer():
    def refuses(talk: Talk) -> bytes:
        talk.transport.pause_reading()
        return GO_AHEAD + b"\r\n552 5.3.4 too long"

    async with a_post_office(Script(answers={"DATA": refuses}, features=(b"PIPELINING",))) as (engine, _):
        (result,) = await send(engine, a_mail(data=b"Subject: x\r\n\r\n" + b"0123456789\r\n" * 2_000_000))
    assert result == MailReply(552, "5.3.4 too long", "data")


async def test_nobody_there_means_not_sent():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    engine = SmtpEngine(MailServer("127.0.0.1", port, Security.NONE))
    results = await send(engine, a_mail(), a_mail())
    await engine.close()
    assert [type(result) for result in results] == [NotSent, NotSent]
    assert f"127.0.0.1:{port}" in str(results[0])


async def test_a_letter_nobody_waits_for_any_more_is_not_sent():
    async with a_post_office(Script(answers={"DATA": None}), connections=1) as (engine, heard):
        loop = asyncio.get_running_loop()
        waiting = [loop.create_task(engine.exchange(a_mail(), loop.time() + 10)) for _ in range(2)]
        await until(heard, lambda: "DATA" in heard.commands)
        for task in waiting:
            task.cancel()
        assert all(
            isinstance(end, asyncio.CancelledError) for end in await asyncio.gather(*waiting, return_exceptions=True)
        )
        engine_talk = next(iter(engine._connections))
        engine_talk.data_received(b"354 go ahead\r\n")
        await asyncio.wait_for(heard.gone.wait(), 10)
    assert heard.messages == []


async def test_closing_tells_every_letter_under_way_what_is_certain():
    async with a_post_office(Script(answers={"DOT": None}), connections=1) as (engine, heard):
        loop = asyncio.get_running_loop()
        waiting = [loop.create_task(engine.exchange(a_mail(), loop.time() + 10)) for _ in range(3)]
        await until(heard, lambda: any("DOT" in piece for piece in heard.pieces))
        await engine.close()
        ends = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(end) for end in ends] == [Lost, NotSent, NotSent]
        assert [type(end) for end in await send(engine, a_mail())] == [NotSent]


# Laws

DEEDS = [
    "accept",
    "accept",
    "accept",
    "rcpt",
    "anyway",
    "drop-mail",
    "drop-data",
    "drop-dot",
    "take-drop",
    "421-mail",
    "421-dot",
    "5xx-dot",
]


def _deed(verb: str):
    def answer(talk: Talk):
        deed = talk.trying.partition(".")[0]
        table = {
            ("MAIL", "drop-mail"): drops,
            ("MAIL", "421-mail"): b"421 closing",
            ("RCPT", "rcpt"): b"550 5.1.1 nobody",
            ("RCPT", "anyway"): b"550 5.1.1 nobody",
            ("DATA", "anyway"): GO_AHEAD,
            ("DATA", "drop-data"): drops,
            ("DOT", "anyway"): b"554 no valid recipients",
            ("DOT", "drop-dot"): drops,
            ("DOT", "421-dot"): b"421 closing",
            ("DOT", "5xx-dot"): b"550 5.7.1 no",
        }
        if (verb, deed) == ("DOT", "take-drop"):
            talk.drop()
            return b"TAKEN"
        ordinary = {"DATA": GO_AHEAD if talk.recipient else b"554 no valid recipients"}.get(verb, b"250 Ok")
        return table.get((verb, deed), ordinary)

    return answer


@given(
    deeds=st.lists(st.sampled_from(DEEDS), min_size=1, max_size=25),
    connections=st.integers(1, 3),
    pipelining=st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_whatever_breaks_an_answer_is_true_and_nobody_gets_two(deeds, connections, pipelining):
    async def all_of_them():
        script = Script(
            (b"PIPELINING",) if pipelining else (), {verb: _deed(verb) for verb in ("MAIL", "RCPT", "DATA", "DOT")}
        )
        mails = [a_mail(f"p{n}@x.example", sender=f"{deed}.{n}@x.example") for n, deed in enumerate(deeds)]
        async with a_post_office(script, connections=connections) as (engine, heard):
            return await send(engine, *mails), [to for _, to, _ in heard.messages]

    results, got = asyncio.run(all_of_them())
    for n, (deed, result) in enumerate(zip(deeds, results, strict=True)):
        copies = got.count(f"p{n}@x.example")
        accepted = isinstance(result, MailReply) and result.code == 250
        assert copies == 1 if accepted else copies <= isinstance(result, Lost)
        assert isinstance(result, MailReply | NotSent | Lost)
        if deed in ("drop-dot", "take-drop"):
            assert isinstance(result, Lost | NotSent)
            assert isinstance(result, Lost) or copies == 0
        if deed in ("rcpt", "anyway") and isinstance(result, MailReply):
            assert result == MailReply(550, "5.1.1 nobody", "rcpt")


@given(
    bodies=st.lists(
        st.lists(st.one_of(st.sampled_from([b".", b"..", b".x", b"", b"QUIT"]), st.binary(max_size=30)), max_size=8),
        min_size=1,
        max_size=6,
    )
)
@settings(max_examples=50, deadline=None)
def test_every_body_arrives_as_it_was(bodies):
    mails = [
        a_mail(f"p{n}@x.example", b"\r\n".join(line.replace(b"\r", b"").replace(b"\n", b"") for line in body) + b"\r\n")
        for n, body in enumerate(bodies)
    ]

    async def all_of_them():
        async with a_post_office(Script(), connections=2) as (engine, heard):
            return await send(engine, *mails), heard.messages

    results, got = asyncio.run(all_of_them())
    assert {result.code for result in results} == {250}
    assert {to: data for _, to, data in got} == {mail.recipient: mail.data for mail in mails}


async def test_a_dot_after_a_bare_line_break_never_ends_the_message():
    smuggled = b"Subject: x\r\n\r\nhello\n.\r\nMAIL FROM:<evil@x.example>\r\n\n.\nrest\r\n"
    async with a_post_office(Script()) as (engine, heard):
        assert [reply.code for reply in await send(engine, a_mail(data=smuggled))] == [250]
        (reply,) = await send(engine, a_mail(data=b"Subject: x\r\n\r\nhello\r.\r\nMAIL FROM:<evil@x.example>\r\n"))
    assert (reply.code, reply.stage) == (554, "client")
    assert len(heard.messages) == 1
    assert not any("evil" in command for command in heard.commands)


async def test_nothing_of_a_conversation_is_logged(caplog):
    caplog.set_level(logging.INFO)
    async with a_post_office(Script(answers={"RCPT": b"550 5.1.1 nobody"})) as (engine, _):
        await send(engine, a_mail("secret-address@x.example"))
    assert "secret-address" not in caplog.text
