#!/usr/bin/env python3
"""Nodes with apps beside them, all real processes: `app_test.py TROUPE [TEST...]`.

The app is counter_app.py. What it was asked stands in its journal, by which a test sees which turns
ran beside which.
"""

import concurrent.futures
import http.client
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

HERE = pathlib.Path(__file__).parent
PATIENCE = 60
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}


def free_port() -> int:
    """A port of the loopback that nobody has, for TCP and UDP."""
    while True:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            port = tcp.getsockname()[1]
            try:
                udp.bind(("127.0.0.1", port))
                if port not in TAKEN:
                    TAKEN.add(port)
                    return port
            except OSError:
                continue


TAKEN: set[int] = set()


def eventually(holds, patience: float = PATIENCE):
    deadline = time.monotonic() + patience
    while True:
        result = holds()
        if result or time.monotonic() > deadline:
            return result
        time.sleep(0.05)


class Process:
    def __init__(self, command: list[str], log: pathlib.Path, environment=None):
        with log.open("ab") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT,
                                            env=ENVIRONMENT | (environment or {}))

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            return "killed"


class Side:
    """A node, and the app beside it."""

    def __init__(self, world, number: int, flags: list[str]):
        self.world, self.number, self.flags = world, number, flags
        self.peers, self.http, self.port = free_port(), free_port(), free_port()
        self.folder = world.folder / f"side{number}"
        self.folder.mkdir()
        self.journal = self.folder / "journal"
        self.journal.touch()
        self.node = self.app = None

    def start_node(self, founders: list["Side"]):
        join = ",".join(f"127.0.0.1:{each.peers}" for each in founders)
        several = ["--join", join, "--bootstrap-expect", str(len(founders))] if len(founders) > 1 else []
        self.node = Process(
            [self.world.troupe, "node", "--no-discovery", "--data-dir", str(self.folder / "data"), "--shards", "16",
             "--threads", "2", "--listen", f"127.0.0.1:{self.peers}", "--http", f"127.0.0.1:{self.http}", "--app-id",
             "orders", "--app-port", str(self.port), *several, *self.flags], self.folder / "node.log",
            {"APP_API_TOKEN": "secret"})

    def start_app(self, config='{"entities":["Counter"]}'):
        self.app = Process([sys.executable, str(HERE / "counter_app.py"), "--port", str(self.port), "--node",
                            str(self.http), "--journal", str(self.journal), "--config", config, "--control",
                            str(self.folder)], self.folder / "app.log")

    def send(self, verb: str, path: str, body=None, timeout: float = 30, headers=None):
        """(status, body, headers); status 0 if nobody answered in time."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http, timeout=timeout)
        try:
            connection.request(verb, path, None if body is None else json.dumps(body), headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), {name.lower(): value for name, value in answer.getheaders()}
        except (OSError, http.client.HTTPException) as error:
            return 0, str(error), {}
        finally:
            connection.close()

    def call(self, actor: str, method: str, body=None, timeout: float = 30, headers=None):
        status, said, _ = self.send("PUT", f"/v1.0/actors/{actor}/method/{method}", body, timeout, headers)
        return status, said

    def healthy(self) -> bool:
        return self.send("GET", "/v1.0/healthz", timeout=2)[0] == 204

    def entries(self, **wanted):
        found = []
        for line in self.journal.read_text().splitlines():
            entry = json.loads(line)
            if all(entry.get(name) == value for name, value in wanted.items()):
                found.append(entry)
        return found


class World:
    """So many nodes, with or without apps, in a folder of their own."""

    def __init__(self, troupe: str, sides: int = 1, flags: list[str] = ()):
        self.troupe = troupe
        self.directory = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.directory.name)
        self.sides = [Side(self, i, list(flags)) for i in range(sides)]

    def start(self, config='{"entities":["Counter"]}'):
        for side in self.sides:
            side.start_node(self.sides)
            side.start_app(config)
        for side in self.sides:
            assert eventually(side.healthy), f"side {side.number} is not ready"
        return self

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        for side in self.sides:
            for process in (side.node, side.app):
                if process is not None and process.process.poll() is None:
                    process.kill()
        if kind is not None:
            for side in self.sides:
                for log in ("node.log", "app.log", "journal"):
                    if (side.folder / log).exists():
                        print(f"--- {side.number} {log}\n", (side.folder / log).read_text()[-6000:])
        self.directory.cleanup()

    def overlaps(self, actor: str) -> list:
        """Turns of one actor that an app began while another ran there."""
        found = []
        for side in self.sides:
            open_turns = 0
            for entry in side.entries(actor=actor):
                if entry["what"] == "begin":
                    if open_turns:
                        found.append(entry)
                    open_turns += 1
                elif entry["what"] == "end":
                    open_turns -= 1
        return found


def test_healthz_waits_for_the_app(troupe):
    with World(troupe) as world:
        side = world.sides[0]
        side.start_node(world.sides)
        assert eventually(lambda: side.send("GET", "/v1.0/healthz/outbound")[0] == 204)
        status, said, _ = side.send("GET", "/v1.0/healthz")
        assert status == 500 and "ERR_HEALTH_NOT_READY" in said, (status, said)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            early = pool.submit(side.call, "Counter/1", "inc")  # waits, as with Dapr
            time.sleep(0.3)
            side.start_app()
            assert early.result() == (200, "1"), early.result()
        assert eventually(side.healthy)
        metadata = json.loads(side.send("GET", "/v1.0/metadata")[1])
        assert {"type": "Counter", "count": 1} in metadata["actors"], metadata
        assert metadata["actorRuntime"]["runtimeStatus"] == "RUNNING", metadata
        assert metadata["appConnectionProperties"]["port"] == side.port, metadata
        assert side.entries(path="/dapr/config")[0]["token"] == "secret"


def test_calls_are_as_dapr_has_them(troupe):
    with World(troupe).start() as world:
        side = world.sides[0]
        for verb in ("GET", "POST", "PUT", "DELETE"):
            status, said, headers = side.send(verb, "/v1.0/actors/Counter/a/method/echo?x=1&y=2", {"z": 3},
                                              headers={"content-type": "application/json", "X-Mine": "m"})
            said = json.loads(said)
            assert status == 200 and said["verb"] == "PUT", said
            assert said["path"] == "/actors/Counter/a/method/echo?x=1&y=2", said
            assert json.loads(said["body"]) == {"z": 3}, said
            assert said["headers"]["dapr-api-call"] == "true" and said["headers"]["x-mine"] == "m", said
            assert said["headers"]["dapr-api-token"] == "secret", said
            assert headers["x-echo"] == "yes" and headers["content-type"] == "application/json", headers
        error = lambda message: {"errorCode": "ERR_ACTOR_INVOKE_METHOD", "message": "error invoke actor method: " + message}
        for method, message in {"fail": "error from actor service: (500) boom",
                                "status%2F201": "error from actor service: (201) as told",
                                "nope": "actor method not found: actors/Counter/a/method/nope"}.items():
            status, said = side.call("Counter/a", method)
            assert status == 500 and json.loads(said) == error(message), (method, status, said)
        status, said, headers = side.send("POST", "/v1.0/actors/Counter/a/method/marked")
        assert (status, said) == (200, '{"error":"marked"}'), (status, said)
        assert "x-daprerrorresponseheader" in headers, headers
        status, said = side.call("Nobody/a", "inc")
        assert status == 500 and "did not find address for actor 'Nobody/a'" in said, said
        status, said, _ = side.send("POST", "/v1.0/actors/Counter/idle/state",
                                    [{"operation": "delete", "request": {"key": "x"}}])
        assert status == 400 and json.loads(said)["errorCode"] == "ERR_ACTOR_INSTANCE_MISSING", said
        assert [side.call("Counter/b", "inc") for _ in range(3)] == [(200, "1"), (200, "2"), (200, "3")]


def test_timers_and_reminders(troupe):
    with World(troupe).start('{"entities":["Counter"],"actorIdleTimeout":"2s"}') as world:
        side = world.sides[0]
        register = lambda path, body: json.loads(side.call("Counter/t", "register", {"path": path, "body": body})[1])
        (side.folder / "bad").write_text("500")
        for name in ("good", "bad"):
            assert register(f"timers/{name}", {"dueTime": "50ms", "period": "R3/PT0.1S"})["status"] == 500
            assert register(f"timers/{name}", {"dueTime": "50ms", "period": "100ms", "ttl": "290ms", "data": {"k": 1},
                                               "callback": "cb"})["status"] == 204
        method = lambda name: side.entries(what="begin", method=name)
        assert eventually(lambda: len(method("timer/good")) >= 3 and len(method("timer/bad")) >= 3)
        assert json.loads(method("timer/good")[0]["body"]) == {
            "data": {"k": 1}, "callback": "cb", "dueTime": "50ms", "period": "100ms"}
        assert register("reminders/r", {"dueTime": "50ms", "data": "x"})["status"] == 204
        assert eventually(lambda: method("remind/r"))
        assert json.loads(method("remind/r")[0]["body"]) == {"data": "x", "dueTime": "", "period": ""}
        (side.folder / "once").write_text("500")
        assert register("reminders/once", {"dueTime": "0s"})["status"] == 204
        assert eventually(lambda: len(method("remind/once")) == 4)  # Dapr's policy
        assert eventually(lambda: side.entries(what="deactivate", path="/actors/Counter/t"))
        assert len(method("remind/once")) == 4 and len(method("remind/r")) == 1


def test_a_turn_outlives_its_caller(troupe):
    with World(troupe).start() as world:
        side = world.sides[0]
        assert side.call("Counter/s", "slow", 1.0, timeout=0.25)[0] == 0
        assert side.call("Counter/s", "inc") == (200, "2")
        assert world.overlaps("Counter/s") == []


def test_many_impatient_callers(troupe):
    """Time-outs of 250 ms and no fault: what was acknowledged is there, and no turns overlap."""
    with World(troupe, 3).start() as world:
        acknowledged = 0
        lock = threading.Lock()
        until = time.monotonic() + 6

        def caller(number: int):
            nonlocal acknowledged
            while time.monotonic() < until:
                side = world.sides[number % 3]
                status, _ = side.call("Counter/busy", "slow", 0.03, timeout=0.25)
                if status == 200:
                    with lock:
                        acknowledged += 1

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            list(pool.map(caller, range(16)))
        begun = sum(len(side.entries(what="end", actor="Counter/busy", method="slow")) for side in world.sides)
        status, count = world.sides[0].call("Counter/busy", "get", timeout=PATIENCE)
        assert status == 200 and acknowledged <= int(count), (status, count, acknowledged)
        assert world.overlaps("Counter/busy") == []
        assert acknowledged > 0 and begun > 0


def counts(world, side, actors, method="inc"):
    """What each answers, asked until it does."""
    found = {}
    for actor in actors:
        def ask():
            found[actor] = side.call(actor, method, timeout=20)
            return found[actor][0] == 200
        assert eventually(ask), (actor, found[actor])
    return {actor: int(said) for actor, (_, said) in found.items()}


def test_a_killed_node_is_replaced(troupe):
    with World(troupe, 3).start() as world:
        actors = [f"Counter/{i}" for i in range(24)]
        assert set(counts(world, world.sides[0], actors).values()) == {1}
        assert all(side.entries(what="begin") for side in world.sides), "all have a share"
        world.sides[2].node.kill()
        world.sides[2].app.kill()
        after = counts(world, world.sides[1], actors)
        assert set(after.values()) == {2}, after


def test_an_app_that_dies_is_replaced_and_comes_back(troupe):
    with World(troupe, 3).start() as world:
        actors = [f"Counter/{i}" for i in range(24)]
        assert set(counts(world, world.sides[0], actors).values()) == {1}
        world.sides[2].app.kill()
        after = counts(world, world.sides[2], actors)  # by the node whose app is away
        assert set(after.values()) == {2}, after
        lost = world.sides[2]
        lost.start_app('{"entities":["Counter","Other"]}')
        assert eventually(lambda: lost.call("Other/1", "inc")[0] == 200)
        assert set(counts(world, world.sides[0], actors).values()) == {3}
        assert lost.healthy()


def test_an_only_app_that_restarts_loses_nothing(troupe):
    with World(troupe).start() as world:
        side = world.sides[0]
        assert side.call("Counter/1", "inc") == (200, "1")
        assert json.loads(side.call("Counter/1", "register", {
            "path": "reminders/late", "body": {"dueTime": "300ms"}})[1])["status"] == 204
        side.app.kill()
        time.sleep(5)  # more than all attempts that Dapr makes
        side.start_app()
        assert eventually(lambda: side.entries(what="begin", method="remind/late"))
        assert side.call("Counter/1", "inc") == (200, "2")
        status, said = side.call("Counter/1", "die")
        assert status == 500 and "ERR_ACTOR_INVOKE_METHOD" in said, (status, said)
        side.start_app()
        assert counts(world, side, ["Counter/1"]) == {"Counter/1": 3}
        assert len(side.entries(what="begin", method="die")) == 1  # asked once


def test_reentrancy(troupe):
    with World(troupe).start(
            '{"entities":["Counter","Plain"],"entitiesConfig":[{"entities":["Counter"],'
            '"reentrancy":{"enabled":true,"maxStackDepth":2}}]}') as world:
        side = world.sides[0]
        into = lambda body=None: {"path": "/actors/Counter/r/method/" + ("call" if body else "inc"), "body": body}
        status, said = side.call("Counter/r", "call", into())
        assert json.loads(said) == {"status": 200, "body": "1"}, said
        status, said = side.call("Counter/r", "call", into(into()))
        inner = json.loads(json.loads(said)["body"])
        assert inner["status"] == 500 and "ERR_ACTOR_STACK_DEPTH" in inner["body"], said
        assert side.call("Counter/r", "inc") == (200, "2")
        headers = json.loads(side.call("Plain/r", "echo", headers={"Dapr-Reentrancy-Id": "x"})[1])["headers"]
        assert "dapr-reentrancy-id" not in headers, headers


def test_health_checks_withdraw_the_types(troupe):
    flags = ["--enable-app-health-check", "--app-health-probe-interval", "1", "--app-health-threshold", "1"]
    with World(troupe, flags=flags).start() as world:
        side = world.sides[0]
        assert side.call("Counter/1", "inc") == (200, "1")
        types = lambda: [each["type"] for each in json.loads(side.send("GET", "/v1.0/metadata")[1]).get("actors", [])]
        (side.folder / "unwell").touch()
        assert eventually(lambda: types() == [])
        assert side.entries(what="deactivate", path="/actors/Counter/1")
        (side.folder / "unwell").unlink()
        assert eventually(lambda: types() == ["Counter"])
        assert side.call("Counter/1", "inc") == (200, "2")


def test_a_node_stops_in_order(troupe):
    with World(troupe).start() as world:
        side = world.sides[0]
        assert side.call("Counter/1", "inc") == (200, "1")
        with concurrent.futures.ThreadPoolExecutor() as pool:
            slow = pool.submit(side.call, "Counter/2", "slow", 1.0)
            assert eventually(lambda: side.entries(what="begin", method="slow"))
            assert side.node.stop() == 0
            assert slow.result() == (200, "1"), slow.result()
        assert {each["path"] for each in side.entries(what="deactivate")} == {"/actors/Counter/1", "/actors/Counter/2"}


def main() -> int:
    tests = {name: test for name, test in globals().items() if name.startswith("test_")}
    wanted = sys.argv[2:] or list(tests)
    failed = 0
    for name in wanted:
        began = time.monotonic()
        try:
            tests[name](sys.argv[1])
            print(f"ok {name} ({time.monotonic() - began:.1f} s)", flush=True)
        except Exception:  # a failing test does not keep the others from running
            failed += 1
            print(f"FAILED {name}", flush=True)
            traceback.print_exc(file=sys.stdout)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
