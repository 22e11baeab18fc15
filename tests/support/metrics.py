"""What Prometheus reads of a text of metrics."""

from prometheus_client.parser import text_string_to_metric_families


def samples(text: str) -> dict[str, float]:
    """Return each sample's value by its name and labels, such as `hikflask_captures_total{end="used"}`."""
    return {
        name_of(sample.name, sample.labels): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def name_of(name: str, labels: dict[str, str]) -> str:
    """Return a sample as Prometheus writes it."""
    inside = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
    return f"{name}{{{inside}}}" if inside else name
