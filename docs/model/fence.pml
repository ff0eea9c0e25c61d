/* The fence: writes, which never rely on a lease, against one shutdown. Nothing here depends on time.
 *
 * A writer takes the feature's lock shared, reads the feature in the next statement, commits. The shutdown takes it
 * exclusive, and commits. A statement reads the snapshot of its beginning.
 */
#define WRITERS 2
bit shut;
byte sharing;                   /* holders of the shared lock */
bit exclusive;
bit returned;

proctype Writer() {
  bit seen;
  do
  :: true ->
#ifdef UNFENCED
     seen = shut;
#else
#ifdef LOCK_AND_READ_TOGETHER
     seen = shut;               /* one statement: its snapshot is older than the lock that it then waits for */
     atomic { !exclusive -> sharing++ };
#else
     atomic { !exclusive -> sharing++ };
     seen = shut;
#endif
#endif
     atomic {
       if
       :: !seen -> assert(!returned)    /* P2: the commit */
       :: else
       fi;
#ifndef UNFENCED
       sharing--;
#endif
       seen = 0 }
  od
}

active proctype Shutdown() {
  atomic { sharing == 0 && !exclusive -> exclusive = 1 };
#ifdef UNLOCKED_BEFORE_COMMIT
  exclusive = 0;
#endif
  atomic { shut = 1; exclusive = 0 };
  returned = 1
}

init { atomic { byte i; for (i : 1 .. WRITERS) { run Writer() } } }
