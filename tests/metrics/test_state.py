"""What the program knows anyway is read when somebody asks."""

from tests.metrics.places import Values, running, values


async def told() -> Values:
    """All of it."""
    with running() as meter:
        return values(meter)


async def test_actors_tell_what_waits_and_what_became_of_messages() -> None:
    """Dead letters and restarts by kind of actor."""
    found = await told()
    assert found["perplexica_sessions", ()] == 4
    assert found["perplexica_turns", ()] == 3
    assert found["perplexica_mailbox_messages", (("actor", "pool"),)] == 6
    assert found["perplexica_messages_total", (("actor", "turn"), ("became", "dead"))] == 2
    assert found["perplexica_messages_total", (("actor", "pool"), ("became", "refused"))] == 3
    assert found["perplexica_actor_restarts_total", (("actor", "turn"),)] == 1


async def test_services_tell_how_calls_ended_and_what_was_done() -> None:
    """By the names that we have for them."""
    found = await told()
    ended = (("code", "429"), ("upstream", "searxng"))
    assert found["perplexica_upstream_calls_total", ended] == 1
    assert found["perplexica_retries_total", (("upstream", "searxng"),)] == 1
    assert found["perplexica_hedges_won_total", (("upstream", "keyless"),)] == 1
    assert found["perplexica_early_searches_total", (("what", "used"),)] == 1


async def test_breakers_of_one_name_are_counted_by_state() -> None:
    """Clients bring services of their own, whose addresses are nobody's business."""
    found = await told()

    def breakers(name: str) -> list[float]:
        states = ("closed", "open", "probing")
        return [
            found["perplexica_breakers", (("state", state), ("upstream", name))] for state in states
        ]

    assert breakers("searxng") == [0, 1, 0]
    assert breakers("custom_openai chat") == [1, 1, 0]


async def test_bytes_are_told_by_what_carries_them() -> None:
    """Both ways."""
    found = await told()
    assert found["perplexica_received_bytes_total", (("over", "http"),)] == 10
    assert found["perplexica_sent_bytes_total", (("over", "websocket"),)] == 40
