"""NMEA sentences for tests, with their checksums."""

from __future__ import annotations

from functools import reduce


def sentence(body: str) -> str:
    return f"${body}*{reduce(lambda a, c: a ^ ord(c), body, 0):02X}"


def rmc(
    clock: str,
    status: str = "A",
    day: str = "020126",
    speed: str = "10.0",
    *,
    lat: str = "4530.0000",
    lon: str = "02330.0000",
    course: str = "90.0",
    talker: str = "GP",
    mode: str = "A",
) -> str:
    return sentence(f"{talker}RMC,{clock},{status},{lat},N,{lon},E,{speed},{course},{day},,,{mode}")


def gga(clock: str, quality: int = 1, *, talker: str = "GP", satellites: str = "8") -> str:
    return sentence(f"{talker}GGA,{clock},4530.0000,N,02330.0000,E,{quality},{satellites},1.0,100,M,,M,,")
