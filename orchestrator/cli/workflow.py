"""The workflow for GitHub that `init` writes: checks and tests every pull request, and says under it what the change does."""

import json
from importlib.metadata import PackageNotFoundError, distribution

PACKAGE = "messaging-orchestrator"
PLACE = ".github/workflows/campaigns.yml"

WORKFLOW = """\
# Checks and tests every pull request, and says under it what it changes: people, messages, words.
name: campaigns
on:
  pull_request:
    paths: [config/**, templates/**, lists/**, personas/**]
permissions: {contents: read, pull-requests: write}
env:
@SOURCE@

jobs:
  check:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with: {python-version: "3.12"}
      - run: pip install "@ORCHESTRATOR@"
      - run: orchestrator check
      - run: orchestrator test --junit test-results.xml

  # Counting people needs a machine that has them: a runner of your own, named in the repository's variable
  # ORCHESTRATOR_RUNNER, with the project's data/ folder where ORCHESTRATOR_DATA says. Without one the report has words only.
  # Pull requests from forks are left out: what is in them would run beside your people's data.
  review:
    if: github.event.pull_request.head.repo.full_name == github.repository
    needs: check
    runs-on: ${{ vars.ORCHESTRATOR_RUNNER || 'ubuntu-latest' }}
    env:
      BASE: origin/${{ github.base_ref }}
      DATA: ${{ vars.ORCHESTRATOR_DATA }}
    steps:
      - uses: actions/checkout@v4
        with: {fetch-depth: 0}
      - run: python3 -m venv .venv && .venv/bin/pip install "@ORCHESTRATOR@"
      - run: if [ -n "$DATA" ]; then ln -s "$DATA" data; fi
      - run: .venv/bin/orchestrator plan --diff "$BASE" --report report/campaigns.md
      - run: cat report/campaigns.md >> "$GITHUB_STEP_SUMMARY"
      - uses: actions/upload-artifact@v4
        with: {name: campaigns, path: report}
      - uses: actions/github-script@v7
        with:
          script: |
            const mark = '<!-- campaigns -->', { owner, repo } = context.repo, issue_number = context.issue.number
            const run = `${context.serverUrl}/${owner}/${repo}/actions/runs/${context.runId}#artifacts`
            // A comment holds no files: its pictures are in the run's artifact.
            const report = require('fs').readFileSync('report/campaigns.md', 'utf8')
            const body = mark + report.replace(/!\\[(\\w+)\\]\\([^)]*\\)/g, `[$1](${run})`).slice(0, 65000)
            const comments = await github.paginate(github.rest.issues.listComments, { owner, repo, issue_number })
            const mine = comments.find(one => one.body.startsWith(mark))
            if (mine) await github.rest.issues.updateComment({ owner, repo, comment_id: mine.id, body })
            else await github.rest.issues.createComment({ owner, repo, issue_number, body })
"""
_KNOWN = "  ORCHESTRATOR: {source}  # what pip installs: the same as where this project was made"
_UNKNOWN = """\
  # TO FILL IN: what pip installs. This project was made with a copy of Orchestrator that only its own machine has. Name a
  # release you trust, git+https://HOST/REPOSITORY@COMMIT, or the address of a wheel; until then the jobs fail and say so.
  ORCHESTRATOR: ''
"""


def workflow(source: str) -> str:
    """The workflow's text; `source` is what pip installs, empty where nobody knows."""
    said = _KNOWN.format(source=json.dumps(source)) if source else _UNKNOWN.rstrip()
    needed = f"${{ORCHESTRATOR:?say in {PLACE} what pip installs}}"
    return WORKFLOW.replace("@SOURCE@", said).replace("@ORCHESTRATOR@", needed)


def installed_from() -> str:
    """What pip is to be told so that it installs the same again; empty for a copy that only this machine has."""
    try:
        found = distribution(PACKAGE)
    except PackageNotFoundError:
        return ""
    return source_of(found.version, found.read_text("direct_url.json"))


def source_of(version: str, direct_url: str | None) -> str:
    """The same by what pip noted down (`direct_url.json`): nothing of what an index gave it, else the address."""
    if direct_url is None:
        return f"{PACKAGE}=={version}"
    told = json.loads(direct_url)
    url, git = told["url"], told.get("vcs_info")
    if url.startswith("file:"):
        return ""
    return f"{PACKAGE} @ " + (f"{git['vcs']}+{url}@{git['commit_id']}" if git else url)
