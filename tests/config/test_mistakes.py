"""Slips of the pen in the example, each with the place, the words and the remedy that a person reads."""

import re

import pytest

from orchestrator import checking
from orchestrator.config import load
from tests.config.builders import (
    DATA,
    LAPSED,
    NEW_IN,
    SETTINGS,
    STAFF,
    VIPS,
    WELCOME,
    WINBACK,
    said,
    the_example,
    with_edit,
)

# (file, what it says, the slip with ‸ where it is pointed at, the text, a part of the remedy, line:column if outside the slip)
# fmt: off
SLIPS = [
    (WINBACK, "state: live", "‸sate: live", "no key 'sate'", "Did you mean 'state'?"),
    (WINBACK, "first_of", "‸first_off", "channels: no key 'first_off'", "Did you mean 'first_of'?"),
    (WINBACK, "time_zone: recipient", "‸timezone: recipient", "schedule: no key 'timezone'", "Did you mean 'time_zone'?"),
    (WINBACK, "holdout: 10%", "‸hold_out: 10%", "experiment: no key 'hold_out'", "Did you mean 'holdout'?"),
    (WINBACK, "stop_if: {complaints", "stop_if: {‸complaint", "experiment.stop_if: no key 'complaint'", "Did you mean 'complaints'?"),
    (SETTINGS, "approve_over", "‸aprove_over", "environments.live: no key 'aprove_over'", "Did you mean 'approve_over'?"),
    (SETTINGS, "    host: ${env:RELAY", "    ‸hots: ${env:RELAY", "providers.relay: no key 'hots'", "Did you mean 'host'?"),
    (DATA, "{is: text, values", "{is: text, ‸value", "attributes.country: no key 'value'", "Did you mean 'values'?"),
    (VIPS, "at_least: 4", "‸atleast: 4", "all[1]: no key 'atleast'", "Did you mean `at_least`?"),
    (VIPS, "then_not: {event: purchase, within", "then_not: {event: purchase, ‸withn", "all[2].then_not: no key 'withn'", "Did you mean `within`?"),
    (LAPSED, "about: Bought", "‸abuot: Bought", "no key 'abuot'", "Did you mean 'about'?"),
    (STAFF, "any:", "‸anny:", "no key 'anny'", "Did you mean `any`?"),
    (WINBACK, "about: Bring lapsed shoppers back\n", "‸", "the key 'about' is missing", ""),
    (WINBACK, "repeat: after 90 days", "# repeat", "the key 'repeat' is missing", "It can fire more than once: may the same person get it again? Write ne", "1:1"),
    (WINBACK, "topic: offers\n", "", "the key 'topic' is missing", "Marketing needs consent to a topic. Allowed: offers.", "1:1"),
    (WINBACK, "state: live                                  # draft | live | ended\n", "", "the key 'state' is missing", "", "1:1"),
    (WINBACK, "owner: crm@shop.example", "owner: crm@shop.example\n‸about: Again", "the key 'about' stands here twice", "It already stands in line 1; delete one of them."),
    (VIPS, "{attribute: country, is_not: DE}", "{attribute: country, is_not: DE, ‸is_not: AT}", "the key 'is_not' stands here twice", "It already stands in line 6; delete one of them."),
    (WINBACK, "[lapsed_vips, one_time_buyers, lapsed]", "[lapsed_vips, one_time_buyers, ‸lapsd]", "audience[2]: no segment 'lapsd'", "Did you mean 'lapsed'?"),
    (WINBACK, "topic: offers", "topic: ‸ofers", "topic: no topic 'ofers'", "Did you mean 'offers'?"),
    (WINBACK, "goal: {event: purchase", "goal: {event: ‸purchas", "goal.event: no event 'purchas'", "Did you mean 'purchase'?"),
    (WINBACK, "value: amount", "value: ‸amout", "goal.value: the event 'purchase' has no property 'amout'", "Did you mean 'amount'?"),
    (WINBACK, "value: amount", "value: ‸currency", "goal.value: 'currency' is a text, not a number", "A goal's value is added up."),
    (WINBACK, "no_recent: {purchase", "no_recent: {‸purchases", "hold_if.no_recent: no event 'purchases'", "Did you mean 'purchase'?"),
    (WINBACK, "undecided: reminder", "undecided: ‸remindr", "experiment.undecided: no variant 'remindr'", "Did you mean 'reminder'?"),
    (WINBACK, "then: winner", "then: ‸winer", "experiment.then: no variant 'winer'", "Did you mean 'winner'?"),
    (WELCOME, "event: app_open", "event: ‸app_opn", "trigger.event: no event 'app_opn'", "Did you mean 'app_open'?"),
    (WELCOME, "not_older_than: 5 minutes}", "not_older_than: 5 minutes, where: {‸screen: home}}", "trigger.where: no property of app_open 'screen'", ""),
    (SETTINGS, "exclude: [staff]", "exclude: [‸staf]", "defaults.exclude[0]: no segment 'staf'", "Did you mean 'staff'?"),
    (SETTINGS, "email: [mail, relay]", "email: [mail, ‸realy]", "route.email[1]: no provider 'realy'", "Did you mean 'relay'?"),
    (SETTINGS, "push: [gateway]", "push: [‸mail]", "route.push[0]: 'mail' does not carry push", "It carries email."),
    (SETTINGS, "adapter: webhook", "adapter: ‸webhok", "providers.gateway.adapter: no adapter 'webhok'", "Did you mean 'webhook'?"),
    (SETTINGS, "seeds: lists/seeds.csv", "seeds: ‸lists/seed.csv", "seeds: no such file: 'lists/seed.csv'", "Did you mean 'lists/seeds.csv'?"),
    (SETTINGS, "codes: lists/winback10.csv", "codes: ‸lists/winback1.csv", "coupons.winback10.codes: no such file: 'lists/winback1.csv'", "Did you mean 'lists/winback10.csv'?"),
    (DATA, "revenue: purchase.amount", "revenue: ‸purchase.amont", "revenue: the event 'purchase' has no property 'amont'", "Did you mean 'amount'?"),
    (DATA, "revenue: purchase.amount", "revenue: ‸purchase.currency", "revenue: 'purchase.currency' is a text, not a number", "Revenue adds up numbers."),
    (VIPS, "event: add_to_cart", "event: ‸add_to_card", "all[2].event: no event 'add_to_card'", "Did you mean `add_to_cart`?"),
    (VIPS, "sum: amount", "sum: ‸amunt", "all[0].sum: no property of purchase 'amunt'", "Did you mean `amount`?"),
    (VIPS, "where: {currency", "where: {‸curency", "all[0].where: no property of purchase 'curency'", "Did you mean `currency`?"),
    (VIPS, "attribute: country", "attribute: ‸contry", "all[3].attribute: no attribute 'contry'", "Did you mean `country`?"),
    (VIPS, "is_not: DE", "is_not: ‸GE", "all[3].is_not: no value of 'country' is 'GE'", "Allowed: AT, AU, CH, DE, FR, JP, NL, US, NO."),
    (VIPS, "segment: staff", "segment: ‸stafff", "all[5].not.segment: no segment 'stafff'", "Did you mean `staff`?"),
    (STAFF, "lists/contractors.csv", "‸lists/contractor.csv", "any[1].list: no such file: 'lists/contractor.csv'", "Did you mean 'lists/contractors.csv'?"),
    (STAFF, "lists/contractors.csv", "‸lists/../secrets.csv", "any[1].list: leads out of lists/: 'lists/../secrets.csv'", "Did you mean 'lists/seeds.csv'?"),
    (WINBACK, "state: live", "state: ‸Live", "state: 'Live' is not possible", "Did you mean 'live'?"),
    (WINBACK, "kind: marketing ", "kind: ‸marketting ", "kind: 'marketting' is not possible", "Did you mean 'marketing'?"),
    (WINBACK, "[push, email]", "[push, ‸mail]", "channels.first_of[1]: 'mail' is not possible", "Did you mean 'email'?"),
    (WINBACK, "day at 10:00", "‸daily at 10:00", "schedule.every: 'daily at 10:00' is not a schedule", "Did you mean `day at 10:00`?"),
    (WINBACK, "start: 2026-03-02", "start: ‸2026-02-30", "schedule.start: '2026-02-30' is not a date or a time of a date", "Allowed: `2026-03-02` or `2026-03-02T10:00`, without a zone."),
    (WINBACK, "end: 2030-06-30", "end: ‸2026-01-30", "schedule.end: '2026-01-30' is before the start, 2026-03-02", "Swap them."),
    (WINBACK, "repeat: after 90 days", "repeat: ‸after 3 months", "repeat: 'after 3 months' is not a rule for repeating", "Did you mean `after 90 days` or `after 93 days`?"),
    (WINBACK, "reminder: 50%", "reminder: ‸0.5", "experiment.variants.reminder: '0.5' is not a percentage", "Did you mean `0.5%` or `50%`?"),
    (WINBACK, "10% for 3 days", "‸10% for 3", "experiment.ramp[0]: '10% for 3' is not a step of a ramp", "Allowed: a percentage, `for` and a duration, like `5% for 3 days`."),
    (WINBACK, "over 0.1%", "‸> 0.1%", "cannot be read: found character '>' that cannot start any token while scanning for the next token", "Look at the indentation, at the blank after a colon, and at quotes and"),
    (WINBACK, "quiet_hours: 20:00-10:00", "quiet_hours: ‸20-10", "quiet_hours: '20-10' is not a span of quiet hours", "Did you mean `20:00-10:00`?"),
    (WINBACK, "1 push per day", "‸1 push/day", "caps[0]: '1 push/day' is not a cap", "Did you mean `1 push per day`?"),
    (WINBACK, "outside 2000 to 60000", "‸outside 60000 to 2000", "hold_if.audience: 'outside 60000 to 2000' is not a range", "Did you mean `outside 2000 to 60000`?"),
    (SETTINGS, "    rate: 80 per second", "    security: ‸tsl\n    rate: 80 per second", "providers.mail.security: 'tsl' is not one of starttls, tls, none", ""),
    (SETTINGS, "    rate: 80 per second", '    port: ‸"70000"\n    rate: 80 per second', "providers.mail.port: '70000' is not a number from 1 to 65535", ""),
    (SETTINGS, "url: ${env:PUSH_URL}", "url: ‸push.shop.example", "providers.gateway.url: it must start with https:// and name no user or password", ""),
    (SETTINGS, "rate: 80 per second", "rate: ‸80/s", "providers.mail.rate: '80/s' is not a rate", "Did you mean `80 per second`?"),
    (SETTINGS, "time_zone: Europe/Vienna", "time_zone: ‸Europe/Viena", "time_zone: no time zone 'Europe/Viena'", "Did you mean 'Europe/Vienna'?"),
    (WINBACK, "time_zone: recipient", "time_zone: ‸recipent", "schedule.time_zone: no time zone 'recipent'", "Did you mean 'recipient'?"),
    (WINBACK, "audience: [lapsed_vips, one_time_buyers, lapsed]", "audience: ‸[]", "audience: names no segment", "Name the segments, `audience: [lapsed]`."),
    (WINBACK, "owner: crm@shop.example", "‸qqq: crm@shop.example", "no key 'qqq'", "Allowed: about, audience, capped, caps, channels,"),
    (SETTINGS, "locales: [en]", "locales: [‸en_us]", "locales[0]: 'en_us' is not a locale", "Did you mean 'en-US'?"),
    (SETTINGS, "deliver: sink", "deliver: ‸snik", "environments.dev.deliver: 'snik' is not possible", "Did you mean 'sink'?"),
    (SETTINGS, "consent: opt_in", "consent: ‸optin", "topics.offers.consent: 'optin' is not possible", "Did you mean 'opt_in'?"),
    (SETTINGS, 'ledger: "sqlite:data/live/ledger.db"', 'ledger: ‸"sqlite:data/ledger.db"', "environments.live.stores.ledger: the ledger 'sqlite:data/ledger.db' is that of `stores`", "What one sends would count for the other. Write `ledger: sqlite:data/live/ledger.db`."),
    (SETTINGS, 'audience: "duckdb:data/live/audience.duckdb"', 'audience: ‸"duckdb:data/staging/audience.duckdb"', "environments.live.stores.audience: the audience 'duckdb:data/staging/audience.duckdb' is that of `staging`", "What one sends would count for the other. Write `audience: duckdb:data/live/audience.duckdb`."),
    (SETTINGS, "ledger: sqlite:", "ledger: ‸sqlit:", "stores.ledger: no such kind of store", "It begins with sqlite: or postgresql:, like `sqlite:data/ledger.db`, o"),
    (SETTINGS, "approve_over: 20000", "approve_over: ‸many", "environments.live.approve_over: expects a whole number", "Write digits alone, without quotes."),
    (SETTINGS, "public_url: https://go.shop.example", "public_url: ‸go.shop.example", "public_url: 'go.shop.example' is not a public address", "Write it like `https://go.shop.example`."),
    (SETTINGS, "from: Shop <hello@news.shop.example>", "from: ‸Shop <hello>", "senders.offers.from: 'Shop <hello>' is not a sender", "Write it like `Shop <hello@news.shop.example>`."),
    (DATA, "email: email", "email: ‸e-mail", "attributes.email: 'e-mail' is not possible", "Did you mean 'email'?"),
    (VIPS, "when: previous month", "when: ‸last month", "all[1].when: 'last month' is not a window of time", "Did you mean `previous month` or `last 30 days`?"),
    (VIPS, "within: 48 hours", "within: ‸48h", "all[2].then_not.within: '48h' is not a duration", "Did you mean `48 hours`?"),
    (DATA, '"NO"]', "‸NO]", "NO is text here, but false to tools that read YAML 1.1", 'Put it in quotes: "NO".'),
    (WINBACK, "day at 10:00", "‸10:00", "10:00 is text here, but the number 600 to tools that read YAML 1.1", 'Put it in quotes: "10:00".'),
    (WINBACK, "start: 2026-03-02", "start: ‸2026-03-02 10:00:00", "2026-03-02 10:00:00 is text here, but a date with a time to tools that read YAML 1.1", 'Put it in quotes: "2026-03-02 10:00:00".'),
    (SETTINGS, "approve_over: 20000", "approve_over: ‸20_000", "20_000 is text here, but the number 20000 to tools that read YAML 1.1", 'Put it in quotes: "20_000", or write 20000 if it is a number.'),
    (SETTINGS, "approve_over: 20000", "approve_over: ‸020000", "020000 is the number 20000 here, but the number 8192 to tools that read YAML 1.1", 'Put it in quotes: "020000", or write 20000 if it is a number.'),
    (VIPS, "over: 200", "over: ‸0o310", "0o310 is the number 200 here, but text to tools that read YAML 1.1", 'Put it in quotes: "0o310", or write 200 if it is a number.'),
    (WELCOME, "topic: offers", "‸on: offers", "no key 'on'", ""),
    (WINBACK, "about: Bring lapsed shoppers back", "about: ‸{{ name }} comes back", "{{ }} stands here without quotes", 'Put the whole value in quotes: "{{ … }}".'),
    (SETTINGS, "label: Offers and news", "label: ‸${env:LABEL}", "${ } stands here without quotes", "Put the whole value in quotes."),
    (WINBACK, "owner: crm@shop.example", "owner: ‸!!python/object/apply:os.system [id]", "the tag !!python/object/apply:os.system is not read here", "Delete it; put text in quotes."),
    (WINBACK, "  every: day", "‸\tevery: day", "a tab", "Indent with blanks."),
    (WINBACK, "every: day at 10:00\n  time", "every: day at 10:00\n   time", "cannot be read: mapping values are not allowed here", "Look at the indentation, at the blank after a colon, and at quotes and", "11:13"),
    (WINBACK, "caps: [1 push per day", "caps: ‸1 push per day", "caps: expects a list", "Write it like `[a, b]`."),
    (WINBACK, "goal: {event: purchase, within: 7 days, value: amount}", "‸goal:", "'goal' has no value", "Give it one, or delete the line."),
    (WINBACK, "goal: {event: purchase,", "goal: ‸{event:purchase,", "goal: the key 'event' is missing", ""),
    (LAPSED, "- not:", "‸not:", "cannot be read: expected <block end>, but found '?' while parsing a block collection", "Look at the indentation, at the blank after a colon, and at quotes and"),
    (VIPS, "over: 200", "over: ‸> 200", "cannot be read: found character '>' that cannot start any token while scanning for the next token", "Look at the indentation, at the blank after a colon, and at quotes and"),
    (WELCOME, "about: Greet", "---\nabout: Again\n‸---\nabout: Greet", "a second document begins here", "One file holds one; delete the line `---`."),
    (WINBACK, "{reminder: 50%, discount: 50%}", "‸{reminder: 50%, discount: 40%}", "experiment.variants: the weights add up to 90%", "They must add up to 100%; the holdout is counted apart."),
    (WINBACK, "discount: 50%}", "‸fr: 50%}", "experiment.variants: the variant 'fr' is called like a locale", "Files are found by both names; call it otherwise."),
    (WINBACK, "  undecided: reminder after 30 days", "  #", "experiment: the key 'undecided' is missing", "Without a winner somebody must get something: `undecided: <variant> af", "19:3"),
    (WINBACK, "  then: winner", "  #", "experiment: the key 'then' is missing", "`ramp` is the size of the test: say what the others get, `winner` or a", "19:3"),
    (WINBACK, "[10% for 3 days, 25% for 7 days]", "[25% for 3 days, ‸5% for 7 days]", "experiment.ramp[1]: 5% is no step up", "Each step is larger than the one before."),
    (WINBACK, "quiet_hours: 20:00-10:00", "quiet_hours: ‸22:00-08:00", "quiet_hours: 22:00-08:00 is looser than the 21:00-09:00 of `defaults`", "A campaign can only tighten; begin no later and end no earlier."),
    (WINBACK, "repeat: after 90 days", "repeat: after 90 days\nexpires: ‸3 days", "expires: 3 days is longer than the 1 day of `defaults`", "A campaign can only tighten."),
    (WINBACK, "one_time_buyers, lapsed]", "one_time_buyers, ‸staff]", "audience[2]: 'staff' is excluded by `defaults`, nobody of it would get anything", "Take it out of one of them."),
    (WINBACK, "[push, email]", "[push, ‸push]", "channels.first_of[1]: 'push' stands here twice", "Delete one."),
    (WINBACK, "[push, email]", "[push, ‸sms]", "channels.first_of[1]: no provider carries sms", "Add it to `route:` in config/orchestrator.yaml, like `sms: […]`."),
    (WINBACK, "{first_of: [push, email]} ", "‸{first_of: [push], all_of: [email]} ", "channels: has both first_of and all_of", "Write one of first_of and all_of."),
    (WINBACK, "every: day at 10:00", "‸every: day at 10:00\n  cron: 0 9 * * *", "schedule: has every and cron", "Write one of every, cron and once. For a campaign sent by hand, leave "),
    (WELCOME, "trigger: {", "schedule: {every: day at 10:00}\n‸trigger: {", "a schedule and a trigger in one campaign", "Make two campaigns."),
    (STAFF, "any:", "any:\n  - {message: opened, campaign: ‸winbak}", "any[0].campaign: no campaign 'winbak'", "`winback`"),
    (STAFF, "any:", "any:\n  - {unsubscribed: email, topic: ‸ofers}", "any[0].topic: no topic 'ofers'", "`offers`"),
    (STAFF, "any:", "any:\n  - {sample: 10, of: {segment: ‸lapsed_vips}}", "any[0].of.segment: a segment that needs itself: lapsed_vips → staff → lapsed_vips", "Take one of these references out."),
    (STAFF, "any:", "any:\n  - {event: purchase, sum: amount, top: ‸10}", "any[0].top: '10' is not a share of everybody", "Did you mean 10%?"),
    (STAFF, "any:", "any:\n  - {attribute: email, regex: ‸'(a+)+'}", "any[0].regex: '(a+)+': a repeat inside a repeat", "repeat one of them only"),
    (STAFF, "any:", "any:\n  - {segment: ‸lapsed_vips}", "any[0].segment: a segment that needs itself: lapsed_vips → staff → lapsed_vips", "Take one of these references out."),
    (SETTINGS, "public_url: https://go.shop.example", "#", "the key 'public_url' is missing", "Marketing e-mail needs it for the unsubscribe link: `public_url: https", "1:1"),
    (SETTINGS, "password: ${env:SMTP_PASSWORD}", "password: ‸hunter2hunter2", "providers.mail.password: is a secret and must not stand here", "Write ${env:NAME} or ${file:path}, and change the secret: it has been "),
    (SETTINGS, "ledger: sqlite:data/ledger.db", "ledger: ‸postgresql://shop:hunter2hunter2@db/ledger", "stores.ledger: holds a password in plain text", "Write ${env:NAME} or ${file:path} for the whole address, or for the pa"),
    (SETTINGS, "${env:PUSH_SECRET}", "‸${env:PUSH-SECRET}", "providers.gateway.secret: ${env:PUSH-SECRET} is not the name of an environment variable", "Write ${env:NAME} or ${file:path}."),
    (SETTINGS, "${env:PUSH_SECRET}", "‸${file:../../etc/passwd}", "providers.gateway.secret: ${file:../../etc/passwd} leads out of the project's folder", "Write ${env:NAME} or ${file:path}."),
]
# fmt: on


