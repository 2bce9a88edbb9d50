"""Layouts of number plates by country, as data.

A pattern is read left to right: ``L`` letter, ``D`` digit, ``X`` either, ``[B|CJ|IF]`` one of the alternatives,
`` `` a gap, ``_`` a narrow gap, ``-`` a hyphen, ``.`` a dot, ``:`` two dots, ``o`` a round seal, ``e`` an emblem or
foreign script between the groups, ``(`` … ``)`` smaller characters, ``/`` the next line. Only letters and digits
belong to the plate's text.
"""

from __future__ import annotations

from dataclasses import dataclass

EU = (520, 110)
US = (305, 152)
SQUARE = (280, 200)
ALL_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DARK, LIGHT, MIXED = "dark-on-light", "light-on-dark", "mixed"


@dataclass(frozen=True)
class Layout:
    """One kind of plate: sizes in millimetres, heights of characters as part of the plate's height."""

    name: str
    patterns: tuple[str, ...]
    size_mm: tuple[int, int] = EU
    height: float = 0.68
    tone: str = DARK
    band: str = ""  # "left", "right", "both", "top": a coloured strip
    top: tuple[str, ...] = ()  # small print above the text, one of
    bottom: tuple[str, ...] = ()  # small print below the text, one of
    letters: str = ALL_LETTERS
    weight: float = 1.0


_RO = (
    "AB|AR|AG|BC|BH|BN|BT|BV|BR|BZ|CS|CL|CJ|CT|CV|DB|DJ|GL|GR|GJ|HR|HD|IL|IS|IF|MM|MH|MS|NT|OT|PH|SM|SJ"
    "|SB|SV|TR|TM|TL|VS|VL|VN"
)
_DE = "B|M|K|F|S|D|HH|DD|HD|MA|KA|BN|DA|WI|MZ|OF|PF|IN|ERH|FFB|STA|TBB|ROW|HBN|LIP|GP"
_INDIA = "MH|DL|KA|TN|AP|GJ|KL|HR|UP|RJ|WB|MP|PB|TS|CH|BR|OD"
_STATES = (
    "CALIFORNIA|TEXAS|NEW YORK|FLORIDA|GEORGIA|PENNSYLVANIA|VIRGINIA|OHIO|ARIZONA|COLORADO|WASHINGTON"
    "|OREGON|MAINE|NEVADA|UTAH|ILLINOIS|MICHIGAN|MASSACHUSETTS|NEW JERSEY|MARYLAND|CONNECTICUT|TENNESSEE"
    "|INDIANA|WISCONSIN|MINNESOTA|KANSAS|OKLAHOMA|IOWA|IDAHO|MONTANA|ALASKA|HAWAII|ONTARIO|QUEBEC|ALBERTA"
    "|BRITISH COLUMBIA"
)
US_STATES = tuple(_STATES.split("|"))
SLOGANS = (
    "dmv.ca.gov", "THE LONE STAR STATE", "EMPIRE STATE", "SUNSHINE STATE", "PEACH STATE", "MYFLORIDA.COM",
    "GARDEN STATE", "GRAND CANYON STATE", "LAND OF LINCOLN", "EVERGREEN STATE", "THE SPIRIT OF AMERICA",
    "YOURS TO DISCOVER", "JE ME SOUVIENS", "BIRTHPLACE OF AVIATION", "GREAT LAKES", "VACATIONLAND", "10,000 lakes",
    "BEAUTIFUL", "Constitution State", "Wild Rose Country", "MOTORS.COM", "USED VEHICLE DEALER",
)  # fmt: skip
CITIES = (
    "SP-SAO PAULO", "RJ-RIO DE JANEIRO", "PR-CURITIBA", "MG-BELO HORIZONTE", "RS-PORTO ALEGRE", "BA-SALVADOR",
    "SC-JOINVILLE", "DF-BRASILIA", "SP-CAMPINAS", "GO-GOIANIA", "PE-RECIFE", "CE-FORTALEZA",
)  # fmt: skip
IRISH = ("BAILE ATHA CLIATH", "CORCAIGH", "GAILLIMH", "LUIMNEACH", "CILL DARA", "AN MHI", "CILL MHANTAIN")
PAKISTAN = ("ICT-ISLAMABAD", "ISLAMABAD", "SINDH", "PUNJAB", "KPK", "PESHAWAR", "LAHORE", "KARACHI")
AUSTRALIA = ("VICTORIA - THE PLACE TO BE", "VICTORIA", "NEW SOUTH WALES", "QUEENSLAND - SUNSHINE STATE", "ACT")
DEALERS = (
    "AUTOHAUS MEIER", "www.automarket.com", "HONDA", "TOYOTA", "Volvo. for life", "Autocentrum", "FORD", "MOTORS",
    "garage du centre", "BMW", "CHEVROLET", "VINART.COM", "AUTO PLUS", "cars.co.uk", "Opel", "SKODA",
)  # fmt: skip
NO_IOQ = "ABCDEFGHJKLMNPRSTUVWXYZ"
FRENCH = "ABCDEFGHJKLMNPQRSTVWXYZ"
SPANISH = "BCDFGHJKLMNPRSTVWXYZ"
CYRILLIC = "ABCEHIKMOPTX"

