"""A whole project read at once: every file, every mistake, and the project itself if there is none."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from orchestrator.config.adapters import installed_adapters
from orchestrator.config.building import build, sketch
from orchestrator.config.campaign_shape import CampaignShape
from orchestrator.config.campaigns import check_campaign
from orchestrator.config.draft import DATA, SETTINGS, WAREHOUSE, CampaignDraft, Draft
from orchestrator.config.elsewhere import check_asked_elsewhere
from orchestrator.config.fields import NAME
from orchestrator.config.findings import Findings, choice, quoted
from orchestrator.config.policies import check_policy
from orchestrator.config.results import Environment, Project, Sketch
from orchestrator.config.secret import SecretSource, climbs
from orchestrator.config.segments import read_segments
from orchestrator.config.settings import DEV, check_data, check_secrets, check_settings, environment_of
from orchestrator.config.shapes import DataShape, SettingsShape
from orchestrator.config.shaping import shape
from orchestrator.config.sheets import Path, Sheet, read_sheet
from orchestrator.config.slips import Slip
from orchestrator.config.templates import check_templates
from orchestrator.config.warehouse import check_warehouse
from orchestrator.config.warehouse_shape import WarehouseShape
from orchestrator.core.errors import ConfigError, Mistake
from orchestrator.providers import Declaration

Files = Mapping[str, bytes]
"""A project's files: path below its root → content."""

SEGMENTS, CAMPAIGNS, IMPORTS = "config/segments/", "config/campaigns/", "config/imports/"
TEMPLATES = "templates/"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of the files: a project without a mistake, or the mistakes, by file and place."""

    files: Files = field(repr=False)
    project: Project | None
    mistakes: tuple[Mistake, ...] = ()
    sketch: Sketch | None = field(default=None, repr=False)
    """Where there are mistakes: as much of the project as its templates can be held against."""
    refused: frozenset[str] = frozenset()
    """Files that are there and must not be read: nothing but that is said about them. `files` has them empty."""
    despite_templates: Project | None = field(default=None, repr=False)
    """The project where nothing but templates has mistakes, to show those of its messages that have none."""

    def sound(self) -> Project:
        """The project; ConfigError with every mistake if there are any."""
        if self.project is None:
            raise ConfigError(self.mistakes)
        return self.project


def load(
    files: Files,
    environment: str = DEV,
    secrets: SecretSource | None = None,
    *,
    adapters: Mapping[str, Declaration] | None = None,
    refused: Sequence[Mistake] = (),
) -> Loaded:
    """Read a project from its files (path below the root → content), as seen from one environment.

    Pure: the same files give the same project on every machine. Only with `secrets` is anybody asked whether the secrets
    of this environment are there; checks without them (a pull request) pass. `adapters` are those installed. `refused` are
    mistakes about files that are there and are not among these.
    """
    unread = frozenset(it.file for it in refused)
    files = {**files, **dict.fromkeys(unread, b"")} if unread else files
    findings = Findings(unread=unread)
    draft = _draft(files, findings, installed_adapters() if adapters is None else adapters)
    trees = read_segments(draft)
    if draft.settings is not None:
        check_settings(draft, draft.settings)
    if draft.data is not None:
        check_data(draft, draft.data)
    if draft.warehouse is not None:
        check_warehouse(draft, draft.warehouse)
    for campaign in draft.campaigns.values():
        if campaign is not None:
            check_campaign(draft, campaign)
            check_policy(draft, campaign)
    check_templates(draft)
    chosen = _environment(draft, environment, secrets)
    for mistake in refused:
        findings.found[mistake] = None
    if chosen is None or findings.found:
        elsewhere = chosen is None or any(not it.file.startswith(TEMPLATES) for it in findings.found)
        built = None if elsewhere or chosen is None else build(draft, trees, chosen)
        return Loaded(files, None, findings.sorted(), sketch(draft), unread, built)
    built = build(draft, trees, chosen)
    return Loaded(files, built, despite_templates=built)


def _draft(files: Files, findings: Findings, adapters: Mapping[str, Declaration]) -> Draft:
    for file in files:
        _check_path(file, findings)
    settings_sheet, settings_ok = _sheet(files, SETTINGS, findings, "`orchestrator init` writes one.")
    data_sheet, data_ok = _sheet(files, DATA, findings, "`orchestrator import` writes one.")
    segments: dict[str, Sheet | None] = {}
    for file in _in(files, SEGMENTS):
        name, (sheet, ok) = _name(file, SEGMENTS, findings), _sheet(files, file, findings)
        segments[name] = sheet if ok else None
    campaigns: dict[str, CampaignDraft | None] = {}
    for file in _in(files, CAMPAIGNS):
        name, (sheet, ok) = _name(file, CAMPAIGNS, findings), _sheet(files, file, findings)
        campaigns[name] = CampaignDraft(name, *shape(sheet, CampaignShape, findings)) if ok else None
    for file in _in(files, IMPORTS):
        _sheet(files, file, findings)
    settings, data = None, None
    if settings_ok:
        settings_sheet, settings = shape(settings_sheet, SettingsShape, findings)
    if data_ok:
        data_sheet, data = shape(data_sheet, DataShape, findings)
        if {(DATA, ("attributes",)), (DATA, ("events",))} & findings.unsure:
            data = None  # a catalogue without them would make every name a mistake
    read = Draft(files, findings, adapters, settings_sheet, settings, data_sheet, data, segments, campaigns)
    if WAREHOUSE not in files:
        return read
    sheet, ok = _sheet(files, WAREHOUSE, findings)
    sheet, warehouse = shape(sheet, WarehouseShape, findings) if ok else (sheet, None)
    return replace(read, warehouse_sheet=sheet, warehouse=warehouse)


def _sheet(files: Files, file: str, findings: Findings, remedy: str = "") -> tuple[Sheet, bool]:
    """The file's sheet, and whether there is anything on it."""
    nothing = Sheet(file, {}, {})
    if file not in files:
        findings.in_file(file, "is missing", remedy)
        return nothing, False
    if file in findings.unread:
        return nothing, False
    sheet, slips = read_sheet(file, files[file])
    for slip in slips:
        findings.slip(file, slip, hidden=sheet is not None and _may_be_secret(sheet, slip))
    return (sheet, True) if sheet is not None else (nothing, False)


