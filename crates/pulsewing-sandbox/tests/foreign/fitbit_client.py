"""The `fitbit` package of PyPI against the Fitbit stand-in."""

from datetime import timedelta
from fractions import Fraction

from fitbit.api import Fitbit, FitbitOauth2Client
from fitbit.exceptions import HTTPForbidden, HTTPServerError, HTTPTooManyRequests

from sandbox import REDIRECT, consent, parameter
from wearer import DAY, LAST_SYNC, ZONE, half_up

HEART = "activities/heart"


def check(sandbox, wearer):
    """Runs every case; returns how often the tokens were refreshed."""
    # The client has its addresses in class attributes.
    Fitbit.API_ENDPOINT = FitbitOauth2Client.API_ENDPOINT = sandbox.url
    FitbitOauth2Client.authorization_url = f"{sandbox.url}/oauth2/authorize"
    token_url = f"{sandbox.url}/oauth2/token"
    FitbitOauth2Client.request_token_url = token_url
    FitbitOauth2Client.access_token_url = FitbitOauth2Client.refresh_token_url = token_url

    refreshed = []
    tokens = sign_in(sandbox)
    client = Fitbit(
        sandbox.fitbit["client_id"],
        sandbox.fitbit["client_secret"],
        access_token=tokens["access_token"],
        refresh_token=tokens["refresh_token"],
        refresh_cb=refreshed.append,
    )
    intraday(client, wearer)
    summary(client)
    others(client)
    devices(client)
    errors(client, sandbox)
    # The rest of a month, in steps in which the access token expires.
    for _ in range(3):
        sandbox.advance(28800)
        assert client.user_profile_get()["user"]["timezone"] == ZONE.key
    assert len(refreshed) == 3
    assert len({token["refresh_token"] for token in refreshed}) == 3
    grant = next(grant for grant in sandbox.control("tokens") if grant["provider"] == "fitbit")
    assert grant["generation"] == 4
    assert [token["state"] for token in grant["refresh"]][-2:] == ["spent", "active"]
    return len(refreshed)


def sign_in(sandbox):
    """Consents and exchanges the code, with HTTP Basic as the client does."""
    client = FitbitOauth2Client(sandbox.fitbit["client_id"], sandbox.fitbit["client_secret"])
    scopes = ["activity", "heartrate", "nutrition", "profile", "settings", "sleep", "weight"]
    address, _state = client.authorize_token_url(scope=scopes, redirect_uri=REDIRECT)
    tokens = client.fetch_access_token(parameter(consent(address), "code"), REDIRECT)
    assert tokens["user_id"] == sandbox.fitbit["user_id"] and set(tokens["scope"]) == set(scopes)
    return tokens


def intraday(client, wearer):
    """The day by minute, quarter of an hour and sample, and a part of it."""

    def told(reply):
        return [(entry["time"], entry["value"]) for entry in reply["activities-heart-intraday"]["dataset"]]

    def clock(at):
        return f"{at.astimezone(ZONE):%H:%M:%S}"

    for detail, seconds in (("1min", 60), ("15min", 900)):
        expected = [(clock(start), half_up(mean)) for start, mean, _, _ in wearer.windows(seconds)]
        assert told(client.intraday_time_series(HEART, base_date=str(DAY), detail_level=detail)) == expected
    assert told(client.intraday_time_series(HEART, base_date="today", detail_level="1min")) == [
        (clock(start), half_up(mean)) for start, mean, _, _ in wearer.windows(60)
    ]
    expected = [(clock(at), bpm) for at, bpm in wearer.of_day()]
    assert told(client.intraday_time_series(HEART, base_date=str(DAY), detail_level="1sec")) == expected
    part = client.intraday_time_series(
        HEART, base_date=str(DAY), detail_level="1min", start_time="08:00", end_time="08:59"
    )
    inside = [(start, mean) for start, mean, _, _ in wearer.windows(60) if start.astimezone(ZONE).hour == 8]
    assert told(part) == [(clock(start), half_up(mean)) for start, mean in inside]
    samples = [bpm for at, bpm in wearer.of_day() if at.astimezone(ZONE).hour == 8]
    mean = Fraction(sum(samples), len(samples))
    assert abs(Fraction(part["activities-heart"][0]["value"]) - mean) <= Fraction(1, 200)


def summary(client):
    """The day without its minutes."""
    days = client.time_series(HEART, base_date=str(DAY), period="7d")["activities-heart"]
    assert [day["dateTime"] for day in days] == [str(DAY - timedelta(days=back)) for back in range(6, -1, -1)]
    assert len(days[-1]["value"]["heartRateZones"]) == 4


def others(client):
    """What the wearer has none of: every read of the client answers, and is empty."""
    assert client.sleep(DAY)["sleep"] == []
    assert client.activities(DAY)["summary"]["steps"] == 0
    assert client.time_series("activities/steps", base_date=str(DAY), period="1m") == {"activities-steps": []}
    steps = client.intraday_time_series("activities/steps", base_date=str(DAY), detail_level="15min")
    assert steps["activities-steps-intraday"]["dataset"] == []
    assert client.time_series("body/weight", base_date=str(DAY), period="1y") == {"body-weight": []}
    assert client.get_bodyweight(DAY) == {"weight": []}
    assert client.get_bodyfat(DAY) == {"fat": []}
    assert client.foods_log(DAY)["foods"] == []
    assert client.foods_log_water(DAY)["summary"] == {"water": 0}
    assert client.recent_activities() == client.frequent_activities() == client.recent_foods() == []
    assert client.activity_stats()["lifetime"] == {"total": {}, "tracker": {}}


def devices(client):
    """The tracker is the one that synced last and has a battery level."""
    trackers = [device for device in client.get_devices() if device["type"] == "TRACKER"]
    worn = max(trackers, key=lambda device: device["lastSyncTime"])
    assert worn["lastSyncTime"] == f"{LAST_SYNC.astimezone(ZONE):%Y-%m-%dT%H:%M:%S}.000"
    assert 1 <= worn["batteryLevel"] <= 100


def errors(client, sandbox):
    """The client's own exceptions."""

    def raised(action, kind):
        sandbox.fault("fitbit.devices", action)
        try:
            client.get_devices()
        except kind as error:
            return error
        raise AssertionError(f"no {kind.__name__}")

    limited = raised({"status": 429, "headers": {"Retry-After": "42"}}, HTTPTooManyRequests)
    assert limited.retry_after_secs == 42
    raised({"reason": "insufficient_scope"}, HTTPForbidden)
    raised({"status": 503}, HTTPServerError)
