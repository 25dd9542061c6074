"""The real program and the real sandbox, in a home of their own."""

import json
import os
import queue
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

PATIENCE = 60


def until(what, look, patience=PATIENCE):
    """Returns what `look` finds, as soon as it finds anything."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        # Another process works meanwhile.
        time.sleep(0.05)
    raise AssertionError(f"waited in vain for {what}")


class Program:
    """A program whose lines are read as they come."""

    def __init__(self, command, environment, directory):
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=directory,
            text=True,
        )
        self.said = []
        self._lines = {}
        for name in ("stdout", "stderr"):
            self._lines[name] = queue.Queue()
            threading.Thread(target=self._read, args=(name,), daemon=True).start()

    def _read(self, name):
        for line in getattr(self.process, name):
            self.said.append(line)
            self._lines[name].put(line)
        self._lines[name].put(None)

    def line(self, name, words):
        """Returns the next line with these words."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                line = self._lines[name].get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                line = None
            if line is None:
                raise AssertionError(f'no "{words}" in\n{self.text()}')
            if words in line:
                return line

    def text(self):
        return "".join(self.said)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(timeout=PATIENCE)


class Stage:
    """A sandbox, and programs that use it. Leaving the block stops all of them."""

    def __init__(self, program, now, wearers=(), settings=""):
        self.program, self.now, self.wearers = program, now, wearers
        self.home = tempfile.mkdtemp(prefix="pulsewing-numbers-")
        self.running = []
        self.environment = {
            "HOME": self.home,
            "XDG_CONFIG_HOME": self.home,
            "XDG_STATE_HOME": self.home,
            "TMPDIR": self.home,
            "TZ": "UTC",
            "PATH": os.environ["PATH"],
        }
        count = str(max(1, len(wearers)))
        sandbox = ["sandbox", "--zone", "Europe/Berlin", "--now", now, "--wearers", count]
        self.sandbox = self.start([program, *sandbox])
        self.ready = json.loads(self.sandbox.line("stdout", "{"))
        self.config = os.path.join(self.home, "config.toml")
        google = self.ready["google"]
        self.configuration = (
            'provider = "google"\n'
            f'[google]\nclient_id = "{google["client_id"]}"\nclient_secret = "{google["client_secret"]}"\n'
            f'[endpoints]\nbase_url = "{self.ready["url"]}"\n'
        )
        self.configure(settings)
        for wearer in wearers:
            self.run("wearer", "add", wearer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for program in reversed(self.running):
            program.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def configure(self, settings):
        """Writes the configuration, with these settings at its end."""
        with open(self.config, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(self.configuration + settings)

    def start(self, command):
        program = Program(command, self.environment, self.home)
        self.running.append(program)
        return program

    def begin(self, *words):
        """Starts the program at the stage's time."""
        return self.start([self.program, "--config", self.config, "--now", self.now, *words])

    def run(self, *words):
        """Runs the program to its end, and returns what it printed."""
        command = [self.program, "--config", self.config, "--now", self.now, *words]
        done = subprocess.run(
            command, env=self.environment, cwd=self.home, capture_output=True, text=True, timeout=PATIENCE
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def sign_in(self, wearer=None):
        """Signs a wearer in, as a person does who allows everything."""
        whose = ["--wearer", wearer] if wearer else []
        user = self.wearers.index(wearer) + 1 if wearer else 1
        login = self.begin("login", "--paste", *whose)
        consent = login.line("stdout", "http").strip()
        login.process.stdin.write(_sent_back(f"{consent}&auto=1&user={user}") + "\n")
        login.process.stdin.close()
        assert login.process.wait(timeout=PATIENCE) == 0, login.text()

    def daemon(self, *options):
        """Starts the daemon; `url` is its page's."""
        daemon = self.begin("run", "--listen", "127.0.0.1:0", *options)
        line = daemon.line("stderr", "listening page=")
        daemon.url = line.split("page=")[1].strip().rstrip("/")
        return daemon


def _sent_back(address):
    try:
        urllib.request.build_opener(_StayHere).open(address, timeout=10)
    except urllib.error.HTTPError as reply:
        return reply.headers["Location"]
    raise AssertionError("the consent page did not send the browser back")


class _StayHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None
