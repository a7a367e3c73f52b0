"""Tells the story: every deed by its verb and its person, in the order it happened, then the dates are set back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from heapq import heappop, heappush
from itertools import count

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Business, Event, Invitation, Membership, User
from accounts.verbs import writing
from automations.demo import story
from automations.demo.story import Board, Chain, Customer, Design, Habit, Job, Person
from automations.models import Rule, Run
from automations.models.run import WAITING
from automations.occasion import Occasion
from automations.reactions import run_rules
from automations.running import consider
from boards.intake import submit
from boards.models import (
    Card,
    Closing,
    Comment,
    Definition,
    Draft,
    Field,
    IntakeForm,
    Item,
    Label,
    Order,
    OrderStep,
    OrderType,
    Phase,
    Submission,
    Workflow,
)
from boards.models.library import stock
from contacts.models import Contact, ContactLabel

FOUNDED = 75  # days ago
Life = Iterator[datetime]  # yields when it goes on, then does its next deed


def tell(password: str) -> Business:
    """Make the demo businesses and their people, all or nothing; return the main one."""
    with writing(), transaction.atomic():
        secret = make_password(password)  # hashed once: making seven hashes would take longer than all the rest
        people = {person.name: _person(person, secret) for person in story.PEOPLE}
        _person(story.ADMINISTRATOR, secret, is_staff=True, is_superuser=True)
        owner = people[story.MAREN]
        # First, so that its owner's last joined business, the one she is sent to, is Brightside.
        classes = _found(owner, "Holt Evening Classes", "demo-classes")
        Telling(classes, {story.MAREN: owner}, founded=FOUNDED + 30).of((), (story.CLASSES,))
        business = _found(owner, "Brightside Joinery", "demo")
        brightside = (story.CUSTOMERS, story.BRIGHTSIDE, story.CHAINS, story.HABITS, story.DESIGNS)
        Telling(business, people, founded=FOUNDED).of(*brightside)
    return business


def _found(owner: User, name: str, slug: str) -> Business:
    business = Business.objects.found(owner, name=name, slug=slug, time_zone="Europe/Amsterdam", currency="EUR")
    stock(business)  # what follows the founding follows the commit, and the story needs the triggers now
    return business


def _person(person: Person, secret: str, **flags) -> User:
    """Return the person with that address, made with a confirmed address when there is nobody yet."""
    user = User.objects.filter(email=person.email).first()
    if user:
        return user
    user = User(email=person.email, name=person.name, password=secret, **flags)
    user.save()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


class Telling:
    """The telling of one business's story: several lives at once, each deed in its turn."""

    def __init__(self, business: Business, people: dict[str, User], founded: int):
        """Begin `founded` days ago with the owner alone."""
        self.business, self.people = business, people
        self.now = timezone.now().astimezone(business.zone)
        self.founded = self.clock = self._at(founded, 9)
        self.members: dict[str, Membership] = {story.MAREN: business.memberships.get()}
        self.contacts: dict[str, Contact] = {}
        self.happened = {1: self.founded}  # when, by the event's sequence
        self.waiting: list[tuple[datetime, int, Life]] = []
        self.turn = count()
        self.patience: dict[tuple[str, str], tuple[Rule, int]] = {}  # by board and phase
        self.asleep: set = set()  # runs that wait

    def of(
        self,
        customers: tuple[Customer, ...],
        boards: tuple[Board, ...],
        chains: tuple[Chain, ...] = (),
        habits: tuple[Habit, ...] = (),
        designs: tuple[Design, ...] = (),
    ) -> None:
        """Let everybody live their life, then set the dates back."""
        self._go_on(self._joining())
        self._go_on(self._writing_down(customers))
        for board in boards:
            self._go_on(self._laying_out(board))
        self._go_on(self._chaining(chains))
        self._go_on(self._making_rules(habits))
        for design in designs:
            self._go_on(self._publishing(design))
        while self.waiting:
            self.clock, _, life = heappop(self.waiting)
            self._go_on(life)
        self._set_back()

    def _go_on(self, life: Life) -> None:
        """Do the next deed of a life and queue it for the one after."""
        told = len(self.happened)
        following = next(life, None)
        self._let_rules_act(told)
        self.happened |= dict.fromkeys(range(told + 1, self._last_event() + 1), self.clock)
        if following:
            heappush(self.waiting, (max(self.clock, self._in_hours(following)), next(self.turn), life))

    # Lives --------------------------------------------------------------------------------------------

    def _joining(self) -> Life:
        """The colleagues come in, one after the other."""
        roles = {person.name: person.role for person in story.PEOPLE}
        for days, (name, user) in enumerate(self.people.items()):
            if name in self.members:
                continue
            yield self.founded + timedelta(hours=days)
            invitation, _ = self.business.invite(user.email, roles[name], by=self._who(story.MAREN))
            yield self.founded + timedelta(hours=days + 3, minutes=17 * days)
            self.members[name] = invitation.accept(user)

    def _writing_down(self, customers) -> Life:
        """The customers are written down, a few a day, when everybody is there to do so."""
        for number, customer in enumerate(customers):
            yield self.founded + timedelta(days=1, hours=number // 3 * 5 % 8, minutes=11 * number)
            who = self._who(list(self.members)[number % min(4, len(self.members))])
            labels = [ContactLabel.find_or_create(self.business, label, by=who) for label in _words(customer.labels)]
            self.contacts[customer.name] = Contact.create(
                self.business,
                **customer.names,
                job_title=customer.title,
                notes=customer.notes,
                emails=[(customer.email, "main")],
                phones=[(customer.phone, "mobile" if customer.phone.startswith("+31 6") else "work")],
                addresses=[(customer.address, "billing")],
                labels=labels,
                by=who,
            )

    def _laying_out(self, board: Board) -> Life:
        """The owner lays the workflow out; then its jobs come."""
        owner = self._who(story.MAREN)
        yield self.founded + timedelta(days=2)
        workflow = Workflow.create(
            self.business, name=board.name, description=board.says, template=board.starter, by=owner
        )
        phases = {phase.name: phase for phase in workflow.phases.all()}
        for name, description in board.hints:
            phases[name].update(description=description, by=owner)
        for name, days in board.stale:
            phases[name].update(stale_days=days, by=owner)
        for name, key in board.waits:
            phases[name].update(trigger=self.business.trigger_library.get(key=key), by=owner)
        for name, most in board.limits:
            phases[name].update(wip_limit=most, by=owner)
        if board.form:
            form = IntakeForm.create(workflow, **board.form.words, questions=board.form.questions, by=owner)
            form.open(by=owner)
        for life in (*self._open(board, workflow, phases), *self._ended(board, workflow, phases)):
            self._go_on(life)
        if board.archived:
            yield self._at(20, 17)
            workflow.archive(by=owner)

    def _chaining(self, chains) -> Life:
        """The owner chains the workflows; then orders can be opened."""
        yield self.founded + timedelta(days=2, hours=2)
        workflows = {workflow.name: workflow for workflow in self.business.workflows.all()}
        for chain in chains:
            OrderType.create(
                self.business,
                name=chain.name,
                code=chain.code,
                description=chain.says,
                workflows=[workflows[name] for name in chain.boards],
                by=self._who(story.MAREN),
            )

    def _making_rules(self, habits) -> Life:
        """The owner lets the boards do the chasing; from then on the rules act by themselves."""
        yield self.founded + timedelta(days=2, hours=3)
        workflows = {workflow.name: workflow for workflow in self.business.workflows.all()}
        for habit in habits:
            rule = Rule.create(
                self.business,
                habit.document,
                name=habit.name,
                workflow=workflows.get(habit.board),
                state=habit.state,
                by=self._who(story.MAREN),
            )
            if habit.after:
                self.patience[habit.board, habit.document["trigger"]["phase"]] = (rule, habit.after)

    def _publishing(self, design: Design) -> Life:
        """The manager publishes how a board began, and some days later what it lacked."""
        yield self.founded + timedelta(days=5)
        by = self._who(story.PRIYA)
        workflow = self.business.workflows.get(name=design.board)
        for name, kind in design.fields:
            Field.create(workflow, name=name, kind=kind, by=by)
        workflow.publish(Draft.running(workflow), comment="How we began", by=by)
        yield self.founded + timedelta(days=16)
        draft = Draft.begin(self.business.workflows.get(name=design.board), by=by)
        for status in self.business.status_library.filter(name__in=design.steps):
            draft.add_step(name=status.name, stage=status.stage, status=status, by=by)
        for ruleset in design.rulesets:
            draft.set_ruleset(ruleset, by=by)
        second = draft.workflow.publish(draft, comment=design.says, by=by)
        Rule.take_from(second, by=by)  # at once, as the reaction will when it is told

    def _let_rules_act(self, told: int) -> None:
        """Tell the rules what just happened: inside the story's one transaction nobody else does so in time."""
        while told < self._last_event():
            for event in self.business.events.filter(sequence__gt=told).order_by("sequence"):
                run_rules(event=event, sender=None)
                told = event.sequence
        for run in Run.objects.filter(business=self.business, state=WAITING).exclude(pk__in=self.asleep):
            self.asleep.add(run.pk)
            self._go_on(self._waking(run))

    def _waking(self, run: Run) -> Life:
        """A run that waits goes on when its time has come; one whose time is still to come goes on waiting."""
        wakes = self.clock + (run.wakes_at - timezone.now())
        if wakes < self.now:
            yield wakes
            Run.objects.filter(pk=run.pk).update(wakes_at=timezone.now())
            run.wake()
        else:
            Run.objects.filter(pk=run.pk).update(wakes_at=wakes)

    def _lose_patience(self, card: Card, rule: Rule, days: int) -> None:
        """A card has stood in its phase for too long."""
        card = self.business.cards.get(pk=card.pk)
        consider(rule, Occasion.at(card, f"{days} days in {card.phase.name}", f"story {card.pk}"))

    def _open(self, board, workflow, phases):
        """Give a life to every job that still stands in a phase."""
        path = list(phases.values())
        for name, jobs in board.open.items():
            there = path.index(phases[name])
            for place, job in enumerate(jobs):
                since = job.since if job.since is not None else 1 + 2 * place
                if there == 0:
                    since = job.age if job.age is not None else 2 * (len(jobs) - place)
                age = job.age if job.age is not None else since + 4 * there
                arrivals = self._arrivals(self._at(age, 9, job), self._at(since, 11, job), there)
                yield self._job(job, board, workflow, path[: there + 1], arrivals)

    def _ended(self, board, workflow, phases):
        """Give a life to the jobs that were won this month, won last month and put away, or dropped."""
        path = list(phases.values())
        first = self.now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        before = (first - timedelta(days=1)).replace(day=1)
        tellings = [(board.won, first, self.now, False), (board.won_last_month, before, first, True)]
        for jobs, start, end, put_away in tellings:
            for place, job in enumerate(jobs):
                # Spread over the month as far as it has come; the first named is the latest.
                won = start + (end - start) * (len(jobs) - place) / (len(jobs) + 1)
                began = min(won, self._at(job.age, 10, job)) if job.age else won - timedelta(days=14)
                began = max(self.founded + timedelta(days=3), began)
                gone = min(end + timedelta(hours=10), self.now) if put_away else None
                yield self._job(job, board, workflow, path, self._arrivals(began, won, len(path) - 1), gone)
        for place, job in enumerate(board.dropped):
            arrivals = self._arrivals(self._at(40 + place, 10, job), self._at(30 - place, 10, job), 2)
            yield self._job(job, board, workflow, path[:3], arrivals, self._at(12 + 5 * place, 16, job))

    def _job(
        self, job: Job, board: Board, workflow, path, arrivals: list[datetime], gone: datetime | None = None
    ) -> Life:
        """A card comes in, is talked about, ticked off, moved on, and perhaps put away."""
        turn = len(job.name)  # who does what looks like chance and is the same every time
        hands = [*board.crew, job.owner or board.crew[0]]
        who = lambda step: self._who(hands[(turn + step) % len(hands)])  # noqa: E731
        yield arrivals[0]
        card = self._new_card(job, workflow, path[0], by=who(0))
        deeds: list[tuple[datetime, Callable]] = []
        for step, (phase, moment) in enumerate(zip(path[1:], arrivals[1:], strict=True), start=1):
            deeds.append((moment, lambda phase=phase, step=step: card.move(phase, by=who(step))))
        for days, name, text in job.said:
            deeds.append(
                (self._at(days, 9, job), lambda text=text, name=name: Comment.write(card, text, by=self._who(name)))
            )
        items: list[Item] = []
        written = arrivals[min(1, len(arrivals) - 1)]
        for text in job.todo:
            deeds.append((written, lambda text=text: items.append(Item.add(card, text, by=who(1)))))
        for number in range(job.done):
            moment = written + (arrivals[-1] - written) * (number + 1) / job.done
            deeds.append((moment, lambda number=number: items[number].tick(True, by=who(number))))
        for phase, came, went in zip(path, arrivals, [*arrivals[1:], self.now], strict=True):
            rule, days = self.patience.get((board.name, phase.name), (None, 0))
            if rule and went - came > timedelta(days=days):
                moment = came + timedelta(days=days)
                deeds.append((moment, lambda rule=rule, days=days: self._lose_patience(card, rule, days)))
        if job.order:
            deeds.append((written, lambda: self._open_order(job, card, by=who(1))))
        if gone:
            deeds.append((gone, lambda: self._put_away(card, job, by=who(2))))
        for moment, deed in sorted(deeds, key=lambda one: one[0]):
            yield max(moment, arrivals[0])
            deed()
            if job.then and card.is_won and not card.archived_at and card.order.steps.get(card=card).state == "open":
                self._go_on(self._further(job, card, who))

    def _further(self, job: Job, card: Card, who) -> Life:
        """An order goes through the workflows that follow, as far as it has come."""
        won = self.clock
        chain = [step.workflow for step in card.order.steps.select_related("workflow")][1 : 1 + len(job.then)]
        ways = []
        for workflow, name in zip(chain, job.then, strict=True):
            path = list(workflow.phases.all())
            ways.append(path[: next(at for at, phase in enumerate(path) if phase.name == name) + 1])
        steps, done = sum(map(len, ways)), 0
        for way in ways:
            for phase in way:
                done += 1
                if phase == way[0]:  # at once, as the reaction will when it is told
                    cause = Event.objects.about(card).filter(name="card.moved").first()
                    by = Actor.system(self.business, card.order.type.name).because_of(cause)
                    card = card.order.advance(card, by=by)
                    continue
                yield won + (self.now - won) * done / (steps + 1)
                card.move(phase, by=who(done))
        if card.is_won:
            card.order.advance(card, by=Actor.system(self.business, card.order.type.name))

    def _open_order(self, job: Job, card: Card, *, by: Actor) -> None:
        kind = self.business.ordertype_library.get(code=job.order)
        Order.open(kind, name=job.name, contact=card.contact, due_date=card.due_date, card=card, by=by)

    def _put_away(self, card: Card, job: Job, *, by: Actor) -> None:
        reason, note = job.lost
        if card.order and not card.is_won:
            card.order.cancel(by=by)
        elif reason:
            lost = card.workflow.phases.get(section=Phase.CANCELLED)
            reason = self.business.reason_library.get(name=reason)
            card.move(lost, closing={"reason": reason, "note": note}, by=by)
        else:
            card.archive(by=by)

    def _new_card(self, job: Job, workflow, phase, *, by: Actor) -> Card:
        labels = {label.name: label for label in workflow.labels.all()} if job.labels else {}
        labels = [labels[name] for name in _words(job.labels)]
        assignees = [self.members[job.owner]] if job.owner else []
        facts = {
            "name": job.name,
            "value": None if job.euros is None else job.euros * 100,
            "due_date": None if job.due is None else self.now.date() + timedelta(days=job.due),
            "due_time": time.fromisoformat(job.at) if job.at else None,
        }
        if job.sent:
            card = self._send_in(job, workflow)
            card.update(**facts, **({"description": job.says} if job.says else {}), by=by)
            card.assign(assignees, by=by)
            for label in labels:
                card.add_label(label, by=by)
            return card
        facts |= {"description": job.says, "contact": self.contacts.get(job.customer), "source": job.source}
        return Card.create(phase, **facts, labels=labels, assignees=assignees, by=by)

    def _send_in(self, job: Job, workflow) -> Card:
        """The customer sends the workflow's form; what they are called and how they are reached it knows of them."""
        form, customer = workflow.forms.get(), self.contacts[job.customer]
        known = {"name": customer.name, "email": customer.email, "phone": customer.phone}
        known |= {"given_name": customer.given_name, "family_name": customer.family_name}
        answers = dict(job.sent)
        sent = {one: answers.get(one.label, known.get(one.target)) for one in form.questions.all()}
        by = Actor("form", str(form.pk), form.title, self.business.pk)
        return submit(form, job.name[:64], sent, by=by).card

    # Clock --------------------------------------------------------------------------------------------

    def _at(self, days: int, hour: int, job: Job | None = None) -> datetime:
        """Return a time of the day that many days ago, never one that is still to come."""
        spread = len(job.name) * 7 if job else 0
        day = self.now.date() - timedelta(days=days)
        moment = datetime.combine(day, time(hour), self.now.tzinfo) + timedelta(minutes=spread % 290)
        return min(moment, self.now - timedelta(minutes=2 + spread % 50))

    def _in_hours(self, moment: datetime) -> datetime:
        """Return when people would have done it: by day, on a weekday, but in the same month."""
        hour = 8 if moment.hour < 8 else 17 if moment.hour > 17 else moment.hour
        day = moment.date() - timedelta(days=max(0, moment.weekday() - 4))
        if day.month != moment.month or day >= self.now.date() - timedelta(days=1):
            return moment
        return datetime.combine(day, time(hour, moment.minute), moment.tzinfo)

    def _arrivals(self, first: datetime, last: datetime, steps: int) -> list[datetime]:
        """Return when a card came to each phase, evenly between the first and the last."""
        first = min(first, last)
        return [first + (last - first) * step / max(steps, 1) for step in range(steps + 1)]

    def _who(self, name: str) -> Actor:
        return Actor.member(self.members.get(name) or self.members[story.MAREN])

    def _last_event(self) -> int:
        return Business.objects.values_list("last_event", flat=True).get(pk=self.business.pk)

    # Dates --------------------------------------------------------------------------------------------

    def _set_back(self) -> None:
        """Give ledger and rows the dates of the story.

        The one place that writes dates past the verbs. They always say "now", and a ledger is never edited; but a
        business that came about in one second would teach nobody what a history, an age or a month looks like. It
        touches only the rows made above, in the transaction that makes them.
        """
        events = list(self.business.events.order_by("sequence"))
        for event in events:
            event.at = self.happened[event.sequence]
        Event.objects.bulk_update(events, ["at"], batch_size=200)
        history = defaultdict(list)
        for event in events:
            history[event.subject_id].append(event)
        self._date_people(history)
        self._date_work(history)
        self._date_rules(history)
        self._date_designs(history)

    def _date_people(self, history) -> None:
        business = self.business
        Business.objects.filter(pk=business.pk).update(created_at=self.founded)
        for member in business.memberships.select_related("user"):
            joined = history[member.pk][0].at if history[member.pk] else self.founded
            Membership.objects.filter(pk=member.pk).update(joined_at=joined)
            User.objects.filter(pk=member.user_id, date_joined__gt=joined).update(date_joined=joined)
            Invitation.objects.filter(business=business, email=member.user.email).update(
                invited_at=joined - timedelta(hours=3), sent_at=joined - timedelta(hours=3), accepted_at=joined
            )
        contacts = list(business.contacts.all())
        for contact in contacts:
            contact.created_at = contact.updated_at = history[contact.pk][0].at
        Contact.objects.bulk_update(contacts, ["created_at", "updated_at"], batch_size=200)

    def _date_work(self, history) -> None:
        for workflow in self.business.workflows.all():
            born = history[workflow.pk][0].at
            put_away = next((e.at for e in history[workflow.pk] if e.name == "workflow.archived"), None)
            Workflow.objects.filter(pk=workflow.pk).update(created_at=born, updated_at=born, archived_at=put_away)
            Phase.objects.filter(workflow=workflow).update(created_at=born)
            Label.objects.filter(workflow=workflow).update(created_at=born)
        cards = list(self.business.cards.all())
        said, ticked = {}, {}
        for card in cards:
            events = history[card.pk]
            card.created_at, card.updated_at = events[0].at, events[-1].at
            for event in events:
                if event.name in ("card.created", "card.moved"):
                    card.entered_at = event.at
                elif event.name == "card.archived":
                    card.archived_at = event.at
                elif event.name == "card.commented":
                    said[event.details["comment"]] = event.at
                elif event.name == "card.item_checked":
                    ticked[event.details["item"]] = event.at
        Card.objects.bulk_update(cards, ["created_at", "updated_at", "entered_at", "archived_at"], batch_size=200)
        for closing in Closing.objects.filter(business=self.business).select_related("card"):
            Closing.objects.filter(pk=closing.pk).update(closed_at=history[closing.card_id][-1].at)
        self._date_orders(history)
        self._date_forms(history)
        comments = list(Comment.objects.filter(business=self.business))
        for comment in comments:
            comment.created_at = said[str(comment.pk)]
        Comment.objects.bulk_update(comments, ["created_at"], batch_size=200)
        items = list(Item.objects.filter(pk__in=ticked))
        for item in items:
            item.done_at = ticked[str(item.pk)]
        Item.objects.bulk_update(items, ["done_at"], batch_size=200)

    def _date_rules(self, history) -> None:
        for rule in self.business.rules.all():
            born = history[rule.pk][0].at
            Rule.objects.filter(pk=rule.pk).update(created_at=born, updated_at=born)
        runs = list(self.business.runs.select_related("event"))
        for run in runs:
            began = self.happened[run.event.sequence]
            run.touched_at, run.began_at = began, began
        Run.objects.bulk_update(runs, ["began_at", "touched_at"], batch_size=200)

    def _date_designs(self, history) -> None:
        for definition in Definition.objects.filter(business=self.business):
            told = history[definition.workflow_id]
            version = definition.version
            at = next(e.at for e in told if e.name == "workflow.published" and e.details["version"] == version)
            Definition.objects.filter(pk=definition.pk).update(created_at=at)
        for field in Field.objects.filter(business=self.business):
            Field.objects.filter(pk=field.pk).update(created_at=history[field.pk][0].at)

    def _date_forms(self, history) -> None:
        for form in self.business.forms.all():
            born, last = history[form.pk][0].at, history[form.pk][-1].at
            IntakeForm.objects.filter(pk=form.pk).update(created_at=born, opened_at=last, updated_at=last)
        sent = list(self.business.submissions.all())
        for one in sent:
            one.sent_at = next(event.at for event in history[one.card_id] if event.name == "form.submitted")
        Submission.objects.bulk_update(sent, ["sent_at"])

    def _date_orders(self, history) -> None:
        for kind in self.business.ordertype_library.all():
            OrderType.objects.filter(pk=kind.pk).update(created_at=history[kind.pk][0].at)
        for order in self.business.orders.prefetch_related("steps"):
            told = {event.name: event.at for event in history[order.pk]}
            order.opened_at = told["order.opened"]
            order.completed_at, order.cancelled_at = told.get("order.completed"), told.get("order.cancelled")
            Order.objects.bulk_update([order], ["opened_at", "completed_at", "cancelled_at"])
            for step in order.steps.all():
                if step.done_at:
                    step.done_at = next(
                        event.at for event in reversed(history[step.card_id]) if event.name == "card.moved"
                    )
                    OrderStep.objects.bulk_update([step], ["done_at"])


def _words(names: str) -> list[str]:
    return [name for name in names.split(", ") if name]
