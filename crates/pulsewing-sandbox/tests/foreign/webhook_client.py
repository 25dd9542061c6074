"""Home Assistant's library for the Google Health API, and Google's own clients, against the webhooks.

google-health-api verifies what the sandbox signs. Only its verifier is loaded: the rest of the package needs a
newer Python than it may find here.
"""

import base64
import http.server
import importlib
import importlib.util
import json
import queue
import sys
import threading
import types
import urllib.request

from google.auth.transport.requests import Request
from google.oauth2 import service_account
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.discovery import build_from_document
from googleapiclient.errors import HttpError

import discovery
from google_client import GoogleClient, Watched
from sandbox import KEYSET

SECRET = "Bearer 0123456789abcdef"
PARENT = "projects/100200300400"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"


def load_verifier():
    """Returns the module tink of google-health-api, without running the package's own code."""
    name = "google_health_api"
    package = types.ModuleType(name)
    package.__path__ = importlib.util.find_spec(name).submodule_search_locations
    sys.modules[name] = package
    return importlib.import_module(f"{name}.tink")


class Endpoint:
    """An endpoint that passes the verification and keeps what it is sent."""

    def __init__(self):
        received = self.received = queue.Queue()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                is_right = self.headers["Authorization"] == SECRET
                is_verification = json.loads(body) == {"type": "verification"}
                self.send_response((201 if is_verification else 204) if is_right else 401)
                self.end_headers()
                received.put((dict(self.headers.items()), body))

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.uri = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def next(self):
        """Waits for a request; returns its signature and its body."""
        headers, body = self.received.get(timeout=20)
        signature = [value for name, value in headers.items() if name.lower() == "google-health-api-signature"]
        return signature[0], body


class Subscribing:
    """A project's subscribers, by google-auth and google-api-python-client."""

    def __init__(self, sandbox):
        document = discovery.load()
        credentials = service_account.Credentials.from_service_account_info(
            sandbox.control("service-account"), scopes=[SCOPE]
        )
        self.http = Watched(discovery.Document(document))
        # google-auth writes the computer's time into its assertion, and the sandbox has its own.
        with sandbox.in_real_time():
            credentials.refresh(Request())
        self.resource = (
            build_from_document(
                document,
                http=AuthorizedHttp(credentials, http=self.http),
                client_options={"api_endpoint": sandbox.url},
            )
            .projects()
            .subscribers()
        )

    def create(self, endpoint):
        """Subscribes an endpoint, which is verified on the way."""
        body = {
            "endpointUri": endpoint.uri,
            "endpointAuthorization": {"secret": SECRET},
            "subscriberConfigs": [{"dataTypes": ["heart-rate"], "subscriptionCreatePolicy": "AUTOMATIC"}],
        }
        return self.resource.create(parent=PARENT, body=body, subscriberId="foreign").execute()


def check(sandbox):
    """Runs every case; returns how many signatures were verified."""
    tink = load_verifier()
    GoogleClient(sandbox)
    subscribing = Subscribing(sandbox)
    endpoint = Endpoint()
    assert subscribing.create(endpoint)["done"]
    try:
        subscribing.create(endpoint)
    except HttpError as error:
        assert error.status_code == 409
    else:
        raise AssertionError("the same subscriber exists twice")
    listed = subscribing.resource.list(parent=PARENT).execute()["subscribers"]
    assert [subscriber["state"] for subscriber in listed] == ["ACTIVE"]
    verified = 0
    for _ in range(2):
        verify(tink, sandbox, *endpoint.next())
        verified += 1
    # Coordinates whose first bit is set have a zero in front: several keys have both kinds.
    for _ in range(8):
        sandbox.control("rotate-key", {})
        sandbox.advance(900)
        signature, body = endpoint.next()
        verify(tink, sandbox, signature, body)
        assert json.loads(body)["data"]["dataType"] == "heart-rate"
        verified += 1
    forged(tink, sandbox, signature, body)
    name = f"{PARENT}/subscribers/foreign"
    change = {"subscriberConfigs": [{"dataTypes": ["sleep"], "subscriptionCreatePolicy": "AUTOMATIC"}]}
    patched = subscribing.resource.patch(name=name, updateMask="subscriberConfigs", body=change).execute()
    assert patched["response"]["subscriberConfigs"] == change["subscriberConfigs"]
    assert subscribing.resource.delete(name=name, force=True).execute()["done"]
    assert subscribing.resource.list(parent=PARENT).execute() == {}
    return verified


def verify(tink, sandbox, signature, body):
    """Verifies a signature by the published keys."""
    with urllib.request.urlopen(sandbox.url + KEYSET, timeout=10) as reply:
        keyset = tink.WebhookKeyset.from_dict(json.load(reply))
    keyset.verify_signature(signature, body)


def forged(tink, sandbox, signature, body):
    """The verifier is one: it refuses another body, another signature and another key."""
    raw = base64.b64decode(signature)
    another_key = base64.b64encode(raw[:1] + bytes([raw[1] ^ 1]) + raw[2:]).decode()
    another_signature = base64.b64encode(raw[:-1] + bytes([raw[-1] ^ 1])).decode()
    for wrong in ((signature, body + b" "), (another_signature, body), (another_key, body)):
        try:
            verify(tink, sandbox, *wrong)
        except (tink.SignatureVerificationError, tink.KeysetError):
            continue
        raise AssertionError("a forgery was verified")
