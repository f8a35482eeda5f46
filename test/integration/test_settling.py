# SPDX-License-Identifier: Apache-2.0
"""Each kind of question that no rule can decide, raised and settled on running nodes."""

import json
import pathlib
import shutil
import signal
import tempfile
import uuid

import pytest
from catalog import version
from conftest import PROGRAM, Wasl, wait_for
from shop import event, query, sell, token_of, unsettled, verify_clean
from test_api import Client
from test_orders import PLACE, Place, added, opened, order_event
from test_orders import ROWS as ORDER_ROWS
from test_shifts import SHIFT_ROWS, closing, shift_event

ROWS = (
    *ORDER_ROWS[:-1],
    *SHIFT_ROWS,
    "SELECT id, merged_into FROM orders ORDER BY 1",
    "SELECT term, lower(hex(holder)), lower(hex(set_in)) FROM authorities",
    "SELECT record, kind, part, triggers, open, detail FROM record_reviews"
    " WHERE location = 'BR01' ORDER BY 1, 2, 3",  # a draft is the head office's alone
)
ASKED = (
    "SELECT open, json_extract(detail, '$.answers') FROM record_reviews"
    " WHERE type || '_' || kind = ? AND record = ?"
)
FIRST = "SELECT json_extract(detail, '$.sides[0].event') FROM record_reviews WHERE record = ?"
EDIT = {"decision": "edit", "value": "12"}
EDITABLE = ("tax_same_rank", "promotion_same_rank")


class Apart(Place):
    """A centre and two tills. What tills say while they are apart is said before they meet."""

    def __init__(self, wasl):
        super().__init__(wasl, 2)
        self.owner = token_of(wasl, self.centre, "owner")
        self.manager = token_of(wasl, self.centre, "manager")

    @property
    def nodes(self):
        return [self.centre, *self.tills]

    def chain(self, *events):
        return sell(self.centre, self.owner, list(events))

    def met(self):
        """Until every node shows the same."""

        def differing():
            shown = [[query(node, sql) for node in self.nodes] for sql in ROWS]
            return [rows for rows in shown if any(of != rows[0] for of in rows)]

        def same():
            return sum(map(unsettled, self.tills)) == 0 and differing() == []

        wait_for(same, "nodes to agree", lambda: str(differing()), 40)

    def everywhere(self, wanted, sql, *values):
        for node in self.nodes:
            wait_for(
                lambda node=node: query(node, sql, *values) == wanted,
                f"{node.name}: {wanted}",
                lambda node=node: str(query(node, sql, *values)),
            )


# ---------------------------------------------------------------------------- what is said apart


class OfOrder:
    """Two tills that were apart say something of one order."""

    def __init__(self, record):
        self.record = record
        self.line, *self.bills = (str(uuid.uuid4()) for _ in range(3))

    def before(self, place):
        place.write(0, opened(self.record), added(self.record, self.line, "4"))

    def shows(self, place, decision):
        place.everywhere(
            [("draft", 1000, self.wanted[decision])],
            f"SELECT status, total, {self.column} FROM orders WHERE id = ?",
            self.record,
        )


class Split(OfOrder):
    kind = "order_split"

    def apart(self, place, till):
        body = {"bill": self.bills[till], "lines": [{"line": self.line, "quantity": "3"}]}
        place.write(till, order_event("order_split", self.record, **body))

    def shows(self, place, decision):
        on = {"accept": [-20000, 30000, 30000], "reject": [40000]}[decision]
        sql = "SELECT quantity FROM order_lines WHERE order_id = ? ORDER BY 1"
        place.everywhere([(quantity,) for quantity in on], sql, self.record)
        place.everywhere([(1000,)], "SELECT total FROM orders WHERE id = ?", self.record)


class Merged(OfOrder):
    kind, column = "order_merged_twice", "merged_into IN ('left', 'right')"
    wanted = {"accept": 1, "reject": None}

    def apart(self, place, till):
        place.write(till, order_event("order_merged", self.record, into=("left", "right")[till]))


class Opened(OfOrder):
    kind, column = "order_opened_twice", "table_name"

    def before(self, place):
        pass

    def apart(self, place, till):
        given = opened(self.record, f"T{till}"), added(self.record, str(uuid.uuid4()), "2")
        place.write(till, *given)

    def shows(self, place, decision):
        """One of both, and whatever is answered the one that was first."""
        ((event_,),) = query(place.centre, FIRST, self.record)
        table = "SELECT json_extract(bytes, '$.body.table') FROM journal WHERE id = ?"
        wanted = query(place.centre, table, uuid.UUID(event_).bytes)
        place.everywhere(wanted, "SELECT table_name FROM orders WHERE id = ?", self.record)
        place.everywhere([(1000,)], "SELECT total FROM orders WHERE id = ?", self.record)


