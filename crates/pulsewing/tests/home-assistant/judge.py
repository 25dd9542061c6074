"""Has a real Home Assistant judge the daemon.

    python judge.py --program target/debug/pulsewing --mosquitto /usr/sbin/mosquitto

It wants Python 3.13 with the packages of requirements.txt. `cargo xtask home-assistant --setup` makes that below
target/, and runs it. Home Assistant runs in this process, twice on one configuration; everything else is
a process beside it. Any warning or error of its MQTT integration or of a template fails, except for the one about a broker
that is taken away from it.
"""

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
import tempfile
import time
from types import MappingProxyType

import paho.mqtt.client as mqtt
from homeassistant import block_async_io, bootstrap, config_entries, runner
from homeassistant.helpers import device_registry, entity_registry

from surroundings import SOON, Broker, Home

# What every wearer has; of each the attributes that matter.
ENTITIES = {
    "sensor.{}_heart_rate": {"unit_of_measurement": "bpm", "state_class": "measurement", "icon": "mdi:heart-pulse"},
    "sensor.{}_zone": {"device_class": "enum"},
    "sensor.{}_measured": {"device_class": "timestamp"},
    "sensor.{}_resting_heart_rate": {"unit_of_measurement": "bpm", "state_class": "measurement"},
    "sensor.{}_battery": {"unit_of_measurement": "%", "device_class": "battery", "state_class": "measurement"},
    "sensor.{}_last_sync": {"device_class": "timestamp"},
    "binary_sensor.{}_up_to_date": {},
    "binary_sensor.{}_problem": {"device_class": "problem"},
    "button.{}_update_now": {},
    "event.{}_alarm": {},
    "binary_sensor.{}_high_heart_rate": {"device_class": "problem"},
    "binary_sensor.{}_no_new_heart_rate": {"device_class": "problem"},
    "binary_sensor.{}_tracker_battery_low": {"device_class": "problem"},
    "binary_sensor.{}_tracker_not_synced": {"device_class": "problem"},
    "binary_sensor.{}_sign_in_needed": {"device_class": "problem"},
    "binary_sensor.{}_pulsewing_in_trouble": {"device_class": "problem"},
    "button.{}_silence_alarms_for_30_min": {},
    "button.{}_acknowledge_alarms": {},
}

# Home Assistant misses its frontend, and a second one in the process its first.
NOISE = ["bootstrap", "components.ffmpeg", "components.zeroconf", "core", "setup", "util.loop"]
NOISE = [f"homeassistant.{name}" for name in NOISE] + ["asyncio", "haffmpeg"]

# Whose complaints count: what is wrong with our messages is told by these.
JUDGES = ["homeassistant.components.mqtt", "homeassistant.helpers.template"]

# Any heart rate is above this.
HIGH = "high = 30"


class Complaints(logging.Handler):
    """Collects what Home Assistant complains of."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.heard = []
        self.may_lose_broker = False

    def emit(self, record):
        message = record.getMessage()
        if self.may_lose_broker and message.startswith(("Disconnected from MQTT server", "Error returned from MQTT server")):
            return
        self.heard.append(f"{record.levelname} {record.name}: {message}")


class House:
    """A running Home Assistant."""

    def __init__(self, hass):
        self.hass = hass

    @classmethod
    async def start(cls, directory, port, is_new):
        # It believes that a process has only one.
        block_async_io._BLOCKED_CALLS.calls.clear()
        config = runner.RuntimeConfig(config_dir=directory, skip_pip=True)
        hass = await bootstrap.async_setup_hass(config)
        assert hass is not None, "Home Assistant did not start"
        if is_new:
            await hass.config_entries.async_add(
                config_entries.ConfigEntry(
                    version=1,
                    minor_version=2,
                    domain="mqtt",
                    title="broker",
                    data={"broker": "127.0.0.1", "port": port},
                    options={"discovery": True, "discovery_prefix": "homeassistant"},
                    source="user",
                    unique_id=None,
                    discovery_keys=MappingProxyType({}),
                    subentries_data=(),
                )
            )
        else:
            # Without a frontend, which nobody needs here, it sets up nothing by itself.
            [entry] = hass.config_entries.async_entries("mqtt")
            if entry.state is config_entries.ConfigEntryState.NOT_LOADED:
                await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        await hass.async_start()
        return cls(hass)

    def state(self, entity):
        state = self.hass.states.get(entity)
        return None if state is None else state.state

    def attributes(self, entity):
        return dict(self.hass.states.get(entity).attributes)

    def entities(self, wearer):
        """Returns the ids of a wearer's entities, as they are known, shown or not."""
        known = entity_registry.async_get(self.hass).entities.values()
        return {entity.entity_id for entity in known if f"_{wearer}_" in entity.unique_id}

    async def until(self, what, look):
        """Waits for something that is true of the states."""
        end = time.monotonic() + SOON
        while True:
            found = look()
            if found:
                return found
            if time.monotonic() > end:
                all_states = {state.entity_id: state.state for state in self.hass.states.async_all()}
                raise AssertionError(f"waited {SOON} s for {what}; {json.dumps(all_states, indent=1)}")
            await asyncio.sleep(0.05)

    async def is_state(self, entity, state):
        await self.until(f"{entity} = {state}", lambda: self.state(entity) == state)

    async def all_of(self, wearer, state):
        """Waits until every entity of a wearer has a state."""
        names = [name.format(wearer) for name in ENTITIES]
        await self.until(f"all of {wearer} = {state}", lambda: all(self.state(name) == state for name in names))

    async def press(self, button):
        await self.hass.services.async_call("button", "press", {"entity_id": button}, blocking=True)


