"""What there is at Brightside Joinery and what has happened there; days count from the day the story is told."""

from __future__ import annotations

from dataclasses import dataclass

from boards.starters import NEW, PROCESSING, STARTERS, Starter, StarterForm


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can sign in."""

    name: str
    email: str
    role: str


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody the business works for; without a family name it is a company."""

    name: str
    email: str
    phone: str
    address: str = ""
    labels: str = ""
    title: str = ""
    company: str = ""
    notes: str = ""

    @property
    def names(self) -> dict[str, str]:
        """Return the fields of a contact that hold the name."""
        if self.company == self.name:
            return {"company": self.name}
        given, _, family = self.name.rpartition(" ")
        return {"given_name": given or family, "family_name": family if given else "", "company": self.company}


@dataclass(frozen=True, slots=True)
class Job:
    """A card and its life. Left to itself, its age and the days in its phase follow from where it stands."""

    name: str
    customer: str = ""
    euros: int | None = None
    labels: str = ""
    owner: str = ""
    due: int | None = None
    at: str = ""
    source: str = ""
    age: int | None = None
    since: int | None = None
    says: str = ""
    todo: tuple[str, ...] = ()
    done: int = 0
    said: tuple[tuple[int, str, str], ...] = ()
    order: str = ""  # the code of the order type it is opened as
    then: tuple[str, ...] = ()  # once won: how far it has come in each workflow that follows
    lost: tuple[str, str] = ("", "")  # why it came to nothing, where the board has a phase for that: reason and note
    sent: tuple[tuple[str, str], ...] = ()  # what the customer answered in the board's form, where it came through that


@dataclass(frozen=True, slots=True)
class Board:
    """A workflow with its jobs: open ones by phase, won ones of this and of last month, and those that came to nothing."""

    name: str
    says: str
    starter: Starter
    crew: tuple[str, ...]
    open: dict[str, tuple[Job, ...]]
    won: tuple[Job, ...] = ()
    won_last_month: tuple[Job, ...] = ()
    dropped: tuple[Job, ...] = ()
    hints: tuple[tuple[str, str], ...] = ()
    stale: tuple[tuple[str, int], ...] = ()  # after how many days a phase is overdue
    waits: tuple[tuple[str, str], ...] = ()  # the trigger, by its key, that moves the cards of a phase on
    limits: tuple[tuple[str, int], ...] = ()  # how many cards a phase should hold at most
    archived: bool = False
    form: StarterForm | None = None  # open to the public since the board was laid out


@dataclass(frozen=True, slots=True)
class Chain:
    """An order type: the boards its orders run through, by name."""

    name: str
    code: str
    says: str
    boards: tuple[str, ...]


MAREN, PRIYA, TOMAS, JONAS, IFE = "Maren Holt", "Priya Nair", "Tomás Rivera", "Jonas Weber", "Ife Adeyemi"


@dataclass(frozen=True, slots=True)
class Habit:
    """A rule of a board; `after`: days in a phase after which it is asked by the clock, as its trigger says."""

    name: str
    board: str
    document: dict
    state: str = "on"
    after: int = 0


@dataclass(frozen=True, slots=True)
class Design:
    """What a board's second version adds to the first."""

    board: str
    says: str
    steps: tuple[str, ...] = ()  # statuses of the library that come in
    fields: tuple[tuple[str, str], ...] = ()  # name and kind of custom fields that its buttons fill in
    rulesets: tuple[dict, ...] = ()  # what its cards do by themselves and by buttons of the board's own


PEOPLE = (
    Person(MAREN, "maren@brightside.example", "owner"),
    Person(PRIYA, "priya@brightside.example", "manager"),
    Person(TOMAS, "tomas@brightside.example", "staff"),
    Person(JONAS, "jonas@brightside.example", "staff"),
    Person(IFE, "ife@brightside.example", "staff"),
    Person("Wim de Boer", "wim@brightside.example", "viewer"),
)
ADMINISTRATOR = Person("Sanne Bakker", "admin@phasewise.example", "platform administrator")

WEB, MAIL, PHONE, FRIEND, DOOR = "Website form", "Email", "Phone", "Recommendation", "Came by"

