"""A shop nobody owns: shoppers who browse, fill carts and buy, the same ones at every call with the same moment and seed."""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

NAMES = ("Ada", "Bo", "Cy", "Dana", "Eli", "Fay", "Gus", "Ida", "Jo", "Kim", "Lea", "Max", "Nia", "Ole", "Pia", "Rex")
PRODUCTS = (
    ("Wool coat", 129.0),
    ("Linen shirt", 49.0),
    ("Canvas bag", 39.5),
    ("Rain boots", 59.0),
    ("Silk scarf", 34.9),
)
ZONES = {
    "AT": "Europe/Vienna",
    "CH": "Europe/Zurich",
    "DE": "Europe/Berlin",
    "FR": "Europe/Paris",
    "NL": "Europe/Amsterdam",
}
DAYS = 90


def write(folder: Path, now: datetime, shoppers: int = 10_000, seed: int = 7) -> int:
    """Write profiles.jsonl, events.jsonl and consent.jsonl for this many shoppers; returns how many events there are."""
    dice = random.Random(seed)
    events = 0
    folder.mkdir(parents=True, exist_ok=True)
    with (
        (folder / "profiles.jsonl").open("w", encoding="utf-8") as profiles,
        (folder / "events.jsonl").open("w", encoding="utf-8") as happened,
        (folder / "consent.jsonl").open("w", encoding="utf-8") as consent,
    ):
        for number in range(shoppers):
            user = f"u{number:05}"
            profiles.write(json.dumps(_profile(dice, user, now)) + "\n")
            for word in _words(dice, user):
                consent.write(json.dumps(word) + "\n")
            for event in _life(dice, user, now):
                happened.write(json.dumps(event) + "\n")
                events += 1
    return events


def _profile(dice: random.Random, user: str, now: datetime) -> dict[str, object]:
    country = dice.choices(list(ZONES), (30, 12, 40, 10, 8))[0]
    found: dict[str, object] = {"user_id": user, "country": country, "time_zone": ZONES[country], "locale": "en"}
    # A few told us no name, a few no address; half have the app.
    if dice.random() < 0.94:
        found["firstName"] = dice.choice(NAMES)
    if dice.random() < 0.9:
        found["email"] = f"{user}@mail.example"
    if dice.random() < 0.5:
        seen = now - timedelta(days=dice.uniform(0, 60))
        found |= {
            "device": f"token-{user}",
            "app": "shop",
            "platform": dice.choice(["ios", "android"]),
            "seen_at": _iso(seen),
        }
    return found


def _words(dice: random.Random, user: str) -> list[dict[str, object]]:
    """Most say yes to mail, fewer to push; some said no, some were never asked."""
    words = []
    for channel, yes, no in (("email", 0.72, 0.14), ("push", 0.55, 0.2), ("in_app", 0.8, 0.05)):
        drawn = dice.random()
        if drawn < yes + no:
            words.append({"user_id": user, "channel": channel, "topic": "offers", "granted": drawn < yes})
    return words


def _life(dice: random.Random, user: str, now: datetime) -> list[dict[str, object]]:
    """Ninety days of one shopper, in order of time: a few buy often, many once, some only look."""
    keen = dice.paretovariate(1.3) - 1
    fades = dice.random() < 0.55
    until = DAYS if not fades else dice.uniform(10, 60)
    events: list[dict[str, object]] = []
    for _ in range(min(60, int(keen * 12) + dice.randrange(3))):
        at = now - timedelta(days=DAYS - dice.uniform(0, until))
        events.append({"user_id": user, "event": "app_open", "time": _iso(at)})
        if dice.random() < 0.35:
            product, price = dice.choice(PRODUCTS)
            at += timedelta(minutes=dice.uniform(1, 20))
            link = "https://shop.example/" + product.lower().replace(" ", "-")
            events.append(
                {
                    "user_id": user,
                    "event": "add_to_cart",
                    "time": _iso(at),
                    "product": product,
                    "price": price,
                    "link": link,
                }
            )
            if dice.random() < 0.4:
                at += timedelta(minutes=dice.uniform(2, 90))
                if at < now:
                    amount = round(price * dice.choice([1, 1, 1, 2]), 2)
                    events.append(
                        {"user_id": user, "event": "purchase", "time": _iso(at), "amount": amount, "currency": "EUR"}
                    )
    return sorted(events, key=lambda event: str(event["time"]))


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
