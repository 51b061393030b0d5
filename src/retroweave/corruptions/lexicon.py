"""The English word lists that damage to language rests on. No code here, only words and how they belong together."""

from __future__ import annotations

__all__ = [
    "ARTICLES",
    "BASE_AND_THIRD",
    "CONFUSED_WORDS",
    "HOMOPHONES",
    "NEEDED",
    "NEGATORS",
    "NUMBER_WORDS",
    "OPENERS",
    "PAST_TENSE",
    "PLURAL_SUBJECTS",
    "POSSESSIVES",
    "PREPOSITIONS",
    "PRESENT_TENSE",
    "SINGULAR_SUBJECTS",
    "UNDETERMINED",
]


def _sets(text: str) -> list[list[str]]:
    return [line.split() for line in text.strip().splitlines()]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _each_to_the_others(text: str) -> dict[str, tuple[str, ...]]:
    others: dict[str, tuple[str, ...]] = {}
    for words in _sets(text):
        for word in words:
            others[word] = others.get(word, ()) + tuple(other for other in words if other != word)
    return others


# Words that only a machine would confuse (be and bee, or and oar, in and inn) are left out on purpose, and so are words
# with two pronunciations (lead, bow, tear, bass): what is here sounds the same, whichever of them was meant.
HOMOPHONES = _each_to_the_others("""
their there they're
its it's
your you're
to too two
whose who's
wear where
principal principle
complement compliment
stationary stationery
weather whether
hear here
know no
knew new
knows nose
write right
passed past
peace piece
plain plane
plains planes
brake break
brakes breaks
buy by bye
cell sell
cite site sight
coarse course
council counsel
dear deer
die dye
dying dyeing
fair fare
flour flower
for four
forth fourth
great grate
hair hare
heal heel
heard herd
hole whole
hours ours
knight night
knights nights
lessen lesson
let's lets
loan lone
mail male
main mane
meat meet
pail pale
pain pane
pair pear
pore pour
rain reign rein
raise rays
road rode
role roll
root route
sail sale
scene seen
sea see
seas sees
seam seem
seams seems
son sun
stair stare
stairs stares
stake steak
steal steel
tail tale
tails tales
threw through
throne thrown
tide tied
toe tow
vain vein vane
waist waste
wait weight
waits weights
way weigh
ways weighs
weak week
wood would
bare bear
beach beech
berth birth
blew blue
board bored
borne born
cereal serial
creak creek
cue queue
currant current
draft draught
dual duel
feat feet
find fined
flea flee
gait gate
groan grown
guessed guest
hail hale
hall haul
holy wholly
idle idol
key quay
lain lane
medal meddle
miner minor
morning mourning
muscle mussel
naval navel
peak peek pique
pedal peddle
praise prays
profit prophet
rap wrap
ring wring
rote wrote
sole soul
straight strait
sweet suite
team teem
waive wave
ware wear
yoke yolk
altar alter
aisle isle
allowed aloud
ascent assent
ate eight
cast caste
chord cord
discreet discrete
hoard horde
leak leek
might mite
pause paws
pier peer
pole poll
rough ruff
taught taut
troop troupe
vale veil
tea tee
aid aide
band banned
ceiling sealing
cent scent sent
wade weighed
side sighed
missed mist
packed pact
paced paste
cruise crews
bread bred
sore soar
""")

# Told apart by the ear, or by most ears, and yet one is often written for the other. Pairs of which both would do in
# most sentences (farther and further, historic and historical) are left out: nobody could tell which one was meant.
CONFUSED_WORDS = _each_to_the_others("""
then than
affect effect
affects effects
affected effected
lose loose
were where we're
of off
quite quiet
accept except
advice advise
device devise
breath breathe
breaths breathes
cloth clothe
bath bathe
thorough through though
thought though
choose chose
cloths clothes
desert dessert
elicit illicit
eminent imminent
ensure insure
assure ensure
formally formerly
lay lie
laid lain
lead led
lightning lightening
moral morale
personal personnel
precede proceed
preceded proceeded
won't wont
wander wonder
wandered wondered
wandering wondering
later latter
diary dairy
angel angle
sit set
rise raise
allusion illusion
conscience conscious
envelop envelope
statue statute
prescribe proscribe
respectfully respectively
vary very
""")

ARTICLES = frozenset(["the", "a", "an"])
POSSESSIVES = frozenset(["my", "your", "his", "its", "our", "their", "her"])
PREPOSITIONS = frozenset(
    [
        "of",
        "to",
        "in",
        "on",
        "at",
        "by",
        "for",
        "with",
        "from",
        "into",
        "onto",
        "over",
        "under",
        "between",
        "through",
        "across",
        "after",
        "before",
        "against",
        "among",
        "behind",
        "beneath",
        "beside",
        "during",
        "inside",
        "near",
        "toward",
        "towards",
        "upon",
        "within",
        "without",
        "along",
        "around",
        "above",
        "below",
        "up",
        "down",
    ]
)

