"""Makes a script that fails shorter, as long as it still breaks the same promise."""

from collections.abc import Iterator

import msgspec

from tests.simulation.process import Cast
from tests.simulation.running import USUAL, Outcome, play
from tests.simulation.script import Person, Plan, Query, Script, Step

MOST_TRIES = 300
PLAIN = Plan()


class Shrinking:
    """The shortest script so far, and what came of it."""

    def __init__(self, script: Script, outcome: Outcome, cast: Cast = USUAL) -> None:
        self.script = script
        self.outcome = outcome
        self.tries = 0
        self._cast = cast

    def run(self, most: int = MOST_TRIES) -> None:
        """Take away what is not needed, until nothing more can go or enough was tried."""
        shrinks = True
        while shrinks and self.tries < most:
            shrinks = any([self._fewer_steps(most), self._simpler(most)])

    def _fewer_steps(self, most: int) -> bool:
        """Leave out halves, quarters, and at last single steps."""
        before = len(self.script.steps)
        size = before // 2 or 1
        while size:
            at = 0
            while at < len(self.script.steps) and self.tries < most:
                steps = self.script.steps
                if not self._take((*steps[:at], *steps[at + size :])):
                    at += size
            size //= 2
        return len(self.script.steps) < before

    def _simpler(self, most: int) -> bool:
        """Give each question services that are well, and all else its usual value."""
        shrank = False
        for candidate in self._candidates():
            if self.tries < most:
                shrank |= self._try(candidate)
        return shrank

    def _candidates(self) -> Iterator[Script]:
        for at in range(len(self.script.steps)):
            step = self.script.steps[at]
            if isinstance(step.what, Query) and step.what.plan != PLAIN:
                for plan in simpler_plans(step.what.plan):
                    query = msgspec.structs.replace(step.what, plan=plan)
                    yield self._with_step(at, msgspec.structs.replace(step, what=query))
        for at, person in enumerate(self.script.people):
            if person != Person(is_v2=person.is_v2):
                people = list(self.script.people)
                people[at] = Person(is_v2=person.is_v2)
                yield msgspec.structs.replace(self.script, people=tuple(people))

    def _with_step(self, at: int, step: Step) -> Script:
        steps = (*self.script.steps[:at], step, *self.script.steps[at + 1 :])
        return msgspec.structs.replace(self.script, steps=steps)

    def _take(self, steps: tuple[Step, ...]) -> bool:
        return self._try(msgspec.structs.replace(self.script, steps=steps))

    def _try(self, script: Script) -> bool:
        """Keep the script if it fails in the same way."""
        self.tries += 1
        outcome = play(script, self._cast)
        if outcome.promise != self.outcome.promise:
            return False
        self.script, self.outcome = script, outcome
        return True


def simpler_plans(plan: Plan) -> Iterator[Plan]:
    """The plan with one of its fields as usual; first with all of them."""
    yield PLAIN
    for name in Plan.__struct_fields__:
        usual = getattr(PLAIN, name)
        if getattr(plan, name) != usual:
            yield msgspec.structs.replace(plan, **{name: usual})
