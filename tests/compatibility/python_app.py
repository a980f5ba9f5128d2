"""An app with Dapr's Python SDK and FastAPI, hosting the actor type Tally. See actor_app.py."""

import asyncio
import datetime
import os

import uvicorn
from dapr.actor import Actor, ActorInterface, Remindable, actormethod
from dapr.actor.runtime.config import ActorReentrancyConfig, ActorRuntimeConfig
from dapr.actor.runtime.runtime import ActorRuntime
from dapr.ext.fastapi import DaprActor
from fastapi import FastAPI


class TallyInterface(ActorInterface):
    @actormethod(name="add")
    async def add(self, message: dict) -> int: ...

    @actormethod(name="ticks")
    async def ticks(self) -> list: ...

    @actormethod(name="arm")
    async def arm(self) -> None: ...

    @actormethod(name="refuse")
    async def refuse(self) -> None: ...


class Tally(Actor, TallyInterface, Remindable):
    async def _on_activate(self):
        await self._state_manager.try_add_state("count", 0)
        await self._state_manager.try_add_state("ticks", [])
        await self._state_manager.save_state()

    async def _keep(self, name: str, change):
        value = change(await self._state_manager.get_state(name))
        await self._state_manager.set_state(name, value)
        await self._state_manager.save_state()
        return value

    async def add(self, message: dict) -> int:
        return await self._keep("count", lambda count: count + message["amount"])

    async def ticks(self) -> list:
        return await self._state_manager.get_state("ticks")

    async def arm(self) -> None:
        soon, often = datetime.timedelta(milliseconds=50), datetime.timedelta(milliseconds=100)
        await self.register_timer("t1", self.timed, "timed", soon, often, datetime.timedelta(milliseconds=290))
        await self.register_reminder("r1", b"reminded", soon, datetime.timedelta(0))

    async def refuse(self) -> None:
        raise ValueError("not today")

    async def timed(self, data) -> None:
        await self._keep("ticks", lambda ticks: [*ticks, "timer"])

    async def receive_reminder(self, name: str, state: bytes, due_time, period, ttl=None) -> None:
        await self._keep("ticks", lambda ticks: [*ticks, f"{name} {state.decode()}"])


async def main():
    ActorRuntime.set_actor_config(ActorRuntimeConfig(
        actor_idle_timeout=datetime.timedelta(seconds=1), reentrancy=ActorReentrancyConfig(enabled=True)))
    app = FastAPI()
    await DaprActor(app).register_actor(Tally)
    await uvicorn.Server(uvicorn.Config(app, port=int(os.environ["APP_PORT"]), log_level="warning")).serve()


asyncio.run(main())
