"""Which template files a campaign has and which it lacks, by the rule of their names: `<channel>[@<variant>][.<locale>].<ext>`.

What stands in them is rendering's business; of their heads only the writing is looked at, and `from`, because it names a sender.
"""

import re
from dataclasses import dataclass

from orchestrator.config.draft import CampaignDraft, Draft
from orchestrator.config.findings import choice, quoted
from orchestrator.config.sheets import read_sheet
from orchestrator.core.campaigns import Kind
from orchestrator.core.nouns import Channel

ROOT, SHARED, DEFAULT = "templates", "_base", "_default"
ENDINGS = {
    Channel.EMAIL: ("mjml", "html"),
    Channel.PUSH: ("yaml",),
    Channel.IN_APP: ("yaml",),
    Channel.SMS: ("txt",),
    Channel.WEBHOOK: ("yaml",),
}
_NAME = re.compile(r"(?P<channel>[^@.]+)(?:@(?P<variant>[^@.]+))?(?:\.(?P<locale>[^@.]+))?\.(?P<ending>[^@.]+)")
_HEAD = re.compile(rb"\A(?:\xef\xbb\xbf)?---[ \t]*\r?\n(?P<head>.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Cell:
    """One template file, taken apart by its name."""

    file: str
    campaign: str
    folder: str
    channel: Channel
    variant: str
    locale: str
    ending: str


def like_a_locale(name: str) -> bool:
    """Whether a variant's name could be taken for a locale's: two letters, or two and a region."""
    return re.fullmatch(r"[a-z]{2}([_-][A-Za-z]{2})?", name) is not None


def check_templates(draft: Draft) -> None:
    """Files nobody will ever read, and files somebody will look for in vain."""
    cells: dict[str, list[Cell]] = {name: [] for name in draft.campaigns}
    for file in draft.files:
        if file.startswith(f"{ROOT}/") and (cell := _cell(draft, file)) is not None:
            cells[cell.campaign].append(cell)
    for name, campaign in draft.campaigns.items():
        if campaign is not None and campaign.shape is not None and not campaign.ended:
            _check_campaign(draft, campaign, cells[name])


def _cell(draft: Draft, file: str) -> Cell | None:
    """The file's place in the scheme, None (with findings) if no message can ever be made of it."""
    findings, parts = draft.findings, file.split("/")
    if len(parts) > 2 and parts[1] == SHARED:
        return None
    if len(parts) != 4:
        findings.in_file(
            file, "no campaign reads this file", f"Templates stand in {ROOT}/<campaign>/<segment>/ or {ROOT}/{SHARED}/."
        )
        return None
    _, name, folder, base = parts
    if name not in draft.campaigns:
        findings.in_file(file, f"no campaign {quoted(name)}", choice(name, draft.campaigns, "campaign"))
        return None
    found = _NAME.fullmatch(base)
    channel = next((one for one in Channel if found and one.value == found["channel"]), None)
    if found is None or channel is None:
        meant = (
            choice(found["channel"], [one.value for one in Channel])
            if found
            else "Write it like `email@variant.de.mjml`."
        )
        findings.in_file(file, "is not named like a template", meant)
        return None
    if found["ending"] not in ENDINGS[channel]:
        endings = " or ".join(f".{ending}" for ending in ENDINGS[channel])
        findings.in_file(file, f"a template for {channel} ends in {endings}", "Rename it.")
        return None
    return Cell(file, name, folder, channel, found["variant"] or "", found["locale"] or "", found["ending"])


def _check_campaign(draft: Draft, campaign: CampaignDraft, cells: list[Cell]) -> None:
    shape = campaign.shape
    if shape is None:
        return
    if any(draft.stood_in(key, campaign.sheet.file) for key in ("audience", "channels", "experiment")):
        for cell in cells:
            _check_head(draft, cell)
        return  # nobody can tell which of them are read
    reachable = [cell for cell in cells if _reachable(draft, campaign, cell)]
    for cell in reachable:
        _check_head(draft, cell)
        twin = next((other for other in reachable if other.file < cell.file and _same_place(cell, other)), None)
        if twin:
            draft.findings.in_file(cell.file, f"stands for the same message as {twin.file}", "Delete one.")
    read = set()
    for segment in shape.audience or [DEFAULT]:
        for channel in shape.channels.all:
            folder = next(
                (
                    name
                    for name in (segment, DEFAULT)
                    if any(c.folder == name and c.channel is channel for c in reachable)
                ),
                "",
            )
            if not folder:
                where = f"{ROOT}/{campaign.name}/{segment}/{channel}.{ENDINGS[channel][0]}"
                draft.findings.in_file(
                    where, "is missing", f"Write it, or one for everybody in {ROOT}/{campaign.name}/{DEFAULT}/."
                )
            elif (folder, channel) not in read:
                read.add((folder, channel))
                _check_complete(draft, campaign, [c for c in reachable if c.folder == folder and c.channel is channel])


def _reachable(draft: Draft, campaign: CampaignDraft, cell: Cell) -> bool:
    shape, findings = campaign.shape, draft.findings
    if shape is None:
        return False
    if cell.folder != DEFAULT and cell.folder not in shape.audience:
        text = f"is never read: {quoted(cell.folder)} is not in the audience of {campaign.name}"
        findings.in_file(cell.file, text, choice(cell.folder, [*shape.audience, DEFAULT]))
    elif cell.channel not in shape.channels.all:
        text = f"is never read: {campaign.name} sends no {cell.channel}"
        findings.in_file(cell.file, text, choice(cell.channel, [one.value for one in shape.channels.all]))
    elif cell.variant and cell.variant not in (variants := shape.experiment.variants if shape.experiment else {}):
        text = f"is never read: {campaign.name} has no variant {quoted(cell.variant)}"
        findings.in_file(cell.file, text, choice(cell.variant, variants, "variant"))
    elif cell.locale and draft.settings is not None and not draft.knows_locale(cell.locale):
        text = f"is never read: {quoted(cell.locale)} is not in `locales`"
        findings.in_file(cell.file, text, choice(cell.locale, draft.settings.locales))
    else:
        return True
    return False


def _check_complete(draft: Draft, campaign: CampaignDraft, cells: list[Cell]) -> None:
    """One channel of one folder: the plain file, or one for every variant; and every locale of each."""
    shape = campaign.shape
    if shape is None:
        return
    first, findings = cells[0], draft.findings
    stem = f"{ROOT}/{first.campaign}/{first.folder}/{first.channel}"
    by_variant = {
        variant: [cell for cell in cells if cell.variant == variant] for variant in {cell.variant for cell in cells}
    }
    variants = shape.experiment.variants if shape.experiment else {}
    for variant in [""] if "" in by_variant or not variants else variants:
        if variant not in by_variant:
            findings.in_file(
                f"{stem}@{variant}.{first.ending}",
                "is missing",
                f"Write it, or {stem}.{first.ending} for all variants without a file of their own.",
            )
    for variant, its in sorted(by_variant.items()):
        name = f"{stem}@{variant}" if variant else stem
        if not any(not cell.locale for cell in its):
            findings.in_file(
                f"{name}.{its[0].ending}",
                "is missing",
                "People of every other locale, and those whose locale is unknown, would get nothing.",
            )
        for locale in draft.translations:
            if not any(cell.locale in {locale, locale.split("-")[0]} for cell in its):
                findings.in_file(
                    f"{name}.{locale}.{its[0].ending}",
                    "is missing",
                    f"Write it (only what differs), or drop {locale} from `locales`.",
                )


def _same_place(one: Cell, other: Cell) -> bool:
    return (one.folder, one.channel, one.variant, one.locale) == (
        other.folder,
        other.channel,
        other.variant,
        other.locale,
    )


def _check_head(draft: Draft, cell: Cell) -> None:
    """The writing of a head, and the sender an e-mail's head names; what its keys mean is rendering's to say."""
    content = draft.files[cell.file]
    found = _HEAD.match(content)
    if cell.ending == "yaml":
        sheet, slips = read_sheet(cell.file, content)
    elif found is not None and found["head"].strip():
        sheet, slips = read_sheet(cell.file, found["head"], 2)
    else:
        return
    for slip in slips:
        draft.findings.slip(cell.file, slip, hidden=False)
    sender = sheet.at(("from",)) if sheet and cell.channel is Channel.EMAIL else None
    if sheet is None or draft.settings is None or not isinstance(sender, str) or "{" in sender:
        return
    campaign, senders = draft.campaigns[cell.campaign], draft.settings.senders
    if sender not in senders and draft.stood_in("senders"):
        return
    if sender not in senders:
        remedy = choice(sender, senders, "sender in orchestrator.yaml")
        draft.findings.at(sheet, ("from",), f"no sender {quoted(sender)}", remedy)
    elif campaign and campaign.shape and campaign.shape.kind is Kind.MARKETING and not senders[sender].postal:
        remedy = "Add `postal:` to it: the law wants it in marketing e-mail."
        draft.findings.at(sheet, ("from",), f"the sender {quoted(sender)} has no postal address", remedy)
