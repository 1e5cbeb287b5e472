"""What the tests have paho-mqtt do: `paho_client.py STEP PORT VERSION`, with one line that says what came of it."""

import queue
import sys

import paho.mqtt.client as paho

step, port, version = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
happened = queue.Queue()
client = paho.Client(
    paho.CallbackAPIVersion.VERSION2,
    client_id="paho",
    protocol=paho.MQTTv5 if version == 5 else paho.MQTTv311,
)
client.username_pw_set("revoked" if step == "revoked" else "kettle", "no" if step == "wrong" else "right")
client.reconnect_delay_set(min_delay=1, max_delay=1)
client.on_connect = lambda _client, _data, _flags, reason, _props: happened.put(
    ("refused" if reason.is_failure else "connected", str(reason))
)
client.on_disconnect = lambda _client, _data, _flags, _reason, _props: happened.put(("ended", ""))
client.on_message = lambda _client, _data, message: happened.put(("policy", message.payload.decode()))
client.connect("127.0.0.1", port)
client.loop_start()


def wait_for(*what):
    while True:
        name, detail = happened.get(timeout=20)
        if name in what:
            return name, detail


if step == "wrong":
    print(wait_for("refused", "connected")[0])
elif step == "revoked":
    wait_for("connected")
    wait_for("ended")
    print(wait_for("refused", "connected")[0])
else:
    wait_for("connected")
    if step == "publish":
        client.publish("a/kept", "paho 0", qos=0).wait_for_publish(20)
        client.publish("a/kept", "paho 1", qos=1).wait_for_publish(20)
        print("published")
    elif step == "busy":
        sent = client.publish("a/once-down", "paho busy", qos=1)
        sent.wait_for_publish(20)
        print("published" if sent.is_published() else "lost")
    elif step == "policy":
        client.subscribe("housecarl/v1/kettle/policy", qos=1)
        print(wait_for("policy")[1])
    client.disconnect()
client.loop_stop()
