"""Send each of 100 tickets 100 times, all at once: ``python -m benchmarks.double_submit``. They must be 100 pledges."""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator

from benchmarks import client, stage, visits
from benchmarks.client import Figure, Visit

DATABASES = ("sqlite", "postgresql")
CLIENTS = 64
PROCESSES = 2


def fresh_tickets(address: tuple[str, int], path: str, how_many: int) -> list[str]:
    """Open the form at `path` so many times and return the tickets."""
    tickets: list[str] = []

    def visit() -> Visit:
        form = yield client.get(path, encoding="")
        visits.expect(visits.OK, form, path)
        tickets.append(visits.ticket_in(form.body))

    client.run_all(address, (visit() for _ in range(how_many)), clients=8)
    return tickets


def storm(address: tuple[str, int], path: str, tickets: list[str], *, times: int, clients: int = CLIENTS) -> Figure:
    """Send every ticket `times` times in a random order over `clients` connections; each must get the thank-you page.

    Raises `benchmarks.client.Unexpected`.
    """
    order = [ticket for ticket in tickets for _ in range(times)]
    random.shuffle(order)

    def sent() -> Iterator[Visit]:
        for ticket in order:
            yield _submit(path, ticket)

    return client.run_all(address, sent(), clients=clients)


def _submit(path: str, ticket: str) -> Visit:
    answer = yield client.post(path, {"ticket": ticket, "country": "TG", "message": "", "paper": "A4"}, encoding="")
    visits.expect(visits.OK, answer, path)
    if ticket.encode() not in answer.body:
        raise client.Unexpected("an answer that is not this ticket's thank-you page")


def main() -> None:
    """Do it on each database and print what the ledger holds afterwards."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=DATABASES, action="append", help="Default: both.")
    parser.add_argument("--tickets", type=int, default=100)
    parser.add_argument("--times", type=int, default=100)
    chosen = parser.parse_args()
    for sort in chosen.database or DATABASES:
        with stage.open_stage(sort) as scene, stage.serve(scene, WEB_CONCURRENCY=PROCESSES) as web:
            path = visits.letter_path(scene.app)
            tickets = fresh_tickets(web.address, path, chosen.tickets)
            figure = storm(web.address, path, tickets, times=chosen.times)
            sent = chosen.tickets * chosen.times
            print(
                f"{scene.database_version()}: {sent:,} submits of {chosen.tickets:,} tickets over {CLIENTS} links "
                f"in {figure.seconds:.1f} s are {scene.pledged():,} pledges; {scene.verify()}",
                flush=True,
            )
            if scene.pledged() != chosen.tickets:
                raise SystemExit(1)


if __name__ == "__main__":
    main()
