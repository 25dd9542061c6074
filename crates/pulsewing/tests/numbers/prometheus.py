"""Has Prometheus scrape a running daemon, and evaluate everything in integrations/."""

import json
import re
import socket
import subprocess
import tempfile
from datetime import datetime, timezone

import requests
import yaml

from stage import Stage, until

DASHBOARD = "integrations/grafana/pulsewing.json"
RULES = "integrations/prometheus/pulsewing.rules.yml"
TESTS = "integrations/prometheus/pulsewing.rules.test.yml"
GUIDE = "docs/grafana.md"

# Nothing listens there: a message that cannot be sent is counted as well.
SETTINGS = """
[history]
keep = "2 days"
[[alarms.send]]
to = "ntfy"
url = "http://127.0.0.1:9"
topic = "pulse"
"""

# What promtool remarks on. These count minutes and days; they are no durations.
REMARKS = {
    'pulsewing_logged_minutes use base unit "seconds" instead of "minutes"',
    'pulsewing_history_days use base unit "seconds" instead of "days"',
}

# What Grafana puts in the place of its variables.
VARIABLES = {"$wearer": ".*", "$__rate_interval": "4m"}

# A metric with its matchers.
SELECTOR = re.compile(r"\bpulsewing_[a-z_]+(?:\{[^}]*\})?")


def check(program, tools, root):
    """Returns how many expressions were evaluated."""
    promtool = tools["promtool"]
    run([promtool, "check", "rules", f"{root}/{RULES}"])
    run([promtool, "test", "rules", f"{root}/{TESTS}"])
    the_guides_example_is_right(promtool, root)
    # Prometheus compares times with the machine's clock, so all of it has that one.
    now = f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%S}Z"
    with Stage(program, now, wearers=("anna", "ben"), settings=SETTINGS) as stage:
        stage.sign_in("anna")
        daemon = stage.daemon()
        daemon.line("stderr", "updated bpm=")
        metrics = requests.get(f"{daemon.url}/metrics", timeout=10).text
        the_metrics_are_right(promtool, metrics)
        with Prometheus(stage, tools, root, daemon) as prometheus:
            count = prometheus.evaluates_everything()
            # Another state has the same series.
            stage.sign_in("ben")
            daemon.line("stderr", "updated bpm=")
            later = requests.get(f"{daemon.url}/metrics", timeout=10).text
            assert series(metrics) == series(later), series(metrics) ^ series(later)
        daemon.stop()
    return count


def run(command, **how):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, **how)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


def series(metrics):
    lines = (line for line in metrics.splitlines() if not line.startswith("#"))
    return {line.rsplit(" ", 1)[0] for line in lines}


def the_metrics_are_right(promtool, metrics):
    check = [promtool, "check", "metrics"]
    done = subprocess.run(check, input=metrics, capture_output=True, text=True, timeout=60)
    remarks = set(done.stderr.splitlines())
    assert remarks <= REMARKS, remarks - REMARKS
    assert (done.returncode == 0) == (not remarks), done
    broken = subprocess.run(check, input="pulsewing_up{ 1\n", capture_output=True, text=True, timeout=60)
    assert broken.returncode != 0, "promtool accepts anything"


def the_guides_example_is_right(promtool, root):
    """The first YAML in the guide is a part of a configuration of Prometheus."""
    with open(f"{root}/{GUIDE}", encoding="utf-8") as file:
        example = file.read().split("```yaml\n")[1].split("```")[0]
    with tempfile.TemporaryDirectory() as directory:
        with open(f"{directory}/prometheus.yml", "w", encoding="utf-8") as file:
            file.write(example)
        with open(f"{root}/{RULES}", encoding="utf-8") as rules:
            with open(f"{directory}/pulsewing.rules.yml", "w", encoding="utf-8") as file:
                file.write(rules.read())
        assert "1 rule files found" in run([promtool, "check", "config", f"{directory}/prometheus.yml"])