SINGULAR_SUBJECTS = frozenset(
    [
        "he",
        "she",
        "it",
        "this",
        "that",
        "everyone",
        "everybody",
        "someone",
        "somebody",
        "nobody",
        "nothing",
        "something",
        "everything",
        "anyone",
        "anybody",
    ]
)
PLURAL_SUBJECTS = frozenset(
    [
        "we",
        "you",
        "they",
        "these",
        "those",
        "people",
        "children",
        "men",
        "women",
        "both",
        "others",
        "many",
        "few",
        "parents",
        "friends",
        "animals",
        "birds",
        "students",
        "scientists",
    ]
)

_BASE_AND_THIRD = """
say says
go goes
make makes
take takes
know knows
think thinks
want wants
need needs
seem seems
come comes
give gives
get gets
keep keeps
become becomes
begin begins
see sees
believe believes
mean means
live lives
work works
look looks
like likes
feel feels
hope hopes
try tries
use uses
ask asks
tell tells
find finds
remain remains
contain contains
allow allows
require requires
depend depends
grow grows
carry carries
bring brings
move moves
run runs
hold holds
stand stands
follow follows
speak speaks
write writes
read reads
eat eats
sleep sleeps
sit sits
love loves
"""
BASE_AND_THIRD = [(base, third) for base, third in _sets(_BASE_AND_THIRD)]
"""Present tense of the plural and of the third person."""

# Base, third person, past. Left out: what is as often a noun, an adjective or another verb (left, rose, lay, wound).
_TENSES = """
be is was
be are were
have has had
do does did
go goes went
come comes came
take takes took
give gives gave
know knows knew
say says said
tell tells told
make makes made
get gets got
think thinks thought
become becomes became
begin begins began
bring brings brought
buy buys bought
build builds built
catch catches caught
choose chooses chose
draw draws drew
drink drinks drank
drive drives drove
eat eats ate
fall falls fell
feel feels felt
fight fights fought
find finds found
fly flies flew
forget forgets forgot
grow grows grew
hear hears heard
hide hides hid
hold holds held
keep keeps kept
lead leads led
lose loses lost
mean means meant
meet meets met
pay pays paid
ride rides rode
run runs ran
sell sells sold
send sends sent
shake shakes shook
shine shines shone
sing sings sang
sink sinks sank
sit sits sat
sleep sleeps slept
speak speaks spoke
spend spends spent
stand stands stood
steal steals stole
swim swims swam
teach teaches taught
throw throws threw
understand understands understood
wake wakes woke
wear wears wore
win wins won
write writes wrote
ask asks asked
walk walks walked
look looks looked
seem seems seemed
want wants wanted
need needs needed
turn turns turned
open opens opened
close closes closed
start starts started
stop stops stopped
try tries tried
call calls called
move moves moved
live lives lived
work works worked
play plays played
help helps helped
talk talks talked
smile smiles smiled
laugh laughs laughed
cry cries cried
carry carries carried
pull pulls pulled
push pushes pushed
watch watches watched
wait waits waited
follow follows followed
learn learns learned
remember remembers remembered
believe believes believed
decide decides decided
arrive arrives arrived
appear appears appeared
remain remains remained
return returns returned
reach reaches reached
happen happens happened
continue continues continued
change changes changed
pass passes passed
add adds added
answer answers answered
reply replies replied
explain explains explained
discover discovers discovered
notice notices noticed
wonder wonders wondered
whisper whispers whispered
shout shouts shouted
climb climbs climbed
jump jumps jumped
fill fills filled
cover covers covered
hope hopes hoped
love loves loved
hate hates hated
like likes liked
belong belongs belonged
depend depends depended
allow allows allowed
contain contains contained
include includes included
"""
PAST_TENSE = {past: (base, third) for base, third, past in _sets(_TENSES)} | {
    "was": ("is", "is"),
    "were": ("are", "are"),
}
"""A past form to the base and the third person of the present."""

_ALSO_NOUNS = frozenset(
    [
        "looks",
        "turns",
        "works",
        "walks",
        "runs",
        "plays",
        "moves",
        "stops",
        "starts",
        "calls",
        "talks",
        "smiles",
        "laughs",
        "cries",
        "waits",
        "changes",
        "returns",
        "answers",
        "replies",
        "shouts",
        "jumps",
        "hopes",
        "loves",
        "likes",
        "needs",
        "wants",
        "fights",
        "falls",
        "rides",
        "drives",
        "drinks",
        "sleeps",
        "stands",
        "sinks",
        "shakes",
        "wins",
        "buys",
        "finds",
        "means",
        "catches",
        "watches",
        "covers",
        "passes",
        "wonders",
        "flies",
        "lives",
        "builds",
        "leads",
        "throws",
        "feels",
        "hides",
        "wakes",
        "holds",
        "pays",
        "meets",
        "sends",
        "opens",
        "closes",
        "helps",
        "pulls",
        "pushes",
        "reaches",
        "climbs",
        "fills",
        "hates",
    ]
)
PRESENT_TENSE = {third: past for _, third, past in _sets(_TENSES) if third not in _ALSO_NOUNS}
"""A third person of the present that is no noun, to its past."""

