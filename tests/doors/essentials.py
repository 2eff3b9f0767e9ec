"""What the screens of the first hour have to say: the essential lines of every command of the README."""

MOMENT = r"[\d-]+ [\d:]+(?: \([+\d:]+\))?"
"""In one hour of the year the clock's distance from UTC stands behind."""
PLAN = [
    "^ new_in dev · by hand, now$",
    "^ in the audience 192 visitors 192$",
    "^ nothing, because \N{MINUS SIGN}47$",
    "^ no consent for offers 29 for example u004, u015, u028$",
    "^ no push and no e-mail address 17 for example u005, u016, u036$",
    "^ every address is stopped 1 for example u071$",
    r"^ later: quiet hours \d+$",
    r"^ would get a message now \d+ e-mail \d+ · push \d+$",
]
PEOPLE = r"192 people: reached \d+ · waiting \d+ · nothing 47 \(no consent 29, no address 17, suppressed 1\)"
SCREENS = {
    "python3 -m venv .venv": [],
    ".venv/bin/pip install .": [r"^Successfully installed messaging-orchestrator-[0-9.]+$"],
    'export PATH="$PWD/.venv/bin:$PATH"': [],
    "orchestrator init shop": [
        "^ shop/$",
        "^ .github/workflows/ checks and tests every pull request, and says what it changes$",
        "^ config/campaigns/ who gets what, when, under which rules$",
        "^ new_in.yaml welcome_back.yaml winback.yaml$",
        "^ config/ settings, the catalogue of your data$",
        "^ templates/ the words, by campaign, segment and channel$",
        r"^ 200 invented people and [\d,]+ events are in data/; in dev, nothing leaves this machine$",
        "^ now$",
        "^ cd shop$",
        "^ orchestrator check$",
    ],
    "cd shop": [],
    "orchestrator check": [r"^\d+ files, no mistake$"],
    "orchestrator test": [r"^ ok ada 3 expectations$", r"^ ok eli 3 expectations$", "^ 5 personas, 13 expectations: all met$"],
    "orchestrator segment show visitors": [
        rf"^ visitors 198 people, 99.0 % of 200 at {MOMENT} Europe/Vienna$",
        "^ Opened the app in the last 90 days$",
        "^ alone left$",
        "^ did app_open in the last 90 days 198 198$",
        r"^ reachable push 105 · email 161 · sms 0$",
        r"^ for example (u\d+ · ){2}u\d+$",
        r"^ try: orchestrator segment explain visitors u\d+$",
    ],
    "orchestrator plan new_in": [
        *PLAN,
        "^ next: by hand: orchestrator send new_in$",
        "^ who they are: orchestrator plan new_in --why no_consent$",
    ],
    "orchestrator preview new_in --as u001": [
        "^ u001 · segment visitors · en$",
        "^ push example-token-u001$",
        "^ title New this week, Dana$",
        "^ email dana.u001@example.test$",
        "^ sender Shop <hello@news.shop.example>$",
        "^ subject New this week, Dana$",
        r"^ text New in the shop$",
        "^ open preview/new_in-u001-email.html$",
        r"^ page http://127.0.0.1:\d+/\S+/$",
    ],
    "orchestrator send new_in --yes": [
        *PLAN,
        r"^ new_in rows: sent \d+ · accepted \d+ · held \d+ · failed 0 · nothing \d+ [\d,]+/s$",
        rf"^ run 1 of new_in is working {PEOPLE}$",
        r"^ nothing left this machine: the messages are in data/sink$",
        rf"^ \d+ people of it wait, the first of them until {MOMENT}, the last until {MOMENT} Europe/Vienna$",
        "^ no daemon runs; run 1 goes on, when it is time, with: orchestrator serve$",
        "^ look: orchestrator report new_in$",
        "^ orchestrator why new_in ID$",
    ],
    "orchestrator report new_in": [
        rf"^run 1 · by hand {MOMENT} Europe/Vienna · working · 192 people · version [0-9a-f]{{12}}$",
        f"^ {PEOPLE}$",
        "^ channel state reason rows$",
        r"^ email accepted \d+$",
        "^ email skipped suppressed 3$",
        "^ one person's story: orchestrator why new_in PERSON",
    ],
    "orchestrator why new_in u001": [
        rf"^ Dana \(u001\) · new_in · dev \(nothing leaves this machine\) · run 1 of {MOMENT} Europe/Vienna, working$",
        rf"^ (waits until {MOMENT}: quiet hours|got it: push)$",
        "^ audience in visitors$",
        r"^ yes did app_open in the last 90 days \(3\)$",
        "^ not in staff, which is excluded$",
        "^ push ",
        "^ email skipped: other channel",
    ],
}  # fmt: skip
"""The essential lines of every screen, in order, each with single blanks between its words."""
