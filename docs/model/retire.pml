/* Being no node any more: retired by an operator or by a coordinator, forgotten, registered anew, leaving.
 *
 * One process, two incarnations at most. Position 1 is the shutdown. Time as in lease.pml. Correct without a flag.
 */
#define LEASE 2
#define WAIT LEASE
mtype = { none, live, retiring, deleted };
mtype row[2] = none; bit told[2];
bit shut; bit returned;
bit me;                         /* the incarnation that renews */
bit known;                      /* position 1 is noted, or below the floor */
bit version; byte left;         /* the cell */
byte coming; byte held;         /* a renewal's deadline; the cell that the request in flight took */
bit counted; bit older;
byte waited = WAIT; byte retired = WAIT;

#define less(timer) if :: timer > 0 -> timer-- :: else fi
#define more(timer) if :: timer < WAIT -> timer++ :: else fi
active proctype Time() { do :: d_step { less(left); less(coming); less(held); more(waited); more(retired) } od }

active proctype Process() {
  bit seen;
anew:
  atomic { row[me] = live; told[me] = shut; known = known | shut; version = shut };
  do
  :: coming = LEASE;
     atomic {
       if
#ifdef ROW_UNCHECKED
       :: true -> seen = shut
#else
       :: row[me] == live -> seen = shut;
          if :: version && !(counted && older) -> told[me] = 1 :: else fi
       :: row[me] != live -> coming = 0; goto gone
#endif
       fi };
     known = known | seen;
     atomic { version = version | seen; left = coming; coming = 0; seen = 0 }
  :: me == 0 -> goto leave
  od;
gone:
  left = 0;
  atomic { if :: me == 0 -> me = 1; goto anew :: else -> goto end fi };
leave:
#ifdef LEFT_BEFORE_FORGETTING
  row[me] = deleted; left = 0;
#else
  left = 0;
#ifdef LEFT_IN_FLIGHT
  row[me] = deleted;
#else
  if :: !counted -> row[me] = deleted :: counted -> skip fi;    /* else its lease runs out for whoever waits */
#endif
#endif
end: skip
}

active proctype Request() {
  bit yes;
  do
  :: true ->
     atomic { counted = 1; older = 1 };
     atomic { held = left; older = !version };
     yes = !known;
     atomic {
       if
       :: yes && held > 0 -> assert(!returned)
       :: else
       fi;
       yes = 0; held = 0; counted = 0; older = 0 }
  od
}

/* An operator's decision, at any moment; forgotten when the last lease must have run out. */
active proctype Retiring() {
  atomic { row[0] == live -> row[0] = retiring };
  retired = 0;
#ifndef DELETED_AT_ONCE
  retired == WAIT;
#endif
  atomic { if :: row[0] == retiring -> row[0] = deleted :: else fi }
}

#ifdef ONLY_LIVE_ARE_LISTED
#define counts(i) (row[i] == live)
#else
#define counts(i) (row[i] == live || row[i] == retiring)
#endif
active proctype Coordinator() {
  bit first; bit second;
  shut = 1;
  waited = 0;
  atomic { first = counts(0) && !told[0]; second = counts(1) && !told[1] };
  !first || told[0] || row[0] == deleted || waited == WAIT;
  !second || told[1] || waited == WAIT;
  returned = 1
}
