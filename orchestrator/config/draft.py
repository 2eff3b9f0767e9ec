"""All files of a project read and shaped, side by side, before anybody asks whether they fit together."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.config.campaign_shape import CampaignShape
from orchestrator.config.findings import Findings, choice, quoted
from orchestrator.config.shapes import DataShape, SettingsShape
from orchestrator.config.sheets import Path, Sheet
from orchestrator.config.warehouse_shape import WarehouseShape
from orchestrator.core.campaigns import CampaignState
from orchestrator.providers import Declaration

SETTINGS = "config/orchestrator.yaml"
DATA = "config/data.yaml"
WAREHOUSE = "config/warehouse.yaml"


@dataclass(frozen=True, slots=True)
class CampaignDraft:
    """A campaign's file as read; `shape` is None if its keys or values are mistaken."""

    name: str
    sheet: Sheet
    shape: CampaignShape | None

    @property
    def ended(self) -> bool:
        """An ended campaign keeps its file, and nobody asks for its templates."""
        return self.shape is not None and self.shape.state is CampaignState.ENDED


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything that was read, and where mistakes go. A None stands for a file too mistaken to be used."""

    files: Mapping[str, bytes]
    findings: Findings
    adapters: Mapping[str, Declaration]
    settings_sheet: Sheet
    settings: SettingsShape | None
    data_sheet: Sheet
    data: DataShape | None
    segments: Mapping[str, Sheet | None] = field(default_factory=dict)
    campaigns: Mapping[str, CampaignDraft | None] = field(default_factory=dict)
    warehouse_sheet: Sheet = field(default_factory=lambda: Sheet(WAREHOUSE, {}, {}))
    warehouse: WarehouseShape | None = None

    @property
    def translations(self) -> list[str]:
        """The locales that every file in use needs a sibling in; none while `locales` is mistaken."""
        return self.settings.locales[1:] if self.settings and self._sure("locales") else []

    def knows_locale(self, locale: str) -> bool:
        """Whether a locale is one of the project's, or may be for all that can be read."""
        return self.settings is None or locale in self.settings.locales or not self._sure("locales")

    def _sure(self, key: str) -> bool:
        return not any(file == SETTINGS and path[0] == key for file, path in self.findings.unsure)

    def stood_in(self, key: str, file: str = SETTINGS) -> bool:
        """Whether all of what stands under a key is a stand-in, so that what refers to it may be right."""
        return (file, (key,)) in self.findings.unsure

    def segment(self, sheet: Sheet, path: Path, name: str) -> None:
        """A reference to a segment."""
        if name not in self.segments:
            self.findings.at(
                sheet, path, f"no segment {quoted(name)}", choice(name, self.segments, "segment in config/segments/")
            )

    def event(self, sheet: Sheet, path: Path, name: str, *, is_key: bool = False) -> bool:
        """A reference to an event of the catalogue; whether its properties can be asked for."""
        if self.data is None:
            return False
        if name in self.data.events:
            return True
        ask = self.findings.at_key if is_key else self.findings.at
        ask(sheet, path, f"no event {quoted(name)}", choice(name, self.data.events, f"event in {DATA}"))
        return False

    def list_file(self, sheet: Sheet, path: Path, name: str) -> None:
        """A reference to a file in lists/."""
        if name.startswith("lists/") and ".." not in name.split("/") and name in self.files:
            return
        known = [file for file in self.files if file.startswith("lists/")]
        problem = "leads out of lists/" if ".." in name.split("/") or not name.startswith("lists/") else "no such file"
        self.findings.at(sheet, path, f"{problem}: {quoted(name)}", choice(name, known, "file in lists/"))