CUSTOMERS = (
    Customer("Nadia Osei", "nadia@osei.example", "+31 20 555 0112", "Javastraat 41\n1094 GX Amsterdam", "Home"),
    Customer("Callum Byrne", "callum@byrne.example", "+31 20 555 0118", "Weesperzijde 7\n1091 EC Amsterdam", "Home"),
    Customer(
        "Sophie Lindqvist",
        "sophie@kaffehuset.example",
        "+31 20 555 0121",
        "Haarlemmerdijk 102\n1013 JJ Amsterdam",
        "Trade",
        "Owner",
        "Kaffehuset",
    ),
    Customer(
        "Harold Pike", "harold.pike@post.example", "+31 20 555 0123", "Plantage Parklaan 9\n1018 ST Amsterdam", "Home"
    ),
    Customer("Amara Diallo", "amara@diallo.example", "+31 6 5550 0124", "Ceintuurbaan 210\n1072 GC Amsterdam", "Home"),
    Customer(
        "Piotr Zielinski", "piotr.z@mail.example", "+31 6 5550 0126", "Nachtegaalstraat 4\n1021 AB Amsterdam", "Home"
    ),
    Customer("Theo Marchetti", "theo@marchetti.example", "+31 6 5550 0128", "Olmenlaan 15\n1404 DG Bussum", "Home"),
    Customer(
        "Grace Okafor", "grace@okafor.example", "+31 20 555 0131", "Apollolaan 88\n1077 BB Amsterdam", "Home, Returning"
    ),
    Customer(
        "Studio Mira",
        "hello@studiomira.example",
        "+31 20 555 0133",
        "Tolhuisweg 2\n1031 CL Amsterdam",
        "Trade, Architect",
        company="Studio Mira",
        notes="Mira Saleh decides, Joost does the measuring. They like samples before drawings.",
    ),
    Customer(
        "Elena Petrova", "elena.p@mail.example", "+31 6 5550 0135", "Bilderdijkkade 30\n1053 VN Amsterdam", "Home"
    ),
    Customer("Ben Achterberg", "ben.a@post.example", "+31 6 5550 0137", "Kerkstraat 118\n1381 CM Weesp", "Home"),
    Customer(
        "Yusuf Demir",
        "yusuf@demir.example",
        "+31 20 555 0139",
        "Sarphatipark 61\n1073 CS Amsterdam",
        "Home",
        notes="Prefers a call after six. The lift takes nothing longer than 2.10 m.",
    ),
    Customer("Lotte Jansen", "lotte@jansen.example", "+31 20 555 0141", "Vechtstraat 12\n1079 JB Amsterdam", "Home"),
    Customer(
        "Greg Whitmore", "greg@whitmore.example", "+31 6 5550 0143", "Keizersgracht 455\n1016 DK Amsterdam", "Home"
    ),
    Customer(
        "Vine & Barrel",
        "orders@vinebarrel.example",
        "+31 20 555 0145",
        "Utrechtsestraat 77\n1017 VJ Amsterdam",
        "Trade",
        company="Vine & Barrel",
    ),
    Customer(
        "Kerry-Ann Blake", "kerryann@blake.example", "+31 6 5550 0146", "Zeeburgerkade 300\n1019 HV Amsterdam", "Home"
    ),
    Customer(
        "Ines Brunet",
        "ines@brunet.example",
        "+31 20 555 0147",
        "Prinsengracht 88\n1015 DZ Amsterdam",
        "Home, Returning",
        notes="Customer since the larder of two summers ago. Coffee, no sugar.",
    ),
    Customer(
        "Dr. Marek Novak",
        "practice@novak.example",
        "+31 20 555 0149",
        "Linnaeusstraat 33\n1093 EE Amsterdam",
        "Trade",
        "Dentist",
        "Novak Dental Practice",
        "We may only work there on Wednesday afternoons and Saturdays.",
    ),
    Customer("Hannah Fox", "hannah@fox.example", "+31 6 5550 0151", "Middenweg 140\n1097 BT Amsterdam", "Home"),
    Customer("Luis Ferreira", "luis.f@mail.example", "+31 6 5550 0153", "Overtoom 371\n1054 JM Amsterdam", "Home"),
    Customer("Fatima Rahman", "fatima.r@mail.example", "+31 6 5550 0155", "Amstelkade 20\n1078 AE Amsterdam", "Home"),
    Customer(
        "Rowan & Tess",
        "rowan.tess@post.example",
        "+31 6 5550 0157",
        "Dorpsstraat 5\n1151 AC Broek in Waterland",
        "Home",
    ),
    Customer(
        "Elmwood Primary",
        "office@elmwood.example",
        "+31 20 555 0159",
        "Iepenplein 1\n1091 JR Amsterdam",
        "Trade, School",
        company="Elmwood Primary",
        notes="Invoices need the purchase order number. Deliveries before 8:00 or after 15:30.",
    ),
    Customer("Isla Morgan", "isla.m@mail.example", "+31 6 5550 0161", "Leidsekade 64\n1016 DA Amsterdam", "Home"),
    Customer(
        "Crust & Co.",
        "hello@crust.example",
        "+31 20 555 0163",
        "Czaar Peterstraat 19\n1018 NW Amsterdam",
        "Trade, Returning",
        company="Crust & Co.",
    ),
    Customer(
        "Owen Hughes", "owen@hughes.example", "+31 6 5550 0165", "Valkenburgerstraat 8\n1011 LZ Amsterdam", "Home"
    ),
    Customer("Mei Tanaka", "mei@tanaka.example", "+31 6 5550 0167", "Lomanstraat 51\n1075 PW Amsterdam", "Home"),
    Customer(
        "Priscilla Vos", "pvos@post.example", "+31 6 5550 0169", "Singel 210\n1016 AB Amsterdam", "Home, Returning"
    ),
    Customer(
        "Harbour Hotel",
        "facilities@harbourhotel.example",
        "+31 20 555 0171",
        "Oostelijke Handelskade 34\n1019 BN Amsterdam",
        "Trade, Returning",
        company="Harbour Hotel",
    ),
    Customer("Anouk Visser", "anouk.visser@mail.example", "+31 6 5550 0180", labels="Applicant"),
    Customer("Daniel Mensah", "d.mensah@post.example", "+31 6 5550 0181", labels="Applicant"),
    Customer("Sara Lund", "sara.lund@mail.example", "+31 6 5550 0182", labels="Applicant"),
    Customer("Emre Kaya", "emre.kaya@post.example", "+31 6 5550 0183", labels="Applicant"),
)

