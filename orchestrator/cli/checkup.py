"""The examination `doctor` makes: each finding says what was looked at, whether it is well, and what to do if not."""

from dataclasses import dataclass

from orchestrator import config
from orchestrator.cli.desk import Desk, when
from orchestrator.core.errors import OrchestratorError
from orchestrator.core.times import NEVER, Instant
from orchestrator.ledger import Ledger, RunState, pace, runs


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    well: bool
    text: str


def examine(desk: Desk, now: Instant) -> list[Finding]:
    """Look at everything; a finding that is not well does not keep the others from being made."""
    loaded = desk.load()
    if loaded.project is None:
        return [Finding("files", False, str(mistake)) for mistake in loaded.mistakes]
    project, secrets = loaded.project, config.MachineSecrets(desk.root)
    findings = [
        Finding("files", True, f"{len(loaded.files)} files, no mistake; environment {project.environment.name}")
    ]
    for name, provider in project.settings.providers.items():
        missing = [ref for setting in provider.settings.values() for ref in setting.missing(secrets)]
        text = f"not set: {', '.join(missing)}" if missing else "every secret is there"
        findings.append(Finding(f"provider {name}", not missing, text))
    try:
        ledger = Ledger.open(project.environment.stores.ledger.resolve(secrets), desk.root)
    except OrchestratorError as problem:
        return [*findings, Finding("ledger", False, str(problem))]
    try:
        return [*findings, *_ledger(ledger, now)]
    finally:
        ledger.close()


def _ledger(ledger: Ledger, now: Instant) -> list[Finding]:
    findings = [Finding("ledger", True, f"{len(runs.listed(ledger.store, limit=1000))} runs")]
    for scope, until, reason in pace.pauses(ledger.store, now):
        end = "until somebody resumes it" if until >= NEVER else f"until {when(until)}"
        findings.append(Finding(f"pause {scope}", False, f"{reason or 'by hand'}, {end}: orchestrator resume {scope}"))
    for run in runs.listed(ledger.store, states=[RunState.WAITING]):
        text = f"{run.reason}; orchestrator resume {run.id} lets it go, orchestrator cancel {run.id} ends it"
        findings.append(Finding(f"run {run.id} of {run.campaign} waits for a person", False, text))
    return findings
