"""A test's people work longer than an access token lives."""

from itertools import count

import httpx2

from shared.testing.platform import Person


def test_an_old_token_is_renewed_and_one_that_a_test_sets_is_left_alone() -> None:
    numbers, heard = count(1), list[str]()

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/auth/token"):
            return httpx2.Response(200, json={"access_token": f"token-{next(numbers)}", "expires_in": 0})
        heard.append(request.headers["authorization"])
        return httpx2.Response(200, json={})

    person = Person("http://nowhere.invalid")
    person.http = httpx2.Client(
        base_url="http://nowhere.invalid", transport=httpx2.MockTransport(answer), event_hooks={"request": [person.renew]}
    )
    person.log_in("lin", "password")
    person.http.get("/anything")
    person.http.get("/anything", headers={"authorization": "Bearer other"})
    assert heard == ["Bearer token-2", "Bearer other"]
    assert person.token == "token-3"