class OfShift:
    def __init__(self, record):
        self.record = record

    def shows(self, place, decision):
        """Whatever is answered, the one that was first."""
        ((event_,),) = query(place.centre, FIRST, self.record)
        said = f"SELECT json_extract(bytes, '$.body.{self.said}') FROM journal WHERE id = ?"
        wanted = query(place.centre, said, uuid.UUID(event_).bytes)
        place.everywhere(wanted, f"SELECT {self.said} FROM shift_heads WHERE id = ?", self.record)


class ShiftOpened(OfShift):
    kind, said = "shift_opened_twice", "till"

    def before(self, place):
        pass

    def apart(self, place, till):
        drawer = [{"currency": "USD", "amount": 100 * (till + 1)}]
        place.write(till, shift_event("shift_opened", self.record, till=f"T{till}", float=drawer))

    def shows(self, place, decision):
        super().shows(place, decision)
        ((till,),) = query(place.centre, "SELECT till FROM shift_heads WHERE id = ?", self.record)
        drawer = "SELECT sum(amount) FROM shift_totals WHERE shift = ? AND kind = 'float'"
        place.everywhere([({"T0": 100, "T1": 200}[till],)], drawer, self.record)


class ShiftClosed(OfShift):
    kind, said = "shift_closed_twice", "z"

    def before(self, place):
        place.write(0, shift_event("shift_opened", self.record, till="T1"))

    def apart(self, place, till):
        place.write(till, closing(place.tills[till], self.record, till + 1, counted=till))


# ---------------------------------------------------------------------------- what the chain says


class OfDraft:
    """Two people of the head office who had not seen each other. Tills show what it publishes."""

    def __init__(self, record):
        self.record = record

    def before(self, place):
        first = self.said("10")
        place.chain(first)
        self.base = [first["id"]]
        self.version = publish(place).json["version"]

    def apart(self, place, till):
        place.chain(self.said(("11", "14")[till]) | {"base": self.base})

    def shows(self, place, decision):
        wanted = {"accept": 140000, "reject": 100000, "edit": 120000}[decision]
        published = publish(place)
        assert published.code == 200, published.body
        for till in place.tills:
            wait_for(lambda till=till: version(till) == published.json["version"], "the version")
        sql = f"SELECT {self.column} FROM {self.table} WHERE {self.id} = ?"
        place.everywhere([(wanted,)], sql, self.record)


class Tax(OfDraft):
    kind, table, column, id = "tax_same_rank", "catalog_taxes", "percent", "id"

    def said(self, percent):
        return event("tax_set", "*", ("tax", self.record), {"percent": percent})


class Promotion(OfDraft):
    kind, table, column, id = "promotion_same_rank", "catalog_promotions", "value", "id"

    def said(self, value):
        body = {"kind": "percent", "value": value}
        return event("promotion_set", "*", ("promotion", self.record), body)


class Authority:
    """Two holders are named in one term, of which the first was told to others already."""

    kind = "authority_same_term"
    terms = {"accept": 1, "reject": 2}

    def __init__(self, record):
        self.record, self.decision = PLACE, record

    def before(self, place):
        self.holders = [str(uuid.uuid4()) for _ in range(2)]

    def apart(self, place, till):
        body = {"holder": self.holders[till], "term": self.terms[self.decision]}
        place.chain(event("authority_set", PLACE, ("authority", PLACE), body))

    def shows(self, place, decision):
        wanted = (self.terms[decision], uuid.UUID(self.holders[0]).hex)
        place.everywhere([wanted], "SELECT term, lower(hex(holder)) FROM authorities")


def publish(place):
    return Client(place.centre, place.owner)("POST", "/api/v1/catalog/publish", {})


TILLS = (Split, Merged, Opened, ShiftOpened, ShiftClosed)
CHAIN = (Tax, Promotion, Authority)
CASES = [
    (kind, decision)
    for kind in (*TILLS, *CHAIN)
    for decision in ("accept", "reject", "edit")
    if decision != "edit" or kind.kind in EDITABLE
]