LISTED = {
    SETTINGS: ("stores", "environments", "providers", "route", "senders", "topics", "coupons", "defaults"),
    WINBACK: ("channels", "schedule", "goal", "experiment", "hold_if"),
    DATA: ("attributes", "events"),
}


@pytest.mark.parametrize(("file", "key"), [(file, key) for file, keys in LISTED.items() for key in keys])
def test_a_list_where_a_mapping_belongs_hides_no_other_mistake_and_makes_none(file, key):
    """What stands in for it is empty; nobody is told that a name is missing which may well be in the list."""
    files = the_example()
    files[SETTINGS] = files[SETTINGS].replace(b"seeds: lists/seeds.csv", b"seeds: lists/seedz.csv")
    files[WINBACK] = files[WINBACK].replace(b"topic: offers", b"topic: offerz")
    text = files[file].decode() + "\n"
    files[file] = re.sub(
        rf"^{key}:.*?\n(?=\S|\Z)", f"{key}: [a, b]\n", text, count=1, flags=re.DOTALL | re.MULTILINE
    ).encode()
    found = [str(one) for one in checking.mistakes(load(files))]
    expected = [f"{key}: expects a mapping", "no such file: 'lists/seedz.csv'"]
    expected += [] if key == "topics" else ["topic: no topic 'offerz'"]
    assert len(found) == len(expected), found
    assert all(any(text in one for one in found) for text in expected), found


