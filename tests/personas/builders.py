"""A small project for personas to live in, and personas from a few lines of YAML."""

from functools import cache

from orchestrator import config, personas
from orchestrator.config import Loaded
from orchestrator.config.personas import read_personas
from tests.settings import TWO_CHANNELS

FILES = {
    "config/orchestrator.yaml": TWO_CHANNELS.replace("[en]", "[en, de]")
    + """\
  news: {label: News, consent: opt_out}
coupons:
  spring: {codes: lists/spring.csv, valid: 14 days}
sources:
  shelf: {file: data/shelf.csv, key: country, by: country, on_error: skip}
defaults:
  exclude: [staff]
  quiet_hours: 21:00-09:00
  caps: [2 emails per week, 1 push per day]
holdout: 20%
""",
    "config/data.yaml": """\
attributes:
  email: email
  firstName: text
  country: {is: text, values: [AT, CH, DE]}
  score: number
  vip: boolean
  birthday: date
  joined: time
  tags: list
  build: version
events:
  app_open: {}
  purchase: {amount: number, currency: text, sku: text, due: time, gift: boolean}
revenue: purchase.amount
""",
    "config/segments/buyers.yaml": """\
about: They bought for ten or more, and like shoes
all:
  - {event: purchase, sum: amount, at_least: 10, when: last 30 days}
  - {attribute: tags, contains_any: [shoes]}
""",
    "config/segments/known.yaml": """\
about: We know them well, or they may be reached
any:
  - {attribute: score, over: 3.5}
  - {attribute: build, at_least: "2.9"}
  - {attribute: joined, after: 10 days ago}
  - all: [{reachable: email}, {subscribed: email, topic: news}]
  - {list: lists/friends.csv}
""",
    "config/segments/staff.yaml": "about: Us\nall:\n  - {list: lists/staff.csv}\n",
    "config/segments/richest.yaml": "about: They pay most\nall:\n  - {event: purchase, sum: amount, top: 10%}\n",
    "config/segments/untold.yaml": """\
about: They have not heard of us for three days
all:
  - not: {message: sent, campaign: [spring, letter], when: last 3 days}
""",
    "lists/staff.csv": "email\nP03@mail.example\np21@mail.example\n",
    "lists/friends.csv": "user_id\np00\np05\n",
    "lists/spring.csv": "code\nA1\nB2\n",
    "config/campaigns/spring.yaml": """\
about: Spring is here
state: live
kind: marketing
topic: offers
audience: [buyers, known]
channels: {first_of: [push, email]}
schedule: {every: day at 12:00, time_zone: recipient}
repeat: after 5 days
goal: {event: purchase, within: 7 days}
experiment: {variants: {plain: 60%, bright: 40%}, holdout: 25%, ramp: [50% for 3 days, 75% for 3 days], then: plain}
""",
    "config/campaigns/letter.yaml": """\
about: A letter to whoever did not say no
state: draft
kind: marketing
topic: news
audience: [untold]
exclude: [staff]
channels: {all_of: [email, push]}
repeat: always
expires: 2 hours
""",
    "config/campaigns/best.yaml": """\
about: For those who pay most
state: draft
kind: marketing
topic: news
audience: [richest]
channels: {all_of: [push]}
repeat: always
""",
    "templates/best/_default/push.yaml": "title: Hello\nbody: Thank you\n",
    "templates/best/_default/push.de.yaml": "body: Danke\n",
    "templates/spring/_default/email.html": """\
---
from: offers
subject: "{{ userAttribute.firstName | default('Hello') }}, spring is here"
---
<p>{{ latest.purchase.sku }} for {{ latest.purchase.amount }}, due {{ latest.purchase.due | default('never') }}.
In all {{ occurrencesOf['purchase'] }}, worth {{ lifetimeValue }}, first {{ firstOccurrenceOf['purchase'] | default('never') }}.
Visits: {{ numPriorSessions }}, {{ minutesSpentInApp }} minutes, last {{ lastActive | default('never') }}.
<a href="{{ unsubscribe_url }}">No more</a></p>
""",
    "templates/spring/_default/email.de.html": """\
---
subject: "{{ userAttribute.firstName | default('Hallo') }}, es ist Frühling"
---
""",
    "templates/spring/_default/email@bright.html": '---\nsubject: "Bright: {{ userAttribute.score }} points"\n---\n',
    "templates/spring/_default/email@bright.de.html": '---\nsubject: "Hell: {{ userAttribute.score }} Punkte"\n---\n',
    "templates/spring/_default/push.yaml": """\
title: "{{ userAttribute.firstName | default('Hello') }}"
body: "{{ userAttribute.tags | join('+') }} {{ userAttribute.vip | default('?') }} {{ userAttribute.birthday | default('?') }} {{ userAttribute.build | default('?') }}"
""",
    "templates/spring/_default/push.de.yaml": "title: Frühling\n",
    "templates/letter/_default/email.html": """\
---
from: offers
subject: "A letter to {{ userAttribute.country | default('you') }}"
---
<p>Joined {{ userAttribute.joined | default('long ago') }}. Spent {{ valueOf['purchase'] }}. Your zone: {{ time_zone }}.
<a href="{{ unsubscribe_url }}">No more</a></p>
""",
    "templates/letter/_default/email.de.html": "---\nsubject: Ein Brief\n---\n",
    "templates/letter/_default/push.yaml": "title: A letter\nbody: Have a look\n",
    "templates/letter/_default/push.de.yaml": "title: Ein Brief\n",
}  # fmt: skip


def loaded(**more: str) -> Loaded:
    """The project, with these files more or otherwise (`templates__x__y` is `templates/x/y`)."""
    files = {**FILES, **more}
    return config.load({name: text.encode() for name, text in files.items()})


@cache
def _sound() -> Loaded:
    found = loaded()
    assert found.mistakes == (), "\n".join(map(str, found.mistakes))
    return found


def the_project() -> Loaded:
    """The project as it stands above."""
    return _sound()


def a_persona(text: str, name: str = "ada", project: Loaded | None = None):
    """A persona from its file; an error names its mistakes."""
    found = read_personas({f"personas/{name}.yaml": text.encode()}, project or the_project())
    assert found.mistakes == (), "\n".join(map(str, found.mistakes))
    return found.found[0]


def lived(text: str, name: str = "ada", project: Loaded | None = None):
    """What came of a persona's expectations."""
    project = project or the_project()
    return personas.tested(personas.Stage(project.sound(), project.files), a_persona(text, name, project))


def failures(text: str, name: str = "ada", project: Loaded | None = None):
    """The differences, each as (line, what, expected, got)."""
    return [
        (told.expectation.line, it.what, it.expected, it.got)
        for told in lived(text, name, project).told
        for it in told.failures
    ]
