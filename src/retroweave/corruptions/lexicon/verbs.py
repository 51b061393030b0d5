"""English verbs and their forms."""

from __future__ import annotations

from retroweave.corruptions.lexicon.tables import sets, words

__all__ = ["ALWAYS_PAST", "BASE_AND_THIRD", "PAST_TENSE", "PRESENT_TENSE", "REPORTS", "STATES"]

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
BASE_AND_THIRD = [(base, third) for base, third in sets(_BASE_AND_THIRD)]
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
rain rains rained
drop drops dropped
lift lifts lifted
fetch fetches fetched
pick picks picked
knock knocks knocked
kick kicks kicked
nod nods nodded
shrug shrugs shrugged
sigh sighs sighed
step steps stepped
touch touches touched
fold folds folded
tie ties tied
hang hangs hung
burn burns burned
wash washes washed
paint paints painted
count counts counted
sign signs signed
travel travels travelled
cross crosses crossed
enter enters entered
escape escapes escaped
die dies died
marry marries married
bend bends bent
bite bites bit
blow blows blew
break breaks broke
swing swings swung
drag drags dragged
gather gathers gathered
join joins joined
offer offers offered
order orders ordered
pour pours poured
press presses pressed
receive receives received
refuse refuses refused
remove removes removed
rub rubs rubbed
serve serves served
slip slips slipped
strike strikes struck
supply supplies supplied
swear swears swore
tear tears tore
tap taps tapped
vanish vanishes vanished
wipe wipes wiped
"""
PAST_TENSE = {past: (base, third) for base, third, past in sets(_TENSES)} | {
    "was": ("is", "is"),
    "were": ("are", "are"),
}
"""A past form to the base and the third person of the present."""

_ALSO_NOUNS = words(
    """
    looks turns works walks runs plays moves stops starts calls talks smiles laughs cries waits changes returns
    answers replies shouts jumps hopes loves likes needs wants fights falls rides drives drinks sleeps stands sinks
    shakes wins buys finds means catches watches covers passes wonders flies lives builds leads throws feels hides
    wakes holds pays meets sends opens closes helps pulls pushes reaches climbs fills hates drops lifts kicks nods
    shrugs sighs steps folds ties burns washes paints counts signs travels crosses dies breaks bites blows swings
    drags offers orders presses slips strikes supplies taps tears rains picks knocks touches
    """
)
PRESENT_TENSE = {third: past for _, third, past in sets(_TENSES) if third not in _ALSO_NOUNS}
"""A third person of the present that is no noun, to its past."""

STATES = words(
    """
    was were had did knew thought wanted meant believed loved hated liked hoped needed seemed belonged depended
    contained included lived stood held kept called remained felt slept worked played covered understood remembered
    is are has does knows thinks becomes seems belongs depends contains includes remains keeps gives
    """
)
"""Forms of verbs that tell how things are. What was so may be so yet: his name was Tom, his name is Tom."""
REPORTS = words(
    """
    said says told tells wrote writes explained explains thought thinks knew knows remembered remembers believed
    believes meant means added adds asked asks answered answers
    """
)
"""Forms of verbs that say whose words or thoughts it is. They may have any tense: he died, she says, at home."""
ALWAYS_PAST = words("ago yesterday last once then earlier already before since when while until till first this that")
"""Words that a past form may go by, among verbs of the present."""
