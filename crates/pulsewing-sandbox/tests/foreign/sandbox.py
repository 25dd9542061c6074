"""The sandbox as a process, its control calls, and the browser's part of a consent."""

import json
import os
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from datetime import datetime, timezone

REDIRECT = "http://127.0.0.1:8721/callback"
KEYSET = "/googlehealthapi/webhooks/webhooks_public_keyset.json"


class Sandbox:
    """A running sandbox; leaving the block stops it."""

    def __init__(self, program, csv, now, zone):
        self.directory = tempfile.TemporaryDirectory()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PULSEWING_")}
        command = [program, "sandbox", "--zone", zone, "--now", now]
        if csv is not None:
            recording = os.path.join(self.directory.name, "recording.csv")
            with open(recording, "w", encoding="utf-8") as file:
                file.write(csv)
            command += ["--data", recording]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{' '.join(command)} did not start")
        ready = json.loads(line)
        self.url, self.google, self.fitbit = ready["url"], ready["google"], ready["fitbit"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=10)
        self.directory.cleanup()

    def control(self, call, body=None):
        """Makes a control call; without a body it only asks."""
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"{self.url}/_sandbox/{call}", data=data, timeout=10) as reply:
            return json.load(reply)

    def advance(self, seconds):
        """Moves the clock forward."""
        self.control("clock", {"advance_s": seconds})

    @contextmanager
    def in_real_time(self):
        """Sets the clock to the computer's for a while."""
        before = self.control("clock")
        self.control("clock", {"now": f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%S}Z"})
        yield
        self.control("clock", before)

    def fault(self, route, action):
        """Has the next request of a route go wrong."""
        self.control("faults", [{"route": route, "do": action}])


def consent(address):
    """Goes to an authorization address as a browser does, and returns where the app is called back."""
    opener = urllib.request.build_opener(_StayHere)
    try:
        opener.open(f"{address}&auto=1", timeout=10)
    except urllib.error.HTTPError as reply:
        if reply.code == 302:
            return reply.headers["Location"]
        raise
    raise AssertionError("the consent page did not send the browser back")


def parameter(address, name):
    """Returns a query parameter."""
    return urllib.parse.parse_qs(urllib.parse.urlsplit(address).query)[name][0]


class _StayHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None
