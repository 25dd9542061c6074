"""Tests strap.py with a Bluetooth library of our own and a server that takes down what it gets.

    python3 -m unittest discover integrations/tests
"""

import asyncio
import http.server
import json
import os
import pathlib
import sys
import threading
import types
import unittest

HERE = pathlib.Path(__file__).parent


class Device:
    name = "Polar H10 1234"
    address = "AA:BB:CC:DD:EE:FF"


class Scanner:
    """Finds one device, which has the Heart Rate Service."""

    @staticmethod
    async def find_device_by_filter(matches, timeout):
        seen = types.SimpleNamespace(service_uuids=["0000180d-0000-1000-8000-00805f9b34fb"])
        return Device() if matches(Device(), seen) else None

    @staticmethod
    async def find_device_by_address(address, timeout):
        return Device() if address == Device.address else None


class Client:
    """Sends these measurements as soon as somebody listens, and then nothing."""

    measurements = []
    connections = 0

    def __init__(self, device, disconnected_callback):
        self.gone = disconnected_callback

    async def __aenter__(self):
        Client.connections += 1
        return self

    async def __aexit__(self, *_):
        pass

    async def start_notify(self, uuid, measured):
        assert uuid == "00002a37-0000-1000-8000-00805f9b34fb"
        measurements, Client.measurements = Client.measurements, []

        async def send():
            for data in measurements:
                measured(None, bytearray(data))
                await asyncio.sleep(0.002)
            self.gone(self)

        self.sending = asyncio.create_task(send())


sys.modules["bleak"] = types.SimpleNamespace(BleakClient=Client, BleakScanner=Scanner)
sys.path.insert(0, str(HERE.parent))
import strap  # noqa: E402


class Server(http.server.ThreadingHTTPServer):
    """Takes down the samples, after as many failures as it is told."""

    def __init__(self, failures=0, status=503):
        super().__init__(("127.0.0.1", 0), Handler)
        self.failures, self.status, self.requests = failures, status, []
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.path, dict(self.headers), body))
        status = 200
        if self.server.failures:
            self.server.failures -= 1
            status = self.server.status
        told = {"accepted": len(body), "known": 0, "refused": 0, "reasons": []}
        text = json.dumps(told if status == 200 else {"error": "no"}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


class Decoding(unittest.TestCase):
    def test_both_widths_and_contact(self):
        for data, expected in [
            ([0x00, 72], 72),
            ([0x01, 0x48, 0x00], 72),
            ([0x01, 0xFF, 0x00], 255),
            ([0x06, 72], 72),
            ([0x04, 72], None),
            ([0x02, 72], 72),
            ([0x10, 72, 0x00, 0x04, 0x10, 0x04], 72),
            ([0x1E, 73, 0x10, 0x00, 0x00, 0x04], 73),
            ([0x00, 0], None),
            ([0x00, 24], None),
            ([0x01, 0x00, 0x01], None),
            ([0x01, 0x48], None),
            ([0x00], None),
            ([], None),
        ]:
            self.assertEqual(strap.rate(bytes(data)), expected, data)


class Sending(unittest.TestCase):
    def setUp(self):
        strap.SEND_EVERY = 0.05

    def send(self, server, measurements, until, **options):
        """Runs the program until a condition holds."""
        Client.measurements, Client.connections = measurements, 0
        named = {"url": server.url, "wearer": "anna", "address": None, "name": None}
        named.update(options)

        async def run():
            task = asyncio.create_task(strap.run(types.SimpleNamespace(**named), "secret"))
            deadline = asyncio.get_running_loop().time() + 10
            while not until() and not task.done():
                self.assertLess(asyncio.get_running_loop().time(), deadline)
                await asyncio.sleep(0.01)
            task.cancel()
            return (await asyncio.gather(task, return_exceptions=True))[0]

        return asyncio.run(run())

    def test_samples_are_sent_with_their_times_and_gaps_are_not(self):
        server = Server()
        sent = lambda: [it["bpm"] for _, _, body in server.requests for it in body]
        self.send(server, [[0, 70], [4, 71], [0, 0], [0, 72]], lambda: len(sent()) == 2)
        self.assertEqual(sent(), [70, 72])
        path, headers, body = server.requests[0]
        self.assertEqual(path, "/api/v1/wearers/anna/samples")
        self.assertEqual(headers["Authorization"], "Bearer secret")
        self.assertEqual(headers["Content-Type"], "application/json")
        self.assertRegex(body[0]["at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$")

    def test_what_was_not_delivered_is_sent_again(self):
        server = Server(failures=2)
        self.send(server, [[0, 70], [0, 71]], lambda: len(server.requests) == 3)
        self.assertEqual(server.requests[0][2][0], server.requests[2][2][0])

    def test_a_refused_token_ends_it(self):
        server = Server(failures=1, status=401)
        ended = self.send(server, [[0, 70]], lambda: False)
        self.assertIsInstance(ended, strap.TokenRefused)
        self.assertEqual(len(server.requests), 1)

    def test_a_lost_sensor_is_connected_again(self):
        server = Server()
        self.send(server, [[0, 70]], lambda: Client.connections == 2)

    def test_a_sensor_is_chosen_by_its_name_or_address(self):
        for options, is_found in [
            ({"name": "Polar"}, True),
            ({"name": "Garmin"}, False),
            ({"address": Device.address}, True),
            ({"address": "00:00:00:00:00:00"}, False),
        ]:
            async def listen(options=options):
                Client.measurements = [[0, 70]]
                waiting = []
                await strap.listen(options.get("address"), options.get("name"), waiting)
                return waiting

            if is_found:
                self.assertEqual(len(asyncio.run(listen())), 1, options)
            else:
                with self.assertRaises(OSError):
                    asyncio.run(listen())


if __name__ == "__main__":
    os.chdir(HERE)
    unittest.main()