LAYOUTS: tuple[Layout, ...] = (
    Layout("Romania", (f"[{_RO}] DD LLL", "B DD LLL", "B DDD LLL"), band="left", weight=2.5),
    Layout("Romania, square", (f"[{_RO}] DD/LLL", "B DDD/LLL"), SQUARE, 0.38, band="left", weight=0.4),
    Layout(
        "Germany", (f"[{_DE}]oLL DDDD", f"[{_DE}]oLL DDD", f"[{_DE}]oL DDDD", f"[{_DE}]oLL DD"), band="left", weight=2.0
    ),
    Layout("Germany, square", (f"[{_DE}]o/LL DDD", f"[{_DE}]o/L DDDD"), SQUARE, 0.38, band="left", weight=0.3),
    Layout("France", ("LL-DDD-LL",), band="both", letters=FRENCH, weight=1.5),
    Layout("France, old", ("DDDD LL DD", "DDD LLL DD"), tone=MIXED, letters=FRENCH),
    Layout("Italy", ("LL DDDLL", "LL_DDDLL"), band="both", letters=NO_IOQ, weight=1.2),
    Layout("Italy, square", ("LL/DDDLL",), SQUARE, 0.38, band="left", weight=0.3),
    Layout("Spain", ("DDDD LLL", "L DDDD LL", "LL DDDD L"), band="left", letters=SPANISH, weight=1.2),
    Layout("United Kingdom", ("LLDD LLL",), band="left", weight=1.5),
    Layout(
        "United Kingdom, no band", ("LLDD LLL", "LDDD LLL", "LLL DDDL", "LLL DDD", "LDD LLL", "LL DDDD"), weight=2.0
    ),
    Layout("United Kingdom, square", ("LLDD/LLL", "LDDD/LLL"), (285, 203), 0.39, weight=0.8),
    Layout("Poland", ("LL DDDDD", "LLL DDDD", "LL DDDDL", "LLL LDDD"), band="left", weight=1.2),
    Layout("Netherlands", ("DD-LLL-D", "LL-DD-LL", "D-LLL-DD", "L-DDD-LL", "DD-LL-LL"), band="left", letters=SPANISH),
    Layout("Belgium", ("D-LLL-DDD", "LLL-DDD"), band="left"),
    Layout("Austria", ("L DDDDDL", "LLoDDDLL", "WoDDDDDL"), band="left"),
    Layout("Switzerland", ("LLe DDDDDD", "LL_DDDDDD", "LL.DDDDD"), weight=0.8),
    Layout("Czechia", ("DLDo DDDD", "DLDo_DDDD"), band="left", weight=1.2),
    Layout("Slovakia", ("LLe_DDDLL", "LL-DDDLL"), band="left"),
    Layout("Hungary", ("LLL-DDD", "LLeLL-DDD"), band="left"),
    Layout("Croatia", ("LLeDDDD-LL", "LLeDDD-LL", "LLeDDDD-L"), band="left"),
    Layout("Slovenia", ("LLeLL-DDD", "LL DD-LLL"), band="left"),
    Layout("Serbia", ("LLeDDD-LL", "LLeDDDD-LL"), band="left"),
    Layout("Bosnia", ("LDD-L-DDD",), band="left", letters="AEJKMOT", weight=0.6),
    Layout("Bulgaria", ("L DDDD LL", "LL DDDD LL"), band="left", letters=CYRILLIC),
    Layout("Greece", ("LLL-DDDD", "LLL DDDD"), band="left", letters="ABEZHIKMNOPTYX"),
    Layout("Portugal", ("DD-DD-LL", "LL-DD-LL", "DD-LL-DD"), band="both", letters=NO_IOQ),
    Layout("Sweden", ("LLL DDD", "LLLoDDD", "LLL DDL"), band="left"),
    Layout("Norway", ("LL DDDDD",), band="left"),
    Layout("Finland", ("LLL-DDD",), band="left"),
    Layout("Denmark", ("LL DD DDD",), band="left"),
    Layout("Lithuania", ("LLLoDDD", "LLL:DDD"), band="left"),
    Layout("Latvia", ("LL-DDDD", "LL-DDD"), band="left"),
    Layout("Estonia", ("DDD LLL",), band="left"),
    Layout("Ukraine", ("LL DDDD LL", "LLDDDDLL"), band="left", letters=CYRILLIC),
    Layout("Russia", ("LDDDLL (DD)", "LDDDLL (DDD)"), letters="ABEKMHOPCTYX", weight=0.8),
    Layout("Belarus", ("DDDD LL-D",), band="left", letters=CYRILLIC, weight=0.6),
    Layout("Turkey", ("DD LL DDD", "DD LLL DD", "DD L DDDD", "DD LLL DDD", "DD LL DDDD"), band="left", weight=1.5),
    Layout("Georgia", ("LL-DDD-LL",), band="left", weight=0.8),
    Layout("Armenia", ("DD LL DDD",), band="left", weight=0.4),
    Layout("Ireland", ("DD-L-DDDD", "DD-L-DDDDD", "DDD-L-DDDDD", "DD-LL-DDDD"), band="left", height=0.58, top=IRISH),
    Layout("Israel", ("DD-DDD-DD", "DDD-DD-DDD"), band="left"),
    Layout(
        "USA, six",
        ("LLL DDD", "LLL-DDD", "DDD LLL", "DDDeLLL", "LLLeDDD", "LDD DDL"),
        US,
        0.42,
        MIXED,
        top=US_STATES,
        bottom=SLOGANS,
        weight=2.5,
    ),
    Layout(
        "USA, seven",
        ("DLLLDDD", "LLL DDDD", "LLL-DDDD", "LLLeDDDD", "DDD-LLL", "LLDDDDD", "LLLDDL", "DDDD LL", "XXXXXXX"),
        US,
        0.42,
        MIXED,
        top=US_STATES,
        bottom=SLOGANS,
        weight=3.0,
    ),
    Layout("Canada", ("LLLL DDD", "LLL DDD", "DDD LLL", "LLeDDL"), US, 0.44, MIXED, top=US_STATES, bottom=SLOGANS),
    Layout(
        "Mexico",
        ("LLL-DD-DD", "LLL-DDD-L", "DDD-LLL"),
        US,
        0.40,
        MIXED,
        top=("JALISCO", "NUEVO LEON", "DISTRITO FEDERAL", "EDO MEX"),
        bottom=("MEXICO", "DELANTERA", "TRASERA"),
    ),
    Layout("Brazil, grey", ("LLL-DDDD", "LLL.DDDD", "LLL DDDD"), (400, 130), 0.55, MIXED, top=CITIES, weight=3.0),
    Layout("Brazil, grey, motorcycle", ("LLL/DDDD",), (200, 170), 0.33, MIXED, top=CITIES, weight=0.7),
    Layout("Brazil, Mercosur", ("LLLDLDD",), (400, 130), 0.52, band="top", top=("BRASIL",), weight=2.0),
    Layout("Argentina", ("LL DDD LL", "LL_DDD_LL"), (400, 130), 0.52, band="top", top=("REPUBLICA ARGENTINA",)),
    Layout("Argentina, old", ("LLL DDD",), (294, 129), 0.55, LIGHT, top=("ARGENTINA",), weight=0.8),
    Layout("Chile", ("LL-LL.DD", "LL.DD-DD", "LL DD DD"), (360, 130), 0.55, bottom=("CHILE",), weight=0.6),
    Layout("Colombia", ("LLL DDD", "LLL-DDD"), (330, 160), 0.48, bottom=("BOGOTA", "MEDELLIN", "CALI"), weight=0.8),
    Layout(
        "India",
        (
            f"[{_INDIA}] DD LL DDDD",
            f"[{_INDIA}] DD L DDDD",
            f"[{_INDIA}]DDLLDDDD",
            f"[{_INDIA}]-DD LL-DDDD",
            f"[{_INDIA}] DLL DDDD",
            f"[{_INDIA}].DD.L.DDDD",
        ),
        (500, 120),
        0.6,
        MIXED,
        weight=2.0,
    ),
    Layout(
        "India, two lines",
        (f"[{_INDIA}] DD LL/DDDD", f"[{_INDIA}] DD/LL DDDD", f"[{_INDIA}]-DD-L/DDDD"),
        SQUARE,
        0.36,
        MIXED,
        weight=1.2,
    ),
    Layout(
        "Pakistan",
        ("LLL-DDD", "LL-DDD", "LL-DDDD", "LLL-DDDD", "L DDDD"),
        (330, 150),
        0.45,
        MIXED,
        bottom=PAKISTAN,
        weight=2.0,
    ),
    Layout(
        "Pakistan, Punjab",
        ("[LE|RI|FD|LZ|LX|MN]L (-DD)/DDDD", "LLL(-DD)/DDDD", "LLL (-DD)/DDD"),
        (310, 160),
        0.36,
        MIXED,
        band="left",
        weight=1.5,
    ),
    Layout("Emirates", ("LeDDDDD", "Le DDDDD", "LLe DDDD", "De DDDDD", "Le DDDD"), bottom=(), weight=1.2),
    Layout("Emirates, square", ("e (LD)/DDDDD", "L e/DDDDD"), (335, 155), 0.42, MIXED, weight=0.4),
    Layout("Saudi Arabia", ("DDDD LLL", "DDD LLL"), (320, 160), 0.36, band="right", weight=0.6),
    Layout(
        "Australia",
        ("LLL DDD", "LLLeDDD", "LLL.DDD", "LL DD LL", "DDD LLL", "DLL DLL"),
        (372, 134),
        0.55,
        MIXED,
        bottom=AUSTRALIA,
        weight=1.5,
    ),
    Layout("New Zealand", ("LLLDDD", "LLLDDDD", "LL DDDD"), (360, 125), 0.62),
    Layout(
        "South Africa", ("LL DD LL LL", "LLL DDD LL", "LL DDD-DDD"), (520, 113), 0.6, bottom=("", "GAUTENG"), weight=0.7
    ),
    Layout("Singapore", ("SLLDDDDL", "SLL DDDD L", "SLDDDDL"), (520, 110), 0.66, LIGHT),
    Layout("Malaysia", ("LLL DDDD", "LL DDDD", "WLLDDDDL", "LLL DDD"), (520, 110), 0.66, LIGHT, weight=1.2),
    Layout("Malaysia, square", ("LLL/DDDD", "LL/DDDD"), (340, 240), 0.36, LIGHT, weight=0.5),
    Layout(
        "Indonesia",
        ("L DDDD LL", "LL DDDD LL", "L DDDD LLL"),
        (430, 135),
        0.52,
        MIXED,
        bottom=("05.14", "11.18", "02.21"),
        weight=1.2,
    ),
    Layout(
        "Thailand and others, digits",
        ("DDDDDD", "DD DDDD", "DDD-DDD", "D DDDDD"),
        (340, 150),
        0.5,
        MIXED,
        top=PAKISTAN,
        weight=0.8,
    ),
    Layout(
        "Cuba and the old world",
        ("LLL DDD", "LLL-DDD", "L DDDDDD", "DD LL DD", "LLDDDL"),
        (400, 140),
        0.55,
        MIXED,
        top=("CUBA", "MALTA", "", ""),
        weight=1.0,
    ),
    Layout(
        "Anything, one line",
        ("XXXXX", "XXXXXX", "XXXXXXX", "XXXXXXXX", "XXX XXXX", "XX XXX XX", "XXXX", "XXX-XXXX", "XXXXXXXXX"),
        EU,
        0.66,
        MIXED,
        weight=4.0,
    ),
    Layout(
        "Anything, US size",
        ("XXXXX", "XXXXXX", "XXXXXXX", "XXX XXX", "XXX XXXX", "XXXX"),
        US,
        0.44,
        MIXED,
        top=US_STATES,
        bottom=SLOGANS,
        weight=2.0,
    ),
    Layout(
        "Anything, two lines",
        ("XXX/XXXX", "XX XX/XXXX", "XX/XXXX", "XXXX/XXX", "XXX/XXX", "XXXX/XXXX"),
        SQUARE,
        0.37,
        MIXED,
        weight=1.5,
    ),
)
