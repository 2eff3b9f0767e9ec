"""The people of the benchmark: as many as asked for, the same every time, with what its templates read of them."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NAMES = ("Ada", "Bo", "Cy", "Dora", "Emil", "Frida", "Gus", "Hanna", "Ivo", "Jana", "Kurt", "Lea")
CITIES = ("Wien", "Graz", "Linz", "Salzburg", "Innsbruck", "Bern", "Basel", "Ulm", "Köln", "Kiel")
THINGS = ("wool coat", "rain boots", "tea pot", "desk lamp", "oak stool", "linen shirt", "bread knife", "field bag")


def people(count: int) -> Iterator[dict[str, Any]]:
    """Profiles, in the order of their ids."""
    dice = random.Random(count)
    for number in range(count):
        user = f"u{number:08}"
        yield {
            "user_id": user,
            "email": f"{user}@mail{number % 50}.example",
            "device": f"token-{user}-" + "x" * 120,
            "app": "shop",
            "platform": "android",
            "seen_at": "2026-01-01T00:00:00Z",
            "firstName": dice.choice(NAMES),
            "city": dice.choice(CITIES),
            "tier": dice.choice(("bronze", "silver", "gold")),
            "points": dice.randrange(5000),
            "credit": round(dice.uniform(0, 40), 2) if dice.random() < 0.5 else 0,
            "lastOrder": f"2025-{dice.randrange(1, 13):02}-{dice.randrange(1, 29):02}",
            "favourites": dice.sample(THINGS, 3),
        }


def write(folder: Path, count: int, topic: str) -> tuple[Path, Path]:
    """Profiles, and everybody's yes to the topic on both channels, as JSON lines."""
    folder.mkdir(parents=True, exist_ok=True)
    profiles, consent = folder / "profiles.jsonl", folder / "consent.jsonl"
    with profiles.open("w", encoding="utf-8") as known, consent.open("w", encoding="utf-8") as words:
        for one in people(count):
            known.write(json.dumps(one, ensure_ascii=False) + "\n")
            for channel in ("email", "push"):
                word = {"user_id": one["user_id"], "channel": channel, "topic": topic, "granted": True}
                words.write(json.dumps(word) + "\n")
    return profiles, consent