@pytest.mark.parametrize("slip", SLIPS, ids=[f"{slip[1]} → {slip[2]}" for slip in SLIPS])
def test_a_slip_is_named_with_its_place_and_its_remedy(slip):
    file, old, new, text, remedy, *place = slip
    files = with_edit(file, old, new.replace("‸", ""))
    before = with_edit(file, old, new)[file].decode().partition("‸")[0]
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    where = f"{file}:{place[0]}" if place else f"{file}:{line}:{column}"
    found = [mistake for mistake in load(files, "live").mistakes if str(mistake).startswith(f"{where}  ")]
    assert [(mistake.text, remedy in mistake.remedy) for mistake in found if mistake.text == text] == [(text, True)], (
        said(files)
    )


MORE = (
    "on: offers",
    "audience: ‸[]",
    "‸goal:",
    "{event:purchase",
    "‸fr: 50%",
    "  #",
    "‸push]",
    "‸sms]",
    "all_of: [email]",
)
"""Slips that make something else wrong as well: a key that is gone is missed, a template is for nobody any more."""
ALONE = [slip for slip in SLIPS if not any(word in slip[2] for word in MORE)]


@pytest.mark.parametrize("slip", ALONE, ids=[f"{slip[1]} → {slip[2]}" for slip in ALONE])
def test_a_slip_makes_up_no_other_mistake(slip):
    file, old, new, *_ = slip
    found = checking.mistakes(load(with_edit(file, old, new.replace("‸", "")), "live"))
    assert len(found) == 1, found


