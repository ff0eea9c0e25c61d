/* Epochs, operations and reopening: what callers are told, over many shutdowns and reopenings of one feature.
 *
 * An even position of the log: the feature is active, at epoch position/2. An odd one: shut down. A token of epoch e is
 * good exactly at position 2e. That a node at an older position says yes no more once it is waited for is what lease.pml
 * shows; here a node is a position that it has heard, and the wait for it one step. Correct without a flag.
 */
#define LAST 4                  /* two shutdowns, two reopenings */
#define OPERATIONS 2
#define NODES 2
byte head;
byte heard[NODES];              /* the position that a node relies on */
byte done_at[OPERATIONS];       /* the position that an operation committed; 0: none */
byte commits[OPERATIONS];
bit receipt[3];                 /* of the shutdown at position 2n+1 */
byte reopenings;
bit promised;                   /* a shutdown has returned, and no reopening has committed since */
byte ended;                     /* tokens of an epoch below may never be admitted again */
byte newest;                    /* the highest epoch that was admitted */
#define shut (head % 2 == 1)
#define epoch(position) ((position + 1) / 2)

/* A caller with an operation's name. It may die after any step, or lose the answer, and asks again with the same name.
 * Two callers share each name. */
proctype Caller(byte op) {
  byte mine; byte before;
  do
  :: atomic {
       before = reopenings;
#ifdef STALE_RECEIPT
       if
       :: done_at[op] > 0 -> mine = done_at[op]
#else
       if
#ifdef FORGOTTEN_OPERATION
       :: false -> skip
#else
       :: done_at[op] > 0 && (!shut || head != done_at[op]) -> goto refused     /* reopened since */
       :: done_at[op] > 0 && shut && head == done_at[op] -> mine = head
#endif
#endif
#ifdef FORGOTTEN_OPERATION
       :: !shut && head < LAST ->
#else
       :: done_at[op] == 0 && !shut && head < LAST ->
#endif
          head++; done_at[op] = head; mine = head; commits[op]++;
          assert(commits[op] == 1)      /* an operation takes effect once, whoever repeats it */
       :: done_at[op] == 0 && shut -> mine = head     /* whose shutdown it is does not matter */
       :: !shut && head == LAST -> goto refused
#ifdef FORGOTTEN_OPERATION
       :: done_at[op] > 0 && shut -> mine = head
#endif
       fi };
     if :: goto refused :: true fi;     /* dies, or its answer is lost */
     if
     :: receipt[mine/2] -> skip
     :: else ->
        heard[0] >= mine;
        heard[1] >= mine;
        if :: goto refused :: true fi;
        receipt[mine/2] = 1
     fi;
     if :: goto refused :: true fi;
     atomic {                           /* returns */
       if
       :: reopenings == before -> promised = 1
       :: else                          /* reopened while it was under way: it returned, in effect, before that */
       fi;
       if :: epoch(mine) > ended -> ended = epoch(mine) :: else fi };
refused:
     atomic { mine = 0; before = 0 }
  od
}

/* An operator reopens what they saw shut down, some time after they saw it. Two of them. */
proctype Reopening() {
  byte saw;
  do
  :: atomic { shut -> saw = head };
     atomic {
       if
#ifdef REOPENED_WITHOUT_RECEIPT
       :: head == saw ->
#else
#ifdef REOPENED_WITHOUT_COMPARING
       :: shut && receipt[head/2] ->
#else
       :: head == saw && receipt[head/2] ->
#endif
#endif
          assert(head == saw);          /* what is reopened is the shutdown that was seen */
          head++; reopenings++; promised = 0
       :: head != saw                   /* refused */
       fi };
     saw = 0
  od
}

proctype Node(byte i) {
  do
  :: atomic { heard[i] < head -> heard[i] = head }
  :: atomic { heard[i] % 2 == 0 ->      /* an active feature admits */
       byte e;
#ifdef EPOCH_UNCHECKED
       for (e : 0 .. heard[i]/2) {
#else
       e = heard[i]/2; {
#endif
         assert(!promised);             /* P1: not after the return and before a reopening */
         assert(e >= ended);            /* P1: and never again under an older epoch */
         assert(e >= newest);           /* no two epochs at one time, on any nodes */
         newest = e };
       e = 0 }
  od
}

init { atomic {
  run Caller(0); run Caller(0); run Caller(1);
  run Reopening(); run Reopening();
  run Node(0); run Node(1) } }
