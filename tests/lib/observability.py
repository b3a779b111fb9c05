"""Checks for tests/alerts that promtool cannot do: the alert rules, the dashboard and docs/operate must be complete and
name the same metrics, runbooks and log lines. This script only reads files of this repository.

    observability.py alerts | dashboard | queries | metrics | pages
"""

import json
import re
import sys
from itertools import combinations
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
ALERTS = ROOT / "deploy/prometheus/alerts.yml"
ALERT_TESTS = ROOT / "deploy/prometheus/alerts_test.yml"
DASHBOARD = ROOT / "deploy/grafana/doorcode.json"
RUNBOOKS = ROOT / "docs/operate/runbooks.md"
METRICS = ROOT / "docs/operate/metrics.md"
PAGES = [*sorted((ROOT / "docs/operate").glob("*.md")), ROOT / "docs/administer.md"]
# Series that Prometheus adds, and labels that every series may have.
OF_PROMETHEUS = {"up": set(), "ALERTS": set()}
OF_ALL = {"job", "instance", "le", "alertname", "alertstate"}


def read(path):
    return path.read_text(encoding="utf-8")


def fail_on(wrong):
    """Prints the problems. Returns 1 if there are any, otherwise 0."""
    for each in wrong:
        print(each)
    return 1 if wrong else 0


def rules():
    """The name and the text of each alert in alerts.yml."""
    blocks = re.split(r"^ +- alert: ", read(ALERTS), flags=re.MULTILINE)[1:]
    return [(block.split(None, 1)[0], block) for block in blocks]