_SALES = STARTERS["sales"]
NEED, BUDGET, WHEN, KNOW = "What do you need?", "Rough budget", "When would you like it?", "Anything we should know?"

KITCHENS = StarterForm(
    {
        "title": "Kitchen enquiry",
        "introduction": "Only name and one way to reach you are required.",
        "headline": "Tell us about your kitchen.",
        "steps": "You send this form: Takes about two minutes.\nPriya calls you: Within one working day.\n"
        "We measure and quote: Free, within 30 km of Amsterdam.\nYou cook in it: Most kitchens take seven weeks.",
        "button": "Send enquiry",
        "small_print": "We use this to reply to you, nothing else.",
        "thanks": "Priya has your enquiry and calls you within one working day.",
    },
    (
        {"label": "Your name", "target": "name", "required": True, "half": True},
        {"label": "Phone", "kind": "phone", "half": True},
        {"label": "Email", "kind": "email", "required": True},
        {
            "label": NEED,
            "kind": "one",
            "choices": ["New kitchen", "New doors only", "Worktop", "Pantry", "Repair", "Not sure yet"],
        },
        {
            "label": BUDGET,
            "kind": "list",
            "choices": ["Up to €5,000", "€5,000 to €10,000", "€10,000 to €20,000", "More than that"],
            "half": True,
        },
        {"label": WHEN, "target": "note", "half": True},
        {"label": KNOW, "kind": "long_text", "target": "description"},
        {"label": "Photos", "kind": "file", "help": "Photos help."},
    ),
)

