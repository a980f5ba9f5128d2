"""What an app that hosts Tally with an SDK of Dapr's must do, whatever its language."""

import concurrent.futures
import json
import os
import time
import urllib.error
import urllib.request

BASE = f"http://127.0.0.1:{os.environ['DAPR_HTTP_PORT']}/v1.0"
PATIENCE = 20


def call(actor: str, method: str, body=None) -> tuple[int, str]:
    request = urllib.request.Request(f"{BASE}/actors/{actor}/method/{method}", method="PUT",
                                     data=b"" if body is None else json.dumps(body).encode(),
                                     headers={"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def eventually(holds):
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.05)


def active() -> int:
    with urllib.request.urlopen(f"{BASE}/metadata", timeout=PATIENCE) as answer:
        return {each["type"]: each["count"] for each in json.load(answer)["actors"]}["Tally"]


def methods():
    assert call("Tally/ann", "add", {"amount": 5}) == (200, "5"), call("Tally/ann", "add", {"amount": 0})
    assert call("Tally/ann", "add", {"amount": 2}) == (200, "7")
    assert call("Tally/bob", "add", {"amount": 1}) == (200, "1")


def one_at_a_time():
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        said = list(pool.map(lambda _: call("Tally/busy", "add", {"amount": 1}), range(60)))
    assert sorted(int(text) for status, text in said if status == 200) == list(range(1, 61)), said


def failures():
    """The JavaScript SDK does not tell what an error said."""
    status, said = call("Tally/ann", "refuse")
    assert "not today" in said or (status == 500 and "error from actor service: (500) {}" in said), (status, said)
    status, said = call("Tally/ann", "nothing_of_the_kind")
    assert status in (200, 500) and "rror" in said, (status, said)


def ticks():
    status, said = call("Tally/ticked", "arm")
    assert status == 200, (status, said)
    seen = lambda: json.loads(call("Tally/ticked", "ticks")[1])
    eventually(lambda: seen().count("timer") >= 3 and any(each.startswith("r1") for each in seen()))
    assert any("reminded" in each for each in seen()), seen()


def let_go_and_back():
    eventually(lambda: active() == 0)
    assert call("Tally/ann", "add", {"amount": 1}) == (200, "8")


def native():
    """A C++ actor calls the app's, and one of the app's node is called as ever."""
    message = {"type": "Tally", "id": "ann", "method": "add", "message": {"amount": 2}}
    assert call("Greeter/1", "forward", message) == (200, "10"), call("Greeter/1", "forward", message)
    assert call("Greeter/1", "greet", "app")[0] == 200


for test in (methods, one_at_a_time, failures, ticks, let_go_and_back, native):
    test()
    print("ok", test.__name__, flush=True)
