"""The examination `doctor` makes: each finding says what was looked at, whether it is well, and what to do if not."""

from dataclasses import dataclass

from orchestrator import app, config
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
    findings = [Finding("files", False, str(mistake)) for mistake in app.mistakes(loaded)]
    if loaded.project is None:
        return findings
    project, secrets = loaded.project, config.MachineSecrets(desk.root)
    if not findings:
        text = f"{len(loaded.files)} files, no mistake; environment {project.environment.name}"
        findings.append(Finding("files", True, text))
    for name, provider in project.settings.providers.items():
        missing = [ref for setting in provider.settings.values() for ref in setting.missing(secrets)]
        text = f"not set: {', '.join(missing)}" if missing else "every secret is there"
        unused = project.environment.deliver is config.Deliver.SINK
        if missing and unused:
            text += f"; not needed where nothing leaves ({project.environment.name})"
        findings.append(Finding(f"provider {name}", unused or not missing, text))
    try:
        ledger = Ledger.open(project.environment.stores.ledger.resolve(secrets), desk.root)
    except OrchestratorError as problem:
        return [*findings, Finding("ledger", False, str(problem))]
    try:
        return [*findings, *_audience(desk, project, secrets), *_ledger(ledger, now)]
    finally:
        ledger.close()


def _audience(desk: Desk, project: config.Project, secrets: config.MachineSecrets) -> list[Finding]:
    try:
        counts = app.audience(app.Opened(desk.root, project, {}, secrets)).counts()
    except OrchestratorError as problem:
        return [Finding("audience", False, str(problem))]
    newest = f", the newest of {when(counts.newest)}" if counts.events else ""
    return [Finding("audience", True, f"{counts.profiles:,} people, {counts.events:,} events{newest}")]


def _ledger(ledger: Ledger, now: Instant) -> list[Finding]:
    findings = [Finding("ledger", True, f"{len(runs.listed(ledger.store, limit=1000))} runs")]
    for scope, until, reason in pace.pauses(ledger.store, now):
        end = "until somebody resumes it" if until >= NEVER else f"until {when(until)}"
        findings.append(Finding(f"pause {scope}", False, f"{reason or 'by hand'}, {end}: orchestrator resume {scope}"))
    for run in runs.listed(ledger.store, states=[RunState.WAITING]):
        text = f"{run.reason}; orchestrator resume {run.id} lets it go, orchestrator cancel {run.id} ends it"
        findings.append(Finding(f"run {run.id} of {run.campaign} waits for a person", False, text))
    return findings
