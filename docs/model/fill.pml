/* What a node remembers: the answer on first sight of a token, which may arrive late, and marks that are forgotten.
 *
 * Position 0 of the log: the token is good. Position 1: it is not. The coordinator returns when the node has confirmed.
 * Correct without a flag.
 */
#define NOTHING 2
bit ended;                      /* the log's head */
byte seen = NOTHING;            /* the remembered yes: the position that it was read at */
bit mark;                       /* the mark of position 1 is remembered */
bit floor;                      /* decisions below are not used */
bit version;                    /* of the cell */
bit counted; bit older;         /* the request in flight */
bit returned;
#define holds(position) (position >= floor && position >= mark)

active proctype Request() {
  byte found; bit fresh;
  do
  :: true ->
     atomic { found = seen; fresh = (found == NOTHING) };
     if
     :: fresh ->
#ifdef LATE_ANSWER_AS_CURRENT
        bit at = ended;         /* the answer's own snapshot is not carried: on arrival it counts as the newest */
        if :: at == 0 -> found = version :: else fi;
#else
        if :: ended == 0 -> found = 0 :: true -> found = NOTHING fi;    /* one snapshot; then the answer travels */
#endif
     :: else
     fi;
     if
     :: found == NOTHING -> skip        /* a no is never remembered */
     :: else ->
        atomic { counted = 1; older = 1 };
        older = !version;
        if
#ifdef LATE_ANSWER_UNJUDGED
        :: fresh || holds(found) ->
#else
        :: holds(found) ->
#endif
           assert(!returned);           /* P1; the lease is taken to be good */
           if :: fresh -> seen = found :: else fi
        :: else -> seen = NOTHING
        fi;
        atomic { counted = 0; older = 0 }
     fi;
     atomic { found = 0; fresh = 0 }
  od
}

/* Notes before the cell, drains, confirms. Then marks are forgotten for want of room, or the node registers anew, at
 * position 1, and forgets everything: what was read before may still come in. */
active proctype Renewing() {
  ended -> mark = 1;
  version = 1;
  !(counted && older) -> returned = 1;
  do
  ::
#ifdef FORGOTTEN_WITHOUT_FLOOR
     mark = 0
#else
#ifdef FORGOTTEN_BEFORE_FLOOR
     mark = 0; floor = 1
#else
     floor = 1; mark = 0
#endif
#endif
  ::
#ifdef ANEW_WITHOUT_FLOOR
     seen = NOTHING; mark = 0
#else
     floor = 1; seen = NOTHING; mark = 0
#endif
#ifdef MARK_MOVED_BY_REMOVAL
  :: mark == 1 -> mark = 0; mark = 1    /* noted once more, by removing it first */
#endif
  od
}

active proctype Narrowing() { ended = 1 }
