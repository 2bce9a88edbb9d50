"""Looks at everything a drive needs, without running one: `examine` yields a finding per part."""

from edge_client.doctor.examine import examine
from edge_client.doctor.finding import Finding, Verdict

__all__ = ["Finding", "Verdict", "examine"]
