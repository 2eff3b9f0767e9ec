"""`send` stopped by a signal: the run is paused, its reason and the exit code say by which."""

import os
import queue
import signal
import subprocess

import pytest

from tests.cli.conftest import CLI, bring, orchestrator
from tests.mail import mail_server


class Busy:
    """A real SMTP server that has the sender stopped at its first mail, and takes none now."""

    def __init__(self, by):
        self.by = by
        self.sender = queue.Queue()
        self.mails = 0

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - the name aiosmtpd calls
        self.mails += 1
        if self.mails == 1:
            os.kill(self.sender.get(timeout=60), self.by)
        return "451 4.3.0 busy"


def mail_only(shop, port):
    """Everything goes out by mail to this port, at any hour."""
    settings, campaign = shop / "config" / "orchestrator.yaml", shop / "config" / "campaigns" / "new_in.yaml"
    text = settings.read_text()
    start, end = text.index("    host: ${env:SMTP_HOST}"), text.index("    rate: 80")
    text = text[:start] + f"    host: 127.0.0.1\n    port: {port}\n    security: none\n" + text[end:]
    lines = [line for line in text.splitlines() if "quiet_hours:" not in line]
    settings.write_text("\n".join(lines).replace("email: [mail, relay]", "email: [mail]") + "\n")
    campaign.write_text(campaign.read_text().replace("{first_of: [push, email]}", "{first_of: [email]}"))
    (shop / "templates" / "new_in" / "_default" / "push.yaml").unlink()


def sender(shop, *words):
    own = {name: value for name, value in os.environ.items() if not name.startswith("ORCHESTRATOR_")}
    secrets = {"RELAY_HOST": "x", "PUSH_URL": "https://push.shop.example/", "PUSH_SECRET": "whsec_" + "A" * 44}
    return subprocess.Popen(
        [*CLI, "send", "new_in", *words],
        cwd=shop,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**own, **secrets},
    )


@pytest.mark.parametrize(("by", "code", "reason"), [(signal.SIGINT, 130, "ctrl-c"), (signal.SIGTERM, 143, "SIGTERM")])
def test_a_stopped_send_is_paused_and_says_by_what(shop, by, code, reason):
    bring(shop, "live")
    box = Busy(by)
    with mail_server(box) as port:
        mail_only(shop, port)
        with sender(shop, "--yes", "--env", "live") as process:
            box.sender.put(process.pid)
            out, err = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in err) == (code, False), (out, err)
    assert "is paused" in out
    [run] = orchestrator(shop, "report", "new_in", "--json", "--env", "live").told
    assert (run["state"], run["reason"]) == ("paused", reason)


def test_ctrl_c_at_the_question_sends_nothing(shop):
    with sender(shop) as process:
        seen = ""
        while not seen.endswith("to stop"):
            seen += process.stdout.read(1)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "stopped; nothing was sent\n")
    assert orchestrator(shop, "report", "new_in", "--json").told == []
