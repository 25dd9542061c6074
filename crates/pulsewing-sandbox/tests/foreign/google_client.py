"""Google's own clients against the Google Health stand-in."""

import json
import re
import urllib.parse
from datetime import datetime, timedelta
from fractions import Fraction

import httplib2
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import AuthorizedSession
from google_auth_httplib2 import AuthorizedHttp
from google_auth_oauthlib.flow import Flow
from googleapiclient.discovery import build_from_document
from googleapiclient.errors import HttpError

import discovery
from sandbox import REDIRECT, consent
from wearer import DAY, LAST_SYNC, ZONE, local_midnight, rfc3339

SCOPE = "https://www.googleapis.com/auth/googlehealth.{}.readonly"
SCOPES = [
    SCOPE.format(name)
    for name in (
        "health_metrics_and_measurements",
        "settings",
        "profile",
        "activity_and_fitness",
        "sleep",
        "nutrition",
        "ecg",
        "irn",
        "mindfulness",
        "logged_symptoms",
        "reproductive_health",
    )
]
# What sign-ins ask for beside: who it is.
WHO = ["openid", "https://www.googleapis.com/auth/userinfo.email", "https://www.googleapis.com/auth/userinfo.profile"]
HEART = "users/me/dataTypes/heart-rate"
WEARABLES = "users/me/dataSourceFamilies/google-wearables"


class Watched(httplib2.Http):
    """HTTP that holds every reply of the API against the discovery document."""

    def __init__(self, document):
        super().__init__(timeout=30)
        self.document = document
        self.checked = 0
        self.compressed = 0
        self.statuses = []

    def request(self, uri, method="GET", *args, **kwargs):
        """Sends a request, as httplib2 does, and checks the reply."""
        response, content = super().request(uri, method, *args, **kwargs)
        self.statuses.append(response.status)
        # httplib2 unpacks, and leaves this behind.
        self.compressed += response.get("-content-encoding") == "gzip"
        path = urllib.parse.unquote(urllib.parse.urlsplit(uri).path)
        if path.startswith("/v4/"):
            self._check(method, path, response.status, json.loads(content))
        return response, content

    def _check(self, method, path, status, body):
        if status == 200:
            schema = self.document.method(method, path)["response"]["$ref"]
            problems = self.document.problems(body, schema)
        else:
            error = body["error"]
            problems = [] if error["code"] == status else [f"code {error['code']} with status {status}"]
            known = {"code", "message", "status", "details"}
            problems += [f"error.{name} is not known" for name in error.keys() - known]
            # An error is a google.rpc.Status with one member more.
            as_status = {name: member for name, member in error.items() if name != "status"}
            problems += self.document.problems(as_status, "Status")
        if problems:
            raise AssertionError(f"{method} {path}: {problems[:5]}")
        self.checked += 1