@pytest.fixture(scope="module")
def place():
    if not PROGRAM.exists():
        pytest.skip(f"{PROGRAM} is not built")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="wasl-test-"))
    wasl = Wasl(folder)
    try:
        yield raised(Apart(wasl))
    finally:
        for node in list(wasl.nodes):
            node.stop(signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)


def raised(place):
    """Asks all that tills ask, in one time of theirs apart."""
    place.cases = {}
    for kind, decision in CASES:
        name = decision if kind is Authority else f"{kind.kind}-{decision}"
        place.cases[kind, decision] = kind(name)
    said_apart = [case for (kind, _), case in place.cases.items() if kind in TILLS]
    for case in said_apart:
        case.before(place)
    place.met()
    place.centre.stop(signal.SIGKILL)
    for case in said_apart:
        for till in range(2):
            case.apart(place, till)
    place.centre.serve()
    place.met()
    return place


@pytest.mark.parametrize(("kind", "decision"), CASES, ids=lambda x: getattr(x, "kind", x))
def test_what_no_rule_decides_a_person_sees_and_settles_once(place, kind, decision):
    case = place.cases[kind, decision]
    if kind in CHAIN:
        case.before(place)
        case.apart(place, 0)
        case.apart(place, 1)
        place.met()
    client = Client(place.centre, place.manager if kind in TILLS else place.owner)
    number = asked(place, client, case)
    if issubclass(kind, OfDraft):
        assert publish(place).code == 409
    if kind.kind not in EDITABLE:
        answer = client("POST", f"/api/v1/reviews/{number}/resolve", EDIT)
        assert "there is no value to edit; accept or reject" in answer.is_problem(400)
    body = EDIT if decision == "edit" else {"decision": decision}
    answer = client("POST", f"/api/v1/reviews/{number}/resolve", body | {"note": "looked"})
    assert answer.code == 200, answer.body
    place.met()
    closed(place, case, decision)
    case.shows(place, decision)
    for word in ("accept", "reject"):
        again = client("POST", f"/api/v1/reviews/{number}/resolve", {"decision": word})
        assert "settled already" in again.is_problem(409)
    shown = place.wasl.good("review", "show", "centre", number).out
    assert shown.splitlines()[-1].strip() == "looked", shown
    place.met()
    case.shows(place, decision)


def asked(place, client, case):
    """The one open question of this kind and record, as the API and the program list it."""

    def named(reviews):
        reviews = [r for r in reviews if r["kind"] == case.kind]
        return [r for r in reviews if r["record"].split(" ")[0] == case.record]

    (told,) = named(client("GET", "/api/v1/reviews").json["reviews"])
    (listed,) = named(place.wasl.good("review", "list", "centre", "--json").json)
    assert told["open"] and listed["number"] == told["id"] and listed["text"] == told["text"]
    triggers = told["detail"]["triggers"].split()
    sides = [side["event"] for side in told["detail"]["sides"] if side["event"] in triggers]
    assert len(sides) == len(triggers) == 2, told
    shown = place.wasl.good("review", "show", "centre", told["id"]).out
    assert told["text"] in shown and shown.count("\nside ") >= 2, shown
    assert "\nto accept  " in shown and "\nto reject  " in shown, shown
    assert ("\nto edit " in shown) == (case.kind in EDITABLE), shown
    if not isinstance(case, OfDraft):
        sql = "SELECT open FROM record_reviews WHERE type || '_' || kind = ? AND record = ?"
        place.everywhere([(1,)], sql, case.kind, case.record)
    return told["id"]


def closed(place, case, decision):
    """The question is over, here and at the tills, and everybody is told how."""
    nodes = [place.centre] if isinstance(case, OfDraft) else place.nodes
    for node in nodes:
        ((is_open, answers),) = query(node, ASKED, case.kind, case.record)
        (answer,) = json.loads(answers)[-1:]
        assert (is_open, answer["decision"], answer["note"]) == (0, decision, "looked"), node.name
    for node in place.nodes:
        sql = "SELECT count(*) FROM reviews WHERE kind = ? AND record LIKE ? || '%' AND open = 1"
        assert query(node, sql, case.kind, case.record) == [(0,)], node.name


def test_nothing_is_open_when_all_of_it_is_settled(place):
    """Of what was asked; every node's tables are what its events give, and stay so made anew."""
    assert place.wasl.good("review", "list", "centre", "--json").json == []
    for node in place.nodes:
        assert query(node, "SELECT kind FROM reviews WHERE open = 1") == []
        verify_clean(place.wasl, node)
