"""One page about one run."""

from __future__ import annotations

from collections import Counter
from statistics import median, quantiles
from typing import TYPE_CHECKING

from tests.chaos.strikes import CONSUMER, LONG, RELAY

if TYPE_CHECKING:
    from tests.chaos.__main__ import Run
    from tests.chaos.judge import Judge

SHOWN = 25


def page(run: Run, judge: Judge) -> str:
    """What was asked, what was done, what was answered, how fast it healed, and what is wrong."""
    return "\n".join([*_load(run), "", *_strikes(run), "", *_healed(run), "", *_outage(run), "", *_verdict(run, judge)])


def _load(run: Run) -> list[str]:
    deeds = list(run.record)
    done = [deed for deed in deeds if deed.done]
    statuses = Counter(f"{answer.status} {answer.slug if answer.status else 'broken'}".strip() for answer in run.record.answers())
    within = [deed for deed in done if deed.done and deed.done.at - run.began <= run.lasted]
    took = [deed.done.at - deed.answers[0].at + deed.answers[0].took for deed in done if deed.done]
    cuts = quantiles(took, n=100) if len(took) > 1 else [0.0] * 99
    return [
        f"{run.stories} stories, {len(deeds)} commands, {len(done)} acknowledged, {sum(deed.refused for deed in deeds)} refused as expected",
        f"{len(within) / run.lasted:.1f} commands acknowledged per second over {run.lasted:.0f} s",
        f"from the first try to the acknowledgement: {cuts[49]:.2f} s median, {cuts[94]:.2f} s p95, {cuts[98]:.2f} s p99, {max(took):.2f} s at most",
        "CPU seconds: " + ", ".join(f"{seconds:.0f} {kind}" for kind, seconds in sorted(run.spent.items()) if seconds >= 1),
        "answers: " + ", ".join(f"{n} × {what}" for what, n in sorted(statuses.items())),
    ]


def _strikes(run: Run) -> list[str]:
    struck = Counter(run.saboteur.struck)
    lines = [f"{n} × {what}" if n > 1 else what for what, n in struck.items()]
    return [f"{sum(struck.values())} strikes: " + ", ".join(lines[:60]) + (" …" if len(lines) > 60 else "")]


def _healed(run: Run) -> list[str]:
    lines = ["recovery                               n   median     most     goal"]
    for what in dict.fromkeys(healed.what for healed in run.saboteur.healed):
        all = [healed for healed in run.saboteur.healed if healed.what == what]
        seconds = [healed.seconds for healed in all]
        goal = f"{all[0].goal:6.1f} s" if all[0].goal else "      –"
        lines.append(f"{what:36} {len(all):3} {median(seconds):6.2f} s {max(seconds):6.2f} s {goal}")
    return lines


def _outage(run: Run) -> list[str]:
    outage = run.saboteur.outage
    relay, consumer = (f"goal {goal:.0f}" if outage.judged else f"goal {goal:.0f} from {LONG:.0f} s on" for goal in (RELAY, CONSUMER))
    return [
        f"Kafka away for {outage.seconds:.0f} s: {outage.answered} answers to commands, {outage.refused.total()} of them refusals",
        f"then the slowest relay told {outage.relay:.0f} × as fast as events arrived ({relay}), "
        f"the slowest consumer, {outage.slowest}, heard {outage.consumer:.0f} × as fast ({consumer})",
        f"the vault struck: {run.saboteur.needless.total()} refusals of commands that do without it",
    ]


def _verdict(run: Run, judge: Judge) -> list[str]:
    lines = [f"at rest after {judge.settled:.1f} s; {judge.events} events judged in {judge.judged:.1f} s"]
    if not run.wrong:
        return [*lines, f"Nothing acknowledged was lost, doubled, reordered or miscounted. SEED={run.wanted.seed}"]
    return [
        *lines,
        f"WRONG, {len(run.wrong)} times (SEED={run.wanted.seed}; data and logs are in {run.platform.folder}):",
        *run.wrong[:SHOWN],
    ]
