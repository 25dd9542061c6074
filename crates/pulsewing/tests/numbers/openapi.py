"""Holds the API's description against the OpenAPI specification, and real replies against the description."""

import copy
import json

import requests
from openapi_core import OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest, RequestsOpenAPIResponse
from openapi_core.exceptions import OpenAPIError
from openapi_spec_validator import OpenAPIV31SpecValidator

from stage import Stage

NOW = "2026-11-22T14:07:00Z"
PASSPHRASE = "correct horse"
SETTINGS = f'[web]\npassphrase = "{PASSPHRASE}"\n[history]\nkeep = "2 days"\n'

# The call that takes samples needs a token of its own and bodies: the end-to-end tests make it.
SAMPLES = "/samples"

# What a test cannot bring about at will: a damaged history, a loop that hangs, ten wrong passphrases.
NOT_SEEN = {"429", "500", "503"}

METHODS = {"get", "post", "put", "patch", "delete"}

# What stands in the place of the parameters in a path.
VALUES = {"{wearer}": "default", "{date}": "2026-11-22", "{kind}": "stale", "/snooze": "/snooze?minutes=30"}


def check(program):
    """Returns how many replies agree."""
    seen = set()
    with Stage(program, NOW, settings=SETTINGS) as stage:
        daemon = stage.daemon()
        judge = Judge(daemon.url, seen)
        # Nobody has signed in: most of it is null.
        daemon.line("stderr", "sign in")
        judge.answers("/api/v1/now", 200)
        stage.sign_in()
        daemon.line("stderr", "updated bpm=")
        every_call(judge, VALUES, 200)
        every_call(judge, VALUES, 204)
        # By now a snooze is in the log of alarms.
        every_call(judge, VALUES, 200)
        for base in ("/api/v1", "/api/v1/wearers/default"):
            judge.answers(f"{base}/days/2001-01-01", 404)
            judge.answers(f"{base}/days?from=yesterday", 400)
            judge.answers(f"{base}/days/today", 400)
            for minutes in ("", "?minutes=0", "?minutes=-1", "?minutes=30&level=loud"):
                judge.answers(f"{base}/alarms/high/snooze{minutes}", 400, method="post")
            for what in ("snooze?minutes=30", "acknowledge"):
                judge.answers(f"{base}/alarms/hunger/{what}", 404, method="post")
        every_call(judge, VALUES, 401, auth=None)
        elsewhere = {"Sec-Fetch-Site": "cross-site"}
        every_call(judge, VALUES, 403, headers=elsewhere)
        stranger = {"Host": "evil.example"}
        every_call(judge, VALUES, 421, headers=stranger)
        daemon.stop()
    with Stage(program, NOW, wearers=("anna", "ben"), settings=SETTINGS) as stage:
        stage.sign_in("anna")
        daemon = stage.daemon()
        judge = Judge(daemon.url, seen)
        daemon.line("stderr", "updated bpm=")
        judge.answers("/api/v1/wearers", 200)
        judge.answers("/api/v1/wearers/ben/now", 200)
        judge.answers("/api/v1/wearers/ben/alarms", 200)
        for call in ("now", "days", "days/2026-11-22", "events", "alarms"):
            judge.answers(f"/api/v1/{call}", 404)
            judge.answers(f"/api/v1/wearers/cleo/{call}", 404)
        daemon.stop()
    judge.nothing_is_left_out()
    return len(seen)


def every_call(judge, values, status, **how):
    """Makes every call that may answer with this status."""
    for path, item in judge.document["paths"].items():
        if path.endswith(SAMPLES):
            continue
        for method in METHODS & item.keys():
            if str(status) in item[method]["responses"]:
                address = path
                for name, value in values.items():
                    address = address.replace(name, value)
                judge.answers(address, status, method=method, **how)