class Prometheus:
    """A Prometheus that scrapes a daemon every second. Leaving the block stops it."""

    def __init__(self, stage, tools, root, daemon):
        self.root = root
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{free.getsockname()[1]}"
        self.url = f"http://{address}/api/v1"
        with open(f"{stage.home}/prometheus.yml", "w", encoding="utf-8") as file:
            yaml.safe_dump(
                {
                    "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
                    "rule_files": [f"{root}/{RULES}"],
                    "scrape_configs": [
                        {
                            "job_name": "pulsewing",
                            "static_configs": [{"targets": [daemon.url.removeprefix("http://")]}],
                        }
                    ],
                },
                file,
            )
        self.program = stage.start(
            [
                tools["prometheus"],
                f"--config.file={stage.home}/prometheus.yml",
                f"--storage.tsdb.path={stage.home}/prometheus",
                f"--web.listen-address={address}",
            ]
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.program.stop()

    def query(self, expression):
        """Returns the result of an expression at this moment."""
        reply = requests.get(f"{self.url}/query", params={"query": expression}, timeout=10).json()
        assert reply["status"] == "success", f"{expression}: {reply}"
        return reply["data"]["result"]

    def evaluates_everything(self):
        # A rate needs more than one scrape.
        enough = 'min(count_over_time(up{job="pulsewing"}[1m])) >= 3'
        until("three scrapes", lambda: self.answers() and self.query(enough))
        with open(f"{self.root}/{DASHBOARD}", encoding="utf-8") as file:
            dashboard = json.load(file)
        shown = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
        with open(f"{self.root}/{RULES}", encoding="utf-8") as file:
            groups = yaml.safe_load(file)["groups"]
        alerts = [rule["expr"] for group in groups for rule in group["rules"]]
        for expression in shown + alerts:
            self.has_its_series(grafana(expression))
        # A panel has something to show, unless it shows only what is wrong.
        for expression in map(grafana, shown):
            if "> 0" not in expression:
                shown_of = {each["metric"].get("wearer") for each in self.query(expression)}
                assert shown_of in ({"anna", "ben"}, {None}), f"{shown_of}: {expression}"
        self.the_variable_lists_the_wearers(dashboard)
        self.the_rules_are_evaluated(len(alerts))
        return len(shown) + len(alerts)

    def answers(self):
        try:
            return requests.get(f"{self.url}/query", params={"query": "1"}, timeout=10).ok
        except requests.ConnectionError:
            return False

    def has_its_series(self, expression):
        """Every metric with its matchers selects something: a name or a label that is misspelt would not."""
        self.query(expression)
        selectors = SELECTOR.findall(expression)
        assert selectors, expression
        for selector in selectors:
            assert self.query(selector), f"nothing has {selector}: {expression}"

    def the_variable_lists_the_wearers(self, dashboard):
        (variable,) = dashboard["templating"]["list"]
        metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]["query"]).groups()
        values = requests.get(f"{self.url}/label/{label}/values", params={"match[]": metric}, timeout=10).json()
        assert values["data"] == ["anna", "ben"], values

    def the_rules_are_evaluated(self, count):
        def evaluated():
            groups = requests.get(f"{self.url}/rules", timeout=10).json()["data"]["groups"]
            rules = [rule for group in groups for rule in group["rules"]]
            return len(rules) == count and all(rule["health"] != "unknown" for rule in rules) and rules

        rules = until("the rules", evaluated)
        assert all(rule["health"] == "ok" for rule in rules), rules
        # Ben has not signed in, which is an alarm of its own, too; and nothing else is wrong.
        active = {rule["name"]: rule["alerts"] for rule in rules if rule["alerts"]}
        (alert,) = active.pop("PulsewingSignInNeeded")
        assert alert["labels"]["wearer"] == "ben" and alert["state"] == "pending", alert
        for name, alerts in active.items():
            assert name in {"PulsewingAlarm", "PulsewingUrgentAlarm", "PulsewingSignalsFail"}, active
            assert all(alert["labels"].get("wearer", "ben") == "ben" for alert in alerts), active


def grafana(expression):
    """Returns an expression as Grafana sends it."""
    for variable, value in VARIABLES.items():
        expression = expression.replace(variable, value)
    assert "$" not in expression, expression
    return expression