LEADS = Board(
    name="Lead funnel",
    says="Everybody who asked us for something, from the first message to the paid invoice.",
    starter=Starter(
        "sales",
        _SALES.name,
        _SALES.says,
        _SALES.type,
        tuple((name.replace(" with customer", ""), stage) for name, stage in _SALES.phases),
        _SALES.win,
        (
            ("Commercial", 6),
            ("Furniture", 8),
            ("Kitchen", 3),
            ("Referral", 4),
            ("Repair", 5),
            ("Rush", 1),
            ("Staircase", 2),
            ("Wardrobe", 7),
        ),
    ),
    hints=(
        ("Customer contacted me", "From forms, email or added by hand"),
        ("Contact made", "Talk, measure, agree what is needed"),
        ("Price quote sent", "Waiting for a yes"),
        ("Invoice sent", "Deposit or balance asked for"),
        ("Invoice paid", "Money in, job handed to the workshop"),
    ),
    stale=(("Price quote sent", 9), ("Invoice sent", 12)),
    waits=(("Price quote sent", "quote_accepted"), ("Invoice sent", "payment_received")),
    limits=(("Contact made", 6), ("Price quote sent", 5)),
    crew=(PRIYA, TOMAS, JONAS, MAREN),
    form=KITCHENS,
    open={
        "Customer contacted me": (
            Job(
                "Built-in bookcase, bay window",
                "Nadia Osei",
                2150,
                "Furniture",
                due=5,
                source=WEB,
                age=6,
                says="Bay of 2.4 m, shelves on both sides of the window and a **seat** in the middle if the budget allows.",
                said=((2, PRIYA, "Photos are in her second mail. The sill is 61 cm high, so a seat works."),),
            ),
            Job(
                "Loft stairs: can you measure next week?",
                "Callum Byrne",
                3900,
                "Staircase, Rush",
                JONAS,
                due=0,
                source=PHONE,
                age=4,
                says="Builder finishes the opening on Thursday. He needs a date from us, not a price yet.",
                said=(
                    (3, JONAS, "Asked for a drawing of the opening."),
                    (1, JONAS, "Got it: 2.74 m floor to floor, room for eleven treads. I can go on Tuesday."),
                ),
            ),
            Job(
                "Café counter and shelving",
                "Sophie Lindqvist",
                5400,
                "Commercial, Referral",
                MAREN,
                due=7,
                source=FRIEND,
                age=4,
            ),
            Job("Sticking sash windows, front room", "Harold Pike", 480, "Repair", TOMAS, due=1, source=PHONE, age=3),
            Job("Under-stairs drawers", "Amara Diallo", 1350, "Furniture", due=11, source=WEB, age=2),
            Job("Two garden benches", "Piotr Zielinski", 680, "Furniture", IFE, due=14, source=MAIL, age=1),
            Job("Wall panelling for hallway", "Priscilla Vos", None, "Furniture", source=WEB, age=0),
            Job(
                "Kitchen enquiry, Kerry-Ann Blake",
                "Kerry-Ann Blake",
                age=0,
                sent=(
                    (NEED, "New kitchen"),
                    (BUDGET, "€10,000 to €20,000"),
                    (WHEN, "Spring, before Easter"),
                    (KNOW, "Bay window, so one wall isn’t straight. We have two cats and one very old oven."),
                ),
            ),
        ),
        "Contact made": (
            Job(
                "Garden room shelving",
                "Theo Marchetti",
                2420,
                "Furniture, Referral",
                PRIYA,
                due=3,
                source=FRIEND,
                since=1,
                says="Five bays, floor to ceiling. The room is damp in winter: marine ply, no chipboard.",
                said=(
                    (4, PRIYA, "Grace sent him to us. Visit booked for Thursday at ten."),
                    (1, PRIYA, "Measured. He would like the two middle bays open at the back."),
                ),
            ),
            Job(
                "Alcove wardrobes, two bedrooms",
                "Grace Okafor",
                4200,
                "Wardrobe",
                TOMAS,
                due=-1,
                source=MAIL,
                since=3,
                todo=(
                    "Measure both alcoves",
                    "Sketch with and without drawers",
                    "Choose handles",
                    "Agree on the paint",
                ),
                done=1,
                said=(
                    (6, TOMAS, "Left alcove is 4 cm out of square, right one is fine."),
                    (3, MAREN, "She asked whether the rails can light up. They can: door switch, €85 a piece."),
                    (1, TOMAS, "Waiting for the handle she picked. Calling her today."),
                ),
            ),
            Job(
                "Reception desk in ash",
                "Studio Mira",
                6800,
                "Commercial",
                MAREN,
                due=6,
                source=MAIL,
                since=4,
                todo=(
                    "Read the architect's drawing",
                    "Ash or oiled oak",
                    "Cable run to the floor box",
                    "Sample to the studio",
                    "Delivery route",
                ),
                done=2,
                said=(
                    (8, MAREN, "Drawing has no cable run. Asked Joost."),
                    (6, MAREN, "Two holes of 60 mm, under the monitor and at the left end."),
                    (5, IFE, "Sample with the white oil is ready on the bench."),
                    (
                        4,
                        PRIYA,
                        "Sample delivered, they answer by Friday. @Maren they asked about a second desk for spring.",
                    ),
                ),
            ),
            Job(
                "Door frames after damp repair",
                "Elena Petrova",
                1150,
                "Repair",
                JONAS,
                due=10,
                source=WEB,
                since=5,
                said=((5, JONAS, "Walls must dry until the end of the month, so no hurry."),),
            ),
            Job(
                "Window seat with storage",
                "Ben Achterberg",
                1950,
                "Furniture, Referral",
                IFE,
                due=12,
                source=FRIEND,
                since=6,
            ),
        ),
        "Price quote sent": (
            Job(
                "Shaker kitchen, painted, 11 units",
                "Yusuf Demir",
                14200,
                "Kitchen",
                MAREN,
                due=-2,
                sent=((NEED, "New kitchen"), (BUDGET, "€10,000 to €20,000"), (WHEN, "As soon as you can")),
                order="MTO",
                since=5,
                age=24,
                says=(
                    "Eleven base units and a tall larder, hand painted.\n\n- Carcasses in birch ply\n- Doors in tulipwood\n"
                    "- Worktop by **others**, we only level the units\n\nNothing longer than 2.10 m fits the lift."
                ),
                todo=(
                    "Site measure and photos",
                    "Layout agreed",
                    "Appliance list from Yusuf",
                    "Quote v1",
                    "Quote v2 with the island",
                    "Yes from Yusuf",
                ),
                done=4,
                said=(
                    (20, MAREN, "Lovely brief, he made a model of it in cardboard."),
                    (
                        14,
                        PRIYA,
                        "The hob moved to the island, which needs a duct. Floor boards run the right way for it.",
                    ),
                    (9, MAREN, "Quote v1 is out: €13,450."),
                    (7, JONAS, "The lift! Asked for the inside size. 2.10 m."),
                    (5, MAREN, "Quote v2 is out with the larder in two parts: €14,200."),
                    (2, PRIYA, "No answer yet. @Maren shall I ring him after six?"),
                ),
            ),
            Job(
                "Pantry with spice racks",
                "Lotte Jansen",
                3640,
                "Kitchen, Referral",
                PRIYA,
                due=1,
                source=FRIEND,
                since=6,
                age=19,
                todo=("Measure", "Sketch", "Quote"),
                done=3,
                said=(
                    (8, PRIYA, "Racks for jars of 5 cm, forty of them."),
                    (6, PRIYA, "Quote sent. She decides with her sister."),
                ),
            ),
            Job(
                "Oak handrail and balusters",
                "Greg Whitmore",
                2300,
                "Staircase",
                JONAS,
                due=8,
                source=PHONE,
                since=7,
                age=18,
                todo=("Measure the flights", "Template of the wreath", "Choose the oil", "Quote"),
                done=2,
            ),
            Job(
                "Shop fit: wine display wall",
                "Vine & Barrel",
                5250,
                "Commercial",
                MAREN,
                due=13,
                source=MAIL,
                since=9,
                age=23,
                todo=(
                    "Fire rating of the lining",
                    "Lighting plan",
                    "Bottle count",
                    "Ladder rail",
                    "Night or day fitting",
                ),
                done=1,
                said=(
                    (18, MAREN, "They want it before the holidays."),
                    (15, TOMAS, "640 bottles lying, 90 standing."),
                    (13, MAREN, "A ladder rail needs 18 mm more depth. They are fine with that."),
                    (11, IFE, "Lighting: the electrician is theirs."),
                    (9, MAREN, "Quote is out."),
                ),
            ),
            Job(
                "Media wall, walnut veneer",
                "Kerry-Ann Blake",
                1950,
                "Furniture",
                TOMAS,
                due=15,
                source=WEB,
                since=10,
                age=21,
                said=((10, TOMAS, "Quoted with and without the sliding panel."),),
            ),
        ),
        "Invoice sent": (
            Job(
                "Oak kitchen, shaker doors",
                "Ines Brunet",
                8400,
                "Kitchen, Rush",
                PRIYA,
                due=0,
                at="17:00",
                sent=((NEED, "New kitchen"), (BUDGET, "€5,000 to €10,000"), (WHEN, "Before Christmas")),
                since=3,
                age=33,
                says=(
                    "Full kitchen in European oak with hand-painted shaker doors in “Sea Glass”. Eleven base units, tall larder, "
                    "and a plate rack above the sink. Ines wants the old worktop kept for the workshop bench."
                ),
                todo=(
                    "Site measure and photos",
                    "Drawings approved by Ines",
                    "Quote v2 accepted",
                    "Deposit of €2,520 received",
                    "Invoice 1043 sent",
                    "Balance of €5,880 received",
                ),
                done=5,
                said=(
                    (30, PRIYA, "Measured with Jonas. The back wall leans 22 mm, so scribes on both ends."),
                    (26, JONAS, "Drawings are out. I drew the plate rack in oak, she can still choose painted."),
                    (21, PRIYA, "Ines approved the drawings, with the rack in oak."),
                    (17, TOMAS, "The larder is 2.31 m: it goes up the stairs only without its plinth."),
                    (12, PRIYA, "Quote v2 accepted by phone, mail follows."),
                    (8, MAREN, "Deposit is in. Ordered the oak."),
                    (3, PRIYA, "Invoice 1043 is out."),
                    (1, TOMAS, "Fitting takes two days with three people, or three with two."),
                    (
                        0,
                        PRIYA,
                        "Spoke to Ines. She is paying the balance by transfer before noon. @Maren shall I book Jonas for fitting "
                        "on the 30th?",
                    ),
                ),
            ),
            Job(
                "Floating shelves, dental practice",
                "Dr. Marek Novak",
                2865,
                "Commercial",
                MAREN,
                due=-4,
                source=MAIL,
                since=10,
                age=31,
                todo=("Measure", "Drawing", "Quote accepted", "Invoice 1039 sent"),
                done=4,
                said=(
                    (10, MAREN, "Invoice 1039 is out."),
                    (2, PRIYA, "Reminded the practice. Their bookkeeper is back on Monday."),
                ),
            ),
            Job(
                "Sliding wardrobe, mirror doors",
                "Hannah Fox",
                3950,
                "Wardrobe",
                TOMAS,
                due=4,
                source=WEB,
                since=11,
                age=32,
                todo=(
                    "Measure",
                    "Drawing",
                    "Track and rollers chosen",
                    "Quote accepted",
                    "Mirrors ordered",
                    "Invoice 1038 sent",
                ),
                done=6,
                said=(
                    (24, TOMAS, "Ceiling is straight, for once."),
                    (16, IFE, "Mirrors come from the same glazier as last time, ten days."),
                    (11, TOMAS, "Invoice 1038 is out."),
                ),
            ),
            Job(
                "Drawer runners and hinges",
                "Luis Ferreira",
                900,
                "Repair",
                IFE,
                due=9,
                source=DOOR,
                since=12,
                age=20,
                todo=("Count the drawers", "Order runners"),
                done=2,
            ),
        ),
        "Invoice paid": (
            Job(
                "Utility room cupboards",
                "Fatima Rahman",
                3480,
                "Kitchen",
                JONAS,
                due=12,
                sent=((NEED, "Pantry"), (WHEN, "This autumn"), (KNOW, "The boiler has to stay where it is.")),
                order="MTO",
                since=1,
                age=36,
                todo=("Measure", "Drawing", "Quote accepted", "Invoice 1036 sent", "Paid"),
                done=5,
                said=(
                    (16, JONAS, "Boiler stays where it is, so the tall unit gets a loose back."),
                    (1, JONAS, "Paid in full."),
                ),
            ),
            Job(
                "Farmhouse table, 10 seats",
                "Rowan & Tess",
                2900,
                "Furniture",
                TOMAS,
                due=16,
                source=FRIEND,
                order="MTO",
                since=2,
                age=30,
                todo=("Choose the boards together", "Quote accepted", "Invoice 1035 paid"),
                done=3,
                said=((22, TOMAS, "They came by and chose boards 4, 7 and 11. Marked with their name."),),
            ),
            Job(
                "School library benches",
                "Elmwood Primary",
                2900,
                "Commercial, Referral",
                MAREN,
                due=20,
                source=MAIL,
                since=3,
                age=38,
                todo=("Purchase order number", "Quote accepted", "Invoice 1033 sent", "Paid"),
                done=4,
            ),
        ),
    },
    won=(
        Job("Walk-in wardrobe, cedar lined", "Isla Morgan", 6300, "Wardrobe", PRIYA, source=WEB, age=39),
        Job("Bakery counter", "Crust & Co.", 7450, "Commercial", MAREN, source=MAIL, age=41),
        Job(
            "Oak front door",
            "Owen Hughes",
            2480,
            "Furniture",
            JONAS,
            due=8,
            source=PHONE,
            age=37,
            order="MTO",
            then=("Finishing",),
        ),
        Job(
            "Boot room bench",
            "Mei Tanaka",
            1170,
            "Furniture, Referral",
            IFE,
            due=6,
            source=FRIEND,
            age=35,
            order="MTO",
            then=("Ready", "Ready to plan"),
        ),
    ),
    won_last_month=(
        Job(
            "Hotel lobby shelving",
            "Harbour Hotel",
            7900,
            "Commercial",
            MAREN,
            source=MAIL,
            order="MTO",
            then=("Ready", "Fitted"),
        ),
        Job("Larder cupboard, two doors", "Ines Brunet", 3150, "Kitchen", PRIYA, source=FRIEND),
        Job("Study desk, walnut", "Priscilla Vos", 2400, "Furniture", TOMAS, source=WEB),
        Job("Church noticeboard in oak", "Elmwood Primary", 1300, "Commercial", IFE, source=PHONE),
    ),
    dropped=(
        Job(
            "Tree house",
            "Harold Pike",
            5200,
            "Furniture",
            JONAS,
            source=PHONE,
            lost=("We cannot do this work", "Nobody of us is insured to work in trees"),
        ),
        Job(
            "Hall stand with mirror",
            "Grace Okafor",
            1120,
            "Furniture",
            TOMAS,
            source=FRIEND,
            lost=("Customer chose somebody else", "Found one in a shop for half of it"),
        ),
        Job("Bunk beds with a slide", "Amara Diallo", 2750, "Furniture", TOMAS, source=WEB, order="MTO"),
    ),
)