async def away(work, *words):
    """Does something that waits on another thread: Home Assistant goes on meanwhile."""
    return await asyncio.get_running_loop().run_in_executor(None, work, *words)


async def everything_is_shown(house, home):
    """Entities, attributes and values are those of the daemon's own API."""
    await house.until("a heart rate", lambda: (house.state("sensor.anna_heart_rate") or "").isdigit())
    await house.is_state("binary_sensor.anna_up_to_date", "on")
    expected = {name.format("anna"): attributes for name, attributes in ENTITIES.items()}
    assert house.entities("anna") == set(expected), house.entities("anna") ^ set(expected)
    for name, attributes in expected.items():
        shown = house.attributes(name)
        assert attributes.items() <= shown.items(), (name, shown)
    assert house.attributes("sensor.anna_heart_rate")["friendly_name"] == "Anna Heart rate"
    now = await away(home.now, "anna")
    reading = now["reading"]
    for name, value in [
        ("sensor.anna_heart_rate", reading["latest"]["bpm"]),
        ("sensor.anna_zone", reading["zone_name"]),
        ("sensor.anna_measured", reading["latest"]["at"]),
        ("sensor.anna_resting_heart_rate", reading["resting_bpm"]),
        ("sensor.anna_battery", reading["battery_percent"]),
        ("sensor.anna_last_sync", reading["last_sync"]),
        ("binary_sensor.anna_problem", "off"),
        ("binary_sensor.anna_high_heart_rate", "on"),
        ("binary_sensor.anna_no_new_heart_rate", "off"),
    ]:
        wanted = "unknown" if value is None else str(value).replace("Z", "+00:00")
        assert house.state(name) == wanted, (name, house.state(name), wanted)
    devices = device_registry.async_get(house.hass).devices.values()
    [anna] = [device for device in devices if device.name == "Anna"]
    assert (anna.manufacturer, anna.model) == ("Pulsewing", "Heart-rate display"), anna


async def buttons_work(house, home):
    await house.until("an alarm", lambda: house.state("event.anna_alarm") not in (None, "unknown", "unavailable"))
    alarm = house.attributes("event.anna_alarm")
    assert (alarm["event_type"], alarm["event"], alarm["limit"]) == ("high", "raised", 30), alarm
    assert "above 30" in alarm["sentence"], alarm
    before = await away(home.requests)
    await house.press("button.anna_update_now")
    while await away(home.requests) == before:
        await asyncio.sleep(0.05)
    # An update brings the list up to date; Anna is the only wearer so far.
    high = lambda: json.loads(home.run("alarms", "--json", "--wearer", "anna"))["active"][0]
    await house.press("button.anna_silence_alarms_for_30_min")
    while (await away(high))["snoozed_until"] is None:
        await asyncio.sleep(0.05)
    await house.press("button.anna_acknowledge_alarms")
    acknowledged = lambda: house.attributes("event.anna_alarm").get("event_type") == "acknowledged"
    await house.until("an acknowledgement", acknowledged)
    assert house.attributes("event.anna_alarm")["kind"] == "high"


async def wearers_come_and_go(house, home):
    await away(home.run, "wearer", "add", "ben", "--name", "Ben")
    await house.is_state("sensor.ben_heart_rate", "unknown")
    await away(home.sign_in, "ben", 2)
    await house.until("a heart rate", lambda: house.state("sensor.ben_heart_rate").isdigit())
    await away(home.run, "wearer", "remove", "ben")
    await house.until("the end of Ben's entities", lambda: not house.entities("ben"))
    assert house.state("sensor.ben_heart_rate") is None
    assert house.state("sensor.anna_heart_rate").isdigit()


async def a_death_is_seen(house, home):
    await away(home.end, signal.SIGKILL)
    await house.all_of("anna", "unavailable")
    await away(home.start)
    await house.until("a heart rate", lambda: house.state("sensor.anna_heart_rate").isdigit())


async def a_broker_that_forgot_everything_has_it_again(house, home, complaints):
    complaints.may_lose_broker = True
    await away(home.broker.stop)
    await house.all_of("anna", "unavailable")
    await away(home.broker.start)
    await house.until("a heart rate", lambda: house.state("sensor.anna_heart_rate").isdigit())
    complaints.may_lose_broker = False


