"""What can happen in a script: one function a verb."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.simulation import checks
from tests.simulation.script import Step

if TYPE_CHECKING:
    from tests.simulation.world import World

SEND_S = 6.0
RESTART_S = 1.0  # in which what an actor that broke should have told may be late


def ask(world: "World", step: Step) -> None:
    """A client asks a question, connecting first where it has left."""
    client, query = world.clients[step.who], step.what
    world.connect(client)
    if not client.is_there:
        return
    world.asked[query.number] = (world.loop.time(), step.who, query)
    message = {"messageId": query.message, "chatId": query.chat, "content": query.text}
    client.say(
        type="message",
        message=message,
        focusMode=query.mode,
        optimizationMode=query.depth,
        history=[],
    )
    world.soon()
    checks.asking(world, step.who, query.number)


def answers(world: "World", step: Step) -> list[str]:
    """The ids of the answers to a question that a client knows of."""
    views = world.clients[step.who].views
    return [a for a in views if a in world.turns and world.turns[a].number == step.what]


def stop(world: "World", step: Step) -> None:
    """A client wants no more of an answer."""
    for answer_id in answers(world, step):
        world.clients[step.who].say(type="stop", messageId=answer_id)
        checks.stopping(world, step.who, answer_id)


def resume(world: "World", step: Step) -> None:
    """A client asks again for what it may have missed, on the connection that it has."""
    client = world.clients[step.who]
    for answer_id in answers(world, step):
        client.resume(answer_id)


def leave(world: "World", step: Step) -> None:
    """A client goes away."""
    world.clients[step.who].leave()


def back(world: "World", step: Step) -> None:
    """A client comes back."""
    world.connect(world.clients[step.who])


def stall(world: "World", step: Step) -> None:
    """A client stops reading."""
    connection = world.clients[step.who].connection
    if connection is not None:
        connection.stall(on=True)


def unstall(world: "World", step: Step) -> None:
    """It reads on, if it has not been dropped."""
    connection = world.clients[step.who].connection
    if connection is not None:
        checks.patience(world, connection)
        connection.stall(on=False)


def say(world: "World", step: Step) -> None:
    """A client sends a frame, whatever it is."""
    client = world.clients[step.who]
    if client.connection is not None and client.is_there:
        client.connection.say(step.what)


def disk(world: "World", step: Step) -> None:
    """The disk has a fault for a while."""
    kind, seconds, amount = step.what
    here = world.process.disk
    here.break_with((kind, amount))
    world.at(world.loop.time() + seconds, lambda _: here.break_with(None))


def kill(world: "World", step: Step) -> None:
    """The process is killed, at once or at the next event of a kind, and started again."""
    moment, world.down_s = step.what
    if moment == "now":
        world.kill()
    else:
        world.deadly = moment


def drain(world: "World", step: Step) -> None:
    """The process is told to stop, and is started again."""
    world.down_s = step.what
    world.leave()


def crash(world: "World", step: Step) -> None:
    """An actor breaks: its task is cancelled by somebody who has no business there."""
    living = [life for life in world.process.tree.living() if life.task is not None]
    life = living[int(step.what * len(living))]
    world.crashes.append((world.loop.time(), life.name, dict(life.facts)))
    world.told("crash", life.name)
    for client in world.clients:
        if client.connection is not None:
            client.connection.calm_since = world.loop.time() + RESTART_S
    if life.task is not None:
        life.task.cancel()


def jump(world: "World", step: Step) -> None:
    """The wall clock jumps."""
    world.jumped_s += step.what


VERBS: dict[str, Callable[["World", Step], None]] = {
    verb.__name__: verb
    for verb in (
        ask,
        stop,
        resume,
        leave,
        back,
        stall,
        unstall,
        say,
        disk,
        kill,
        drain,
        crash,
        jump,
    )
}
