"""What the configuration says that it should not, where this broker is to listen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from broker.cli.doctor.finding import Finding, judged
from broker.settings import Settings, problems_with_binding, unsafe_defaults


def findings(settings: Settings, host: str) -> Iterator[Finding]:
    """Environment, secrets and defaults, and the address."""
    is_production = settings.environment == "production"
    yield judged("environment", is_production, "unusual", f"{settings.environment} ({settings.config_file})")
    unsafe = unsafe_defaults(settings)
    for problem in unsafe:
        yield Finding("defaults", "unsafe", f"{Path(problem.file).name}: {problem.key} {problem.expected}")
    if not unsafe:
        yield Finding("defaults", "ok", "no development secret, no demo user, https, exact hosts, limits on")
    refusals = problems_with_binding(settings, host)
    if refusals:
        yield Finding("bind", "unsafe", f"serving on {host} is refused while {len(refusals)} of these stand")
    else:
        yield Finding("bind", "ok", f"{host} may be listened on")
