// Dapr's JavaScript SDK as a client of native actors, over HTTP and over gRPC.
"use strict";

const assert = require("node:assert");
const { once } = require("node:events");
const http2 = require("node:http2");
const { ActorId, ActorProxyBuilder, CommunicationProtocolEnum, DaprClient } = require("@dapr/dapr");
const { default: ActorClient } = require("@dapr/dapr/actors/client/ActorClient/ActorClient");

const TICK_MS = 20_000;

// The builder takes the type's name from a class of that name.
class Greeter {}

async function ticks(actor, id, count) {
  const deadline = Date.now() + TICK_MS;
  for (;;) {
    const found = await actor.invoke("Greeter", id, "ticks");
    if (found.length >= count) return found;
    assert(Date.now() < deadline, `only ${found.length} of ${count} ticks`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function check(protocol, port, name) {
  const client = new DaprClient({ daprHost: "127.0.0.1", daprPort: port, communicationProtocol: protocol });
  const greeter = new ActorProxyBuilder(Greeter, client).build(new ActorId(name));
  // This SDK sends the list of the arguments.
  assert.deepStrictEqual(await greeter.greet_all("ann"), { text: "hello, ann", count: 1 });
  assert.deepStrictEqual(await greeter.greet_all("bob", "cem"), { text: "hello, cem", count: 3 });
  assert.strictEqual(await greeter.count(), 3);
  await assert.rejects(greeter.refuse(), /not today/);
  console.log("ok calls", name);

  const { actor } = new ActorClient("127.0.0.1", port, protocol, client.options);
  const id = new ActorId(`${name}-state`);
  await actor.stateTransaction("Greeter", id, [
    { operation: "upsert", request: { key: "size", value: 7 } },
    { operation: "upsert", request: { key: "gone", value: 8 } },
    { operation: "delete", request: { key: "gone" } },
  ]);
  assert.strictEqual(await actor.stateGet("Greeter", id, "size"), 7);
  assert.strictEqual(await actor.stateGet("Greeter", id, "gone"), "");
  console.log("ok state", name);

  await actor.registerActorTimer("Greeter", id, "t1", { callback: "tick", data: "a", dueTime: "50ms", period: "100ms" });
  const data = protocol === CommunicationProtocolEnum.HTTP ? '"a"' : '"YQ=="';
  assert.deepStrictEqual((await ticks(actor, id, 2)).slice(0, 2), [data, data]);
  await actor.unregisterActorTimer("Greeter", id, "t1");
  const reminded = new ActorId(`${name}-reminded`);
  await actor.registerActorReminder("Greeter", reminded, "tick", { data: "a", dueTime: "50ms" });
  assert.deepStrictEqual(await ticks(actor, reminded, 1), [data]);
  await actor.unregisterActorReminder("Greeter", reminded, "tick");
  console.log("ok ticks", name);

  await client.metadata.set("team", name);
  const metadata = await client.metadata.get();
  assert.strictEqual(metadata.id, "greeter");
  console.log("ok metadata", name);
  await client.stop();
}

// The SDK does not show this entry, so this asks for it by hand.
async function traceComesBack(port) {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  const stream = session.request({
    ":method": "POST",
    ":path": "/dapr.proto.runtime.v1.Dapr/GetMetadata",
    "content-type": "application/grpc",
    te: "trailers",
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  });
  stream.end(Buffer.alloc(5));
  const [headers] = await once(stream, "response");
  stream.close();
  session.close();
  assert.strictEqual(
    Buffer.from(headers["grpc-trace-bin"], "base64").toString("hex"),
    "00000af7651916cd43dd8448eb211c80319c01b7ad6b71692033310201",
  );
  console.log("ok trace grpc");
}

async function main() {
  await check(CommunicationProtocolEnum.HTTP, process.env.DAPR_HTTP_PORT, "http");
  await check(CommunicationProtocolEnum.GRPC, process.env.DAPR_GRPC_PORT, "grpc");
  await traceComesBack(process.env.DAPR_GRPC_PORT);
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
