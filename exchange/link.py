"""The link of a node with one of its parents, as a table of states: events in, actions out (pure).

The child opens every connection. After a hello each *lane* (a channel, up or down) goes its own way: a lane that fails
pauses, longer each time, and the others go on. A shell performs the actions and hands back what became of them; it may
be killed between any two, because nothing here needs to be remembered: a new link begins with a hello.

    lane      outcome            then
    any       moved              the same again at once
    up        quiet              idle, until there is news or the next hello was answered
    down      quiet              pull again: the long-poll has waited
    any       held up            reconcile, then go on; pause where that was just done
    any       failed, silent …   pause; whoever succeeds first wakes the others
    any       damaged, often     reconcile: what is told anew is made anew
    any       busy               pause for as long as the parent asks
    any       suspended, refused every lane stops; hello from time to time
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import assert_never

from exchange.lanes import (
    Action,
    Back,
    Check,
    Done,
    Event,
    Greeted,
    Lane,
    Mend,
    News,
    Outcome,
    Pull,
    Push,
    SayHello,
    Start,
    Stop,
    Tell,
    Wait,
    Way,
    Woke,
)

FIRST = 1.0  # seconds of the first pause
CAP = 2 * 60.0  # seconds of the longest one; an open link says hello far more often, so it spares the parent nothing
ASKED = 15 * 60.0  # the same that a parent may ask for
DEAF = 20.0  # the same while nobody answers: asking costs the parent nothing then, and it is heard soon when it is back
PROBE = 60.0  # seconds between hellos to a parent that wants to hear nothing from us, at least
GREET = 20.0  # seconds between hellos on an open link: they tell an idle lane that the parent was set back
OFTEN = 4  # failures after which what arrives damaged is not asked for again, but made anew
HASTY = 1.0  # seconds that a poll without news must have taken for the next to follow at once


class State(Enum):
    """Of the link."""

    STOPPED = "stopped"  # by the operator, or not begun
    GREETING = "greeting"  # a hello is under way
    AWAY = "away"  # the hello failed: it is said again later
    OPEN = "open"
    SUSPENDED = "suspended"
    REFUSED = "refused"


class Doing(Enum):
    """What a lane is at."""

    IDLE = "idle"
    BUSY = "busy"  # pushing or pulling
    MENDING = "mending"  # reconciling
    PAUSED = "paused"


@dataclass(slots=True)
class _Track:
    """Where a lane stands."""

    doing: Doing = Doing.IDLE
    turn: int = 0  # of the wait that would wake it, 0 = none
    failures: int = 0  # since something last went well
    mended: bool = False  # since something last moved
    news: bool = False  # came while it was busy
    check: bool = False  # a reconcile was asked for


@dataclass(slots=True)
class Link:
    """The state of one link. `chance` gives numbers from 0 to 1, so that nodes don't all come back at one moment."""

    lanes: Iterable[Lane]
    chance: Callable[[], float]
    state: State = State.STOPPED
    trouble: str = ""
    _failures: int = 0
    _turns: int = 0
    _turn: int = 0
    _tracks: dict[Lane, _Track] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._tracks = {lane: _Track() for lane in self.lanes}

    def doing(self, lane: Lane) -> Doing:
        """What a lane is at."""
        return self._tracks[lane].doing

    def on(self, event: Event) -> list[Action]:
        """What to do now that this has happened."""
        match event:
            case Start():
                return self._greet() if self.state is State.STOPPED else []
            case Stop():
                self.state = State.STOPPED
                return []
            case Greeted():
                return self._greeted(event)
            case Done():
                return self._done(event)
            case News():
                return self._news(Lane(event.channel, Way.UP))
            case Check():
                return self._check(event.lane)
            case Back():
                return self._greet() if self._waits_to_greet else self._wake_paused()
            case Woke():
                return self._woke(event.turn)
            case _:
                assert_never(event)

    @property
    def _waits_to_greet(self) -> bool:
        return self.state in (State.AWAY, State.SUSPENDED, State.REFUSED)

    def _greet(self) -> list[Action]:
        """Say hello; where the link is open it stays so."""
        if self.state is not State.OPEN:
            self.state = State.GREETING
        self._turn = 0
        return [SayHello()]

    def _greeted(self, event: Greeted) -> list[Action]:
        was_open = self.state is State.OPEN
        if not was_open and self.state is not State.GREETING:
            return []
        if event.outcome in (Outcome.SUSPENDED, Outcome.REFUSED):
            return self._shut(event.outcome, event.reason)
        if event.outcome in (Outcome.MOVED, Outcome.QUIET):
            self.state, self._failures = State.OPEN, 0
        elif not was_open:
            return self._away(State.AWAY, event.reason, self._pause(self._failures, event.outcome))
        wait = self._wait(GREET)
        self._turn = wait.turn
        if was_open:
            idle = [lane for lane in self._tracks if lane.way is Way.UP and self.doing(lane) is Doing.IDLE]
            return [wait, *(action for lane in idle for action in self._go(lane))]
        return [*self._tell(""), wait, *self._go_all()]

    def _shut(self, outcome: Outcome, reason: str) -> list[Action]:
        state = State.SUSPENDED if outcome is Outcome.SUSPENDED else State.REFUSED
        return self._away(state, reason or outcome.value, max(PROBE, self._pause(self._failures, outcome)))

    def _away(self, state: State, reason: str, pause: float) -> list[Action]:
        self.state = state
        self._failures += 1
        wait = self._wait(pause)
        self._turn = wait.turn
        return [*self._tell(reason), wait]

    def _done(self, event: Done) -> list[Action]:
        track, outcome = self._tracks[event.lane], event.outcome
        mended, track.doing = track.doing is Doing.MENDING, Doing.IDLE
        if self.state is not State.OPEN:
            return []
        match outcome:
            case Outcome.MOVED | Outcome.QUIET:
                well = self._well(track, mended=mended)
                if mended or outcome is Outcome.MOVED or track.news or track.check:
                    return [*well, *self._go(event.lane)]
                return [*well, *self._rest(event)]
            case Outcome.BUSY:
                return [self._paused(track, min(ASKED, max(FIRST, event.pause)) * (1 + self.chance() / 2))]
            case Outcome.HELD_UP | Outcome.DAMAGED if not track.mended and self._is_due(track, outcome):
                track.doing, track.mended = Doing.MENDING, True
                return [*self._tell(event.reason), Mend(event.lane)]
            case Outcome.HELD_UP | Outcome.DAMAGED | Outcome.FAILED | Outcome.SILENT:
                track.mended = False
                pause = self._pause(track.failures, outcome)
                track.failures += 1
                return [*self._tell(event.reason), self._paused(track, pause)]
            case Outcome.SUSPENDED | Outcome.REFUSED:
                return self._shut(outcome, event.reason)
            case _:
                assert_never(outcome)

    @staticmethod
    def _is_due(track: _Track, outcome: Outcome) -> bool:
        """Must the stream be reconciled? A segment that is damaged where it lies would else be sent for ever."""
        return outcome is Outcome.HELD_UP or track.failures >= OFTEN

    def _well(self, track: _Track, *, mended: bool) -> list[Action]:
        """It went well. After a failure: the parent is there again, perhaps set back, and nobody need wait for it."""
        if mended:
            return []
        recovered = track.failures > 0
        track.failures, track.mended = 0, False
        if any(other.failures or other.mended for other in self._tracks.values()):
            well = self._wake_paused() if recovered else []
        else:
            well = self._tell("")
        return [*well, *self._greet()] if recovered and self._turn else well

    def _rest(self, event: Done) -> list[Action]:
        track = self._tracks[event.lane]
        if event.lane.way is Way.UP:
            return []
        if event.took >= HASTY:
            return self._go(event.lane)
        wait = self._wait(HASTY)
        track.turn = wait.turn
        return [wait]

    def _news(self, lane: Lane) -> list[Action]:
        track = self._tracks.get(lane)
        if track is None or self.state is not State.OPEN:
            return []
        if track.doing is Doing.IDLE:
            return self._go(lane)
        track.news = True  # a pause is not cut short by it
        return []

    def _check(self, lane: Lane) -> list[Action]:
        self._tracks[lane].check = True
        return self._go(lane) if self.state is State.OPEN else []

    def _woke(self, turn: int) -> list[Action]:
        if turn == self._turn and (self._waits_to_greet or self.state is State.OPEN):
            return self._greet()
        if self.state is not State.OPEN:
            return []
        return [action for lane, track in self._tracks.items() if track.turn == turn for action in self._go(lane)]

    def _wake_paused(self) -> list[Action]:
        if self.state is not State.OPEN:
            return []
        paused = [lane for lane, track in self._tracks.items() if track.doing is Doing.PAUSED]
        return [action for lane in paused for action in self._go(lane)]

    def _go_all(self) -> list[Action]:
        """All lanes that aren't still busy with something from before."""
        return [action for lane in self._tracks for action in self._go(lane)]

    def _go(self, lane: Lane) -> list[Action]:
        track = self._tracks[lane]
        if track.doing in (Doing.BUSY, Doing.MENDING):
            return []
        track.turn = 0
        if track.check:
            track.doing, track.check = Doing.MENDING, False
            return [Mend(lane)]
        track.doing, track.news = Doing.BUSY, False
        return [Push(lane) if lane.way is Way.UP else Pull(lane)]

    def _paused(self, track: _Track, seconds: float) -> Wait:
        wait = self._wait(seconds)
        track.doing, track.turn = Doing.PAUSED, wait.turn
        return wait

    def _pause(self, failures: int, outcome: Outcome) -> float:
        """Seconds: doubled with each failure up to the cap, the second half of it by chance."""
        most = DEAF if outcome is Outcome.SILENT else CAP
        return min(most, FIRST * 2.0 ** min(failures, 32)) * (0.5 + self.chance() / 2)

    def _wait(self, seconds: float) -> Wait:
        self._turns += 1
        return Wait(self._turns, seconds)

    def _tell(self, trouble: str) -> list[Action]:
        if trouble == self.trouble:
            return []
        self.trouble = trouble
        return [Tell(trouble)]