class Judge:
    """Compares replies with the description that the daemon itself serves."""

    def __init__(self, url, seen):
        self.url, self.seen = url, seen
        reply = requests.get(f"{url}/api/v1/openapi.json", auth=("any", PASSPHRASE), timeout=10)
        assert reply.status_code == 200, reply.text
        self.document = reply.json()
        OpenAPIV31SpecValidator(self.document).validate()
        strict = closed(self.document)
        strict["servers"] = [{"url": url}]
        self.api = OpenAPI.from_dict(strict)
        a_reply_that_differs_is_found(self.api, url)

    def answers(self, address, status, method="get", auth=("any", PASSPHRASE), headers=None):
        """Makes a call, and compares its reply."""
        request = requests.Request(method.upper(), self.url + address, auth=auth, headers=dict(headers or {}))
        with requests.Session() as session:
            session.trust_env = False
            # A stream that should have been an error never ends.
            reply = session.send(request.prepare(), stream=True, timeout=10)
            assert reply.status_code == status, f"{address}: {reply.status_code} in place of {status}"
            if address.endswith("/events") and status == 200:
                reply = self.first_event(reply, address)
            # The host in the request is what the description is looked up with.
            request.headers.pop("Host", None)
            self.compare(request, reply, address)
        self.seen.add((method, self.path_of(address.split("?")[0]), str(status)))

    def compare(self, request, reply, address):
        try:
            self.api.validate_response(RequestsOpenAPIRequest(request), RequestsOpenAPIResponse(reply))
        except OpenAPIError as error:
            raise AssertionError(f"{address}: {describe(error)}\n{reply.text[:2000]}") from error

    def first_event(self, reply, address):
        """Compares the first event with the call of its name, and returns the reply with it alone."""
        assert reply.headers["Content-Type"] == "text/event-stream", reply.headers
        lines = reply.iter_lines(decode_unicode=True)
        event = [next(lines), next(lines)]
        assert event[0] == "event: now", event
        as_call = requests.Request("GET", self.url + address.removesuffix("events") + "now")
        now = made("application/json", event[1].removeprefix("data: "))
        self.compare(as_call, now, address)
        return made("text/event-stream", "\n".join(event))

    def path_of(self, address):
        parts = address.split("/")
        found = [
            path
            for path in self.document["paths"]
            if len(path.split("/")) == len(parts)
            and all(a == b or a.startswith("{") for a, b in zip(path.split("/"), parts, strict=True))
        ]
        return min(found, key=lambda path: path.count("{"))

    def nothing_is_left_out(self):
        """Every answer in the description was seen, except those that cannot be brought about."""
        for path, item in self.document["paths"].items():
            if path.endswith(SAMPLES):
                continue
            for method in METHODS & item.keys():
                for status in item[method]["responses"]:
                    is_seen = (method, path, status) in self.seen
                    assert is_seen or status in NOT_SEEN, f"{method} {path} {status} was not tried"


def closed(document):
    """Returns a copy in which an object has only the fields that are described: readers must expect new ones,
    but they must not come without a description."""
    document = copy.deepcopy(document)
    for schema in document["components"]["schemas"].values():
        if "properties" in schema:
            schema["additionalProperties"] = False
    return document


def a_reply_that_differs_is_found(api, url):
    """The judge can say no."""
    request = requests.Request("GET", f"{url}/api/v1/health")
    for body in ({"status": "ok"}, {"status": "ok", "late_loops": 0, "more": 1}, {"status": "ok", "late_loops": "0"}):
        reply = made("application/json", json.dumps(body))
        try:
            api.validate_response(RequestsOpenAPIRequest(request), RequestsOpenAPIResponse(reply))
        except OpenAPIError:
            continue
        raise AssertionError(f"{body} was accepted")


def made(kind, body):
    """Returns a reply that was not sent like this."""
    reply = requests.Response()
    reply.status_code = 200
    reply.headers["Content-Type"] = kind
    reply._content = body.encode()
    return reply


def describe(error):
    """Returns the causes of an error in one line."""
    words = []
    while error is not None:
        words.append(str(error))
        words += [str(cause) for cause in getattr(error, "schema_errors", [])]
        error = error.__cause__
    return "; ".join(words)
