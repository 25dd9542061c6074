"""Has a daemon copy its minutes to a recorder that plays InfluxDB, with faults."""

import csv
import http.server
import io
import json
import sys
import threading
import time
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

from line_protocol_parser import LineFormatError, parse_line

from stage import Stage, until

NOW = "2026-11-22T14:07:00Z"
TOKEN = "a-token-that-nobody-may-see=="
# An import of so many days, long before those that the daemon fetches.
IMPORTED = 12
FIRST_OF_IMPORT = datetime(2026, 8, 1, tzinfo=timezone.utc)
LAST_OF_IMPORT = (FIRST_OF_IMPORT + timedelta(days=IMPORTED)).timestamp()


def check(program):
    """Returns how many points were judged."""
    the_parser_finds_what_is_wrong()
    with Recorder() as recorder:
        settings = (
            f'[influx]\nurl = "{recorder.url}"\norg = "my home"\nbucket = "pulse"\ntoken_file = "influx.token"\n'
            '[history]\nkeep = "400 days"\n'
        )
        with Stage(program, NOW, wearers=("anna", "ben")) as stage:
            with open(f"{stage.home}/influx.token", "w", encoding="utf-8") as file:
                file.write(TOKEN + "\n")
            for wearer in stage.wearers:
                stage.sign_in(wearer)
            # A stretch of the past that nobody fetches: the daemon is told of it by an import.
            with open(f"{stage.home}/past.csv", "w", encoding="utf-8") as file:
                file.write(past())
            stage.configure(settings)
            the_daemon_does_not_wait(stage, recorder)
            what_the_server_takes_is_what_the_history_has(stage, recorder)
            a_restart_goes_on(stage, recorder)
            said = "".join(program.text() for program in stage.running)
            assert TOKEN not in said, "the token was logged"
            assert said.count("nothing is lost, they are sent later") >= 3, said
        return len(recorder.points)


def past():
    """Returns minutes of many days before, in the form of an export."""
    minutes = ((FIRST_OF_IMPORT + timedelta(minutes=n), 60 + n % 37) for n in range(IMPORTED * 1_440))
    return "time,bpm\n" + "".join(f"{at:%Y-%m-%dT%H:%M:%S}+00:00,{bpm}\n" for at, bpm in minutes)


def the_daemon_does_not_wait(stage, recorder):
    """While the server stalls, both wearers are updated and asked again."""
    recorder.faults = ["stall"]
    began = time.monotonic()
    daemon = stage.daemon()
    for _ in stage.wearers:
        daemon.line("stderr", "updated bpm=")
    until("the first batch", lambda: recorder.requests)
    daemon.line("stderr", "fetched a past day")
    assert time.monotonic() - began < 25, "a cycle waited for InfluxDB"
    assert not recorder.points
    recorder.release()
    assert daemon.stop() == 0


def what_the_server_takes_is_what_the_history_has(stage, recorder):
    """After an import, and through faults: every minute, each with its own time."""
    stage.run("import", "--wearer", "anna", f"{stage.home}/past.csv")
    recorder.faults = ["401", None, "503", None, "half", None, "close"]
    daemon = stage.daemon()
    for words in ("401: unauthorized", "503", "the connection was lost"):
        daemon.line("stderr", words)
    for wearer in stage.wearers:
        wanted = until(wearer, lambda: has_all(stage, recorder, wearer), patience=30)
        assert wearer == "ben" or len(wanted) > IMPORTED * 1_440
    assert daemon.stop() == 0
    for wearer in stage.wearers:
        more = recorder.of(wearer).items() - exported(stage, wearer).items()
        assert not more, f"the history of {wearer} has no {list(more)[:3]}"
    assert recorder.most_lines < 6_000, recorder.most_lines


def has_all(stage, recorder, wearer):
    """Returns the minutes of a history, if all of them were sent."""
    wanted = exported(stage, wearer)
    return wanted.items() <= recorder.of(wearer).items() and wanted


