// An app with Dapr's JavaScript SDK, hosting the actor type Tally. See actor_app.py.
"use strict";

const { AbstractActor, CommunicationProtocolEnum, DaprServer, Temporal } = require("@dapr/dapr");

class Tally extends AbstractActor {
  async kept(name, initial) {
    const [found, value] = await this.getStateManager().tryGetState(name);
    return found ? value : initial;
  }

  async keep(name, value) {
    await this.getStateManager().setState(name, value);
    await this.getStateManager().saveState();
    return value;
  }

  async add({ amount }) {
    return this.keep("count", (await this.kept("count", 0)) + amount);
  }

  async ticks() {
    return this.kept("ticks", []);
  }

  async arm() {
    const soon = Temporal.Duration.from({ milliseconds: 50 });
    const often = Temporal.Duration.from({ milliseconds: 100 });
    await super.registerActorTimer("t1", "timed", soon, often, Temporal.Duration.from({ milliseconds: 290 }), "timed");
    await super.registerActorReminder("r1", soon, undefined, undefined, "reminded");
  }

  async refuse() {
    throw new Error("not today");
  }

  async timed() {
    await this.keep("ticks", [...(await this.kept("ticks", [])), "timer"]);
  }

  async receiveReminder(data) {
    await this.keep("ticks", [...(await this.kept("ticks", [])), `r1 ${data}`]);
  }
}

async function main() {
  const server = new DaprServer({
    serverHost: "127.0.0.1",
    serverPort: process.env.APP_PORT,
    communicationProtocol: CommunicationProtocolEnum.HTTP,
    clientOptions: {
      daprHost: "127.0.0.1",
      daprPort: process.env.DAPR_HTTP_PORT,
      actor: { actorIdleTimeout: "1s", drainOngoingCallTimeout: "1m", drainRebalancedActors: true },
    },
  });
  await server.actor.init();
  await server.actor.registerActor(Tally);
  await server.start();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