async def an_old_rate_is_unknown(house, home):
    measured = house.state("sensor.anna_measured")
    await away(home.end)
    await house.all_of("anna", "unavailable")
    await away(home.control, "faults", [{"route": "google.rollup", "count": 0, "do": {"status": 403}}])
    await away(home.control, "clock", {"advance_s": 2 * 3600})
    await away(home.start)
    await house.is_state("sensor.anna_heart_rate", "unknown")
    await house.is_state("sensor.anna_zone", "unknown")
    await house.is_state("binary_sensor.anna_up_to_date", "off")
    await house.is_state("binary_sensor.anna_problem", "on")
    assert house.attributes("binary_sensor.anna_problem")["message"]
    assert house.state("sensor.anna_measured") == measured
    await away(home.control, "faults", [])
    await house.press("button.anna_update_now")
    await house.until("a heart rate", lambda: house.state("sensor.anna_heart_rate").isdigit())


async def a_setting_that_goes_takes_its_entity(house, home):
    await away(home.end)
    home.configure("")
    await away(home.start)
    gone = "binary_sensor.anna_high_heart_rate"
    await house.until(f"the end of {gone}", lambda: gone not in house.entities("anna"))
    await house.until("a heart rate", lambda: house.state("sensor.anna_heart_rate").isdigit())
    assert len(house.entities("anna")) == len(ENTITIES) - 1


async def switched_off_is_removed(house, home):
    await away(home.end)
    home.configure(HIGH, "enabled = false")
    await away(home.start)
    await house.until("the end of all entities", lambda: not house.entities("anna"))
    devices = device_registry.async_get(house.hass).devices.values()
    await house.until("the end of the device", lambda: not [device for device in devices if device.name == "Anna"])
    await away(home.end)


async def a_complaint_would_be_heard(home, complaints):
    """Shows that the judge can fail: an entity that makes no sense is complained of."""
    before = len(complaints.heard)
    wrong = {"dev": {"ids": ["wrong"]}, "o": {"name": "wrong"}, "cmps": {}}
    wrong["cmps"]["a"] = {"p": "sensor", "uniq_id": "wrong_a", "stat_t": "a/b", "dev_cla": "nonsense"}
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", home.broker.port)
    client.loop_start()
    client.publish("homeassistant/device/wrong/config", json.dumps(wrong), qos=1).wait_for_publish()
    client.loop_stop()
    end = time.monotonic() + SOON
    while len(complaints.heard) == before:
        assert time.monotonic() < end, "Home Assistant does not complain of a wrong device"
        await asyncio.sleep(0.05)
    del complaints.heard[before:]


async def first_life(directory, home, complaints):
    """Home Assistant is there before the daemon, and stays while much happens."""
    house = await House.start(directory, home.broker.port, True)
    await away(home.start)
    await step(everything_is_shown, house, home)
    await step(buttons_work, house, home)
    await step(wearers_come_and_go, house, home)
    await step(a_death_is_seen, house, home)
    await step(a_broker_that_forgot_everything_has_it_again, house, home, complaints)
    await step(an_old_rate_is_unknown, house, home)
    await house.hass.async_stop()


async def second_life(directory, home, complaints):
    """Home Assistant starts again, with the daemon there and then without it."""
    house = await House.start(directory, home.broker.port, False)
    await house.until("a heart rate", lambda: (house.state("sensor.anna_heart_rate") or "").isdigit())
    print("ok: a restart of Home Assistant brings everything again", flush=True)
    await step(a_setting_that_goes_takes_its_entity, house, home)
    await step(switched_off_is_removed, house, home)
    await step(a_complaint_would_be_heard, home, complaints)
    await house.hass.async_stop()


async def step(work, *words):
    began = time.monotonic()
    await work(*words)
    print(f"ok: {work.__name__.replace('_', ' ')} ({time.monotonic() - began:.1f} s)", flush=True)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--program", required=True, help="the pulsewing program")
    arguments.add_argument("--mosquitto", required=True, help="the broker's program")
    arguments = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="pulsewing-ha-", ignore_cleanup_errors=True) as directory:
        house = os.path.join(directory, "house")
        os.makedirs(house)
        with open(os.path.join(house, "configuration.yaml"), "w", encoding="utf-8") as file:
            file.write("homeassistant:\n  name: Test\n  time_zone: UTC\n")
        for name in NOISE:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        complaints = Complaints()
        for name in JUDGES:
            logging.getLogger(name).addHandler(complaints)
        broker = Broker(arguments.mosquitto, directory)
        home = Home(os.path.abspath(arguments.program), directory, broker)
        try:
            home.configure(HIGH)
            home.sign_in("anna", 1)
            asyncio.run(first_life(house, home, complaints))
            asyncio.run(second_life(house, home, complaints))
        except AssertionError:
            with open(os.path.join(directory, "daemon.log"), encoding="utf-8") as file:
                print(file.read()[-4000:], file=sys.stderr)
            raise
        finally:
            home.close()
            for complaint in complaints.heard:
                print(f"Home Assistant complains: {complaint}", file=sys.stderr)
    if complaints.heard:
        sys.exit(f"{len(complaints.heard)} complaints of Home Assistant")
    print("Home Assistant has no complaints")


main()
