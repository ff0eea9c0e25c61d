/* The lease: nodes that say yes from memory, and the coordinators of one shutdown.
 *
 * Position 0 of the log: the feature is active. Position 1: its shutdown. Time is relative: every deadline is a number
 * of ticks left, so the model runs for ever and is finite. A lease lasts LEASE ticks, which is L by the slowest clock
 * that is allowed; whoever waits it out waits WAIT ticks, which is W by the fastest. A dead node is one that takes no
 * further step; every interleaving has it.
 *
 * Correct without a flag. NODES, LEASE and TWO_REPLIES make it larger; COARSE makes it smaller, by taking steps together
 * that the finer model, of one node, takes apart. Every other flag breaks one step.
 */
#ifndef NODES
#define NODES 1
#endif
#ifndef LEASE
#define LEASE 2
#endif
#define COORDINATORS 2
#ifdef TWO_REPLIES
#define REPLIES 2               /* renewals of one node in the air at once: a late answer may come after a newer */
#else
#define REPLIES 1
#endif
#ifdef WAIT_TOO_SHORT
#define WAIT (LEASE-1)          /* W < L, or W = L without the margin for clocks that run slow */
#else
#define WAIT LEASE
#endif

/* The database. */
bit shut;                       /* the log's head: 0 or 1 */
bit receipt;
mtype = { none, live, retiring };
mtype row[NODES] = none;
bit told[NODES];                /* position that the row confirms */

/* A node. */
bit noted[NODES];               /* the mark of position 1 has come by */
byte left[NODES];               /* the cell: ticks left of the lease, */
bit version[NODES];             /* and its version */
bit confirmed[NODES];           /* drained up to position 1, not told yet */
byte coming[NODES*REPLIES];     /* a renewal's own deadline, counted from t0 */

/* The one request in flight at a node, which is repeated for ever. */
bit counted[NODES];
bit older[NODES];               /* judged before position 1, as far as drain knows */
byte held[NODES];               /* ticks left of the cell that it took */
bit admitted[NODES];            /* said yes; the answer is not handed over yet */

/* The coordinators. */
byte waited[COORDINATORS];
bit crashed;
bit waited_out[NODES];
bit returned;

inline less(timer) { if :: timer > 0 -> timer-- :: else fi }
inline more(timer) { if :: timer < WAIT -> timer++ :: else fi }

active proctype Time() {
  byte i;
  do
  :: d_step {
       i = 0;
       do
       :: i < NODES ->
#ifdef PAUSED_CLOCK
          if :: i > 0 ->
#endif
          less(left[i]); less(held[i]); less(coming[i*REPLIES]);
#if REPLIES > 1
          less(coming[i*REPLIES+1]);
#endif
#ifdef PAUSED_CLOCK
          :: else fi;           /* node 0 stands still while the others go on: what is assumed not to happen */
#endif
          i++
       :: else -> break
       od;
       more(waited[0]); more(waited[1]); i = 0 }
  od
}

/* Registers and commits; only then reads. Reads the clock, then the snapshot; notes, then installs; drains, then
 * confirms; the next poll tells it. */
