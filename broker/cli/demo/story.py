"""The story: people connect, partners post, reading is refused; features end, and everything under them with them."""

from __future__ import annotations

import re
import time
from contextlib import ExitStack, closing
from typing import Any

import httpx2

from broker.cli.demo.elsewhere import ResourceServers
from broker.cli.demo.ledger import Ledger
from broker.cli.demo.person import Person
from broker.cli.demo.world import PARTNERS, World

Answer = dict[str, Any]


class Story:
    """One telling, in chapters that build on each other."""

    def __init__(self, world: World, ledger: Ledger, stack: ExitStack) -> None:
        self.world, self.ledger = world, ledger
        self.apps = {name: process.url for name, process in world.partners.items()}
        self.alice, self.bob, self.carol = (
            stack.enter_context(closing(Person(name, world.broker.url))) for name in ("alice", "bob", "carol")
        )
        self._stack = stack
        self._targets: dict[tuple[str, str], tuple[str, str]] = {}

    def tell(self) -> None:
        """All of it."""
        self.connect()
        self.use()
        self.reach_beyond()
        self.end_by_command()
        self.reopen()
        self.end_by_configuration()
        self.end_by_api()
        self.reach_elsewhere()
        self.look_back()

    # --- chapters ---------------------------------------------------------------------------------------------------

    def connect(self) -> None:
        self.ledger.chapter("People connect apps")
        for person, partner in ((self.alice, "tuneloop"), (self.bob, "tuneloop"), (self.alice, "reelwise"),
                                (self.carol, "northbank")):  # fmt: skip
            done: Answer = person.connect(self.apps[partner])
            scope = done.get("scope")
            self.ledger.check(f"{person.name} connects {_name(partner)}, which gets what it needs and no more",
                              done.get("ok") is True and scope == "messages:write", f"scope {scope}")  # fmt: skip

    def use(self) -> None:
        self.ledger.chapter("Partners post, and that is seen")
        for person, partner in ((self.alice, "tuneloop"), (self.bob, "tuneloop"), (self.alice, "reelwise"),
                                (self.carol, "northbank")):  # fmt: skip
            self._posts(person, partner)
        self.ledger.check("a message says which app posted it", "TuneLoop" in self._first_thread(self.alice),
                          "the conversation shows “via TuneLoop”")  # fmt: skip

    def _posts(self, person: Person, partner: str) -> None:
        home: Answer = person.home(self.apps[partner])
        target = home["threads"][0]["id"], home["items"][0]["id"]
        self._targets[person.name, partner] = target
        done: Answer = person.share_into(self.apps[partner], *target)
        text = (done.get("message") or {}).get("text", done.get("words"))
        self.ledger.check(f"{_name(partner)} posts for {person.name}", done.get("ok") is True, f"“{text}”")

    def _share_again(self, person: Person, partner: str) -> Answer:
        return person.share_into(self.apps[partner], *self._targets[person.name, partner])

    def reach_beyond(self) -> None:
        self.ledger.chapter("What was not needed was not given")
        thread, _ = self._targets["alice", "tuneloop"]
        for what, words in (("read", "reading"), ("participants", "seeing who is there"), ("delete", "deleting")):
            values = {"thread": thread} if what != "delete" else {}
            done: Answer = self.alice.press(self.apps["tuneloop"], "/try", what=what, **values)
            self.ledger.check(f"{words} is refused", _kind(done) == "insufficient-scope", _said(done))

    def end_by_command(self) -> None:
        self.ledger.chapter("TuneLoop's feature is shut down, by the command line")
        before = self._share_again(self.alice, "tuneloop")
        last_yes = time.monotonic()
        code, receipt, errors = self.world.command(
            "features", "shut-down", "share-a-track", "--reason", "the feature is gone", "--as", "ops"
        )
        self._refused("alice", "tuneloop", "feature-shut-down", last_yes if before.get("ok") else None)
        self._refused("bob", "tuneloop", "feature-shut-down")
        self._receipt(receipt if code == 0 else errors, grants=2)
        self._goes_on(self.alice, "reelwise")
        self._goes_on(self.carol, "northbank")

    def _refused(self, who: str, partner: str, kind: str, last_yes: float | None = None) -> None:
        person = {"alice": self.alice, "bob": self.bob}[who]
        done = self._share_again(person, partner)
        seen = _said(done)
        if last_yes is not None:
            seen += f", {(time.monotonic() - last_yes) * 1000:.0f} ms after its last yes (running the command included)"
        self.ledger.check(f"the next call of {who}'s token is refused", _kind(done) == kind, seen)
        error = (done.get("oauth_error") or {}).get("error")
        self.ledger.check("and so is its refresh", error == "invalid_grant", f"{error}")

    def _receipt(self, receipt: Any, grants: int) -> None:
        found: Answer = receipt if isinstance(receipt, dict) else {"error": receipt}
        left, ended = found.get("live_after") or {"?": 1}, found.get("ended") or {}
        self.ledger.tell(f"effect in {found.get('elapsed_ms')} ms, at {found.get('effective_at')}")
        self.ledger.check("the receipt counts what ended", ended.get("grants") == grants,
                          f"grants {ended.get('grants')}, access tokens {ended.get('access_tokens')},"
                          f" refresh tokens {ended.get('refresh_tokens')}")  # fmt: skip
        self.ledger.check(
            "and finds nothing left",
            not any(left.values()),
            ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in left.items()),
        )

    def _goes_on(self, person: Person, partner: str) -> None:
        done = self._share_again(person, partner)
        self.ledger.check(f"{_name(partner)} goes on", done.get("ok") is True, str(done.get("headline")))

    def reopen(self) -> None:
        self.ledger.chapter("It is reopened, which takes two")
        command = ("features", "reopen", "share-a-track", "--epoch", "2", "--as", "ops")
        _, pending, errors = self.world.command(*command)
        number = pending["pending"] if isinstance(pending, dict) else errors
        code, _, errors = self.world.command("approvals", "approve", str(number), "--as", "ops")
        self.ledger.check("who asked cannot approve", code == 1, errors)
        code, _, errors = self.world.command("approvals", "approve", str(number), "--as", "ops2")
        self.ledger.check("another operator can", code == 0, errors or "approved by ops2")
        done = self._share_again(self.alice, "tuneloop")
        self.ledger.check("the old grants stay dead", done.get("ok") is not True and done.get("access") == "ended",
                          _said(done))  # fmt: skip
        fresh: Answer = self.alice.connect(self.apps["tuneloop"])
        self.ledger.check("alice is asked afresh, and allows", fresh.get("ok") is True, f"scope {fresh.get('scope')}")
        self._posts(self.alice, "tuneloop")

    def end_by_configuration(self) -> None:
        self.ledger.chapter("It is shut down again, by its configuration file")
        file = self.world.config.parent / "partners" / "tuneloop.toml"
        file.write_text(re.sub(r'(?m)^state = "active"', 'state = "shut_down"', file.read_text("utf-8")), "utf-8")
        _, planned, errors = self.world.command("config", "plan")
        changes = planned.get("changes", []) if isinstance(planned, dict) else []
        ends = [each for each in changes if each.get("kind") == "ends"]
        seen = f"{ends[0]['text']}: {ends[0]['grants']} grant of {ends[0]['people']} person" if ends else errors
        self.ledger.check("the plan says what it would end", [each["grants"] for each in ends] == [1], seen)
        last_yes = time.monotonic()
        code, _, errors = self.world.command("config", "apply", "--as", "ops")
        self.ledger.check("applying it does so", code == 0, errors or "applied")
        self._refused("alice", "tuneloop", "feature-shut-down", last_yes)

    def end_by_api(self) -> None:
        self.ledger.chapter("Reelwise's feature is shut down, by the operator API")
        _, issued, errors = self.world.command("operators", "token", "--scope", "operate", "--as", "ops")
        token = issued.get("token", "") if isinstance(issued, dict) else errors
        before = self._share_again(self.alice, "reelwise")
        last_yes = time.monotonic()
        answer = httpx2.post(
            f"{self.world.broker.url}/admin/api/features/recommend-a-show/shut-down",
            headers={"Authorization": f"Bearer {token}"}, json={"reason": "nobody used it"}, timeout=20,
        )  # fmt: skip
        self._refused("alice", "reelwise", "feature-shut-down", last_yes if before.get("ok") else None)
        self._receipt(answer.json(), grants=1)

    def reach_elsewhere(self) -> None:
        self.ledger.chapter("Palaver's search, in processes elsewhere that say yes from memory")
        ResourceServers(self.world, self.ledger, self._stack).tell(self.bob)

    def look_back(self) -> None:
        self.ledger.chapter("Afterwards")
        self._goes_on(self.carol, "northbank")
        self.ledger.check("the history stays visible", "TuneLoop" in self._first_thread(self.alice),
                          "messages keep their “via”")  # fmt: skip
        page = self.alice.look("/connected-apps")
        self.ledger.check(
            "alice sees what has ended", "TuneLoop" in page and "shut down" in page, "connected apps say so"
        )
        standing: Answer = self.bob.standing(self.apps["tuneloop"])
        state = (standing.get("standing") or {}).get("state")
        self.ledger.check("TuneLoop can see that it is over", state == "shut_down", f"its own standing: {state}")
        _, records, _ = self.world.command("access", "list")
        count = len(records["access"]) if isinstance(records, dict) else 0
        self.ledger.check("who did what is on record", count > 0, f"{count} access records")
        code, verified, errors = self.world.command("audit", "verify")
        position = verified["position"] if isinstance(verified, dict) else 0
        self.ledger.check("the audit log verifies", code == 0, errors or f"intact, {position} entries")

    def _first_thread(self, person: Person) -> str:
        """The page of the conversation that partners post into: the first one."""
        number = min(map(int, re.findall(r'href="/inbox/(\d+)', person.look("/inbox"))))
        return person.look(f"/inbox/{number}")


def _name(partner: str) -> str:
    return PARTNERS[partner][0]


def _kind(done: Answer) -> str:
    return str((done.get("problem") or {}).get("type", "")).removeprefix("urn:palaver:problem:")


def _said(done: Answer) -> str:
    status = done.get("status")
    return f"{status} {_kind(done)}" if _kind(done) else str(done.get("words"))
