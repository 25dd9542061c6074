"""What the judge looks at: a broker, the sandbox, and the daemon with its wearers, each a process."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

# The sandbox's clock at the start. Home Assistant lives in the present; nothing depends on the difference.
START = "2026-11-22T14:07:00Z"

# The longest time for anything that is expected soon.
SOON = 60


class Broker:
    """A Mosquitto that forgets everything when it ends."""

    def __init__(self, program, directory):
        self.program = program
        self.port = free_port()
        self.conf = os.path.join(directory, "broker.conf")
        with open(self.conf, "w", encoding="utf-8") as file:
            file.write(f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
        self.log = open(os.path.join(directory, "broker.log"), "a", encoding="utf-8")
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen([self.program, "-c", self.conf], stdout=self.log, stderr=self.log)
        wait_for("the broker", lambda: is_open(self.port))

    def stop(self):
        self.process.kill()
        self.process.wait()


class Home:
    """A sandbox, and a home with the wearers Anna and Ben, who is added by a command."""

    def __init__(self, program, directory, broker):
        self.program = program
        self.directory = directory
        self.broker = broker
        self.daemon = None
        self.log = open(os.path.join(directory, "daemon.log"), "a", encoding="utf-8")
        self.environment = {
            "HOME": directory,
            "XDG_CONFIG_HOME": os.path.join(directory, "config"),
            "XDG_STATE_HOME": os.path.join(directory, "state"),
            "TZ": "UTC",
        }
        command = [program, "sandbox", "--wearers", "3", "--zone", "UTC", "--now", START]
        self.sandbox = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=self.environment)
        self.ready = json.loads(self.sandbox.stdout.readline())
        os.makedirs(os.path.join(directory, "config/pulsewing"))

    def configure(self, alarms, mqtt=""):
        """Writes the configuration: the alarms' table, and more keys of MQTT's."""
        google = self.ready["google"]
        text = f"""
provider = "google"
[endpoints]
base_url = "{self.ready["url"]}"
[google]
client_id = "{google["client_id"]}"
client_secret = "{google["client_secret"]}"
[history]
keep = "1 day"
[[wearer]]
id = "anna"
name = "Anna"
[alarms]
{alarms}
[mqtt]
url = "mqtt://127.0.0.1:{self.broker.port}"
{mqtt}
"""
        path = os.path.join(self.directory, "config/pulsewing/config.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o600)

    def control(self, call, body=None):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"{self.ready['url']}/_sandbox/{call}", data=data, timeout=10) as reply:
            return json.load(reply)

    def command(self, *words):
        return [self.program, *words, "--now", self.control("clock")["now"]]

    def run(self, *words):
        done = subprocess.run(self.command(*words), env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    def sign_in(self, wearer, account):
        login = subprocess.Popen(
            self.command("login", "--paste", "--wearer", wearer),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            env=self.environment,
            text=True,
        )
        address = login.stdout.readline().strip()
        login.stdin.write(consent(f"{address}&user={account}") + "\n")
        login.stdin.flush()
        login.communicate(timeout=SOON)
        assert login.returncode == 0, f"the sign-in of {wearer} failed"

    def start(self):
        self.port = free_port()
        words = self.command("run", "--listen", f"127.0.0.1:{self.port}")
        self.daemon = subprocess.Popen(words, stdout=self.log, stderr=self.log, env=self.environment)
        wait_for("the daemon", lambda: is_open(self.port))

    def now(self, wearer):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/wearers/{wearer}/now", timeout=10) as reply:
            return json.load(reply)

    def requests(self):
        """Returns how often heart rates were asked for."""
        return sum(request["route"] == "google.rollup" for request in self.control("requests"))

    def end(self, how=signal.SIGTERM):
        if self.daemon is not None:
            self.daemon.send_signal(how)
            self.daemon.wait(timeout=SOON)
            self.daemon = None

    def close(self):
        if self.daemon is not None:
            self.daemon.kill()
        self.sandbox.kill()
        self.broker.process.kill()


def consent(address):
    """Allows everything on the consent page, and returns where the browser is sent."""
    opener = urllib.request.build_opener(_StayHere)
    try:
        opener.open(f"{address}&auto=1", timeout=10)
    except urllib.error.HTTPError as reply:
        if reply.code == 302:
            return reply.headers["Location"]
        raise
    raise AssertionError("the consent page did not send the browser back")


class _StayHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def is_open(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def wait_for(what, look):
    until = time.monotonic() + SOON
    while not look():
        assert time.monotonic() < until, f"waited {SOON} s for {what}"
        time.sleep(0.05)
