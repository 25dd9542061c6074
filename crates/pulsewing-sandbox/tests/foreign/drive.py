"""Holds clients that others wrote against the sandbox.

    python drive.py --program target/debug/pulsewing

It wants the packages of requirements.txt and signatures.txt. `cargo xtask test` runs it, in a virtual environment below target/.
"""

import argparse
import copy
import os
import time

# Both OAuth libraries refuse http otherwise, even to this computer.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

# These bring the libraries with them, which read the variable above.
import discovery  # noqa: E402
import fitbit_client  # noqa: E402
import google_client  # noqa: E402
import webhook_client  # noqa: E402
from sandbox import Sandbox  # noqa: E402
from wearer import NOW, ZONE, Wearer, rfc3339  # noqa: E402


def main():
    """Runs the clients one after the other, each against a sandbox of its own."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--program", required=True, help="the pulsewing program")
    program = arguments.parse_args().program
    the_validator_finds_what_is_wrong()
    wearer = Wearer()
    csv = wearer.csv()
    print(f"recording: {len(wearer.samples)} samples, {len(wearer.windows(60))} minutes today")
    started = time.monotonic()
    with Sandbox(program, csv, rfc3339(NOW), ZONE.key) as sandbox:
        checked, compressed = google_client.check(sandbox, wearer)
    print(
        f"google-api-python-client: agrees; {checked} replies hold against the discovery document, "
        f"{compressed} of them came compressed ({time.monotonic() - started:.1f} s)"
    )
    started = time.monotonic()
    with Sandbox(program, csv, rfc3339(NOW), ZONE.key) as sandbox:
        refreshed = fitbit_client.check(sandbox, wearer)
    print(f"fitbit: agrees; refreshed {refreshed} times ({time.monotonic() - started:.1f} s)")
    started = time.monotonic()
    with Sandbox(program, None, rfc3339(NOW), ZONE.key) as sandbox:
        verified = webhook_client.check(sandbox)
    print(f"google-health-api: agrees; verified {verified} signatures ({time.monotonic() - started:.1f} s)")


def the_validator_finds_what_is_wrong():
    """Breaks a good reply in every way that matters, and sees each found."""
    document = discovery.Document(discovery.load())
    good = {
        "dataPoints": [
            {
                "dataSource": {"platform": "FITBIT", "device": {"displayName": "Charge 6"}},
                "heartRate": {
                    "beatsPerMinute": "63",
                    "sampleTime": {
                        "physicalTime": "2026-11-22T07:01:05Z",
                        "utcOffset": "3600s",
                        "civilTime": {"date": {"year": 2026}, "time": {"hours": 8}},
                    },
                },
            }
        ],
        "nextPageToken": "",
    }
    assert document.problems(good, "ListDataPointsResponse") == []

    def broken(change):
        reply = copy.deepcopy(good)
        change(reply["dataPoints"][0])
        return document.problems(reply, "ListDataPointsResponse")

    def put(*path, value):
        def change(point):
            for name in path[:-1]:
                point = point[name]
            point[path[-1]] = value

        return change

    time_of = ("heartRate", "sampleTime")
    for change in (
        put("heartRate", "beatsPerMinute", value=63),
        put("heartRate", "beatsPerMinute", value="63.0"),
        put("heartRate", "bpm", value="63"),
        put("dataSource", "platform", value="GARMIN"),
        put(*time_of, "physicalTime", value="2026-11-22T08:01:05+01:00"),
        put(*time_of, "utcOffset", value="3600"),
        put(*time_of, "civilTime", "time", "minutes", value=0),
        put(*time_of, "civilTime", "time", "minutes", value=1.5),
        put("heartRate", value=["63"]),
    ):
        assert len(broken(change)) == 1, broken(change)


if __name__ == "__main__":
    main()