def anchors(page):
    """The link anchors of the headings of a Markdown page."""
    headings = re.findall(r"^#+ (.+)$", read(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def alerts():
    wrong, tests, known = [], read(ALERT_TESTS), anchors(RUNBOOKS)
    names = [name for name, _ in rules()]
    if len(names) < 20 or len(set(names)) < len(names):
        wrong.append(f"alerts.yml: found {len(names)} alerts with {len(set(names))} names")
    for name, text in rules():
        if not re.search(r"severity: (critical|warning)$", text, re.MULTILINE):
            wrong.append(f"{name}: severity must be critical or warning")
        wrong += [f"{name}: no {part}" for part in ("summary", "description") if not re.search(rf"^ +{part}: \S", text, re.MULTILINE)]
        book = re.search(r"runbook_url: docs/operate/runbooks\.md#(\S+)$", text, re.MULTILINE)
        if not book or book[1] not in known:
            wrong.append(f"{name}: docs/operate/runbooks.md has no such heading: {book and book[1]}")
        # alerts_test.yml writes each of these fields on one line.
        asked = re.findall(rf'alertname="{name}",alertstate="firing"\}}\', eval_time: \S+, exp_samples: (.*)\}}$', tests, re.MULTILINE)
        if not any(name in answer for answer in asked):
            wrong.append(f"{name}: no test in which it fires")
        if "[]" not in asked:
            wrong.append(f"{name}: no test in which it does not fire")
    return fail_on(wrong)


def panels():
    return json.loads(read(DASHBOARD))["panels"]


def overlap(one, other):
    a, b = one["gridPos"], other["gridPos"]
    return a["x"] < b["x"] + b["w"] and b["x"] < a["x"] + a["w"] and a["y"] < b["y"] + b["h"] and b["y"] < a["y"] + a["h"]


def dashboard():
    wrong, board, all_panels = [], json.loads(read(DASHBOARD)), panels()
    if board["schemaVersion"] < 38:
        wrong.append("the dashboard needs the schema of Grafana 10")
    variables = [(each["name"], each["type"]) for each in board["templating"]["list"]]
    if variables != [("datasource", "datasource"), ("job", "query"), ("instance", "query")]:
        wrong.append(f"variables: {variables}")
    ids = [panel["id"] for panel in all_panels]
    if len(ids) < 30 or len(set(ids)) < len(ids):
        wrong.append(f"{len(ids)} panels with {len(set(ids))} ids")
    for panel in all_panels:
        name = f"panel {panel['id']} ({panel.get('title')})"
        place = panel["gridPos"]
        if not panel.get("title"):
            wrong.append(f"{name}: no title")
        if place["x"] < 0 or place["w"] < 1 or place["h"] < 1 or place["x"] + place["w"] > 24:
            wrong.append(f"{name}: outside the 24 columns")
        if panel["type"] == "row":
            continue
        if not panel.get("description"):
            wrong.append(f"{name}: no description")
        if panel["datasource"]["uid"] != "${datasource}":
            wrong.append(f"{name}: does not use the chosen data source")
        targets = panel.get("targets", [])
        refs = [target.get("refId") for target in targets]
        if not targets or len(set(refs)) < len(refs):
            wrong.append(f"{name}: missing queries or duplicate refIds: {refs}")
        for target in targets:
            query = target.get("expr", "")
            selectors = re.findall(r"\b(?:(?:doorcode|process)_\w+|up)\b(\{[^}]*\})?", query)
            if not selectors or not all('job=~"$job",instance=~"$instance"' in each for each in selectors):
                wrong.append(f"{name}: a query that ignores the variables: {query}")
    for one, other in combinations(all_panels, 2):
        if overlap(one, other):
            wrong.append(f"panels {one['id']} and {other['id']} overlap")
    return fail_on(wrong)


def dashboard_queries():
    """Every query of the dashboard, with variables replaced in the way Grafana does."""
    board = json.loads(read(DASHBOARD))
    texts = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    texts += [annotation["expr"] for annotation in board["annotations"]["list"] if "expr" in annotation]
    values = {"$__rate_interval": "1m", "$__range": "3h", "$job": ".*", "$instance": ".*"}
    for variable, value in values.items():
        texts = [text.replace(variable, value) for text in texts]
    return texts


def queries():
    """Prints the queries as recording rules, so that promtool can parse them."""
    rules = [{"record": f"query:number{number}", "expr": text} for number, text in enumerate(dashboard_queries())]
    # JSON is valid YAML.
    print(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    return 0


def documented():
    """The documented metrics and their labels. Table cells: name, type, text with the labels in backticks."""
    rows = re.findall(r"^\| `(\w+)` \| (counter|gauge|histogram) \|([^|]*)\|", read(METRICS), re.MULTILINE)
    metrics = {}
    for name, kind, labels in rows:
        names = {name + suffix for suffix in ("_bucket", "_count", "_sum")} if kind == "histogram" else {name}
        # The values of a label follow it in parentheses.
        own = set(re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", labels)))
        metrics.update({each: own for each in names})
    return metrics


def metrics():
    known = {**documented(), **OF_PROMETHEUS}
    wrong = [] if len(known) > 30 else [f"docs/operate/metrics.md: the table has only {len(known)} metrics"]
    expressions = []
    for _, text in rules():
        found = re.search(r"expr: (\|\n(?:          .*\n)+|.*\n)", text)
        expressions.append(found[1])
    series = re.findall(r"series: '([^']+)'", read(ALERT_TESTS))
    used = set()
    for text in expressions + dashboard_queries() + series:
        # Metric names start with a known prefix, or are series of Prometheus itself.
        for name, _, matchers in re.findall(r"\b((?:doorcode|process)_\w+|up|ALERTS)\b(\{([^}]*)\})?", text):
            used.add(name)
            if name not in known:
                wrong.append(f"{name} is not documented: {text.strip()}")
                continue
            labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", re.sub(r'"[^"]*"', "", matchers)))
            for label in labels - known[name] - OF_ALL:
                wrong.append(f"{name} has no label {label}: {text.strip()}")
    idle = sorted(name for name in documented() if name not in used and not name.endswith(("_sum", "_count", "_bucket")))
    wrong += [f"{name} is documented, but no alert or panel uses it" for name in idle]
    return fail_on(wrong)


def pages():
    """Checks that the files, headings and log lines that the pages name exist."""
    wrong = []
    for page in PAGES:
        name, text = page.relative_to(ROOT), read(page)
        for path in sorted(set(re.findall(r"`((?:deploy|docs|src|tests|migration|examples)/[\w./-]*)`", text))):
            if not (ROOT / path).exists():
                wrong.append(f"{name}: no such file: {path}")
        for target in sorted(set(re.findall(r"\]\(([^)\s]+)\)", text))):
            if "://" in target:
                continue
            file, _, anchor = target.partition("#")
            linked = page.parent / file if file else page
            if not linked.exists():
                wrong.append(f"{name}: no such file: {target}")
            elif anchor and anchor not in anchors(linked):
                wrong.append(f"{name}: no such heading: {target}")
    source = "".join(read(file) for file in (ROOT / "src").rglob("*.rs"))
    rows = read(METRICS).split("| line | means |", 1)[1].split("\n\n", 1)[0]
    lines = re.findall(r"`([^`]+)`", "".join(row.split("|")[1] for row in rows.splitlines()[2:]))
    wrong += [f"nothing logs this line: {line}" for line in lines if f'"{line}"' not in source and f'"{line}:' not in source]
    return fail_on(wrong)


if __name__ == "__main__":
    sys.exit({"alerts": alerts, "dashboard": dashboard, "queries": queries, "metrics": metrics, "pages": pages}[sys.argv[1]]())