_OBJECTS = ARTICLES | POSSESSIVES | _words("this that these those it them us him me")
Frame = tuple[frozenset[str], frozenset[str]]
NEEDED: dict[str, tuple[Frame, ...]] = {
    "the": (
        (
            PREPOSITIONS,
            _words(
                "same first last other only whole best worst rest end beginning middle top bottom edge ground sky sea "
                "sun moon world door window wall floor table street road river wind air house room morning evening "
                "afternoon past future next second third most present city town village forest garden kitchen station"
            ),
        ),
    ),
    "of": (
        (
            _words(
                "one part parts out end kind kinds sort sorts some many most none each several side edge rest number "
                "middle top bottom instead because front piece pieces pair couple cup lot lots thousands hundreds "
                "millions members centre center back form type types"
            ),
            _OBJECTS,
        ),
    ),
    "to": (
        (
            _words(
                "want wanted wants ought able began begin begins started tried try tries used seemed seems seem needed "
                "needs decided hoped order learned allowed continued refused managed supposed likely ready going "
                "had has enough"
            ),
            _words(
                "be go do see make take get have find keep come give know say tell look think leave try use work help "
                "walk live stay hold bring read write speak ask wait stop start show become feel hear eat move play "
                "run understand learn remember carry build grow reach"
            ),
        ),
        (
            _words(
                "according due close next similar thanks belonged belong belongs listened listen listening opposed led "
                "returned went came"
            ),
            _OBJECTS,
        ),
    ),
    "a": (
        (
            PREPOSITIONS | _words("was is such quite has had take took make made like"),
            _words(
                "lot while moment long number kind piece pair bit hundred thousand dozen single small large tall big "
                "sort series result way year week month minute second handful couple new different young man woman "
                "house"
            ),
        ),
    ),
    "be": (
        (
            _words("to will would can could must should might may"),
            _words("a an the able no in used made seen found done told given taken called sure as more too very"),
        ),
    ),
    "from": ((_words("away far apart different came come comes suffered returned fell rose"), _OBJECTS),),
    "with": ((_words("filled covered together along agreed dealt began compared"), _OBJECTS),),
    "on": ((_words("depends depend depended based insisted relied sat stood lay"), _OBJECTS),),
    "at": ((_words("looked look looking looks stared smiled laughed pointed arrived"), _OBJECTS),),
    "for": ((_words("waited waiting wait looking reason responsible searched"), _OBJECTS),),
    "than": (
        (_words("more less rather better worse larger smaller higher lower older younger longer greater"), _OBJECTS),
    ),
}
"""A function word, to pairs of words before and words after it, between which it cannot be left out."""

NEGATORS = frozenset(
    [
        "not",
        "never",
        "no",
        "nobody",
        "nothing",
        "nowhere",
        "neither",
        "nor",
        "without",
        "hardly",
        "scarcely",
        "cannot",
        "can't",
        "couldn't",
        "don't",
        "doesn't",
        "didn't",
        "won't",
        "wouldn't",
        "isn't",
        "aren't",
        "wasn't",
        "weren't",
        "hasn't",
        "haven't",
        "hadn't",
        "shouldn't",
        "mustn't",
    ]
)
UNDETERMINED = {
    "anything": "nothing", "anyone": "no one", "anybody": "nobody", "anywhere": "nowhere", "any": "no", "ever": "never",
    "either": "neither",
}  # fmt: skip
"""What a negative calls for, and the second negative that people put in its place."""

OPENERS = frozenset(
    [
        "the",
        "a",
        "an",
        "he",
        "she",
        "it",
        "they",
        "we",
        "you",
        "this",
        "that",
        "these",
        "those",
        "there",
        "here",
        "his",
        "her",
        "its",
        "their",
        "our",
        "my",
        "your",
        "but",
        "and",
        "or",
        "so",
        "then",
        "when",
        "while",
        "where",
        "as",
        "if",
        "in",
        "on",
        "at",
        "for",
        "from",
        "with",
        "by",
        "after",
        "before",
        "because",
        "although",
        "though",
        "once",
        "since",
        "until",
        "not",
        "no",
        "some",
        "all",
        "every",
        "each",
        "both",
        "most",
        "many",
        "few",
        "another",
        "such",
        "now",
        "today",
        "soon",
        "still",
        "yet",
        "even",
        "only",
        "perhaps",
        "maybe",
        "later",
        "to",
        "of",
        "what",
        "who",
        "how",
        "why",
        "which",
        "one",
        "two",
        "three",
        "nothing",
        "nobody",
        "everyone",
        "something",
        "people",
    ]
)
"""Words that open sentences and are no names, so that their capital can be taken away."""

NUMBER_WORDS = _each_to_the_others("""
two three four five six seven eight nine ten eleven twelve
thirteen fourteen fifteen sixteen seventeen eighteen nineteen
twenty thirty forty fifty sixty seventy eighty ninety
third fourth fifth sixth seventh eighth ninth tenth
hundred thousand million billion
""")
"""A number in words to others of its kind."""