def test_every_mistake_of_every_file_is_reported_at_once():
    files = the_example()
    for file, old, new in [
        (WINBACK, "topic: offers", "topic: ofers"),
        (WINBACK, "kind: marketing", "knid: marketing"),
        (VIPS, "event: app_open", "event: app_opn"),
        (DATA, '"NO"', "NO"),
        (SETTINGS, "[staff]", "[staf]"),
    ]:
        files = with_edit(file, old, new, files)
    places = {mistake.file for mistake in load(files).mistakes}
    assert places == {WINBACK, VIPS, DATA, SETTINGS}


def test_mistakes_come_in_the_order_of_files_and_lines():
    files = with_edit(WINBACK, "topic: offers", "topic: ofers")
    files = with_edit(WINBACK, "about: Bring", "abuot: Bring", with_edit(VIPS, "app_open", "app_opn", files))
    mistakes = load(files).mistakes
    assert list(mistakes) == sorted(mistakes, key=lambda mistake: (mistake.file, mistake.line, mistake.column))


def test_a_live_marketing_mail_needs_a_sender_with_a_postal_address():
    found = said(with_edit(SETTINGS, "    postal: Shop GmbH, Ring 1, 1010 Wien\n", ""))
    assert "winback.yaml" in found
    assert "templates/winback/_default/email.mjml:2:7  from: the sender 'offers' has no postal address" in found


def test_a_draft_may_be_without_public_url():
    files = with_edit(SETTINGS, "public_url: https://go.shop.example", "#")
    for mailing in (WINBACK, NEW_IN):
        files = with_edit(mailing, "state: live", "state: draft", files)
    assert load(files).mistakes == ()


def test_a_missing_settings_file_is_said_with_the_command_that_writes_it():
    assert "config/orchestrator.yaml  is missing\n    `orchestrator init`" in said({})
