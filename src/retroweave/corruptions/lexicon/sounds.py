"""Words that are taken for each other: for their sound, or by most people's habit."""

from __future__ import annotations

from retroweave.corruptions.lexicon.tables import each_to_the_others

__all__ = ["CONFUSED_WORDS", "HOMOPHONES"]

# Words that only a machine would confuse (be and bee, or and oar, in and inn) are left out on purpose, and so are words
# with two pronunciations (lead, bow, tear, bass): what is here sounds the same, whichever of them was meant.
HOMOPHONES = each_to_the_others("""
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
cite site
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

_ALL_OTHERS = """
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
thorough through though
thought though
choose chose
desert dessert
elicit illicit
eminent imminent
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
lie lay
lies lays
lying laying
"""
"""Told apart by the ear, or by most ears, and yet one is often written for the other.

Pairs of which both would do in most sentences (farther and further, ensure and insure, formally and formerly, clothes
and cloths, bath and bathe) are left out: nobody could tell which one was meant.
"""
_ONE_WAY = {"later": ("latter",), "lain": ("laid",)}
"""Taken for another that is not taken for it, since the later part and the latter part may be the same."""

CONFUSED_WORDS = {**each_to_the_others(_ALL_OTHERS), **_ONE_WAY}
