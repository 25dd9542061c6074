"""Has programs that others wrote judge what a running daemon tells other programs.

    python drive.py --program target/debug/pulsewing --prometheus prometheus --promtool promtool

It wants the packages of requirements.txt and Debian's Prometheus. `cargo xtask numbers` runs it, in a virtual
environment below target/.
"""

import argparse
import os
import time

import influx
import openapi
import prometheus

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../.."))


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--program", required=True, help="the pulsewing program")
    arguments.add_argument("--prometheus", required=True, help="Prometheus")
    arguments.add_argument("--promtool", required=True, help="its tool")
    arguments.add_argument("--only", help="one of openapi, prometheus, influx")
    options = arguments.parse_args()
    program = os.path.abspath(options.program)
    tools = {"prometheus": options.prometheus, "promtool": options.promtool}
    checks = {
        "openapi": (lambda: openapi.check(program), "kinds of replies agree with the description"),
        "prometheus": (
            lambda: prometheus.check(program, tools, ROOT),
            "expressions were evaluated by Prometheus",
        ),
        "influx": (lambda: influx.check(program), "points were taken from the line protocol"),
    }
    for name, (check, words) in checks.items():
        if options.only in (None, name):
            started = time.monotonic()
            count = check()
            print(f"{name}: {count} {words} ({time.monotonic() - started:.1f} s)", flush=True)


if __name__ == "__main__":
    main()
