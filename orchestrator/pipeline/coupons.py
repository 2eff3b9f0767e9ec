"""Coupons on their way into a plan: which pools a campaign takes codes from, who needs one, and what is left of them."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from orchestrator.config import Files, Project
from orchestrator.core.campaigns import Campaign
from orchestrator.core.coupons import codes_in
from orchestrator.core.eligibility import RowVerdict, judge, touches_since
from orchestrator.core.errors import StoreError
from orchestrator.core.facts import RunFacts
from orchestrator.core.nouns import CODES, Person, Skip
from orchestrator.core.reasons import Reason
from orchestrator.core.times import Instant
from orchestrator.ledger import Ledger, Wanted, coupons
from orchestrator.ledger.coupons import Pool, Stock, Wants
from orchestrator.pipeline.prepared import Letters

SAMPLE = "SAMPLE-CODE"
"""What previews and test messages show instead of a code."""

_FOR_GOOD = frozenset(
    {
        Reason.NOT_A_SEED,
        Reason.PROJECT_HOLDOUT,
        Reason.HOLDOUT,
        Reason.REPEAT,
        Reason.NO_CONSENT,
        Reason.NO_ADDRESS,
        Reason.SUPPRESSED,
    }
)
"""Reasons of which a plan knows already that they will hold: whoever has one on every channel needs no code."""


@dataclass(frozen=True, slots=True)
class Coupons:
    """The pools a campaign's templates take codes from, and whose messages take which."""

    pools: Mapping[str, Pool]
    pools_of: Callable[[Person], Collection[str]]

    def of(self, people: Iterable[Person]) -> Wants:
        """What these people's messages take and they do not have yet."""
        wants = {}
        for person in people:
            names = set(self.pools_of(person)) - set(person.attributes.get(CODES) or ())
            if names:
                wants[person.user] = [self.pools[name] for name in sorted(names)]
        return wants

    def wants(self, ledger: Ledger, campaign: Campaign, run: RunFacts, people: Sequence[Person], now: Instant) -> Wants:
        """The same of a plan's people, without those who will get no message whatever happens."""
        wants = self.of(people)
        takers = [person for person in people if person.user in wants]
        if not takers:
            return {}
        known = ledger.facts(Wanted(run.run, takers, campaign.policy.topic, touches_since(campaign, now)))
        return {
            person.user: wants[person.user]
            for person in takers
            if needs_one(judge(campaign, run, person, replace(known[person.user], rows=()), now))
        }

    def sample(self, person: Person, now: Instant) -> Person:
        """The person with codes that are none, for a look at the message; nobody's code is used."""
        codes = {
            pool.name: {"code": SAMPLE, "expires": None if pool.valid is None else now + pool.valid}
            for pool in self.pools.values()
        }
        return coupons.with_codes(person, codes)


def needs_one(verdicts: Iterable[RowVerdict]) -> bool:
    """Whether some channel may still carry a message to somebody."""
    return any(not (isinstance(row.verdict, Skip) and row.verdict.reason in _FOR_GOOD) for row in verdicts)


def coupons_of(project: Project, letters: Letters) -> Coupons:
    """The coupons of a campaign's compiled templates."""
    known = project.settings.coupons
    pools = {name: Pool(name, known[name].valid) for name in sorted(letters.pools()) if name in known}
    return Coupons(pools, lambda person: letters.pools_of(person) & pools.keys())


def fill(ledger: Ledger, project: Project, files: Files, names: Iterable[str], people: int) -> None:
    """Bring the pools up to their files and, where so many people may need more, take back what was given for nothing.

    StoreError for a file that cannot be read.
    """
    for name in names:
        coupons.load(ledger.store, name, codes_of(project, files, name))
        if coupons.free(ledger.store, name, people) < people:
            coupons.take_back(ledger.store, name)


def stock(ledger: Ledger, project: Project, files: Files, name: str) -> Stock:
    """What is left of a pool, counted as a plan would find it."""
    return coupons.stock(ledger.store, name, codes_of(project, files, name))


def codes_of(project: Project, files: Files, name: str) -> list[str]:
    """The codes of a pool's file; none if it has no file."""
    file = project.settings.coupons[name].codes
    if not file:
        return []
    try:
        return codes_in(files[file])
    except ValueError as problem:
        raise StoreError(f"coupons {name}: {file}: {problem}") from problem


def supply(ledger: Ledger, run: int, people: Sequence[Person], wanted: Coupons, now: Instant) -> list[Person]:
    """The same people with the codes their messages take: those they have, as long as they hold, else new ones."""
    wants = wanted.of(people)
    if not wants:
        return list(people)
    with ledger.store.transaction():
        return coupons.give(ledger.store, run, now, people, wants)[0]


def out_of(short: Counter[str]) -> str:
    """Why a run must wait for a person after its pools ran dry; empty if they did not."""
    if not short:
        return ""
    told = ", ".join(f"{name}: no code for {people:,}" for name, people in sorted(short.items()))
    return (
        f"out of coupons ({told}). Cancel it, add codes (orchestrator import coupons NAME FILE) and send again;"
        " approved, it skips these people"
    )