WORKSHOP = Board(
    name="Workshop production",
    says="What is on the benches, from the drawing to the wrapped piece.",
    starter=Starter(
        "workshop",
        "Workshop",
        "",
        "production",
        (("Drawings", NEW), ("Cutting", PROCESSING), ("Assembly", PROCESSING), ("Finishing", PROCESSING)),
        "Ready",
        (("Kitchen", 3), ("Painted", 6), ("Solid wood", 4), ("Waiting for material", 1)),
    ),
    crew=(JONAS, TOMAS, IFE),
    open={
        "Drawings": (
            Job("Library benches, 6 of 2.20 m", "Elmwood Primary", None, "Solid wood", TOMAS, due=9),
            Job("Table 10 seats, trestle", "Rowan & Tess", None, "Solid wood", TOMAS, due=12),
            Job("Utility room, carcasses and doors", "Fatima Rahman", None, "Painted", JONAS, due=7),
        ),
        "Cutting": (
            Job(
                "Cabinet carcasses, batch 2",
                "Ines Brunet",
                None,
                "Kitchen",
                JONAS,
                due=4,
                todo=("Sheets 1–6", "Sheets 7–12"),
                done=1,
            ),
            Job(
                "Mirror door frames",
                "Hannah Fox",
                None,
                "",
                IFE,
                due=-1,
                said=((1, IFE, "One board was twisted, cut it again."),),
            ),
            Job("Shelves 2.4 m, hidden brackets", "Dr. Marek Novak", None, "Solid wood", TOMAS, due=2),
            Job("Plinths and scribes", "Ines Brunet", None, "Kitchen", JONAS, due=5),
        ),
        "Assembly": (
            Job(
                "Larder, tall",
                "Ines Brunet",
                None,
                "Kitchen, Solid wood",
                JONAS,
                due=3,
                todo=("Carcass", "Doors", "Spice rack"),
                done=2,
            ),
            Job("Base units 1 to 5", "Ines Brunet", None, "Kitchen", IFE, due=1),
            Job("Drawer boxes, dovetailed, 14", "Isla Morgan", None, "Solid wood", TOMAS, due=-2),
            Job("Counter top, ash", "Crust & Co.", None, "Solid wood", TOMAS, due=6),
            Job("Two window frames", "Harold Pike", None, "Waiting for material", IFE, due=8),
        ),
        "Finishing": (
            Job("Doors in Sea Glass, second coat", "Ines Brunet", None, "Kitchen, Painted", IFE, due=0),
            Job(
                "Bench top",
                "Mei Tanaka",
                None,
                "Solid wood",
                TOMAS,
                due=-3,
                said=((3, TOMAS, "Oil needs two more days in this weather."),),
            ),
        ),
    },
    won=(
        Job("Cedar lining, 18 m²", "Isla Morgan", owner=TOMAS),
        Job("Bakery shelves", "Crust & Co.", owner=IFE),
        Job("Desk, walnut", "Priscilla Vos", owner=JONAS),
        Job("Noticeboard", "Elmwood Primary", owner=IFE),
    ),
)

