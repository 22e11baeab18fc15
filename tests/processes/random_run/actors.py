"""An actor, and how often what is done."""

from tests.processes.random_run.deeds_at_terminals import AtTerminals
from tests.processes.random_run.deeds_for_many import ForMany
from tests.processes.random_run.deeds_for_people import ForPeople


class Actor(ForPeople, ForMany, AtTerminals):
    """Does everything that this program is for."""

    def act(self) -> None:
        """Act until the end."""
        self.live([
            (4, self.create), (4, self.put), (4, self.edit), (3, self.photo), (3, self.capture_by_program),
            (3, self.capture_on_page), (3, self.leave_or_return), (1, self.delete), (1, self.erase),
            (1, self.erase_number), (2, self.renumber),
            (2, self.import_), (1, self.correct_import), (1, self.undo_import), (1, self.move_many),
            (1, self.send_many), (1, self.deactivate_many), (1, self.regroup), (1, self.group_of_its_own),
            (2, self.compare), (1, self.take_over), (1, self.send), (2, self.trouble), (1, self.retire),
            (6, self.pass_by), (2, self.alarm), (2, self.see_alarm),
        ])  # fmt: skip