proctype Renewing(byte i; byte r) {
  bit seen;
#ifdef READ_BEFORE_REGISTER
  atomic { coming[r] = LEASE; seen = shut };
  atomic { row[i] == none -> row[i] = live; told[i] = shut };
  goto arrived;
#else
  /* A registration at position 1 has confirmed it: no lease is held, and the first snapshot comes later. */
  atomic {
    if
    :: row[i] == none -> row[i] = live; told[i] = shut; noted[i] = shut; confirmed[i] = shut
    :: else
    fi };
#endif
again:
#ifdef CLOCK_AFTER_SNAPSHOT
  atomic { row[i] == live -> told[i] = told[i] | confirmed[i]; seen = shut };
  coming[r] = LEASE;
#else
#ifndef COARSE
  coming[r] = LEASE;
#endif
  atomic {
#ifdef COARSE
    coming[r] = LEASE;
#endif
    if
    :: row[i] == live -> told[i] = told[i] | confirmed[i]; seen = shut
    :: else -> coming[r] = 0; left[i] = 0; version[i] = 0; goto gone
    fi };
#endif
arrived:
  /* The answer is on its way for as long as it likes. */
#ifdef LEASE_FROM_RECEIPT
  coming[r] = LEASE;
#endif
#ifdef CELL_BEFORE_MARKS
  atomic { version[i] = seen; left[i] = coming[r]; coming[r] = 0 };
  noted[i] = noted[i] | seen;
#else
#ifdef COARSE
  atomic {
#endif
#ifdef NON_MONOTONIC
  noted[i] = seen;
  atomic { version[i] = seen; left[i] = coming[r]; coming[r] = 0 };
#else
  noted[i] = noted[i] | seen;
  atomic {
    if
    :: seen > version[i] || (seen == version[i] && coming[r] > left[i]) -> version[i] = seen; left[i] = coming[r]
    :: else
    fi;
    coming[r] = 0 };
#endif
#endif
#ifndef COARSE
  atomic {
#endif
    if
#ifdef CONFIRM_WITHOUT_DRAIN
    :: version[i] == 1 -> confirmed[i] = 1
#else
    :: version[i] == 1 && !(counted[i] && older[i]) -> confirmed[i] = 1
#endif
    :: else
    fi;
    seen = 0 };
  goto again;
gone:
  skip
}

/* Counted, takes the cell, looks at the marks, reads the clock last, hands over, is counted out. */
proctype Request(byte i) {
  bit yes;
  do
  :: true ->
#ifdef COUNTED_LATE
     held[i] = left[i];
     yes = !noted[i];
     atomic { counted[i] = 1; older[i] = !version[i] };
#else
#ifdef MARKS_BEFORE_CELL
     atomic { counted[i] = 1; older[i] = 1; yes = !noted[i] };
     atomic { held[i] = left[i]; older[i] = !version[i] };
#else
#ifdef COARSE
     atomic { left[i] > 0 && !noted[i] -> counted[i] = 1; held[i] = left[i]; older[i] = !version[i]; yes = 1 };
     goto clock;
#else
     atomic { counted[i] = 1; older[i] = 1 };
     atomic { held[i] = left[i]; older[i] = !version[i] };
#endif
#ifdef CLOCK_READ_FIRST
     if :: held[i] > 0 :: else -> goto out fi;
#endif
     yes = !noted[i];
#endif
#endif
clock:
     atomic {
       if
#ifdef CLOCK_READ_FIRST
       :: yes ->
#else
       :: yes && held[i] > 0 ->
#endif
          assert(!returned);    /* P1: admitted by the clock */
          admitted[i] = 1
       :: else
       fi };
out: atomic { admitted[i] = 0; counted[i] = 0; older[i] = 0; held[i] = 0; yes = 0 }
  od
}

inline maybe_crash() { if :: !crashed -> crashed = 1; goto dead :: true fi }

/* Commits, reads the clock, lists, waits, writes the receipt, returns. May die between any two steps, once; the other
 * does the same, and finds what is done already. */
proctype Coordinator(byte me) {
  byte i; bit awaited[NODES]; bit second;
#ifdef LIST_BEFORE_COMMIT
  atomic { i = 0; do :: i < NODES -> awaited[i] = (row[i] != none && !told[i]); i++ :: else -> break od; i = 0 };
#endif
#ifdef CLOCK_BEFORE_COMMIT
  waited[me] = 0;
#endif
  atomic { second = shut; shut = 1 };
#ifdef SECOND_RETURNS_EARLY
  if :: second -> goto done :: else fi;
#endif
#ifdef RECEIPT_BEFORE_WAIT
  if :: receipt -> goto done :: else -> receipt = 1 fi;
#endif
  maybe_crash();
#ifndef RECEIPT_BEFORE_WAIT
  if :: receipt -> goto done :: else fi;
#endif
#ifndef CLOCK_BEFORE_COMMIT
  waited[me] = 0;
#endif
#ifndef LIST_BEFORE_COMMIT
  atomic { i = 0; do :: i < NODES -> awaited[i] = (row[i] != none && !told[i]); i++ :: else -> break od; i = 0 };
#endif
  maybe_crash();
  do
  :: i < NODES ->
     atomic {
       if
       :: !awaited[i]
       :: awaited[i] && told[i]
#ifdef UNREACHABLE_IS_GONE
       :: awaited[i]
#endif
       :: awaited[i] && !told[i] && waited[me] == WAIT -> row[i] = retiring; waited_out[i] = 1
       fi;
       awaited[i] = 0; i++ }
  :: else -> break
  od;
  maybe_crash();
  atomic { receipt = 1; waited[me] = WAIT };
  maybe_crash();
done:
  skip;
  d_step {
    returned = 1; i = 0;
    do
    :: i < NODES ->
       assert(waited_out[i] || !told[i] || !(admitted[i] && older[i]));   /* P3: handed over before the return */
       i++
    :: else -> break
    od;
    i = 0 };
dead:
  skip
}

init {
  atomic {
    byte i = 0;
    do
    :: i < NODES ->
       run Renewing(i, i*REPLIES); run Request(i);
#if REPLIES > 1
       run Renewing(i, i*REPLIES+1);
#endif
       i++
    :: else -> break
    od;
    i = 0;
    waited[0] = WAIT; waited[1] = WAIT;
    run Coordinator(0);
    run Coordinator(1)
  }
}
