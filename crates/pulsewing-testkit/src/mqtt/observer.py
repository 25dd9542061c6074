"""An independent client: prints every message that a broker has or gets as a line of JSON, and publishes the
lines of JSON that it reads. It ends with its input."""

import json
import sys

import paho.mqtt.client as mqtt


def on_connect(client, _userdata, _flags, reason, _properties):
    if reason.is_failure:
        say({"refused": str(reason)})
    else:
        client.subscribe("#", qos=1)


def on_subscribe(_client, _userdata, _mid, _reasons, _properties):
    say({"ready": True})


def on_message(_client, _userdata, message):
    payload = message.payload.decode("utf-8", "replace")
    say({"topic": message.topic, "payload": payload, "retain": message.retain})


def say(what):
    print(json.dumps(what), flush=True)


def main():
    port, *login = sys.argv[1:]
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    if login:
        client.username_pw_set(*login)
    client.on_connect = on_connect
    client.on_subscribe = on_subscribe
    client.on_message = on_message
    client.reconnect_delay_set(0.1, 0.5)
    client.connect("127.0.0.1", int(port))
    client.loop_start()
    for line in sys.stdin:
        wish = json.loads(line)
        client.publish(wish["topic"], wish["payload"], qos=1, retain=wish["retain"])
    client.disconnect()
    client.loop_stop()


main()