DELIVERY = Board(
    name="Delivery and fitting",
    says="What leaves the workshop, and who carries it up the stairs.",
    starter=Starter(
        "delivery",
        "Delivery",
        "",
        "fulfilment",
        (("Ready to plan", NEW), ("Date agreed", PROCESSING), ("On site", PROCESSING)),
        "Fitted",
        (("Two people", 6), ("Stairs", 2), ("Parking permit", 7)),
    ),
    crew=(PRIYA, JONAS, IFE),
    open={
        "Ready to plan": (Job("Kitchen, two days", "Ines Brunet", None, "Two people, Stairs", JONAS, due=10),),
        "Date agreed": (
            Job(
                "Bakery counter, night fitting",
                "Crust & Co.",
                None,
                "Two people, Parking permit",
                PRIYA,
                due=3,
                at="21:00",
            ),
            Job("Study desk", "Priscilla Vos", None, "Stairs", IFE, due=1, at="09:30"),
        ),
        "On site": (
            Job(
                "Walk-in wardrobe, cedar lined",
                "Isla Morgan",
                None,
                "Two people",
                JONAS,
                due=0,
                todo=("Lining", "Rails", "Doors", "Handover"),
                done=2,
                said=((0, JONAS, "Lining is in. Doors this afternoon."),),
            ),
        ),
    },
    won=(
        Job("Noticeboard, entrance", "Elmwood Primary", owner=IFE),
        Job("Larder cupboard", "Ines Brunet", owner=JONAS),
    ),
)

