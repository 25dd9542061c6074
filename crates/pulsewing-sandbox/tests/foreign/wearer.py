"""A recording and what the clouds should make of it, computed without any code of the sandbox."""

import math
import random
from datetime import date, datetime, timedelta, timezone
from fractions import Fraction
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Berlin")
DAY = date(2026, 11, 22)
# The last sync before this instant is at 09:30 UTC, and the last sample is older than that.
NOW = datetime(2026, 11, 22, 9, 37, tzinfo=timezone.utc)
LAST_SYNC = datetime(2026, 11, 22, 9, 30, tzinfo=timezone.utc)


class Wearer:
    """Two days of samples, with gaps, every 5 to 15 seconds."""

    def __init__(self, seed=53894):
        chance = random.Random(seed)
        self.samples = []
        at = local_midnight(DAY - timedelta(days=1))
        bpm = 60
        while at < LAST_SYNC - timedelta(minutes=2):
            if chance.random() < 0.0015:
                at += timedelta(minutes=chance.randint(2, 40))
                continue
            bpm = min(190, max(42, bpm + chance.randint(-3, 3)))
            self.samples.append((at, bpm))
            at += timedelta(seconds=5 * chance.randint(1, 3))
        # The loop may have stepped over the end in a gap.
        self.samples = [(at, bpm) for at, bpm in self.samples if at < LAST_SYNC]

    def csv(self):
        """Returns the recording with local times, as the sandbox reads it."""
        rows = (f"{at.astimezone(ZONE):%Y-%m-%dT%H:%M:%S},{bpm}" for at, bpm in self.samples)
        return "time,bpm\n" + "\n".join(rows) + "\n"

    def of_day(self, day=DAY):
        """Returns the samples of a civil day."""
        start, end = local_midnight(day), local_midnight(day + timedelta(days=1))
        return [(at, bpm) for at, bpm in self.samples if start <= at < end]

    def windows(self, seconds, day=DAY):
        """Returns start, exact mean, least and greatest bpm of every window of a day that has samples."""
        midnight = local_midnight(day)
        grouped = {}
        for at, bpm in self.of_day(day):
            index = (at - midnight) // timedelta(seconds=seconds)
            grouped.setdefault(index, []).append(bpm)
        return [
            (midnight + timedelta(seconds=seconds * index), Fraction(sum(all), len(all)), min(all), max(all))
            for index, all in sorted(grouped.items())
        ]


def local_midnight(day):
    """Returns the first instant of a civil day."""
    return datetime(day.year, day.month, day.day, tzinfo=ZONE).astimezone(timezone.utc)


def half_up(fraction):
    """Rounds to a whole number, halves upwards."""
    return math.floor(fraction + Fraction(1, 2))


def rfc3339(at):
    """Writes an instant as Google does."""
    return f"{at:%Y-%m-%dT%H:%M:%S}Z"
