"""Two hundred people nobody is, and what they did in a shop nobody owns: the same ones for the same day.

Every address ends in example.test, every device is made up, so nothing could reach anybody. They live around the globe,
so that at any hour of the day somebody is awake.
"""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from orchestrator.core.times import Instant, iso, moment

PEOPLE = 200
WHAT = ("profiles", "events", "consent", "suppressions")
"""The files that are written, in the order they are imported."""

_NAMES = ("Ada", "Bo", "Cy", "Dana", "Eli", "Fay", "Gus", "Hana", "Ida", "Jo", "Kim", "Lea", "Max", "Nia", "Ole", "Pia")
_PLACES = {
    "AT": "Europe/Vienna",
    "CH": "Europe/Zurich",
    "DE": "Europe/Berlin",
    "FR": "Europe/Paris",
    "US": "America/New_York",
    "JP": "Asia/Tokyo",
    "AU": "Australia/Sydney",
}
_WEST = "America/Los_Angeles"
_PRODUCTS = (
    ("Wool coat", 129.0),
    ("Linen shirt", 49.0),
    ("Canvas bag", 39.5),
    ("Rain boots", 59.0),
    ("Silk scarf", 34.9),
)
_KINDS = (("vip", 24), ("once", 50), ("lapsed", 40), ("active", 56), ("looking", 24), ("staff", 6))
"""How many there are of each; they add up to PEOPLE."""


def invent(folder: Path, now: Instant) -> dict[str, int]:
    """Write a file of JSON lines for each of WHAT; how many lines each has."""
    today = moment(now).replace(hour=0, minute=0, second=0, microsecond=0)
    dice = random.Random(7)  # noqa: S311 - the same people every time is the point
    kinds = [kind for kind, number in _KINDS for _ in range(number)]
    dice.shuffle(kinds)
    lines: dict[str, list[dict[str, Any]]] = {what: [] for what in WHAT}
    for number, kind in enumerate(kinds, 1):
        user = f"u{number:03}"
        profile = _profile(dice, user, kind, today)
        lines["profiles"].append(profile)
        lines["consent"] += _words(dice, user)
        lines["events"] += _life(dice, user, kind, today)
    mailed = [one["email"] for one in lines["profiles"] if "email" in one]
    lines["suppressions"] = [{"email": address, "reason": "bounced"} for address in dice.sample(mailed, 4)]
    folder.mkdir(parents=True, exist_ok=True)
    for what, rows in lines.items():
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / f"{what}.jsonl").write_text(text, encoding="utf-8")
    return {what: len(rows) for what, rows in lines.items()}


def _profile(dice: random.Random, user: str, kind: str, today: datetime) -> dict[str, Any]:
    places = [place for place in _PLACES if kind != "vip" or place != "DE"]
    country = "AT" if kind == "staff" else dice.choice(places)
    zone = _WEST if country == "US" and dice.random() < 0.5 else _PLACES[country]
    found: dict[str, Any] = {"user_id": user, "country": country, "time_zone": zone, "locale": "en"}
    # A few told us no name, a few no address; two thirds have the app.
    name = dice.choice(_NAMES)
    if dice.random() < 0.95:
        found["firstName"] = name
    if kind == "staff":
        found["email"] = f"{name.lower()}.{user}@shop.example"
    elif dice.random() < 0.93:
        found["email"] = f"{name.lower()}.{user}@example.test"
    if dice.random() < 0.65:
        found |= {
            "device": f"example-token-{user}",
            "app": "shop",
            "platform": dice.choice(["ios", "android"]),
            "seen_at": _iso(today - timedelta(days=dice.randrange(1, 40))),
        }
    return found


def _words(dice: random.Random, user: str) -> Iterator[dict[str, Any]]:
    """Most said yes to mail, fewer to push; some said no, some were never asked."""
    for channel, yes, no in (("email", 0.78, 0.1), ("push", 0.6, 0.15), ("in_app", 0.8, 0.05)):
        drawn = dice.random()
        if drawn < yes + no:
            yield {"user_id": user, "channel": channel, "topic": "offers", "granted": drawn < yes}


def _life(dice: random.Random, user: str, kind: str, today: datetime) -> list[dict[str, Any]]:
    """What somebody of this kind did, in order of time."""
    match kind:
        case "vip":
            # Days of the previous month, whatever today is: the example asks for four different ones.
            first = today.replace(day=1, hour=12)
            opens = [first - timedelta(days=back) for back in (2, 6, 10, 15, 21)]
            bought = [today - timedelta(days=dice.randrange(62, 170), hours=9) for _ in range(3)]
            carts = [today - timedelta(days=dice.randrange(4, 25), hours=5)]
        case "once":
            bought = [today - timedelta(days=dice.randrange(35, 170), hours=dice.randrange(1, 20))]
            opens, carts = _days(dice, today, 3, 80), []
        case "lapsed":
            bought = [today - timedelta(days=dice.randrange(65, 170), hours=9) for _ in range(dice.randrange(2, 5))]
            opens, carts = _days(dice, today, 2, 120), []
        case "active" | "staff":
            bought = [today - timedelta(days=dice.randrange(2, 28), hours=9), today - timedelta(days=50, hours=3)]
            # Last night too: `today` compares the last 24 hours with those of weeks before.
            last = today - timedelta(hours=1 + int(user[1:]) % 3)
            opens, carts = [*_days(dice, today, 8, 60), last], []
        case _:
            bought, opens, carts = [], _days(dice, today, 4, 60), []
    events = [
        _event(user, "app_open", at) for at in (*opens, *(at - timedelta(minutes=20) for at in (*bought, *carts)))
    ]
    for at in (*bought, *carts):
        product, price = dice.choice(_PRODUCTS)
        page = "shop.example/" + product.lower().replace(" ", "-")
        more = {"product": product, "price": price, "image": f"https://img.{page}.jpg", "link": f"https://{page}"}
        events.append(_event(user, "add_to_cart", at - timedelta(minutes=10), **more))
        if at in bought:
            amount = round(price * dice.choice((1, 1, 2)), 2) if kind != "vip" else round(90 + price, 2)
            events.append(_event(user, "purchase", at, amount=amount, currency="EUR"))
    return sorted(events, key=lambda event: (event["time"], event["event"]))


def _days(dice: random.Random, today: datetime, number: int, back: int) -> list[datetime]:
    return [today - timedelta(days=dice.randrange(1, back), hours=dice.randrange(1, 20)) for _ in range(number)]


def _event(user: str, name: str, at: datetime, **properties: Any) -> dict[str, Any]:
    return {"user_id": user, "event": name, "time": _iso(at), **properties}


def _iso(at: datetime) -> str:
    return iso(Instant(int(at.astimezone(UTC).timestamp()) * 1_000_000))
