"""Dapr's Python SDK as a client of native actors: ActorProxy over HTTP, DaprClient over gRPC."""

import asyncio
import json

from dapr.actor import ActorId, ActorInterface, ActorProxy, actormethod
from dapr.clients import DaprClient
from dapr.clients.exceptions import DaprInternalError
from dapr.clients.http.dapr_actor_http_client import DaprActorHttpClient
from dapr.serializers import DefaultJSONSerializer

TICK_SECONDS = 20


class GreeterInterface(ActorInterface):
    @actormethod(name="greet")
    async def greet(self, name: str) -> dict: ...

    @actormethod(name="count")
    async def count(self) -> int: ...

    @actormethod(name="refuse")
    async def refuse(self) -> None: ...


def proxy(actor_id: str) -> ActorProxy:
    return ActorProxy.create("Greeter", ActorId(actor_id), GreeterInterface)


async def calls_reach_the_actor():
    greeter = proxy("python")
    assert await greeter.greet("ann") == {"text": "hello, ann", "count": 1}
    assert await greeter.greet("bob") == {"text": "hello, bob", "count": 2}
    assert await greeter.count() == 2
    assert await greeter.invoke_method("count") == b"2"
    assert await proxy("another").count() == 0


async def calls_of_one_actor_take_turns():
    greeter = proxy("busy")
    greetings = await asyncio.gather(*(greeter.greet("x") for _ in range(50)))
    assert sorted(each["count"] for each in greetings) == list(range(1, 51))


async def what_a_method_throws_is_an_error():
    try:
        await proxy("python").refuse()
    except DaprInternalError as error:
        assert "not today" in str(error), error
        assert error.error_code == "ERR_ACTOR_INVOKE_METHOD", error.error_code
    else:
        raise AssertionError("no error")


async def named_values_are_kept():
    client = DaprActorHttpClient(DefaultJSONSerializer())
    await client.save_state_transactionally("Greeter", "python", json.dumps([
        {"operation": "upsert", "request": {"key": "colour", "value": {"name": "red"}}},
        {"operation": "upsert", "request": {"key": "gone", "value": 1}},
        {"operation": "delete", "request": {"key": "gone"}}]).encode())
    assert json.loads(await client.get_state("Greeter", "python", "colour")) == {"name": "red"}
    assert await client.get_state("Greeter", "python", "gone") == b""


async def ticks_arrive(client: DaprActorHttpClient, actor_id: str, count: int) -> list[str]:
    async with asyncio.timeout(TICK_SECONDS):
        while True:
            ticks = json.loads(await client.invoke_method("Greeter", actor_id, "ticks"))
            if len(ticks) >= count:
                return ticks
            await asyncio.sleep(0.05)


async def timers_and_reminders_tick():
    client = DaprActorHttpClient(DefaultJSONSerializer())
    await client.register_timer("Greeter", "timed", "t1", json.dumps(
        {"callback": "tick", "data": {"from": "timer"}, "dueTime": "50ms", "period": "100ms"}).encode())
    assert (await ticks_arrive(client, "timed", 2))[:2] == ['{"from":"timer"}'] * 2
    await client.unregister_timer("Greeter", "timed", "t1")
    await client.register_reminder("Greeter", "reminded", "tick", json.dumps(
        {"data": {"from": "reminder"}, "dueTime": "0h0m0s50ms", "period": "R2/PT1S"}).encode())
    assert await ticks_arrive(client, "reminded", 2) == ['{"from":"reminder"}'] * 2
    await client.unregister_reminder("Greeter", "reminded", "tick")


async def metadata_goes_over_grpc():
    with DaprClient() as client:
        client.set_metadata("team", "blue")
        metadata = client.get_metadata()
        assert metadata.application_id == "greeter", metadata.application_id
        assert metadata.extended_metadata["team"] == "blue"
        assert list(metadata.active_actors_count) == ["Greeter"], metadata.active_actors_count


async def main():
    for test in (calls_reach_the_actor, calls_of_one_actor_take_turns, what_a_method_throws_is_an_error,
                 named_values_are_kept, timers_and_reminders_tick, metadata_goes_over_grpc):
        await test()
        print("ok", test.__name__)


asyncio.run(main())
