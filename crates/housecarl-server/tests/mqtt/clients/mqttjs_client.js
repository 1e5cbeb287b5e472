// What the tests have MQTT.js do: `mqttjs_client.js STEP PORT VERSION`, with one line that says what came of it.
"use strict";

const mqtt = require("mqtt");

const [step, port, version] = process.argv.slice(2);
const client = mqtt.connect({
  host: "127.0.0.1",
  port: Number(port),
  clientId: "mqttjs",
  protocolVersion: Number(version),
  username: step === "revoked" ? "revoked" : "kettle",
  password: step === "wrong" ? "no" : "right",
  reconnectPeriod: 100,
});

function finish(word) {
  console.log(word);
  client.end(false, () => process.exit(0));
}

// A refusal of MQTT.js is an error; so is a connection that ends while it is being made, and that it tries again.
client.on("error", (error) => {
  if (error.code !== "ECONNRESET") finish("refused");
});
setTimeout(() => process.exit(1), 20000);

client.once("connect", () => {
  if (step === "wrong") finish("connected");
  if (step === "publish") {
    client.publish("a/kept", "mqttjs 0", { qos: 0 });
    client.publish("a/kept", "mqttjs 1", { qos: 1 }, (error) => finish(error ? String(error) : "published"));
  }
  if (step === "busy") {
    client.publish("a/once-down", "mqttjs busy", { qos: 1 }, (error) => finish(error ? String(error) : "published"));
  }
  if (step === "policy") {
    client.on("message", (_topic, payload) => finish(String(payload)));
    client.subscribe("housecarl/v1/kettle/policy", { qos: 1 });
  }
});