REPAIRS = Board(
    name="Repairs",
    says="Small jobs, quick answers.",
    starter=STARTERS["repair"],
    crew=(IFE, TOMAS, PRIYA),
    open={
        "Reported": (
            Job("Drawer front came off", "Hannah Fox", 90, "Warranty", IFE, due=2, source=PHONE, age=3),
            Job("Cabin door sticks", "Piotr Zielinski", 140, "", source=WEB, age=2),
            Job("Table wobbles", "Kerry-Ann Blake", 60, "", TOMAS, due=5, source=PHONE, age=1),
            Job("Water stain on the worktop", "Lotte Jansen", 220, "Urgent", IFE, due=1, source=MAIL, age=1),
        ),
        "Diagnosed": (
            Job(
                "Reception chair, broken rail",
                "Harbour Hotel",
                180,
                "Loan unit out",
                TOMAS,
                due=3,
                source=MAIL,
                order="REP",
            ),
            Job("Larder door drops", "Ines Brunet", 0, "Warranty", IFE, due=2, source=PHONE),
        ),
        "Waiting for parts": (
            Job("Soft-close runners, 3 drawers", "Grace Okafor", 160, "", TOMAS, due=6, source=MAIL),
        ),
        "In repair": (
            Job("Sash cord, two windows", "Harold Pike", 240, "", TOMAS, due=0, source=PHONE),
            Job("Oak stool, split seat", "Rowan & Tess", 75, "", IFE, due=4, source=DOOR),
        ),
        "Ready for pickup": (Job("Picture frame, new corner", "Priscilla Vos", 55, "", IFE, source=DOOR),),
    },
    won=(
        Job("Bread board, planed and oiled", "Crust & Co.", 35, owner=IFE, source=DOOR),
        Job(
            "Hinges, kitchen, 6",
            "Luis Ferreira",
            190,
            owner=TOMAS,
            due=-1,
            source=PHONE,
            order="REP",
            then=("Date agreed",),
        ),
        Job("Chair leg", "Studio Mira", 80, owner=IFE, source=DOOR),
        Job("Door closer", "Elmwood Primary", 130, owner=TOMAS, source=MAIL, order="REP", then=("Fitted",)),
    ),
    won_last_month=(
        Job("Rocking horse, new ear", "Nadia Osei", 65, owner=IFE, source=DOOR),
        Job("Stair tread, creaking", "Greg Whitmore", 210, owner=TOMAS, source=PHONE),
    ),
)

POSITION, ABOUT = "Which position is it about?", "Tell us about yourself"

HIRING = Board(
    name="Recruitment",
    says="A cabinet maker and two apprentices by spring.",
    starter=STARTERS["recruitment"],
    crew=(MAREN, PRIYA),
    form=STARTERS["recruitment"].forms[0],
    open={
        "New candidate": (
            Job(
                "Anouk Visser, apprentice",
                "Anouk Visser",
                None,
                "Apprentice",
                PRIYA,
                due=3,
                age=5,
                sent=((POSITION, "Apprentice"), (ABOUT, "I have built boats with my grandfather since I was nine.")),
            ),
            Job(
                "Daniel Mensah, cabinet maker",
                "Daniel Mensah",
                None,
                "Full time",
                age=3,
                sent=((POSITION, "Cabinet maker"), (ABOUT, "Eight years at a shop-fitting firm, tired of chipboard.")),
            ),
            Job("Tim de Graaf, apprentice", "", None, "Apprentice", source=DOOR, age=2),
            Job("Jolanda Smit, office, two days", "", None, "Part time", source=MAIL, age=1),
        ),
        "Screening": (
            Job("Farid Amini, finisher", "", None, "Full time", PRIYA, due=2, source=WEB),
            Job("Noor Bos, apprentice", "", None, "Apprentice", PRIYA, source="School fair"),
        ),
        "Interview": (
            Job(
                "Sara Lund, cabinet maker",
                "Sara Lund",
                None,
                "Full time",
                MAREN,
                due=1,
                at="14:00",
                source=FRIEND,
                said=((2, MAREN, "Portfolio with a curved staircase. @Jonas have a look before we meet her."),),
            ),
        ),
        "Trial day": (Job("Lars Brandt, apprentice", "", None, "Apprentice", JONAS, due=4, source="School fair"),),
        "Offer sent": (Job("Emre Kaya, fitter", "Emre Kaya", None, "Full time", MAREN, due=6, source=WEB),),
    },
    won=(Job("Ife's cover: Bram Pol, three months", "", owner=MAREN, source=FRIEND),),
)

# Put away: the archive has something to show.
SHOW = Board(
    name="Trade fair stand",
    says="Our stand at the home fair. Done for this year.",
    starter=Starter("stand", "Stand", "", "other", (("To do", NEW), ("Doing", PROCESSING)), "Done"),
    crew=(MAREN, IFE),
    open={"To do": (Job("Thank-you mails to visitors", age=30),)},
    archived=True,
)

BRIGHTSIDE = (LEADS, WORKSHOP, DELIVERY, REPAIRS, HIRING, SHOW)