class GoogleClient:
    """A signed-in client, by google-auth-oauthlib and google-api-python-client."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.document = document = discovery.load()
        self.http = Watched(discovery.Document(document))
        self.credentials = self._sign_in()
        self.service = build_from_document(
            document,
            http=AuthorizedHttp(self.credentials, http=self.http),
            client_options={"api_endpoint": sandbox.url},
        )
        self.users = self.service.users()
        self.points = self.users.dataTypes().dataPoints()

    def _sign_in(self):
        client = {
            "installed": {
                **self.sandbox.google,
                # The path that the files of Google's console have, though v2 is what its documentation names.
                "auth_uri": f"{self.sandbox.url}/o/oauth2/auth",
                "token_uri": f"{self.sandbox.url}/token",
            }
        }
        scopes = SCOPES + WHO
        flow = Flow.from_client_config(client, scopes=scopes, redirect_uri=REDIRECT, autogenerate_code_verifier=True)
        address, _state = flow.authorization_url(access_type="offline", prompt="consent")
        flow.fetch_token(authorization_response=consent(address))
        credentials = flow.credentials
        # The library compares the expiry with this computer's clock, which the sandbox's is ahead of or
        # behind. Without one it refreshes when a call is answered with a 401.
        credentials.expiry = None
        return credentials

    def walk(self, method, **parameters):
        """Returns the points of all pages."""
        request = getattr(self.points, method)(**parameters)
        points = []
        while request is not None:
            reply = request.execute()
            points += reply.get("dataPoints", [])
            request = getattr(self.points, f"{method}_next")(request, reply)
        return points

    def roll_up(self, page_size):
        """Returns the minutes of the day, rolled up, of all pages."""
        body = {
            "range": {"startTime": rfc3339(local_midnight(DAY)), "endTime": rfc3339(LAST_SYNC)},
            "windowSize": "60s",
            "pageSize": page_size,
            "dataSourceFamily": WEARABLES,
        }
        points = []
        while True:
            reply = self.points.rollUp(parent=HEART, body=body).execute()
            points += reply.get("rollupDataPoints", [])
            if "nextPageToken" not in reply:
                return points
            body["pageToken"] = reply["nextPageToken"]


def check(sandbox, wearer):
    """Runs every case; returns how many replies were held against the document, and how many had been compressed."""
    client = GoogleClient(sandbox)
    for case in (account, raw_points, selected, minutes, days, others, devices, errors, expiry):
        case(client, wearer)
    assert client.http.compressed > 10, "no reply was compressed"
    return client.http.checked, client.http.compressed


def account(client, _wearer):
    """Identity, profile and settings."""
    assert client.users.getIdentity(name="users/me/identity").execute()["legacyUserId"] == "PW7SB1"
    assert client.users.getProfile(name="users/me/profile").execute()["age"] == 38
    settings = client.users.getSettings(name="users/me/settings").execute()
    assert (settings["timeZone"], settings["utcOffset"]) == (ZONE.key, "3600s")
    session = AuthorizedSession(client.credentials)
    told = session.get(f"{client.sandbox.url}/oauth2/v3/userinfo", timeout=30).json()
    assert told["email_verified"] is True and told["name"] == "Sandy Box"


def raw_points(client, wearer):
    """Every sample of the day, by list and by reconcile, in pages."""
    start, end = local_midnight(DAY), local_midnight(DAY + timedelta(days=1))
    time = "heart_rate.sample_time.physical_time"
    filtered = f'{time} >= "{rfc3339(start)}" AND {time} < "{rfc3339(end)}"'
    expected = [(rfc3339(at), bpm) for at, bpm in reversed(wearer.of_day())]

    def told(points):
        return [
            (point["heartRate"]["sampleTime"]["physicalTime"], int(point["heartRate"]["beatsPerMinute"]))
            for point in points
        ]

    listed = client.walk("list", parent=HEART, pageSize=500, filter=filtered, dataSourceFamily=WEARABLES)
    assert told(listed) == expected
    merged = client.walk("reconcile", parent=HEART, pageSize=500, filter=filtered)
    assert told(merged) == expected
    assert not any("dataSource" in point for point in merged)
    # The wearer's own day, by civil time, and with the second source beside the first.
    civil = "heart_rate.sample_time.civil_time"
    filtered = f'{civil} >= "{DAY}" AND {civil} < "{DAY + timedelta(days=1)}"'
    everything = client.walk("list", parent=HEART, pageSize=500, filter=filtered)
    platforms = {point["dataSource"]["platform"] for point in everything}
    assert platforms == {"FITBIT", "HEALTH_CONNECT"}
    assert told(p for p in everything if p["dataSource"]["platform"] == "FITBIT") == expected
    for point in everything:
        sample = point["heartRate"]["sampleTime"]
        at = datetime.fromisoformat(sample["physicalTime"]).astimezone(ZONE)
        civil = sample["civilTime"]
        clock = [civil["time"].get(part, 0) for part in ("hours", "minutes", "seconds")]
        assert (civil["date"]["day"], clock) == (at.day, [at.hour, at.minute, at.second])
    assert len(client.points.list(parent=HEART).execute()["dataPoints"]) == 50


def selected(client, wearer):
    """A page with no more than the client asks for."""
    fields = "dataPoints/heartRate/beatsPerMinute"
    reply = client.points.list(parent=HEART, pageSize=3, fields=fields, dataSourceFamily=WEARABLES).execute()
    assert reply.keys() == {"dataPoints"}
    newest = [str(bpm) for _, bpm in reversed(wearer.of_day()[-3:])]
    assert [point["heartRate"] for point in reply["dataPoints"]] == [{"beatsPerMinute": bpm} for bpm in newest]


def minutes(client, wearer):
    """One-minute means, in one page and in several."""
    expected = wearer.windows(60)
    for page_size in (1500, 100):
        rolled = list(reversed(client.roll_up(page_size)))
        assert len(rolled) == len(expected)
        for point, (start, mean, least, most) in zip(rolled, expected):
            heart = point["heartRate"]
            assert point["startTime"] == rfc3339(start)
            assert point["endTime"] == rfc3339(start + timedelta(seconds=60))
            assert heart["beatsPerMinuteAvg"] == float(mean), (start, heart, mean)
            assert (heart["beatsPerMinuteMin"], heart["beatsPerMinuteMax"]) == (least, most)


def days(client, wearer):
    """Daily means, resting heart rate, zones, time in zones."""

    def civil(day):
        return {"date": {"year": day.year, "month": day.month, "day": day.day}}

    body = {"range": {"start": civil(DAY - timedelta(days=1)), "end": civil(DAY + timedelta(days=1))}}
    rolled = client.points.dailyRollUp(parent=HEART, body=body).execute()["rollupDataPoints"]
    for point, day in zip(rolled, (DAY, DAY - timedelta(days=1)), strict=True):
        samples = [bpm for _, bpm in wearer.of_day(day)]
        assert point["civilStartTime"]["date"] == civil(day)["date"]
        assert point["heartRate"]["beatsPerMinuteAvg"] == float(Fraction(sum(samples), len(samples)))
    last_second = {**civil(DAY), "time": {"hours": 23, "minutes": 59, "seconds": 59}}
    until_evening = {"range": {"start": civil(DAY - timedelta(days=1)), "end": last_second}}
    same = client.points.dailyRollUp(parent=HEART, body=until_evening).execute()["rollupDataPoints"]
    assert [point["heartRate"] for point in same] == [point["heartRate"] for point in rolled]
    filtered = f'daily_resting_heart_rate.date >= "{DAY - timedelta(days=1)}"'
    resting = client.walk("list", parent="users/me/dataTypes/daily-resting-heart-rate", filter=filtered)
    for point, day in zip(resting, (DAY, DAY - timedelta(days=1)), strict=True):
        bpm = int(point["dailyRestingHeartRate"]["beatsPerMinute"])
        assert min(b for _, b in wearer.of_day(day)) <= bpm <= max(b for _, b in wearer.of_day(day))
    for method in ("list", "reconcile"):
        zones = client.walk(method, parent="users/me/dataTypes/daily-heart-rate-zones")
        assert len(zones) == 2 and len(zones[0]["dailyHeartRateZones"]["heartRateZones"]) == 4
    time_in_zone = "users/me/dataTypes/time-in-heart-rate-zone"
    stays = client.walk("list", parent=time_in_zone, pageSize=5000)
    total = sum((_length(point["timeInHeartRateZone"]["interval"]) for point in stays), timedelta())
    rolled = client.points.dailyRollUp(parent=time_in_zone, body=body).execute()["rollupDataPoints"]
    zones = [zone for point in rolled for zone in point["timeInHeartRateZone"]["timeInHeartRateZones"]]
    seconds = sum(int(zone["duration"].rstrip("s")) for zone in zones)
    logged = len(wearer.windows(60)) + len(wearer.windows(60, DAY - timedelta(days=1)))
    assert total == timedelta(minutes=logged) == timedelta(seconds=seconds)


def _length(interval):
    return datetime.fromisoformat(interval["endTime"]) - datetime.fromisoformat(interval["startTime"])


def others(client, _wearer):
    """Every data type that a point or a roll-up has a member for answers; most have nothing."""
    types = {
        name: {data_type(member) for member in client.document["schemas"][schema]["properties"]} - NO_TYPES
        for name, schema in (
            ("list", "DataPoint"),
            ("reconcile", "ReconciledDataPoint"),
            ("rollUp", "RollupDataPoint"),
            ("dailyRollUp", "DailyRollupDataPoint"),
        )
    }
    assert len(types["list"]) >= 40 and {"sleep", "steps", "vo2-max"} <= types["list"]
    physical = {
        "range": {"startTime": rfc3339(local_midnight(DAY)), "endTime": rfc3339(LAST_SYNC)},
        "windowSize": "3600s",
        "pageSize": 24,
    }
    civil = {"date": {"year": DAY.year, "month": DAY.month, "day": DAY.day}}
    evening = {**civil, "time": {"hours": 23, "minutes": 59, "seconds": 59}}
    bodies = {"rollUp": physical, "dailyRollUp": {"range": {"start": civil, "end": evening}}}
    for method, names in types.items():
        for name in sorted(names):
            parameters = {"parent": f"users/me/dataTypes/{name}"}
            if method in bodies:
                parameters["body"] = bodies[method]
            reply = getattr(client.points, method)(**parameters).execute()
            assert (reply == {}) == (name not in KEPT), (method, name, reply)


KEPT = {"heart-rate", "daily-resting-heart-rate", "daily-heart-rate-zones", "time-in-heart-rate-zone"}
NO_TYPES = {"name", "data-point-name", "data-source", "start-time", "end-time", "civil-start-time", "civil-end-time"}


def data_type(member):
    """Returns the name of a data type in a path: dailyVo2Max is daily-vo2-max."""
    return re.sub(r"[A-Z]", lambda letter: "-" + letter.group().lower(), member)


def devices(client, _wearer):
    """The tracker is the one that synced last."""
    listed, request = [], client.users.pairedDevices().list(parent="users/me", pageSize=1)
    while request is not None:
        reply = request.execute()
        listed += reply["pairedDevices"]
        request = client.users.pairedDevices().list_next(request, reply)
    trackers = [device for device in listed if device["deviceType"] == "TRACKER"]
    worn = max(trackers, key=lambda device: device["lastSyncTime"])
    assert worn["lastSyncTime"] == rfc3339(LAST_SYNC) and 1 <= worn["batteryLevel"] <= 100
    assert client.users.pairedDevices().get(name=worn["name"]).execute() == worn


def errors(client, _wearer):
    """What is refused, and how the client learns why."""

    def refusal(request):
        try:
            request.execute()
        except HttpError as error:
            return error.status_code, [detail.get("reason") for detail in error.error_details]
        raise AssertionError("it was not refused")

    wrong = 'heart_rate.sample_time.physical_time > "2026-11-22T00:00:00Z"'
    refused = refusal(client.points.list(parent=HEART, filter=wrong))
    assert refused == (400, ["INVALID_DATA_POINT_FILTER_RESTRICTION_COMPARATOR"])
    token = client.points.list(parent=HEART, pageSize=2).execute()["nextPageToken"]
    assert refusal(client.points.list(parent=HEART, pageSize=3, pageToken=token))[0] == 400
    resting = "users/me/dataTypes/daily-resting-heart-rate"
    assert refusal(client.points.rollUp(parent=resting, body={})) == (400, ["UNSUPPORTED_DATA_TYPE_ACTION"])
    for reason, status in (
        ("ACCOUNT_NOT_LINKED", 400),
        ("RESOURCE_PERMISSION_DENIED", 403),
        ("SERVICE_DISABLED", 403),
        ("RATE_LIMIT_EXCEEDED", 429),
    ):
        client.sandbox.fault("google.list", {"reason": reason})
        assert refusal(client.points.list(parent=HEART)) == (status, [reason])


def expiry(client, _wearer):
    """An access token that has expired is refreshed by the client; a refresh token that is revoked ends it."""
    old = client.credentials.token
    client.sandbox.advance(3600)
    before = len(client.http.statuses)
    client.users.getIdentity(name="users/me/identity").execute()
    assert client.http.statuses[before:] == [401, 200, 200]
    assert client.credentials.token != old
    client.http.request(
        f"{client.sandbox.url}/revoke",
        method="POST",
        body=urllib.parse.urlencode({"token": client.credentials.refresh_token}),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    try:
        client.users.getIdentity(name="users/me/identity").execute()
    except RefreshError as error:
        assert error.args[1]["error"] == "invalid_grant"
    else:
        raise AssertionError("a revoked grant still works")
