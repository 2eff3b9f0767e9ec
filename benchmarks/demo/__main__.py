"""The main job on this machine: a shop of 10,000, one campaign over three segments and three channels, real sinks.

python -m benchmarks.demo [FOLDER]
"""

import json
import os
import shutil
import subprocess
import sys
import time
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.demo import shop
from benchmarks.demo.sinks import MailSink, PushSink

HERE = Path(__file__).parent


def orchestrator(project: Path, *words: str) -> str:
    """Run the command line as a user would; its output."""
    command = [
        sys.executable,
        "-c",
        "from orchestrator.cli import main; main()",
        "-C",
        str(project),
        "--env",
        "live",
        *words,
    ]
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout


def main() -> None:
    """Make the shop, send, and show what became of everybody."""
    project = Path(sys.argv[1] if len(sys.argv) > 1 else "demo").resolve()
    shutil.rmtree(project, ignore_errors=True)
    for folder in ("config", "templates"):
        shutil.copytree(HERE / folder, project / folder)
    began = time.monotonic()
    now = datetime.now(UTC)
    events = shop.write(project / "raw", now)
    with MailSink() as mail, PushSink() as push:
        os.environ.update(
            DEMO_MAIL_PORT=str(mail.port),
            DEMO_PUSH_URL=push.url,
            DEMO_PUSH_SECRET="whsec_" + b64encode(os.urandom(32)).decode(),
        )
        for what in ("profiles", "events", "consent"):
            orchestrator(project, "import", what, str(project / "raw" / f"{what}.jsonl"))
        orchestrator(project, "import", "suppressions", "--none")
        print(f" imported   10,000 shoppers, {events:,} events {time.monotonic() - began:29.1f} s")
        print(orchestrator(project, "plan", "winback"), end="")
        began = time.monotonic()
        sent = json.loads(orchestrator(project, "--json", "send", "winback", "--yes"))
        seconds = time.monotonic() - began
        out = project / "out"
        out.mkdir()
        written = [mail.write(out / "email-cart.html", "your "), mail.write(out / "email-thanks.html", "A thank-you")]
        (out / "push.json").write_text(json.dumps(push.pushes[:3], indent=2, ensure_ascii=False), encoding="utf-8")
        inbox = sent["rows"].get("accepted", 0) - len(mail.mails) - len(push.pushes)
        print(
            f" sent       {len(push.pushes):,} push · {len(mail.mails):,} e-mail · {inbox:,} in-app"
            f" · every one accepted by a server on this machine {seconds:8.1f} s"
        )
    shown = [
        str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
        for path in (*filter(None, written), out / "push.json")
    ]
    print(f" open       {' · '.join(shown)}")
    name = project.relative_to(Path.cwd()) if project.is_relative_to(Path.cwd()) else project
    why = f".venv/bin/orchestrator -C {name} -e live why winback"
    print(f" now try    {why} u00417")
    print(f"            {why} u00119")


if __name__ == "__main__":
    main()