def _may_be_secret(sheet: Sheet, slip: Slip) -> bool:
    """Whether a slip is about a provider's or a source's setting, which no message may repeat."""
    return sheet.file == SETTINGS and any(
        path[:1] in {("providers",), ("sources",)} and (place.line, place.column) == (slip.line, slip.column)
        for path, place in sheet.places.items()
    )


def _in(files: Files, folder: str) -> list[str]:
    return sorted(file for file in files if file.startswith(folder) and file.endswith(".yaml"))


def _name(file: str, folder: str, findings: Findings) -> str:
    """The file's name is the name of what stands in it."""
    name = file.removeprefix(folder).removesuffix(".yaml")
    if not NAME.fullmatch(name):
        findings.in_file(file, f"{quoted(name)} is not a name", "Use letters, digits, _ and -, without folders.")
    return name


def _check_path(file: str, findings: Findings) -> None:
    """Whether anybody reads a file of this path."""
    if climbs(file) or file.startswith("/") or "\\" in file or ".." in file.split("/"):
        findings.in_file(file, "leads out of the project's folder", "Put it inside.")
        return
    if not file.startswith("config/") or file in {SETTINGS, DATA, WAREHOUSE} or file.startswith(IMPORTS):
        return
    folder = next((one for one in (SEGMENTS, CAMPAIGNS) if file.startswith(one)), "")
    if not folder:
        parts = file.split("/")
        names = (
            ["campaigns", "segments", "imports"]
            if len(parts) > 2
            else ["orchestrator.yaml", "data.yaml", "warehouse.yaml"]
        )
        findings.in_file(file, "nobody reads this file", choice(parts[1], names))
    elif not file.endswith(".yaml"):
        findings.in_file(file, "is not a .yaml file", "Rename it." if file.endswith(".yml") else "Move it elsewhere.")


def _environment(draft: Draft, name: str, secrets: SecretSource | None) -> Environment | None:
    if draft.settings is None:
        return None
    found = environment_of(draft.settings, name)
    if found is None:
        draft.findings.no_environment(draft.settings_sheet, name, {DEV, *draft.settings.environments})
        return None
    if secrets is not None:
        check_secrets(draft, draft.settings, found, secrets)
    check_asked_elsewhere(draft, found, secrets)
    return found


def mapping_of(file: str, content: bytes) -> dict[str, Any]:
    """What a mapping of an import says; ConfigError with every slip of the pen in it."""
    sheet, slips = read_sheet(file, content)
    if sheet is None or slips:
        raise ConfigError(tuple(Mistake(file, slip.line, slip.column, slip.text, slip.remedy) for slip in slips))
    return dict(sheet.value)


def located(file: str, content: bytes, objections: Iterable[tuple[Path, str, str, bool]]) -> tuple[Mistake, ...]:
    """Objections (path, text, remedy, whether it is the key) of somebody else's reading of a file, each at its line and column."""
    sheet, _ = read_sheet(file, content)
    findings = Findings()
    for path, text, remedy, at_key in objections:
        (findings.at_key if at_key else findings.at)(sheet or Sheet(file, {}, {}), path, text, remedy)
    return findings.sorted()
