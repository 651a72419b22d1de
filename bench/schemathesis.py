"""What becomes of requests that schemathesis draws from the OpenAPI document, good ones and bad.

``python -m bench.schemathesis [--examples N] [--seed N]`` sends them to the running program: once
beside stand-in upstreams, once where no search and no model service answers. Each answer must have
a status, a type and a shape that the document declares, and the program must log no error. Beside
the stand-ins no answer may be a 5xx, and every route must have answered well at least once; without
them there must be some. The exit code is 1 when that is not so.
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measure import print_table
from tests.e2e.client import Client
from tests.e2e.conftest import upstreams
from tests.e2e.program import Program
from tests.e2e.village import KEY, TOKEN, USERS, command
from tests.standins.model_server import ModelServer
from tests.standins.search_server import SearchServer
from transport.routes import ROUTES
from transport.routes.openapi import PATH

CONFIG = Path(__file__).parents[1] / "tests" / "e2e" / "schemathesis.toml"
TRACED = "an answer"  # in the file above: the id of one, which the server makes
PHASES = ("--phases", "coverage,fuzzing,stateful")
UNWELL = ("--exclude-checks", "not_a_server_error,positive_data_acceptance")
DEADLINE_S = 900
ADMIN = {"name": "root", "password": "correct horse battery"}  # as the file above has it
HEADS = ("route", "2xx", "4xx", "5xx")
# How the document itself is answered was seen when it was read; the first account was made.
UNASKED = {PATH, "/api/setup"}
ASKED = [(route.method, route.pattern) for route in ROUTES if route.pattern not in UNASKED]
UNLIMITED = (
    *("ASKER_QUESTIONS", "ASKER_EXTRAS", "ASKER_LOGINS", "ASKER_UPLOAD_BYTES"),
    *("ASKER_TURNS", "ASKER_CONNECTIONS"),
)
TROUBLE = ("Traceback", "never retrieved", "never awaited", "was destroyed")

Route = tuple[str, str]


@dataclass(frozen=True)
class Tried:
    """What a run of schemathesis came to.

    Attributes:
        report: What it printed.
        code: Its exit code: 0 where it found nothing.
        answers: How often each route was answered with each status.
        errors: What the program logged that it should not have.

    """

    report: str
    code: int
    answers: Counter[tuple[Route, int]]
    errors: list[str]

    def count(self, route: Route, hundreds: int) -> int:
        """How many answers of the route had a status of these hundreds."""
        return sum(
            times
            for (answered, status), times in self.answers.items()
            if answered == route and status // 100 == hundreds
        )


async def tried(folder: Path, *options: str, is_well: bool = True) -> Tried:
    """Start the program in ``folder``, and run schemathesis on it.

    Args:
        folder: Where its data go.
        options: Further words for schemathesis.
        is_well: Whether search and models answer.

    """
    async with ModelServer() as models, SearchServer() as search:
        named = settings(models, search)
        if is_well:
            return await _tried(folder, named, *options)
    return await _tried(folder, named, *options, *UNWELL)  # there nobody listens any more


async def _tried(folder: Path, named: dict[str, str], *options: str) -> Tried:
    async with Program(folder, **named) as program:
        bearer = f"Bearer {await _key(program)}"
        async with Client.connect(program, headers={"Authorization": bearer}) as client:
            await client.answer("What is kept?", chat="0")  # so that there is one to show
            traced = (await client.answer("What is traced?")).frames[0]["messageId"]
        (folder / CONFIG.name).write_text(
            CONFIG.read_text("utf-8").replace(TRACED, traced), "utf-8"
        )
        report, code = await _run(program, folder, "-H", f"Authorization: {bearer}", *options)
    return Tried(report, code, Counter(_answers(folder)), errors(program))


async def _key(program: Program) -> str:
    """A key of the administrator, made as the server's keeper would."""
    token = TOKEN.search(program.log_text())
    assert token
    body = {"token": token[1], **ADMIN}
    (await program.http.post("/api/setup", json=body)).raise_for_status()
    made = await command(program.folder, "key", "create", "root")
    return str(KEY.findall(made.out)[0])


def settings(models: ModelServer, search: SearchServer) -> dict[str, str]:
    """Settings that lead to no service but the stand-ins, whatever is posted."""
    return {
        **upstreams(models, search),
        **USERS,
        "GROQ_API_KEY": "a fourth key of the tests",
        "PERPLEXICA_API_ENDPOINTS_GROQ": models.openai_url,
        "PERPLEXICA_METRICS_ON": "true",
        **{f"PERPLEXICA_LIMITS_{name}": "0" for name in UNLIMITED},  # all of it is one asker's
    }


async def _run(program: Program, folder: Path, *options: str) -> tuple[str, int]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", CONFIG.name),
        *("run", f"{program.url}/api/openapi.json", "--no-color", "--continue-on-failure"),
        *("--report", "ndjson", "--report-ndjson-path", str(folder / "report"), *options),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        report, _ = await asyncio.wait_for(process.communicate(), DEADLINE_S)
    except TimeoutError:
        process.kill()
        raise
    return report.decode(), process.returncode or 0


def _answers(folder: Path) -> Iterator[tuple[Route, int]]:
    """Route and status of each answer in the report."""
    for line in (folder / "report").read_text("utf-8").splitlines():
        recorder = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
        for name, case in recorder.get("cases", {}).items():
            answer = recorder["interactions"].get(name, {}).get("response")
            if answer:
                asked = case["value"]["method"], case["value"]["path"]
                yield asked, answer["status_code"]


def errors(program: Program) -> list[str]:
    """Each line of the log that tells of a bug."""
    logged = [str(line) for line in program.log_lines() if line["level"] in {"error", "critical"}]
    plain = program.log_text().splitlines()
    return [*logged, *(line for line in plain if any(word in line for word in TROUBLE))]


def show(seen: Tried) -> None:
    """Print what was seen."""
    print(seen.report)
    rows = [(" ".join(route), *(seen.count(route, each) for each in (2, 4, 5))) for route in ASKED]
    print_table(HEADS, rows)
    print("\n".join([f"\n{seen.answers.total()} answers\n", *seen.errors]))


def is_good(seen: Tried, *, is_well: bool) -> bool:
    """Whether all holds that must, for a run long enough to reach every route."""
    reached = (
        all(seen.count(route, 2) for route in ASKED)
        if is_well
        else any(seen.count(route, 5) for route in ASKED)
    )
    return not seen.code and not seen.errors and reached


def main() -> None:
    """Try, print, judge."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--examples", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    options = (*PHASES, "--max-examples", str(given.examples), "--seed", str(given.seed))
    results = []
    for is_well in (True, False):
        with TemporaryDirectory() as folder:
            seen = asyncio.run(tried(Path(folder), *options, is_well=is_well))
        show(seen)
        results.append(is_good(seen, is_well=is_well))
    sys.exit(not all(results))


if __name__ == "__main__":
    main()
