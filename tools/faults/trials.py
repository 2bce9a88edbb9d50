"""All trials, in the order in which they run."""

from __future__ import annotations

from tools.faults.access.trial import ACCESS
from tools.faults.bombs.trial import BOMBS
from tools.faults.crash.trials import CRASH
from tools.faults.fuzz.nmea import NMEA
from tools.faults.fuzz.openapi import OPENAPI
from tools.faults.fuzz.over_http import OVER_HTTP
from tools.faults.fuzz.trials import FUZZ
from tools.faults.overload.trial import OVERLOAD
from tools.faults.soak.trial import SOAK
from tools.faults.supply.trial import SUPPLY
from tools.faults.trial import Trial

TRIALS: tuple[Trial, ...] = (NMEA, *FUZZ, OVER_HTTP, OPENAPI, BOMBS, ACCESS, SUPPLY, *CRASH, OVERLOAD, SOAK)