def a_restart_goes_on(stage, recorder):
    """What was sent more than an hour before the last change is not sent again, and what is new is."""
    for stage.now in ("2026-11-22T16:20:00Z", "2026-11-22T18:40:00Z"):
        recorder.lines = recorder.old_lines = 0
        daemon = stage.daemon()
        for _ in range(2):
            daemon.line("stderr", "fetched a past day")
        # The days that changed first come first.
        until("the newest change", lambda: cursor(stage, "anna") > stage.now)
        daemon.stop()
    assert recorder.lines > 0
    assert recorder.old_lines == 0, f"{recorder.old_lines} points were sent again"


def cursor(stage, wearer):
    """Returns the time up to which changes were sent."""
    with open(f"{stage.home}/pulsewing/{wearer}/influx.json", encoding="utf-8") as file:
        return json.load(file)["changed_at"]


def exported(stage, wearer):
    """Returns the minutes of a history, as the program itself prints them."""
    rows = csv.DictReader(io.StringIO(stage.run("export", "--wearer", wearer)))
    minutes = {}
    for row in rows:
        at = datetime.fromisoformat(f"{row['time'].replace(' ', 'T')}{row['offset']}")
        minutes[int(at.timestamp())] = int(row["bpm"])
    return minutes


class Server(http.server.ThreadingHTTPServer):
    """A server whose clients may go away at any time."""

    daemon_threads = True

    def handle_error(self, request, client_address):
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError):
            super().handle_error(request, client_address)


class Recorder:
    """An InfluxDB that keeps the points it gets. Each of `faults` goes wrong once, in this order."""

    def __init__(self):
        self.points, self.faults, self.requests = {}, [], 0
        self.lines = self.old_lines = self.most_lines = 0
        self.trouble = []
        self._released = threading.Event()
        recorder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                recorder.take(self)

            def log_message(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.release()
        self.server.shutdown()
        if kind is None:
            assert not self.trouble, self.trouble[:3]

    def of(self, wearer):
        """Returns the minutes of a wearer."""
        return {at: bpm for (whose, at), bpm in list(self.points.items()) if whose == wearer}

    def release(self):
        self._released.set()

    def take(self, request):
        body = request.rfile.read(int(request.headers["Content-Length"])).decode()
        self.requests += 1
        fault = self.faults.pop(0) if self.faults else None
        if fault == "stall":
            self._released.wait()
            request.close_connection = True
        elif fault == "close":
            request.close_connection = True
        elif fault == "half":
            request.wfile.write(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 100\r\n\r\n{")
            request.close_connection = True
        elif fault == "401":
            self.reply(request, 401, '{"code":"unauthorized","message":"unauthorized access"}')
        elif fault == "503":
            self.reply(request, 503, "", ("Retry-After", "1"))
        else:
            try:
                self.keep(request, body)
                self.reply(request, 204, "")
            except (AssertionError, LineFormatError, KeyError, ValueError) as error:
                self.trouble.append(repr(error))
                self.reply(request, 400, '{"message":"the recorder found something"}')

    def reply(self, request, code, body, *headers):
        request.send_response(code)
        for name, value in headers:
            request.send_header(name, value)
        if code != 204:
            request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body.encode())

    def keep(self, request, body):
        address = urlsplit(request.path)
        assert address.path == "/api/v2/write", request.path
        asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        assert asked == {"org": "my home", "bucket": "pulse", "precision": "s"}, asked
        assert request.headers["Authorization"] == f"Token {TOKEN}"
        assert body.endswith("\n")
        lines = body.splitlines()
        for line in lines:
            point = parse_line(line)
            assert point["measurement"] == "heart_rate", line
            assert point["tags"].keys() == {"wearer"} and point["fields"].keys() == {"bpm"}, line
            bpm, at = point["fields"]["bpm"], point["time"]
            assert isinstance(bpm, int) and 20 <= bpm <= 300, line
            assert at % 60 == 0 and 1_700_000_000 < at < 1_900_000_000, line
            self.points[point["tags"]["wearer"], at] = bpm
            self.old_lines += at < LAST_OF_IMPORT
        self.lines += len(lines)
        self.most_lines = max(self.most_lines, len(lines))


def the_parser_finds_what_is_wrong():
    for line in ("heart_rate bpm", "heart_rate,wearer= bpm=1i 1", "heart_rate,wearer=a bpm=1i x"):
        try:
            parse_line(line)
        except LineFormatError:
            continue
        raise AssertionError(f"the parser accepts {line}")
