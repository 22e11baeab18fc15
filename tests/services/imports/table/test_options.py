"""What was chosen for a table beside its columns comes back from what is stored."""

from hikflask.services.imports.table.options import Options


def test_options_come_back_as_they_were_stored() -> None:
    chosen = Options("new", ("department",), {"department": "Цех"}, strip_prefix="T-", pad_to=5, unused_days=(3,))

    assert Options.from_json(chosen.as_json | {"clear": ["department"], "unused_days": [3]}) == chosen
    assert Options.from_json({}) == Options()
