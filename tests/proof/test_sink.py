"""The sink must be rude in exactly the ways it promises, and write down exactly what happened."""

import json
import smtplib
import socket
import subprocess
import sys
import time
from collections import Counter
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPResponse, RemoteDisconnected

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.proof.faults import FAR_FUTURE, LONGEST_WAIT, Latency, Mode, Plan, RetryAfter, retry_after, weights
from tests.proof.remote import ROOT, RemoteSink, running_sink


@pytest.fixture
def sink():
    with running_sink() as running:
        yield running


@pytest.fixture
def keyless_sink():
    with running_sink("--no-keys") as running:
        yield running


def post(sink: RemoteSink, path: str = "/hook", key: str = "m1", body: bytes = b"{}") -> tuple[HTTPResponse, bytes]:
    connection = HTTPConnection("127.0.0.1", sink.http, timeout=20)
    try:
        connection.request("POST", path, body, {"webhook-id": key})
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def push(sink: RemoteSink, key: str = "m1", query: str = "") -> tuple[HTTPResponse, dict]:
    body = json.dumps({"message": {"token": "t", "data": {"orchestrator_id": key}}}).encode()
    answer, text = post(sink, f"/v1/projects/shop/messages:send{query}", "", body)
    return answer, json.loads(text)


def mail(sink: RemoteSink, key: str = "m1", to: str = "anna@shop.example", text: str = "Hello") -> dict:
    with smtplib.SMTP("127.0.0.1", sink.smtp, timeout=20) as server:
        message = f"Message-ID: <{key}@shop.example>\r\nSubject: Hi\r\n\r\n{text}\r\n"
        return server.sendmail("shop@shop.example", [to], message)


