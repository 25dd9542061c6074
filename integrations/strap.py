#!/usr/bin/env python3
"""Sends the heart rate of a Bluetooth strap or watch to Pulsewing, once every few seconds.

    pip install bleak
    PULSEWING_TOKEN=... python3 strap.py --url http://127.0.0.1:7373 --wearer anna

`pulsewing wearer token anna --source strap` prints the token. See docs/live.md.

The sensor has the Bluetooth Heart Rate Service (0x180D). A value of 0, and one without contact to the skin, is a gap
and never sent as a rate. Samples that cannot be delivered are kept for ten minutes and sent again; the server knows
them by their times.
"""

import argparse
import asyncio
import collections
import datetime
import json
import os
import random
import sys
import urllib.error
import urllib.request

from bleak import BleakClient, BleakScanner

SERVICE = "0000180d-0000-1000-8000-00805f9b34fb"
MEASUREMENT = "00002a37-0000-1000-8000-00805f9b34fb"

SEND_EVERY = 3.0  # seconds; Pulsewing calls a sample live for ten
SILENT_AFTER = 10.0  # seconds without a notification: the sensor is out of reach
KEEP = 600  # samples: ten minutes of one a second


class TokenRefused(Exception):
    """The token is not accepted, and will not be."""


def rate(data):
    """Returns the rate of a measurement (Heart Rate Service 1.0, section 3.1), or None for a gap."""
    if len(data) < 2:
        return None
    flags = data[0]
    if flags & 0b110 == 0b100:  # contact is supported, and there is none
        return None
    if flags & 1:
        if len(data) < 3:
            return None
        value = data[1] | data[2] << 8
    else:
        value = data[1]
    return value if 25 <= value <= 255 else None


def post(url, token, samples):
    """Sends samples; returns the server's reply."""
    request = urllib.request.Request(
        url,
        data=json.dumps(samples).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as reply:
        return json.load(reply)


async def deliver(waiting, url, token):
    """Sends what is waiting, as long as there is a connection to a sensor, and keeps what cannot be sent."""
    while True:
        await asyncio.sleep(SEND_EVERY)
        samples = list(waiting)
        if not samples:
            continue
        try:
            told = await asyncio.to_thread(post, url, token, samples)
        except urllib.error.HTTPError as error:
            words = error.read(2000).decode(errors="replace")
            print(f"refused with {error.code}: {words}", file=sys.stderr)
            if error.code in (401, 404):
                raise TokenRefused from None
            if error.code not in (400, 413, 415, 422):
                continue  # it may pass
        except OSError as error:
            print(f"not delivered, trying again: {error}", file=sys.stderr)
            continue
        else:
            if told["refused"]:
                print(f"refused: {told['reasons']}", file=sys.stderr)
        for sample in samples:  # unless it was dropped meanwhile, to make room
            if waiting and waiting[0] is sample:
                waiting.popleft()


async def listen(address, name, waiting):
    """Takes the notifications of one connection until it ends."""
    if address:
        device = await BleakScanner.find_device_by_address(address, timeout=20.0)
    else:
        device = await BleakScanner.find_device_by_filter(
            lambda device, seen: SERVICE in seen.service_uuids
            and (not name or name in (device.name or "")),
            timeout=20.0,
        )
    if device is None:
        raise OSError("no sensor in reach: is it worn, and not connected to something else?")
    loop = asyncio.get_running_loop()
    gone = asyncio.Event()
    heard = loop.time()

    def measured(_, data):
        nonlocal heard
        heard = loop.time()
        bpm = rate(data)
        if bpm is not None:
            now = datetime.datetime.now(datetime.timezone.utc)
            waiting.append({"at": now.isoformat(timespec="milliseconds"), "bpm": bpm})

    async with BleakClient(device, disconnected_callback=lambda _: gone.set()) as client:
        print(f"connected to {device.name or device.address}", file=sys.stderr)
        await client.start_notify(MEASUREMENT, measured)
        heard = loop.time()
        while not gone.is_set() and loop.time() - heard <= SILENT_AFTER:
            try:
                await asyncio.wait_for(gone.wait(), 1.0)
            except asyncio.TimeoutError:
                pass


async def follow(address, name, waiting):
    """Connects again and again: after 1 second, and then up to 60 seconds later."""
    wait = 1.0
    while True:
        before = len(waiting), waiting[-1] if waiting else None
        try:
            await listen(address, name, waiting)
        except Exception as error:  # bleak raises what its backend does
            print(f"no connection: {error}", file=sys.stderr)
        has_heard = (len(waiting), waiting[-1] if waiting else None) != before
        wait = 1.0 if has_heard else min(wait * 2, 60.0)
        await asyncio.sleep(wait * random.uniform(0.8, 1.2))


async def run(options, token):
    waiting = collections.deque(maxlen=KEEP)
    url = f"{options.url.rstrip('/')}/api/v1/wearers/{options.wearer}/samples"
    following = asyncio.create_task(follow(options.address, options.name, waiting))
    try:
        await deliver(waiting, url, token)
    finally:
        following.cancel()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:7373", help="where Pulsewing's page is")
    parser.add_argument("--wearer", default="default", help="the wearer's id")
    parser.add_argument("--address", help="the sensor's address, if there are several in reach")
    parser.add_argument("--name", help="a part of the sensor's name, instead")
    options = parser.parse_args()
    # Not an argument: everybody on a machine can see those.
    token = os.environ.get("PULSEWING_TOKEN", "")
    if not token:
        parser.error("set PULSEWING_TOKEN to what `pulsewing wearer token ID --source strap` printed")
    try:
        asyncio.run(run(options, token))
    except TokenRefused:
        sys.exit(1)
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