CLASSES = Board(
    name="Course bookings",
    says="Twelve evenings, six benches.",
    starter=Starter(
        "classes",
        "Classes",
        "",
        "service",
        (("Asked", NEW), ("Booked", PROCESSING), ("Paid", PROCESSING)),
        "Took part",
    ),
    crew=(MAREN,),
    open={
        "Asked": (
            Job("Spoon carving, 2 places", "", 110, due=4, age=2),
            Job("Company evening, 8 people", "", 640, due=9, age=1),
        ),
        "Booked": (Job("Dovetails for beginners", "", 95, due=6),),
        "Paid": (Job("Build a stool, Saturday", "", 145, due=11),),
    },
    won=(Job("Sharpening evening", "", 60),),
)

CHAINS = (
    Chain(
        "Made-to-order",
        "MTO",
        "From the first message to the fitted piece.",
        ("Lead funnel", "Workshop production", "Delivery and fitting"),
    ),
    Chain("Repair", "REP", "Small jobs that we bring back ourselves.", ("Repairs", "Delivery and fitting")),
)

QUIET = "Price quote sent"

HABITS = (
    Habit(
        "Chase quiet quotes",
        "Lead funnel",
        {
            "trigger": {"type": "waiting", "phase": QUIET, "for": "3 days"},
            "conditions": [{"field": "value", "op": "over", "value": 1000}],
            "actions": [{"type": "add_comment", "text": "Three days without an answer: give them a call."}],
        },
        after=3,
    ),
    Habit(
        "Ask for a review",
        "Lead funnel",
        {
            "trigger": "won",
            "conditions": [],
            "actions": [
                {"type": "wait", "for": "7 days", "even_if_moved": "yes"},
                {"type": "add_comment", "text": "A week with their new piece: ask for a review."},
            ],
        },
    ),
    Habit(
        "Paid means workshop",
        "Lead funnel",
        {
            "trigger": "state_changed",
            "conditions": [{"field": "new_state", "op": "is", "value": "Invoice paid"}],
            "actions": [{"type": "create_card", "phase": "Workshop production / Drawings"}],
        },
        state="watch",
    ),
    Habit(
        "Urgent repairs first",
        "Repairs",
        {
            "trigger": "card_created",
            "conditions": [{"field": "label", "op": "has", "value": "Urgent"}],
            "actions": [{"type": "add_comment", "text": "Urgent: call back within the hour."}],
        },
    ),
    Habit(
        "Tell them it is ready",
        "Repairs",
        {
            "trigger": "state_changed",
            "conditions": {"new_state": "Ready for pickup"},
            "actions": [{"type": "add_label", "label": "Call customer"}],
        },
    ),
    Habit(
        "Read every application",
        "Recruitment",
        {
            "trigger": "card_created",
            "conditions": [],
            "actions": [{"type": "add_comment", "text": "Read the papers and write back within two days."}],
        },
    ),
    Habit(
        "Sorry for the delay",
        "",
        {
            "trigger": "state_changed",
            "conditions": {"new_state": "delayed"},
            "actions": [
                {"type": "send_email", "template": "delay_notification", "to": "customer"},
                {"type": "webhook", "url": "https://api.example.com/notify"},
            ],
        },
        state="off",
    ),
)


def _button(event: str, label: str, *asks: dict, primary=False, confirm=False) -> list[dict]:
    context = {"label": label, "type": "PRIMARY" if primary else "SECONDARY", "confirm": confirm}
    return [{"eventName": event, "context": [context], "attributes": list(asks)}]


def _go(to: str) -> dict:
    return {"name": "FLUENTRETAIL.base.ChangeState", "props": {"status": to}}


DESIGNS = (
    Design("Lead funnel", "What comes to nothing has a place of its own, with the reason why", steps=("Lost",)),
    Design(
        "Repairs",
        "The customer says yes or no to our quote; parts that arrive start the work",
        fields=(("Agreed price", "number"),),
        rulesets=(
            {
                "name": "QuoteAgreed",
                "description": "The customer wants it repaired",
                "triggers": [{"status": "Diagnosed"}],
                "rules": [{"name": "add_checklist", "props": {"lines": ["Order the parts"]}}, _go("Waiting for parts")],
                "userActions": _button(
                    "QuoteAgreed",
                    "Customer says yes",
                    {"name": "Agreed price", "type": "INTEGER", "label": "Agreed price in euros", "mandatory": True},
                    primary=True,
                ),
            },
            {
                "name": "QuoteDeclined",
                "description": "It goes back as it came",
                "triggers": [{"status": "Diagnosed"}, {"status": "Waiting for parts"}],
                "rules": [
                    {"name": "add_comment", "props": {"text": "Not to be repaired: it goes back as it came."}},
                    _go("Ready for pickup"),
                ],
                "userActions": _button(
                    "QuoteDeclined",
                    "Customer says no",
                    {
                        "name": "why",
                        "type": "LIST",
                        "label": "Why?",
                        "source": "Too expensive, Buys a new one, Takes too long",
                    },
                    confirm=True,
                ),
            },
            {
                "name": "PartsArrived",
                "triggers": [{"status": "Waiting for parts"}],
                "rules": [_go("In repair")],
                "userActions": _button("PartsArrived", "Parts arrived", primary=True),
            },
            {
                "name": "PickedUp",
                "triggers": [{"status": "Ready for pickup"}],
                "rules": [_go("Returned")],
                "userActions": _button("PickedUp", "Picked up and paid", primary=True, confirm=True),
            },
        ),
    ),
)
