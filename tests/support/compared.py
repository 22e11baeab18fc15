"""A terminal that differs from the list here, and its comparison by the pages."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.models import Comparison, Difference, PersonThere
from hikflask.models.columns import database_now
from hikflask.models.comparison import DONE, ONLY_HERE
from hikflask.simulator import Terminal as Simulated
from tests.support.desk import ENGLISH

PAGE = "/terminals/1/comparison"


def add_strangers(simulator: Simulated, *numbers: str, **fields: object) -> None:
    """Add people at the terminal itself, as other software does; each has a card."""
    for number in numbers:
        simulator.store.add(number, {"name": f"Гость {number}", **fields})
        simulator.store.save_card(f"9{number}", {"employeeNo": number})


def add_comparison(terminal_id: int, differences: Mapping[str, Sequence[str]]) -> Comparison:
    """Add a finished comparison with these numbers of each kind, all of them on the terminal save those only here."""
    there = {number for kind, numbers in differences.items() for number in numbers if kind != ONLY_HERE}
    row = Comparison(terminal_id=terminal_id, state=DONE, people=len(there), read=len(there), ended_at=database_now())
    db.session.add(row)
    db.session.flush()
    for kind, numbers in differences.items():
        db.session.add_all(Difference(comparison_id=row.id, kind=kind, number=number) for number in numbers)
    valid = "2025-01-01T00:00:00/2027-12-31T23:59:59"
    about = {"comparison_id": row.id, "faces": 0, "cards": 1, "valid_there": valid}
    db.session.add_all(PersonThere(number=number, name=f"Гость {number}", **about) for number in sorted(there))
    db.session.commit()
    return row


@dataclass
class ComparisonDesk:
    """An operator's desk at the pages of a comparison: a browser without JavaScript, a terminal, and the worker."""

    client: FlaskClient
    simulator: Simulated
    run_jobs: Callable[[], int]

    def compare(self) -> str:
        """Compare the terminal, and return the page."""
        answer = self.client.post(PAGE)
        assert (answer.status_code, answer.location) == (303, PAGE)
        self.run_jobs()
        return self.english()

    def choose(self, kind: str, action: str, *numbers: str) -> None:
        """Tick these numbers, or all of a kind, and press a button."""
        data = {"kind": kind, "action": action, "number": list(numbers)} | ({} if numbers else {"all": "1"})
        answer = self.client.post(f"{PAGE}/choose", data=data)
        assert (answer.status_code, answer.location) == (303, f"{PAGE}?kind={kind}")

    def english(self, address: str = PAGE) -> str:
        """The page at an address, in English."""
        return self.client.get(address, headers=ENGLISH).text
