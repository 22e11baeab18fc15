"""The look at statements finds the mistake that it is there for, and nothing else."""

import pytest

from tests.support.correlated import named_again


@pytest.mark.parametrize(
    ("statement", "tables"),
    [
        (
            "DELETE FROM message WHERE EXISTS (SELECT erasure.id FROM erasure WHERE erasure.number = message.number "
            "OR EXISTS (SELECT removal.id FROM removal, message WHERE removal.number = message.number))",
            {"message"},
        ),
        ("UPDATE job SET a=1 WHERE NOT (EXISTS (SELECT * FROM item JOIN job ON item.job_id = job.id))", {"job"}),
        ("SELECT (EXISTS (SELECT 1 FROM item, job)) AS has FROM job", {"job"}),
        ("DELETE FROM message WHERE EXISTS (SELECT 1 FROM erasure WHERE erasure.number = message.number)", set()),
        ("SELECT 1 FROM job AS job_1 WHERE EXISTS (SELECT 1 FROM job WHERE job.id < job_1.id)", set()),
        ("SELECT 1 FROM job WHERE EXISTS (SELECT 1 FROM item WHERE item.a IS DISTINCT FROM job.a)", set()),
        ("SELECT 1 FROM job JOIN (SELECT 1 FROM item WHERE EXISTS (SELECT 1 FROM job)) AS j ON j.id = job.id", set()),
        ("SELECT 1 FROM job WHERE job.id IN (SELECT job.id FROM job)", set()),
    ],
)
def test_table_that_an_exists_names_again_is_found(statement: str, tables: set[str]) -> None:
    assert named_again(statement) == tables
