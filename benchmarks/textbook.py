"""What a good engineer writes in an afternoon, and what we are measured against: one asyncio process, one row a message.

Templates are compiled once. Push goes through one httpx client of ten connections under `@retry`, mail through one reused
aiosmtplib connection as an EmailMessage. Each message gets a SQLModel row; every hundred are committed.
"""

import asyncio
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiosmtplib
import httpx
from jinja2 import Environment, StrictUndefined, Template
from ruamel.yaml import YAML
from sqlmodel import Field, Session, SQLModel, create_engine
from tenacity import retry, stop_after_attempt, wait_exponential

CONNECTIONS = 10
COMMIT_EVERY = 100
POSTAL = "Shop GmbH, Ring 1, 1010 Wien"
TEXT = "Good to see you, {{ userAttribute.firstName }}. You have {{ userAttribute.points }} points."


class Sent(SQLModel, table=True):
    """One row a message."""

    id: str = Field(primary_key=True)
    user: str = Field(index=True)
    channel: str
    status: str
    at: datetime


class Rows:
    """The table, committed every hundred rows."""

    def __init__(self, path: Path) -> None:
        engine = create_engine(f"sqlite:///{path}")
        SQLModel.metadata.create_all(engine)
        self._session = Session(engine)
        self._waiting = 0

    def add(self, number: str, user: str, channel: str) -> None:
        """Write that a message was sent."""
        self._session.add(Sent(id=number, user=user, channel=channel, status="sent", at=datetime.now(UTC)))
        self._waiting += 1
        if self._waiting >= COMMIT_EVERY:
            self.commit()

    def commit(self) -> None:
        """Commit what waits."""
        self._session.commit()
        self._waiting = 0


@dataclass(frozen=True)
class Words:
    """The campaign's templates, compiled once: the very files the product sends."""

    parts: Mapping[str, Template]

    @classmethod
    def read(cls, file: Path) -> "Words":
        """From a file of the product: YAML, or YAML above HTML."""
        make = Environment(autoescape=file.suffix == ".html", undefined=StrictUndefined).from_string
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".html":
            _, head, body = text.split("---\n", 2)
            return cls(
                {"subject": make(YAML(typ="safe").load(head)["subject"]), "html": make(body), "text": make(TEXT)}
            )
        return cls({name: make(words) for name, words in YAML(typ="safe").load(text).items()})

    def render(self, person: Mapping[str, Any], unsubscribe: str = "") -> dict[str, str]:
        """One message."""
        known = {"userAttribute": person, "unsubscribe_url": unsubscribe, "sender": {"postal": POSTAL}}
        return {name: template.render(known) for name, template in self.parts.items()}


async def push(people: Iterable[Mapping[str, Any]], words: Words, url: str, rows: Rows) -> None:
    """Ten tasks draw people and post them."""
    source = iter(people)
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    async with httpx.AsyncClient(limits=limits, timeout=30) as client:

        @retry(stop=stop_after_attempt(5), wait=wait_exponential())
        async def post(number: str, message: dict[str, Any]) -> None:
            answer = await client.post(url, json=message, headers={"webhook-id": number})
            answer.raise_for_status()
            answer.json()

        async def one_after_another() -> None:
            for person in source:
                number = uuid.uuid4().hex
                await post(number, {"token": person["device"], "id": number, **words.render(person)})
                rows.add(number, person["user_id"], "push")

        await asyncio.gather(*(one_after_another() for _ in range(CONNECTIONS)))
    rows.commit()


async def mail(people: Iterable[Mapping[str, Any]], words: Words, port: int, rows: Rows) -> None:
    """One connection, one mail after the other."""
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:

        @retry(stop=stop_after_attempt(5), wait=wait_exponential())
        async def post(message: EmailMessage) -> None:
            await client.send_message(message)

        for person in people:
            number = uuid.uuid4().hex
            said = words.render(person, f"https://go.shop.example/u/{number}")
            message = EmailMessage()
            message["From"], message["To"], message["Subject"] = (
                "Shop <hello@news.shop.example>",
                person["email"],
                said["subject"],
            )
            message["Message-ID"] = f"<{number}@news.shop.example>"
            message["List-Unsubscribe"] = f"<https://go.shop.example/u/{number}>"
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
            message.set_content(said["text"])
            message.add_alternative(said["html"], subtype="html")
            await post(message)
            rows.add(number, person["user_id"], "email")
    rows.commit()


def run(channel: str, people: list[Mapping[str, Any]], template: Path, port: int, database: Path) -> None:
    """Send to everybody on a channel."""
    words, rows = Words.read(template), Rows(database)
    jobs: Mapping[str, Callable[[], Any]] = {
        "push": lambda: push(people, words, f"http://127.0.0.1:{port}/push", rows),
        "email": lambda: mail(people, words, port, rows),
    }
    asyncio.run(jobs[channel]())