def raw(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def request(key: str, path: str = "/hook", body: str = "{}") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nhost: sink\r\nwebhook-id: {key}\r\ncontent-length: {len(body)}\r\n\r\n"
    return (head + body).encode()


def results(sink: RemoteSink) -> list[tuple[str, str, str]]:
    return [(arrival.key, arrival.mode, arrival.result) for arrival in sink.log()]


def test_a_known_key_with_the_same_body_is_answered_alike_and_delivered_once(sink):
    assert [post(sink)[1], post(sink)[1]] == [b'{"ok":true}', b'{"ok":true}']
    assert [arrival.result for arrival in sink.log()] == ["accepted", "replay"]


def test_a_known_key_with_another_body_is_written_down_as_a_conflict(sink):
    post(sink, body=b"{}")
    answer, _ = post(sink, body=b"[]")
    assert answer.status == 409
    assert [arrival.result for arrival in sink.log()] == ["accepted", "conflict"]


def test_without_keys_every_arrival_is_delivered(keyless_sink):
    post(keyless_sink)
    post(keyless_sink)
    assert [arrival.delivered for arrival in keyless_sink.log()] == [True, True]


@pytest.mark.parametrize("mode", [Mode.ACCEPT_THEN_DROP, Mode.DROP_BEFORE_ACCEPT])
def test_a_dropped_message_gets_no_answer_whether_it_was_taken_or_not(sink, mode):
    with pytest.raises(RemoteDisconnected):
        post(sink, f"/hook?mode={mode}")
    assert results(sink) == [("m1", mode, "accepted" if mode is Mode.ACCEPT_THEN_DROP else "refused")]


def test_a_hanging_message_is_taken_and_in_flight_until_the_sender_loses_patience(sink):
    with raw(sink.http) as caller:
        caller.sendall(request("m1", f"/hook?mode={Mode.ACCEPT_THEN_HANG}"))
        assert sink.wait(since=0)["in_flight"] == 1
        caller.settimeout(0.05)
        with pytest.raises(TimeoutError):
            caller.recv(1)
    while sink.stats().get("cut") != 1:
        pass
    assert sink.stats()["in_flight"] == 0
    assert results(sink) == [("m1", Mode.ACCEPT_THEN_HANG, "accepted")]


@pytest.mark.parametrize(
    ("mode", "status", "result"),
    [
        (Mode.ACCEPT_THEN_503, 503, "accepted"),
        (Mode.ACCEPT_THEN_GARBAGE, 200, "accepted"),
        (Mode.ERROR, 500, "refused"),
        (Mode.GONE, 410, "refused"),
        (Mode.TOO_MANY, 429, "refused"),
    ],
)
def test_what_the_sender_is_told_and_what_happened_are_two_things(sink, mode, status, result):
    answer, body = post(sink, f"/hook?mode={mode}")
    assert (answer.status, results(sink)) == (status, [("m1", mode, result)])
    assert body.startswith(b"<html>") is (mode is Mode.ACCEPT_THEN_GARBAGE)


def test_a_reset_reaches_the_sender_as_a_reset(sink):
    with raw(sink.http) as caller:
        caller.sendall(request("m1", f"/hook?mode={Mode.RESET}"))
        with pytest.raises(ConnectionResetError):
            caller.recv(1)
    assert results(sink) == [("m1", Mode.RESET, "refused")]


def test_a_slow_answer_comes_after_its_delay():
    with running_sink("--slow", "0.3") as sink:
        started = time.monotonic()
        answer, _ = post(sink, f"/hook?mode={Mode.SLOW}")
        assert answer.status == 200
        assert time.monotonic() - started >= 0.3


@pytest.mark.parametrize("form", RetryAfter)
def test_every_form_of_retry_after_goes_out_and_its_wish_is_in_the_log(form):
    with running_sink("--forms", form, "--retry-seconds", "7") as sink:
        answer, _ = post(sink, f"/hook?mode={Mode.TOO_MANY}")
        arrival = sink.log()[0]
    text = answer.headers["retry-after"]
    wished = {RetryAfter.SECONDS: 7.0, RetryAfter.FAR: LONGEST_WAIT}
    if form is RetryAfter.DATE:
        # The log keeps the wish in whole microseconds, cut off.
        promised = parsedate_to_datetime(text).timestamp() * 1e6
        assert promised - 2 <= arrival.at + arrival.wait <= promised
    else:
        fixed = {RetryAfter.SECONDS: "7", RetryAfter.ZERO: "0", RetryAfter.NEGATIVE: "-30", RetryAfter.FAR: FAR_FUTURE}
        assert text == (fixed.get(form, "in a while, 3;q=~") if form is not RetryAfter.ABSENT else None)
        assert arrival.wait == wished.get(form, 0.0) * 1e6


def test_a_date_never_wishes_for_more_than_it_says():
    text, wait = retry_after(RetryAfter.DATE, 2, 1_700_000_000.75)
    assert parsedate_to_datetime(text).timestamp() == 1_700_000_002
    assert wait == 1.25


@given(st.text(max_size=20), st.integers(0, 5), st.text(max_size=5))
def test_the_same_message_meets_the_same_fate_under_the_same_seed(key, arrival, seed):
    plan = Plan(dict.fromkeys(Mode, 1.0), latency=Latency(0.001, 0.1), seed=seed, faults_per_key=0)
    again = Plan(dict.fromkeys(Mode, 1.0), latency=Latency(0.001, 0.1), seed=seed, faults_per_key=0)
    assert plan.fate(key, arrival) == again.fate(key, arrival)
    assert plan.fate(key, arrival).delay >= 0.001


def test_fates_come_by_their_weights():
    plan = Plan(weights("accept:8,429:1,reset:1"), seed="7")
    drawn = Counter(plan.fate(f"m{number}", 0).mode for number in range(10_000))
    assert set(drawn) == {Mode.ACCEPT, Mode.TOO_MANY, Mode.RESET}
    assert 7_800 < drawn[Mode.ACCEPT] < 8_200
    assert 850 < drawn[Mode.RESET] < 1_150


def test_a_message_that_had_its_faults_is_accepted_so_that_every_run_drains():
    plan = Plan({Mode.ERROR: 1.0}, faults_per_key=2)
    assert [plan.fate("m1", arrival).mode for arrival in range(4)] == [Mode.ERROR, Mode.ERROR, Mode.ACCEPT, Mode.ACCEPT]


def test_a_mode_that_does_not_exist_is_refused_by_name():
    with pytest.raises(ValueError, match="acept"):
        weights("acept:1")


def test_an_exponential_latency_has_the_mean_it_says():
    latency = Latency.parse("exp:20")
    points = [latency.at(step / 1000) for step in range(1000)]
    assert sum(points) / 1000 == pytest.approx(0.020, rel=0.02)


def test_requests_in_one_packet_are_answered_one_after_the_other():
    with running_sink("--latency", "0..20") as sink, raw(sink.http) as caller:
        caller.sendall(b"".join(request(f"m{number}") for number in range(20)))
        received = b""
        while received.count(b'{"ok":true}') < 20:
            received += caller.recv(65536)
        assert [arrival.key for arrival in sink.log()] == [f"m{number}" for number in range(20)]


def test_a_body_that_comes_in_pieces_is_put_together(sink):
    with raw(sink.http) as caller:
        for byte in request("m1", body='{"a":1}'):
            caller.send(bytes([byte]))
        assert caller.recv(4096).startswith(b"HTTP/1.1 200")
    assert results(sink) == [("m1", Mode.ACCEPT, "accepted")]


def test_the_push_door_names_the_message_and_says_unregistered_as_google_does(sink):
    answer, body = push(sink)
    assert (answer.status, body) == (200, {"name": "projects/shop/messages/1"})
    answer, body = push(sink, "m2", "?mode=gone")
    assert (answer.status, body["error"]["details"][0]["errorCode"]) == (404, "UNREGISTERED")
    assert results(sink) == [("m1", Mode.ACCEPT, "accepted"), ("m2", Mode.GONE, "refused")]


def test_the_token_endpoint_grants_a_bearer_token(sink):
    _, body = post(sink, "/token", body=b"grant_type=x")
    assert json.loads(body)["token_type"] == "Bearer"
    assert sink.log() == []


def test_mail_is_taken_and_known_again_by_its_message_id(sink):
    assert mail(sink) == {}
    mail(sink)
    mail(sink, "m2")
    assert [(a.door, a.key, a.result) for a in sink.log()] == [
        ("mail", "m1", "accepted"),
        ("mail", "m1", "replay"),
        ("mail", "m2", "accepted"),
    ]


@pytest.mark.parametrize(
    ("mode", "code", "result"),
    [
        (Mode.ACCEPT_THEN_503, 451, "accepted"),
        (Mode.ERROR, 451, "refused"),
        (Mode.TOO_MANY, 450, "refused"),
    ],
)
def test_mail_may_be_taken_and_denied(sink, mode, code, result):
    with pytest.raises(smtplib.SMTPDataError) as refusal:
        mail(sink, to=f"anna+{mode}@shop.example")
    assert refusal.value.smtp_code == code
    assert results(sink) == [("m1", mode, result)]


@pytest.mark.parametrize("mode", [Mode.ACCEPT_THEN_DROP, Mode.DROP_BEFORE_ACCEPT, Mode.RESET])
def test_mail_may_lose_its_last_answer(sink, mode):
    with pytest.raises(smtplib.SMTPServerDisconnected):
        mail(sink, to=f"anna+{mode}@shop.example")
    assert results(sink) == [("m1", mode, "accepted" if mode is Mode.ACCEPT_THEN_DROP else "refused")]


def test_mail_to_a_dead_address_is_refused_at_the_recipient(sink):
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refusal:
        mail(sink, to="anna+gone@shop.example")
    assert refusal.value.recipients["anna+gone@shop.example"][0] == 550
    assert sink.log() == []


def test_two_mails_in_one_packet_are_both_taken(sink):
    one = (
        "MAIL FROM:<shop@shop.example>\r\nRCPT TO:<anna@shop.example>\r\nDATA\r\n"
        "Message-ID: <%s@shop.example>\r\n\r\nHi\r\n.\r\n"
    )
    with raw(sink.smtp) as caller:
        caller.sendall(f"EHLO me\r\n{one % 'm1'}{one % 'm2'}QUIT\r\n".encode())
        received = b""
        while chunk := caller.recv(65536):
            received += chunk
    assert received.count(b"queued") == 2
    assert b"250-PIPELINING" in received
    assert [arrival.key for arrival in sink.log()] == ["m1", "m2"]


def test_a_wait_answers_at_the_first_message_after_its_mark(sink):
    post(sink)
    mark = sink.stats()["arrivals"]
    with raw(sink.http) as waiter:
        waiter.sendall(f"GET /_sink/wait?since={mark} HTTP/1.1\r\nhost: sink\r\n\r\n".encode())
        waiter.settimeout(0.05)
        with pytest.raises(TimeoutError):
            waiter.recv(1)
        waiter.settimeout(20)
        post(sink, key="m2")
        assert b'"arrivals": 2' in waiter.recv(4096)


def test_the_weather_can_change_while_it_runs(sink):
    sink.plan(weights="500:1", faults_per_key=0)
    assert post(sink)[0].status == 500
    sink.plan(weights="")
    assert post(sink)[0].status == 200


def test_the_log_is_whole_when_the_sink_was_told_to_stop(tmp_path):
    log = tmp_path / "arrivals.log"
    with running_sink("--log", str(log)) as sink:
        post(sink)
        sink.ask("stop")
    # Leaving the block waits for the process.
    assert len(log.read_text().splitlines()) == 1


def test_a_sink_whose_starter_is_gone_stops_by_itself():
    starter = (
        "import os, subprocess, sys;"
        "subprocess.Popen([sys.executable, '-m', 'tests.proof.sink', '--parent', str(os.getpid())])"
    )
    # The pipe ends when its last writer, the sink, has ended.
    ended = subprocess.run([sys.executable, "-c", starter], cwd=ROOT, capture_output=True, timeout=30, check=True)
    assert b'"http"' in ended.stdout
