/* Liveness: a shutdown gets its receipt though any nodes are dead, and though its coordinator dies at any step.
 *
 * Weak fairness: what can go on for ever goes on; who is dead does not. A dead node may have died with its lease fresh;
 * one may also live, renew for ever and never drain. A coordinator dies once; the recovery loop of any process that
 * lives finishes. A writer may be frozen with the feature's lock in its hand. Correct without a flag.
 */
#define WAIT 2
#define NODES 2
bit shut; bit receipt;
bit told[NODES]; bit dead[NODES];
byte waited[2] = WAIT;
bit crashed;
bit sharing;

#define more(timer) if :: timer < WAIT -> timer++ :: else fi
active proctype Time() { do :: d_step { more(waited[0]); more(waited[1]) } od }

/* Dies at any moment, or renews for ever; confirms only if its requests come to an end. */
proctype Node(byte i) {
  do
  :: dead[i] = 1; break
  :: !shut || told[i] ->
#ifdef WAIT_FROM_RENEWAL
     atomic { waited[0] = 0; waited[1] = 0 }
#else
     skip
#endif
  :: shut && !told[i] ->
     if
     :: told[i] = 1
     :: true ->                 /* a request does not end: renewed, not confirmed */
#ifdef WAIT_FROM_RENEWAL
        atomic { waited[0] = 0; waited[1] = 0 }
#else
        skip
#endif
     fi
  od
}

/* Holds the lock; is frozen for ever, or commits. The database ends an idle transaction. */
active proctype Writer() {
  sharing = 1;
#ifdef NO_IDLE_TIMEOUT
  if :: sharing = 0 :: false -> skip :: true -> (false) fi
#else
  sharing = 0
#endif
}

proctype Coordinator(byte me) {
  byte i; bit awaited[NODES];
again:
  if
  :: me == 1 ->                 /* the recovery loop: only what is committed */
#ifdef NO_RECOVERY
     goto end
#else
     shut && !receipt
#endif
  :: me == 0 -> atomic { !sharing -> shut = 1 }
  fi;
  if :: me == 0 && !crashed -> crashed = 1; goto end :: true fi;
  waited[me] = 0;
  atomic { for (i : 0 .. NODES-1) { awaited[i] = !told[i] } };
  i = 0;
  do
  :: i < NODES ->
     if
     :: !awaited[i] || told[i] -> i++
#ifndef NO_WAITING_OUT
     :: awaited[i] && waited[me] == WAIT -> i++
#endif
     fi
  :: else -> break
  od;
  if :: me == 0 && !crashed -> crashed = 1; goto end :: true fi;
  receipt = 1;
end: skip
}

init { atomic { run Node(0); run Node(1); run Coordinator(0); run Coordinator(1) } }

/* Committed, a shutdown gets its receipt; and it is committed, whatever writers do. */
ltl returns { <> shut && [] (shut -> <> receipt) }
