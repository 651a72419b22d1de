"""Whether this machine's clock is right, as far as others let us know.

It is compared with what services say of the time while they are asked, and with the newest row of
the store: that cannot be younger than now.
"""

from datetime import datetime, timedelta

from doctor.finding import Finding, failed, well
from doctor.patient import Patient
from protocol.errors import StorageUnavailable
from storage.examination import examine

MOST_OFF_S = 120  # certificates and limits by time bear no more for long
ADVICE = "set this machine's clock, and keep it right with NTP"


async def check_clock(patient: Patient) -> Finding:
    """Whether it is off; to be called when the services have been asked."""
    ahead_s = patient.dates.ahead_s
    newest_at = await _newest_at(patient)
    if says := off_by(ahead_s):
        return failed(says, ADVICE)
    if newest_at is not None and (early_s := seconds(newest_at - patient.now())) > MOST_OFF_S:
        says = f"the newest question in the store is from {span(early_s)} ahead of now"
        if ahead_s is None:
            return failed(f"{says}: this clock is behind, or was ahead then", ADVICE)
        return well(f"right by what services say; {says}, as the clock was ahead then")
    if ahead_s is None:
        return well("nothing speaks against it; no service was asked that tells the time")
    return well(f"{span(ahead_s)} off what services say")


def off_by(ahead_s: float | None) -> str:
    """How far the clock is off where that is too much, in words; else empty."""
    if ahead_s is None or abs(ahead_s) <= MOST_OFF_S:
        return ""
    return f"this clock is {span(ahead_s)} {'ahead of' if ahead_s > 0 else 'behind'} the services'"


async def _newest_at(patient: Patient) -> datetime | None:
    try:
        found = await examine((patient.folder / "db.sqlite").resolve())
    except StorageUnavailable:
        return None  # the check of the store tells it
    return found.newest_at if found else None


def seconds(difference: timedelta) -> float:
    """How long that is."""
    return difference.total_seconds()


def span(length_s: float) -> str:
    """A length of time for people: ``59 min``."""
    units = ((86_400, "days"), (3_600, "h"), (60, "min"))
    for size, name in units:
        if abs(length_s) >= 2 * size:
            return f"{abs(length_s) / size:.0f} {name}"
    return f"{abs(length_s):.0f} s"
